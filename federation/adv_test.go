package federation

import (
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/sqldb"
)

// An inactive provider lets nobody in, linked or not, on any way.
func TestADV28_DisabledIdP(t *testing.T) {
	each(t, func(t *testing.T, s *Service) {
		i := makeIdP(t, s, "Partner", jit)
		linked := assertionOf(i, "1", "ada@idp.example")
		mustEnter(t, s, linked)
		if _, err := s.SetStatus(t.Context(), admin, i.ID, Inactive); err != nil {
			t.Fatal(err)
		}
		for name, a := range map[string]Assertion{"linked": linked, "new": assertionOf(i, "2", "bob@idp.example")} {
			if _, err := enter(t, s, a); err == nil {
				t.Errorf("%s user is let in by an inactive provider", name)
			} else {
				wantDenied(t, err, "idp_disabled")
			}
		}
		if _, err := s.ActiveIdP(t.Context(), i.ID); !errors.Is(err, ErrNotFound) {
			t.Errorf("inactive provider is found: %v", err)
		}
		if _, err := s.SetStatus(t.Context(), admin, i.ID, Active); err != nil {
			t.Fatal(err)
		}
		mustEnter(t, s, linked)
	})
}

// A provider that only links makes nobody.
func TestADV28_LinkOnlyIdP(t *testing.T) {
	each(t, func(t *testing.T, s *Service) {
		i := makeIdP(t, s, "Links", auto)
		u := makeUser(t, s, "ada@idp.example")
		if got := mustEnter(t, s, assertionOf(i, "1", "ada@idp.example")); got != u.ID {
			t.Errorf("linked %s, want %s", got, u.ID)
		}
		_, err := enter(t, s, assertionOf(i, "2", "stranger@idp.example"))
		wantDenied(t, err, "jit_disabled")
	})
}

// Two providers that assert one subject, or one provider under another issuer, mean
// three different people.
func TestADV29_SubjectOfAnotherIdP(t *testing.T) {
	each(t, func(t *testing.T, s *Service) {
		a, b := makeIdP(t, s, "A", jit), makeIdP(t, s, "B", nil)
		mustEnter(t, s, assertionOf(a, "same", "ada@idp.example"))
		_, err := enter(t, s, assertionOf(b, "same", "other@idp.example"))
		wantDenied(t, err, "jit_disabled")
		moved := assertionOf(a, "same", "third@idp.example")
		moved.Issuer = "https://elsewhere.example"
		userID := mustEnter(t, s, moved)
		if p := profileOf(t, s, userID); p["login"] != "third@idp.example" {
			t.Errorf("subject of another issuer became %v", p["login"])
		}
	})
}

func TestADV30_AutomaticLink(t *testing.T) {
	yes, no := true, false
	tests := []struct {
		name   string
		change func(*IdP)
		more   []any
		code   string // empty when linked
	}{
		{"verified", nil, nil, ""},
		{"verified as text", nil, []any{"email_verified", "true"}, ""},
		{"unverified at the provider", nil, []any{"email_verified", false}, "user_match_error"},
		{"not said to be verified", nil, []any{"email_verified", nil}, "user_match_error"},
		{"verified, but not in those words", nil, []any{"email_verified", "yes"}, "user_match_error"},
		{"not authoritative", func(i *IdP) {
			i.Policy.AccountLink.Filter = &LinkFilter{Domains: &DomainFilter{Include: []string{"other.example"}}}
		}, nil, "user_match_error"},
		{"authoritative", func(i *IdP) {
			i.Policy.AccountLink.Filter = &LinkFilter{Domains: &DomainFilter{Include: []string{"CORP.example"}}}
		}, nil, ""},
		{"name that only looks like the address", func(i *IdP) {
			i.Policy.Subject.UserNameTemplate.Template = "idpuser.preferred_username"
		}, []any{"preferred_username", "@victim", "email", "attacker@idp.example"}, "user_match_error"},
		{"administrator", func(i *IdP) {}, []any{"admin", true}, "link_denied_user"},
		{"administrator, allowed", func(i *IdP) {
			i.Policy.AccountLink.Filter = &LinkFilter{Users: &UserFilter{ExcludeAdmins: &no}}
		}, []any{"admin", true}, ""},
		{"administrator, excluded by name", func(i *IdP) {
			i.Policy.AccountLink.Filter = &LinkFilter{Users: &UserFilter{ExcludeAdmins: &yes}}
		}, []any{"admin", true}, "link_denied_user"},
	}
	each(t, func(t *testing.T, s *Service) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				i := makeIdP(t, s, tt.name, func(i *IdP) {
					auto(i)
					if tt.change != nil {
						tt.change(i)
					}
				})
				login := i.ID + "@corp.example"
				u := makeUser(t, s, login)
				a := assertionOf(i, "1", login, tt.more...)
				if a.Claims["preferred_username"] == "@victim" {
					a.Claims["preferred_username"] = login
				}
				if a.Claims["admin"] == true {
					if err := s.Directory.AddMember(t.Context(), manage, s.Directory.AdministratorsID(), u.ID); err != nil {
						t.Fatal(err)
					}
				}
				got, err := enter(t, s, a)
				if tt.code != "" {
					wantDenied(t, err, tt.code)
				} else if err != nil || got != u.ID {
					t.Errorf("got %s, error %v; want %s linked", got, err, u.ID)
				}
			})
		}
	})
}

// An account that a provider made with an address that it had not verified may belong
// to a stranger who waits for its owner: nothing is linked to it by that address.
func TestADV30_PreHijack(t *testing.T) {
	each(t, func(t *testing.T, s *Service) {
		lax, strict := makeIdP(t, s, "Lax", jit), makeIdP(t, s, "Strict", auto)
		mustEnter(t, s, assertionOf(lax, "stranger", "victim@corp.example", "email_verified", false))
		_, err := enter(t, s, assertionOf(strict, "owner", "victim@corp.example"))
		wantDenied(t, err, "user_match_error")
	})
}

// An address that a client of SCIM put into somebody's profile links nobody to them,
// unless the client is known to know that it is theirs.
func TestADV56_LinkByAnAddressOfSCIM(t *testing.T) {
	each(t, func(t *testing.T, s *Service) {
		i := makeIdP(t, s, "Strict", func(i *IdP) {
			auto(i)
			i.Policy.Subject.MatchType = MatchEmail
		})
		c := directory.Change{Actor: admin.Actor, Source: directory.Source{Kind: directory.SourceSCIM}}
		for _, verifies := range []bool{false, true} {
			for _, attr := range []string{"email", "secondEmail"} {
				name := fmt.Sprintf("%s-%v@corp.example", attr, verifies)
				u := makeUser(t, s, "login-of-"+name)
				c.VerifiesEmail = verifies
				if _, err := s.Directory.UpdateProfile(t.Context(), c, u.ID, map[string]any{attr: name}); err != nil {
					t.Fatal(err)
				}
				got, err := enter(t, s, assertionOf(i, name, name))
				if !verifies {
					wantDenied(t, err, "user_match_error")
				} else if err != nil || got != u.ID {
					t.Errorf("%s: got %s, %v, want %s linked", name, got, err, u.ID)
				}
			}
		}
	})
}

// A provider's word counts for the address that it has verified, and for no other.
func TestADV56_AddressOfAProvider(t *testing.T) {
	each(t, func(t *testing.T, s *Service) {
		i := makeIdP(t, s, "Makes", jit)
		for name, verified := range map[string]any{"yes@corp.example": true, "no@corp.example": false} {
			u, err := s.Directory.User(t.Context(), mustEnter(t, s, assertionOf(i, name, name, "email_verified", verified)))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := s.Directory.Vouched(t.Context(), u, "email"); err != nil || got != verified {
				t.Errorf("%s: verified %v, %v", name, got, err)
			}
		}
	})
}

func TestADV30_LinkFilterByGroup(t *testing.T) {
	each(t, func(t *testing.T, s *Service) {
		staff := makeGroup(t, s, "Staff")
		i := makeIdP(t, s, "Partner", func(i *IdP) {
			auto(i)
			i.Policy.AccountLink.Filter = &LinkFilter{Groups: &GroupFilter{Include: []string{staff}}}
		})
		in, out := makeUser(t, s, "in@corp.example"), makeUser(t, s, "out@corp.example")
		if err := s.Directory.AddMember(t.Context(), manage, staff, in.ID); err != nil {
			t.Fatal(err)
		}
		if got := mustEnter(t, s, assertionOf(i, "1", "in@corp.example")); got != in.ID {
			t.Errorf("linked %s, want %s", got, in.ID)
		}
		_, err := enter(t, s, assertionOf(i, "2", "out@corp.example"))
		wantDenied(t, err, "link_denied_group")
		if _, err := s.Link(t.Context(), i.ID, out.ID); !errors.Is(err, ErrNoLink) {
			t.Errorf("denied user has a link: %v", err)
		}
	})
}

// A second subject of one provider is not linked to a user that has one there.
func TestADV30_SecondSubject(t *testing.T) {
	each(t, func(t *testing.T, s *Service) {
		i := makeIdP(t, s, "Partner", auto)
		makeUser(t, s, "ada@corp.example")
		mustEnter(t, s, assertionOf(i, "1", "ada@corp.example"))
		_, err := enter(t, s, assertionOf(i, "2", "ada@corp.example"))
		wantDenied(t, err, "user_match_error")
	})
}

// The short form of a login that a person may type means nobody when a provider says it.
func TestADV30_ShortName(t *testing.T) {
	each(t, func(t *testing.T, s *Service) {
		i := makeIdP(t, s, "Partner", func(i *IdP) {
			auto(i)
			i.Policy.Subject.UserNameTemplate.Template = "idpuser.nickname"
		})
		makeUser(t, s, "ada@corp.example")
		_, err := enter(t, s, assertionOf(i, "1", "x@idp.example", "nickname", "ada"))
		wantDenied(t, err, "jit_disabled")
	})
}

// A provider writes neither what another system masters, nor the status, nor who is
// an administrator.
func TestADV33_JITWritesOnlyItsOwn(t *testing.T) {
	each(t, func(t *testing.T, s *Service) {
		i := makeIdP(t, s, "Partner", func(i *IdP) {
			jit(i)
			i.Policy.Provisioning.Groups = Groups{Action: Assign, Assignments: []string{s.Directory.AdministratorsID()}}
		})
		a := assertionOf(i, "1", "ada@idp.example", "active", false, "status", "SUSPENDED",
			"roles", []any{"admin"}, "groups", []any{"Administrators"}, "id", "00u1", "login", "root@corp.example")
		userID := mustEnter(t, s, a)
		mustEnter(t, s, a)
		u, err := s.Directory.User(t.Context(), userID)
		if err != nil || u.Status != directory.Active {
			t.Errorf("status is %v, error %v; want ACTIVE", u.Status, err)
		}
		if p := profileOf(t, s, userID); p["login"] != "ada@idp.example" || p["userType"] != nil {
			t.Errorf("profile is %v", p)
		}
		if groupNames(t, s, userID)["Administrators"] {
			t.Error("a provider made an administrator")
		}
	})
}

func TestADV33_MasteredElsewhere(t *testing.T) {
	each(t, func(t *testing.T, s *Service) {
		i := makeIdP(t, s, "Partner", jit)
		userID := mustEnter(t, s, assertionOf(i, "1", "ada@idp.example"))
		master(t, s, userID)
		mustEnter(t, s, assertionOf(i, "1", "ada@idp.example", "family_name", "Evil", "nickname", "Countess"))
		if p := profileOf(t, s, userID); p["lastName"] != "Lovelace" || p["nickName"] != "Countess" {
			t.Errorf("lastName %v, nickName %v; want the mastered one kept and the other refreshed", p["lastName"], p["nickName"])
		}
	})
}

// master makes an app that owns the last name of a user.
func master(t *testing.T, s *Service, userID string) {
	t.Helper()
	app, err := s.Directory.CreateApp(t.Context(), manage, directory.App{
		Name: "ldap", Label: "HR", Features: []string{directory.ProfileMastering, directory.ImportProfileUpdates},
	})
	if err != nil {
		t.Fatal(err)
	}
	m, err := s.Directory.MappingFor(t.Context(), app.ID, directory.UserPartner)
	if err != nil {
		t.Fatal(err)
	}
	only := map[string]*directory.Property{"lastName": {Expression: "appuser.sn", PushStatus: directory.Push}}
	for name := range m.Properties {
		if name != "lastName" {
			only[name] = nil
		}
	}
	if _, err := s.Directory.UpdateMapping(t.Context(), manage, m.ID, only); err != nil {
		t.Fatal(err)
	}
	u, err := s.Directory.AssignUser(t.Context(), manage, app.ID, userID)
	if err != nil {
		t.Fatal(err)
	}
	u.ExternalID = "ext-1"
	err = s.DB.Write(t.Context(), func(tx *sqldb.Tx) error { return s.Directory.SaveAppUserTx(tx, u) })
	if err != nil {
		t.Fatal(err)
	}
}

// Whatever the facts: nobody is linked on an address that was not verified on both
// sides, and nobody is let in where the policy says nothing.
func TestDecideNeverLinksUnproven(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SampledFrom([]string{"", Auto, Disabled})
		var p Policy
		p.Provisioning.Action = words.Draw(t, "provisioning")
		p.AccountLink.Action = words.Draw(t, "accountLink")
		f := facts{
			linked:   rapid.SampledFrom([]string{"", "00u9"}).Draw(t, "linked"),
			name:     userName{value: rapid.SampledFrom([]string{"ada", "ada@corp.example"}).Draw(t, "name"), fromEmail: rapid.Bool().Draw(t, "fromEmail")},
			email:    rapid.SampledFrom([]string{"", "ada@corp.example", "eve@idp.example"}).Draw(t, "email"),
			verified: rapid.Bool().Draw(t, "verified"),
		}
		if rapid.Bool().Draw(t, "match") {
			f.match = &match{userID: "00u1", admin: rapid.Bool().Draw(t, "admin"), unproven: rapid.Bool().Draw(t, "unproven"), taken: rapid.Bool().Draw(t, "taken")}
		}
		got, no := decide(p, f)
		if (got == deny) != (no != nil) {
			t.Fatalf("action %v with denial %v", got, no)
		}
		if got == link && (p.AccountLink.Action != Auto || f.match.unproven || f.match.taken || f.match.admin || f.name.fromEmail && !f.verified) {
			t.Fatalf("linked on %+v under %+v", f, p)
		}
		if got == create && (p.Provisioning.Action != Auto || f.match != nil) {
			t.Fatalf("created on %+v under %+v", f, p)
		}
		if (got == signIn) != (f.linked != "") {
			t.Fatalf("signed in on %+v", f)
		}
	})
}
