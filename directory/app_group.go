package directory

import (
	"context"
	"errors"
	"fmt"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// GroupAssignment says that the members of a group have accounts at an app.
type GroupAssignment struct {
	AppID    string
	GroupID  string
	Priority int // 0 to 100; the lowest number wins
}

// AssignGroup gives every member of a group an account at an app; of a large group, some
// of them later ([Directory.RunAssignments]). With GROUP_PUSH the
// group itself is made there too. To assign it again changes the priority.
func (d *Directory) AssignGroup(ctx context.Context, c Change, g GroupAssignment) error {
	if g.Priority < 0 || g.Priority > 100 {
		return &InvalidError{Field: "priority", Reason: "must be 0 to 100"}
	}
	return d.DB.Write(ctx, func(tx *sqldb.Tx) error {
		if _, err := d.AppTx(tx, g.AppID); err != nil {
			return err
		}
		if _, err := d.lockGroupTx(tx, g.GroupID, ""); err != nil {
			return err
		}
		_, err := tx.Exec(`INSERT INTO app_groups (app_id, group_id, priority, created) VALUES ($1, $2, $3, $4)
			ON CONFLICT (app_id, group_id) DO UPDATE SET priority = excluded.priority`, g.AppID, g.GroupID, g.Priority, d.Now().UnixMicro())
		if err != nil {
			return fmt.Errorf("assign group: %w", err)
		}
		if err := d.auditGroupAssignment(tx, c, "group.application_assignment.add", g); err != nil {
			return err
		}
		if err := d.beginAssignment(tx, c, g.AppID, g.GroupID, true); err != nil {
			return err
		}
		return d.markGroupTx(tx, g.GroupID)
	})
}

// UnassignGroup takes the accounts away from those members whom nothing else assigns.
func (d *Directory) UnassignGroup(ctx context.Context, c Change, appID, groupID string) error {
	return d.DB.Write(ctx, func(tx *sqldb.Tx) error {
		res, err := tx.Exec(`DELETE FROM app_groups WHERE app_id = $1 AND group_id = $2`, appID, groupID)
		if err != nil {
			return fmt.Errorf("unassign group: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, ErrNotFound)
		}
		g := GroupAssignment{AppID: appID, GroupID: groupID}
		if err := d.auditGroupAssignment(tx, c, "group.application_assignment.remove", g); err != nil {
			return err
		}
		return d.beginAssignment(tx, c, appID, groupID, false)
	})
}

func (d *Directory) auditGroupAssignment(tx *sqldb.Tx, c Change, typ string, g GroupAssignment) error {
	_, err := d.audit(tx, c, events.Event{Type: typ, Targets: []events.Target{{ID: g.GroupID, Type: "UserGroup"}, {ID: g.AppID, Type: "AppInstance"}}})
	return err
}

// GroupAssignments lists at most limit groups assigned to an app whose ID follows after.
func (d *Directory) GroupAssignments(ctx context.Context, appID, after string, limit int) ([]*GroupAssignment, error) {
	return scanAll(func(row scanner) (*GroupAssignment, error) {
		var g GroupAssignment
		if err := row.Scan(&g.AppID, &g.GroupID, &g.Priority); err != nil {
			return nil, fmt.Errorf("read group assignment: %w", err)
		}
		return &g, nil
	})(d.DB.Query(ctx, `SELECT app_id, group_id, priority FROM app_groups WHERE app_id = $1 AND group_id > $2 ORDER BY group_id LIMIT $3`, appID, after, limit))
}

// Account is a member of a group as one app knows it.
type Account struct {
	UserID     string
	ExternalID string
	RemoteName string
}

// GroupAccounts lists the active members of a group who have an account at an app:
// the members that the group shall have there.
func (d *Directory) GroupAccounts(ctx context.Context, appID, groupID string) ([]*Account, error) {
	return scanAll(scanAccount)(d.DB.Query(ctx, `SELECT u.user_id, u.external_id, u.remote_name FROM resources g
		JOIN members m ON m.group_rid = g.rid
		JOIN resources r ON r.rid = m.member_rid
		JOIN app_users u ON u.app_id = $1 AND u.user_id = r.id
		WHERE g.id = $2 AND g.type = 'Group' AND r.active AND u.assigned AND u.external_id IS NOT NULL ORDER BY u.user_id`, appID, groupID))
}

// KnownMembers lists the members that a group was last known to have at an app.
func (d *Directory) KnownMembers(ctx context.Context, appID, groupID string) ([]*Account, error) {
	return scanAll(scanAccount)(d.DB.Query(ctx, `SELECT k.user_id, COALESCE(u.external_id, ''), COALESCE(u.remote_name, '') FROM app_group_members k
		LEFT JOIN app_users u ON u.app_id = k.app_id AND u.user_id = k.user_id
		WHERE k.app_id = $1 AND k.group_id = $2 ORDER BY k.user_id`, appID, groupID))
}

func scanAccount(row scanner) (*Account, error) {
	var a Account
	if err := row.Scan(&a.UserID, &a.ExternalID, &a.RemoteName); err != nil {
		return nil, fmt.Errorf("read account: %w", err)
	}
	return &a, nil
}

// SetKnownMembersTx records that an app has taken members of a group, or was found
// with them.
func (d *Directory) SetKnownMembersTx(tx *sqldb.Tx, appID, groupID string, added, removed []string) error {
	for _, userID := range added {
		if _, err := tx.Exec(`INSERT INTO app_group_members (app_id, group_id, user_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, appID, groupID, userID); err != nil {
			return fmt.Errorf("note member at app: %w", err)
		}
	}
	for _, userID := range removed {
		if _, err := tx.Exec(`DELETE FROM app_group_members WHERE app_id = $1 AND group_id = $2 AND user_id = $3`, appID, groupID, userID); err != nil {
			return fmt.Errorf("forget member at app: %w", err)
		}
	}
	return nil
}

// ChangeMembersTx adds and removes members of a group in one change.
func (d *Directory) ChangeMembersTx(tx *sqldb.Tx, c Change, groupID string, added, removed []string) error {
	if len(added)+len(removed) == 0 {
		return nil
	}
	return d.changeMembersTx(tx, c, groupID, schemas.MemberChange{Add: added, Remove: removed})
}
