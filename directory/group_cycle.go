package directory

import (
	"fmt"
	"slices"
	"strings"

	"github.com/provost-id/provost/internal/sqldb"
)

// checkNesting refuses groups that would make a cycle with g, or a chain that is too
// long. The caller holds the lock of nesting.
func checkNesting(tx *sqldb.Tx, g *Group, come []target) error {
	above, err := climb(tx, []int64{g.RID}, "member_rid", "group_rid")
	if err != nil {
		return err
	}
	for _, t := range come {
		if _, ok := above.from[t.rid]; ok {
			return above.cycle(tx, g, t)
		}
	}
	below, err := climb(tx, targetRIDs(come), "group_rid", "member_rid")
	if err != nil {
		return err
	}
	if above.levels+below.levels > maxNesting {
		return memberError("groups may stand in each other %d deep; this would make %d", maxNesting, above.levels+below.levels)
	}
	return nil
}

// ladder is what can be reached from some groups in one direction.
type ladder struct {
	from   map[int64]int64 // each group, and one from which it was reached; 0 for where it began
	levels int             // groups on the longest chain
}

// climb follows nesting from one column to the other, a level at a time. A group that
// is reached twice is followed twice, since the longest chain counts; the bound on
// chains bounds that.
func climb(tx *sqldb.Tx, start []int64, here, there string) (ladder, error) {
	l := ladder{from: map[int64]int64{}}
	for _, rid := range start {
		l.from[rid] = 0
	}
	for level := start; len(level) > 0 && l.levels <= maxNesting; l.levels++ {
		next := map[int64]bool{}
		for part := range slices.Chunk(level, lookUpMax) {
			err := eachRow("follow nesting", func(row scanner) error {
				var from, to int64
				if err := row.Scan(&from, &to); err != nil {
					return err
				}
				next[to] = true
				if _, seen := l.from[to]; !seen {
					l.from[to] = from
				}
				return nil
			})(tx.Query(`SELECT `+here+`, `+there+` FROM nested_groups WHERE `+here+` IN (`+list(1, len(part))+`)`, anys(part)...))
			if err != nil {
				return l, err
			}
		}
		level = level[:0:0]
		for rid := range next {
			level = append(level, rid)
		}
	}
	return l, nil
}

// cycle is the error for a group that g would come into by way of t. It names the way.
func (l ladder) cycle(tx *sqldb.Tx, g *Group, t target) error {
	way := []int64{g.RID}
	for rid := t.rid; rid != g.RID; rid = l.from[rid] {
		way = append(way, rid)
	}
	way = append(way, g.RID)
	names := make([]string, len(way))
	for i, rid := range way {
		if err := tx.QueryRow(`SELECT id FROM resources WHERE rid = $1`, rid).Scan(&names[i]); err != nil {
			return fmt.Errorf("name group: %w", err)
		}
	}
	return memberError("it would make a cycle: %s", strings.Join(names, " contains "))
}
