package provisioning

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/lease"
)

func TestAssignmentMakesTheAccount(t *testing.T) {
	t.Parallel()
	each(t, allFeatures, func(w *world) {
		u := w.user("ada@example.com", map[string]any{"title": "Countess"})
		w.assign(u.ID)
		if a := w.appUser(u.ID); a.Status != directory.AppUserStaged || a.ExternalID != "" {
			w.Errorf("before: %+v", a)
		}
		w.drained()
		a := w.appUser(u.ID)
		if a.Status != directory.AppUserProvisioned || a.SyncState != directory.SyncSynchronized || a.ExternalID != "made-1" {
			w.Errorf("after: %+v", a)
		}
		o, ok := w.fake.byName("ada@example.com")
		if !ok || o.ExternalID != u.ID || o.Attributes["title"][0] != "Countess" || !o.Active {
			w.Errorf("account %+v", o)
		}
		if _, err := w.dir.AssignUser(w.Context(), w.c, w.app.ID, u.ID); !errors.Is(err, directory.ErrAssigned) {
			w.Errorf("assigned twice: %v", err)
		}
	})
}

// TestTenEditsAreOneSmallUpdate: a marker carries no payload, and the delta is the
// difference to what is known.
func TestTenEditsAreOneSmallUpdate(t *testing.T) {
	t.Parallel()
	each(t, allFeatures, func(w *world) {
		u := w.user("ada@example.com", nil)
		w.assign(u.ID)
		w.drained()
		for i := range 10 {
			w.set(u.ID, map[string]any{"title": fmt.Sprintf("Title %d", i)})
		}
		w.drained()
		want := []Delta{{Set: map[string]Change{"title": {To: []string{"Title 9"}}}}}
		if d := cmp.Diff(want, w.fake.updates); d != "" {
			w.Errorf("updates (-want +got):\n%s", d)
		}
	})
}

// TestOnlyMappedAttributesMark: no marker for an app whose mapping does not read what
// has changed.
func TestOnlyMappedAttributesMark(t *testing.T) {
	t.Parallel()
	each(t, allFeatures, func(w *world) {
		u := w.user("ada@example.com", nil)
		w.assign(u.ID)
		m, err := w.dir.MappingFor(w.Context(), directory.UserPartner, w.app.ID)
		if err != nil {
			w.Fatal(err)
		}
		if _, err := w.dir.UpdateMapping(w.Context(), w.c, m.ID, map[string]*directory.Property{"title": nil}); err != nil {
			w.Fatal(err)
		}
		w.drained()
		w.set(u.ID, map[string]any{"title": "Unread"})
		if n := w.markers("1 = 1"); n != 0 {
			w.Errorf("%d markers for an attribute that no mapping reads", n)
		}
		w.set(u.ID, map[string]any{"department": "Read"})
		if n := w.markers("1 = 1"); n != 1 {
			w.Errorf("%d markers for an attribute that is read, want 1", n)
		}
	})
}

func TestImportedPersonIsPushedBackOnlyWhatChanged(t *testing.T) {
	t.Parallel()
	each(t, allFeatures, func(w *world) {
		w.fake.person("p", "ada@example.com", "title", "Old")
		w.fake.change("p", func(o *Object) {
			o.Attributes["mail"] = []string{"ada@example.com", "second@example.com", "third@example.com"}
		})
		w.imported(ModeRun, TypeFull)
		w.set(w.id("ada@example.com"), map[string]any{"title": "New", "email": "ada.new@example.com"})
		w.drained()
		want := []Delta{{Set: map[string]Change{
			"title": {From: []string{"Old"}, To: []string{"New"}},
			"mail":  {From: []string{"ada@example.com", "second@example.com", "third@example.com"}, To: []string{"ada.new@example.com", "second@example.com", "third@example.com"}},
		}}}
		if d := cmp.Diff(want, w.fake.updates); d != "" {
			w.Errorf("updates (-want +got):\n%s", d)
		}
		// The next import reads back what was pushed, and takes nothing back.
		r := w.imported(ModeRun, TypeFull)
		w.status(r, RunSucceeded)
		if w.profile("ada@example.com")["title"] != "New" {
			w.Error("the import took the push back")
		}
	})
}

func TestDeactivationAndReactivation(t *testing.T) {
	t.Parallel()
	each(t, allFeatures, func(w *world) {
		u := w.user("ada@example.com", nil)
		w.assign(u.ID)
		w.drained()
		if _, err := w.dir.SetStatus(w.Context(), w.c, u.ID, directory.Deactivate); err != nil {
			w.Fatal(err)
		}
		w.drained()
		if o, _ := w.fake.byName("ada@example.com"); o.Active {
			w.Error("the account of a deactivated user is active")
		}
		if a := w.appUser(u.ID); a.Status != directory.AppUserDeprovisioned {
			w.Errorf("status %s", a.Status)
		}
		if _, err := w.dir.SetStatus(w.Context(), w.c, u.ID, directory.Activate); err != nil {
			w.Fatal(err)
		}
		w.drained()
		if o, _ := w.fake.byName("ada@example.com"); !o.Active {
			w.Error("the account of a user who is active again is not")
		}
	})
}

func TestUnassignmentAndDeletionTurnTheAccountOff(t *testing.T) {
	t.Parallel()
	each(t, allFeatures, func(w *world) {
		ada, bob := w.user("ada@example.com", nil), w.user("bob@example.com", nil)
		w.assign(ada.ID)
		w.assign(bob.ID)
		w.drained()
		if err := w.dir.UnassignUser(w.Context(), w.c, w.app.ID, ada.ID); err != nil {
			w.Fatal(err)
		}
		if err := w.dir.DeleteUser(w.Context(), w.c, bob.ID, nil); err != nil {
			w.Fatal(err)
		}
		w.drained()
		for _, login := range []string{"ada@example.com", "bob@example.com"} {
			if o, ok := w.fake.byName(login); !ok || o.Active {
				w.Errorf("%s: there %v, active %v", login, ok, o.Active)
			}
		}
		if _, err := w.dir.AppUser(w.Context(), w.app.ID, bob.ID); !errors.Is(err, directory.ErrNotFound) {
			w.Errorf("the account of a deleted user is remembered: %v", err)
		}
	})
}

// TestCreateWhoseReplyIsLostCreatesOnce: the outcome of a create is resolved by our own
// ID before any retry.
func TestCreateWhoseReplyIsLostCreatesOnce(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]struct {
		effect bool
		err    error
	}{
		"timeout after the effect":  {true, &Error{Kind: ErrUnknown, Op: "create", Body: "no reply"}},
		"timeout before the effect": {false, &Error{Kind: ErrUnknown, Op: "create", Body: "no reply"}},
		"500 after the effect":      {true, &Error{Kind: ErrTransient, Op: "create", Status: 500, Body: "oops"}},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, allFeatures, func(w *world) {
				w.fake.careless = true // nothing but our own look-up stands against a second account
				w.fake.onCall = func(op string, n int) (bool, error) {
					if op == "create" && n == 1 {
						return fault.effect, fault.err
					}
					return true, nil
				}
				u := w.user("ada@example.com", nil)
				w.assign(u.ID)
				w.drained()
				if w.fake.creates != 1 || w.fake.count(TypeUser) != 1 {
					w.Errorf("%d creates, %d accounts, want one", w.fake.creates, w.fake.count(TypeUser))
				}
				if a := w.appUser(u.ID); a.ExternalID != "made-1" || a.SyncState != directory.SyncSynchronized {
					w.Errorf("app user %+v", a)
				}
			})
		})
	}
}

// TestCreateOfANodeThatDiedIsResolved stops the node between the call and its record.
func TestCreateOfANodeThatDiedIsResolved(t *testing.T) {
	t.Parallel()
	each(t, allFeatures, func(w *world) {
		u := w.user("ada@example.com", nil)
		w.assign(u.ID)
		ctx, cancel := context.WithCancel(w.Context())
		w.fake.careless = true
		w.fake.onCall = func(op string, n int) (bool, error) {
			if n == 1 {
				cancel()
				return true, ctx.Err()
			}
			return true, nil
		}
		if err := w.e.sweepLanes(ctx); err != nil {
			w.Fatal(err)
		}
		w.e.group.Wait()
		if a := w.appUser(u.ID); !a.Creating || a.ExternalID != "" {
			w.Fatalf("after the death: %+v", a)
		}
		w.drained()
		if w.fake.creates != 1 {
			w.Errorf("%d creates, want one", w.fake.creates)
		}
		if a := w.appUser(u.ID); a.ExternalID != "made-1" || a.Creating {
			w.Errorf("app user %+v", a)
		}
	})
}

func TestExistingAccountIsAdoptedAndBroughtInStep(t *testing.T) {
	t.Parallel()
	each(t, allFeatures, func(w *world) {
		w.fake.person("there", "ada@example.com", "title", "Old")
		u := w.user("ada@example.com", map[string]any{"title": "New"})
		w.assign(u.ID)
		w.drained()
		if a := w.appUser(u.ID); a.ExternalID != "there" || a.SyncState != directory.SyncSynchronized {
			w.Errorf("app user %+v", a)
		}
		if o, _ := w.fake.byName("ada@example.com"); o.Attributes["title"][0] != "New" {
			w.Errorf("account %+v", o)
		}
	})
}

func TestRateLimitIsHonoured(t *testing.T) {
	t.Parallel()
	each(t, allFeatures, func(w *world) {
		var mu sync.Mutex
		var times []time.Time
		wait := 200 * time.Millisecond
		w.fake.onCall = func(op string, n int) (bool, error) {
			mu.Lock()
			defer mu.Unlock()
			times = append(times, time.Now())
			if n == 1 {
				return false, &Error{Kind: ErrRateLimited, Op: op, Status: 429, Body: "slow down", RetryAfter: wait}
			}
			return true, nil
		}
		w.assign(w.user("ada@example.com", nil).ID)
		w.drained()
		if len(times) != 2 || times[1].Sub(times[0]) < wait {
			w.Errorf("calls at %v, want two, %v apart at least", times, wait)
		}
		if w.fake.creates != 1 {
			w.Errorf("%d creates", w.fake.creates)
		}
	})
}

// TestTwoEnginesNeverRunOneLaneAtOnce has two nodes race over the same markers.
func TestTwoEnginesNeverRunOneLaneAtOnce(t *testing.T) {
	t.Parallel()
	each(t, allFeatures, func(w *world) {
		w.fake.delay = time.Millisecond
		var ids []string
		for i := range 24 {
			ids = append(ids, w.user(fmt.Sprintf("person%d@example.com", i), nil).ID)
		}
		ctx, cancel := context.WithCancel(w.Context())
		var nodes sync.WaitGroup
		for range 2 {
			node := w.engine()
			nodes.Go(func() {
				if err := node.Run(ctx); err != nil {
					w.Errorf("run: %v", err)
				}
			})
		}
		for round := range 3 {
			for _, id := range ids {
				if round == 0 {
					w.assign(id)
				} else {
					w.set(id, map[string]any{"title": fmt.Sprintf("Title %d", round)})
				}
			}
		}
		deadline := time.Now().Add(20 * time.Second)
		for w.markers("1 = 1") > 0 && time.Now().Before(deadline) {
			time.Sleep(5 * time.Millisecond)
		}
		cancel()
		nodes.Wait()
		if w.fake.overlap {
			w.Error("two calls for one object were under way at once")
		}
		if w.fake.creates != 24 {
			w.Errorf("%d creates, want 24", w.fake.creates)
		}
		for _, o := range w.fake.objects {
			if got := strings.Join(o.Attributes["title"], ""); got != "Title 2" {
				w.Errorf("%s has title %q", o.ID, got)
			}
		}
		if n := w.number(`SELECT COUNT(*) FROM (SELECT 1 FROM export_attempts GROUP BY object_id, operation, digest HAVING COUNT(*) > 1) d`); n != 0 {
			w.Errorf("%d calls were made twice", n)
		}
	})
}

func TestSecretsAreSealedAndLeftOut(t *testing.T) {
	t.Parallel()
	each(t, allFeatures, func(w *world) {
		app, err := w.dir.App(w.Context(), w.app.ID)
		if err != nil {
			w.Fatal(err)
		}
		if got := app.Settings["app"]; !cmp.Equal(got, map[string]any{"baseUrl": "https://target.example"}) {
			w.Errorf("settings %v", got)
		}
		if n := w.number(`SELECT COUNT(*) FROM apps WHERE settings LIKE '%s3cret%'`); n != 0 {
			w.Error("the secret stands in clear")
		}
		app.Settings["app"] = map[string]any{"baseUrl": "https://other.example"}
		if app, err = w.dir.UpdateApp(w.Context(), w.c, app.ID, *app); err != nil {
			w.Fatal(err)
		}
		config, err := w.dir.AppConfig(w.Context(), app)
		if err != nil {
			w.Fatal(err)
		}
		if want := map[string]any{"baseUrl": "https://other.example", "token": "s3cret"}; !maps.EqualFunc(config, want, func(a, b any) bool { return a == b }) {
			w.Errorf("config %v, want %v", config, want)
		}
	})
}

// TestFencedDrainTouchesNothing: a node that was asleep past its lease makes no call.
func TestFencedDrainTouchesNothing(t *testing.T) {
	t.Parallel()
	each(t, allFeatures, func(w *world) {
		u := w.user("ada@example.com", nil)
		w.assign(u.ID)
		l := lane{appID: w.app.ID, n: directory.Lane(u.ID)}
		old, ok, err := lease.Acquire(w.Context(), w.dir.DB, l.name(), "asleep", time.Millisecond)
		if err != nil || !ok {
			w.Fatalf("acquire: %v, %v", ok, err)
		}
		time.Sleep(2 * time.Millisecond)
		if _, ok, err = lease.Acquire(w.Context(), w.dir.DB, l.name(), "awake", time.Minute); err != nil || !ok {
			w.Fatalf("take over: %v, %v", ok, err)
		}
		if err := w.e.drain(w.Context(), l, old); !errors.Is(err, lease.ErrLost) {
			w.Errorf("got %v, want ErrLost", err)
		}
		if w.fake.creates != 0 || len(w.fake.calls) != 0 {
			w.Errorf("a fenced node made calls: %v", w.fake.calls)
		}
		ran := false
		err = w.e.leased(w.Context(), l.name(), func(context.Context, int64) error {
			ran = true
			return nil
		})
		if err != nil || ran {
			w.Errorf("a lane that another holds was run: %v, %v", ran, err)
		}
	})
}

// TestTakeOverOfADeadNodesLane: a lane is free again when its lease has run out.
func TestTakeOverOfADeadNodesLane(t *testing.T) {
	t.Parallel()
	each(t, allFeatures, func(w *world) {
		u := w.user("ada@example.com", nil)
		w.assign(u.ID)
		l := lane{appID: w.app.ID, n: directory.Lane(u.ID)}
		if _, ok, err := lease.Acquire(w.Context(), w.dir.DB, l.name(), "dead", 300*time.Millisecond); err != nil || !ok {
			w.Fatalf("acquire: %v, %v", ok, err)
		}
		w.drained()
		if w.fake.creates != 1 {
			w.Errorf("%d creates, want 1", w.fake.creates)
		}
	})
}

// TestPropertyThatFailsIsLeftAloneAndTold: one bad value keeps nothing else back.
func TestPropertyThatFailsIsLeftAloneAndTold(t *testing.T) {
	t.Parallel()
	each(t, allFeatures, func(w *world) {
		u := w.user("ada@example.com", map[string]any{"title": "12", "department": "old"})
		m, err := w.dir.MappingFor(w.Context(), directory.UserPartner, w.app.ID)
		if err != nil {
			w.Fatal(err)
		}
		if _, err := w.dir.UpdateMapping(w.Context(), w.c, m.ID, map[string]*directory.Property{"title": {Expression: `user.title != null ? string(int(user.title)) : null`}}); err != nil {
			w.Fatal(err)
		}
		w.assign(u.ID)
		w.drained()
		w.set(u.ID, map[string]any{"title": "no number", "department": "new"})
		w.drained()
		o, _ := w.fake.byName("ada@example.com")
		if o.Attributes["title"][0] != "12" || o.Attributes["department"][0] != "new" {
			w.Errorf("account %v", o.Attributes)
		}
		if n := w.number(`SELECT COUNT(*) FROM events WHERE type = 'application.provision.mapping.error' AND subject = $1`, u.ID); n != 1 {
			w.Errorf("%d events tell of it, want 1", n)
		}
	})
}
