package authserver

import (
	"context"
	"errors"
	"net/http"
	"strings"
)

// inactive is the whole answer for a token that is none, or that the caller may not
// know about (RFC 7662, section 2.2).
var inactive = map[string]any{"active": false}

// introspect serves POST /v1/introspect (RFC 7662).
func (s *Service) introspect(w http.ResponseWriter, r *http.Request, srv *server) {
	c, err := s.clientOf(r.Context(), srv, r, r.PostForm)
	if err != nil {
		s.writeError(w, r, err)
		return
	}
	token := r.PostForm.Get("token")
	if token == "" {
		s.writeError(w, r, badRequest("The 'token' parameter is required."))
		return
	}
	body, err := s.describe(r.Context(), srv, c, token)
	if errors.Is(err, errToken) {
		body, err = inactive, nil
	}
	if err != nil {
		s.writeError(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, body)
}

func (s *Service) describe(ctx context.Context, srv *server, c *Client, token string) (map[string]any, error) {
	if strings.HasPrefix(token, refreshPrefix) {
		return s.describeRefresh(ctx, srv, c, token)
	}
	claims, err := s.liveAccess(ctx, srv, token)
	if err != nil {
		return nil, err
	}
	if !srv.mayIntrospect(c, stringClaim(claims, "cid")) {
		return nil, errToken
	}
	if err := s.stillActive(ctx, stringClaim(claims, "uid")); err != nil {
		return nil, err
	}
	body := claims
	body["active"], body["token_type"], body["client_id"] = true, "Bearer", claims["cid"]
	body["scope"] = strings.Join(stringsClaim(claims, "scp"), " ")
	if claims["uid"] != nil {
		body["username"] = claims["sub"]
	}
	return body, nil
}

// mayIntrospect: a client sees its own tokens. A confidential client to which a policy
// of the server is open may be a resource server, and sees those of the server. The
// org server's tokens are for provost itself.
func (srv *server) mayIntrospect(c *Client, cid string) bool {
	return c.ID == cid || !c.IsPublic() && !srv.isOrg() && srv.policies.Admits(c.ID)
}

// stillActive: a person who may not sign in has no live token, whatever it says.
func (s *Service) stillActive(ctx context.Context, userID string) error {
	if userID == "" {
		return nil
	}
	p, err := s.People.Person(ctx, userID)
	if errors.Is(err, ErrNoPerson) || err == nil && !p.Active {
		return errToken
	}
	return err
}

// describeRefresh: only its own client learns anything about a refresh token.
func (s *Service) describeRefresh(ctx context.Context, srv *server, c *Client, token string) (map[string]any, error) {
	t, g, err := s.store.refreshByHash(ctx, s.refreshHash(token))
	if errors.Is(err, ErrNotFound) {
		return nil, errToken
	}
	if err != nil {
		return nil, err
	}
	if g.ServerID != srv.ID || g.ClientID != c.ID || !g.revoked.IsZero() || !t.used.IsZero() || !s.now().Before(t.expires) {
		return nil, errToken
	}
	if err := s.stillActive(ctx, g.UserID); err != nil {
		return nil, err
	}
	return map[string]any{
		"active": true, "token_type": "refresh_token", "client_id": c.ID, "scope": strings.Join(g.Scopes, " "),
		"iss": srv.Issuer, "sub": g.UserID, "uid": g.UserID, "jti": t.ID, "iat": t.issued.Unix(), "exp": t.expires.Unix(),
	}, nil
}
