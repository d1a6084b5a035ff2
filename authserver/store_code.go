package authserver

import (
	"context"
	"errors"

	"github.com/ory/fosite"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/sqldb"
)

// CreateAuthorizeCodeSession implements oauth2.AuthorizeCodeStorage. The signature is
// the keyed hash of the code.
func (st *store) CreateAuthorizeCodeSession(ctx context.Context, signature string, r fosite.Requester) error {
	u, err := st.unit(ctx)
	if err != nil {
		return err
	}
	u.grant = sessionOf(r).grant
	u.grant.code = []byte(signature)
	return st.append(ctx, func(tx *sqldb.Tx) error {
		if err := insertGrant(tx, u.grant); err != nil {
			return err
		}
		g := u.grant
		return events.Append(tx, events.Event{
			Type: "app.oauth2.as.authorize.code", Time: g.Granted, Actor: events.Actor{ID: g.UserID, Type: "User"},
			Targets: []events.Target{{ID: g.UserID, Type: "User"}, {ID: g.ClientID, Type: "PublicClientApp"}, {ID: g.ID, Type: "Grant"}},
			Detail:  map[string]any{"authorizationServer": g.ServerID, "scopes": g.Scopes, "policy": g.Terms.PolicyID, "rule": g.Terms.RuleID},
		})
	})
}

// CreatePKCERequestSession implements pkce.PKCERequestStorage: the challenge stands
// in the code's row and nothing deletes it before the code.
func (st *store) CreatePKCERequestSession(ctx context.Context, _ string, r fosite.Requester) error {
	u, err := st.unit(ctx)
	if err != nil {
		return err
	}
	u.grant.Challenge = r.GetRequestForm().Get("code_challenge")
	return nil
}

// CreateOpenIDConnectSession implements openid.OpenIDConnectRequestStorage.
func (st *store) CreateOpenIDConnectSession(ctx context.Context, _ string, r fosite.Requester) error {
	u, err := st.unit(ctx)
	if err != nil {
		return err
	}
	u.grant.Nonce = r.GetRequestForm().Get("nonce")
	return nil
}

// GetAuthorizeCodeSession implements oauth2.AuthorizeCodeStorage: a spent code comes
// with fosite.ErrInvalidatedAuthorizeCode.
func (st *store) GetAuthorizeCodeSession(ctx context.Context, signature string, session fosite.Session) (fosite.Requester, error) {
	g, err := st.grantByCode(ctx, []byte(signature))
	if errors.Is(err, ErrNotFound) {
		return nil, fosite.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	r, err := st.request(ctx, g, session)
	if err == nil && (!g.codeUsed.IsZero() || !g.revoked.IsZero()) {
		err = fosite.ErrInvalidatedAuthorizeCode
	}
	return r, err
}

// request gives a grant the form that fosite knows.
func (st *store) request(ctx context.Context, g *grant, session fosite.Session) (fosite.Requester, error) {
	ts, ok := session.(*tokenSession)
	if !ok {
		return nil, errors.New("authserver: session of another type")
	}
	c, err := st.s.Client(ctx, g.ClientID)
	if errors.Is(err, ErrNotFound) { // deleted since: the family is revoked
		c = &Client{ID: g.ClientID}
	} else if err != nil {
		return nil, err
	}
	ts.grant = g
	r := fosite.NewRequest()
	r.ID, r.Client, r.Session, r.RequestedAt = g.ID, c, ts, g.Granted
	r.RequestedScope, r.GrantedScope = g.Scopes, g.Scopes
	return r, nil
}

// InvalidateAuthorizeCodeSession implements oauth2.AuthorizeCodeStorage by a
// compare-and-set: the loser of a race gets fosite.ErrInvalidatedAuthorizeCode.
func (st *store) InvalidateAuthorizeCodeSession(ctx context.Context, signature string) error {
	return st.append(ctx, func(tx *sqldb.Tx) error {
		res, err := tx.Exec(`UPDATE oauth_grants SET code_used = $2 WHERE code = $1 AND code_used = 0 AND revoked = 0`,
			[]byte(signature), micros(st.s.now()))
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 1 {
			return err
		}
		return fosite.ErrInvalidatedAuthorizeCode
	})
}

// GetOpenIDConnectSession implements openid.OpenIDConnectRequestStorage. The nonce
// comes with the code's row.
func (st *store) GetOpenIDConnectSession(context.Context, string, fosite.Requester) (fosite.Requester, error) {
	return nil, fosite.ErrNotFound
}

// DeleteOpenIDConnectSession implements openid.OpenIDConnectRequestStorage, see above.
func (st *store) DeleteOpenIDConnectSession(context.Context, string) error { return nil }

// GetPKCERequestSession implements pkce.PKCERequestStorage. The challenge comes with
// the code's row.
func (st *store) GetPKCERequestSession(context.Context, string, fosite.Session) (fosite.Requester, error) {
	return nil, fosite.ErrNotFound
}

// DeletePKCERequestSession implements pkce.PKCERequestStorage, see above.
func (st *store) DeletePKCERequestSession(context.Context, string) error { return nil }
