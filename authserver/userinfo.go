package authserver

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/provost-id/provost/internal/sqldb"
)

// bearer is the access token of a request (RFC 6750, sections 2.1 and 2.2).
func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(token)
	}
	if r.Header.Get("Authorization") == "" {
		return r.PostForm.Get("access_token")
	}
	return ""
}

// liveAccess verifies an access token of the server and that neither it nor its
// family has been revoked. It returns errToken for one that is not good.
func (s *Service) liveAccess(ctx context.Context, srv *server, token string) (map[string]any, error) {
	claims, err := srv.accessClaims(token, s.now())
	if err != nil {
		return nil, err
	}
	jti := stringClaim(claims, "jti")
	var dead int
	// A token of a person dies with its grant; one of a client has none.
	grantID := grantOf(jti)
	err = s.DB.QueryRow(ctx, `SELECT
		(SELECT count(*) FROM oauth_revoked WHERE as_id = $1 AND jti = $2) +
		CASE WHEN $3 = '' THEN 0 ELSE 1 - (SELECT count(*) FROM oauth_grants WHERE id = $3 AND revoked = 0) END`,
		srv.ID, jti, grantID).Scan(&dead)
	if err != nil {
		return nil, err
	}
	if dead > 0 {
		return nil, errToken
	}
	return claims, nil
}

// grantOf is the grant that an access token belongs to, by its jti.
func grantOf(jti string) string {
	if parts := strings.Split(jti, "."); len(parts) == 3 {
		return parts[2]
	}
	return ""
}

// revokeAccess ends one access token until it would have expired.
func (s *Service) revokeAccess(tx *sqldb.Tx, srv *server, claims map[string]any) error {
	_, err := tx.Exec(`INSERT INTO oauth_revoked (as_id, jti, expires) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
		srv.ID, stringClaim(claims, "jti"), micros(timeClaim(claims, "exp")))
	return err
}

// userinfo serves GET and POST /v1/userinfo (OpenID Connect Core, section 5.3).
func (s *Service) userinfo(w http.ResponseWriter, r *http.Request, srv *server) {
	claims, err := s.liveAccess(r.Context(), srv, bearer(r))
	if errors.Is(err, errToken) {
		challenge(w, http.StatusUnauthorized, "invalid_token", "The access token is invalid, expired or revoked.")
		return
	}
	if err != nil {
		s.writeError(w, r, err)
		return
	}
	scopes := stringsClaim(claims, "scp")
	if !slices.Contains(scopes, scopeOpenID) {
		challenge(w, http.StatusForbidden, "insufficient_scope", "Requests for ID tokens or access tokens with OpenID scopes require the 'openid' scope.")
		return
	}
	body, err := s.userClaims(r.Context(), srv, claims, scopes)
	if errors.Is(err, errToken) {
		challenge(w, http.StatusUnauthorized, "invalid_token", "The access token is invalid, expired or revoked.")
		return
	}
	if err != nil {
		s.writeError(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, body)
}

// userClaims are everything that the scopes allow about the person of the token.
func (s *Service) userClaims(ctx context.Context, srv *server, claims map[string]any, scopes []string) (map[string]any, error) {
	p, err := s.People.Person(ctx, stringClaim(claims, "uid"))
	if errors.Is(err, ErrNoPerson) || err == nil && !p.Active {
		return nil, errToken
	}
	if err != nil {
		return nil, err
	}
	c, err := s.Client(ctx, stringClaim(claims, "cid"))
	if errors.Is(err, ErrNotFound) {
		return nil, errToken
	}
	if err != nil {
		return nil, err
	}
	body := profileClaims(p, scopes)
	body["sub"] = p.ID
	return body, s.addClaims(ctx, body, ClaimIdentity, &tokenSession{server: srv, person: p, scopes: scopes}, c, true)
}

// challenge answers a protected resource request that is refused (RFC 6750, section 3).
func challenge(w http.ResponseWriter, status int, code, description string) {
	w.Header().Set("WWW-Authenticate", `Bearer realm="provost", error="`+code+`", error_description="`+description+`"`)
	writeJSON(w, status, map[string]string{"error": code, "error_description": description})
}
