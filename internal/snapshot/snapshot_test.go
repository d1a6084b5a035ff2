package snapshot_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/provost-id/provost/internal/snapshot"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
)

// value is a snapshot of the greatest cursor, a table that is there anyway.
func value(db *sqldb.DB, loads *atomic.Int64) *snapshot.Snapshot[int64] {
	return snapshot.New(db, "value", func(ctx context.Context, r sqldb.Reader) (int64, error) {
		loads.Add(1)
		var n int64
		err := r.QueryRow(ctx, `SELECT COALESCE(max(seq), 0) FROM event_cursors`).Scan(&n)
		return n, err
	})
}

func set(t *testing.T, db *sqldb.DB, s *snapshot.Snapshot[int64], n int64) {
	t.Helper()
	err := db.Write(t.Context(), func(tx *sqldb.Tx) error {
		_, err := tx.Exec(`INSERT INTO event_cursors (consumer, seq) VALUES ('x', $1)
			ON CONFLICT (consumer) DO UPDATE SET seq = excluded.seq`, n)
		if err != nil {
			return err
		}
		return s.Bump(tx)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func want(t *testing.T, s *snapshot.Snapshot[int64], want int64) {
	t.Helper()
	if got, err := s.Get(t.Context()); got != want || err != nil {
		t.Errorf("got %d, %v; want %d", got, err, want)
	}
}

// run starts Run and returns nothing; the test's end stops it.
func run(t *testing.T, s *snapshot.Snapshot[int64]) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := s.Run(ctx); err != nil {
			t.Errorf("Run: %v", err)
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
}

// eventually waits for another node's change: a second by the poll.
func eventually(t *testing.T, s *snapshot.Snapshot[int64], want int64) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		got, err := s.Get(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("still %d, want %d", got, want)
		}
		time.Sleep(time.Millisecond)
	}
}

func TestReadsItsOwnWrite(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		var loads atomic.Int64
		s := value(db, &loads)
		want(t, s, 0)
		for n := range int64(5) {
			set(t, db, s, n)
			want(t, s, n)
			want(t, s, n)
		}
		if got := loads.Load(); got != 6 {
			t.Errorf("loaded %d times, want once per change", got)
		}
	})
}

func TestFailedChangeIsNotSeen(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		var loads atomic.Int64
		s := value(db, &loads)
		want(t, s, 0)
		err := db.Write(t.Context(), func(tx *sqldb.Tx) error {
			if err := s.Bump(tx); err != nil {
				return err
			}
			return errors.New("changed my mind")
		})
		want(t, s, 0)
		if err == nil || loads.Load() != 1 {
			t.Errorf("loaded %d times, %v", loads.Load(), err)
		}
	})
}

// Another process sees a change within about a second, on both engines.
func TestOtherNodeSees(t *testing.T) {
	for name, c := range map[string]sqldb.Config{
		"sqlite":     {Path: t.TempDir() + "/a.db"},
		"postgresql": {URL: sqldbtest.Schema(t)},
	} {
		t.Run(name, func(t *testing.T) {
			here, there := sqldbtest.Open(t, c), sqldbtest.Open(t, c)
			var loads atomic.Int64
			a, b := value(here, &loads), value(there, &loads)
			run(t, b)
			want(t, b, 0)
			for n := range int64(3) {
				set(t, here, a, n+1)
				eventually(t, b, n+1)
			}
		})
	}
}

func TestLoadErrorIsTheCallers(t *testing.T) {
	db := sqldbtest.SQLite(t)
	errLoad := errors.New("cannot compile")
	fail := true
	s := snapshot.New(db, "x", func(context.Context, sqldb.Reader) (int, error) {
		if fail {
			return 0, errLoad
		}
		return 7, nil
	})
	if _, err := s.Get(t.Context()); !errors.Is(err, errLoad) {
		t.Errorf("got %v", err)
	}
	fail = false
	if got, err := s.Get(t.Context()); got != 7 || err != nil {
		t.Errorf("after the fault: %d, %v", got, err)
	}
}

// Readers never see a value older than a change that was answered before they asked.
func TestConcurrentReadersAreNotStale(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		var loads, answered atomic.Int64
		s := value(db, &loads)
		var wg sync.WaitGroup
		stop := make(chan struct{})
		for range 4 {
			wg.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					before := answered.Load()
					if got, err := s.Get(t.Context()); err != nil || got < before {
						t.Errorf("got %d, %v after %d was answered", got, err, before)
						return
					}
				}
			})
		}
		for n := range int64(50) {
			set(t, db, s, n)
			answered.Store(n)
		}
		close(stop)
		wg.Wait()
	})
}

// Peek never looks at the database; an Eager snapshot follows all the same.
func TestPeek(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		var loads atomic.Int64
		s := value(db, &loads)
		s.Eager = true
		if _, ok := s.Peek(); ok || loads.Load() != 0 {
			t.Error("there is a value before the first Get")
		}
		want(t, s, 0)
		set(t, db, s, 7)
		if got, ok := s.Peek(); got != 0 || !ok {
			t.Errorf("peeked %d, %v", got, ok)
		}
		if got, err := s.Reload(t.Context()); got != 7 || err != nil {
			t.Errorf("reloaded %d, %v", got, err)
		}
		run(t, s)
		set(t, db, s, 8)
		for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
			if got, _ := s.Peek(); got == 8 {
				break
			}
			if time.Now().After(deadline) {
				t.Fatal("Run does not load what has changed")
			}
		}
	})
}
