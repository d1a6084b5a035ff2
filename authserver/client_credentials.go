package authserver

import (
	"context"
	"slices"

	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/oauth2"
)

// credentialsHandler is fosite's client_credentials (RFC 6749, section 4.4) behind our
// own look at client and scopes: fosite asks about the grant type only when it has
// answered everything else.
type credentialsHandler struct {
	*oauth2.ClientCredentialsGrantHandler
	srv *server
}

var _ fosite.TokenEndpointHandler = (*credentialsHandler)(nil)

// HandleTokenEndpointRequest implements fosite.TokenEndpointHandler.
func (h *credentialsHandler) HandleTokenEndpointRequest(ctx context.Context, r fosite.AccessRequester) error {
	if !h.CanHandleTokenEndpointRequest(ctx, r) {
		return fosite.ErrUnknownRequest
	}
	c := r.GetClient().(*Client)
	if !slices.Contains(c.GrantTypes, grantClientCredentials) {
		return unauthorizedGrant(c)
	}
	scopes, err := h.srv.requestedScopes(r.GetRequestForm().Get("scope"), grantClientCredentials)
	if err != nil {
		return err
	}
	r.SetRequestedScopes(scopes)
	sessionOf(r).scopes = scopes
	return h.ClientCredentialsGrantHandler.HandleTokenEndpointRequest(ctx, r)
}
