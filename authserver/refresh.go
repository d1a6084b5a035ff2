package authserver

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/ory/fosite"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/sqldb"
)

// refreshHandler refreshes tokens (RFC 6749, section 6). fosite's own ignores scope,
// answers a lost race with a server error, and lets any client that presents another
// client's spent token revoke the family.
type refreshHandler struct {
	s        *Service
	strategy *strategy
}

var _ fosite.TokenEndpointHandler = (*refreshHandler)(nil)

// CanSkipClientAuth implements fosite.TokenEndpointHandler.
func (h *refreshHandler) CanSkipClientAuth(context.Context, fosite.AccessRequester) bool {
	return false
}

// CanHandleTokenEndpointRequest implements fosite.TokenEndpointHandler.
func (h *refreshHandler) CanHandleTokenEndpointRequest(_ context.Context, r fosite.AccessRequester) bool {
	return r.GetGrantTypes().ExactOne(grantRefresh)
}

// HandleTokenEndpointRequest implements fosite.TokenEndpointHandler.
func (h *refreshHandler) HandleTokenEndpointRequest(ctx context.Context, r fosite.AccessRequester) error {
	if !h.CanHandleTokenEndpointRequest(ctx, r) {
		return fosite.ErrUnknownRequest
	}
	c := r.GetClient().(*Client)
	if !slices.Contains(c.GrantTypes, grantRefresh) {
		return unauthorizedGrant(c)
	}
	token := r.GetRequestForm().Get("refresh_token")
	_, err := h.s.store.GetRefreshTokenSession(ctx, h.strategy.RefreshTokenSignature(ctx, token), r.GetSession())
	if errors.Is(err, fosite.ErrNotFound) {
		return invalidGrant(textRefresh)
	}
	if err != nil && !errors.Is(err, fosite.ErrInactiveToken) {
		return err
	}
	ts := sessionOf(r)
	switch {
	case ts.grant.ClientID != c.ID: // before anything is told or done about the token itself
		return h.misuse(ctx, ts.grant, c)
	case ts.grant.ServerID != h.strategy.srv.ID:
		return badRequest(textOtherServer)
	case !ts.grant.revoked.IsZero(), h.strategy.ValidateRefreshToken(ctx, r, token) != nil:
		return invalidGrant(textRefresh)
	case err != nil:
		return h.rotated(ctx, r, token)
	}
	return narrow(r, ts)
}

// narrow: the new access token may have less than what was granted, never more (RFC
// 6749, section 6). The grant itself keeps its scopes.
func narrow(r fosite.AccessRequester, ts *tokenSession) error {
	ts.scopes = ts.grant.Scopes
	if asked := unique(strings.Fields(r.GetRequestForm().Get("scope"))); len(asked) > 0 {
		for _, scope := range asked {
			if !slices.Contains(ts.grant.Scopes, scope) {
				return invalidScope(textScope)
			}
		}
		ts.scopes = asked
	}
	r.SetID(ts.grant.ID)
	for _, scope := range ts.scopes {
		r.GrantScope(scope)
	}
	return nil
}

// misuse: another client has the token. The family is left alone, or anybody with a
// client could sign people out; the log tells.
func (h *refreshHandler) misuse(ctx context.Context, g *grant, c *Client) error {
	err := h.s.DB.Write(ctx, func(tx *sqldb.Tx) error {
		return events.Append(tx, events.Event{
			Type: "app.oauth2.as.token.grant.refresh_token", Time: h.s.now(), Actor: clientActor(c), Outcome: events.Failure,
			Reason:  "refresh token of another client",
			Targets: []events.Target{{ID: g.UserID, Type: "User"}, {ID: g.ID, Type: "Grant"}, {ID: g.ClientID, Type: "PublicClientApp"}},
		})
	})
	if err != nil {
		return err
	}
	return invalidGrant(textOtherClient)
}

// rotated decides about a token that has been used before: within the client's
// leeway, and as long as its successor is unused, it gives the very same answer again;
// otherwise the family is revoked (RFC 9700, section 4.14.2).
func (h *refreshHandler) rotated(ctx context.Context, r fosite.AccessRequester, token string) error {
	ts, c := sessionOf(r), r.GetClient().(*Client)
	answer, err := h.s.replay(ctx, ts.old, c, token)
	if errors.Is(err, fosite.ErrInactiveToken) {
		return h.s.reused(ctx, ts.grant, c)
	}
	ts.replay = answer
	return err
}

func (s *Service) reused(ctx context.Context, g *grant, c *Client) error {
	err := s.DB.Write(ctx, func(tx *sqldb.Tx) error {
		return s.revokeGrant(tx, g, "app.oauth2.as.token.detect_reuse", "refresh token used twice", clientActor(c))
	})
	if err != nil {
		return err
	}
	return invalidGrant(textRefresh)
}

// PopulateTokenEndpointResponse implements fosite.TokenEndpointHandler.
func (h *refreshHandler) PopulateTokenEndpointResponse(ctx context.Context, r fosite.AccessRequester, resp fosite.AccessResponder) error {
	if !h.CanHandleTokenEndpointRequest(ctx, r) {
		return fosite.ErrUnknownRequest
	}
	ts := sessionOf(r)
	if ts.replay == nil {
		answer, err := h.rotate(ctx, r)
		if err != nil {
			return err
		}
		ts.replay = answer
	}
	ts.replay.populate(resp, h.s.now())
	return nil
}

// rotate builds the new tokens, then spends the old one and stores the new in one
// transaction. The loser of a race is treated as whoever comes later.
func (h *refreshHandler) rotate(ctx context.Context, r fosite.AccessRequester) (*tokenAnswer, error) {
	ts, c := sessionOf(r), r.GetClient().(*Client)
	answer, err := h.s.build(ctx, h.strategy, r)
	if err != nil {
		return nil, err
	}
	token := r.GetRequestForm().Get("refresh_token")
	uctx, err := h.s.store.BeginTX(ctx)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(h.s.spendRefresh(uctx, ts, c, token, answer), h.s.storeTokens(uctx, h.strategy, r)); err != nil {
		return nil, err
	}
	err = h.s.store.Commit(uctx)
	if !errors.Is(err, fosite.ErrInactiveToken) {
		return answer, err
	}
	again, _, err := h.s.store.refreshByHash(ctx, ts.old.hash)
	if err != nil {
		return nil, err
	}
	answer, err = h.s.replay(ctx, again, c, token)
	if errors.Is(err, fosite.ErrInactiveToken) {
		return nil, h.s.reused(ctx, ts.grant, c)
	}
	return answer, err
}

// spendRefresh rotates the presented token, or only prolongs one that stays.
func (s *Service) spendRefresh(ctx context.Context, ts *tokenSession, c *Client, token string, answer *tokenAnswer) error {
	if !c.rotates() {
		until := ts.grant.refreshExpiry(s.now())
		return s.store.append(ctx, func(tx *sqldb.Tx) error {
			if err := liveGrant(tx, ts.grant.ID); err != nil {
				return err
			}
			_, err := tx.Exec(`UPDATE oauth_refresh_tokens SET expires = $2 WHERE hash = $1`, ts.old.hash, micros(until))
			return errors.Join(err, prolong(tx, ts.grant.ID, until))
		})
	}
	if err := s.store.RotateRefreshToken(ctx, ts.grant.ID, string(ts.old.hash)); err != nil {
		return err
	}
	if c.leeway() == 0 {
		return nil
	}
	plain, err := json.Marshal(answer)
	if err != nil {
		return err
	}
	sealed := s.Keys.Seal(successorPurpose(token), ts.grant.ID, plain)
	return s.store.append(ctx, func(tx *sqldb.Tx) error {
		_, err := tx.Exec(`UPDATE oauth_refresh_tokens SET successor = $2 WHERE hash = $1`, ts.old.hash, sealed)
		return err
	})
}

// successorPurpose makes the key depend on the presented token: the row alone, even
// with the master key, does not give the answer away.
func successorPurpose(token string) string { return "refresh-successor/" + token }

// replay returns the answer that a rotated token gave, or fosite.ErrInactiveToken
// outside its leeway, or when the successor has been used: then the answer was not lost.
func (s *Service) replay(ctx context.Context, t *refreshToken, c *Client, token string) (*tokenAnswer, error) {
	if t.used.IsZero() || s.now().Sub(t.used) > c.leeway() || len(t.sealed) == 0 {
		return nil, fosite.ErrInactiveToken
	}
	plain, err := s.Keys.Unseal(successorPurpose(token), t.grantID, t.sealed)
	if err != nil {
		return nil, err
	}
	answer := &tokenAnswer{}
	if err := json.Unmarshal(plain, answer); err != nil {
		return nil, err
	}
	next, g, err := s.store.refreshByHash(ctx, s.refreshHash(answer.Refresh))
	if errors.Is(err, ErrNotFound) || err == nil && (!next.used.IsZero() || !g.revoked.IsZero()) {
		return nil, fosite.ErrInactiveToken
	}
	return answer, err
}

// leeway of a client: none until it asks for some.
func (c *Client) leeway() time.Duration {
	if c.RefreshToken == nil {
		return 0
	}
	return time.Duration(c.RefreshToken.Leeway) * time.Second
}
