package directory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/provost-id/provost/internal/sqldb"
)

// A group is assigned to an app, or unassigned, by one row, and the accounts of its
// members follow in batches: what a transaction does is bounded however many they are.
// Who joins the group meanwhile, or leaves it, is dealt with by the change that moves
// them: the apps of a group are those that it is assigned to, and for whoever leaves also
// those whose walk has not come to them yet.

// walkBatch is how many members get or lose their account in one transaction: few enough
// that another writer hardly waits.
const walkBatch = 500

// assignmentWork names the worker of walks, and the channel on which it hears of them.
const assignmentWork = "app_group_walks"

// assignmentWalk goes through the members of a group by their row numbers.
type assignmentWalk struct {
	appID, groupID string
	joins          bool // false: takes accounts back
	after          int64
	cause          string // JSON of a cause
}

// RunAssignments gives accounts to the members of groups that were assigned to an app,
// and takes them from those of groups that were unassigned, until ctx ends; it returns
// nil then. Every node may run it; one works at a time.
func (d *Directory) RunAssignments(ctx context.Context) error { return d.assignments().run(ctx) }

func (d *Directory) assignments() *worker { return d.newWorker(assignmentWork, d.assignmentJobs) }

func (d *Directory) assignmentJobs(ctx context.Context, w *worker) ([]job, error) {
	walks, err := scanAll(scanWalk)(d.DB.Query(ctx, `SELECT `+walkColumns+` FROM app_group_walks ORDER BY app_id, group_id`))
	if err != nil {
		return nil, err
	}
	jobs := make([]job, len(walks))
	for i, walk := range walks {
		jobs[i] = job{name: "group " + walk.groupID + " at app " + walk.appID, step: func(ctx context.Context) error {
			return w.step(ctx, func(tx *sqldb.Tx) error {
				_, err := d.stepAssignment(tx, walk.appID, walk.groupID)
				return err
			})
		}}
	}
	return jobs, nil
}

const walkColumns = `app_id, group_id, joins, after, cause`

func scanWalk(row scanner) (*assignmentWalk, error) {
	var w assignmentWalk
	if err := row.Scan(&w.appID, &w.groupID, &w.joins, &w.after, &w.cause); err != nil {
		return nil, fmt.Errorf("read walk of assignment: %w", err)
	}
	return &w, nil
}

// beginAssignment begins to give accounts to the members of a group, or to take them
// back, in place of what was under way. The first batch, of most groups all, is done at
// once. The group is locked.
func (d *Directory) beginAssignment(tx *sqldb.Tx, c Change, appID, groupID string, joins bool) error {
	why, err := causeOf(c)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO app_group_walks (`+walkColumns+`) VALUES ($1, $2, $3, 0, $4)
		ON CONFLICT (app_id, group_id) DO UPDATE SET joins = excluded.joins, after = 0, cause = excluded.cause`, appID, groupID, joins, why)
	if err != nil {
		return fmt.Errorf("begin assignment: %w", err)
	}
	over, err := d.stepAssignment(tx, appID, groupID)
	if err != nil || over {
		return err
	}
	return d.DB.Notify(tx, assignmentWork, "")
}

// stepAssignment moves a walk on by one batch, and forgets it after the last; over says
// that it is gone.
func (d *Directory) stepAssignment(tx *sqldb.Tx, appID, groupID string) (over bool, err error) {
	if _, err := d.lockGroupTx(tx, groupID, ""); err != nil && !errors.Is(err, ErrNotFound) {
		return false, err
	}
	w, err := scanWalk(tx.QueryRow(`SELECT `+walkColumns+` FROM app_group_walks WHERE app_id = $1 AND group_id = $2`+tx.ForUpdate(), appID, groupID))
	if errors.Is(err, sql.ErrNoRows) {
		return true, nil // done by another node, or the group or the app was deleted
	}
	if err != nil {
		return false, err
	}
	people, err := w.next(tx)
	if err != nil {
		return false, err
	}
	if err := d.moveAccounts(tx, w, people); err != nil {
		return false, err
	}
	if over = len(people) < walkBatch; over {
		_, err = tx.Exec(`DELETE FROM app_group_walks WHERE app_id = $1 AND group_id = $2`, appID, groupID)
	} else {
		_, err = tx.Exec(`UPDATE app_group_walks SET after = $3 WHERE app_id = $1 AND group_id = $2`, appID, groupID, people[len(people)-1].rid)
	}
	if err != nil {
		return false, fmt.Errorf("move assignment on: %w", err)
	}
	return over, nil
}

// next are the members of the next batch: only who is active gets an account.
func (w *assignmentWalk) next(tx *sqldb.Tx) ([]person, error) {
	return readPeople(tx.Query(`SELECT u.rid, u.id FROM resources g
		JOIN members m ON m.group_rid = g.rid
		JOIN resources u ON u.rid = m.member_rid
		WHERE g.id = $1 AND m.member_rid > $2 AND (u.active OR $3) ORDER BY m.member_rid LIMIT $4`, w.groupID, w.after, !w.joins, walkBatch))
}

func (d *Directory) moveAccounts(tx *sqldb.Tx, w *assignmentWalk, people []person) error {
	c, err := changeFor(w.cause)
	if err != nil {
		return err
	}
	if !w.joins {
		return d.leaveAppTx(tx, c, w.appID, idsOf(people))
	}
	a, err := d.AppTx(tx, w.appID)
	if err != nil {
		return err
	}
	return d.joinAppTx(tx, c, a, idsOf(people))
}

// leavingApps are the apps that a group was taken from, and whose accounts are not all
// taken back yet.
func leavingApps(tx *sqldb.Tx, groupID string) ([]string, error) {
	return column[string](tx.Query(`SELECT app_id FROM app_group_walks WHERE group_id = $1 AND NOT joins ORDER BY app_id`, groupID))
}
