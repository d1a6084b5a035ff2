package directory

import (
	"cmp"
	"slices"

	"github.com/provost-id/provost/schemas"
)

// The order of a list is one of segments, and inside a segment of (value, row number):
// those that have the attribute by its value, then those that do not by age (RFC 7644,
// section 3.4.2.3). Descending is the exact opposite. Each segment is a range of an
// index, so that a page costs the same wherever it begins.

// segment is a part of an order.
type segment int

const (
	inAge    segment = iota // everything, oldest first
	inOrder                 // what has a value, by value
	absent                  // what has none, oldest first
	inactive                // active is false
	active                  // active is true
	ofType                  // ofType+i is stream i, as large as its whole type
)

// order returns the segments of the query, in the direction of the list.
func (l *lister) order() []segment {
	segments := l.ascending()
	if l.q.Descending && l.q.SortBy != "" {
		slices.Reverse(segments)
	}
	return segments
}

func (l *lister) ascending() []segment {
	if l.q.SortBy == "" {
		return []segment{inAge}
	}
	switch {
	case l.sortedBy(schemas.InResourceType):
		return l.byType(func(t *schemas.Type) string { return schemas.Fold(t.Name) })
	case l.sortedBy(schemas.InLocation):
		return l.byType(func(t *schemas.Type) string { return t.Endpoint + "/" })
	}
	segments := []segment{inOrder}
	if l.sortedBy(schemas.InActive) {
		segments = []segment{inactive, active}
	}
	if l.anyAbsent() {
		segments = append(segments, absent)
	}
	return segments
}

// sortedBy says whether the values of the sort attribute live there for a type of the list.
func (l *lister) sortedBy(where schemas.Where) bool {
	return slices.ContainsFunc(l.streams, func(s stream) bool { return s.by != nil && s.by.Where == where })
}

// anyAbsent says whether a resource of the list can be without the sort attribute.
func (l *lister) anyAbsent() bool {
	return slices.ContainsFunc(l.streams, func(s stream) bool { return s.by == nil || !alwaysThere[s.by.Where] })
}

var alwaysThere = map[schemas.Where]bool{
	schemas.InActive: true, schemas.InID: true, schemas.InCreated: true, schemas.InModified: true,
}

// byType orders the types by a key.
func (l *lister) byType(key func(*schemas.Type) string) []segment {
	all := make([]segment, len(l.streams))
	for i := range all {
		all[i] = ofType + segment(i)
	}
	slices.SortFunc(all, func(a, b segment) int {
		return cmp.Compare(key(l.streams[a-ofType].typ), key(l.streams[b-ofType].typ))
	})
	return all
}

// descending says in which direction the inside of a segment is read. The order of
// creation has no other.
func (l *lister) descending() bool { return l.q.Descending && l.q.SortBy != "" }

// listed is a resource in a list with its place in the order.
type listed struct {
	stream  int
	segment int // index in the segments of the list
	value   any // string or int64; the row number where there is no other value
	rid     int64
	doc     []byte
	user    *User
	group   *Group
	other   *Resource
}

func (e listed) position() position {
	return position{segment: e.segment, inside: true, value: e.value, rid: e.rid}
}

// position is where a page begins: at the beginning of a segment, or inside it after a
// key; and from there past an offset of rows.
type position struct {
	segment int
	inside  bool
	value   any
	rid     int64
	offset  int
}

// compare orders entries as the list does.
func (l *lister) compare(a, b listed) int {
	if c := cmp.Compare(a.segment, b.segment); c != 0 {
		return c
	}
	c := compareValues(a.value, b.value)
	if c == 0 {
		c = cmp.Compare(a.rid, b.rid)
	}
	if l.descending() {
		return -c
	}
	return c
}

// compareValues compares text by bytes, as both engines do.
func compareValues(a, b any) int {
	if x, ok := a.(int64); ok {
		y, _ := b.(int64) // the values of a segment are of one type
		return cmp.Compare(x, y)
	}
	x, _ := a.(string)
	y, _ := b.(string)
	return cmp.Compare(x, y)
}
