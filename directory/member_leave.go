package directory

import (
	"errors"
	"fmt"

	"github.com/provost-id/provost/internal/sqldb"
)

// lockGroupsOf locks the groups that a user is in, before the user (see peopleTx).
func (d *Directory) lockGroupsOf(tx *sqldb.Tx, userID string) error {
	if tx.ForUpdate() == "" {
		return nil
	}
	_, err := ints(tx.Query(`SELECT rid FROM resources WHERE rid IN (SELECT m.group_rid FROM members m JOIN resources u ON u.rid = m.member_rid
		WHERE u.id = $1 AND m.group_rid <> $2) ORDER BY rid`+tx.ForUpdate(), userID, d.everyone.rid))
	if err != nil {
		return fmt.Errorf("lock groups of user: %w", err)
	}
	return nil
}

// leaveGroups takes a user that is deleted out of every group. Of Everyone, and of a
// group that is deleted itself, nothing but the row is left to go.
func (d *Directory) leaveGroups(tx *sqldb.Tx, c Change, u *User) error {
	groups, err := column[string](tx.Query(`SELECT r.id FROM members m JOIN resources r ON r.rid = m.group_rid
		WHERE m.member_rid = $1 AND m.group_rid <> $2 AND r.type = 'Group' ORDER BY m.group_rid`, u.RID, d.everyone.rid))
	if err != nil {
		return fmt.Errorf("groups of user: %w", err)
	}
	for _, id := range groups {
		if err := d.RemoveMemberTx(tx, c, id, u.ID); err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	if _, err := tx.Exec(`DELETE FROM members WHERE member_rid = $1`, u.RID); err != nil {
		return fmt.Errorf("leave %s: %w", Everyone, err)
	}
	return nil
}
