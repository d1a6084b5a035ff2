package directory

import (
	"fmt"

	"github.com/provost-id/provost/internal/sqldb"
)

// groupChangedTx follows a change of a group: its members' accounts at the apps it is
// assigned to, and its copies at the apps that have it.
func (d *Directory) groupChangedTx(tx *sqldb.Tx, c Change, ev changed) error {
	if ev.Op == opMembers {
		apps, err := d.appsOfGroup(tx, ev.ID)
		if err != nil {
			return err
		}
		for _, a := range apps {
			if err := d.joinAppTx(tx, c, a, ev.Added); err != nil {
				return err
			}
		}
		if err := d.leaveAppsTx(tx, c, ev, apps); err != nil {
			return err
		}
	}
	if ev.Op == opDelete {
		return d.groupDeletedTx(tx, ev)
	}
	if c.Source.Kind == SourceImport {
		return d.markGroupExcept(tx, ev.ID, c.Source.ID)
	}
	return d.markGroupTx(tx, ev.ID)
}

// leaveAppsTx takes back the accounts of whoever was removed from a group, at the apps
// that it is assigned to, and those that it was taken from a moment ago.
func (d *Directory) leaveAppsTx(tx *sqldb.Tx, c Change, ev changed, apps []*App) error {
	if len(ev.Removed) == 0 {
		return nil
	}
	ids, err := leavingApps(tx, ev.ID)
	if err != nil {
		return err
	}
	for _, a := range apps {
		ids = append(ids, a.ID)
	}
	for _, appID := range ids {
		if err := d.leaveAppTx(tx, c, appID, ev.Removed); err != nil {
			return err
		}
	}
	return nil
}

// appsOfGroup lists the apps that a group is assigned to.
func (d *Directory) appsOfGroup(tx *sqldb.Tx, groupID string) ([]*App, error) {
	return scanAll(scanApp)(tx.Query(`SELECT `+appColumns+` FROM app_groups g JOIN apps a ON a.id = g.app_id WHERE g.group_id = $1`, groupID))
}

// markGroupTx marks a group for every app that has it or shall have it.
func (d *Directory) markGroupTx(tx *sqldb.Tx, groupID string) error {
	return d.markGroupExcept(tx, groupID, "")
}

func (d *Directory) markGroupExcept(tx *sqldb.Tx, groupID, appID string) error {
	return d.markWhere(tx, kindGroup, groupID, `apps a WHERE a.id <> $2 AND a.features LIKE '%GROUP_PUSH%' AND (
		EXISTS (SELECT 1 FROM app_groups g WHERE g.app_id = a.id AND g.group_id = $1)
		OR EXISTS (SELECT 1 FROM app_group_links l WHERE l.app_id = a.id AND l.group_id = $1))`, groupID, appID)
}

// markGroupsOf marks the groups of a user at the apps that have them: who is active
// counts among the members.
func (d *Directory) markGroupsOf(tx *sqldb.Tx, userID string) error {
	groups, err := column[string](tx.Query(`SELECT g.id FROM resources r
		JOIN members m ON m.member_rid = r.rid
		JOIN resources g ON g.rid = m.group_rid
		WHERE r.id = $1 AND (EXISTS (SELECT 1 FROM app_groups a WHERE a.group_id = g.id)
			OR EXISTS (SELECT 1 FROM app_group_links l WHERE l.group_id = g.id))`, userID))
	if err != nil {
		return err
	}
	for _, groupID := range groups {
		if err := d.markGroupTx(tx, groupID); err != nil {
			return err
		}
	}
	return nil
}

// MarkGroupsOfUserTx marks the groups of a user at one app, once it has an account
// there: until then it could not be a member.
func (d *Directory) MarkGroupsOfUserTx(tx *sqldb.Tx, userID string) error {
	return d.markGroupsOf(tx, userID)
}

// groupDeletedTx takes the group's assignments away; the copies at the apps are left
// to the drains, and the accounts of its members to the removal of the members.
func (d *Directory) groupDeletedTx(tx *sqldb.Tx, ev changed) error {
	if err := d.markGroupTx(tx, ev.ID); err != nil {
		return err
	}
	for _, table := range []string{"app_groups", "app_group_walks"} {
		if _, err := tx.Exec(`DELETE FROM `+table+` WHERE group_id = $1`, ev.ID); err != nil {
			return fmt.Errorf("unassign deleted group: %w", err)
		}
	}
	return nil
}

// joinEveryonesApps gives new users an account at each app that Everyone is assigned to.
func (d *Directory) joinEveryonesApps(tx *sqldb.Tx, c Change, people []changed) error {
	apps, err := d.appsOfGroup(tx, d.everyone.id)
	if err != nil || len(apps) == 0 {
		return err
	}
	var active []string
	for _, ev := range people {
		u, err := d.UserTx(tx, ev.ID)
		if err != nil {
			return err
		}
		if u.Status.Active() {
			active = append(active, u.ID)
		}
	}
	for _, a := range apps {
		if err := d.joinAppTx(tx, c, a, active); err != nil {
			return err
		}
	}
	return nil
}
