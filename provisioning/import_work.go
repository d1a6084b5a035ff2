package provisioning

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/id"
	"github.com/provost-id/provost/internal/lease"
	"github.com/provost-id/provost/internal/sqldb"
)

// work is one import while this node carries it out.
type work struct {
	e     *Engine
	t     *target
	run   *ImportRun
	lease string
	epoch int64
}

// WorkImport carries a run out from where it stands. It returns nil when the run has
// ended, waits, or is carried out by another node, and the context's error when it was
// stopped: a later call goes on from there.
func (e *Engine) WorkImport(ctx context.Context, runID string) error {
	r, err := scanRun(e.db().QueryRow(ctx, `SELECT `+runColumns+` FROM import_runs WHERE id = $1`, runID))
	if err != nil || r.Status != RunRunning {
		return err
	}
	name := "import/" + r.AppID
	return e.leased(ctx, name, func(ctx context.Context, epoch int64) error {
		// Read again: whoever held the lease before may have finished it.
		if r, err = scanRun(e.db().QueryRow(ctx, `SELECT `+runColumns+` FROM import_runs WHERE id = $1`, runID)); err != nil || r.Status != RunRunning {
			return err
		}
		w := &work{e: e, run: r, lease: name, epoch: epoch}
		return w.end(ctx, w.carryOut(ctx))
	})
}

// leased runs fn while this node holds a lease, and not at all when another does. The
// context that fn gets ends when the lease is lost, or Run ends.
func (e *Engine) leased(ctx context.Context, name string, fn func(ctx context.Context, epoch int64) error) error {
	ttl := e.leaseTTL()
	// Each use is an owner of its own: two of one node exclude each other too.
	owner := e.owner + "/" + id.Secret(8)
	epoch, ok, err := lease.Acquire(ctx, e.db(), name, owner, ttl)
	if err != nil || !ok {
		return err
	}
	held, cancel := context.WithCancel(ctx)
	renewed := make(chan struct{})
	go func() {
		defer close(renewed)
		defer cancel()
		e.renew(held, name, owner, epoch, ttl)
	}()
	err = fn(held, epoch)
	cancel()
	<-renewed
	release, stop := context.WithTimeout(context.WithoutCancel(ctx), ttl)
	defer stop()
	return errors.Join(err, lease.Release(release, e.db(), name, owner, epoch))
}

// renew keeps a lease until ctx or Run ends or the lease is lost.
func (e *Engine) renew(ctx context.Context, name, owner string, epoch int64, ttl time.Duration) {
	tick := time.NewTicker(ttl / 4)
	defer tick.Stop()
	until := time.Now().Add(ttl)
	halted := e.halted()
	for {
		select {
		case <-ctx.Done():
			return
		case <-halted:
			return
		case <-tick.C:
		}
		ok, err := lease.Renew(ctx, e.db(), name, owner, epoch, ttl)
		switch {
		case err == nil && ok:
			until = time.Now().Add(ttl)
		case err == nil || time.Now().After(until):
			return // lost
		}
	}
}

// carryOut goes through the stages that are left.
func (w *work) carryOut(ctx context.Context) error {
	t, release, err := w.e.target(ctx, w.run.AppID)
	if err != nil {
		return err
	}
	defer release()
	w.t = t
	if w.run.stage == stageRead {
		if err := w.read(ctx); err != nil {
			return err
		}
	}
	if w.run.stage == stagePlan {
		if err := w.plan(ctx); err != nil {
			return err
		}
	}
	if w.run.stage == stageApply && w.run.Status == RunRunning {
		return w.apply(ctx)
	}
	return nil
}

// end writes how the run ended, unless it was only stopped.
func (w *work) end(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err() // a later call goes on
	case errors.Is(err, lease.ErrLost), errors.Is(err, errCancelled):
		return nil // another node goes on, or nobody shall
	case err == nil && w.run.Status == RunAwaiting:
		return nil
	case err != nil:
		w.run.Status, w.run.Reason = RunFailed, reasonOf(err)
	default:
		w.run.Status = RunSucceeded
	}
	if err := w.e.count(ctx, w.run); err != nil {
		return err
	}
	return w.write(ctx, func(tx *sqldb.Tx) error {
		if err := w.storeEnd(tx); err != nil {
			return err
		}
		return auditRun(tx, w.run, "system.import.complete")
	})
}

// reasonOf puts the target's own words first.
func reasonOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Error()
	}
	return err.Error()
}

// storeEnd writes the status and, after a success, where the next incremental import
// goes on.
func (w *work) storeEnd(tx *sqldb.Tx) error {
	counts, err := json.Marshal(struct{ Users, Groups Counts }{w.run.Counts, w.run.Groups})
	if err != nil {
		return fmt.Errorf("encode counts: %w", err)
	}
	w.run.Finished = w.e.Now()
	finished := w.run.Finished.UnixMicro()
	if w.run.Status == RunAwaiting {
		finished = 0
	}
	if _, err := tx.Exec(`UPDATE import_runs SET status = $2, reason = $3, counts = $4, finished = $5, stage = $6 WHERE id = $1`,
		w.run.ID, w.run.Status, w.run.Reason, string(counts), finished, w.run.stage); err != nil {
		return fmt.Errorf("end import: %w", err)
	}
	if w.run.Status != RunSucceeded {
		return nil
	}
	for kind, cursor := range w.run.cursors {
		if _, err := tx.Exec(`INSERT INTO import_cursors (app_id, kind, value, run_id, stored) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (app_id, kind) DO UPDATE SET value = excluded.value, run_id = excluded.run_id, stored = excluded.stored`,
			w.run.AppID, kind, cursor, w.run.ID, finished); err != nil {
			return fmt.Errorf("store cursor: %w", err)
		}
	}
	return nil
}

// errCancelled ends the work on a run that a person has cancelled.
var errCancelled = errors.New("the import was cancelled")

// write runs fn in a transaction, if this node still holds the run and nobody has
// cancelled it.
func (w *work) write(ctx context.Context, fn func(tx *sqldb.Tx) error) error {
	return w.e.db().Write(ctx, func(tx *sqldb.Tx) error {
		if err := lease.Check(tx, w.lease, w.epoch); err != nil {
			return err
		}
		var status string
		if err := tx.QueryRow(`SELECT status FROM import_runs WHERE id = $1`, w.run.ID).Scan(&status); err != nil {
			return fmt.Errorf("look at import: %w", err)
		}
		if status != RunRunning {
			return errCancelled
		}
		return fn(tx)
	})
}

// advance moves to the next stage.
func (w *work) advance(tx *sqldb.Tx, stage string) error {
	cursors, err := json.Marshal(w.run.cursors)
	if err != nil {
		return fmt.Errorf("encode cursors: %w", err)
	}
	if w.run.cursors == nil {
		cursors = []byte("{}")
	}
	if _, err := tx.Exec(`UPDATE import_runs SET stage = $2, complete = $3, cursors = $4, reason = $5 WHERE id = $1`,
		w.run.ID, stage, w.run.complete, string(cursors), w.run.Reason); err != nil {
		return fmt.Errorf("advance import: %w", err)
	}
	return nil
}

// sweepImports resumes runs that nobody carries out: their node is gone.
func (e *Engine) sweepImports(ctx context.Context) error {
	rows, err := e.db().Query(ctx, `SELECT r.id FROM import_runs r WHERE r.status = 'RUNNING' AND NOT EXISTS (
		SELECT 1 FROM leases l WHERE l.name = 'import/' || r.app_id AND l.expires > $1) AND r.created <= $2 ORDER BY r.id LIMIT 100`,
		time.Now().UnixMicro(), e.Now().Add(-e.patience()).UnixMicro())
	if err != nil {
		return fmt.Errorf("look for imports: %w", err)
	}
	var runs []string
	for rows.Next() {
		var runID string
		if err := rows.Scan(&runID); err != nil {
			return errors.Join(fmt.Errorf("look for imports: %w", err), rows.Close())
		}
		runs = append(runs, runID)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return fmt.Errorf("look for imports: %w", err)
	}
	for _, runID := range runs {
		e.resume(ctx, runID)
	}
	return nil
}

// patience is how long a new run may wait for the job that was enqueued with it.
func (e *Engine) patience() time.Duration {
	if e.Enqueue == nil {
		return 0
	}
	return e.leaseTTL()
}

// resume has a run carried out: by a job when there is a runner for jobs, which may
// take a while to begin, else here.
func (e *Engine) resume(ctx context.Context, runID string) {
	if e.Enqueue == nil {
		e.start("import "+runID, 0, func() { e.logged(ctx, "import", e.WorkImport(ctx, runID)) })
		return
	}
	e.start("enqueue "+runID, e.leaseTTL(), func() {
		e.logged(ctx, "enqueue import", e.db().Write(ctx, func(tx *sqldb.Tx) error { return e.Enqueue(tx, runID) }))
	})
}

func (e *Engine) logged(ctx context.Context, what string, err error) {
	if err != nil && ctx.Err() == nil {
		e.Log.Error("provisioning failed", "what", what, "error", err)
	}
}

// change is the Change of what this run does to the directory.
func (w *work) change() directory.Change {
	c := system(w.t.app)
	c.Request = w.run.Request
	c.Mappings, c.MappingVersion = w.t.in.expressions(), w.t.in.source.Version
	// A person with the manage scope has looked at the plan and approved it.
	c.Manage = w.run.approved
	return c
}

// join lists kinds in the column complete.
func join(list, kind string) string {
	if list == "" {
		return kind
	}
	return strings.Join([]string{list, kind}, ",")
}
