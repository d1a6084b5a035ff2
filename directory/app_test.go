package directory

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas/expr"
)

func mustCreateApp(t testing.TB, d *Directory, label string, features ...string) *App {
	t.Helper()
	a, err := d.CreateApp(t.Context(), manager, App{Name: "scim2", Label: label, Features: features})
	if err != nil {
		t.Fatalf("create app: %v", err)
	}
	return a
}

func mustAssign(t testing.TB, d *Directory, a *App, u *User) {
	t.Helper()
	if _, err := d.AssignUser(t.Context(), manager, a.ID, u.ID); err != nil {
		t.Fatalf("assign: %v", err)
	}
}

// markersOf are the objects marked for an app, with the generation of each.
func markersOf(t testing.TB, d *Directory, a *App) map[string]int {
	t.Helper()
	rows, err := d.DB.Query(t.Context(), `SELECT object_id, generation FROM markers WHERE app_id = $1`, a.ID)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }() // Err tells what matters
	out := map[string]int{}
	for rows.Next() {
		var object string
		var generation int
		if err := rows.Scan(&object, &generation); err != nil {
			t.Fatal(err)
		}
		out[object] = generation
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func clearMarkers(t testing.TB, d *Directory) {
	t.Helper()
	err := d.DB.Write(t.Context(), func(tx *sqldb.Tx) error {
		_, err := tx.Exec(`DELETE FROM markers`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

const adaBody = `{"userName":"ada@example.com","name":{"givenName":"Ada","familyName":"Lovelace"},"title":"Countess"}`

func TestDefaultMappingsCompileAndAreInverse(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *Directory) {
		for _, kind := range []string{"ldap", "scim2", "other"} {
			a, err := d.CreateApp(t.Context(), manager, App{Name: kind, Label: kind})
			if err != nil {
				t.Fatalf("%s: %v", kind, err)
			}
			in, err := d.MappingFor(t.Context(), a.ID, UserPartner)
			if err != nil {
				t.Fatal(err)
			}
			out, err := d.MappingFor(t.Context(), UserPartner, a.ID)
			if err != nil {
				t.Fatal(err)
			}
			if kind == "other" {
				continue
			}
			if in.Properties["login"].PushStatus != DontPush {
				t.Errorf("%s: an import may change logins", kind)
			}
			// What flows in flows out again: otherwise a local change would never reach the app.
			for attr := range in.Properties {
				used := slices.ContainsFunc(slices.Collect(mapValues(out.Properties)), func(p Property) bool { return slices.Contains(p.Inputs, "user."+attr) })
				if !used && attr != "secondEmail" {
					t.Errorf("%s: %s comes in and never goes out", kind, attr)
				}
			}
		}
	})
}

func mapValues[V any](m map[string]V) func(yield func(V) bool) {
	return func(yield func(V) bool) {
		for _, v := range m {
			if !yield(v) {
				return
			}
		}
	}
}

func TestMarkersOnlyForAppsThatReadTheAttribute(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *Directory) {
		ada := mustCreate(t, d, adaBody)
		reads, ignores, off := mustCreateApp(t, d, "reads", PushProfileUpdates), mustCreateApp(t, d, "ignores", PushProfileUpdates), mustCreateApp(t, d, "off")
		for _, a := range []*App{reads, ignores, off} {
			mustAssign(t, d, a, ada)
		}
		m, err := d.MappingFor(t.Context(), UserPartner, ignores.ID)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.UpdateMapping(t.Context(), manager, m.ID, map[string]*Property{"title": nil}); err != nil {
			t.Fatal(err)
		}
		clearMarkers(t, d)
		for i := range 3 {
			if _, err := d.UpdateProfile(t.Context(), manager, ada.ID, map[string]any{"title": fmt.Sprint("Title ", i)}); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(map[string]int{ada.ID: 3}, markersOf(t, d, reads)); diff != "" {
			t.Errorf("markers of the app that reads (-want +got):\n%s", diff)
		}
		for _, a := range []*App{ignores, off} {
			if n := len(markersOf(t, d, a)); n != 0 {
				t.Errorf("%s has %d markers", a.Label, n)
			}
		}
	})
}

// TestNoMarkerWithoutItsChange: both are one transaction.
func TestNoMarkerWithoutItsChange(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *Directory) {
		ada := mustCreate(t, d, adaBody)
		a := mustCreateApp(t, d, "app", PushProfileUpdates)
		mustAssign(t, d, a, ada)
		clearMarkers(t, d)
		broken := errors.New("broken")
		err := d.DB.Write(t.Context(), func(tx *sqldb.Tx) error {
			if _, err := d.UpdateProfileTx(tx, manager, ada.ID, map[string]any{"title": "x"}); err != nil {
				return err
			}
			return broken
		})
		if !errors.Is(err, broken) || len(markersOf(t, d, a)) != 0 {
			t.Errorf("%v, markers %v", err, markersOf(t, d, a))
		}
	})
}

func TestEveryoneAssigned(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *Directory) {
		ada := mustCreate(t, d, adaBody)
		a := mustCreateApp(t, d, "app", PushNewUsers)
		if err := d.AssignGroup(t.Context(), manager, GroupAssignment{AppID: a.ID, GroupID: d.EveryoneID()}); err != nil {
			t.Fatal(err)
		}
		bob := mustCreate(t, d, `{"userName":"bob@example.com"}`)
		for _, u := range []*User{ada, bob} {
			got, err := d.AppUser(t.Context(), a.ID, u.ID)
			if err != nil || got.Scope != ScopeGroup || got.Status != AppUserStaged {
				t.Errorf("%s: %+v, %v", u.ID, got, err)
			}
			if markersOf(t, d, a)[u.ID] == 0 {
				t.Errorf("%s is not marked", u.ID)
			}
		}
	})
}

func TestAssignmentThroughSeveralWays(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *Directory) {
		ada := mustCreate(t, d, adaBody)
		a := mustCreateApp(t, d, "app", PushNewUsers)
		one, two := mustCreateGroup(t, d, "one"), mustCreateGroup(t, d, "two")
		for _, g := range []*Group{one, two} {
			if err := d.AddMember(t.Context(), manager, g.ID, ada.ID); err != nil {
				t.Fatal(err)
			}
			if err := d.AssignGroup(t.Context(), manager, GroupAssignment{AppID: a.ID, GroupID: g.ID}); err != nil {
				t.Fatal(err)
			}
		}
		mustAssign(t, d, a, ada)
		state := func() string {
			u, err := d.AppUser(t.Context(), a.ID, ada.ID)
			if err != nil {
				t.Fatal(err)
			}
			if !u.Assigned {
				return "none"
			}
			return u.Scope
		}
		steps := []struct {
			what string
			do   func() error
			want string
		}{
			{"assigned by itself", func() error { return nil }, ScopeUser},
			{"left a group", func() error { return d.RemoveMember(t.Context(), manager, one.ID, ada.ID) }, ScopeUser},
			{"unassigned by itself", func() error { return d.UnassignUser(t.Context(), manager, a.ID, ada.ID) }, ScopeGroup},
			{"joined again", func() error { return d.AddMember(t.Context(), manager, one.ID, ada.ID) }, ScopeGroup},
			{"a group unassigned", func() error { return d.UnassignGroup(t.Context(), manager, a.ID, two.ID) }, ScopeGroup},
			{"the last group deleted", func() error { return d.DeleteGroup(t.Context(), manager, one.ID, nil) }, "none"},
		}
		for _, s := range steps {
			if err := s.do(); err != nil {
				t.Fatalf("%s: %v", s.what, err)
			}
			if got := state(); got != s.want {
				t.Fatalf("%s: scope %s, want %s", s.what, got, s.want)
			}
		}
	})
}

func TestInactiveUsersAreNotAssigned(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *Directory) {
		ada := mustCreate(t, d, adaBody)
		if _, err := d.SetStatus(t.Context(), manager, ada.ID, Deactivate); err != nil {
			t.Fatal(err)
		}
		a := mustCreateApp(t, d, "app")
		if _, err := d.AssignUser(t.Context(), manager, a.ID, ada.ID); !errors.Is(err, ErrInactiveUser) {
			t.Errorf("got %v, want ErrInactiveUser", err)
		}
	})
}

func TestMasteringOwnsWhatItsMappingWrites(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *Directory) {
		ada := mustCreate(t, d, adaBody)
		a := mustCreateApp(t, d, "Personnel", ProfileMastering)
		mustAssign(t, d, a, ada)
		write := func(c Change, attr string) error {
			_, err := d.UpdateProfile(t.Context(), c, ada.ID, map[string]any{attr: "new " + attr})
			return err
		}
		if err := write(manager, "title"); err != nil {
			t.Errorf("before there is an account: %v", err)
		}
		err := d.DB.Write(t.Context(), func(tx *sqldb.Tx) error {
			u, err := d.AppUserTx(tx, a.ID, ada.ID)
			if err != nil {
				return err
			}
			u.ExternalID = "42"
			return d.SaveAppUserTx(tx, u)
		})
		if err != nil {
			t.Fatal(err)
		}
		err = write(manager, "nickName")
		var owned *OwnedError
		if !errors.Is(err, ErrOwned) || !errors.As(err, &owned) || owned.Attr != "nickName" || owned.App != "Personnel" {
			t.Errorf("a mastered attribute: %v", err)
		}
		m, err := d.MappingFor(t.Context(), a.ID, UserPartner)
		if err != nil {
			t.Fatal(err)
		}
		change := map[string]*Property{"nickName": {Expression: "appuser.nickName", PushStatus: DontPush}}
		if _, err := d.UpdateMapping(t.Context(), manager, m.ID, change); err != nil {
			t.Fatal(err)
		}
		if err := write(manager, "nickName"); err != nil {
			t.Errorf("an attribute that is set on create only: %v", err)
		}
		from := manager
		from.Source = Source{Kind: SourceImport, ID: a.ID}
		if err := write(from, "title"); err != nil {
			t.Errorf("the master itself: %v", err)
		}
	})
}

func TestWhy(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *Directory) {
		ada := mustCreate(t, d, adaBody)
		w, err := d.Why(t.Context(), ada.ID, "title")
		if err != nil || w.Value != "Countess" || w.Source.Kind != SourceSCIM || w.Event == "" || w.Time.IsZero() {
			t.Errorf("created by SCIM: %+v, %v", w, err)
		}
		a := mustCreateApp(t, d, "Personnel")
		c := Change{Source: Source{Kind: SourceImport, ID: a.ID}, Mappings: map[string]string{"title": "appuser.rank"}, MappingVersion: 3}
		if _, err := d.UpdateProfile(t.Context(), c, ada.ID, map[string]any{"title": "Boss", "nickName": "A"}); err != nil {
			t.Fatal(err)
		}
		w, err = d.Why(t.Context(), ada.ID, "title")
		if err != nil || w.Value != "Boss" || w.Source.ID != a.ID || w.App != "Personnel" || w.Mapping != "appuser.rank" || w.MappingVersion != 3 {
			t.Errorf("imported: %+v, %v", w, err)
		}
		if w, err = d.Why(t.Context(), ada.ID, "lastName"); err != nil || w.Source.Kind != SourceSCIM {
			t.Errorf("untouched by the import: %+v, %v", w, err)
		}
		if w, err = d.Why(t.Context(), ada.ID, "division"); err != nil || w.Value != nil || w.Event != "" {
			t.Errorf("never set: %+v, %v", w, err)
		}
		if _, err := d.Why(t.Context(), ada.ID, "wage"); !errors.Is(err, ErrNotFound) {
			t.Errorf("no attribute: %v", err)
		}
	})
}

func TestMappingsAreCheckedWhenSaved(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *Directory) {
		d.AppProfile = func(string) (map[string]expr.Type, bool) {
			types := map[string]expr.Type{"managerId": expr.String, "userName": expr.String, "givenName": expr.String, "familyName": expr.String,
				"displayName": expr.String, "email": expr.String, "emails": expr.Strings}
			for _, name := range scimSame {
				types[name] = expr.String
			}
			return types, true
		}
		a := mustCreateApp(t, d, "app", PushProfileUpdates)
		out, err := d.MappingFor(t.Context(), UserPartner, a.ID)
		if err != nil {
			t.Fatal(err)
		}
		in, err := d.MappingFor(t.Context(), a.ID, UserPartner)
		if err != nil {
			t.Fatal(err)
		}
		for name, c := range map[string]struct {
			mapping *Mapping
			target  string
			p       Property
			want    string
		}{
			"unknown input":       {out, "title", Property{Expression: "user.wage"}, "title: 1:5: undefined field 'wage'"},
			"unknown app input":   {in, "title", Property{Expression: "appuser.wage"}, "undefined field 'wage'"},
			"unknown target":      {in, "wage", Property{Expression: "appuser.title"}, "wage: is no attribute of the user profile"},
			"unknown app target":  {out, "wage", Property{Expression: "user.title"}, "wage: is no attribute of the app's profile"},
			"wrong way round":     {out, "title", Property{Expression: "appuser.title"}, "undeclared reference"},
			"unguarded null":      {out, "title", Property{Expression: `user.title < "m" ? "a" : "b"`}, "user.title may be null here; guard it: user.title != null"},
			"wrong type":          {out, "title", Property{Expression: "user.title != null"}, "the expression gives bool, want string"},
			"wrong type of ours":  {in, "title", Property{Expression: "1"}, "the expression gives int, want string"},
			"unknown push status": {out, "title", Property{Expression: "user.title", PushStatus: "MAYBE"}, "pushStatus must be PUSH or DONT_PUSH"},
		} {
			t.Run(name, func(t *testing.T) {
				_, err := d.UpdateMapping(t.Context(), manager, c.mapping.ID, map[string]*Property{c.target: &c.p})
				var invalid *InvalidError
				if !errors.As(err, &invalid) || !strings.Contains(err.Error(), c.want) {
					t.Errorf("got %v, want an InvalidError with %q", err, c.want)
				}
			})
		}
		again, err := d.Mapping(t.Context(), out.ID)
		if err != nil || again.Version != out.Version {
			t.Errorf("a refused mapping was stored: %+v, %v", again, err)
		}
	})
}

func TestMappingChangeMarksEveryAccount(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *Directory) {
		a := mustCreateApp(t, d, "app", PushProfileUpdates)
		want := map[string]int{}
		for i := range 5 {
			u := mustCreate(t, d, fmt.Sprintf(`{"userName":"u%d@example.com"}`, i))
			mustAssign(t, d, a, u)
			want[u.ID] = 1
		}
		clearMarkers(t, d)
		m, err := d.MappingFor(t.Context(), UserPartner, a.ID)
		if err != nil {
			t.Fatal(err)
		}
		change := map[string]*Property{"title": {Expression: `user.title + "!"`}}
		if _, err := d.UpdateMapping(t.Context(), manager, m.ID, change); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, markersOf(t, d, a)); diff != "" {
			t.Errorf("markers (-want +got):\n%s", diff)
		}
	})
}

func TestAppsOfClientsAreLeftToTheirClients(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *Directory) {
		var invalid *InvalidError
		if _, err := d.CreateApp(t.Context(), manager, App{Name: ClientAppName, Label: "x"}); !errors.As(err, &invalid) {
			t.Errorf("create: %v", err)
		}
		err := d.DB.Write(t.Context(), func(tx *sqldb.Tx) error { return d.SetClientAppTx(tx, "0oaclient", "Client") })
		if err != nil {
			t.Fatal(err)
		}
		if err := d.DeleteApp(t.Context(), manager, "0oaclient"); !errors.As(err, &invalid) {
			t.Errorf("delete: %v", err)
		}
	})
}

func TestSealedSecretsOpenOnlyForTheirApp(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *Directory) {
		settings := map[string]any{"app": map[string]any{"url": "ldap://x", "bindPassword": "hunter2", "nested": map[string]any{"a": 1.0}}}
		one, err := d.CreateApp(t.Context(), manager, App{Name: "ldap", Label: "one", Settings: settings})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[string]any{"url": "ldap://x", "nested": map[string]any{"a": 1.0}}, one.Settings["app"]); diff != "" {
			t.Errorf("settings (-want +got):\n%s", diff)
		}
		two, err := d.CreateApp(t.Context(), manager, App{Name: "ldap", Label: "two"})
		if err != nil {
			t.Fatal(err)
		}
		err = d.DB.Write(t.Context(), func(tx *sqldb.Tx) error {
			_, err := tx.Exec(`UPDATE apps SET secrets = (SELECT secrets FROM apps WHERE id = $1) WHERE id = $2`, one.ID, two.ID)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if c, err := d.AppConfig(t.Context(), one); err != nil || c["bindPassword"] != "hunter2" {
			t.Errorf("config %v, %v", c, err)
		}
		if c, err := d.AppConfig(t.Context(), two); err == nil {
			t.Errorf("the secrets of one app opened for another: %v", c)
		}
		for _, e := range []string{`SELECT body FROM events`, `SELECT settings FROM apps`} {
			all, err := column[string](d.DB.Query(t.Context(), e))
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(strings.Join(all, "\n"), "hunter2") {
				t.Errorf("%s shows the secret", e)
			}
		}
	})
}
