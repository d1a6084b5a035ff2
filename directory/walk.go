package directory

import (
	"context"
	"fmt"
	"slices"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// Stored is a resource of any type as an export reads it: with all that stands beside
// its document.
type Stored struct {
	Type   string
	RID    int64
	Status string // of a user, or the GroupType of a group
	Origin
	PasswordHash string // only when it is asked for
	Doc          []byte
}

// WalkQuery says what a walk reads.
type WalkQuery struct {
	Filter    *schemas.Filter // nil for all
	Client    string          // the namespace of externalId in the filter
	Passwords bool            // password hashes too
}

// walkPage is how many resources a walk hands out at a time.
const walkPage = 500

// Walk reads all resources of a type that match, in the order of their creation, in
// pages. Through the Reader of one View it reads one state of the directory. A filter
// costs 8 bytes of memory for each match.
func (d *Directory) Walk(ctx context.Context, rd sqldb.Reader, typ string, q WalkQuery, fn func([]*Stored) error) error {
	next := d.pages(rd, typ)
	if q.Filter != nil {
		rids, err := d.matches(ctx, rd, typ, q)
		if err != nil {
			return err
		}
		next = d.pagesOf(rd, rids)
	}
	for {
		page, err := next(ctx)
		if err != nil || len(page) == 0 {
			return err
		}
		if err := d.addBeside(ctx, rd, page, q.Passwords); err != nil {
			return err
		}
		if err := fn(page); err != nil {
			return err
		}
	}
}

const storedColumns = `r.type, r.rid, r.id, r.version, r.status, r.created, r.modified, r.status_changed,
	COALESCE(r.activated, 0), COALESCE(r.last_login, 0), (SELECT d.doc FROM documents d WHERE d.rid = r.rid)`

func scanStored(row scanner) (*Stored, error) {
	var s Stored
	var created, modified, statusChanged, activated, lastLogin int64
	err := row.Scan(&s.Type, &s.RID, &s.ID, &s.Version, &s.Status, &created, &modified, &statusChanged, &activated, &lastLogin, &s.Doc)
	if err != nil {
		return nil, fmt.Errorf("read resource: %w", err)
	}
	s.Created, s.Modified, s.StatusChanged = micros(created), micros(modified), micros(statusChanged)
	s.Activated, s.LastLogin = micros(activated), micros(lastLogin)
	return &s, nil
}

// pages reads a type page by page.
func (d *Directory) pages(rd sqldb.Reader, typ string) func(context.Context) ([]*Stored, error) {
	after := int64(0)
	return func(ctx context.Context) ([]*Stored, error) {
		page, err := scanAll(scanStored)(rd.Query(ctx, `SELECT `+storedColumns+` FROM resources r
			WHERE r.type = $1 AND r.rid > $2 ORDER BY r.rid LIMIT $3`, typ, after, walkPage))
		if len(page) > 0 {
			after = page[len(page)-1].RID
		}
		return page, err
	}
}

// matches are the row numbers that a filter selects, in order.
func (d *Directory) matches(ctx context.Context, rd sqldb.Reader, typ string, q WalkQuery) ([]int64, error) {
	sel, err := d.selection(ctx, rd, typ, ListQuery{Filter: q.Filter, Client: q.Client})
	if err != nil {
		return nil, err
	}
	// $1 is of the columns of a list; PostgreSQL could not tell its type otherwise.
	return ints(rd.Query(ctx, "SELECT r.rid FROM resources r WHERE $1 = $1 AND "+sel.where+" ORDER BY r.rid", sel.args...))
}

// pagesOf reads rows by their numbers.
func (d *Directory) pagesOf(rd sqldb.Reader, rids []int64) func(context.Context) ([]*Stored, error) {
	return func(ctx context.Context) ([]*Stored, error) {
		if len(rids) == 0 {
			return nil, nil
		}
		n := min(len(rids), lookUpMax)
		part := ridArgs(rids[0], rids[1:n])
		rids = rids[n:]
		return scanAll(scanStored)(rd.Query(ctx, `SELECT `+storedColumns+` FROM resources r WHERE r.rid IN (`+list(1, n)+`) ORDER BY r.rid`, part...))
	}
}

// addBeside adds what stands in other tables.
func (d *Directory) addBeside(ctx context.Context, rd sqldb.Reader, page []*Stored, passwords bool) error {
	byRID := make(map[int64]*Stored, len(page))
	rids := make([]int64, len(page))
	for i, s := range page {
		byRID[s.RID], rids[i] = s, s.RID
	}
	for part := range slices.Chunk(rids, lookUpMax) {
		args := ridArgs(part[0], part[1:])
		err := eachRow("read external IDs", func(row scanner) error {
			var rid int64
			var client, value string
			err := row.Scan(&rid, &client, &value)
			if s := byRID[rid]; s.ExternalIDs == nil {
				s.ExternalIDs = map[string]string{}
			}
			byRID[rid].ExternalIDs[client] = value
			return err
		})(rd.Query(ctx, `SELECT rid, client, value FROM external_ids WHERE rid IN (`+list(1, len(args))+`)`, args...))
		if err != nil {
			return err
		}
		err = eachRow("read passwords", func(row scanner) error {
			var rid, changed int64
			var hash string
			err := row.Scan(&rid, &hash, &changed)
			byRID[rid].PasswordChanged = micros(changed)
			if passwords {
				byRID[rid].PasswordHash = hash
			}
			return err
		})(rd.Query(ctx, `SELECT rid, hash, changed FROM passwords WHERE rid IN (`+list(1, len(args))+`)`, args...))
		if err != nil {
			return err
		}
	}
	return nil
}

// StoredMember is a member of a group as an export reads it.
type StoredMember struct {
	ID   string
	Type string
	Doc  []byte
}

// WalkMembers reads the members of a group, people first, in pages.
func (d *Directory) WalkMembers(ctx context.Context, rd sqldb.Reader, groupRID int64, fn func([]*StoredMember) error) error {
	for _, table := range []string{"members", "nested_groups"} {
		for after := int64(0); ; {
			page, err := scanAll(func(row scanner) (*StoredMember, error) {
				var m StoredMember
				err := row.Scan(&after, &m.ID, &m.Type, &m.Doc)
				return &m, err
			})(rd.Query(ctx, `SELECT r.rid, r.id, r.type, (SELECT d.doc FROM documents d WHERE d.rid = r.rid)
				FROM `+table+` m JOIN resources r ON r.rid = m.member_rid
				WHERE m.group_rid = $1 AND m.member_rid > $2 ORDER BY m.member_rid LIMIT $3`, groupRID, after, walkPage))
			if err != nil {
				return fmt.Errorf("read members: %w", err)
			}
			if len(page) == 0 {
				break
			}
			if err := fn(page); err != nil {
				return err
			}
		}
	}
	return nil
}

// Count is how many resources of a type there are.
func (d *Directory) Count(ctx context.Context, typ string) (int, error) {
	return total(ctx, d.DB, typ)
}

// DocumentsOf returns the documents of resources by their IDs.
func (d *Directory) DocumentsOf(ctx context.Context, rd sqldb.Reader, ids []string) (map[string][]byte, error) {
	docs := make(map[string][]byte, len(ids))
	for part := range slices.Chunk(ids, lookUpMax) {
		args := make([]any, len(part))
		for i, id := range part {
			args[i] = id
		}
		err := eachRow("read documents", func(row scanner) error {
			var id string
			var doc []byte
			err := row.Scan(&id, &doc)
			docs[id] = doc
			return err
		})(rd.Query(ctx, `SELECT r.id, d.doc FROM resources r JOIN documents d ON d.rid = r.rid WHERE r.id IN (`+list(1, len(args))+`)`, args...))
		if err != nil {
			return nil, err
		}
	}
	return docs, nil
}
