package directory

import (
	"context"
	"fmt"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// The index of values says which resources have an attribute, not which have none. A
// page of those is found by looking at documents one by one where many have none, and
// by reading all values as a set where few do.

// maxLooked is how many documents are looked at, until the set is cheaper.
const maxLooked = 4096

func (l *lister) onlyDocumentTells(i int, from position) bool {
	by := l.streams[i].by
	return l.segments[from.segment] == absent && by != nil && by.Where == schemas.InIndex
}

// readAbsent reads, by age, resources of a type without a value.
func (l *lister) readAbsent(ctx context.Context, i int, from position, limit int) ([]listed, error) {
	var all []listed
	for batch, looked := 2*limit, 0; looked < l.d.lists.looked; looked, batch = looked+batch, 2*batch {
		found, err := l.query(ctx, i, from, batch, false, true)
		if err != nil {
			return nil, err
		}
		if all, err = l.keepAbsent(all, found, i, limit); err != nil || len(all) == limit || len(found) < batch {
			return all, err
		}
		from = found[len(found)-1].position()
		if len(all) == 0 && looked == 0 {
			if nobody, err := l.nobodyIsWithout(ctx, i); nobody || err != nil {
				return nil, err
			}
		}
	}
	rest, err := l.query(ctx, i, from, limit-len(all), true, true)
	return append(all, rest...), err
}

func (l *lister) keepAbsent(all, found []listed, i, limit int) ([]listed, error) {
	for _, e := range found {
		r, err := l.streams[i].typ.Decode(e.doc)
		if err != nil {
			return nil, fmt.Errorf("read %d: %w", e.rid, err)
		}
		if _, has := r.SortValue(l.streams[i].by); has {
			continue
		}
		if all = append(all, e); len(all) == limit {
			break
		}
	}
	return all, nil
}

// nobodyIsWithout compares how many first elements have a value with how many
// resources there are. False says nothing: a primary element that is not the first
// stands for its resource, and the index does not say of which type a value is.
func (l *lister) nobodyIsWithout(ctx context.Context, i int) (nobody bool, err error) {
	s := l.streams[i]
	for _, t := range l.d.Schemas().Types() {
		if t.Name != s.typ.Name && t.Indexes(s.by.Path) {
			return false, nil
		}
	}
	p := params{s.typ.Name, s.by.Path}
	query := `SELECT (SELECT count(*) FROM attribute_values WHERE path = $2 AND elem = 0) =
		(SELECT COALESCE(SUM(delta), 0) FROM totals WHERE type = $1)`
	if primary := s.by.Primary(); primary != "" {
		query += ` AND NOT EXISTS (SELECT 1 FROM attribute_values WHERE path = ` + p.arg(primary) + ` AND val = 'true' AND elem > 0)`
	}
	if err := l.d.DB.QueryRow(ctx, query, p...).Scan(&nobody); err != nil {
		return false, fmt.Errorf("count values of %s: %w", s.by.Path, err)
	}
	return nobody, nil
}

// valueless holds of rows without a value in the index, which the engines must read
// once and not once per row, in different words. PostgreSQL would read a set that is
// too large for its memory once per row.
func (l *lister) valueless(p *params, by *schemas.AttrRef) string {
	set := " FROM attribute_values k WHERE k.path = " + p.arg(by.Path) + " AND "
	if l.d.DB.Dialect() == sqldb.PostgreSQL {
		return "NOT EXISTS (SELECT 1" + set + firstElement(p, by) + " AND k.rid = r.rid)"
	}
	first := "k.elem = 0"
	if primary := by.Primary(); primary != "" {
		marked := " FROM attribute_values m WHERE m.path = " + p.arg(primary) + " AND m.val = 'true'"
		first = "((k.rid, k.elem) IN (SELECT m.rid, m.elem" + marked + ") OR k.elem = 0 AND NOT k.rid IN (SELECT m.rid" + marked + "))"
	}
	return "NOT +r.rid IN (SELECT k.rid" + set + first + ")"
}
