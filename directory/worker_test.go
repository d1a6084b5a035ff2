package directory

import (
	"context"
	"errors"
	"testing"
)

// A worker that stops gives its lease free at once, so that another node need not wait for
// its end; one that holds it keeps the others away.
func TestWorker_Lease(t *testing.T) {
	nodes(t, func(t *testing.T, a, b *Directory) {
		held := make(chan error, 1)
		once := func(d *Directory) *worker {
			done := false
			return d.newWorker("test_work", func(_ context.Context, w *worker) ([]job, error) {
				if done {
					return nil, nil
				}
				return []job{{name: "one", step: func(ctx context.Context) error {
					done = true
					err := d.DB.Write(ctx, w.holdTx)
					held <- err
					return err
				}}}, nil
			})
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- once(a).run(ctx) }()
		check(t, <-held)
		check(t, once(b).work(t.Context()))
		if err := <-held; !errors.Is(err, errElsewhere) {
			t.Errorf("while another node has the lease: %v", err)
		}
		stop()
		check(t, <-ended)
		check(t, once(b).work(t.Context()))
		check(t, <-held)
	})
}

// Jobs take turns: one that waits, or fails, holds no other up.
func TestWorker_Turns(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		left := map[string]int{"first": 3, "second": 2}
		var order []string
		broken := errors.New("broken")
		w := d.newWorker("test_work", func(context.Context, *worker) ([]job, error) {
			jobs := []job{{name: "faulty", step: func(context.Context) error { return broken }}}
			for _, name := range []string{"first", "second"} {
				if left[name] > 0 {
					jobs = append(jobs, job{name: name, step: func(context.Context) error {
						left[name]--
						order = append(order, name)
						return nil
					}})
				}
			}
			return jobs, nil
		})
		if err := w.work(t.Context()); !errors.Is(err, broken) {
			t.Errorf("in the end: %v", err)
		}
		if len(order) != 5 || order[0] != "first" || order[1] != "second" || order[4] != "first" {
			t.Errorf("%v", order)
		}
	})
}

// workOff does what a worker does until nothing is left to do.
func workOff(t testing.TB, w *worker) {
	t.Helper()
	check(t, w.work(t.Context()))
	w.leave(t.Context())
}
