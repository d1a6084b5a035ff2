package directory

import (
	"fmt"
	"slices"
	"strings"

	"github.com/provost-id/provost/internal/id"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// maxNesting bounds how many groups may stand in each other, the outermost counted:
// deeper than any organisation is, and few steps for whoever follows them.
const maxNesting = 16

// IsGroupID tells the ID of a group from that of a user.
func IsGroupID(memberID string) bool { return strings.HasPrefix(memberID, id.Group) }

func splitIDs(ids []string) (people, groups []string) {
	for _, memberID := range ids {
		if IsGroupID(memberID) {
			groups = append(groups, memberID)
		} else {
			people = append(people, memberID)
		}
	}
	return people, groups
}

// lockNesting is called before a group is locked to change its members. When groups
// come into it or go, it takes the one lock that all such changes share, so that two
// of them cannot make half a cycle each, and then locks all groups of the change in
// the order that everybody keeps.
func lockNesting(tx *sqldb.Tx, groupID string, m schemas.MemberChange) error {
	if tx.ForUpdate() == "" {
		return nil
	}
	ids := []string{groupID}
	look := false
	for step := &m; step != nil; step = step.Then {
		_, groups := byKind(*step)
		ids = slices.Concat(ids, groups.Set, groups.Add, groups.Remove)
		look = look || step.Replace || len(step.Where) > 0
	}
	inside, err := insideOf(tx, groupID, look)
	if err != nil || len(ids)+len(inside) == 1 {
		return err
	}
	if err := holdNesting(tx); err != nil {
		return err
	}
	return lockByID(tx, slices.Concat(ids, inside))
}

// insideOf lists the groups in a group that a change of everything in it concerns.
func insideOf(tx *sqldb.Tx, groupID string, look bool) ([]string, error) {
	if !look {
		return nil, nil
	}
	return column[string](tx.Query(`SELECT c.id FROM resources g JOIN nested_groups n ON n.group_rid = g.rid
		JOIN resources c ON c.rid = n.member_rid WHERE g.id = $1`, groupID))
}

// holdNesting keeps every other change of nesting out until the transaction ends.
func holdNesting(tx *sqldb.Tx) error {
	if tx.ForUpdate() == "" {
		return nil
	}
	if _, err := ints(tx.Query(`SELECT n FROM nesting_lock` + tx.ForUpdate())); err != nil {
		return fmt.Errorf("lock nesting: %w", err)
	}
	return nil
}

func lockByID(tx *sqldb.Tx, ids []string) error {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	var rids []int64
	for part := range slices.Chunk(ids, lookUpMax) {
		some, err := ints(tx.Query(`SELECT rid FROM resources WHERE id IN (`+list(1, len(part))+`)`, anys(part)...))
		if err != nil {
			return fmt.Errorf("find groups: %w", err)
		}
		rids = append(rids, some...)
	}
	slices.Sort(rids)
	for part := range slices.Chunk(rids, lookUpMax) {
		if err := lockGroups(tx, part); err != nil {
			return err
		}
	}
	return nil
}

// moveGroups puts groups into a group and takes others out.
func (d *Directory) moveGroups(tx *sqldb.Tx, c Change, g *Group, m schemas.MemberChange) (in, out []target, err error) {
	come := slices.Concat(m.Set, m.Add)
	if len(come)+len(m.Remove)+len(m.Where) == 0 && !m.Replace {
		return nil, nil, nil
	}
	if out, err = d.groupsToGo(tx, c, g, m); err != nil {
		return nil, nil, err
	}
	for part := range slices.Chunk(out, lookUpMax) {
		_, err := tx.Exec(`DELETE FROM nested_groups WHERE group_rid = $1 AND member_rid IN (`+list(2, len(part))+`)`, ridArgs(g.RID, targetRIDs(part))...)
		if err != nil {
			return nil, nil, fmt.Errorf("take groups out: %w", err)
		}
	}
	if len(come) == 0 {
		return nil, out, nil
	}
	if in, err = d.groupsToCome(tx, g, come); err != nil {
		return nil, nil, err
	}
	var values []any
	for _, t := range in {
		values = append(values, g.RID, t.rid)
	}
	if _, err := tx.InsertMany(`INSERT INTO nested_groups (group_rid, member_rid)`, 2, "", values); err != nil {
		return nil, nil, fmt.Errorf("put groups in: %w", err)
	}
	return in, out, nil
}

// groupsToGo are the groups that a change takes out of g.
func (d *Directory) groupsToGo(tx *sqldb.Tx, c Change, g *Group, m schemas.MemberChange) ([]target, error) {
	inside, err := groupsIn(tx, g.RID)
	if err != nil || len(inside) == 0 {
		return nil, err
	}
	gone := map[string]bool{}
	for _, groupID := range m.Remove {
		gone[groupID] = true
	}
	for _, f := range m.Where {
		some, err := d.nestedWhere(tx, c, g, f)
		if err != nil {
			return nil, err
		}
		for _, groupID := range some {
			gone[groupID] = true
		}
	}
	if m.Replace {
		stay := map[string]bool{}
		for _, groupID := range m.Set {
			stay[groupID] = true
		}
		return slices.DeleteFunc(inside, func(t target) bool { return stay[t.id] }), nil
	}
	return slices.DeleteFunc(inside, func(t target) bool { return !gone[t.id] }), nil
}

// groupsToCome finds the groups that are to come into g and are not in it, and checks
// that they may. A built-in group stands alone: whoever is an administrator is so by
// being named in Administrators, and by nothing else.
func (d *Directory) groupsToCome(tx *sqldb.Tx, g *Group, ids []string) ([]target, error) {
	if g.Type == BuiltInGroup {
		return nil, memberError("%s is built in and takes no groups", g.Name())
	}
	inside, err := groupsIn(tx, g.RID)
	if err != nil {
		return nil, err
	}
	ids = slices.Compact(slices.Sorted(slices.Values(minus(ids, groupIDsOf(inside)))))
	come, err := findGroups(tx, ids)
	if err != nil || len(come) == 0 {
		return nil, err
	}
	return come, checkNesting(tx, g, come)
}

// findGroups finds groups that may come into another.
func findGroups(tx *sqldb.Tx, ids []string) ([]target, error) {
	found := make([]target, 0, len(ids))
	for part := range slices.Chunk(ids, lookUpMax) {
		rows, err := scanAll(scanTarget)(tx.Query(`SELECT rid, id, status FROM resources WHERE `+beside("type")+` = 'Group' AND id IN (`+list(1, len(part))+`) ORDER BY rid`, anys(part)...))
		if err != nil {
			return nil, err
		}
		for _, t := range rows {
			if t.typ == BuiltInGroup {
				return nil, memberError("%s is built in and can be in no other group", t.id)
			}
			found = append(found, t.target)
		}
	}
	if missing := minus(ids, groupIDsOf(found)); len(missing) > 0 {
		return nil, unknownMember(missing[0])
	}
	return found, nil
}

func groupsIn(tx *sqldb.Tx, group int64) (inside []target, err error) {
	return inside, eachRow("read groups in group", func(row scanner) error {
		var t target
		err := row.Scan(&t.rid, &t.id)
		inside = append(inside, t)
		return err
	})(tx.Query(`SELECT r.rid, r.id FROM nested_groups n JOIN resources r ON r.rid = n.member_rid WHERE n.group_rid = $1 ORDER BY n.member_rid`, group))
}

// stampShown notes that groups show themselves differently from now on: under another
// name, or in other groups. Their versions stay, since what they hold is the same.
func (d *Directory) stampShown(tx *sqldb.Tx, groups []target) error {
	return d.stamp(tx, "shown_changed", targetRIDs(groups))
}

func targetRIDs(groups []target) []int64 {
	rids := make([]int64, len(groups))
	for i, t := range groups {
		rids[i] = t.rid
	}
	return rids
}

func groupIDsOf(groups []target) []string {
	ids := make([]string, len(groups))
	for i, t := range groups {
		ids[i] = t.id
	}
	return ids
}
