package authserver

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/sqldb"
)

// revoke serves POST /v1/revoke (RFC 7009). A token that is unknown, or another
// client's, is answered like one that was revoked.
func (s *Service) revoke(w http.ResponseWriter, r *http.Request, srv *server) {
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
	if err := s.revokeToken(r.Context(), srv, c, token); err != nil && !errors.Is(err, errToken) {
		s.writeError(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
}

// revokeToken: a refresh token takes its family with it, an access token goes alone.
func (s *Service) revokeToken(ctx context.Context, srv *server, c *Client, token string) error {
	if strings.HasPrefix(token, refreshPrefix) {
		_, g, err := s.store.refreshByHash(ctx, s.refreshHash(token))
		if errors.Is(err, ErrNotFound) || err == nil && (g.ClientID != c.ID || g.ServerID != srv.ID) {
			return errToken
		}
		if err != nil {
			return err
		}
		return s.DB.Write(ctx, func(tx *sqldb.Tx) error {
			return s.revokeGrant(tx, g, "app.oauth2.as.token.revoke", "revoked by the client", clientActor(c))
		})
	}
	claims, err := srv.accessClaims(token, s.now())
	if err != nil || stringClaim(claims, "cid") != c.ID {
		return errToken
	}
	return s.DB.Write(ctx, func(tx *sqldb.Tx) error {
		if err := s.revokeAccess(tx, srv, claims); err != nil {
			return err
		}
		return events.Append(tx, events.Event{
			Type: "app.oauth2.as.token.revoke", Time: s.now(), Actor: clientActor(c),
			Targets: []events.Target{{ID: stringClaim(claims, "jti"), Type: "access_token"}, {ID: c.ID, Type: "PublicClientApp"}},
		})
	})
}
