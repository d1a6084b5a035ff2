package sqldb_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
)

// table makes an empty table t(n BIGINT PRIMARY KEY).
func table(t *testing.T, db *sqldb.DB) {
	t.Helper()
	write(t, db, func(tx *sqldb.Tx) error {
		_, err := tx.Exec(`CREATE TABLE t (n BIGINT PRIMARY KEY)`)
		return err
	})
}

func write(t *testing.T, db *sqldb.DB, fn func(tx *sqldb.Tx) error) {
	t.Helper()
	if err := db.Write(t.Context(), fn); err != nil {
		t.Fatalf("Write: %v", err)
	}
}

func insert(tx *sqldb.Tx, n int) error {
	_, err := tx.Exec(`INSERT INTO t (n) VALUES ($1)`, n)
	return err
}

func has(t *testing.T, db *sqldb.DB, n int) bool {
	t.Helper()
	var found bool
	if err := db.QueryRow(t.Context(), `SELECT EXISTS (SELECT 1 FROM t WHERE n = $1)`, n).Scan(&found); err != nil {
		t.Fatalf("read back %d: %v", n, err)
	}
	return found
}

// together runs the writes so that, on SQLite, they wait for one commit: the writer
// is held until all are on the queue, in their order. It returns their errors in order.
func together(t *testing.T, db *sqldb.DB, fns ...func(tx *sqldb.Tx) error) []error {
	t.Helper()
	return togetherCtx(t, db, func(int) context.Context { return t.Context() }, fns...)
}

func togetherCtx(t *testing.T, db *sqldb.DB, ctx func(i int) context.Context, fns ...func(tx *sqldb.Tx) error) []error {
	t.Helper()
	held, release := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		err := db.Write(t.Context(), func(*sqldb.Tx) error {
			close(held)
			<-release
			return nil
		})
		if err != nil {
			t.Errorf("holding write: %v", err)
		}
	})
	<-held
	errs := make([]error, len(fns))
	var started atomic.Int64
	for i, fn := range fns {
		wg.Go(func() {
			started.Add(1)
			errs[i] = db.Write(ctx(i), fn)
		})
		for started.Load() <= int64(i) || sqldb.Queued(db) <= i && db.Dialect() == sqldb.SQLite {
			runtime.Gosched()
		}
	}
	close(release)
	wg.Wait()
	return errs
}

// slow is a statement of about a tenth of a second on either engine.
func slow(tx *sqldb.Tx) error {
	var n int64
	return tx.QueryRow(`WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 400000)
		SELECT count(*) FROM c`).Scan(&n)
}

func TestCancelInMidStatement(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		table(t, db)
		const callers, cancelled = 10, 4
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var fns []func(tx *sqldb.Tx) error
		for i := range callers {
			fns = append(fns, func(tx *sqldb.Tx) error {
				if i == cancelled {
					go cancel()
					if err := slow(tx); err != nil {
						return err
					}
					<-ctx.Done()
				}
				return insert(tx, i)
			})
		}
		errs := togetherCtx(t, db, func(i int) context.Context {
			if i == cancelled {
				return ctx
			}
			return t.Context()
		}, fns...)
		for i, err := range errs {
			if err != nil {
				t.Errorf("caller %d was told %v", i, err)
			}
			if !has(t, db, i) {
				t.Errorf("the row of caller %d is missing", i)
			}
		}
	})
}

func TestCancelBeforeStart(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := db.Write(ctx, func(*sqldb.Tx) error {
			t.Error("closure of a cancelled caller ran")
			return nil
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want context.Canceled", err)
		}
	})
}

func TestFailingClosureIsUndoneAlone(t *testing.T) {
	errOwn := errors.New("own error")
	faults := map[string]func(tx *sqldb.Tx) error{
		"error":             func(*sqldb.Tx) error { return errOwn },
		"panic":             func(*sqldb.Tx) error { panic("at the disco") },
		"ignored statement": func(tx *sqldb.Tx) error { _, _ = tx.Exec(`INSERT INTO t (n) VALUES (NULL), (NULL)`); return nil },
		"constraint":        func(tx *sqldb.Tx) error { return insert(tx, 4) },
	}
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		write(t, db, func(tx *sqldb.Tx) error {
			_, err := tx.Exec(`CREATE TABLE t (n BIGINT NOT NULL PRIMARY KEY)`)
			return err
		})
		for name, fault := range faults {
			t.Run(name, func(t *testing.T) {
				write(t, db, func(tx *sqldb.Tx) error { _, err := tx.Exec(`DELETE FROM t`); return err })
				fns := make([]func(tx *sqldb.Tx) error, 10)
				for i := range fns {
					fns[i] = func(tx *sqldb.Tx) error {
						if err := insert(tx, i); err != nil || i != 4 {
							return err
						}
						return fault(tx)
					}
				}
				for i, err := range together(t, db, fns...) {
					if failed := i == 4; (err != nil) != failed || has(t, db, i) == failed {
						t.Errorf("caller %d: error %v, row kept %v", i, err, has(t, db, i))
					}
				}
			})
		}
	})
}

// A closure that swallows the error of a statement gets no second chance to write:
// PostgreSQL has ended its transaction, and SQLite may have.
func TestStatementAfterFailureFails(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		table(t, db)
		err := db.Write(t.Context(), func(tx *sqldb.Tx) error {
			_, first := tx.Exec(`INSERT INTO nowhere VALUES (1)`)
			if err := insert(tx, 1); err == nil {
				t.Error("Exec after a failure succeeded")
			}
			if _, err := tx.Query(`SELECT 1`); err == nil {
				t.Error("Query after a failure succeeded")
			}
			var n int
			if err := tx.QueryRow(`SELECT 1`).Scan(&n); err == nil {
				t.Error("QueryRow after a failure succeeded")
			}
			return first
		})
		if err == nil || has(t, db, 1) {
			t.Errorf("got %v, row kept %v", err, has(t, db, 1))
		}
	})
}

// SQLite ends a transaction by itself on some errors. What follows would run outside
// any, so everybody's closure is run again alone.
func TestLostTransaction(t *testing.T) {
	db := sqldbtest.SQLite(t)
	table(t, db)
	var runs [5]atomic.Int64
	fns := make([]func(tx *sqldb.Tx) error, len(runs))
	for i := range fns {
		fns[i] = func(tx *sqldb.Tx) error {
			if first := runs[i].Add(1) == 1; i == 2 && first {
				if _, err := tx.SQL().Exec(`ROLLBACK`); err != nil {
					return err
				}
			}
			return insert(tx, i)
		}
	}
	for i, err := range together(t, db, fns...) {
		if err != nil || !has(t, db, i) {
			t.Errorf("caller %d: error %v, row kept %v", i, err, has(t, db, i))
		}
	}
	if got := runs[0].Load(); got != 2 {
		t.Errorf("closure before the loss ran %d times, want 2", got)
	}
}

func TestLostTransactionAlone(t *testing.T) {
	db := sqldbtest.SQLite(t)
	table(t, db)
	err := db.Write(t.Context(), func(tx *sqldb.Tx) error {
		_, err := tx.SQL().Exec(`ROLLBACK`)
		return err
	})
	if err == nil {
		t.Error("a lost transaction was reported as committed")
	}
	write(t, db, func(tx *sqldb.Tx) error { return insert(tx, 1) })
}

func TestGoexitInClosure(t *testing.T) {
	db := sqldbtest.SQLite(t)
	table(t, db)
	errs := together(t, db,
		func(tx *sqldb.Tx) error { return insert(tx, 1) },
		func(*sqldb.Tx) error { runtime.Goexit(); return nil })
	for i, err := range errs {
		if err == nil {
			t.Errorf("caller %d was told of success", i)
		}
	}
	if has(t, db, 1) {
		t.Error("a row of the lost batch was kept")
	}
	write(t, db, func(tx *sqldb.Tx) error { return insert(tx, 2) })
}

func TestNestedWriteIsRefused(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		err := db.Write(t.Context(), func(tx *sqldb.Tx) error {
			return db.Write(tx.Context(), func(*sqldb.Tx) error { return nil })
		})
		if err == nil || !strings.Contains(err.Error(), "inside") {
			t.Errorf("got %v, want an error that says so", err)
		}
	})
}

// Nobody is answered before the commit, neither with success nor with an error: the
// last closure of a batch sees that no earlier caller has returned, and another
// connection sees the rows of all as soon as one has.
func TestDurableBeforeAnswer(t *testing.T) {
	c := sqldb.Config{Path: t.TempDir() + "/a.db"}
	db, other := sqldbtest.Open(t, c), sqldbtest.Open(t, c)
	table(t, db)
	const callers = 20
	var answered atomic.Int64
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			err := db.Write(t.Context(), func(tx *sqldb.Tx) error {
				var before int64
				if err := tx.QueryRow(`SELECT count(*) FROM t`).Scan(&before); err != nil {
					return err
				}
				if now := answered.Load(); now > before {
					t.Errorf("%d callers answered while %d rows were there", now, before)
				}
				return insert(tx, i)
			})
			if err != nil {
				t.Errorf("Write: %v", err)
			}
			if !has(t, other, i) {
				t.Errorf("another connection does not see row %d after its answer", i)
			}
			answered.Add(1)
		})
	}
	wg.Wait()
}

func TestNobodyIsAnsweredBeforeCommit(t *testing.T) {
	db := sqldbtest.SQLite(t)
	table(t, db)
	var answers atomic.Int64
	hooked := func(tx *sqldb.Tx, n int) error {
		tx.AfterCommit(func() { answers.Add(1) })
		return insert(tx, n)
	}
	last := func(tx *sqldb.Tx) error {
		if answers.Load() != 0 {
			t.Error("a caller was answered while the transaction was open")
		}
		return hooked(tx, 3)
	}
	for _, err := range together(t, db, func(tx *sqldb.Tx) error { return hooked(tx, 1) },
		func(tx *sqldb.Tx) error { return hooked(tx, 2) }, last) {
		if err != nil {
			t.Error(err)
		}
	}
	if answers.Load() != 3 {
		t.Errorf("AfterCommit ran %d times, want 3", answers.Load())
	}
}

func TestAfterCommitNotOnFailure(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		err := db.Write(t.Context(), func(tx *sqldb.Tx) error {
			tx.AfterCommit(func() { t.Error("AfterCommit ran for a transaction that failed") })
			return errors.New("no")
		})
		if err == nil {
			t.Error("the error of the closure was lost")
		}
	})
}

func TestClosed(t *testing.T) {
	open := map[string]sqldb.Config{"sqlite": {Path: t.TempDir() + "/a.db"}, "postgresql": {URL: sqldbtest.Schema(t)}}
	for name, c := range open {
		t.Run(name, func(t *testing.T) {
			db, err := sqldb.Open(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			table(t, db)
			var wg sync.WaitGroup
			for i := range 50 {
				wg.Go(func() {
					err := db.Write(context.Background(), func(tx *sqldb.Tx) error { return insert(tx, i) })
					if err != nil && !errors.Is(err, sqldb.ErrClosed) && db.Dialect() == sqldb.SQLite {
						t.Errorf("Write beside Close: %v", err)
					}
				})
			}
			if err := db.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
			wg.Wait()
			err = db.Write(t.Context(), func(*sqldb.Tx) error { return nil })
			if !errors.Is(err, sqldb.ErrClosed) {
				t.Errorf("Write after Close: %v, want ErrClosed", err)
			}
			if err := db.Close(); err != nil {
				t.Errorf("second Close: %v", err)
			}
		})
	}
}

func TestPlaceholdersInAnyOrder(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		for range 3 { // raw, then prepared
			var got string
			write(t, db, func(tx *sqldb.Tx) error {
				return tx.QueryRow(`SELECT CAST($2 AS TEXT) || '$1' || CAST($1 AS TEXT) || CAST($2 AS TEXT)`, "a", "b").Scan(&got)
			})
			if want := "b$1ab"; got != want {
				t.Errorf("in a write: got %q, want %q", got, want)
			}
			err := db.QueryRow(t.Context(), `SELECT CAST($2 AS TEXT) || CAST($1 AS TEXT)`, "a", "b").Scan(&got)
			if want := "ba"; err != nil || got != want {
				t.Errorf("in a read: got %q, %v, want %q", got, err, want)
			}
		}
	})
}

func TestConcurrentIncrements(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		table(t, db)
		write(t, db, func(tx *sqldb.Tx) error { return insert(tx, 0) })
		const writers, each = 8, 20
		var wg sync.WaitGroup
		for range writers {
			wg.Go(func() {
				for range each {
					if err := db.Write(t.Context(), func(tx *sqldb.Tx) error {
						var n int
						if err := tx.QueryRow(`SELECT n FROM t` + tx.ForUpdate()).Scan(&n); err != nil {
							return err
						}
						_, err := tx.Exec(`UPDATE t SET n = $1`, n+1)
						return err
					}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		var got int
		if err := db.QueryRow(t.Context(), `SELECT n FROM t`).Scan(&got); err != nil || got != writers*each {
			t.Errorf("sum is %d (%v), want %d", got, err, writers*each)
		}
	})
}
