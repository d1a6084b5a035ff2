package provisioning

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/provost-id/provost/internal/sqldb"
)

// TestImportResumesAfterACrash stops the work again and again, first in the middle of
// the read, then after every few objects that it has applied, and has another node go
// on each time.
func TestImportResumesAfterACrash(t *testing.T) {
	t.Parallel()
	each(t, allFeatures, func(w *world) {
		crowd(w.fake, 23)
		w.fake.team("g1", "Staff", "p001", "p002")
		r, err := w.e.StartImport(w.Context(), w.c, w.app.ID, ModeRun, TypeFull)
		if err != nil {
			w.Fatal(err)
		}
		crashes := 0
		for w.runNow(r.ID).Status == RunRunning {
			if crashes > 200 {
				w.Fatal("the run does not end")
			}
			if w.crash(r.ID, crashes) {
				crashes++
			}
		}
		if crashes < 10 {
			w.Errorf("only %d crashes", crashes)
		}
		end := w.runNow(r.ID)
		w.status(end, RunSucceeded)
		if end.Counts.Create != 23 || w.number(`SELECT COUNT(*) FROM resources WHERE type = 'User'`) != 23 {
			w.Errorf("counts %+v", end.Counts)
		}
		if n := w.number(`SELECT COUNT(*) FROM app_users`); n != 23 {
			w.Errorf("%d accounts, want 23", n)
		}
		if n := w.number(`SELECT COUNT(*) FROM events WHERE type = 'user.lifecycle.create'`); n != 23 {
			w.Errorf("%d users were created, want 23", n)
		}
		if n := w.number(`SELECT COUNT(*) FROM resources WHERE type = 'Group' AND status = 'APP_GROUP'`); n != 1 {
			w.Errorf("%d groups, want 1", n)
		}
		if n := w.number(`SELECT COUNT(*) FROM app_group_members`); n != 2 {
			w.Errorf("%d members, want 2", n)
		}
	})
}

// crash works a run on a node of its own until it stops at the n-th place, and reports
// whether it stopped there.
func (w *world) crash(runID string, n int) bool {
	w.Helper()
	ctx, cancel := context.WithCancel(w.Context())
	defer cancel()
	node := w.engine()
	w.fake.onBatch = nil
	if n < 3 { // in the middle of the read
		batches := 0
		w.fake.onBatch = func() {
			if batches++; batches == n+1 {
				cancel()
			}
		}
	} else { // the engine asks for the time a few times for each object that it applies
		asked := 0
		node.Now = func() time.Time {
			if asked++; asked == 4 {
				cancel()
			}
			return time.Now()
		}
	}
	err := node.WorkImport(ctx, runID)
	if err != nil && !errors.Is(err, context.Canceled) {
		w.Fatalf("work: %v", err)
	}
	return err != nil
}

// TestLostLeaseWritesNothing fences a node that was asleep past its lease.
func TestLostLeaseWritesNothing(t *testing.T) {
	t.Parallel()
	each(t, allFeatures, func(w *world) {
		crowd(w.fake, 5)
		r, err := w.e.StartImport(w.Context(), w.c, w.app.ID, ModeRun, TypeFull)
		if err != nil {
			w.Fatal(err)
		}
		slow := &work{e: w.e, run: r, lease: "import/" + w.app.ID, epoch: 1}
		err = w.dir.DB.Write(w.Context(), func(tx *sqldb.Tx) error {
			_, err := tx.Exec(`INSERT INTO leases (name, owner, epoch, expires) VALUES ($1, 'other', 2, 0)`, slow.lease)
			return err
		})
		if err != nil {
			w.Fatal(err)
		}
		if err := slow.carryOut(w.Context()); err == nil || !strings.Contains(err.Error(), "lease is lost") {
			w.Errorf("got %v, want a lost lease", err)
		}
		if n := w.number(`SELECT COUNT(*) FROM import_objects`); n != 0 {
			w.Errorf("a fenced node staged %d objects", n)
		}
	})
}
