package provisioning

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/provost-id/provost/directory"
)

func TestRetriesEndAsADeadLetterWithTheTargetsWords(t *testing.T) {
	t.Parallel()
	each(t, allFeatures, func(w *world) {
		broken := true
		w.fake.onCall = func(op string, n int) (bool, error) {
			if broken {
				return false, &Error{Kind: ErrTransient, Op: op, Status: 503, Body: "under maintenance"}
			}
			return true, nil
		}
		u := w.user("ada@example.com", nil)
		w.assign(u.ID)
		w.drained()
		tasks, err := w.e.Tasks(w.Context(), w.app.ID, "", 10)
		if err != nil {
			w.Fatal(err)
		}
		if len(tasks) != 1 || tasks[0].Status != TaskFailed || tasks[0].Attempts != w.e.Retry.Attempts || tasks[0].Operation != opCreate ||
			tasks[0].Error.Status != 503 || tasks[0].Error.Body != "under maintenance" || tasks[0].ObjectID != u.ID {
			w.Fatalf("tasks %+v", tasks)
		}
		if a := w.appUser(u.ID); a.SyncState != directory.SyncError || a.Status != directory.AppUserStaged {
			w.Errorf("app user %+v", a)
		}
		broken = false
		if err := w.e.RetryTask(w.Context(), w.c, w.app.ID, tasks[0].ID); err != nil {
			w.Fatal(err)
		}
		w.drained()
		if a := w.appUser(u.ID); a.SyncState != directory.SyncSynchronized {
			w.Errorf("app user %+v", a)
		}
		if err := w.e.RetryTask(w.Context(), w.c, w.app.ID, tasks[0].ID); !errors.Is(err, directory.ErrNotFound) {
			w.Errorf("retried what is done: %v", err)
		}
	})
}

func TestRefusedValueIsADeadLetterAtOnceAndBlocksNobody(t *testing.T) {
	t.Parallel()
	each(t, allFeatures, func(w *world) {
		w.fake.onCall = func(op string, n int) (bool, error) {
			if op == "create" && n == 1 {
				return false, &Error{Kind: ErrInvalid, Op: op, Status: 400, Body: "title is too long", Attr: "title"}
			}
			return true, nil
		}
		for i := range 8 {
			w.assign(w.user(fmt.Sprintf("person%d@example.com", i), nil).ID)
		}
		w.drained()
		if n := w.markers(`status = 'FAILED' AND attempts = 1`); n != 1 {
			w.Errorf("%d dead letters, want 1", n)
		}
		if w.fake.creates != 7 {
			w.Errorf("%d accounts, want 7", w.fake.creates)
		}
	})
}

// TestNewChangeRevivesADeadLetter: whoever repairs the value need not press a button.
func TestNewChangeRevivesADeadLetter(t *testing.T) {
	t.Parallel()
	each(t, allFeatures, func(w *world) {
		w.fake.onCall = func(op string, n int) (bool, error) {
			if n == 1 {
				return false, &Error{Kind: ErrInvalid, Op: op, Status: 400, Body: "no"}
			}
			return true, nil
		}
		u := w.user("ada@example.com", nil)
		w.assign(u.ID)
		w.drained()
		w.set(u.ID, map[string]any{"title": "Repaired"})
		w.drained()
		if a := w.appUser(u.ID); a.SyncState != directory.SyncSynchronized {
			w.Errorf("app user %+v", a)
		}
	})
}

func TestRetryBackOff(t *testing.T) {
	t.Parallel()
	r := Retry{First: time.Second, Most: 10 * time.Second, Attempts: 5, Silent: time.Hour}
	for attempts, want := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 4: 8 * time.Second, 9: 10 * time.Second} {
		if got := r.backOff(attempts); got < want*9/10 || got > want*11/10 {
			t.Errorf("attempt %d: %v, want about %v", attempts, got, want)
		}
	}
	silent := &Error{Kind: ErrTransient, Op: "dial"}
	if r.judge(silent, 50, time.Minute).failed {
		t.Error("an outage of a minute made a dead letter")
	}
	if !r.judge(silent, 50, 2*time.Hour).failed {
		t.Error("a target that is away for longer than we wait made no dead letter")
	}
}
