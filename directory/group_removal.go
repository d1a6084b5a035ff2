package directory

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/provost-id/provost/internal/sqldb"
)

// removalBatch is how many members one transaction takes out of a deleted group: few
// enough that another writer hardly waits.
const removalBatch = 500

// removalWork names the worker of removals, and the channel on which it hears of them.
const removalWork = "removed_groups"

// RunRemovals takes the members out of deleted groups until ctx ends; it returns nil
// then. Every node may run it; one works at a time.
func (d *Directory) RunRemovals(ctx context.Context) error { return d.removals().run(ctx) }

func (d *Directory) removals() *worker { return d.newWorker(removalWork, d.removalJobs) }

func (d *Directory) removalJobs(ctx context.Context, w *worker) ([]job, error) {
	groups, err := ints(d.DB.Query(ctx, `SELECT group_rid FROM removed_groups ORDER BY group_rid`))
	if err != nil {
		return nil, err
	}
	jobs := make([]job, len(groups))
	for i, rid := range groups {
		jobs[i] = job{name: fmt.Sprintf("members of group %d", rid), step: func(ctx context.Context) error {
			return w.step(ctx, func(tx *sqldb.Tx) error {
				_, err := d.removeBatch(tx, rid)
				return err
			})
		}}
	}
	return jobs, nil
}

// removeBatch takes the next members out of a deleted group and forgets the group with
// the last of them; over says that it is gone.
func (d *Directory) removeBatch(tx *sqldb.Tx, group int64) (over bool, err error) {
	var apps, why string
	err = tx.QueryRow(`SELECT d.apps, d.cause FROM removed_groups d JOIN resources g ON g.rid = d.group_rid
		WHERE d.group_rid = $1`+tx.ForUpdate(), group).Scan(&apps, &why)
	if errors.Is(err, sql.ErrNoRows) {
		return true, nil // another node was faster
	}
	if err != nil {
		return false, fmt.Errorf("read removal: %w", err)
	}
	left, err := d.removePeople(tx, group, apps, why)
	if err != nil || left == removalBatch {
		return false, err
	}
	if left, err = d.removeGroups(tx, group); err != nil || left == removalBatch {
		return false, err
	}
	for _, table := range []string{"rule_grants", "rule_hand_members"} {
		if left, err = deleteSome(tx, table, group); err != nil || left == removalBatch {
			return false, err
		}
	}
	for _, statement := range []string{`DELETE FROM removed_groups WHERE group_rid = $1`, `DELETE FROM resources WHERE rid = $1`} {
		if _, err := tx.Exec(statement, group); err != nil {
			return false, fmt.Errorf("end removal: %w", err)
		}
	}
	return true, nil
}

// removePeople takes the next people out, and from the apps that the group alone gave
// them.
func (d *Directory) removePeople(tx *sqldb.Tx, group int64, apps, why string) (int, error) {
	people, err := readPeople(tx.Query(`SELECT r.rid, r.id FROM members m JOIN resources r ON r.rid = m.member_rid
		WHERE m.group_rid = $1 ORDER BY m.member_rid LIMIT $2`, group, removalBatch))
	if err != nil || len(people) == 0 {
		return 0, err
	}
	if _, err := peopleTx(tx, nil, idsOf(people)); err != nil {
		return 0, err
	}
	if err := d.stampGroupsChanged(tx, people); err != nil {
		return 0, err
	}
	if err := deleteMembers(tx, group, people); err != nil {
		return 0, err
	}
	c, err := changeFor(why)
	if err != nil {
		return 0, err
	}
	var assigned []string
	if err := json.Unmarshal([]byte(apps), &assigned); err != nil {
		return 0, fmt.Errorf("read removal: %w", err)
	}
	for _, appID := range assigned {
		if err := d.leaveAppTx(tx, c, appID, idsOf(people)); err != nil {
			return 0, err
		}
	}
	return len(people), nil
}

func (d *Directory) removeGroups(tx *sqldb.Tx, group int64) (int, error) {
	rids, err := ints(tx.Query(`SELECT member_rid FROM nested_groups WHERE group_rid = $1 ORDER BY member_rid LIMIT $2`, group, removalBatch))
	if err != nil || len(rids) == 0 {
		return 0, err
	}
	if err := d.stamp(tx, "shown_changed", rids); err != nil {
		return 0, err
	}
	_, err = tx.Exec(`DELETE FROM nested_groups WHERE group_rid = $1 AND member_rid <= $2`, group, rids[len(rids)-1])
	if err != nil {
		return 0, fmt.Errorf("take groups out: %w", err)
	}
	return len(rids), nil
}

// deleteSome deletes a batch of what rules have written down of a group.
func deleteSome(tx *sqldb.Tx, table string, group int64) (int, error) {
	res, err := tx.Exec(`DELETE FROM `+table+` WHERE group_rid = $1 AND member_rid IN
		(SELECT member_rid FROM `+table+` WHERE group_rid = $1 ORDER BY member_rid LIMIT $2)`, group, removalBatch)
	if err != nil {
		return 0, fmt.Errorf("forget group in %s: %w", table, err)
	}
	n, err := res.RowsAffected()
	return int(n), err
}
