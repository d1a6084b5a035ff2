package jobs

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/rivertype"

	"github.com/provost-id/provost/internal/sqldb"
)

const (
	workersSQLite   = 4 // jobs of ours spend their time in the one writer anyway
	workersPostgres = 10
	// pollSQLite is how long a job waits at most to be seen on SQLite. River's listener
	// there polls by itself, twenty times a second, on the writer's connection.
	pollSQLite = 250 * time.Millisecond
	// softStop is how long running jobs may take to end before their context does.
	softStop = 10 * time.Second
)

// Run works jobs until ctx ends, then waits for those that run: for ten seconds by
// themselves, then with their context cancelled.
func (j *Jobs) Run(ctx context.Context) error {
	driver, stopListening, err := j.workingDriver(ctx)
	if err != nil {
		return err
	}
	defer stopListening()
	c := j.config(rand.Text())
	client, err := river.NewClient(driver, c)
	if err != nil {
		return fmt.Errorf("set up job queue: %w", err)
	}
	stopRescue, err := j.rescue(ctx, c.ID)
	if err != nil {
		return err
	}
	defer stopRescue()
	if err := client.Start(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("start job queue: %w", err)
	}
	<-client.Stopped()
	return nil
}

// workingDriver is the driver with a listening connection on PostgreSQL, and the
// function that closes what it holds.
func (j *Jobs) workingDriver(ctx context.Context) (riverdriver.Driver[*sql.Tx], func(), error) {
	if j.db.Dialect() == sqldb.SQLite {
		return j.driver(), func() {}, nil
	}
	c, err := pgxpool.ParseConfig(j.db.URL())
	if err != nil { // the database was opened with it
		return nil, nil, fmt.Errorf("database URL: %w", err)
	}
	c.MaxConns, c.MinConns = 1, 0
	pool, err := pgxpool.NewWithConfig(ctx, c)
	if err != nil {
		return nil, nil, fmt.Errorf("open listening connection: %w", err)
	}
	return riverdatabasesql.NewWithPgxListener(j.db.WriterDB(), pool), pool.Close, nil
}

func (j *Jobs) config(id string) *river.Config {
	c := &river.Config{
		ID:              id,
		Logger:          quiet(j.log),
		Workers:         j.workers,
		Queues:          map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: workersPostgres}},
		PeriodicJobs:    j.periodic.schedule(),
		ErrorHandler:    errorLog{j.log},
		SoftStopTimeout: softStop,
	}
	if j.db.Dialect() == sqldb.SQLite {
		c.Queues = map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: workersSQLite}}
		c.PollOnly = true
		c.FetchPollInterval = pollSQLite
		c.ReindexerIndexNames = []string{} // SQLite indexes do not bloat
	}
	return c
}

// errorLog writes failed attempts to the log; River keeps them in the job's row too.
type errorLog struct{ log *slog.Logger }

// HandleError implements river.ErrorHandler.
func (l errorLog) HandleError(ctx context.Context, job *rivertype.JobRow, err error) *river.ErrorHandlerResult {
	l.log.ErrorContext(ctx, "job failed", slog.String("kind", job.Kind), slog.Int64("job_id", job.ID),
		slog.Int("attempt", job.Attempt), slog.Any("error", err))
	return nil
}

// HandlePanic implements river.ErrorHandler.
func (l errorLog) HandlePanic(ctx context.Context, job *rivertype.JobRow, panicVal any, trace string) *river.ErrorHandlerResult {
	l.log.ErrorContext(ctx, "job panicked", slog.String("kind", job.Kind), slog.Int64("job_id", job.ID),
		slog.Int("attempt", job.Attempt), slog.Any("panic", panicVal), slog.String("stack", trace))
	return nil
}
