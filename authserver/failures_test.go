package authserver

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/provost-id/provost/authserver/policy"
)

// TestTokenFailures holds the token endpoint to the words of the contract.
func TestTokenFailures(t *testing.T) {
	b := sqliteBench(t)
	c, spa := b.webClient(), b.spaClient()
	wrong, unknown := *c, *c
	wrong.Secret = "wrong"
	unknown.ID = "0oaunknown"
	credentials := func(scope string) url.Values {
		return url.Values{"grant_type": {grantClientCredentials}, "scope": {scope}}
	}
	if _, err := b.s.CreateScope(t.Context(), b.by, DefaultServer, Scope{Name: "api"}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.s.CreateScope(t.Context(), b.by, DefaultServer, Scope{Name: "asked", Consent: ConsentRequired}); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name   string
		client *Client
		form   url.Values
		status int
		code   string
		text   string
	}{
		{"no client", nil, credentials("api"), 401, "invalid_client", "No client credentials found."},
		{"confidential client without secret", &Client{ID: c.ID}, credentials("api"), 401, "invalid_client", "No client credentials found."},
		{"wrong secret", &wrong, credentials("api"), 401, "invalid_client", "The client secret supplied for a confidential client is invalid."},
		{"unknown client", &unknown, credentials("api"), 401, "invalid_client", "Invalid value for 'client_id' parameter."},
		{"two credentials", c, url.Values{"grant_type": {grantClientCredentials}, "client_secret": {"x"}}, 401, "invalid_request", "Cannot supply multiple client credentials."},
		{"no grant type", c, url.Values{"scope": {"api"}}, 400, "invalid_request", "must specify a 'grant_type'"},
		{"unknown grant type", c, url.Values{"grant_type": {"magic"}}, 400, "unsupported_grant_type", "not supported"},
		{"grant not on the client", spa, credentials("api"), 400, "unauthorized_client", "Configured grant types: [authorization_code, refresh_token]."},
		{"unknown scope", c, credentials("api nothing"), 400, "invalid_scope", textScope},
		{"no scope", c, credentials(""), 400, "invalid_scope", "does not have any configured default scopes, 'scope' must be provided."},
		{"openid for a client", c, credentials("openid"), 400, "invalid_scope", "Cannot request 'openid' scopes using client credentials."},
		{"scope that needs consent", c, credentials("asked"), 400, "consent_required", "cannot be granted for the client credentials grant type: [asked]."},
		{"long scope", c, credentials(strings.Repeat("a", maxScope+1)), 400, "invalid_scope", "longer than"},
		{"code", c, url.Values{"grant_type": {grantCode}, "code": {"nonsense"}}, 400, "invalid_grant", textCode},
		{"refresh token", c, url.Values{"grant_type": {grantRefresh}, "refresh_token": {"nonsense"}}, 400, "invalid_grant", textRefresh},
		{"parameter twice", c, url.Values{"grant_type": {grantCode}, "code": {"a", "b"}}, 400, "invalid_request", "sent more than once"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b.in(t)
			a := b.post(b.as(DefaultServer, "token"), tc.client, tc.form)
			b.wantError(a, tc.status, tc.code, tc.text)
			if (a.Status == 401) != (a.Header.Get("WWW-Authenticate") != "") {
				t.Errorf("WWW-Authenticate: got %q with %d", a.Header.Get("WWW-Authenticate"), a.Status)
			}
			if a.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("Cache-Control: got %q", a.Header.Get("Cache-Control"))
			}
		})
	}
	a := b.post(b.as(DefaultServer, "token")+"?client_secret=x", c, credentials("api"))
	b.wantError(a, 400, "invalid_request", "Client credentials cannot be supplied via query parameters.")
	resp := b.get(http.DefaultClient, b.as(DefaultServer, "token"))
	if resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET: got %s", resp.Status)
	}
}

// TestAuthorizeFailures: what comes back to the client, word for word.
func TestAuthorizeFailures(t *testing.T) {
	b := sqliteBench(t)
	c := b.webClient()
	assigned := b.webClient(func(c *Client) { c.Settings.ImplicitAssignment = no() })
	if _, err := b.s.CreateScope(t.Context(), b.by, DefaultServer, Scope{Name: "asked", Consent: ConsentFlexible}); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name   string
		client *Client
		scope  string
		more   url.Values
		code   string
		text   string
	}{
		{"unknown scope", c, "openid nothing", nil, "invalid_scope", textScope},
		{"openid missing", c, "profile", nil, "invalid_scope", "require the 'openid' scope."},
		{"no scope", c, "", nil, "invalid_scope", "'scope' must be provided."},
		{"not assigned", assigned, "openid", nil, "access_denied", textAssigned},
		{"not logged in", c, "openid", url.Values{"prompt": {"none"}}, "login_required", "The client specified not to prompt, but the user is not logged in."},
		{"prompt", c, "openid", url.Values{"prompt": {"none login"}}, "invalid_request", "'prompt'"},
		{"max_age", c, "openid", url.Values{"max_age": {"-1"}}, "invalid_request", "'max_age'"},
		{"consent", c, "openid asked", url.Values{"prompt": {"consent"}}, "consent_required", "The following scopes require user consent: [asked]."},
		{"request object", c, "openid", url.Values{"request": {"x"}}, "request_not_supported", "not supported"},
		{"request URI", c, "openid", url.Values{"request_uri": {"urn:ietf:params:oauth:request_uri:x"}}, "request_uri_not_supported", "not supported"},
		{"response mode", c, "openid", url.Values{"response_mode": {"telepathy"}}, "unsupported_response_mode", ""},
		{"too long for the sign-in page", c, "openid", url.Values{"nonce": {strings.Repeat("n", 25<<10)}}, "invalid_request", "too long"},
		{"foreign hint", c, "openid", url.Values{"id_token_hint": {"a.b.c"}}, "invalid_request", "'id_token_hint'"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b.in(t)
			got := b.authorize(b.browser(), DefaultServer, authorizeForm(tc.client, tc.scope, tc.more))
			if got.Get("error") != tc.code || !strings.Contains(got.Get("error_description"), tc.text) || got.Has("code") {
				t.Errorf("got %v, want %s %q", got, tc.code, tc.text)
			}
			if got.Get("state") != "some-state" || got.Get("iss") == "" {
				t.Errorf("state and iss: got %v", got)
			}
		})
	}
	resp := b.get(b.browser(), b.as(DefaultServer, "authorize")+"?client_id=nobody&redirect_uri="+url.QueryEscape("https://evil.example/"))
	if resp.StatusCode != http.StatusBadRequest || resp.Header.Get("Location") != "" {
		t.Errorf("unknown client: got %s %s", resp.Status, resp.Header.Get("Location"))
	}
}

// TestADV22_Deny: a scope that no rule grants, and no rule at all.
func TestADV22_Deny(t *testing.T) {
	b := sqliteBench(t)
	c := b.webClient()
	srv, err := b.s.CreateServer(t.Context(), b.by, Server{Name: "orders", Audiences: []string{"api://orders"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"read", "write"} {
		if _, err := b.s.CreateScope(t.Context(), b.by, srv.ID, Scope{Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	ask := func(scope string) answer {
		a := b.post(b.as(srv.ID, "token"), c, url.Values{"grant_type": {grantClientCredentials}, "scope": {scope}})
		if a.Header.Get("WWW-Authenticate") != "" { // it has authenticated
			t.Errorf("scope %s: challenged with %d", scope, a.Status)
		}
		return a
	}
	b.wantError(ask("read"), 401, "access_denied", textPolicy)
	p, r := b.allow(srv.ID, Rule{Name: "read", Conditions: RuleConditions{
		GrantTypes: Include{[]string{grantClientCredentials}}, Scopes: Include{[]string{"read"}},
	}})
	if a := ask("read"); a.Status != http.StatusOK || a.str("scope") != "read" {
		t.Errorf("granted scope: got %d %v", a.Status, a.Body)
	}
	b.wantError(ask("write"), 401, "access_denied", textPolicy)
	b.wantError(ask("read write"), 401, "access_denied", textPolicy)
	got := b.authorize(b.browser(), srv.ID, authorizeForm(c, "openid", nil))
	if got.Get("error") != "access_denied" || got.Get("error_description") != textPolicy {
		t.Errorf("code flow without a rule: got %v", got)
	}
	if err := b.s.SetRuleStatus(t.Context(), b.by, srv.ID, p.ID, r.ID, Inactive); err != nil {
		t.Fatal(err)
	}
	b.wantError(ask("read"), 401, "access_denied", textPolicy)
}

// TestRuleLifetimes: the rule that matches says how long tokens live.
func TestRuleLifetimes(t *testing.T) {
	b := sqliteBench(t)
	c := b.webClient()
	srv, err := b.s.CreateServer(t.Context(), b.by, Server{Name: "short", Audiences: []string{"api://short"}, AccessTokenAlg: rs256})
	if err != nil {
		t.Fatal(err)
	}
	b.allow(srv.ID, Rule{
		Name: "short",
		Conditions: RuleConditions{
			People:     RulePeople{Groups: policy.Set{Include: []string{policy.Everyone}}},
			GrantTypes: Include{[]string{grantCode}}, Scopes: Include{[]string{"*"}},
		},
		Actions: RuleActions{TokenAction{AccessTokenLifetimeMinutes: 5, RefreshTokenLifetimeMinutes: 30, RefreshTokenWindowMinutes: 20}},
	})
	a := b.tokens(c, srv.ID, "openid offline_access")
	body := claims(t, a.str("access_token"))
	if body["exp"].(float64)-body["iat"].(float64) != 300 || body["aud"] != "api://short" {
		t.Errorf("claims: got %v", body)
	}
	if h := header(t, a.str("access_token")); h["alg"] != rs256 {
		t.Errorf("header: got %v", h)
	}
	b.clock.advance(19 * 60e9)
	a = b.refresh(c, srv.ID, a.str("refresh_token"), nil)
	if a.Status != http.StatusOK {
		t.Fatalf("within the window: got %v", a.Body)
	}
	b.clock.advance(12 * 60e9) // within the window, beyond the family
	b.wantError(b.refresh(c, srv.ID, a.str("refresh_token"), nil), 400, "invalid_grant", textRefresh)
}

// TestDefaultScopes are granted to a request that names none.
func TestDefaultScopes(t *testing.T) {
	b := sqliteBench(t)
	c := b.webClient()
	if _, err := b.s.CreateScope(t.Context(), b.by, DefaultServer, Scope{Name: "base", Default: true}); err != nil {
		t.Fatal(err)
	}
	a := b.post(b.as(DefaultServer, "token"), c, url.Values{"grant_type": {grantClientCredentials}})
	if a.str("scope") != "base" {
		t.Errorf("got %d %v", a.Status, a.Body)
	}
}

// TestImplicitAssignment: a client that does not admit everyone admits who is assigned.
func TestImplicitAssignment(t *testing.T) {
	b := sqliteBench(t)
	c := b.webClient(func(c *Client) { c.Settings.ImplicitAssignment = no() })
	b.people.only[c.ID+" 00uada"] = true
	b.tokens(c, DefaultServer, "openid")
	b.user.Store("00ubob")
	if got := b.authorize(b.browser(), DefaultServer, authorizeForm(c, "openid", nil)); got.Get("error_description") != textAssigned {
		t.Errorf("got %v", got)
	}
	if !slices.Contains(c.GrantTypes, grantRefresh) {
		t.Error("the client has lost a grant type")
	}
}
