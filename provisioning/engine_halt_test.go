package provisioning

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/provost-id/provost/internal/sqldb"
)

// TestImportStopsWithItsNode: a target that hangs does not hold up a node that stops,
// and the import goes on elsewhere.
func TestImportStopsWithItsNode(t *testing.T) {
	t.Parallel()
	each(t, allFeatures, func(w *world) {
		crowd(w.fake, 3)
		hangs := make(chan struct{})
		w.fake.hangs = hangs
		w.e.Enqueue = func(*sqldb.Tx, string) error { return nil } // the job is called below
		r, err := w.e.StartImport(w.Context(), w.c, w.app.ID, ModeRun, TypeFull)
		if err != nil {
			w.Fatal(err)
		}
		ctx, stop := context.WithCancel(w.Context())
		ran, worked := make(chan error, 1), make(chan error, 1)
		go func() { ran <- w.e.Run(ctx) }()
		for w.e.halted() == nil {
			time.Sleep(time.Millisecond)
		}
		// The job's own context ends with the test only.
		go func() { worked <- w.e.WorkImport(w.Context(), r.ID) }()
		<-hangs
		stop()
		if err := <-ran; err != nil {
			w.Error(err)
		}
		if err := <-worked; !errors.Is(err, context.Canceled) {
			w.Errorf("got %v, want that the work was stopped", err)
		}
		w.status(w.runNow(r.ID), RunRunning)
		if err := w.engine().WorkImport(w.Context(), r.ID); err != nil {
			w.Fatal(err)
		}
		w.status(w.runNow(r.ID), RunSucceeded)
	})
}
