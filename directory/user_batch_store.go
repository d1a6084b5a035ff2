package directory

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/sqldb"
)

// insertUsers writes the rows of new users whose unique values are claimed, one
// statement for many rows, and tells of each.
func (d *Directory) insertUsers(tx *sqldb.Tx, c Change, entries []*entry) error {
	if len(entries) == 0 {
		return nil
	}
	now := d.now()
	told := make([]changed, len(entries))
	evs := make([]events.Event, len(entries))
	for i, e := range entries {
		u := e.newUser(now)
		e.result.User = u
		evs[i] = events.Event{
			Type: "user.lifecycle.create", Time: now, Targets: userTarget(u, e.name), After: e.shown,
			Detail: map[string]any{"status": u.Status},
		}
		active := u.Status.Active()
		told[i] = changed{Kind: kindUser, ID: u.ID, RID: u.RID, Op: opCreate, Attrs: e.attrs, Version: u.Version, Active: &active}
		evs[i].Resource = told[i].resource(typeUser)
	}
	for _, t := range d.userRows(c, entries) {
		if _, err := tx.InsertMany(t.into, t.width, "", t.values); err != nil {
			return fmt.Errorf("insert users: %s: %w", t.into, err)
		}
	}
	if err := d.sameSchema(tx, entries[0].typ); err != nil {
		return err
	}
	for block, n := range blocks(entries) {
		if err := addTotal(tx, typeUser, block, n); err != nil {
			return err
		}
	}
	ids, err := d.auditAll(tx, c, evs)
	if err != nil {
		return err
	}
	for i := range told {
		told[i].Event = ids[i]
	}
	return d.createdTx(tx, c, told)
}

// blocks counts new users by block.
func blocks(entries []*entry) map[int64]int {
	n := map[int64]int{}
	for _, e := range entries {
		n[blockOf(e.rid)]++
	}
	return n
}

// rows are the rows of one multi-row INSERT.
type rows struct {
	into   string
	width  int
	values []any
}

func (r *rows) add(values ...any) { r.values = append(r.values, values...) }

// userRows are the rows of new users, resources first: the others refer to them.
func (d *Directory) userRows(c Change, entries []*entry) []*rows {
	resources := &rows{width: 15, into: `INSERT INTO resources (rid, id, type, version, status, active, created, modified, status_changed,
		activated, last_login, user_name, display_name, family_name, given_name)`}
	documents := &rows{width: 2, into: `INSERT INTO documents (rid, doc)`}
	everyone := &rows{width: 2, into: `INSERT INTO members (group_rid, member_rid)`}
	externalIDs := &rows{width: 3, into: `INSERT INTO external_ids (rid, client, value)`}
	passwords := &rows{width: 3, into: `INSERT INTO passwords (rid, hash, changed)`}
	for _, e := range entries {
		u := e.result.User
		resources.add(u.RID, u.ID, typeUser, u.Version, string(u.Status), u.Status.Active(), u.Created.UnixMicro(), u.Modified.UnixMicro(),
			u.StatusChanged.UnixMicro(), nullTime(u.Activated), nullTime(u.LastLogin),
			null(e.hot.UserName), null(e.hot.DisplayName), null(e.hot.FamilyName), null(e.hot.GivenName))
		documents.add(u.RID, string(u.Doc))
		everyone.add(d.everyone.rid, u.RID)
		for client, value := range e.origin.externalIDs(c.Client, u.ExternalID) {
			externalIDs.add(u.RID, client, value)
		}
		if e.hash != "" {
			passwords.add(u.RID, e.hash, u.PasswordChanged.UnixMicro())
		}
	}
	return []*rows{resources, documents, indexRows(entries), everyone, externalIDs, passwords}
}

// indexRows are the index rows of all, in the order of the index: each of its pages is
// then touched once.
func indexRows(entries []*entry) *rows {
	type row struct {
		path, val string
		rid       int64
		elem      int
	}
	n := 0
	for _, e := range entries {
		n += len(e.index)
	}
	all := make([]row, 0, n)
	for _, e := range entries {
		for _, x := range e.index {
			all = append(all, row{x.Path, x.Value, e.rid, x.Elem})
		}
	}
	slices.SortFunc(all, func(a, b row) int {
		return cmp.Or(cmp.Compare(a.path, b.path), cmp.Compare(a.val, b.val), cmp.Compare(a.rid, b.rid), cmp.Compare(a.elem, b.elem))
	})
	t := &rows{width: 4, into: `INSERT INTO attribute_values (path, val, rid, elem)`, values: make([]any, 0, 4*n)}
	for _, r := range all {
		t.add(r.path, r.val, r.rid, r.elem)
	}
	return t
}

// newRIDs takes n row numbers. On SQLite, which has one writer, they follow the last;
// AUTOINCREMENT goes on after them.
func newRIDs(tx *sqldb.Tx, n int) ([]int64, error) {
	if tx.Dialect() == sqldb.PostgreSQL {
		rids, err := ints(tx.Query(`SELECT nextval(pg_get_serial_sequence('resources', 'rid')) FROM generate_series(1, $1::int)`, n))
		if err != nil {
			return nil, fmt.Errorf("take row numbers: %w", err)
		}
		return rids, nil
	}
	var last int64
	if err := tx.QueryRow(`SELECT COALESCE(MAX(seq), 0) FROM sqlite_sequence WHERE name = 'resources'`).Scan(&last); err != nil {
		return nil, fmt.Errorf("take row numbers: %w", err)
	}
	rids := make([]int64, n)
	for i := range rids {
		rids[i] = last + 1 + int64(i)
	}
	return rids, nil
}
