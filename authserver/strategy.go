package authserver

import (
	"context"

	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/oauth2"

	"github.com/provost-id/provost/internal/id"
)

// Prefixes of opaque tokens, so that scanners for leaked secrets know them.
const (
	codePrefix    = "pvc_"
	refreshPrefix = "pvr_"
)

// strategy makes the tokens of one server. fosite's own would hold one mutex around
// its random bytes, know one key, and miss half of the claims. Signature is the keyed
// hash under which an opaque token is stored.
type strategy struct {
	s   *Service
	srv *server
}

var _ oauth2.CoreStrategy = (*strategy)(nil)

// GenerateAuthorizeCode implements oauth2.AuthorizeCodeStrategy.
func (st *strategy) GenerateAuthorizeCode(ctx context.Context, _ fosite.Requester) (token, signature string, err error) {
	token = codePrefix + id.Secret(secretLength)
	return token, st.AuthorizeCodeSignature(ctx, token), nil
}

// AuthorizeCodeSignature implements oauth2.AuthorizeCodeStrategy.
func (st *strategy) AuthorizeCodeSignature(_ context.Context, token string) string {
	return string(st.s.codeHash(token))
}

// ValidateAuthorizeCode implements oauth2.AuthorizeCodeStrategy: 300 seconds.
func (st *strategy) ValidateAuthorizeCode(_ context.Context, r fosite.Requester, _ string) error {
	if g := sessionOf(r).grant; g == nil || !st.s.now().Before(g.codeExpires) {
		return fosite.ErrTokenExpired
	}
	return nil
}

// GenerateRefreshToken implements oauth2.RefreshTokenStrategy.
func (st *strategy) GenerateRefreshToken(_ context.Context, r fosite.Requester) (token, signature string, err error) {
	t := sessionOf(r).refresh
	return t.token, string(t.hash), nil
}

// RefreshTokenSignature implements oauth2.RefreshTokenStrategy.
func (st *strategy) RefreshTokenSignature(_ context.Context, token string) string {
	return string(st.s.refreshHash(token))
}

// ValidateRefreshToken implements oauth2.RefreshTokenStrategy.
func (st *strategy) ValidateRefreshToken(_ context.Context, r fosite.Requester, _ string) error {
	if t := sessionOf(r).old; t == nil || !st.s.now().Before(t.expires) {
		return fosite.ErrTokenExpired
	}
	return nil
}

// GenerateAccessToken implements oauth2.AccessTokenStrategy: it signs the claims that
// mint has prepared.
func (st *strategy) GenerateAccessToken(_ context.Context, r fosite.Requester) (token, signature string, err error) {
	ts := sessionOf(r)
	k := ts.server.ring.active[ts.server.accessAlg()]
	token, err = k.sign(k.access, ts.access)
	return token, "", err
}

// AccessTokenSignature implements oauth2.AccessTokenStrategy: access tokens have no row.
func (st *strategy) AccessTokenSignature(context.Context, string) string { return "" }

// ValidateAccessToken implements oauth2.AccessTokenStrategy.
func (st *strategy) ValidateAccessToken(_ context.Context, _ fosite.Requester, token string) error {
	if _, err := st.srv.accessClaims(token, st.s.now()); err != nil {
		return fosite.ErrTokenSignatureMismatch
	}
	return nil
}

func (s *Service) codeHash(code string) []byte     { return s.Keys.Hash("authorization-code", code) }
func (s *Service) refreshHash(token string) []byte { return s.Keys.Hash("refresh-token", token) }
