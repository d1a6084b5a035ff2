package authserver

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
)

// TestADV1_CodeOfAnotherClient: the code is burned and the log tells.
func TestADV1_CodeOfAnotherClient(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		b := newBench(t, db)
		a, other := b.webClient(), b.webClient()
		code := b.code(a, DefaultServer, "openid", nil)
		b.wantError(b.exchange(other, DefaultServer, code, nil), 400, "invalid_grant", "issued to another client")
		b.wantError(b.exchange(a, DefaultServer, code, nil), 400, "invalid_grant", textCode)
		if b.eventTypes("app.oauth2.as.authorize.code.misuse") != 1 {
			t.Error("no event tells of it")
		}
	})
}

// TestADV2_CodeTwice: the second use fails and the tokens of the first are dead.
func TestADV2_CodeTwice(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		b := newBench(t, db)
		c := b.webClient()
		code := b.code(c, DefaultServer, "openid offline_access", nil)
		first := b.exchange(c, DefaultServer, code, nil)
		if !b.active(c, DefaultServer, first.str("access_token")) {
			t.Fatalf("first use: got %v", first.Body)
		}
		b.wantError(b.exchange(c, DefaultServer, code, nil), 400, "invalid_grant", textCode)
		if b.active(c, DefaultServer, first.str("access_token")) {
			t.Error("the access token of the first use is active")
		}
		b.wantError(b.refresh(c, DefaultServer, first.str("refresh_token"), nil), 400, "invalid_grant", textRefresh)
		if b.eventTypes("app.oauth2.as.token.detect_reuse") != 1 {
			t.Error("no event tells of it")
		}
	})
}

// TestADV2_CodeRace: of many redemptions at once one at most gets tokens, and they
// are dead in the end.
func TestADV2_CodeRace(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		b := newBench(t, db)
		c := b.webClient()
		code := b.code(c, DefaultServer, "openid offline_access", nil)
		answers := atOnce(20, func() answer { return b.exchange(c, DefaultServer, code, nil) })
		var won []answer
		for _, a := range answers {
			if a.Status == http.StatusOK {
				won = append(won, a)
				continue
			}
			b.wantError(a, 400, "invalid_grant", textCode)
		}
		if len(won) != 1 {
			t.Fatalf("%d redemptions got tokens, want 1", len(won))
		}
		if b.active(c, DefaultServer, won[0].str("access_token")) {
			t.Error("the tokens of a code that was used twice are active")
		}
	})
}

func atOnce(n int, fn func() answer) []answer {
	out := make([]answer, n)
	var wg sync.WaitGroup
	for i := range out {
		wg.Go(func() { out[i] = fn() })
	}
	wg.Wait()
	return out
}

// TestADV3_RedirectURIAtRedemption: another one, or none although one was sent.
func TestADV3_RedirectURIAtRedemption(t *testing.T) {
	b := sqliteBench(t)
	c := b.webClient()
	for name, uri := range map[string]string{"other": "https://app.example/other", "none": ""} {
		t.Run(name, func(t *testing.T) {
			b.in(t)
			code := b.code(c, DefaultServer, "openid", nil)
			b.wantError(b.exchange(c, DefaultServer, code, url.Values{"redirect_uri": {uri}}), 400, "invalid_grant", "'redirect_uri' does not match")
		})
	}
}

// TestADV4_RedirectURIMatching: nothing but the very string leads anywhere, and
// nothing of the value comes back.
func TestADV4_RedirectURIMatching(t *testing.T) {
	b := sqliteBench(t)
	c := b.webClient()
	for _, uri := range []string{
		"https://app.example@evil.example/cb", "https://app.example/..;/cb", "https://app.example/%2e%2e/cb", "https://app.example/cb#x",
		"https://app.example./cb", "https://APP.example/cb", "HTTPS://app.example/cb", "https://app.example/CB", "https://app.example:443/cb",
		"https://app.example/cb/", "https://app.example/cb?x=1", "http://app.example/cb", "http://localhost.evil/cb", `https://app.example\cb`,
		"https://user@app.example/cb", "https://аpp.example/cb", "javascript:alert(1)", "//app.example/cb", "/cb", " https://app.example/cb",
		"https://app.example/cb\t", "https://app.example/cb%00",
	} {
		form := authorizeForm(c, "openid", url.Values{"redirect_uri": {uri}})
		resp := b.get(b.browser(), b.as(DefaultServer, "authorize")+"?"+form.Encode())
		text := body(t, resp)
		if resp.StatusCode != http.StatusBadRequest || resp.Header.Get("Location") != "" {
			t.Errorf("%q: got %s to %q", uri, resp.Status, resp.Header.Get("Location"))
		}
		if !strings.Contains(text, "must be a Login redirect URI") || strings.Contains(text, "evil") || strings.Contains(text, "alert(") {
			t.Errorf("%q: page says %q", uri, text)
		}
	}
}

// TestADV5_LoopbackRedirects: a native client chooses the port of the literal address
// it has registered; nobody else, and nothing but the port.
func TestADV5_LoopbackRedirects(t *testing.T) {
	b := sqliteBench(t)
	loop := func(c *Client) {
		c.RedirectURIs = []string{"http://127.0.0.1/cb", "http://[::1]/cb", "http://localhost:1/cb"}
	}
	native := b.spaClient(loop, func(c *Client) { c.ApplicationType = AppNative })
	spa := b.spaClient(loop)
	for _, tc := range []struct {
		uri    string
		native bool
		spa    bool
	}{
		{"http://127.0.0.1/cb", true, true},
		{"http://127.0.0.1:51004/cb", true, false},
		{"http://[::1]:51004/cb", true, false},
		{"http://localhost:1/cb", true, true},
		{"http://localhost:51004/cb", false, false},
		{"http://127.0.0.2:51004/cb", false, false},
		{"http://127.0.0.1.evil:51004/cb", false, false},
		{"http://127.0.0.1:51004/other", false, false},
		{"http://x@127.0.0.1:51004/cb", false, false},
		{"https://127.0.0.1:51004/cb", false, false},
		{"http://127.0.0.1:51004/cb?x", false, false},
	} {
		if got := native.matchRedirect(tc.uri); got != tc.native {
			t.Errorf("native client, %s: got %v, want %v", tc.uri, got, tc.native)
		}
		if got := spa.matchRedirect(tc.uri); got != tc.spa {
			t.Errorf("browser client, %s: got %v, want %v", tc.uri, got, tc.spa)
		}
	}
	uri := "http://127.0.0.1:51004/cb"
	verifier := oauth2.GenerateVerifier()
	pkce := url.Values{"redirect_uri": {uri}, "code_challenge": {oauth2.S256ChallengeFromVerifier(verifier)}, "code_challenge_method": {"S256"}}
	code := b.code(native, DefaultServer, "openid", pkce)
	got := b.exchange(native, DefaultServer, code, url.Values{"redirect_uri": {uri}, "code_verifier": {verifier}})
	if got.Status != http.StatusOK {
		t.Errorf("loopback flow: got %d %v", got.Status, got.Body)
	}
}

// TestADV6_PKCE: every way around it.
func TestADV6_PKCE(t *testing.T) {
	b := sqliteBench(t)
	web, spa := b.webClient(), b.spaClient()
	verifier := oauth2.GenerateVerifier()
	challenge := url.Values{"code_challenge": {oauth2.S256ChallengeFromVerifier(verifier)}, "code_challenge_method": {"S256"}}
	t.Run("verifier without challenge", func(t *testing.T) {
		b.in(t)
		code := b.code(web, DefaultServer, "openid", nil)
		b.wantError(b.exchange(web, DefaultServer, code, url.Values{"code_verifier": {verifier}}), 400, "invalid_grant", textPKCE)
	})
	t.Run("challenge without verifier", func(t *testing.T) {
		b.in(t)
		code := b.code(web, DefaultServer, "openid", challenge)
		b.wantError(b.exchange(web, DefaultServer, code, nil), 400, "invalid_request", textVerifier)
	})
	t.Run("wrong verifier burns the code", func(t *testing.T) {
		b.in(t)
		code := b.code(spa, DefaultServer, "openid", challenge)
		wrong := url.Values{"code_verifier": {oauth2.GenerateVerifier()}}
		b.wantError(b.exchange(spa, DefaultServer, code, wrong), 400, "invalid_grant", textPKCE)
		b.wantError(b.exchange(spa, DefaultServer, code, url.Values{"code_verifier": {verifier}}), 400, "invalid_grant", textCode)
	})
	t.Run("plain", func(t *testing.T) {
		b.in(t)
		for _, method := range []string{"plain", ""} {
			more := url.Values{"code_challenge": {verifier}, "code_challenge_method": {method}}
			got := b.authorize(b.browser(), DefaultServer, authorizeForm(web, "openid", more))
			if got.Get("error") != "invalid_request" || got.Get("code") != "" {
				t.Errorf("method %q: got %v", method, got)
			}
		}
	})
	t.Run("public client without", func(t *testing.T) {
		b.in(t)
		got := b.authorize(b.browser(), DefaultServer, authorizeForm(spa, "openid", nil))
		if got.Get("error") != "invalid_request" || got.Get("error_description") != "PKCE code challenge is required by the application." {
			t.Errorf("got %v", got)
		}
	})
	t.Run("confidential client that must", func(t *testing.T) {
		b.in(t)
		must := true
		strict := b.webClient(func(c *Client) { c.PKCERequired = &must })
		got := b.authorize(b.browser(), DefaultServer, authorizeForm(strict, "openid", nil))
		if got.Get("error") != "invalid_request" {
			t.Errorf("got %v", got)
		}
	})
	t.Run("public client that would not", func(t *testing.T) {
		_, err := b.s.CreateClient(t.Context(), b.by, Client{
			Name: "x", ApplicationType: AppBrowser, RedirectURIs: []string{redirectURI}, PKCERequired: no(),
		})
		if err == nil {
			t.Error("registered")
		}
	})
}

// TestADV7_ResponseTypeNotAllowed: also when it is smuggled into a request that comes
// back from the sign-in page.
func TestADV7_ResponseTypeNotAllowed(t *testing.T) {
	b := sqliteBench(t)
	c := b.webClient()
	for _, responseType := range []string{"token", "id_token", "code token", "code id_token", "none", ""} {
		got := b.authorize(b.browser(), DefaultServer, authorizeForm(c, "openid", url.Values{"response_type": {responseType}}))
		if got.Get("error") != "unsupported_response_type" || got.Has("code") || got.Has("access_token") {
			t.Errorf("%q: got %v", responseType, got)
		}
	}
	browser := b.browser()
	b.authorize(browser, DefaultServer, authorizeForm(c, "openid", nil))
	form := authorizeForm(c, "openid", url.Values{"response_type": {"token"}})
	form.Set(markerParam, b.s.sealMarker(authorizeForm(c, "openid", nil), b.clock.now()))
	if got := b.authorize(browser, DefaultServer, form); got.Get("error") != "unsupported_response_type" {
		t.Errorf("smuggled: got %v", got)
	}
}

// TestADV8_DisabledGrants: no client gets tokens by password or implicit flow, and
// none can be registered for it.
func TestADV8_DisabledGrants(t *testing.T) {
	b := sqliteBench(t)
	for _, c := range []*Client{b.webClient(), b.spaClient()} {
		form := url.Values{"grant_type": {"password"}, "username": {"ada@example.com"}, "password": {"x"}, "scope": {"openid"}}
		b.wantError(b.post(b.as(DefaultServer, "token"), c, form), 400, "unsupported_grant_type", "not supported")
	}
	for _, c := range []Client{
		{Name: "x", GrantTypes: []string{"password"}},
		{Name: "x", GrantTypes: []string{"implicit"}, RedirectURIs: []string{redirectURI}},
		{Name: "x", ResponseTypes: []string{"token"}, RedirectURIs: []string{redirectURI}},
	} {
		if _, err := b.s.CreateClient(t.Context(), b.by, c); err == nil {
			t.Errorf("%v %v: registered", c.GrantTypes, c.ResponseTypes)
		}
	}
	r := Rule{Name: "x", Conditions: RuleConditions{GrantTypes: Include{[]string{"password"}}, Scopes: Include{[]string{"*"}}}}
	if err := r.normalize(); err == nil {
		t.Error("a rule allows the password grant")
	}
}

// TestCodeExpires: 300 seconds.
func TestCodeExpires(t *testing.T) {
	b := sqliteBench(t)
	c := b.webClient()
	late, good := b.code(c, DefaultServer, "openid", nil), b.code(c, DefaultServer, "openid", nil)
	b.clock.advance(290 * time.Second)
	if got := b.exchange(c, DefaultServer, good, nil); got.Status != http.StatusOK {
		t.Errorf("after 290 s: got %d %v", got.Status, got.Body)
	}
	b.clock.advance(11 * time.Second)
	b.wantError(b.exchange(c, DefaultServer, late, nil), 400, "invalid_grant", textCode)
}
