package directory

import (
	"database/sql"
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

// peopleTx finds users by ID and locks them, and touched with them. Everybody locks a
// group before its people, and all the people of a change at once in the order of
// their IDs: otherwise two changes could wait for each other. An ID that names no user
// is a *schemas.Error; one of touched need not.
func peopleTx(tx *sqldb.Tx, ids, touched []string) ([]person, error) {
	wanted := slices.Compact(slices.Sorted(slices.Values(ids)))
	all := wanted
	if tx.ForUpdate() != "" && len(touched) > 0 {
		all = slices.Compact(slices.Sorted(slices.Values(slices.Concat(wanted, touched))))
	}
	people := make([]person, 0, len(wanted))
	for part := range slices.Chunk(all, lookUpMax) {
		found, err := findPeople(tx, part)
		if err != nil {
			return nil, err
		}
		for _, p := range found { // in the order of wanted
			if next := len(people); next < len(wanted) && p.id == wanted[next] {
				people = append(people, p)
			} else if _, ok := slices.BinarySearch(wanted, p.id); ok {
				return nil, unknownMember(wanted[next])
			}
		}
	}
	if len(people) < len(wanted) {
		return nil, unknownMember(wanted[len(people)])
	}
	return people, nil
}

func findPeople(tx *sqldb.Tx, ids []string) ([]person, error) {
	return readPeople(tx.Query(`SELECT rid, id FROM resources WHERE id IN (`+list(1, len(ids))+`) AND `+beside("type")+` = 'User' ORDER BY id`+tx.ForUpdate(), anys(ids)...))
}

// beside is the type of a row that something else finds, an empty text joined to it: SQLite
// has no statistics, would take a type for more selective than a dozen IDs, and read
// everybody by its index.
func beside(column string) string { return "(" + column + " || '')" }

func readPeople(rows *sql.Rows, err error) (people []person, _ error) {
	return people, eachRow("find members", func(row scanner) error {
		var p person
		err := row.Scan(&p.rid, &p.id)
		people = append(people, p)
		return err
	})(rows, err)
}

func unknownMember(id string) error {
	return memberError("%q is not the id of a user or a group", id)
}

func memberError(format string, args ...any) error {
	return &schemas.Error{ScimType: schemas.InvalidValue, Path: "members.value", Reason: fmt.Sprintf(format, args...)}
}

// insertMembers makes people members and returns those who were not.
func insertMembers(tx *sqldb.Tx, group int64, people []person) ([]person, error) {
	var added []person
	for part := range slices.Chunk(people, lookUpMax) {
		byRID := make(map[int64]person, len(part))
		values := make([]any, 0, 2*len(part))
		for _, p := range part {
			byRID[p.rid] = p
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

// membersAmong finds those of ids who are members of a group.
func membersAmong(tx *sqldb.Tx, group int64, ids []string) ([]person, error) {
	var found []person
	for part := range slices.Chunk(ids, lookUpMax) {
		some, err := readPeople(tx.Query(`SELECT r.rid, r.id FROM resources r CROSS JOIN members m
			WHERE m.group_rid = $1 AND m.member_rid = r.rid AND r.id IN (`+list(2, len(part))+`)`, append([]any{group}, anys(part)...)...))
		if err != nil {
			return nil, err
		}
		found = append(found, some...)
	}
	return found, nil
}

// compareMembers holds the members of a group against what they shall be: those of
// wanted who are not there, and those who are there and not wanted.
func compareMembers(tx *sqldb.Tx, group int64, wanted []string) (missing []string, gone []person, err error) {
	want := make(map[string]bool, len(wanted)) // true until they are seen
	for _, id := range wanted {
		want[id] = true
	}
	err = eachRow("compare members", func(row scanner) error {
		var p person
		err := row.Scan(&p.rid, &p.id)
		if _, ok := want[p.id]; ok {
			want[p.id] = false
		} else {
			gone = append(gone, p)
		}
		return err
	})(tx.Query(`SELECT r.rid, r.id FROM members m JOIN resources r ON r.rid = m.member_rid WHERE m.group_rid = $1`, group))
	return slices.DeleteFunc(slices.Clone(wanted), func(id string) bool { return !want[id] }), gone, err
}

// deleteMembers takes people out of a group.
func deleteMembers(tx *sqldb.Tx, group int64, gone []person) error {
	for part := range slices.Chunk(ridsOf(gone), lookUpMax) {
		_, err := tx.Exec(`DELETE FROM members WHERE group_rid = $1 AND member_rid IN (`+list(2, len(part))+`)`, ridArgs(group, part)...)
		if err != nil {
			return fmt.Errorf("remove members: %w", err)
		}
	}
	return nil
}

// stamp sets a column of resources to the time of the change.
func (d *Directory) stamp(tx *sqldb.Tx, column string, rids []int64) error {
	now := d.now().UnixMicro()
	for part := range slices.Chunk(rids, lookUpMax) {
		_, err := tx.Exec(`UPDATE resources SET `+column+` = $1 WHERE rid IN (`+list(2, len(part))+`)`, ridArgs(now, part)...)
		if err != nil {
			return fmt.Errorf("stamp %s: %w", column, err)
		}
	}
	return nil
}

func anys[T any](values []T) []any {
	all := make([]any, len(values))
	for i, v := range values {
		all[i] = v
	}
	return all
}
