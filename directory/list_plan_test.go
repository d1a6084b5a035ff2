package directory

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// planned are the attributes that lists are sorted by, each with a key in the midst of it.
var planned = []struct {
	by    string
	value any
}{
	{"", int64(1500)}, {"userName", "user5@example.com"}, {"displayName", "user 5"}, {"name.familyName", "f5"}, {"name.givenName", "g5"},
	{"meta.created", int64(1)}, {"meta.lastModified", int64(1)}, {"id", "00u5"}, {"meta.location", "00u5"}, {"externalId", "e5"}, {"title", "title 5"},
	{"emails", "mail5"}, {"emails.type", "work"}, {enterpriseURN + ":department", "d5"}, {"active", int64(1500)}, {"meta.resourceType", int64(1500)},
}

// TestListPlansAreRangesOfAnIndex: neither the first page of a sorted list nor one in
// its depth reads a whole table or sorts it, in either direction, filtered or not.
func TestListPlansAreRangesOfAnIndex(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		fill(t, d, 3000)
		for i := range 20 {
			mustCreateGroup(t, d, fmt.Sprint("Group ", i))
		}
		for _, filter := range []*schemas.Filter{nil, mustFilter(t, `active eq true`)} {
			for _, p := range planned {
				for _, descending := range []bool{false, true} {
					q := ListQuery{SortBy: p.by, Descending: descending, Filter: filter, Client: tester.Client}
					l := newCompiled(t, d, q)
					for seg, kind := range l.segments {
						if kind == absent && p.by == "externalId" { // where nobody is without one, all must be looked at
							continue
						}
						for _, from := range []position{{segment: seg}, l.deep(seg, p.value)} {
							checkListPlan(t, l, from)
						}
					}
				}
			}
		}
	})
}

// newCompiled is a list of users, ready to be read.
func newCompiled(t testing.TB, d *Directory, q ListQuery) *lister {
	t.Helper()
	l, err := d.newLister(typeUser, []TypeQuery{{Type: typeUser, Filter: q.Filter}}, q)
	if err == nil {
		err = l.compile(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// deep is a position inside a segment.
func (l *lister) deep(seg int, value any) position {
	if s := l.segments[seg]; s != inOrder && (s < ofType || l.streams[0].by.Where != schemas.InLocation) {
		value = int64(1500)
	}
	return position{segment: seg, inside: true, value: value, rid: 1500}
}

func checkListPlan(t *testing.T, l *lister, from position) {
	t.Helper()
	p := params(slices.Clip(l.streams[0].sel.args))
	src, ok := l.source(&p, l.segments[from.segment], 0, false)
	if !ok {
		return
	}
	query := "SELECT keys.val FROM (" + src.text(&p, from, 100, l.descending()) + ") keys WHERE $1 = $1"
	steps := plan(t, l.d, query, p)
	for _, step := range steps {
		sorts := strings.Contains(step, "TEMP B-TREE") || strings.Contains(step, "Sort")
		if isWholeScan(l.d.DB.Dialect(), step) || sorts {
			t.Errorf("sort by %q descending %t segment %d at %v: %s\n%s\n%s", l.q.SortBy, l.q.Descending, l.segments[from.segment], from.value, step, query, strings.Join(steps, "\n"))
			return
		}
	}
}

// isWholeScan recognises the reading of a table or an index from one end to the other,
// which a LIMIT does not make good when a filter or a type keeps little of it.
func isWholeScan(dialect sqldb.Dialect, step string) bool {
	if dialect == sqldb.PostgreSQL {
		return strings.Contains(step, "Seq Scan") || strings.Contains(step, "Bitmap")
	}
	return strings.HasPrefix(step, "SCAN ") && !strings.HasPrefix(step, "SCAN keys") && step != "SCAN CONSTANT ROW"
}
