package federation

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/keyring"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
)

var admin = By{Actor: events.Actor{ID: "admin", Type: "Token"}}

var manage = directory.Change{Actor: admin.Actor, Source: directory.Source{Kind: directory.SourceManage}, Manage: true}

const issuer = "https://idp.example"

func newService(t *testing.T, db *sqldb.DB) *Service {
	t.Helper()
	keys, err := keyring.New(make([]byte, keyring.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	d, err := directory.New(t.Context(), db, keys, nil)
	if err != nil {
		t.Fatal(err)
	}
	return &Service{DB: db, Keys: keys, Directory: d}
}

// each runs fn with a service on both engines.
func each(t *testing.T, fn func(t *testing.T, s *Service)) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) { fn(t, newService(t, db)) })
}

func makeIdP(t *testing.T, s *Service, name string, change func(*IdP)) IdP {
	t.Helper()
	i := IdP{Name: name, Type: TypeOIDC}
	i.Protocol.Issuer.URL = issuer
	i.Protocol.Credentials.Client = ClientCredentials{ClientID: "us", Secret: "hush"}
	if change != nil {
		change(&i)
	}
	made, err := s.CreateIdP(t.Context(), admin, i)
	if err != nil {
		t.Fatalf("create identity provider %s: %v", name, err)
	}
	return made
}

func jit(i *IdP)  { i.Policy.Provisioning.Action = Auto }
func auto(i *IdP) { i.Policy.AccountLink.Action = Auto }

func assertionOf(i IdP, subject, email string, more ...any) Assertion {
	a := Assertion{IdPID: i.ID, Issuer: issuer, Subject: subject, Claims: map[string]any{
		"iss": issuer, "sub": subject, "email": email, "email_verified": true,
		"given_name": "Ada", "family_name": "Lovelace", "name": "Ada Lovelace",
	}}
	for i := 0; i+1 < len(more); i += 2 {
		a.Claims[more[i].(string)] = more[i+1]
	}
	return a
}

func enter(t *testing.T, s *Service, a Assertion) (string, error) {
	t.Helper()
	return s.SignIn(t.Context(), a, Visit{Then: func(*sqldb.Tx, string) error { return nil }})
}

func mustEnter(t *testing.T, s *Service, a Assertion) string {
	t.Helper()
	userID, err := enter(t, s, a)
	if err != nil {
		t.Fatalf("sign in %s: %v", a.Subject, err)
	}
	return userID
}

func wantDenied(t *testing.T, err error, code string) {
	t.Helper()
	var d *Denied
	if !errors.As(err, &d) || d.Code != code {
		t.Errorf("got error %v, want denial %s", err, code)
	}
}

func makeUser(t *testing.T, s *Service, login string, more ...any) *directory.User {
	t.Helper()
	typ, _ := s.Directory.Schemas().Type("User")
	profile := map[string]any{"login": login, "email": login, "firstName": "Local", "lastName": "Person"}
	for i := 0; i+1 < len(more); i += 2 {
		profile[more[i].(string)] = more[i+1]
	}
	r, err := typ.FromProfile(profile)
	if err != nil {
		t.Fatal(err)
	}
	u, err := s.Directory.CreateUser(t.Context(), manage, r, directory.CreateOptions{Status: directory.Active})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func makeGroup(t *testing.T, s *Service, name string) string {
	t.Helper()
	typ, _ := s.Directory.Schemas().Type("Group")
	r, err := typ.FromProfile(map[string]any{"name": name})
	if err != nil {
		t.Fatal(err)
	}
	g, err := s.Directory.CreateGroup(t.Context(), manage, r, directory.GroupOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return g.ID
}

func profileOf(t *testing.T, s *Service, userID string) map[string]any {
	t.Helper()
	u, err := s.Directory.User(t.Context(), userID)
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Directory.Profile(u)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func groupNames(t *testing.T, s *Service, userID string) map[string]bool {
	t.Helper()
	refs, err := s.Directory.GroupsOf(t.Context(), userID)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, r := range refs {
		names[r.Name] = true
	}
	return names
}

func count(t *testing.T, db *sqldb.DB, query string) (n int) {
	t.Helper()
	if err := db.QueryRow(t.Context(), query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestDeniedByDefault(t *testing.T) {
	each(t, func(t *testing.T, s *Service) {
		i := makeIdP(t, s, "Partner", nil)
		_, err := enter(t, s, assertionOf(i, "1", "ada@idp.example"))
		wantDenied(t, err, "jit_disabled")
		makeUser(t, s, "bob@idp.example")
		_, err = enter(t, s, assertionOf(i, "2", "bob@idp.example"))
		wantDenied(t, err, "link_disabled")
		if n := count(t, s.DB, `SELECT count(*) FROM idp_links`); n != 0 {
			t.Errorf("%d links after denials, want none", n)
		}
	})
}

func TestJITCreatesAndRefreshes(t *testing.T) {
	each(t, func(t *testing.T, s *Service) {
		i := makeIdP(t, s, "Partner", jit)
		userID := mustEnter(t, s, assertionOf(i, "1", "ada@idp.example"))
		p := profileOf(t, s, userID)
		got := fmt.Sprint(p["login"], " ", p["email"], " ", p["firstName"], " ", p["lastName"])
		if want := "ada@idp.example ada@idp.example Ada Lovelace"; got != want {
			t.Errorf("created profile is %q, want %q", got, want)
		}
		u, err := s.Directory.User(t.Context(), userID)
		if err != nil || u.Status != directory.Active || u.HasPassword {
			t.Errorf("created user has status %v, password %v, error %v; want ACTIVE without", u.Status, u.HasPassword, err)
		}

		again := mustEnter(t, s, assertionOf(i, "1", "countess@idp.example", "family_name", "King"))
		p = profileOf(t, s, again)
		if again != userID || p["lastName"] != "King" || p["email"] != "countess@idp.example" || p["login"] != "ada@idp.example" {
			t.Errorf("second sign-in gave %s with profile %v, want %s refreshed and the login kept", again, p, userID)
		}
		l, err := s.Link(t.Context(), i.ID, userID)
		if err != nil || l.Claims["family_name"] != "King" || l.LastSeen.IsZero() {
			t.Errorf("link is %+v, error %v; want the claims of the last sign-in", l, err)
		}
	})
}

func TestRefreshFollowsProfileMaster(t *testing.T) {
	each(t, func(t *testing.T, s *Service) {
		off := false
		i := makeIdP(t, s, "Partner", func(i *IdP) { jit(i); i.Policy.Provisioning.ProfileMaster = &off })
		userID := mustEnter(t, s, assertionOf(i, "1", "ada@idp.example"))
		mustEnter(t, s, assertionOf(i, "1", "ada@idp.example", "family_name", "King"))
		if p := profileOf(t, s, userID); p["lastName"] != "Lovelace" {
			t.Errorf("lastName is %v, want the one of the creation", p["lastName"])
		}
	})
}

func TestAbsentClaimLeavesValue(t *testing.T) {
	each(t, func(t *testing.T, s *Service) {
		i := makeIdP(t, s, "Partner", jit)
		userID := mustEnter(t, s, assertionOf(i, "1", "ada@idp.example", "nickname", "Countess"))
		mustEnter(t, s, assertionOf(i, "1", "ada@idp.example"))
		if p := profileOf(t, s, userID); p["nickName"] != "Countess" {
			t.Errorf("nickName is %v after a sign-in that does not say it, want it kept", p["nickName"])
		}
	})
}

func TestBadOptionalValueIsLeftOut(t *testing.T) {
	each(t, func(t *testing.T, s *Service) {
		i := makeIdP(t, s, "Partner", jit)
		userID := mustEnter(t, s, assertionOf(i, "1", "ada@idp.example", "zoneinfo", "Nowhere/Land", "nickname", "Countess"))
		p := profileOf(t, s, userID)
		if _, ok := p["timezone"]; ok || p["nickName"] != "Countess" {
			t.Errorf("profile is %v, want no timezone and the nickname", p)
		}
	})
}

func TestJITFailures(t *testing.T) {
	each(t, func(t *testing.T, s *Service) {
		i := makeIdP(t, s, "Partner", jit)
		spaced := makeIdP(t, s, "Spaced", func(i *IdP) { jit(i); i.Policy.Subject.UserNameTemplate.Template = "idpuser.name" })
		filtered := makeIdP(t, s, "Filtered", func(i *IdP) { jit(i); i.Policy.Subject.Filter = `.*@corp\.example` })
		tests := []struct {
			name string
			a    Assertion
			code string
		}{
			{"no name", assertionOf(i, "1", ""), "failed_username_transform_missed_field"},
			{"blanks", assertionOf(spaced, "2", "x@idp.example"), "failed_username_transform_whitespaces_found"},
			{"filter", assertionOf(filtered, "3", "x@corp.example.evil"), "user_match_error"},
			{"required", assertionOf(i, "4", "x@idp.example", "family_name", nil), "jit_failure_missing_fields"},
			{"login format", assertionOf(i, "5", "no-address"), "jit_failure_invalid_login_format"},
		}
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				_, err := enter(t, s, tt.a)
				wantDenied(t, err, tt.code)
			})
		}
		if n := count(t, s.DB, `SELECT count(*) FROM resources WHERE type = 'User'`); n != 0 {
			t.Errorf("%d users after failed creations, want none", n)
		}
	})
}

func TestThenErrorUndoesEverything(t *testing.T) {
	each(t, func(t *testing.T, s *Service) {
		i := makeIdP(t, s, "Partner", jit)
		broken := errors.New("no session")
		_, err := s.SignIn(t.Context(), assertionOf(i, "1", "ada@idp.example"), Visit{
			Then: func(*sqldb.Tx, string) error { return broken },
		})
		if !errors.Is(err, broken) {
			t.Fatalf("got error %v, want that of Then", err)
		}
		if n := count(t, s.DB, `SELECT count(*) FROM resources WHERE type = 'User'`) + count(t, s.DB, `SELECT count(*) FROM idp_links`); n != 0 {
			t.Errorf("%d users and links are left, want none: half linked", n)
		}
	})
}

func TestParallelFirstSignInsMakeOneUser(t *testing.T) {
	each(t, func(t *testing.T, s *Service) {
		i := makeIdP(t, s, "Partner", jit)
		const parallel = 8
		ids, errs := make(chan string, parallel), make(chan error, parallel)
		for range parallel {
			go func() {
				id, err := s.SignIn(context.Background(), assertionOf(i, "1", "ada@idp.example"), Visit{
					Then: func(*sqldb.Tx, string) error { return nil },
				})
				ids <- id
				errs <- err
			}()
		}
		seen := map[string]bool{}
		for range parallel {
			seen[<-ids] = true
			if err := <-errs; err != nil {
				t.Errorf("sign in: %v", err)
			}
		}
		if n := count(t, s.DB, `SELECT count(*) FROM resources WHERE type = 'User'`); n != 1 || len(seen) != 1 {
			t.Errorf("%d users, answers %v; want one", n, seen)
		}
	})
}

func TestConditions(t *testing.T) {
	tests := []struct {
		name   string
		op     directory.LifecycleOp
		change func(*IdP)
		code   string // empty when let in
	}{
		{"deprovisioned", directory.Deactivate, nil, "invalid_user_status_error"},
		{"suspended", directory.Suspend, nil, "invalid_user_status_error"},
		{"reactivate", directory.Deactivate, func(i *IdP) { i.Policy.Provisioning.Conditions.Deprovisioned.Action = Reactivate }, ""},
		{"unsuspend", directory.Suspend, func(i *IdP) { i.Policy.Provisioning.Conditions.Suspended.Action = Unsuspend }, ""},
		{"other condition", directory.Suspend, func(i *IdP) { i.Policy.Provisioning.Conditions.Deprovisioned.Action = Reactivate }, "invalid_user_status_error"},
	}
	each(t, func(t *testing.T, s *Service) {
		for n, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				i := makeIdP(t, s, tt.name, func(i *IdP) {
					jit(i)
					if tt.change != nil {
						tt.change(i)
					}
				})
				a := assertionOf(i, fmt.Sprint(n), fmt.Sprintf("p%d@idp.example", n))
				userID := mustEnter(t, s, a)
				if _, err := s.Directory.SetStatus(t.Context(), manage, userID, tt.op); err != nil {
					t.Fatal(err)
				}
				_, err := enter(t, s, a)
				if tt.code != "" {
					wantDenied(t, err, tt.code)
					return
				}
				u, uerr := s.Directory.User(t.Context(), userID)
				if err != nil || uerr != nil || u.Status != directory.Active {
					t.Errorf("status %v, errors %v, %v; want ACTIVE", u.Status, err, uerr)
				}
			})
		}
	})
}

func TestGroupActions(t *testing.T) {
	each(t, func(t *testing.T, s *Service) {
		staff, guests, outside := makeGroup(t, s, "Staff"), makeGroup(t, s, "Guests"), makeGroup(t, s, "Outside")
		set := func(action string) func(*IdP) {
			return func(i *IdP) {
				jit(i)
				i.Policy.Provisioning.Groups = Groups{Action: action, Assignments: []string{staff, s.Directory.AdministratorsID()},
					SourceAttributeName: "groups", Filter: []string{staff, guests, s.Directory.AdministratorsID()}}
			}
		}
		asserted := func(names ...any) []any { return append([]any{}, names...) }
		tests := []struct {
			action string
			second []any
			want   map[string]bool
		}{
			{None, asserted("Staff"), map[string]bool{"Everyone": true, "Outside": true}},
			{Assign, asserted(), map[string]bool{"Everyone": true, "Outside": true, "Staff": true}},
			{Append, asserted("guests", "Administrators", "Outside"), map[string]bool{"Everyone": true, "Outside": true, "Staff": true, "Guests": true}},
			{Sync, asserted("Guests", "Administrators"), map[string]bool{"Everyone": true, "Outside": true, "Guests": true}},
		}
		for n, tt := range tests {
			t.Run(tt.action, func(t *testing.T) {
				i := makeIdP(t, s, tt.action, set(tt.action))
				email := fmt.Sprintf("g%d@idp.example", n)
				userID := mustEnter(t, s, assertionOf(i, email, email, "groups", asserted("Staff")))
				if err := s.Directory.AddMember(t.Context(), manage, outside, userID); err != nil {
					t.Fatal(err)
				}
				mustEnter(t, s, assertionOf(i, email, email, "groups", tt.second))
				if d := cmp.Diff(tt.want, groupNames(t, s, userID)); d != "" {
					t.Errorf("groups (-want +got):\n%s", d)
				}
			})
		}
	})
}

func TestStoreKeepsSecretSealed(t *testing.T) {
	each(t, func(t *testing.T, s *Service) {
		i := makeIdP(t, s, "Partner", nil)
		if i.Protocol.Credentials.Client.Secret != "" {
			t.Error("the secret comes back from the creation")
		}
		if n := count(t, s.DB, `SELECT count(*) FROM idps WHERE config LIKE '%hush%'`); n != 0 {
			t.Error("the secret stands in the configuration in clear")
		}
		secret, err := s.ClientSecret(t.Context(), i.ID)
		if err != nil || secret != "hush" {
			t.Errorf("secret is %q, error %v", secret, err)
		}
		i.Name = "Renamed"
		if _, err := s.ReplaceIdP(t.Context(), admin, i); err != nil {
			t.Fatal(err)
		}
		if secret, _ := s.ClientSecret(t.Context(), i.ID); secret != "hush" {
			t.Error("a replace without a secret lost it")
		}
		if _, err := s.CreateIdP(t.Context(), admin, IdP{Name: "renamed", Type: TypeOIDC, Config: i.Config}); !errors.Is(err, ErrConflict) {
			t.Errorf("second provider of the name: error %v, want a conflict", err)
		}
	})
}

func TestLinksByAdministrator(t *testing.T) {
	each(t, func(t *testing.T, s *Service) {
		i := makeIdP(t, s, "Partner", nil)
		u := makeUser(t, s, "ada@corp.example")
		signedOut := 0
		s.Directory.OnSignOut = append(s.Directory.OnSignOut, func(_ *sqldb.Tx, userID string) error {
			if userID == u.ID {
				signedOut++
			}
			return nil
		})
		if _, err := s.LinkUser(t.Context(), admin, i.ID, u.ID, "sub-1"); err != nil {
			t.Fatal(err)
		}
		if _, err := s.LinkUser(t.Context(), admin, i.ID, u.ID, "sub-2"); !errors.Is(err, ErrConflict) {
			t.Errorf("second link of a user: error %v, want a conflict", err)
		}
		if got := mustEnter(t, s, assertionOf(i, "sub-1", "any@idp.example")); got != u.ID {
			t.Errorf("signed in %s, want %s", got, u.ID)
		}
		if err := s.UnlinkUser(t.Context(), admin, i.ID, u.ID); err != nil {
			t.Fatal(err)
		}
		if signedOut == 0 {
			t.Error("unlinking left the sessions of the user")
		}
		_, err := enter(t, s, assertionOf(i, "sub-1", "any@idp.example"))
		wantDenied(t, err, "jit_disabled")
	})
}

func TestDeletingUserOrProviderRemovesLinks(t *testing.T) {
	each(t, func(t *testing.T, s *Service) {
		i, other := makeIdP(t, s, "Partner", jit), makeIdP(t, s, "Other", jit)
		userID := mustEnter(t, s, assertionOf(i, "1", "ada@idp.example"))
		mustEnter(t, s, assertionOf(other, "1", "bob@idp.example"))
		if err := s.Directory.DeleteUser(t.Context(), manage, userID, nil); err != nil {
			t.Fatal(err)
		}
		if err := s.DeleteIdP(t.Context(), admin, other.ID); err != nil {
			t.Fatal(err)
		}
		if n := count(t, s.DB, `SELECT count(*) FROM idp_links`); n != 0 {
			t.Errorf("%d links are left, want none", n)
		}
		if n := count(t, s.DB, `SELECT count(*) FROM mappings WHERE source_id = '`+other.ID+`'`); n != 0 {
			t.Errorf("%d mappings of the provider are left, want none", n)
		}
	})
}

func TestEventsOfSignIn(t *testing.T) {
	each(t, func(t *testing.T, s *Service) {
		i := makeIdP(t, s, "Partner", jit)
		s.Now = func() time.Time { return time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC) }
		mustEnter(t, s, assertionOf(i, "1", "ada@idp.example"))
		for _, typ := range []string{"system.idp.lifecycle.create", "user.account.link", "user.lifecycle.create", "user.authentication.auth_via_IDP"} {
			if n := count(t, s.DB, `SELECT count(*) FROM events WHERE type = '`+typ+`'`); n != 1 {
				t.Errorf("%d events %s, want 1", n, typ)
			}
		}
	})
}
