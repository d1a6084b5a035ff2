package authserver

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/oauth2"
	"github.com/ory/fosite/handler/openid"
	"github.com/ory/fosite/handler/pkce"
	"github.com/ory/fosite/storage"

	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
)

// TestFositeHandlers counts the handlers of a provider: fosite's list drops a second
// one of the same Go type without a word, and finds transactions by an assertion on
// the value that a handler holds.
func TestFositeHandlers(t *testing.T) {
	b := sqliteBench(t)
	cfg := b.server(DefaultServer).provider.Config
	authorize, token := cfg.GetAuthorizeEndpointHandlers(t.Context()), cfg.GetTokenEndpointHandlers(t.Context())
	if len(authorize) != 3 || len(token) != 3 {
		t.Errorf("%d authorize and %d token handlers, want 3 and 3", len(authorize), len(token))
	}
	for _, h := range authorize {
		var held any
		switch h := h.(type) {
		case *oauth2.AuthorizeExplicitGrantHandler:
			held = h.CoreStorage
		case *openid.OpenIDConnectExplicitHandler:
			held = h.OpenIDConnectRequestStorage
		case *pkce.Handler:
			held = h.Storage
		}
		if _, ok := held.(storage.Transactional); !ok {
			t.Errorf("%T holds %T, which has no transactions", h, held)
		}
	}
}

// TestProviderPerServer: immutable, one for each server, made anew by a change.
func TestProviderPerServer(t *testing.T) {
	b := sqliteBench(t)
	org, def := b.server(OrgServer), b.server(DefaultServer)
	if org.provider == def.provider || org.provider.Config == def.provider.Config {
		t.Error("two servers share a provider")
	}
	if b.server(DefaultServer).provider != def.provider {
		t.Error("the provider is made anew for each request")
	}
	if _, err := b.s.CreateScope(t.Context(), b.by, DefaultServer, Scope{Name: "new"}); err != nil {
		t.Fatal(err)
	}
	if b.server(DefaultServer).provider == def.provider {
		t.Error("a change left the provider as it was")
	}
}

// TestUnitOfWork: the store collects inside a transaction, writes nothing outside one,
// and nothing after a rollback.
func TestUnitOfWork(t *testing.T) {
	b := sqliteBench(t)
	st := b.s.store
	r := fosite.NewRequest()
	r.Session = &tokenSession{grant: &grant{ID: "oag1", ServerID: DefaultServer, codeExpires: b.clock.now(), expires: b.clock.now()}}
	if err := st.CreateAuthorizeCodeSession(t.Context(), "sig", r); !errors.Is(err, errNoUnit) {
		t.Errorf("outside a transaction: got %v", err)
	}
	ctx, err := st.BeginTX(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r.Form = url.Values{"code_challenge": {"c"}, "nonce": {"n"}}
	if err := errors.Join(st.CreateAuthorizeCodeSession(ctx, "sig", r), st.CreateOpenIDConnectSession(ctx, "code", r),
		st.CreatePKCERequestSession(ctx, "sig", r)); err != nil {
		t.Fatal(err)
	}
	if before := b.rows(); before != 0 {
		t.Errorf("%d rows before the commit", before)
	}
	if err := st.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	g, err := st.grantByCode(t.Context(), []byte("sig"))
	if err != nil || g.Challenge != "c" || g.Nonce != "n" {
		t.Errorf("one row: got %+v %v", g, err)
	}
	ctx, err = st.BeginTX(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(st.InvalidateAuthorizeCodeSession(ctx, "sig"), st.Rollback(ctx), st.Commit(ctx)); err != nil {
		t.Fatal(err)
	}
	if g, err := st.grantByCode(t.Context(), []byte("sig")); err != nil || !g.codeUsed.IsZero() {
		t.Errorf("after a rollback: got %+v %v", g, err)
	}
}

// TestSpentCodeIsReturned: fosite wants the request with the error, so that the family
// can be revoked.
func TestSpentCodeIsReturned(t *testing.T) {
	b := sqliteBench(t)
	c := b.webClient()
	code := b.code(c, DefaultServer, "openid", nil)
	b.exchange(c, DefaultServer, code, nil)
	r, err := b.s.store.GetAuthorizeCodeSession(t.Context(), string(b.s.codeHash(code)), &tokenSession{})
	if !errors.Is(err, fosite.ErrInvalidatedAuthorizeCode) || r == nil || r.GetClient().GetID() != c.ID {
		t.Errorf("got %v %v", r, err)
	}
}

// TestNothingIsStoredInClear: neither codes nor tokens nor secrets.
func TestNothingIsStoredInClear(t *testing.T) {
	b := newBench(t, sqldbtest.SQLite(t))
	c := b.webClient(func(c *Client) { c.RefreshToken = &RefreshSettings{Leeway: 60} })
	code := b.code(c, DefaultServer, "openid offline_access", nil)
	a := b.exchange(c, DefaultServer, code, nil)
	next := b.refresh(c, DefaultServer, a.str("refresh_token"), nil)
	secrets := []string{c.Secret, code, a.str("refresh_token"), next.str("refresh_token"), a.str("access_token")}
	for _, query := range []string{
		`SELECT hex(code) || body FROM oauth_grants`, `SELECT hex(hash) || coalesce(hex(successor), '') FROM oauth_refresh_tokens`,
		`SELECT hex(secret) || body FROM oauth_clients`, `SELECT body FROM events`,
	} {
		for _, text := range b.column(query) {
			for _, secret := range secrets {
				if strings.Contains(text, secret) || strings.Contains(text, strings.ToUpper(hexOf(secret))) {
					t.Errorf("%s holds a secret", query)
				}
			}
		}
	}
}

func (b *bench) column(query string) (out []string) {
	b.t.Helper()
	rows, err := b.db.Query(b.t.Context(), query)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			b.t.Fatal(err)
		}
		out = append(out, s)
	}
	if err := rows.Err(); err != nil || len(out) == 0 {
		b.t.Fatalf("%s: %d rows, %v", query, len(out), err)
	}
	return out
}
