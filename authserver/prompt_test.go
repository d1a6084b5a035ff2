package authserver

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/provost-id/provost/authserver/session"
)

// TestPrompt: when a person who is signed in has to do it again, and that one time is
// enough.
func TestPrompt(t *testing.T) {
	for name, tc := range map[string]struct {
		more  url.Values
		after time.Duration // since the first sign-in
		again bool
	}{
		"nothing asked":       {nil, time.Hour, false},
		"login":               {url.Values{"prompt": {"login"}}, 0, true},
		"select_account":      {url.Values{"prompt": {"select_account"}}, 0, true},
		"max_age=0":           {url.Values{"max_age": {"0"}}, 0, true}, // fosite takes it for absent
		"max_age passed":      {url.Values{"max_age": {"1"}}, 2 * time.Second, true},
		"max_age not passed":  {url.Values{"max_age": {"10000"}}, time.Minute, false},
		"consent for implied": {url.Values{"prompt": {"consent"}}, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			b := sqliteBench(t)
			c, browser := b.webClient(), b.browser()
			b.authorize(browser, DefaultServer, authorizeForm(c, "openid", nil))
			b.asked.Store(session.Request{})
			b.clock.advance(tc.after)
			got := b.authorize(browser, DefaultServer, authorizeForm(c, "openid", tc.more))
			if got.Get("code") == "" {
				t.Fatalf("got %v", got)
			}
			asked := b.asked.Load().(session.Request)
			if (asked.ClientID != "") != tc.again {
				t.Errorf("asked to sign in again: %v, want %v", asked.ClientID != "", tc.again)
			}
			if tc.again && (!asked.Force || asked.ClientName != "Web" || asked.RedirectURI != redirectURI) {
				t.Errorf("request to the page: %+v", asked)
			}
			id := claims(t, b.exchange(c, DefaultServer, got.Get("code"), nil).str("id_token"))
			if authTime := time.Unix(int64(id["auth_time"].(float64)), 0); tc.again && b.clock.now().Sub(authTime) > time.Minute {
				t.Errorf("auth_time is %s", authTime)
			}
		})
	}
}

// TestPromptNone: with a session it passes, unless more is asked.
func TestPromptNone(t *testing.T) {
	b := sqliteBench(t)
	c, browser := b.spaClient(), b.browser()
	pkce := url.Values{"code_challenge": {strings.Repeat("A", 43)}, "code_challenge_method": {"S256"}}
	b.authorize(browser, DefaultServer, authorizeForm(c, "openid", pkce))
	pkce.Set("prompt", "none")
	if got := b.authorize(browser, DefaultServer, authorizeForm(c, "openid", pkce)); got.Get("code") == "" {
		t.Errorf("got %v", got)
	}
	pkce.Set("max_age", "0")
	if got := b.authorize(browser, DefaultServer, authorizeForm(c, "openid", pkce)); got.Get("error") != "login_required" {
		t.Errorf("max_age=0: got %v", got)
	}
}

// TestIDTokenHint: the request is for one person; with another signed in it is not
// answered, also after the key that signed the hint has gone.
func TestIDTokenHint(t *testing.T) {
	b := sqliteBench(t)
	c, browser := b.webClient(), b.browser()
	first := b.authorize(browser, DefaultServer, authorizeForm(c, "openid", nil))
	hint := b.exchange(c, DefaultServer, first.Get("code"), nil).str("id_token")
	b.clock.advance(2 * time.Hour) // it has expired
	if _, err := b.s.RotateKeys(t.Context(), b.by, DefaultServer); err != nil {
		t.Fatal(err)
	}
	more := url.Values{"id_token_hint": {hint}, "prompt": {"none"}}
	if got := b.authorize(browser, DefaultServer, authorizeForm(c, "openid", more)); got.Get("code") == "" {
		t.Errorf("same person: got %v", got)
	}
	b.user.Store("00ubob")
	other := b.browser()
	b.authorize(other, DefaultServer, authorizeForm(c, "openid", nil))
	if got := b.authorize(other, DefaultServer, authorizeForm(c, "openid", more)); got.Get("error") != "login_required" {
		t.Errorf("another person: got %v", got)
	}
}

// TestMarkerIsBound: a marker of one request means nothing in another, nor later.
func TestMarkerIsBound(t *testing.T) {
	b := sqliteBench(t)
	form := authorizeForm(&Client{ID: "0oa1"}, "openid", nil)
	form.Set(markerParam, b.s.sealMarker(form, b.clock.now()))
	if _, ok := b.s.openMarker(form); !ok {
		t.Fatal("its own marker does not open")
	}
	other := url.Values{}
	for name, v := range form {
		other[name] = v
	}
	other.Set("scope", "openid profile")
	if _, ok := b.s.openMarker(other); ok {
		t.Error("it opens in another request")
	}
	b.clock.advance(maxMarkerAge)
	if _, ok := b.s.openMarker(form); ok {
		t.Error("it opens after an hour")
	}
}

// TestShortNonceAndLongState: fosite's floor of 8 characters is gone, and long values
// come back as they were.
func TestShortNonceAndLongState(t *testing.T) {
	b := sqliteBench(t)
	c := b.webClient()
	for _, v := range []string{"1", strings.Repeat("n", 64), strings.Repeat("x", 1000), "ünï & \"code\""} {
		got := b.authorize(b.browser(), DefaultServer, authorizeForm(c, "openid", url.Values{"state": {v}, "nonce": {v}}))
		if got.Get("state") != v {
			t.Errorf("state: got %q, want %q", got.Get("state"), v)
		}
		if id := claims(t, b.exchange(c, DefaultServer, got.Get("code"), nil).str("id_token")); id["nonce"] != v {
			t.Errorf("nonce: got %v, want %q", id["nonce"], v)
		}
	}
}

// TestACRValues: what was not reached is not claimed (fosite would say "0").
func TestACRValues(t *testing.T) {
	b := sqliteBench(t)
	c := b.webClient()
	code := b.code(c, DefaultServer, "openid", url.Values{"acr_values": {"urn:okta:loa:2fa:any"}})
	if id := claims(t, b.exchange(c, DefaultServer, code, nil).str("id_token")); id["acr"] != nil {
		t.Errorf("acr: got %v", id["acr"])
	}
}

// TestResponseModes: fragment and form_post, for an answer and for an error.
func TestResponseModes(t *testing.T) {
	b := sqliteBench(t)
	c, browser := b.webClient(), b.browser()
	for _, scope := range []string{"openid", "nothing"} {
		form := authorizeForm(c, scope, url.Values{"response_mode": {"fragment"}})
		target, err := b.get(browser, b.as(DefaultServer, "authorize")+"?"+form.Encode()).Location()
		if err != nil || target.RawQuery != "" || !strings.Contains(target.Fragment, "iss=") {
			t.Errorf("fragment, scope %s: got %v %v", scope, target, err)
		}
		form.Set("response_mode", "form_post")
		form.Set("state", `"><script>`)
		resp := b.get(browser, b.as(DefaultServer, "authorize")+"?"+form.Encode())
		page := body(t, resp)
		if resp.StatusCode != http.StatusOK || !strings.Contains(page, `action="`+redirectURI+`"`) || !strings.Contains(page, `name="iss"`) ||
			!onlySubmits(page, resp.Header.Get("Content-Security-Policy")) {
			t.Errorf("form_post, scope %s: got %s %s", scope, resp.Status, page)
		}
	}
}

// onlySubmits reports whether the one script of a page is the one that its policy
// allows, with no handler beside it and no frame around it (ADV-35).
func onlySubmits(page, policy string) bool {
	_, rest, _ := strings.Cut(page, "<script>")
	script, rest, _ := strings.Cut(rest, "</script>")
	sum := sha256.Sum256([]byte(script))
	return !strings.Contains(rest, "<script") && !strings.Contains(page, "onload") && !strings.Contains(policy, "unsafe") &&
		strings.Contains(policy, "default-src 'none'") && strings.Contains(policy, "frame-ancestors 'none'") &&
		strings.Contains(policy, "script-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'")
}

// TestPostAuthorize: the request may come as a form.
func TestPostAuthorize(t *testing.T) {
	b := sqliteBench(t)
	form := authorizeForm(b.webClient(), "openid", nil)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.as(DefaultServer, "authorize"), strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := b.browser().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if target, err := resp.Location(); err != nil || target.Query().Get("code") == "" {
		t.Errorf("got %v %v", target, err)
	}
}
