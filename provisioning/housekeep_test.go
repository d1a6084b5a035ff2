package provisioning

import (
	"testing"
	"time"
)

func TestHousekeepForgetsTheOldAndKeepsTheNew(t *testing.T) {
	t.Parallel()
	each(t, allFeatures, func(w *world) {
		crowd(w.fake, 3)
		w.imported(ModeRun, TypeFull)
		w.assign(w.user("ada@example.com", nil).ID)
		w.drained()
		count := func() (plans, attempts int) {
			return w.number(`SELECT COUNT(*) FROM import_objects`), w.number(`SELECT COUNT(*) FROM export_attempts`)
		}
		if err := w.e.Housekeep(w.Context()); err != nil {
			w.Fatal(err)
		}
		if plans, attempts := count(); plans != 3 || attempts != 1 {
			w.Errorf("%d lines and %d attempts are left of new ones", plans, attempts)
		}
		w.e.Now = func() time.Time { return time.Now().Add(keepPlans + time.Hour) }
		if err := w.e.Housekeep(w.Context()); err != nil {
			w.Fatal(err)
		}
		if plans, attempts := count(); plans != 0 || attempts != 0 {
			w.Errorf("%d lines and %d attempts are left of old ones", plans, attempts)
		}
		if n := w.number(`SELECT COUNT(*) FROM import_runs`); n != 1 {
			w.Errorf("%d runs, want 1", n)
		}
	})
}
