package directory

import (
	"fmt"

	"github.com/provost-id/provost/internal/sqldb"
)

// findTargets finds and locks the groups that a rule names. Only ordinary ones can be
// targets: those of an app are the app's, and nothing but a person makes an
// administrator.
func findTargets(tx *sqldb.Tx, ids []string) ([]target, error) {
	args := make([]any, len(ids))
	for i, groupID := range ids {
		args[i] = groupID
	}
	rows, err := scanAll(scanTarget)(tx.Query(`SELECT rid, id, status FROM resources
		WHERE `+beside("type")+` = 'Group' AND id IN (`+list(1, len(args))+`) ORDER BY rid`+tx.ForUpdate(), args...))
	if err != nil {
		return nil, err
	}
	const field = "actions.assignUserToGroups.groupIds"
	found := map[string]bool{}
	var targets []target
	for _, t := range rows {
		if t.typ != OrdinaryGroup {
			return nil, &InvalidError{Field: field, Reason: fmt.Sprintf("%s is of type %s; a rule assigns to groups of type %s", t.id, t.typ, OrdinaryGroup)}
		}
		found[t.id] = true
		targets = append(targets, t.target)
	}
	for _, groupID := range ids {
		if !found[groupID] {
			return nil, &InvalidError{Field: field, Reason: fmt.Sprintf("%q is not the id of a group", groupID)}
		}
	}
	return targets, nil
}

type typedTarget struct {
	target
	typ GroupType
}

func scanTarget(row scanner) (*typedTarget, error) {
	var t typedTarget
	if err := row.Scan(&t.rid, &t.id, &t.typ); err != nil {
		return nil, fmt.Errorf("read group: %w", err)
	}
	return &t, nil
}

func findExcluded(tx *sqldb.Tx, ids []string) ([]person, error) {
	var people []person
	for _, userID := range ids {
		rids, err := ints(tx.Query(`SELECT rid FROM resources WHERE id = $1 AND type = 'User'`, userID))
		if err != nil {
			return nil, err
		}
		if len(rids) == 0 {
			return nil, &InvalidError{Field: "conditions.people.users.exclude", Reason: fmt.Sprintf("%q is not the id of a user", userID)}
		}
		people = append(people, person{rid: rids[0], id: userID})
	}
	return people, nil
}

func sameSet(a, b []string) bool {
	in := map[string]bool{}
	for _, v := range a {
		in[v] = true
	}
	for _, v := range b {
		if !in[v] {
			return false
		}
		delete(in, v)
	}
	return len(in) == 0
}
