package jobs_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/riverqueue/river"

	"github.com/provost-id/provost/internal/jobs"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
)

type greet struct {
	Name string `json:"name"`
}

func (greet) Kind() string { return "greet" }

// worker runs a function for each greet job.
type worker struct {
	river.WorkerDefaults[greet]
	fn func(ctx context.Context, name string) error
}

func (w *worker) Work(ctx context.Context, job *river.Job[greet]) error {
	return w.fn(ctx, job.Args.Name)
}

// log collects what is logged.
type log struct {
	mu   sync.Mutex // guards text
	text strings.Builder
}

func (l *log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func newJobs(t *testing.T, db *sqldb.DB, l *log, fn func(ctx context.Context, name string) error) *jobs.Jobs {
	t.Helper()
	j, err := jobs.New(db, slog.New(slog.NewTextHandler(l, nil)))
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	jobs.Register(j, &worker{fn: fn})
	return j
}

// start runs j until the end of the test, or until the function it returns is called.
func start(t *testing.T, j *jobs.Jobs) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := j.Run(ctx); err != nil {
			t.Errorf("Run: %v", err)
		}
	}()
	stop = sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(stop)
	return stop
}

func enqueue(t *testing.T, db *sqldb.DB, j *jobs.Jobs, name string) {
	t.Helper()
	if err := db.Write(t.Context(), func(tx *sqldb.Tx) error { return j.InsertTx(tx, greet{name}) }); err != nil {
		t.Fatal(err)
	}
}

func receive(t *testing.T, c <-chan string) string {
	t.Helper()
	select {
	case s := <-c:
		return s
	case <-time.After(30 * time.Second):
		t.Fatal("nothing happened")
		return ""
	}
}

// A job is of the transaction that asks for it.
func TestInsertTx(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		worked := make(chan string, 10)
		j := newJobs(t, db, &log{}, func(_ context.Context, name string) error { worked <- name; return nil })
		err := db.Write(t.Context(), func(tx *sqldb.Tx) error {
			if err := j.InsertTx(tx, greet{"undone"}); err != nil {
				return err
			}
			return errors.New("no")
		})
		if err == nil {
			t.Fatal("no error")
		}
		start(t, j)
		enqueue(t, db, j, "Ada")
		if got := receive(t, worked); got != "Ada" {
			t.Errorf("worked %q", got)
		}
	})
}

func TestMigrateByManyNodes(t *testing.T) {
	for name, c := range map[string]sqldb.Config{"sqlite": {Path: t.TempDir() + "/a.db"}, "postgresql": {URL: sqldbtest.Schema(t)}} {
		t.Run(name, func(t *testing.T) {
			var wg sync.WaitGroup
			for range 4 {
				db := sqldbtest.Open(t, c)
				wg.Go(func() {
					j, err := jobs.New(db, nil)
					if err == nil {
						err = j.Migrate(t.Context())
					}
					if err != nil {
						t.Errorf("Migrate: %v", err)
					}
				})
			}
			wg.Wait()
		})
	}
}

func TestPeriodic(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		l, ran := &log{}, make(chan string, 100)
		j := newJobs(t, db, l, nil)
		var broke atomic.Int64
		j.Periodic("tidy", time.Second, func(context.Context) error { ran <- "tidy"; return nil })
		j.Periodic("break", time.Second, func(context.Context) error { broke.Add(1); return errors.New("cannot tidy") })
		start(t, j)
		for range 2 {
			receive(t, ran)
		}
		for deadline := time.Now().Add(30 * time.Second); broke.Load() < 2; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("work that failed was not run at its next time")
			}
		}
		if !strings.Contains(l.String(), "cannot tidy") {
			t.Errorf("the failure is not in the log: %s", l)
		}
	})
}

// A failed job is tried again; a panic is a failure. Both are logged.
func TestRetry(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		l, worked := &log{}, make(chan string, 10)
		var tries atomic.Int64
		j := newJobs(t, db, l, func(_ context.Context, name string) error {
			if tries.Add(1) == 1 {
				panic("oh no")
			}
			worked <- name
			return nil
		})
		start(t, j)
		enqueue(t, db, j, "Ada")
		receive(t, worked)
		if !strings.Contains(l.String(), "oh no") {
			t.Errorf("the panic is not in the log: %s", l)
		}
	})
}

// Run waits for the job that runs.
func TestCleanStop(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		started, release := make(chan string, 1), make(chan struct{})
		var ended atomic.Bool
		j := newJobs(t, db, &log{}, func(ctx context.Context, name string) error {
			started <- name
			<-release
			ended.Store(ctx.Err() == nil)
			return nil
		})
		stop := start(t, j)
		enqueue(t, db, j, "Ada")
		receive(t, started)
		time.AfterFunc(200*time.Millisecond, func() { close(release) })
		stop()
		if !ended.Load() {
			t.Error("Run returned before its job, or cancelled it")
		}
		var state string
		if err := db.QueryRow(t.Context(), `SELECT state FROM river_job`).Scan(&state); err != nil || state != "completed" {
			t.Errorf("the job is %s (%v)", state, err)
		}
	})
}

// The jobs of a node that died are free again: at the next start on SQLite, within
// 15 s on PostgreSQL. Those of a node that lives are not.
func TestJobsOfDeadNodesAreRescued(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		worked := make(chan string, 10)
		j := newJobs(t, db, &log{}, func(_ context.Context, name string) error { worked <- name; return nil })
		enqueue(t, db, j, "orphan")
		stuck := `UPDATE river_job SET state = 'running', attempt = 1, attempted_at = CURRENT_TIMESTAMP, attempted_by = `
		if db.Dialect() == sqldb.PostgreSQL {
			stuck += `ARRAY['alive', 'dead']`
		} else {
			stuck += `jsonb('["dead"]')`
		}
		if err := db.Write(t.Context(), func(tx *sqldb.Tx) error {
			if _, err := tx.Exec(stuck); err != nil {
				return err
			}
			_, err := tx.Exec(`INSERT INTO leases (name, owner, epoch, expires) VALUES ('jobs/alive', 'alive', 1, $1), ('jobs/dead', 'dead', 1, 5)`,
				time.Now().Add(time.Hour).UnixMicro())
			return err
		}); err != nil {
			t.Fatal(err)
		}
		start(t, j)
		if got := receive(t, worked); got != "orphan" {
			t.Errorf("worked %q", got)
		}
	})
}

func TestJobsOfLivingNodesAreNotRescued(t *testing.T) {
	c := sqldb.Config{URL: sqldbtest.Schema(t)}
	here, there := sqldbtest.Open(t, c), sqldbtest.Open(t, c)
	started, release := make(chan string, 10), make(chan struct{})
	var runs atomic.Int64
	fn := func(_ context.Context, name string) error { runs.Add(1); started <- name; <-release; return nil }
	a, b := newJobs(t, here, &log{}, fn), newJobs(t, there, &log{}, fn)
	start(t, a)
	enqueue(t, here, a, "long")
	receive(t, started)
	start(t, b)
	time.Sleep(4 * time.Second) // longer than the time between two looks
	close(release)
	if got := runs.Load(); got != 1 {
		t.Errorf("the job ran %d times", got)
	}
}

// River works on the writer's one connection on SQLite; a flood of jobs must leave
// the writer its turn, and the writer must leave River its own.
func TestRiverDoesNotStarveTheWriter(t *testing.T) {
	db := sqldbtest.SQLite(t)
	const many = 200
	var worked atomic.Int64
	j := newJobs(t, db, &log{}, func(context.Context, string) error { worked.Add(1); return nil })
	if err := db.Write(t.Context(), func(tx *sqldb.Tx) error {
		for range many {
			if err := j.InsertTx(tx, greet{"x"}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	start(t, j)
	writes, deadline := 0, time.Now().Add(60*time.Second)
	for worked.Load() < many {
		if err := db.Write(t.Context(), func(tx *sqldb.Tx) error {
			_, err := tx.Exec(`INSERT INTO event_cursors (consumer, seq) VALUES ('x', 1) ON CONFLICT (consumer) DO UPDATE SET seq = event_cursors.seq + 1`)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		writes++
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d jobs and %d writes in a minute", worked.Load(), many, writes)
		}
	}
	if writes < many/4 {
		t.Errorf("%d writes came through beside %d jobs", writes, many)
	}
	t.Logf("%d writes beside %d jobs", writes, many)
}
