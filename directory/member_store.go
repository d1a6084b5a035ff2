package directory

import (
	"fmt"
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

// peopleTx finds and locks users by ID. Locking people before their group, in order
// of their rows, is the order everybody keeps; the other way round two changes could
// wait for each other. An ID that names no user is a *schemas.Error.
func peopleTx(tx *sqldb.Tx, ids []string) ([]person, error) {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	ids = slices.Compact(ids)
	var people []person
	for part := range slices.Chunk(ids, lookUpMax) {
		found, err := findPeople(tx, part)
		if err != nil {
			return nil, err
		}
		if len(found) != len(part) {
			return nil, unknownMember(part, found)
		}
		people = append(people, found...)
	}
	return people, nil
}

func findPeople(tx *sqldb.Tx, ids []string) ([]person, error) {
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = id
	}
	rows, err := tx.Query(`SELECT rid, id FROM resources WHERE id IN (`+list(1, len(ids))+`) AND type = 'User' ORDER BY rid`+tx.ForUpdate(), args...)
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

func unknownMember(ids []string, found []person) error {
	for _, id := range ids {
		if !slices.ContainsFunc(found, func(p person) bool { return p.id == id }) {
			return &schemas.Error{ScimType: schemas.InvalidValue, Path: "members.value", Reason: fmt.Sprintf("%q is not the id of a user", id)}
		}
	}
	return nil
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
		rids, err := ints(tx.Query(`INSERT INTO members (group_rid, member_rid)`+valueRows(len(part), 2)+
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
