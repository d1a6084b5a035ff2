package lease_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/provost-id/provost/internal/lease"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
)

var start = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// acquire is AcquireTx at a number of seconds after start.
func acquire(t *testing.T, db *sqldb.DB, owner string, seconds int) (epoch int64, ok bool) {
	t.Helper()
	err := db.Write(t.Context(), func(tx *sqldb.Tx) error {
		var err error
		epoch, ok, err = lease.AcquireTx(tx, "work", owner, 10*time.Second, start.Add(time.Duration(seconds)*time.Second))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return epoch, ok
}

func check(t *testing.T, db *sqldb.DB, epoch int64) error {
	t.Helper()
	return db.Write(t.Context(), func(tx *sqldb.Tx) error { return lease.Check(tx, "work", epoch) })
}

func TestLease(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		if err := check(t, db, 0); !errors.Is(err, lease.ErrLost) {
			t.Errorf("a lease that nobody took: %v, want ErrLost", err)
		}
		for _, step := range []struct {
			owner   string
			seconds int
			epoch   int64
			ok      bool
		}{
			{"a", 0, 1, true},
			{"b", 5, 0, false}, // held
			{"a", 5, 1, true},  // renewed, same epoch
			{"b", 14, 0, false},
			{"b", 15, 2, true}, // expired at 15
			{"a", 16, 0, false},
			{"b", 26, 3, true}, // its own, but it had expired: somebody could have worked
			{"a", 36, 4, true},
		} {
			if epoch, ok := acquire(t, db, step.owner, step.seconds); epoch != step.epoch || ok != step.ok {
				t.Errorf("%s at %d s: epoch %d, %v; want %d, %v", step.owner, step.seconds, epoch, ok, step.epoch, step.ok)
			}
		}
		for epoch, want := range map[int64]error{3: lease.ErrLost, 4: nil, 5: lease.ErrLost} {
			if err := check(t, db, epoch); !errors.Is(err, want) {
				t.Errorf("epoch %d: %v, want %v", epoch, err, want)
			}
		}
	})
}

func TestRenewAndRelease(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		epoch, ok, err := lease.Acquire(ctx, db, "work", "a", time.Hour)
		if err != nil || !ok || epoch != 1 {
			t.Fatalf("Acquire: %d, %v, %v", epoch, ok, err)
		}
		for _, c := range []struct {
			owner string
			epoch int64
			want  bool
		}{{"a", 1, true}, {"b", 1, false}, {"a", 2, false}} {
			if ok, err := lease.Renew(ctx, db, "work", c.owner, c.epoch, time.Hour); ok != c.want || err != nil {
				t.Errorf("Renew by %s with epoch %d: %v, %v", c.owner, c.epoch, ok, err)
			}
		}
		if err := lease.Release(ctx, db, "work", "b", 1); err != nil {
			t.Fatal(err)
		}
		if _, ok, _ := lease.Acquire(ctx, db, "work", "c", time.Hour); ok {
			t.Error("a stranger's Release freed the lease")
		}
		if err := lease.Release(ctx, db, "work", "a", 1); err != nil {
			t.Fatal(err)
		}
		if epoch, ok, err := lease.Acquire(ctx, db, "work", "c", time.Hour); !ok || epoch != 2 || err != nil {
			t.Errorf("after Release: epoch %d, %v, %v; want 2, true", epoch, ok, err)
		}
		if ok, err := lease.Renew(ctx, db, "work", "a", 1, time.Hour); ok || err != nil {
			t.Errorf("the holder before renewed: %v, %v", ok, err)
		}
	})
}

// Of many that ask at once, one gets it; and the work that each does under its epoch
// is never done under two.
func TestOnlyOneHolds(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		var wg sync.WaitGroup
		var mu sync.Mutex
		holders := 0
		for i := range 10 {
			wg.Go(func() {
				_, ok, err := lease.Acquire(t.Context(), db, "work", fmt.Sprint(i), time.Hour)
				if err != nil {
					t.Error(err)
				}
				if ok {
					mu.Lock()
					holders++
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if holders != 1 {
			t.Errorf("%d hold the lease", holders)
		}
	})
}

// Check keeps a take-over waiting until the transaction has ended.
func TestCheckFences(t *testing.T) {
	db := sqldbtest.PostgreSQL(t)
	acquire(t, db, "a", 0)
	var taken time.Time
	var wg sync.WaitGroup
	err := db.Write(t.Context(), func(tx *sqldb.Tx) error {
		if err := lease.Check(tx, "work", 1); err != nil {
			return err
		}
		wg.Go(func() {
			if _, ok := acquire(t, db, "b", 60); !ok {
				t.Error("an expired lease was not taken over")
			}
			taken = time.Now()
		})
		_, err := tx.Exec(`SELECT pg_sleep(0.2)`)
		return err
	})
	ended := time.Now()
	wg.Wait()
	if err != nil || taken.Before(ended.Add(-100*time.Millisecond)) {
		t.Errorf("taken over %v before the end of the transaction (%v)", ended.Sub(taken), err)
	}
}

func TestRemove(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		for _, name := range []string{"jobs/a", "jobs/b", "other"} {
			if _, _, err := lease.Acquire(ctx, db, name, "x", -time.Minute); err != nil {
				t.Fatal(err)
			}
		}
		if err := lease.Remove(ctx, db, "jobs/b"); err != nil {
			t.Fatal(err)
		}
		count := func() (n int) {
			if err := db.QueryRow(ctx, `SELECT count(*) FROM leases`).Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		if n := count(); n != 2 {
			t.Errorf("%d leases after Remove, want 2", n)
		}
		err := db.Write(ctx, func(tx *sqldb.Tx) error { return lease.RemoveExpired(tx, "jobs/", time.Now()) })
		if n := count(); err != nil || n != 1 {
			t.Errorf("%d leases after RemoveExpired (%v), want 1", n, err)
		}
	})
}

func TestReleaseAll(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		if _, ok := acquire(t, db, "dead", 0); !ok {
			t.Fatal("the first owner does not get the lease")
		}
		if err := lease.ReleaseAll(t.Context(), db); err != nil {
			t.Fatal(err)
		}
		if epoch, ok := acquire(t, db, "next", 1); !ok || epoch != 2 {
			t.Errorf("after ReleaseAll: epoch %d, ok %v, want 2 and true", epoch, ok)
		}
	})
}
