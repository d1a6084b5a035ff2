// Package jobs runs the coarse background work on River: import runs, schedules,
// rotations, housekeeping. Target drains and hook deliveries are not jobs: they are
// rows of their packages under a lease. What a job does belongs to whoever registers
// it; a job may run twice when its node dies, so it is idempotent or checks a lease.
package jobs

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivertype"

	"github.com/provost-id/provost/internal/sqldb"
)

// Jobs is the job runner of one node: register workers and periodic work, then Run.
type Jobs struct {
	db       *sqldb.DB
	log      *slog.Logger
	workers  *river.Workers
	periodic *periodicWorker
	inserter *river.Client[*sql.Tx]
}

// New returns the job runner of a database. Nothing runs before Run.
func New(db *sqldb.DB, log *slog.Logger) (*Jobs, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	j := &Jobs{db: db, log: log, workers: river.NewWorkers(), periodic: &periodicWorker{}}
	river.AddWorker(j.workers, j.periodic)
	inserter, err := river.NewClient(j.driver(), &river.Config{Logger: quiet(log)})
	if err != nil {
		return nil, fmt.Errorf("open job queue: %w", err)
	}
	j.inserter = inserter
	return j, nil
}

// driver is River's driver without a listener: enough to migrate and to insert. On
// SQLite it shares the writer's one connection, since a second writing handle would
// compete for the lock.
func (j *Jobs) driver() riverdriver.Driver[*sql.Tx] {
	if j.db.Dialect() == sqldb.PostgreSQL {
		return riverdatabasesql.New(j.db.WriterDB())
	}
	return riversqlite.New(j.db.WriterDB())
}

// Register adds the worker of a kind of job. It is called before Run. A worker that
// may take longer than a minute says so in its Timeout, which is finite: a job
// without one is never rescued.
func Register[T river.JobArgs](j *Jobs, w river.Worker[T]) { river.AddWorker(j.workers, w) }

// InsertTx enqueues a job in the transaction of the change that asks for it.
func (j *Jobs) InsertTx(tx *sqldb.Tx, args river.JobArgs) error {
	if _, err := j.inserter.InsertTx(tx.Context(), tx.SQL(), args, nil); err != nil {
		return fmt.Errorf("enqueue %s: %w", args.Kind(), err)
	}
	return nil
}

// UniqueStates are the states in which a unique job stands in the way of another.
// River's default includes completed jobs, which are kept for a day.
func UniqueStates() []rivertype.JobState { return uniqueStates }

// quiet keeps River's running commentary out of the log.
func quiet(log *slog.Logger) *slog.Logger { return slog.New(warnings{log.Handler()}) }

type warnings struct{ slog.Handler }

// Enabled implements slog.Handler.
func (h warnings) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && h.Handler.Enabled(ctx, l)
}

// WithAttrs implements slog.Handler.
func (h warnings) WithAttrs(as []slog.Attr) slog.Handler { return warnings{h.Handler.WithAttrs(as)} }

// WithGroup implements slog.Handler.
func (h warnings) WithGroup(name string) slog.Handler { return warnings{h.Handler.WithGroup(name)} }
