package directory

import (
	"fmt"
	"maps"
	"slices"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// person is a user as member operations need it.
type person struct {
	rid int64
	id  string
}

// lookUpMax bounds the parameters of one look-up by ID.
const lookUpMax = 256

// peopleTx finds users by ID and locks them, and touched with them. Everybody locks a
// group before its people, and all the people of a change at once in the order of
// their IDs: otherwise two changes could wait for each other. An ID that names no user
// is a *schemas.Error; one of touched need not.
func peopleTx(tx *sqldb.Tx, ids, touched []string) ([]person, error) {
	wanted := make(map[string]bool, len(ids))
	for _, id := range ids {
		wanted[id] = true
	}
	if tx.ForUpdate() != "" {
		ids = slices.Concat(ids, touched)
	}
	ids = slices.Sorted(slices.Values(ids))
	var people []person
	for part := range slices.Chunk(slices.Compact(ids), lookUpMax) {
		found, err := findPeople(tx, part)
		if err != nil {
			return nil, err
		}
		for _, p := range found {
			if wanted[p.id] {
				people = append(people, p)
				delete(wanted, p.id)
			}
		}
	}
	return people, unknownMember(wanted)
}

func findPeople(tx *sqldb.Tx, ids []string) ([]person, error) {
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = id
	}
	rows, err := tx.Query(`SELECT rid, id FROM resources WHERE id IN (`+list(1, len(ids))+`) AND type = 'User' ORDER BY id`+tx.ForUpdate(), args...)
	if err != nil {
		return nil, fmt.Errorf("find members: %w", err)
	}
	defer func() { _ = rows.Close() }() // Err tells what matters
	var found []person
	for rows.Next() {
		var p person
		if err := rows.Scan(&p.rid, &p.id); err != nil {
			return nil, fmt.Errorf("find members: %w", err)
		}
		found = append(found, p)
	}
	return found, rows.Err()
}

func unknownMember(missing map[string]bool) error {
	if len(missing) == 0 {
		return nil
	}
	first := slices.Min(slices.Collect(maps.Keys(missing)))
	return &schemas.Error{ScimType: schemas.InvalidValue, Path: "members.value", Reason: fmt.Sprintf("%q is not the id of a user", first)}
}

// insertMembers makes people members and returns the IDs of those who were not.
func insertMembers(tx *sqldb.Tx, group int64, people []person) ([]string, error) {
	byRID := make(map[int64]string, len(people))
	for _, p := range people {
		byRID[p.rid] = p.id
	}
	var added []string
	for part := range slices.Chunk(people, chunk) {
		values := make([]any, 0, 2*len(part))
		for _, p := range part {
			values = append(values, group, p.rid)
		}
		rids, err := ints(tx.Query(`INSERT INTO members (group_rid, member_rid)`+sqldb.ValueRows(len(part), 2)+
			` ON CONFLICT (group_rid, member_rid) DO NOTHING RETURNING member_rid`, values...))
		if err != nil {
			return nil, fmt.Errorf("add members: %w", err)
		}
		for _, rid := range rids {
			added = append(added, byRID[rid])
		}
	}
	return added, nil
}

// deleteMembers takes users out of a group by ID and returns those who were in it.
func deleteMembers(tx *sqldb.Tx, group int64, ids []string) ([]string, error) {
	var removed []string
	for part := range slices.Chunk(ids, lookUpMax) {
		args := []any{group}
		for _, id := range part {
			args = append(args, id)
		}
		people, err := column[string](tx.Query(`SELECT r.id FROM resources r JOIN members m ON m.group_rid = $1 AND m.member_rid = r.rid
			WHERE r.id IN (`+list(2, len(part))+`)`, args...))
		if err != nil {
			return nil, fmt.Errorf("find members: %w", err)
		}
		_, err = tx.Exec(`DELETE FROM members WHERE group_rid = $1 AND member_rid IN
			(SELECT rid FROM resources WHERE id IN (`+list(2, len(part))+`))`, args...)
		if err != nil {
			return nil, fmt.Errorf("remove members: %w", err)
		}
		removed = append(removed, people...)
	}
	return removed, nil
}

func memberIDs(tx *sqldb.Tx, group int64) ([]string, error) {
	return column[string](tx.Query(`SELECT r.id FROM members m JOIN resources r ON r.rid = m.member_rid
		WHERE m.group_rid = $1 ORDER BY m.member_rid`, group))
}
