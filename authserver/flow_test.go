package authserver

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/provost-id/provost/authserver/session"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
)

func decodePart(t *testing.T, part string) map[string]any {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]any{}
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestOIDCFlow walks an ordinary client, go-oidc with x/oauth2, through discovery,
// code with PKCE, ID token, userinfo and refresh, on both engines and both kinds of
// server.
func TestOIDCFlow(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		b := newBench(t, db)
		for _, as := range []string{OrgServer, DefaultServer} {
			for _, alg := range []string{rs256, es256} {
				t.Run(as+" "+alg, func(t *testing.T) {
					b.in(t)
					oidcFlow(t, b, as, b.spaClient(func(c *Client) { c.IDTokenAlg = alg }))
				})
			}
		}
	})
}

func oidcFlow(t *testing.T, b *bench, as string, c *Client) {
	ctx := t.Context()
	provider, err := oidc.NewProvider(ctx, b.s.issuer(as))
	if err != nil {
		t.Fatal(err)
	}
	cfg := oauth2.Config{
		ClientID: c.ID, Endpoint: provider.Endpoint(), RedirectURL: redirectURI,
		Scopes: []string{"openid", "profile", "email", "offline_access"},
	}
	verifier := oauth2.GenerateVerifier()
	target := cfg.AuthCodeURL("a-state", oidc.Nonce("a-nonce"), oauth2.S256ChallengeOption(verifier))
	resp := b.get(b.browser(), target)
	back, err := resp.Location()
	if err != nil {
		t.Fatalf("%s: %s", resp.Status, body(t, resp))
	}
	if got := back.Query().Get("state"); got != "a-state" {
		t.Errorf("state: got %q", got)
	}
	tok, err := cfg.Exchange(ctx, back.Query().Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := tok.Extra("id_token").(string)
	idToken, err := provider.Verifier(&oidc.Config{ClientID: c.ID}).Verify(ctx, raw)
	if err != nil {
		t.Fatal(err)
	}
	if idToken.Subject != "00uada" || idToken.Nonce != "a-nonce" {
		t.Errorf("ID token: got subject %q nonce %q", idToken.Subject, idToken.Nonce)
	}
	if err := idToken.VerifyAccessToken(tok.AccessToken); err != nil {
		t.Error(err)
	}
	info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(tok))
	if err != nil {
		t.Fatal(err)
	}
	if info.Email != "ada@example.com" || info.Subject != "00uada" {
		t.Errorf("userinfo: got %+v", info)
	}
	tok.Expiry = time.Now().Add(-time.Minute)
	next, err := cfg.TokenSource(ctx, tok).Token()
	if err != nil {
		t.Fatal(err)
	}
	if next.RefreshToken == tok.RefreshToken || next.AccessToken == tok.AccessToken {
		t.Error("refresh gave the same tokens again")
	}
}

// TestAccessTokenClaims holds the access token to the contract, claim by claim.
func TestAccessTokenClaims(t *testing.T) {
	b := sqliteBench(t)
	c := b.webClient(func(c *Client) { c.IDTokenAlg = "" })
	a := b.tokens(c, DefaultServer, "openid")
	got := claims(t, a.str("access_token"))
	if !strings.HasPrefix(got["jti"].(string), "AT.") {
		t.Errorf("jti: got %v", got["jti"])
	}
	if got["exp"].(float64)-got["iat"].(float64) != 3600 || a.Body["expires_in"].(float64) != 3600 {
		t.Errorf("lifetime: got %v and expires_in %v", got, a.Body["expires_in"])
	}
	for _, name := range []string{"jti", "iat", "exp", "auth_time"} {
		if got[name] == nil {
			t.Errorf("%s is missing", name)
		}
		delete(got, name)
	}
	want := map[string]any{
		"ver": 1.0, "iss": b.s.issuer(DefaultServer), "aud": "api://default", "cid": c.ID, "client_id": c.ID, "uid": "00uada",
		"scp": []any{"openid"}, "sub": "ada@example.com",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("claims (-want +got):\n%s", diff)
	}
	h := header(t, a.str("access_token"))
	if h["alg"] != es256 || h["typ"] != typAccess || a.str("token_type") != "Bearer" || a.str("scope") != "openid" {
		t.Errorf("header %v, answer %v", h, a.Body)
	}
	id := claims(t, a.str("id_token"))
	if id["sub"] != "00uada" || id["aud"] != c.ID || id["ver"] != 1.0 || id["exp"].(float64)-id["iat"].(float64) != 3600 {
		t.Errorf("ID token: got %v", id)
	}
	if h := header(t, a.str("id_token")); h["alg"] != rs256 || h["typ"] != typJWT {
		t.Errorf("ID token header: got %v", h)
	}
}

// TestClientCredentials checks the grant with x/oauth2, and that it writes no row.
func TestClientCredentials(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		b := newBench(t, db)
		c := b.webClient()
		if _, err := b.s.CreateScope(t.Context(), b.by, DefaultServer, Scope{Name: "orders:read"}); err != nil {
			t.Fatal(err)
		}
		before := b.rows()
		cfg := clientcredentials.Config{
			ClientID: c.ID, ClientSecret: c.Secret, TokenURL: b.as(DefaultServer, "token"), Scopes: []string{"orders:read"},
		}
		tok, err := cfg.Token(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got := claims(t, tok.AccessToken)
		if got["sub"] != c.ID || got["cid"] != c.ID || got["uid"] != nil || got["auth_time"] != nil {
			t.Errorf("claims: got %v", got)
		}
		if after := b.rows(); after != before {
			t.Errorf("client_credentials wrote %d rows", after-before)
		}
		if !b.active(c, DefaultServer, tok.AccessToken) {
			t.Error("the token is not active")
		}
		b.post(b.as(DefaultServer, "revoke"), c, url.Values{"token": {tok.AccessToken}})
		if b.active(c, DefaultServer, tok.AccessToken) {
			t.Error("the token is active after its revocation")
		}
	})
}

// rows counts everything that issuing a token could write.
func (b *bench) rows() int {
	b.t.Helper()
	var n int
	err := b.db.QueryRow(b.t.Context(), `SELECT (SELECT count(*) FROM oauth_grants) + (SELECT count(*) FROM oauth_refresh_tokens)
		+ (SELECT count(*) FROM oauth_revoked) + (SELECT count(*) FROM oauth_assertions) + (SELECT count(*) FROM events)`).Scan(&n)
	if err != nil {
		b.t.Fatal(err)
	}
	return n
}

// TestIntrospection shows what a resource server learns, and that a revoked refresh
// token takes its family with it.
func TestIntrospection(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		b := newBench(t, db)
		c := b.webClient()
		resource := b.webClient()
		a := b.tokens(c, DefaultServer, "openid offline_access")
		got := b.post(b.as(DefaultServer, "introspect"), resource, url.Values{"token": {a.str("access_token")}})
		if got.Body["active"] != true || got.str("username") != "ada@example.com" || got.str("uid") != "00uada" ||
			got.str("client_id") != c.ID || got.str("scope") != "openid offline_access" || got.str("token_type") != "Bearer" {
			t.Errorf("introspection: got %v", got.Body)
		}
		if b.active(resource, DefaultServer, a.str("refresh_token")) {
			t.Error("another client learns about a refresh token")
		}
		if !b.active(c, DefaultServer, a.str("refresh_token")) {
			t.Error("the refresh token is not active")
		}
		other := b.webClient()
		if got := b.post(b.as(DefaultServer, "revoke"), other, url.Values{"token": {a.str("refresh_token")}}); got.Status != http.StatusOK {
			t.Errorf("revocation by another client: got %d", got.Status)
		}
		if !b.active(c, DefaultServer, a.str("access_token")) {
			t.Fatal("another client revoked the family")
		}
		b.post(b.as(DefaultServer, "revoke"), c, url.Values{"token": {a.str("refresh_token")}})
		if b.active(c, DefaultServer, a.str("access_token")) || b.active(c, DefaultServer, a.str("refresh_token")) {
			t.Error("the family is active after its revocation")
		}
	})
}

// TestRevokeUser: what a directory calls when a user stops being active.
func TestRevokeUser(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		b := newBench(t, db)
		c := b.webClient()
		a := b.tokens(c, DefaultServer, "openid offline_access")
		if err := db.Write(t.Context(), func(tx *sqldb.Tx) error { return b.s.RevokeUser(tx, "00uada") }); err != nil {
			t.Fatal(err)
		}
		if b.active(c, DefaultServer, a.str("access_token")) {
			t.Error("the access token is active")
		}
		b.wantError(b.refresh(c, DefaultServer, a.str("refresh_token"), nil), 400, "invalid_grant", textRefresh)
	})
}

// TestEndSession: only what was asked to outlive the session does, whichever page
// ends it.
func TestEndSession(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		b := newBench(t, db)
		c := b.webClient()
		short, long := b.tokens(c, DefaultServer, "openid"), b.tokens(c, DefaultServer, "openid offline_access")
		for _, a := range []answer{short, long} {
			if err := b.sessions.End(t.Context(), b.sessionOf(a)); err != nil {
				t.Fatal(err)
			}
		}
		if b.active(c, DefaultServer, short.str("access_token")) {
			t.Error("a token outlives its session unasked")
		}
		if !b.active(c, DefaultServer, long.str("access_token")) {
			t.Error("offline_access does not outlive the session")
		}
	})
}

// sessionOf is the ID of the session in which tokens were authorized.
func (b *bench) sessionOf(a answer) (sessionID string) {
	b.t.Helper()
	g := grantOf(claims(b.t, a.str("access_token"))["jti"].(string))
	if err := b.db.QueryRow(b.t.Context(), `SELECT session_id FROM oauth_grants WHERE id = $1`, g).Scan(&sessionID); err != nil {
		b.t.Fatal(err)
	}
	return sessionID
}

// TestReplacedSession: who proves again who they are keeps what was authorized, until
// that session ends; who signs in over somebody else's session ends it.
func TestReplacedSession(t *testing.T) {
	b := sqliteBench(t)
	c := b.webClient()
	replace := func(old, userID string) string {
		next, _, err := b.sessions.Start(t.Context(), session.NewSession{UserID: userID, Replace: old})
		if err != nil {
			t.Fatal(err)
		}
		return next.ID
	}
	a := b.tokens(c, DefaultServer, "openid")
	next := replace(b.sessionOf(a), "00uada")
	if !b.active(c, DefaultServer, a.str("access_token")) {
		t.Error("a second sign-in of the same person ends the token")
	}
	if got := b.sessionOf(a); got != next {
		t.Errorf("the token belongs to session %s, want %s", got, next)
	}
	replace(next, "00ubob")
	if b.active(c, DefaultServer, a.str("access_token")) {
		t.Error("the token outlives the session that another person's took the place of")
	}
}
