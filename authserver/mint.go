package authserver

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/ory/fosite"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/id"
	"github.com/provost-id/provost/internal/sqldb"
)

// idTokenLifetime is fixed by the contract; a hook may change it.
const idTokenLifetime = time.Hour

// mint decides whether the request gets tokens, and prepares everything that they will
// say. Nothing is signed and nothing written.
func (s *Service) mint(ctx context.Context, hr *http.Request, r fosite.AccessRequester) error {
	ts, c := sessionOf(r), r.GetClient().(*Client)
	var err error
	if ts.grant == nil {
		err = s.clientTerms(ts, c, r)
	} else {
		err = s.personTerms(ctx, ts, c)
	}
	if err != nil || ts.replay != nil {
		return err
	}
	if ts.server, _, err = s.needKey(ctx, ts.server, ts.server.accessAlg()); err != nil {
		return err
	}
	if slices.Contains(ts.scopes, scopeOpenID) {
		if ts.server, _, err = s.needKey(ctx, ts.server, c.idTokenAlg()); err != nil {
			return err
		}
	}
	s.prepareRefresh(ts, c)
	if err := s.prepareClaims(ctx, ts, c); err != nil {
		return err
	}
	if err := s.callHook(ctx, hr, r); err != nil {
		return err
	}
	s.stamp(ts)
	return nil
}

// clientTerms: client_credentials (RFC 6749, section 4.4).
func (s *Service) clientTerms(ts *tokenSession, c *Client, r fosite.AccessRequester) error {
	var err error
	if ts.terms, err = ts.server.decide(c, grantClientCredentials, nil, ts.scopes); err != nil {
		return err
	}
	for _, scope := range ts.scopes {
		r.GrantScope(scope)
	}
	return nil
}

// personTerms looks again at the person behind a grant: whoever is no longer active,
// assigned, or admitted by a rule gets nothing more. The terms of a code are those of
// the authorization; those of a refresh are decided anew.
func (s *Service) personTerms(ctx context.Context, ts *tokenSession, c *Client) error {
	text := textCode
	if ts.old != nil {
		text = textRefresh
	}
	p, err := s.People.Person(ctx, ts.grant.UserID)
	if errors.Is(err, ErrNoPerson) || err == nil && !p.Active {
		return invalidGrant("%s", text)
	}
	if err != nil {
		return err
	}
	ok, err := s.assigned(ctx, c, p.ID)
	if err != nil {
		return err
	}
	if !ok {
		return invalidGrant(textAssigned)
	}
	ts.person, ts.terms = p, ts.grant.Terms
	if ts.old == nil {
		return nil
	}
	if ts.terms, err = ts.server.decide(c, grantCode, p, ts.grant.Scopes); err != nil {
		return invalidGrant(textPolicy)
	}
	return nil
}

// prepareRefresh makes the next refresh token of the family, where there is to be one.
func (s *Service) prepareRefresh(ts *tokenSession, c *Client) {
	if ts.grant == nil || !slices.Contains(ts.grant.Scopes, scopeOffline) || !slices.Contains(c.GrantTypes, grantRefresh) ||
		ts.old != nil && !c.rotates() {
		return
	}
	now := s.now()
	ts.grant.Terms = ts.terms
	token := refreshPrefix + id.Secret(secretLength)
	ts.refresh = &refreshToken{
		ID: id.NewAt(id.RefreshToken, now), token: token, hash: s.refreshHash(token),
		grantID: ts.grant.ID, issued: now, expires: ts.grant.refreshExpiry(now),
	}
}

// stamp adds the times, which a hook does not see.
func (s *Service) stamp(ts *tokenSession) {
	now := s.now()
	ts.access["iat"], ts.access["exp"] = now.Unix(), now.Add(ts.lifetime.access).Unix()
	if ts.identity != nil {
		ts.identity["iat"], ts.identity["exp"] = now.Unix(), now.Add(ts.lifetime.identity).Unix()
	}
	ts.SetExpiresAt(fosite.AccessToken, now.Add(ts.lifetime.access))
}

// tokenAnswer is a successful answer of the token endpoint.
type tokenAnswer struct {
	Access  string    `json:"a"`
	ID      string    `json:"i,omitempty"`
	Refresh string    `json:"r,omitempty"`
	Scope   string    `json:"s"`
	Expires time.Time `json:"e"` // of the access token
}

// build signs the tokens that mint has prepared.
func (s *Service) build(ctx context.Context, st *strategy, r fosite.AccessRequester) (*tokenAnswer, error) {
	ts, c := sessionOf(r), r.GetClient().(*Client)
	access, _, err := st.GenerateAccessToken(ctx, r)
	if err != nil {
		return nil, err
	}
	answer := &tokenAnswer{Access: access, Scope: strings.Join(ts.scopes, " "), Expires: ts.GetExpiresAt(fosite.AccessToken)}
	if ts.identity != nil {
		ts.identity["at_hash"] = halfHash(access)
		k := ts.server.ring.active[c.idTokenAlg()]
		if answer.ID, err = k.sign(k.identity, ts.identity); err != nil {
			return nil, err
		}
	}
	switch {
	case ts.refresh != nil:
		answer.Refresh = ts.refresh.token
	case ts.old != nil: // it stays
		answer.Refresh = r.GetRequestForm().Get("refresh_token")
	}
	return answer, nil
}

// halfHash is at_hash (OpenID Connect Core, section 3.1.3.6), for both our algorithms.
func halfHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
}

func (a *tokenAnswer) populate(resp fosite.AccessResponder, now time.Time) {
	resp.SetAccessToken(a.Access)
	resp.SetTokenType("Bearer")
	resp.SetExpiresIn(a.Expires.Sub(now).Round(time.Second))
	resp.SetScopes(strings.Fields(a.Scope))
	if a.Refresh != "" {
		resp.SetExtra("refresh_token", a.Refresh)
	}
	if a.ID != "" {
		resp.SetExtra("id_token", a.ID)
	}
}

// storeTokens appends what the new tokens leave behind to the unit of work: the
// refresh token, the time until which the family is kept, and the event.
func (s *Service) storeTokens(ctx context.Context, st *strategy, r fosite.AccessRequester) error {
	ts, c := sessionOf(r), r.GetClient().(*Client)
	if ts.refresh != nil {
		_, signature, err := st.GenerateRefreshToken(ctx, r)
		if err != nil {
			return err
		}
		if err := s.store.CreateRefreshTokenSession(ctx, signature, "", r); err != nil {
			return err
		}
	}
	until := ts.GetExpiresAt(fosite.AccessToken)
	return s.store.append(ctx, func(tx *sqldb.Tx) error {
		if err := prolong(tx, ts.grant.ID, until); err != nil {
			return err
		}
		return events.Append(tx, events.Event{
			Type: "app.oauth2.as.token.grant.access_token", Time: s.now(), Actor: clientActor(c),
			Targets: []events.Target{{ID: ts.grant.UserID, Type: "User"}, {ID: ts.grant.ID, Type: "Grant"}, {ID: c.ID, Type: "PublicClientApp"}},
			Detail: map[string]any{
				"authorizationServer": ts.server.ID, "scopes": ts.scopes, "grantType": strings.Join(r.GetGrantTypes(), " "),
				"jti": ts.access["jti"], "rule": ts.terms.RuleID,
			},
		})
	})
}
