package authserver

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDiscovery: both documents at every place, and nothing in them that does not work.
func TestDiscovery(t *testing.T) {
	b := sqliteBench(t)
	for path, as := range map[string]string{
		"/.well-known/openid-configuration":                      OrgServer,
		"/.well-known/oauth-authorization-server":                OrgServer,
		"/oauth2/default/.well-known/openid-configuration":       DefaultServer,
		"/oauth2/default/.well-known/oauth-authorization-server": DefaultServer,
		"/.well-known/oauth-authorization-server/oauth2/default": DefaultServer,
		"/.well-known/openid-configuration/oauth2/default":       DefaultServer,
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.web.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		a := b.do(req)
		if a.Status != http.StatusOK || a.str("issuer") != b.s.issuer(as) || a.str("token_endpoint") != b.as(as, "token") {
			t.Errorf("%s: got %d %v", path, a.Status, a.Body)
		}
		if diff := cmp.Diff([]any{rs256, es256}, a.Body["id_token_signing_alg_values_supported"]); diff != "" {
			t.Error(diff)
		}
		for name, v := range a.Body {
			if target, ok := v.(string); ok && strings.HasSuffix(name, "_endpoint") && name != "registration_endpoint" {
				if resp := b.get(http.DefaultClient, target); resp.StatusCode == http.StatusNotFound {
					t.Errorf("%s leads nowhere", name)
				}
			}
		}
	}
	for _, path := range []string{"/oauth2/nothing/.well-known/openid-configuration", "/oauth2/org/.well-known/openid-configuration"} {
		if resp := b.get(http.DefaultClient, b.web.URL+path); resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s: got %s", path, resp.Status)
		}
	}
}

// TestKeys: the first look at the set finds the RS256 key, and no private part.
func TestKeys(t *testing.T) {
	b := sqliteBench(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.as(DefaultServer, "keys"), nil)
	if err != nil {
		t.Fatal(err)
	}
	a := b.do(req)
	algs := map[string]int{}
	for _, k := range a.Body["keys"].([]any) {
		k := k.(map[string]any)
		algs[k["alg"].(string)]++
		if k["d"] != nil || k["use"] != "sig" || k["kid"] == "" {
			t.Errorf("key: got %v", k)
		}
	}
	if algs[rs256] < 1 || algs[es256] < 1 || !strings.HasPrefix(a.Header.Get("Cache-Control"), "max-age=") {
		t.Errorf("got %v, Cache-Control %q", algs, a.Header.Get("Cache-Control"))
	}
}

// TestCORS: the origins of a client's redirect URIs, for that client, never with
// credentials, and nobody else.
func TestCORS(t *testing.T) {
	b := sqliteBench(t)
	spa := b.spaClient()
	other := b.spaClient(func(c *Client) { c.RedirectURIs = []string{"https://other.example/cb"} })
	send := func(method, endpoint, origin string, form url.Values) http.Header {
		req, err := http.NewRequestWithContext(t.Context(), method, b.as(DefaultServer, endpoint), strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Origin", origin)
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		if resp.Header.Get("Access-Control-Allow-Credentials") != "" || resp.Header.Get("Vary") != "Origin" {
			t.Errorf("%s %s: headers %v", method, endpoint, resp.Header)
		}
		return resp.Header
	}
	const allow = "Access-Control-Allow-Origin"
	form := url.Values{"client_id": {spa.ID}, "grant_type": {grantRefresh}, "refresh_token": {"x"}}
	if h := send("OPTIONS", "token", "https://app.example", nil); h.Get(allow) != "https://app.example" || h.Get("Access-Control-Allow-Headers") == "" {
		t.Errorf("preflight: got %v", h)
	}
	if h := send("POST", "token", "https://app.example", form); h.Get(allow) != "https://app.example" {
		t.Errorf("own origin: got %v", h)
	}
	for _, origin := range []string{"https://evil.example", "https://app.example.evil", "http://app.example", "null", "https://app.example:444"} {
		for _, method := range []string{"OPTIONS", "POST"} {
			if h := send(method, "token", origin, form); h.Get(allow) != "" {
				t.Errorf("%s from %s: got %q", method, origin, h.Get(allow))
			}
		}
	}
	if h := send("POST", "token", "https://other.example", form); h.Get(allow) != "" {
		t.Errorf("origin of client %s for %s: got %q", other.ID, spa.ID, h.Get(allow))
	}
	if h := send("GET", "keys", "https://other.example", nil); h.Get(allow) != "https://other.example" {
		t.Errorf("keys: got %v", h)
	}
	req, err := http.NewRequestWithContext(t.Context(), "POST", b.as(DefaultServer, "token"), strings.NewReader(
		url.Values{"client_id": {spa.ID}, "grant_type": {grantCode}, "code": {"x"}}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Origin", "https://app.example")
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	b.wantError(b.do(req), 401, "invalid_client", "Browser requests to the token endpoint must use Proof Key for Code Exchange.")
}

// TestUserinfo: what each scope gives, by header and by form.
func TestUserinfo(t *testing.T) {
	b := sqliteBench(t)
	c := b.webClient()
	info := func(token string) answer {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.as(DefaultServer, "userinfo"), nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		return b.do(req)
	}
	token := b.tokens(c, DefaultServer, "openid profile email address phone").str("access_token")
	want := map[string]any{
		"sub": "00uada", "name": "Ada Lovelace", "given_name": "Ada", "family_name": "Lovelace", "preferred_username": "ada@example.com",
		"locale": "en-GB", "email": "ada@example.com", "email_verified": true, "phone_number": "+44 1", "address": map[string]any{"locality": "London"},
	}
	got := info(token)
	delete(got.Body, "updated_at")
	if diff := cmp.Diff(want, got.Body); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	b.people.change("00uada", func(p *Person) { p.EmailVerified = false }) // ADV-56
	if got := info(token).Body; got["email"] != "ada@example.com" || got["email_verified"] != false {
		t.Errorf("an address that nobody vouches for: %v", got)
	}
	if a := b.post(b.as(DefaultServer, "userinfo"), nil, url.Values{"access_token": {token}}); a.str("sub") != "00uada" {
		t.Errorf("token in the form: got %d %v", a.Status, a.Body)
	}
	if got := info(b.tokens(c, DefaultServer, "openid").str("access_token")); len(got.Body) != 1 {
		t.Errorf("openid alone: got %v", got.Body)
	}
	b.people.change("00uada", func(p *Person) { p.Active = false })
	if got := info(token); got.Status != http.StatusUnauthorized {
		t.Errorf("deactivated: got %d", got.Status)
	}
}

// TestLogout: with the person's own ID token at once; without, the page asks; and it
// leads to registered places only (ADV-46, ADV-47).
func TestLogout(t *testing.T) {
	b := sqliteBench(t)
	c, browser := b.webClient(), b.browser()
	code := b.authorize(browser, DefaultServer, authorizeForm(c, "openid", nil)).Get("code")
	tokens := b.exchange(c, DefaultServer, code, nil)
	hint := tokens.str("id_token")
	signedIn := func() bool {
		return b.authorize(browser, DefaultServer, authorizeForm(c, "openid", url.Values{"prompt": {"none"}})).Get("code") != ""
	}
	logout := func(form url.Values) *http.Response {
		return b.get(browser, b.as(DefaultServer, "logout")+"?"+form.Encode())
	}
	for _, form := range []url.Values{
		{"id_token_hint": {hint}, "post_logout_redirect_uri": {"https://evil.example/"}},
		{"post_logout_redirect_uri": {"https://app.example/bye"}},
		{"client_id": {c.ID}, "post_logout_redirect_uri": {"https://app.example/bye?x=1"}},
		{"id_token_hint": {hint + "x"}},
	} {
		if resp := logout(form); resp.StatusCode != http.StatusBadRequest || resp.Header.Get("Location") != "" || !signedIn() {
			t.Errorf("%v: got %s %s", form, resp.Status, resp.Header.Get("Location"))
		}
	}
	for _, form := range []url.Values{{}, {"client_id": {c.ID}, "post_logout_redirect_uri": {"https://app.example/bye"}}} {
		if resp := logout(form); resp.StatusCode != http.StatusOK || !strings.Contains(body(t, resp), "Sign out?") || !signedIn() {
			t.Errorf("%v signed the person out without asking", form)
		}
	}
	form := url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {"https://app.example/bye"}, "state": {"s 1"}}
	if resp := logout(form); resp.Header.Get("Location") != "https://app.example/bye?state=s+1" {
		t.Errorf("got %s %q", resp.Status, resp.Header.Get("Location"))
	}
	if signedIn() {
		t.Error("still signed in")
	}
	if b.active(c, DefaultServer, tokens.str("access_token")) {
		t.Error("a token of the session is active")
	}
}

// TestLogoutConfirmation: the page's own form signs out, one that is made elsewhere
// does not.
func TestLogoutConfirmation(t *testing.T) {
	b := sqliteBench(t)
	c, browser := b.webClient(), b.browser()
	b.authorize(browser, DefaultServer, authorizeForm(c, "openid", nil))
	page := body(t, b.get(browser, b.as(DefaultServer, "logout")))
	_, rest, _ := strings.Cut(page, `name="provost_confirm" value="`)
	confirm, _, _ := strings.Cut(rest, `"`)
	post := func(client *http.Client, value string) string {
		form := url.Values{confirmParam: {value}}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.as(DefaultServer, "logout"), strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		return body(t, resp)
	}
	other := b.browser()
	b.authorize(other, DefaultServer, authorizeForm(c, "openid", nil))
	for name, got := range map[string]string{"no value": post(browser, ""), "of another session": post(other, confirm)} {
		if !strings.Contains(got, "Sign out?") {
			t.Errorf("%s: got %s", name, got)
		}
	}
	if got := post(browser, confirm); !strings.Contains(got, "You are signed out") {
		t.Errorf("got %s", got)
	}
}
