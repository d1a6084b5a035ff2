package directory

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/provost-id/provost/internal/sqldb"
)

const (
	// removalBatch is how many members one transaction takes out of a deleted group: few
	// enough that another writer hardly waits.
	removalBatch = 500
	// removalPoll is how long members of a deleted group may wait when no notification
	// arrives.
	removalPoll = 5 * time.Second
)

// RunRemovals takes the members out of deleted groups until ctx ends; it returns nil
// then. Every node may run it.
func (d *Directory) RunRemovals(ctx context.Context) error {
	wake := make(chan struct{}, 1)
	listening := make(chan struct{})
	go func() {
		defer close(listening)
		err := d.DB.Listen(ctx, RemovedChannel, func(string) {
			select {
			case wake <- struct{}{}:
			default: // one is waiting already
			}
		})
		if err != nil && ctx.Err() == nil {
			d.Log.Warn("listen for removed groups ended", slog.Any("error", err)) // the poll goes on
		}
	}()
	defer func() { <-listening }()
	tick := time.NewTicker(removalPoll)
	defer tick.Stop()
	for {
		if err := d.Removals(ctx); err != nil && ctx.Err() == nil {
			d.Log.Error("take members out of deleted groups", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-wake:
		case <-tick.C:
		}
	}
}

// Removals takes the members out of all groups that are deleted, and returns when none
// has any.
func (d *Directory) Removals(ctx context.Context) error {
	groups, err := ints(d.DB.Query(ctx, `SELECT group_rid FROM removed_groups ORDER BY group_rid`))
	if err != nil {
		return err
	}
	for _, rid := range groups {
		for over := false; !over; {
			err := d.DB.Write(ctx, func(tx *sqldb.Tx) (err error) {
				over, err = d.removeBatch(tx, rid)
				return err
			})
			if err != nil {
				return fmt.Errorf("remove members of group %d: %w", rid, err)
			}
		}
	}
	return nil
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
	var c cause
	var assigned []string
	if err := errors.Join(json.Unmarshal([]byte(why), &c), json.Unmarshal([]byte(apps), &assigned)); err != nil {
		return 0, fmt.Errorf("read removal: %w", err)
	}
	for _, appID := range assigned {
		if err := d.leaveAppTx(tx, Change{Actor: c.Actor, Request: c.Request, Source: c.Source}, appID, idsOf(people)); err != nil {
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
