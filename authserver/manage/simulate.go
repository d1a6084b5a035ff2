package manage

import (
	"context"

	"github.com/provost-id/provost/authserver"
	"github.com/provost-id/provost/authserver/policy"
)

type simulateInput struct {
	ID   string `path:"id"`
	Body struct {
		ClientID  string   `json:"clientId"`
		GrantType string   `json:"grantType"`
		UserID    string   `json:"userId"`
		Scopes    []string `json:"scopes"`
	}
}

type simulateOutput struct {
	Body struct {
		Granted bool           `json:"granted"`
		Policy  *ref           `json:"policy,omitempty"`
		Rule    *ref           `json:"rule,omitempty"`
		Reasons []policy.Step  `json:"reasons"`
		Error   *oauthBody     `json:"error,omitempty"`
		Claims  map[string]any `json:"claims,omitempty"`
		IDToken map[string]any `json:"idTokenClaims,omitempty"`
	}
}

type ref struct {
	ID string `json:"id"`
}

// oauthBody is an OAuth error (RFC 6749, section 5.2).
type oauthBody struct {
	Code        string `json:"error"`
	Description string `json:"error_description,omitempty"`
}

func (h *handlers) simulate(ctx context.Context, in *simulateInput) (*simulateOutput, error) {
	q := authserver.SimulateRequest{
		ClientID: in.Body.ClientID, GrantType: in.Body.GrantType, UserID: in.Body.UserID, Scopes: in.Body.Scopes,
	}
	sim, err := h.s.Simulate(ctx, in.ID, q)
	if err != nil {
		return nil, apiError(err, in.ID, serverType)
	}
	out := &simulateOutput{}
	out.Body.Granted, out.Body.Reasons, out.Body.Claims, out.Body.IDToken = sim.Granted, sim.Reasons, sim.Access, sim.ID
	if sim.Policy != "" {
		out.Body.Policy, out.Body.Rule = &ref{sim.Policy}, &ref{sim.Rule}
	}
	if sim.Error != nil {
		out.Body.Error = &oauthBody{sim.Error.Code, sim.Error.Description}
	}
	return out, nil
}
