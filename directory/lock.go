package directory

import (
	"fmt"
	"slices"

	"github.com/provost-id/provost/internal/sqldb"
)

// Touched is what several changes of one transaction are going to touch.
type Touched struct {
	IDs     []string // resources that are changed, and members that come or go
	Deleted []string // users that are deleted: they leave their groups
	Nesting bool     // groups come into groups, or go
}

// LockTx locks what several changes of one transaction are going to touch, before the
// first of them: groups first and then people, as each change by itself does (see
// peopleTx). What is not there is passed over, and what a change locks beside it is
// locked late. SQLite has one writer and needs none of it.
func (d *Directory) LockTx(tx *sqldb.Tx, t Touched) error {
	if tx.ForUpdate() == "" {
		return nil
	}
	if t.Nesting {
		if err := holdNesting(tx); err != nil {
			return err
		}
	}
	ids := slices.Compact(slices.Sorted(slices.Values(slices.Concat(t.IDs, t.Deleted))))
	groups, err := d.groupsTouched(tx, ids, t.Deleted)
	if err != nil {
		return err
	}
	for part := range slices.Chunk(groups, lookUpMax) {
		if err := lockGroups(tx, part); err != nil {
			return err
		}
	}
	for part := range slices.Chunk(ids, lookUpMax) {
		_, err := ints(tx.Query(`SELECT rid FROM resources WHERE id IN (`+list(1, len(part))+`) AND type <> 'Group' ORDER BY id`+tx.ForUpdate(), anys(part)...))
		if err != nil {
			return fmt.Errorf("lock resources: %w", err)
		}
	}
	return nil
}

// groupsTouched are the groups among ids and those of the users who are deleted, in
// the order of their row numbers.
func (d *Directory) groupsTouched(tx *sqldb.Tx, ids, deleted []string) ([]int64, error) {
	var groups []int64
	for part := range slices.Chunk(ids, lookUpMax) {
		found, err := ints(tx.Query(`SELECT rid FROM resources WHERE id IN (`+list(1, len(part))+`) AND type = 'Group'`, anys(part)...))
		if err != nil {
			return nil, fmt.Errorf("find groups: %w", err)
		}
		groups = append(groups, found...)
	}
	for part := range slices.Chunk(deleted, lookUpMax) {
		found, err := ints(tx.Query(`SELECT m.group_rid FROM members m JOIN resources u ON u.rid = m.member_rid
			WHERE u.id IN (`+list(1, len(part))+`)`, anys(part)...))
		if err != nil {
			return nil, fmt.Errorf("find groups of users: %w", err)
		}
		groups = append(groups, found...)
	}
	slices.Sort(groups)
	return slices.DeleteFunc(slices.Compact(groups), func(rid int64) bool { return rid == d.everyone.rid }), nil
}
