package directory

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// MemberQuery says which members of a group are wanted.
type MemberQuery struct {
	Filter *schemas.Filter // nil for all
	Base   string          // of the URLs in a $ref, as in ListQuery
	Seen   []string        // the groups whose names may be asked for; nil for all
	Client string          // owner of the cursor
	Names  bool
	// Paged asks for Count members from StartIndex on, or after a Cursor.
	Paged             bool
	StartIndex, Count int
	UseCursor         bool
	Cursor            string
}

// MemberSet is who is in a group at one moment: rows only, so that a million of them
// take little room, and no connection is held while a slow client reads.
type MemberSet struct {
	Total int    // matches in all, of a page by index; -1 otherwise
	Next  string // cursor of the next page, empty at the end
	rows  [2]rowSet
	names bool
	dir   *Directory
}

// Len is how many members the set holds.
func (s *MemberSet) Len() int { return s.rows[0].n + s.rows[1].n }

// memberKinds are the members of a group, in the order in which they are shown.
var memberKinds = [2]struct {
	table, typ string
	kind       relationKind
}{{"nested_groups", typeGroup, memberNested}, {"members", typeUser, memberUser}}

// MemberSet reads the members of a group by its row number.
func (d *Directory) MemberSet(ctx context.Context, group int64, q MemberQuery) (*MemberSet, error) {
	s := &MemberSet{Total: -1, names: q.Names, dir: d}
	if group == d.everyone.rid {
		return s, nil
	}
	p, err := d.memberPage(group, q)
	if err != nil {
		return nil, err
	}
	return s, d.DB.View(ctx, func(r sqldb.Reader) error {
		for kind := range memberKinds {
			if s.rows[kind], err = d.memberRows(ctx, r, group, q, p, kind); err != nil {
				return err
			}
		}
		d.finishPage(s, p, group, q)
		return nil
	})
}

// memberRows reads the members of one kind that are on the page.
func (d *Directory) memberRows(ctx context.Context, r sqldb.Reader, group int64, q MemberQuery, p *memberPage, kind int) (rows rowSet, err error) {
	from := memberKinds[kind].table + ` m`
	f := memberFilter{where: "TRUE"}
	if q.Filter != nil {
		from += ` JOIN resources x ON x.rid = m.member_rid`
		if f, err = d.filterMembers(q.Filter.Root, memberKinds[kind].kind, q.Base, q.Seen); err != nil {
			return rows, err
		}
	}
	from += ` WHERE m.group_rid = $1 AND ` + f.where
	args := append([]any{group}, f.args...)
	if p.counts {
		var n int
		if err := r.QueryRow(ctx, `SELECT count(*) FROM `+from, args...).Scan(&n); err != nil {
			return rows, fmt.Errorf("count members: %w", err)
		}
		p.total += n
		if p.skip >= n {
			p.skip -= n
			return rows, nil
		}
	}
	if p.left == 0 || kind < p.kind {
		return rows, nil
	}
	n := len(args)
	err = eachRow("read members", func(row scanner) error {
		var rid int64
		err := row.Scan(&rid)
		rows.add(rid)
		return err
	})(r.Query(ctx, `SELECT m.member_rid FROM `+from+fmt.Sprintf(` AND m.member_rid > $%d ORDER BY m.member_rid LIMIT $%d OFFSET $%d`, n+1, n+2, n+3),
		append(args, p.after(kind), p.left, p.skip)...))
	p.skip = 0
	p.left -= rows.n
	return rows, err
}

// everything is a limit that is none.
const everything = math.MaxInt64

// membersAtOnce is how many members are looked up together when a set is read.
const membersAtOnce = 500

// Each gives the members of a set to fn in order, some at a time. Whoever was deleted
// since the set was read is left out.
func (s *MemberSet) Each(ctx context.Context, fn func([]MemberRef) error) error {
	for i, k := range memberKinds {
		query := `SELECT r.id, ` + docOf("r", s.names) + ` FROM resources r
			WHERE r.rid IN (` + list(1, membersAtOnce) + `) AND r.type = '` + k.typ + `' ORDER BY r.rid`
		for rows := s.rows[i].reader(); rows.left > 0; {
			members, err := s.look(ctx, query, rows.args(membersAtOnce), i == 0)
			if err != nil {
				return err
			}
			if err := fn(members); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *MemberSet) look(ctx context.Context, query string, rids []any, group bool) (members []MemberRef, _ error) {
	return members, eachRow("read members", func(row scanner) error {
		m := MemberRef{Group: group}
		var doc []byte
		err := row.Scan(&m.ID, &doc)
		if s.names {
			m.Name = schemas.NameIn(doc)
		}
		members = append(members, m)
		return err
	})(s.dir.DB.Query(ctx, query, rids...))
}

// rowSet is a list of ascending row numbers, each kept as its distance from the one
// before.
type rowSet struct {
	data []byte
	n    int
	last int64
}

func (s *rowSet) add(rid int64) {
	s.data = binary.AppendUvarint(s.data, uint64(rid-s.last))
	s.n, s.last = s.n+1, rid
}

func (s *rowSet) reader() rowReader { return rowReader{data: s.data, left: s.n} }

// rowReader reads a rowSet from its beginning.
type rowReader struct {
	data []byte
	left int
	at   int64
}

func (r *rowReader) next() int64 {
	step, size := binary.Uvarint(r.data)
	r.data, r.left, r.at = r.data[size:], r.left-1, r.at+int64(step)
	return r.at
}

// args takes up to n rows as arguments; the last is repeated, so that the statement is
// the same for any number.
func (r *rowReader) args(n int) []any {
	all := make([]any, n)
	for i := range all {
		if r.left > 0 {
			r.next()
		}
		all[i] = r.at
	}
	return all
}
