package provisioning

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-id/provost/directory"
)

func crowd(f *fake, n int) {
	for i := range n {
		f.person(fmt.Sprintf("p%03d", i), fmt.Sprintf("person%d@example.com", i))
	}
}

func (w *world) status(r *ImportRun, want string) {
	w.Helper()
	if r.Status != want {
		w.Fatalf("status %s (%s), want %s; counts %+v", r.Status, r.Reason, want, r.Counts)
	}
}

func TestImportCreatesPeopleAndGroups(t *testing.T) {
	t.Parallel()
	each(t, allFeatures, func(w *world) {
		crowd(w.fake, 25)
		w.fake.person("boss", "boss@example.com", "title", "Director")
		w.fake.change("p003", func(o *Object) { o.Attributes["manager"] = []string{"name-of-boss@example.com"} })
		w.fake.team("g1", "Staff", "p001", "p002", "boss")
		r := w.imported(ModeRun, TypeFull)
		w.status(r, RunSucceeded)
		if d := cmp.Diff(Counts{Create: 26}, r.Counts); d != "" {
			w.Errorf("counts (-want +got):\n%s", d)
		}
		p := w.profile("boss@example.com")
		if p["title"] != "Director" || p["firstName"] != "Given boss" || p["email"] != "boss@example.com" {
			w.Errorf("profile %v", p)
		}
		if got := w.profile("person3@example.com")["managerId"]; got != w.id("boss@example.com") {
			w.Errorf("managerId %v, want the boss's ID", got)
		}
		groups, err := w.dir.GroupsOf(w.Context(), w.id("person1@example.com"))
		if err != nil {
			w.Fatal(err)
		}
		found := false
		for _, g := range groups {
			found = found || g.Name == "Staff" && g.Type == directory.AppGroup
		}
		if !found {
			w.Errorf("groups %v, want Staff", groups)
		}
		a := w.appUser(w.id("person1@example.com"))
		if a.ExternalID != "p001" || a.Status != directory.AppUserActive || !a.Assigned {
			w.Errorf("app user %+v", a)
		}
		if n := w.markers("1 = 1"); n != 0 {
			w.Errorf("an import left %d markers for the app that it came from", n)
		}
	})
}

func TestImportAgainChangesNothing(t *testing.T) {
	t.Parallel()
	each(t, allFeatures, func(w *world) {
		crowd(w.fake, 12)
		w.fake.team("g1", "Staff", "p001")
		w.imported(ModeRun, TypeFull)
		before := w.number(`SELECT COUNT(*) FROM events WHERE type LIKE 'user.%' OR type LIKE 'group.%'`)
		r := w.imported(ModeRun, TypeFull)
		w.status(r, RunSucceeded)
		if d := cmp.Diff(Counts{Unchanged: 12}, r.Counts); d != "" {
			w.Errorf("counts (-want +got):\n%s", d)
		}
		if n := w.number(`SELECT COUNT(*) FROM import_objects WHERE run_id = $1 AND body <> ''`, r.ID); n != 0 {
			w.Errorf("%d objects were planned again although their hash is known", n)
		}
		if after := w.number(`SELECT COUNT(*) FROM events WHERE type LIKE 'user.%' OR type LIKE 'group.%'`); after != before {
			w.Errorf("%d events more", after-before)
		}
	})
}

func TestImportPlanAppliesNothingUntilApproved(t *testing.T) {
	t.Parallel()
	each(t, allFeatures, func(w *world) {
		crowd(w.fake, 5)
		w.user("person0@example.com", nil)
		r := w.imported(ModePlan, TypeFull)
		w.status(r, RunAwaiting)
		if d := cmp.Diff(Counts{Create: 4, Link: 1}, r.Counts); d != "" {
			w.Errorf("counts (-want +got):\n%s", d)
		}
		if n := w.number(`SELECT COUNT(*) FROM resources WHERE type = 'User'`); n != 1 {
			w.Errorf("a plan made %d users", n-1)
		}
		changes, err := w.e.ImportChanges(w.Context(), w.app.ID, r.ID, TypeUser, "", 100)
		if err != nil {
			w.Fatal(err)
		}
		if len(changes) != 5 || changes[0].Action != actionLink || changes[1].Attributes["firstName"].To != "Given p001" {
			w.Errorf("changes %+v", changes)
		}
		if err := w.e.ApproveImport(w.Context(), w.c, w.app.ID, r.ID); err != nil {
			w.Fatal(err)
		}
		w.status(w.worked(r.ID), RunSucceeded)
		if n := w.number(`SELECT COUNT(*) FROM resources WHERE type = 'User'`); n != 5 {
			w.Errorf("%d users, want 5", n)
		}
		if err := w.e.ApproveImport(w.Context(), w.c, w.app.ID, r.ID); !errors.Is(err, ErrNotAwaiting) {
			w.Errorf("approved twice: %v", err)
		}
	})
}

func TestImportCancelled(t *testing.T) {
	t.Parallel()
	each(t, allFeatures, func(w *world) {
		crowd(w.fake, 3)
		r := w.imported(ModePlan, TypeFull)
		if err := w.e.CancelImport(w.Context(), w.c, w.app.ID, r.ID); err != nil {
			w.Fatal(err)
		}
		w.status(w.worked(r.ID), RunCancelled)
		if n := w.number(`SELECT COUNT(*) FROM resources WHERE type = 'User'`); n != 0 {
			w.Errorf("a cancelled plan made %d users", n)
		}
	})
}

// TestIncompleteReadNeverDeletes: only End.Complete allows deletions to be inferred.
func TestIncompleteReadNeverDeletes(t *testing.T) {
	t.Parallel()
	each(t, append(allFeatures, directory.ProfileMastering), func(w *world) {
		crowd(w.fake, 20)
		w.imported(ModeRun, TypeFull)
		w.fake.cut = 2
		r := w.imported(ModeRun, TypeFull)
		w.status(r, RunSucceeded)
		if r.Counts.Deactivate != 0 {
			w.Errorf("%d deactivated after a read that was cut", r.Counts.Deactivate)
		}
		if n := w.number(`SELECT COUNT(*) FROM resources WHERE type = 'User' AND active`); n != 20 {
			w.Errorf("%d active users, want 20", n)
		}
	})
}

func TestCompleteReadDeactivatesWhoIsGone(t *testing.T) {
	t.Parallel()
	for _, mastering := range []bool{true, false} {
		t.Run(fmt.Sprintf("mastering %v", mastering), func(t *testing.T) {
			features := append([]string(nil), allFeatures...)
			want := directory.Active
			if mastering {
				features, want = append(features, directory.ProfileMastering), directory.Deprovisioned
			}
			each(t, features, func(w *world) {
				crowd(w.fake, 20)
				w.imported(ModeRun, TypeFull)
				w.fake.remove("p004")
				r := w.imported(ModeRun, TypeFull)
				w.status(r, RunSucceeded)
				if d := cmp.Diff(Counts{Unchanged: 19, Deactivate: 1}, r.Counts); d != "" {
					w.Errorf("counts (-want +got):\n%s", d)
				}
				u, err := w.dir.UserByLogin(w.Context(), "person4@example.com")
				if err != nil {
					w.Fatal(err)
				}
				if u.Status != want {
					w.Errorf("status %s, want %s", u.Status, want)
				}
				if a := w.appUser(u.ID); a.Status != directory.AppUserDeprovisioned || a.Assigned {
					w.Errorf("app user %s, assigned %v", a.Status, a.Assigned)
				}
			})
		})
	}
}

func TestThresholdStopsAndAwaitsApproval(t *testing.T) {
	t.Parallel()
	each(t, append(allFeatures, directory.ProfileMastering), func(w *world) {
		crowd(w.fake, 20)
		w.imported(ModeRun, TypeFull)
		w.fake.remove("p001", "p002", "p003", "p004", "p005")
		r := w.imported(ModeRun, TypeFull)
		w.status(r, RunAwaiting)
		if !strings.Contains(r.Reason, "5 of 20") || r.Counts.Deactivate != 5 {
			w.Errorf("reason %q, counts %+v", r.Reason, r.Counts)
		}
		if n := w.number(`SELECT COUNT(*) FROM resources WHERE type = 'User' AND active`); n != 20 {
			w.Errorf("%d active users before the approval, want 20", n)
		}
		if err := w.e.ApproveImport(w.Context(), w.c, w.app.ID, r.ID); err != nil {
			w.Fatal(err)
		}
		w.status(w.worked(r.ID), RunSucceeded)
		if n := w.number(`SELECT COUNT(*) FROM resources WHERE type = 'User' AND active`); n != 15 {
			w.Errorf("%d active users after the approval, want 15", n)
		}
	})
}

func TestEmptySourceStops(t *testing.T) {
	t.Parallel()
	each(t, allFeatures, func(w *world) {
		crowd(w.fake, 3)
		w.imported(ModeRun, TypeFull)
		w.fake.remove("p000", "p001", "p002")
		r := w.imported(ModeRun, TypeFull)
		w.status(r, RunAwaiting)
		if !strings.Contains(r.Reason, "the source is empty") {
			w.Errorf("reason %q", r.Reason)
		}
	})
}

func TestAdministratorsStop(t *testing.T) {
	t.Parallel()
	each(t, append(allFeatures, directory.ProfileMastering), func(w *world) {
		crowd(w.fake, 20)
		w.imported(ModeRun, TypeFull)
		if err := w.dir.AddMember(w.Context(), w.c, w.dir.AdministratorsID(), w.id("person7@example.com")); err != nil {
			w.Fatal(err)
		}
		w.fake.change("p007", func(o *Object) { o.Attributes["title"] = []string{"Boss"} })
		r := w.imported(ModeRun, TypeFull)
		w.status(r, RunAwaiting)
		if !strings.Contains(r.Reason, "administrators would be changed: person7@example.com") {
			w.Errorf("reason %q", r.Reason)
		}
	})
}

func TestGroupNamedAdministratorsMakesNobodyOne(t *testing.T) {
	t.Parallel()
	each(t, allFeatures, func(w *world) {
		crowd(w.fake, 2)
		w.fake.team("g1", "administrators", "p001")
		r := w.imported(ModeRun, TypeFull)
		w.status(r, RunSucceeded)
		if r.Groups.Error != 1 {
			w.Errorf("groups %+v, want one error", r.Groups)
		}
		admin, err := w.dir.IsAdministrator(w.Context(), w.id("person1@example.com"))
		if err != nil || admin {
			w.Errorf("administrator %v, %v", admin, err)
		}
	})
}

func TestDriftIsShownAndLeftAlone(t *testing.T) {
	t.Parallel()
	each(t, allFeatures, func(w *world) {
		crowd(w.fake, 5)
		w.imported(ModeRun, TypeFull)
		w.fake.change("p002", func(o *Object) { o.Attributes["title"] = []string{"Changed there"} })
		r := w.imported(ModeRun, TypeFull)
		w.status(r, RunSucceeded)
		if d := cmp.Diff(Counts{Unchanged: 5, Drift: 1}, r.Counts); d != "" {
			w.Errorf("counts (-want +got):\n%s", d)
		}
		changes, err := w.e.ImportChanges(w.Context(), w.app.ID, r.ID, TypeUser, "", 10)
		if err != nil {
			w.Fatal(err)
		}
		if len(changes) != 1 || changes[0].Action != actionDrift || changes[0].Attributes["title"].To != "Changed there" {
			w.Errorf("changes %+v", changes)
		}
		if got := w.profile("person2@example.com")["title"]; got != nil {
			w.Errorf("title %v was taken over", got)
		}
		w.drained()
		if len(w.fake.updates) != 0 {
			w.Errorf("drift was overwritten: %+v", w.fake.updates)
		}
		if r := w.imported(ModePlan, TypeFull); r.Counts.Drift != 1 {
			w.Errorf("the next import tells of %d drifts, want 1 until it is settled", r.Counts.Drift)
		}
		w.fake.change("p002", func(o *Object) { delete(o.Attributes, "title") })
		w.imported(ModeRun, TypeFull)
		if d := cmp.Diff(Counts{Unchanged: 5}, w.imported(ModeRun, TypeFull).Counts); d != "" {
			w.Errorf("settled (-want +got):\n%s", d)
		}
	})
}

// TestWhatWasPushedIsNoDrift: the display name is put together for the app, and nobody
// has one here.
func TestWhatWasPushedIsNoDrift(t *testing.T) {
	t.Parallel()
	each(t, allFeatures, func(w *world) {
		w.assign(w.user("ada@example.com", nil).ID)
		w.drained()
		if d := cmp.Diff(Counts{Unchanged: 1}, w.imported(ModeRun, TypeFull).Counts); d != "" {
			w.Errorf("counts (-want +got):\n%s", d)
		}
	})
}

func TestMasteringTakesOverAndRefusesLocalWrites(t *testing.T) {
	t.Parallel()
	each(t, append(allFeatures, directory.ProfileMastering), func(w *world) {
		crowd(w.fake, 5)
		w.imported(ModeRun, TypeFull)
		w.fake.change("p002", func(o *Object) { o.Attributes["title"] = []string{"Changed there"} })
		r := w.imported(ModeRun, TypeFull)
		w.status(r, RunSucceeded)
		if r.Counts.Update != 1 {
			w.Errorf("counts %+v", r.Counts)
		}
		if got := w.profile("person2@example.com")["title"]; got != "Changed there" {
			w.Errorf("title %v", got)
		}
		_, err := w.dir.UpdateProfile(w.Context(), w.c, w.id("person2@example.com"), map[string]any{"title": "Changed here"})
		if !errors.Is(err, directory.ErrOwned) || !strings.Contains(err.Error(), "title") {
			w.Errorf("a write to a mastered attribute: %v", err)
		}
		why, err := w.dir.Why(w.Context(), w.id("person2@example.com"), "title")
		if err != nil {
			w.Fatal(err)
		}
		if why.Source.Kind != directory.SourceImport || why.Source.ID != w.app.ID || why.Mapping != "appuser.title" || why.Event == "" {
			w.Errorf("why %+v", why)
		}
	})
}

func TestImportLinksByLoginThenByEmail(t *testing.T) {
	t.Parallel()
	each(t, allFeatures, func(w *world) {
		w.user("ada@example.com", nil)
		w.user("grace@example.org", map[string]any{"email": "g.hopper@example.com"})
		w.user("twin1@example.org", map[string]any{"email": "twin@example.com"})
		w.user("twin2@example.org", map[string]any{"email": "twin@example.com"})
		w.fake.person("a", "ADA@example.com")
		w.fake.person("g", "ghopper@elsewhere.example", "mail", "g.hopper@example.com")
		w.fake.person("t", "t@elsewhere.example", "mail", "twin@example.com")
		r := w.imported(ModeRun, TypeFull)
		w.status(r, RunSucceeded)
		if d := cmp.Diff(Counts{Link: 2, Error: 1}, r.Counts); d != "" {
			w.Errorf("counts (-want +got):\n%s", d)
		}
		if a := w.appUser(w.id("ada@example.com")); a.ExternalID != "a" {
			w.Errorf("ada has %q", a.ExternalID)
		}
		if a := w.appUser(w.id("grace@example.org")); a.ExternalID != "g" {
			w.Errorf("grace has %q", a.ExternalID)
		}
	})
}

func TestTwoAccountsNeverBecomeOnePerson(t *testing.T) {
	t.Parallel()
	each(t, allFeatures, func(w *world) {
		w.fake.person("a", "ada@example.com")
		w.fake.person("b", "Ada@example.com")
		for mode, status := range map[string]string{ModePlan: RunAwaiting, ModeRun: RunSucceeded} {
			r := w.imported(mode, TypeFull)
			w.status(r, status)
			if r.Counts.Error != 1 || r.Counts.Create+r.Counts.Unchanged != 1 {
				w.Errorf("%s: counts %+v, want one person and one error", mode, r.Counts)
			}
		}
	})
}

func TestUnreachableTargetFailsTheRunWithItsWords(t *testing.T) {
	t.Parallel()
	each(t, allFeatures, func(w *world) {
		w.fake.readErr = &Error{Kind: ErrTransient, Op: "dial 192.0.2.1:389", Err: errors.New("connection refused")}
		r := w.imported(ModeRun, TypeFull)
		w.status(r, RunFailed)
		if !strings.Contains(r.Reason, "connection refused") {
			w.Errorf("reason %q", r.Reason)
		}
	})
}

func TestIncrementalImport(t *testing.T) {
	t.Parallel()
	each(t, append(allFeatures, directory.ProfileMastering), func(w *world) {
		crowd(w.fake, 10)
		w.imported(ModeRun, TypeFull)
		w.fake.person("new", "new@example.com")
		w.fake.changes = &Batch{Objects: []Object{w.fake.objects["new"]}, Deleted: []Ref{{ID: "p001"}}}
		r := w.imported(ModeRun, TypeIncremental)
		w.status(r, RunSucceeded)
		if d := cmp.Diff(Counts{Create: 1, Deactivate: 1}, r.Counts); d != "" {
			w.Errorf("counts (-want +got):\n%s", d)
		}
		var cursor []byte
		if err := w.dir.DB.QueryRow(w.Context(), `SELECT value FROM import_cursors WHERE app_id = $1 AND kind = 'user'`, w.app.ID).Scan(&cursor); err != nil || string(cursor) != "full+" {
			w.Errorf("cursor %q, %v", cursor, err)
		}
		w.fake.lost = true
		r = w.imported(ModeRun, TypeIncremental)
		w.status(r, RunSucceeded)
		if !strings.Contains(r.Reason, "converted to full") {
			w.Errorf("reason %q", r.Reason)
		}
	})
}

func TestSecondImportOfAnAppIsRefused(t *testing.T) {
	t.Parallel()
	each(t, allFeatures, func(w *world) {
		if _, err := w.e.StartImport(w.Context(), w.c, w.app.ID, ModeRun, TypeFull); err != nil {
			w.Fatal(err)
		}
		if _, err := w.e.StartImport(w.Context(), w.c, w.app.ID, ModeRun, TypeFull); !errors.Is(err, ErrRunning) {
			w.Errorf("got %v, want ErrRunning", err)
		}
	})
}
