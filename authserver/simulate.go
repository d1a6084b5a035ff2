package authserver

import (
	"context"
	"errors"
	"slices"

	"github.com/provost-id/provost/authserver/policy"
)

// SimulateRequest is a request that is only thought of.
type SimulateRequest struct {
	ClientID  string
	GrantType string
	UserID    string
	Scopes    []string
}

// Simulation is what would become of it.
type Simulation struct {
	Granted bool
	Policy  string // ID of the one that matches
	Rule    string
	Reasons []policy.Step
	Error   *Error         // why not
	Access  map[string]any // claims of the access token, without jti and times; nil when not granted
	ID      map[string]any // of the ID token, when one would be minted
}

// Simulate decides a request as the token endpoint would, says why, and issues nothing.
// A hook is not called.
func (s *Service) Simulate(ctx context.Context, serverID string, q SimulateRequest) (*Simulation, error) {
	srv, err := s.custom(ctx, serverID)
	if err != nil {
		return nil, err
	}
	c, err := s.Client(ctx, q.ClientID)
	if errors.Is(err, ErrNotFound) {
		return nil, invalid("clientId", "names no client")
	}
	if err != nil {
		return nil, err
	}
	ts := &tokenSession{server: srv, scopes: q.Scopes}
	if q.GrantType != grantClientCredentials {
		ts.person, err = s.People.Person(ctx, q.UserID)
		if errors.Is(err, ErrNoPerson) {
			return nil, invalid("userId", "names no user")
		}
		if err != nil {
			return nil, err
		}
		ts.grant = &grant{ID: "simulated", UserID: ts.person.ID, grantBody: grantBody{Scopes: q.Scopes, AuthTime: s.now(), AMR: []string{"pwd"}}}
	}
	out := &Simulation{}
	m, ok, steps := srv.policies.Explain(policyRequest(c, q.GrantType, ts.person, q.Scopes))
	out.Reasons = steps
	if ok {
		out.Policy, out.Rule, ts.terms = m.Policy.ID, m.Rule.ID, termsOf(m)
	}
	err = s.simulated(ctx, ts, c, q, ok)
	if errors.As(err, &out.Error) {
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	out.Granted, out.Access, out.ID = true, ts.access, ts.identity
	delete(out.Access, "jti")
	delete(out.ID, "jti")
	return out, nil
}

// simulated goes through the checks in the order of the endpoints.
func (s *Service) simulated(ctx context.Context, ts *tokenSession, c *Client, q SimulateRequest, matched bool) error {
	if !slices.Contains(c.GrantTypes, q.GrantType) {
		return unauthorizedGrant(c)
	}
	if err := ts.server.checkScopes(q.Scopes, q.GrantType); err != nil {
		return err
	}
	if ts.person != nil {
		ok, err := s.assigned(ctx, c, ts.person.ID)
		if err != nil {
			return err
		}
		if !ok || !ts.person.Active {
			return accessDenied(400, textAssigned)
		}
	}
	if !matched {
		return accessDenied(401, textPolicy)
	}
	return s.prepareClaims(ctx, ts, c)
}
