package directory

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/provost-id/provost/schemas"
)

// inGroup is a group that somebody is in, with its row.
type inGroup struct {
	GroupRef
	rid    int64
	nested bool // it is in other groups itself
}

// above is what groups are in: by the row of each, the groups that hold it.
type above map[int64][]inGroup

// groupsAbove follows nesting up from groups to all that hold them, one way or another.
func (d *Directory) groupsAbove(ctx context.Context, start []int64) (above, error) {
	if len(start) == 0 {
		return nil, nil
	}
	all := above{}
	seen := map[[2]int64]bool{}
	for part := range slices.Chunk(start, lookUpMax) {
		err := eachRow("read groups of groups", func(row scanner) error {
			var below int64
			g := inGroup{GroupRef: GroupRef{Indirect: true}}
			var doc []byte
			if err := row.Scan(&below, &g.rid, &g.ID, &g.Type, &doc); err != nil {
				return err
			}
			if step := [2]int64{below, g.rid}; !seen[step] {
				seen[step] = true
				g.Name = schemas.NameIn(doc)
				all[below] = append(all[below], g)
			}
			return nil
		})(d.DB.Query(ctx, `WITH RECURSIVE up (below, rid) AS (
				SELECT n.member_rid, n.group_rid FROM nested_groups n WHERE n.member_rid IN (`+list(1, len(part))+`)
				UNION SELECT n.member_rid, n.group_rid FROM up JOIN nested_groups n ON n.member_rid = up.rid)
			SELECT up.below, g.rid, g.id, g.status, (SELECT d.doc FROM documents d WHERE d.rid = g.rid)
			FROM up JOIN resources g ON g.rid = up.rid WHERE g.type = 'Group'`, anys(part)...))
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// of lists the groups that somebody in these groups is in indirectly, in order of
// creation. Whoever is in a group both ways is in it directly.
func (a above) of(direct []inGroup) []inGroup {
	if len(a) == 0 {
		return nil
	}
	seen := map[int64]bool{}
	for _, g := range direct {
		seen[g.rid] = true
	}
	found := map[int64]inGroup{}
	for todo := slices.Clone(direct); len(todo) > 0; todo = todo[1:] {
		for _, g := range a[todo[0].rid] {
			if !seen[g.rid] {
				seen[g.rid] = true
				found[g.rid] = g
				todo = append(todo, g)
			}
		}
	}
	return slices.SortedFunc(maps.Values(found), func(a, b inGroup) int { return cmp.Compare(a.rid, b.rid) })
}

// GroupsShown is when what the groups of a user show of themselves was last another:
// when one of them was renamed, came into another group or left it, or was deleted.
// The user's own GroupsChanged tells when the user came into a group or left it.
func (d *Directory) GroupsShown(ctx context.Context, userRID int64) (time.Time, error) {
	var us int64
	err := d.DB.QueryRow(ctx, `WITH RECURSIVE up (rid) AS (
			SELECT m.group_rid FROM members m WHERE m.member_rid = $1 AND m.group_rid <> $2
			UNION SELECT n.group_rid FROM up JOIN nested_groups n ON n.member_rid = up.rid)
		SELECT COALESCE(MAX(g.shown_changed), 0) FROM up JOIN resources g ON g.rid = up.rid`, userRID, d.everyone.rid).Scan(&us)
	if err != nil {
		return time.Time{}, fmt.Errorf("look at groups of user: %w", err)
	}
	return micros(us), nil
}

// GroupsInGroup lists at most limit groups that are members of a group, in order of
// creation, after the one with the ID after.
func (d *Directory) GroupsInGroup(ctx context.Context, groupID, after string, limit int) ([]*Group, error) {
	return scanAll(scanGroup)(d.DB.Query(ctx, `SELECT `+groupColumns+` FROM nested_groups n JOIN resources r ON r.rid = n.member_rid
		WHERE $1 = $1 AND n.group_rid = (SELECT rid FROM resources WHERE id = $2 AND type = 'Group')
			AND n.member_rid > COALESCE((SELECT rid FROM resources WHERE id = $3), 0)
		ORDER BY n.member_rid LIMIT $4`, "", groupID, after, limit))
}
