package authserver

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
)

// TestADV11_OpaqueTokenChanged: cut, longer, one bit off, in another case.
func TestADV11_OpaqueTokenChanged(t *testing.T) {
	b := sqliteBench(t)
	c := b.webClient()
	token := b.tokens(c, DefaultServer, "openid offline_access").str("refresh_token")
	flipped := []byte(token)
	flipped[10] ^= 1
	for _, bad := range []string{
		token[:len(token)-1], token[:8], token + "A", string(flipped), strings.ToUpper(token), strings.ToLower(token), " " + token, refreshPrefix,
	} {
		if b.active(c, DefaultServer, bad) {
			t.Errorf("%q is active", bad)
		}
		b.wantError(b.refresh(c, DefaultServer, bad, nil), 400, "invalid_grant", textRefresh)
	}
	if !b.active(c, DefaultServer, token) {
		t.Error("the token itself is not active")
	}
}

// forge signs claims by any key under any header.
func forge(t *testing.T, head, claims map[string]any, sign func(input string) []byte) string {
	t.Helper()
	enc := func(v any) string {
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(raw)
	}
	input := enc(head) + "." + enc(claims)
	return input + "." + base64.RawURLEncoding.EncodeToString(sign(input))
}

func (b *bench) server(as string) *server {
	b.t.Helper()
	srv, err := b.s.server(b.t.Context(), as)
	if err != nil {
		b.t.Fatal(err)
	}
	return srv
}

// rejected checks that a token is good nowhere.
func (b *bench) rejected(c *Client, as, name, token string) {
	b.t.Helper()
	if b.active(c, as, token) {
		b.t.Errorf("%s: introspection says active", name)
	}
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, b.as(as, "userinfo"), nil)
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if a := b.do(req); a.Status != http.StatusUnauthorized || !strings.Contains(a.Header.Get("WWW-Authenticate"), "invalid_token") {
		b.t.Errorf("%s: userinfo answers %d %v", name, a.Status, a.Body)
	}
	if p, err := b.s.Authenticate(b.t.Context(), token); err == nil {
		b.t.Errorf("%s: the API takes it for %+v", name, p)
	}
}

// TestADV12_JWTHeader: every trick with algorithm and key.
func TestADV12_JWTHeader(t *testing.T) {
	b := sqliteBench(t)
	c := b.webClient()
	good := b.tokens(c, DefaultServer, "openid").str("access_token")
	body := claims(t, good)
	srv, rsaKey, err := b.s.needKey(t.Context(), b.server(DefaultServer), rs256)
	if err != nil {
		t.Fatal(err)
	}
	ours, org := srv.ring.active[es256], b.server(OrgServer).ring.active[es256]
	attacker, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	jwk := jose.JSONWebKey{Key: attacker.Public(), KeyID: "x", Algorithm: es256}
	byAttacker := func(input string) []byte { return es256Sign(t, attacker, input) }
	hs256 := func(input string) []byte { return hmacSign(t, rsaKey, input) }
	none := func(string) []byte { return nil }
	for name, token := range map[string]string{
		"alg none":        forge(t, map[string]any{"alg": "none", "kid": ours.kid, "typ": typAccess}, body, none),
		"HS256 by RSA":    forge(t, map[string]any{"alg": "HS256", "kid": rsaKey.kid, "typ": typAccess}, body, hs256),
		"kid as path":     forge(t, map[string]any{"alg": es256, "kid": "../../dev/null", "typ": typAccess}, body, byAttacker),
		"kid as SQL":      forge(t, map[string]any{"alg": es256, "kid": "' OR 1=1 --", "typ": typAccess}, body, byAttacker),
		"kid of another":  forge(t, map[string]any{"alg": es256, "kid": org.kid, "typ": typAccess}, body, func(in string) []byte { return es256Sign(t, org.private.(*ecdsa.PrivateKey), in) }),
		"no kid":          forge(t, map[string]any{"alg": es256, "typ": typAccess}, body, byAttacker),
		"embedded jwk":    forge(t, map[string]any{"alg": es256, "kid": ours.kid, "typ": typAccess, "jwk": jwk}, body, byAttacker),
		"jku":             forge(t, map[string]any{"alg": es256, "kid": "x", "typ": typAccess, "jku": "http://evil.example/"}, body, byAttacker),
		"x5u":             forge(t, map[string]any{"alg": es256, "kid": "x", "typ": typAccess, "x5u": "http://evil.example/"}, body, byAttacker),
		"wrong alg":       forge(t, map[string]any{"alg": rs256, "kid": ours.kid, "typ": typAccess}, body, byAttacker),
		"other signature": good[:len(good)-6] + "AAAAAA",
		"other claims":    otherClaims(t, good),
	} {
		b.rejected(c, DefaultServer, name, token)
	}
	if !b.active(c, DefaultServer, good) {
		t.Error("the token itself is not active")
	}
}

func otherClaims(t *testing.T, good string) string {
	parts := strings.Split(good, ".")
	body := claims(t, good)
	body["uid"] = "00uroot"
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return parts[0] + "." + base64.RawURLEncoding.EncodeToString(raw) + "." + parts[2]
}

// TestADV12_IDTokenAsAccessToken: an ID token is signed by the same server and must
// not pass for anything else.
func TestADV12_IDTokenAsAccessToken(t *testing.T) {
	b := sqliteBench(t)
	c := b.webClient(func(c *Client) { c.IDTokenAlg = es256 })
	b.rejected(c, DefaultServer, "ID token", b.tokens(c, DefaultServer, "openid").str("id_token"))
}

// TestADV13_TokenOfAnotherServer: each server knows its own tokens only.
func TestADV13_TokenOfAnotherServer(t *testing.T) {
	b := sqliteBench(t)
	c := b.webClient()
	other := b.staffServer()
	a := b.tokens(c, DefaultServer, "openid offline_access")
	b.rejected(c, other, "access token", a.str("access_token"))
	b.rejected(c, OrgServer, "access token", a.str("access_token"))
	b.rejected(c, other, "refresh token", a.str("refresh_token"))
	b.wantError(b.refresh(c, other, a.str("refresh_token"), nil), 400, "invalid_request", textOtherServer)
	b.wantError(b.exchange(c, other, b.code(c, DefaultServer, "openid", nil), nil), 400, "invalid_request", textOtherServer)
}

// TestADV14_Claims: tokens with our own signature, whose claims do not hold.
func TestADV14_Claims(t *testing.T) {
	b := sqliteBench(t)
	c := b.webClient(func(c *Client) { c.Scope = "manage" })
	b.user.Store("00uroot")
	good := b.tokens(c, OrgServer, "openid manage").str("access_token")
	if _, err := b.s.Authenticate(t.Context(), good); err != nil {
		t.Fatalf("the token itself: %v", err)
	}
	k := b.server(OrgServer).ring.active[es256]
	now := time.Now()
	for name, change := range map[string]map[string]any{
		"aud missing": {"aud": nil}, "exp missing": {"exp": nil}, "exp past": {"exp": now.Add(-time.Second).Unix()}, "exp text": {"exp": "never"},
		"iat missing": {"iat": nil}, "iat future": {"iat": now.Add(time.Hour).Unix()}, "nbf future": {"nbf": now.Add(time.Hour).Unix()},
		"iss other": {"iss": "https://evil.example"}, "jti missing": {"jti": nil}, "grant unknown": {"jti": "AT.x.oagnone"},
	} {
		token, err := k.sign(k.access, changed(claims(t, good), change))
		if err != nil {
			t.Fatal(err)
		}
		b.rejected(c, OrgServer, name, token)
	}
	for name, aud := range map[string]any{"other": "api://default", "array": []string{b.web.URL}, "array with another": []string{b.web.URL, "x"}} {
		token, err := k.sign(k.access, changed(claims(t, good), map[string]any{"aud": aud}))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.s.Authenticate(t.Context(), token); err == nil {
			t.Errorf("aud %s: the API takes it", name)
		}
	}
}

func changed(body, change map[string]any) map[string]any {
	out := maps.Clone(body)
	for name, v := range change {
		if out[name] = v; v == nil {
			delete(out, name)
		}
	}
	return out
}

// TestADV15_Introspection: who may not know learns nothing.
func TestADV15_Introspection(t *testing.T) {
	b := sqliteBench(t)
	c := b.webClient()
	token := b.tokens(c, DefaultServer, "openid").str("access_token")
	orgToken := b.tokens(c, OrgServer, "openid").str("access_token")
	if b.active(b.spaClient(), DefaultServer, token) {
		t.Error("a public client learns about another's token")
	}
	if b.active(b.webClient(), OrgServer, orgToken) {
		t.Error("another client learns about a token of the org server")
	}
	closed, err := b.s.CreateServer(t.Context(), b.by, Server{Name: "closed", Audiences: []string{"api://closed"}})
	if err != nil {
		t.Fatal(err)
	}
	if b.active(b.webClient(), closed.ID, token) {
		t.Error("active at a server without policies")
	}
	b.wantError(b.post(b.as(DefaultServer, "introspect"), nil, url.Values{"token": {token}}), 401, "invalid_client", "No client credentials found.")
	wrong := *c
	wrong.Secret = "wrong"
	b.wantError(b.post(b.as(DefaultServer, "introspect"), &wrong, url.Values{"token": {token}}), 401, "invalid_client", "client secret supplied")
	a := b.post(b.as(DefaultServer, "introspect"), c, url.Values{"token": {"nonsense"}})
	if a.Status != http.StatusOK || len(a.Body) != 1 || a.Body["active"] != false {
		t.Errorf("inactive: got %v, want exactly {active: false}", a.Body)
	}
}

// assertionBench is a client that signs assertions.
func assertionBench(t *testing.T, db *sqldb.DB) (*bench, *Client, func(change map[string]any) answer) {
	t.Helper()
	b := newBench(t, db)
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: private.Public(), KeyID: "k1", Algorithm: es256, Use: "sig"}}})
	if err != nil {
		t.Fatal(err)
	}
	c := b.webClient(func(c *Client) { c.AuthMethod, c.JWKS = authPrivateKey, set })
	if _, err := b.s.CreateScope(t.Context(), b.by, DefaultServer, Scope{Name: "orders"}); err != nil {
		t.Fatal(err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: private}, (&jose.SignerOptions{}).WithHeader("kid", "k1"))
	if err != nil {
		t.Fatal(err)
	}
	return b, c, func(change map[string]any) answer {
		now := b.clock.now()
		body := changed(map[string]any{
			"iss": c.ID, "sub": c.ID, "aud": b.as(DefaultServer, "token"), "jti": rand.Text(), "iat": now.Unix(), "exp": now.Add(time.Minute).Unix(),
		}, change)
		assertion, err := jwt.Signed(signer).Claims(body).Serialize()
		if err != nil {
			t.Fatal(err)
		}
		return b.post(b.as(DefaultServer, "token"), nil, url.Values{
			"grant_type": {grantClientCredentials}, "scope": {"orders"},
			"client_assertion_type": {assertionType}, "client_assertion": {assertion},
		})
	}
}

// TestADV16_AssertionReplay: an assertion is good once, and none may fill the table
// for longer than an hour.
func TestADV16_AssertionReplay(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		b, _, send := assertionBench(t, db)
		once := map[string]any{"jti": "once"}
		if a := send(once); a.Status != http.StatusOK {
			t.Fatalf("first use: got %d %v", a.Status, a.Body)
		}
		b.wantError(send(once), 401, "invalid_client", "client_assertion is invalid")
		won := 0
		for _, a := range atOnce(20, func() answer { return send(map[string]any{"jti": "race"}) }) {
			if a.Status == http.StatusOK {
				won++
			}
		}
		if won != 1 {
			t.Errorf("%d of 20 at once were taken", won)
		}
		b.wantError(send(map[string]any{"exp": b.clock.now().AddDate(10, 0, 0).Unix()}), 401, "invalid_client", "")
		b.clock.advance(2 * time.Hour)
		if err := b.s.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		var n int
		if err := db.QueryRow(t.Context(), `SELECT count(*) FROM oauth_assertions`).Scan(&n); err != nil || n != 0 {
			t.Errorf("%d rows are left (%v)", n, err)
		}
	})
}

// TestADV17_AssertionClaims: wrong audience, issuer, subject or times.
func TestADV17_AssertionClaims(t *testing.T) {
	b, _, send := assertionBench(t, sqldbtest.SQLite(t))
	other := b.webClient()
	for name, change := range map[string]map[string]any{
		"aud other server": {"aud": b.as(OrgServer, "token")}, "aud other": {"aud": "https://evil.example"}, "aud missing": {"aud": nil},
		"iss other": {"iss": other.ID}, "sub other": {"sub": other.ID}, "sub missing": {"sub": nil}, "jti missing": {"jti": nil},
		"exp missing": {"exp": nil}, "expired": {"exp": b.clock.now().Add(-time.Second).Unix()}, "nbf future": {"nbf": b.clock.now().Add(time.Hour).Unix()},
	} {
		if a := send(change); a.Status != http.StatusUnauthorized || a.str("error") != "invalid_client" {
			t.Errorf("%s: got %d %v", name, a.Status, a.Body)
		}
	}
	if a := send(map[string]any{"aud": b.s.issuer(DefaultServer)}); a.Status != http.StatusOK {
		t.Errorf("issuer as audience: got %d %v", a.Status, a.Body)
	}
}

// TestADV18_RequestWithoutState: it passes with PKCE and comes back without state;
// with neither it is recorded.
func TestADV18_RequestWithoutState(t *testing.T) {
	b := sqliteBench(t)
	bare := url.Values{"state": {""}}
	got := b.authorize(b.browser(), DefaultServer, authorizeForm(b.webClient(), "openid", bare))
	if got.Get("code") == "" || got.Has("state") {
		t.Errorf("got %v", got)
	}
	if b.eventTypes("app.oauth2.as.authorize.unbound") != 1 {
		t.Error("not recorded")
	}
	bare.Set("code_challenge", strings.Repeat("A", 43))
	bare.Set("code_challenge_method", "S256")
	got = b.authorize(b.browser(), DefaultServer, authorizeForm(b.spaClient(), "openid", bare))
	if got.Get("code") == "" || got.Has("state") {
		t.Errorf("with PKCE: got %v", got)
	}
	if b.eventTypes("app.oauth2.as.authorize.unbound") != 1 {
		t.Error("recorded although PKCE binds it")
	}
}

// TestADV19_Issuer: every authorization response names its issuer, errors too.
func TestADV19_Issuer(t *testing.T) {
	b := sqliteBench(t)
	c := b.webClient()
	for _, as := range []string{OrgServer, DefaultServer} {
		for _, scope := range []string{"openid", "openid unknown"} {
			if got := b.authorize(b.browser(), as, authorizeForm(c, scope, nil)); got.Get("iss") != b.s.issuer(as) || got.Get("state") != "some-state" {
				t.Errorf("%s, scope %q: got %v", as, scope, got)
			}
		}
	}
}

// TestADV24_LargeTokens: nothing large is parsed.
func TestADV24_LargeTokens(t *testing.T) {
	b := sqliteBench(t)
	c := b.webClient()
	pbes := forge(t, map[string]any{"alg": "PBES2-HS256+A128KW", "enc": "A128GCM", "p2c": 1e9, "p2s": "AAAA"}, map[string]any{}, func(string) []byte { return nil })
	b.rejected(c, DefaultServer, "PBES2", pbes)
	jwe := "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIiwiemlwIjoiREVGIn0..AAAA.AAAA.AAAA"
	b.rejected(c, DefaultServer, "JWE", jwe)
	b.rejected(c, DefaultServer, "a long token", strings.Repeat("a", 20<<10)+".b.c")
	form := url.Values{"token": {strings.Repeat("a", 10<<20)}}
	req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/oauth2/default/v1/introspect", strings.NewReader(form.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer := httptest.NewRecorder()
	b.web.Config.Handler.ServeHTTP(answer, req)
	if answer.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("10 MB: got %d", answer.Code)
	}
	if _, err := b.server(DefaultServer).ring.verify(string(bytes.Repeat([]byte("a"), maxJWT+1)), typAccess); err == nil {
		t.Error("taken")
	}
}

// TestPrincipal: what an access token of the org server is worth at our own APIs.
func TestPrincipal(t *testing.T) {
	b := sqliteBench(t)
	c := b.webClient(func(c *Client) { c.Scope = "scim manage" })
	plain := b.webClient()
	form := url.Values{"grant_type": {grantClientCredentials}, "scope": {"scim"}}
	b.wantError(b.post(b.as(OrgServer, "token"), plain, form), 400, "access_denied", "all the requested scopes were rejected")
	a := b.post(b.as(OrgServer, "token"), c, form)
	p, err := b.s.Authenticate(t.Context(), a.str("access_token"))
	if err != nil || p.ID != c.ID || p.Type != "Client" || !p.Allows(httpapi.ScopeSCIM) || p.Allows(httpapi.ScopeManage) {
		t.Errorf("client: got %+v %v", p, err)
	}
	got := b.authorize(b.browser(), OrgServer, authorizeForm(c, "openid manage", nil))
	if got.Get("error") != "access_denied" || !strings.Contains(got.Get("error_description"), "Denied scopes: [manage].") {
		t.Errorf("somebody who is no administrator: got %v", got)
	}
	b.user.Store("00uroot")
	a = b.tokens(c, OrgServer, "openid manage")
	if p, err = b.s.Authenticate(t.Context(), a.str("access_token")); err != nil || p.UserID != "00uroot" || !p.Allows(httpapi.ScopeManage) {
		t.Errorf("administrator: got %+v %v", p, err)
	}
	b.people.change("00uroot", func(p *Person) { p.Administrator = false })
	if _, err := b.s.Authenticate(t.Context(), a.str("access_token")); err == nil {
		t.Error("still taken after the administrator is none any more")
	}
}

// TestPrincipal_Own: everybody gets the scope of their own resource, by a client that was
// given it, and it is worth nothing else; who was an administrator keeps just this.
func TestPrincipal_Own(t *testing.T) {
	b := sqliteBench(t)
	c := b.webClient(func(c *Client) { c.Scope = "scim scim.me" })
	form := url.Values{"grant_type": {grantClientCredentials}, "scope": {"scim.me"}}
	b.wantError(b.post(b.as(OrgServer, "token"), c, form), 400, "access_denied", "all the requested scopes were rejected")
	plain := b.webClient()
	if got := b.authorize(b.browser(), OrgServer, authorizeForm(plain, "openid scim.me", nil)); got.Get("error") != "access_denied" {
		t.Errorf("a client that was not given the scope: got %v", got)
	}
	want := func(token, userID string) {
		t.Helper()
		p, err := b.s.Authenticate(t.Context(), token)
		if err != nil || p.UserID != userID || !slices.Equal(p.Scopes, []string{httpapi.ScopeSCIMMe}) {
			t.Errorf("got %+v %v, want %s of %s alone", p, err, httpapi.ScopeSCIMMe, userID)
		}
	}
	want(b.tokens(c, OrgServer, "openid scim.me").str("access_token"), b.user.Load().(string))
	b.user.Store("00uroot")
	token := b.tokens(c, OrgServer, "openid scim scim.me").str("access_token")
	b.people.change("00uroot", func(p *Person) { p.Administrator = false })
	want(token, "00uroot")
	b.people.change("00uroot", func(p *Person) { p.Active = false })
	if p, err := b.s.Authenticate(t.Context(), token); err == nil {
		t.Errorf("somebody who is not active: got %+v", p)
	}
}
