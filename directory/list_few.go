package directory

import (
	"context"
	"fmt"
	"slices"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// fewMatches is how many resources are sorted here. To find them along the index of
// the sort attribute would mean to pass over all the others; more than so many lie
// close enough together in it.
const fewMatches = 2000

// isFew says whether the matches of a sorted list are to be sorted here. The total is
// needed anyway.
func (l *lister) isFew(ctx context.Context) (bool, error) {
	if l.isUnique() {
		return true, nil
	}
	if l.q.SortBy == "" || !l.filtered() {
		return false, nil
	}
	if l.total < 0 {
		var err error
		if l.total, err = l.count(ctx); err != nil {
			return false, err
		}
	}
	return l.total <= l.d.lists.few, nil
}

// isUnique says that the filter finds one resource at most: neither order nor pages matter.
func (l *lister) isUnique() bool { return len(l.streams) == 1 && l.streams[0].sel.unique }

// sortFew reads all matches, sorts them, and keeps those of the page. It is false when
// there were too many after all.
func (l *lister) sortFew(ctx context.Context, limit int) (page []listed, ok bool, err error) {
	var all []listed
	for i := range l.streams {
		found, err := l.matches(ctx, i)
		if err != nil {
			return nil, false, err
		}
		if len(found) > l.d.lists.few {
			return nil, false, nil
		}
		all = append(all, found...)
	}
	slices.SortFunc(all, l.compare)
	all = all[l.firstAfter(all):]
	all = all[min(l.from.offset, len(all)):]
	return all[:min(limit, len(all))], true, nil
}

// firstAfter is the index of the first listed after the position.
func (l *lister) firstAfter(all []listed) int {
	for i, e := range all {
		if e.segment < l.from.segment {
			continue
		}
		if e.segment > l.from.segment || !l.from.inside {
			return i
		}
		if l.compare(e, listed{segment: l.from.segment, value: l.from.value, rid: l.from.rid}) > 0 {
			return i
		}
	}
	return len(all)
}

func (l *lister) matches(ctx context.Context, i int) ([]listed, error) {
	s := l.streams[i]
	value := "NULL"
	switch {
	case s.by == nil:
	case s.by.Where == schemas.InLocation:
		value = "r.id"
	case hotColumns[s.by.Where] != "":
		value = "r." + hotColumns[s.by.Where]
	}
	p := params(slices.Clip(s.sel.args))
	query := "SELECT " + value + ", " + l.columns(s.typ.Name) + " FROM resources r WHERE " + s.sel.where
	var found []listed
	var err error
	if l.isUnique() {
		err = l.d.DB.Lookup(ctx, func(row sqldb.Scanner) error {
			e := listed{stream: i}
			err := l.read(row, &e, true)
			found = append(found, e)
			return err
		}, query, p...)
	} else if rows, failed := l.d.DB.Query(ctx, query+" LIMIT "+p.arg(l.d.lists.few+1), p...); failed != nil {
		err = failed
	} else {
		found, err = l.scan(rows, i, 0, true)
	}
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", s.typ.Name, err)
	}
	for n := range found {
		if err := l.place(&found[n]); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// place finds the place of a resource in the order.
func (l *lister) place(e *listed) error {
	seg := inOrder
	by := l.streams[e.stream].by
	if by != nil {
		if err := l.readValue(e, by); err != nil {
			return err
		}
	}
	switch {
	case l.segments[0] == inAge:
		seg = inAge
	case by == nil || e.value == nil:
		seg = absent
	case by.Where == schemas.InResourceType:
		seg, e.value = ofType+segment(e.stream), e.rid
	case by.Where == schemas.InLocation:
		seg = ofType + segment(e.stream)
	case slices.Contains(l.segments, active):
		seg = activeSegment(e.value)
	}
	if seg == inAge || seg == absent || seg == inactive || seg == active {
		e.value = e.rid
	}
	e.segment = slices.Index(l.segments, seg)
	return nil
}

// readValue completes the value of an attribute that has no column.
func (l *lister) readValue(e *listed, by *schemas.AttrRef) error {
	switch by.Where {
	case schemas.InResourceType:
		e.value = l.streams[e.stream].typ.Name
	case schemas.InExternalID:
		e.value = emptyAsNil(e.externalID())
	case schemas.InIndex:
		r, err := l.streams[e.stream].typ.Decode(e.doc)
		if err != nil {
			return fmt.Errorf("read %d: %w", e.rid, err)
		}
		value, _ := r.SortValue(by)
		e.value = emptyAsNil(value)
	}
	return nil
}

func activeSegment(value any) segment {
	if value == true || value == "true" {
		return active
	}
	return inactive
}

func emptyAsNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func (e listed) externalID() string {
	switch {
	case e.user != nil:
		return e.user.ExternalID
	case e.group != nil:
		return e.group.ExternalID
	}
	return e.other.ExternalID
}
