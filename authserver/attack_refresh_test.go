package authserver

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/provost-id/provost/authserver/policy"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
)

// TestADV9_RefreshReuse: a rotated token that comes again revokes the family.
func TestADV9_RefreshReuse(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		b := newBench(t, db)
		c := b.webClient()
		first := b.tokens(c, DefaultServer, "openid offline_access")
		second := b.refresh(c, DefaultServer, first.str("refresh_token"), nil)
		if second.Status != http.StatusOK || second.str("refresh_token") == first.str("refresh_token") || second.str("id_token") == "" {
			t.Fatalf("refresh: got %d %v", second.Status, second.Body)
		}
		b.wantError(b.refresh(c, DefaultServer, first.str("refresh_token"), nil), 400, "invalid_grant", textRefresh)
		b.wantError(b.refresh(c, DefaultServer, second.str("refresh_token"), nil), 400, "invalid_grant", textRefresh)
		for _, a := range []answer{first, second} {
			if b.active(c, DefaultServer, a.str("access_token")) {
				t.Error("an access token of the family is active")
			}
		}
		if b.eventTypes("app.oauth2.as.token.detect_reuse") != 1 {
			t.Error("no event tells of it")
		}
	})
}

// TestADV9_ParallelRefresh: 50 uses of one token at once. Without leeway exactly one
// wins and no successor lives; with leeway all get the same successor, which lives.
func TestADV9_ParallelRefresh(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		b := newBench(t, db)
		for name, leeway := range map[string]int{"no leeway": 0, "leeway": 60} {
			t.Run(name, func(t *testing.T) {
				b.in(t)
				c := b.webClient(func(c *Client) { c.RefreshToken = &RefreshSettings{Leeway: leeway} })
				token := b.tokens(c, DefaultServer, "openid offline_access").str("refresh_token")
				successors := map[string]int{}
				for _, a := range atOnce(50, func() answer { return b.refresh(c, DefaultServer, token, nil) }) {
					if a.Status == http.StatusOK {
						successors[a.str("refresh_token")]++
					} else {
						b.wantError(a, 400, "invalid_grant", textRefresh)
					}
				}
				checkSuccessors(t, b, c, leeway, successors)
			})
		}
	})
}

func checkSuccessors(t *testing.T, b *bench, c *Client, leeway int, successors map[string]int) {
	t.Helper()
	if len(successors) != 1 {
		t.Fatalf("%d successors, want 1", len(successors))
	}
	for token, n := range successors {
		a := b.refresh(c, DefaultServer, token, nil)
		switch {
		case leeway == 0 && (n != 1 || a.Status == http.StatusOK):
			t.Errorf("%d won, and the successor answers %d", n, a.Status)
		case leeway > 0 && (n != 50 || a.Status != http.StatusOK):
			t.Errorf("%d got the successor, which answers %d %v", n, a.Status, a.Body)
		}
	}
}

// TestRefreshLeeway: a lost answer is given again, the very same, until it is used or
// the leeway is over.
func TestRefreshLeeway(t *testing.T) {
	b := sqliteBench(t)
	c := b.webClient(func(c *Client) { c.RefreshToken = &RefreshSettings{Leeway: 30} })
	start := func() (string, answer) {
		token := b.tokens(c, DefaultServer, "openid offline_access").str("refresh_token")
		return token, b.refresh(c, DefaultServer, token, nil)
	}
	token, lost := start()
	again := b.refresh(c, DefaultServer, token, nil)
	for _, name := range []string{"access_token", "refresh_token", "id_token", "scope"} {
		if again.str(name) != lost.str(name) {
			t.Errorf("%s differs", name)
		}
	}
	if a := b.refresh(c, DefaultServer, again.str("refresh_token"), nil); a.Status != http.StatusOK {
		t.Fatalf("successor: got %d %v", a.Status, a.Body)
	}
	b.wantError(b.refresh(c, DefaultServer, token, nil), 400, "invalid_grant", textRefresh)
	token, _ = start()
	b.clock.advance(31 * time.Second)
	b.wantError(b.refresh(c, DefaultServer, token, nil), 400, "invalid_grant", textRefresh)
}

// TestADV10_RefreshAfterChange: whoever is no longer admitted gets nothing more.
func TestADV10_RefreshAfterChange(t *testing.T) {
	b := sqliteBench(t)
	for name, change := range map[string]func(c *Client){
		"user deactivated": func(*Client) { b.people.change("00uada", func(p *Person) { p.Active = false }) },
		"group lost":       func(*Client) { b.people.change("00uada", func(p *Person) { p.Groups = nil }) },
		"assignment lost":  func(c *Client) { b.people.only = map[string]bool{} },
		"client deleted": func(c *Client) {
			if err := b.s.DeleteClient(t.Context(), b.by, c.ID); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			b.in(t)
			b.people.all = newPeople().all
			c := b.webClient(func(c *Client) { c.Settings.ImplicitAssignment = no() })
			b.people.only = map[string]bool{c.ID + " 00uada": true}
			as := b.staffServer()
			token := b.tokens(c, as, "openid offline_access").str("refresh_token")
			change(c)
			a := b.refresh(c, as, token, nil)
			if code := a.str("error"); code != "invalid_grant" && code != "invalid_client" {
				t.Errorf("got %d %v", a.Status, a.Body)
			}
		})
	}
}

// staffServer is a server whose only rule is for the group Staff.
func (b *bench) staffServer() string {
	b.t.Helper()
	srv, err := b.s.CreateServer(b.t.Context(), b.by, Server{Name: "staff " + time.Now().String(), Audiences: []string{"api://staff"}})
	if err != nil {
		b.t.Fatal(err)
	}
	b.allow(srv.ID, Rule{
		Name: "staff",
		Conditions: RuleConditions{
			People:     RulePeople{Groups: policy.Set{Include: []string{"00gstaff"}}},
			GrantTypes: Include{[]string{grantCode, grantClientCredentials}}, Scopes: Include{[]string{policy.AllScopes}},
		},
	})
	return srv.ID
}

// allow adds a policy for all clients with one rule.
func (b *bench) allow(as string, r Rule) (Policy, Rule) {
	b.t.Helper()
	p, err := b.s.CreatePolicy(b.t.Context(), b.by, as, Policy{
		Name: r.Name, Conditions: PolicyConditions{Clients: Include{[]string{policy.AllClients}}},
	})
	if err != nil {
		b.t.Fatal(err)
	}
	out, err := b.s.CreateRule(b.t.Context(), b.by, as, p.ID, r)
	if err != nil {
		b.t.Fatal(err)
	}
	return p, out
}

// TestRefreshScope: fewer scopes for the access token, never more, and the grant
// keeps what it has (fosite ignores the parameter).
func TestRefreshScope(t *testing.T) {
	b := sqliteBench(t)
	c := b.webClient()
	a := b.tokens(c, DefaultServer, "openid email offline_access")
	a = b.refresh(c, DefaultServer, a.str("refresh_token"), url.Values{"scope": {"openid"}})
	if got := a.str("scope"); got != "openid" {
		t.Fatalf("narrowed: got %d %v", a.Status, a.Body)
	}
	b.wantError(b.refresh(c, DefaultServer, a.str("refresh_token"), url.Values{"scope": {"openid profile"}}), 400, "invalid_scope", textScope)
	a = b.refresh(c, DefaultServer, a.str("refresh_token"), nil)
	if got := a.str("scope"); got != "openid email offline_access" {
		t.Errorf("afterwards: got %q", got)
	}
}

// TestRefreshOfAnotherClient: it is refused and told of, and nobody is signed out by
// it (fosite would revoke the family).
func TestRefreshOfAnotherClient(t *testing.T) {
	b := sqliteBench(t)
	c, other := b.webClient(), b.webClient()
	first := b.tokens(c, DefaultServer, "openid offline_access")
	second := b.refresh(c, DefaultServer, first.str("refresh_token"), nil)
	b.wantError(b.refresh(other, DefaultServer, first.str("refresh_token"), nil), 400, "invalid_grant", "issued to another client")
	if a := b.refresh(c, DefaultServer, second.str("refresh_token"), nil); a.Status != http.StatusOK {
		t.Errorf("the family is dead: %v", a.Body)
	}
	if b.eventTypes("app.oauth2.as.token.grant.refresh_token") != 1 {
		t.Error("no event tells of it")
	}
}

// TestStaticRefresh: a client that asked for it keeps one token, which the window
// prolongs.
func TestStaticRefresh(t *testing.T) {
	b := sqliteBench(t)
	c := b.webClient(func(c *Client) { c.RefreshToken = &RefreshSettings{RotationType: RotationStatic} })
	token := b.tokens(c, DefaultServer, "openid offline_access").str("refresh_token")
	for range 3 {
		b.clock.advance(6 * 24 * time.Hour)
		a := b.refresh(c, DefaultServer, token, nil)
		if a.Status != http.StatusOK || a.str("refresh_token") != token {
			t.Fatalf("got %d %v", a.Status, a.Body)
		}
	}
	b.clock.advance(8 * 24 * time.Hour)
	b.wantError(b.refresh(c, DefaultServer, token, nil), 400, "invalid_grant", textRefresh)
}
