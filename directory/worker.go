package directory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/provost-id/provost/internal/id"
	"github.com/provost-id/provost/internal/lease"
	"github.com/provost-id/provost/internal/sqldb"
)

const (
	// workPoll is how long a job may wait when no notification arrives.
	workPoll = 5 * time.Second
	// workLease is how long a node that fell silent keeps the others from its jobs.
	workLease = 15 * time.Second
	// workWait is how long a job that is not ready waits before it is looked at again.
	workWait = 20 * time.Millisecond
)

// What a step returns when it has not moved its job on.
var (
	errElsewhere = errors.New("another node works on it")
	errOvertaken = errors.New("somebody else moved it on, or it was cancelled")
	errWaiting   = errors.New("a transaction from before it has not ended, or a node may not have heard of it")
)

// worker works off jobs that change many resources: passes of group rules, operations of
// the schema, accounts of the members of a group, members of a deleted one. A job is a row that says how far it has come. It moves in small transactions,
// and goes on from its last one after a stop. Every node has a worker; one works at a time.
type worker struct {
	d    *Directory
	name string // of the lease, and of the channel on which it hears of new jobs
	jobs func(context.Context, *worker) ([]job, error)

	owner string
	epoch int64 // of the lease that it had last; 0 for none
}

// job is one that is under way. A step moves it on by one transaction.
type job struct {
	name string
	step func(context.Context) error
}

func (d *Directory) newWorker(name string, jobs func(context.Context, *worker) ([]job, error)) *worker {
	return &worker{d: d, name: name, jobs: jobs, owner: id.New(id.Task)}
}

// run works until ctx ends; it returns nil then.
func (w *worker) run(ctx context.Context) error {
	wake, listening := make(chan struct{}, 1), make(chan struct{})
	go func() {
		defer close(listening)
		err := w.d.DB.Listen(ctx, w.name, func(string) {
			select {
			case wake <- struct{}{}:
			default: // one is waiting already
			}
		})
		if err != nil && ctx.Err() == nil {
			w.d.Log.Warn("listen for jobs ended", slog.String("work", w.name), slog.Any("error", err)) // the poll goes on
		}
	}()
	defer func() { <-listening }()
	defer w.leave(context.WithoutCancel(ctx))
	tick := time.NewTicker(workPoll)
	defer tick.Stop()
	for {
		if err := w.work(ctx); err != nil && ctx.Err() == nil {
			w.d.Log.Error("work off jobs", slog.String("work", w.name), slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-wake:
		case <-tick.C:
		}
	}
}

// work moves all jobs on in turn until none is under way, or each that is has failed.
func (w *worker) work(ctx context.Context) error {
	for {
		jobs, err := w.jobs(ctx, w)
		if err != nil || len(jobs) == 0 {
			return err
		}
		var failed []error
		waiting := 0
		for _, j := range jobs {
			err := j.step(ctx)
			switch {
			case errors.Is(err, errElsewhere):
				return nil
			case errors.Is(err, errWaiting):
				waiting++
			case errors.Is(err, errOvertaken):
			case err != nil:
				failed = append(failed, fmt.Errorf("%s: %w", j.name, err))
			}
		}
		if len(failed) == len(jobs) || ctx.Err() != nil {
			return errors.Join(failed...)
		}
		if len(failed)+waiting == len(jobs) {
			select {
			case <-ctx.Done():
			case <-time.After(workWait):
			}
		}
	}
}

// step runs a transaction under the lease.
func (w *worker) step(ctx context.Context, fn func(*sqldb.Tx) error) error {
	return w.d.DB.Write(ctx, func(tx *sqldb.Tx) error {
		if err := w.holdTx(tx); err != nil {
			return err
		}
		return fn(tx)
	})
}

// holdTx takes the lease for the transaction of a step, or keeps it.
func (w *worker) holdTx(tx *sqldb.Tx) error {
	epoch, ok, err := lease.AcquireTx(tx, w.name, w.owner, workLease, time.Now())
	if err != nil || !ok {
		return cmp.Or(err, errElsewhere)
	}
	tx.AfterCommit(func() { w.epoch = epoch })
	return nil
}

// leave gives the lease free for another node.
func (w *worker) leave(ctx context.Context) {
	if w.epoch == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, workLease) // it has expired then
	defer cancel()
	if err := lease.Release(ctx, w.d.DB, w.name, w.owner, w.epoch); err != nil {
		w.d.Log.Warn("give up jobs", slog.String("work", w.name), slog.Any("error", err))
	}
}
