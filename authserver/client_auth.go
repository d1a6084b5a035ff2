package authserver

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/ory/fosite"
)

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

const textMultiple = "Cannot supply multiple client credentials. Use one of the following: credentials in the Authorization header, credentials in the post body, or a client_assertion in the post body."

// credential is how a client presents itself.
type credential struct {
	id, secret, assertion string
}

// authenticateClient is fosite's strategy for one server. It says the contract's
// words, takes secrets as keyed hashes, and spends an assertion only when everything
// about it holds.
func (s *Service) authenticateClient(srv *server) fosite.ClientAuthenticationStrategy {
	return func(ctx context.Context, r *http.Request, form url.Values) (fosite.Client, error) {
		c, err := s.clientOf(ctx, srv, r, form)
		if err != nil { // never a nil *Client in an interface
			return nil, err
		}
		return c, nil
	}
}

func (s *Service) clientOf(ctx context.Context, srv *server, r *http.Request, form url.Values) (*Client, error) {
	cred, err := credentialOf(r, form)
	if err != nil {
		return nil, err
	}
	if cred.assertion != "" {
		return s.byAssertion(ctx, srv, cred)
	}
	c, err := s.Client(ctx, cred.id)
	if errors.Is(err, ErrNotFound) {
		return nil, invalidClient("Invalid value for 'client_id' parameter.")
	}
	if err != nil {
		return nil, err
	}
	switch {
	case c.IsPublic() && cred.secret == "":
		return c, nil
	case c.IsPublic():
		return nil, invalidClient("The client secret supplied for a public client is invalid.")
	case cred.secret == "":
		return nil, invalidClient("No client credentials found.")
	case !c.hasSecret() || !s.checkSecret(c, cred.secret):
		return nil, invalidClient("The client secret supplied for a confidential client is invalid.")
	}
	return c, nil
}

// credentialOf finds the one credential of a request (RFC 6749, section 2.3).
func credentialOf(r *http.Request, form url.Values) (credential, error) {
	query := r.URL.Query()
	if query.Has("client_secret") || query.Has("client_assertion") || query.Has("client_id") {
		return credential{}, badRequest("Client credentials cannot be supplied via query parameters.")
	}
	user, password, basic := r.BasicAuth()
	found := credential{id: form.Get("client_id"), secret: form.Get("client_secret"), assertion: form.Get("client_assertion")}
	if found.assertion != "" && form.Get("client_assertion_type") != assertionType {
		return credential{}, badRequest("The 'client_assertion_type' is not supported.")
	}
	if basic {
		id, err := url.QueryUnescape(user)
		secret, err2 := url.QueryUnescape(password)
		if err != nil || err2 != nil {
			return credential{}, invalidClient("The client credentials in the Authorization header are not form-encoded.")
		}
		if found.secret != "" || found.assertion != "" || found.id != "" && found.id != id {
			return credential{}, oauthError("invalid_request", http.StatusUnauthorized, textMultiple)
		}
		return credential{id: id, secret: secret}, nil
	}
	if found.secret != "" && found.assertion != "" {
		return credential{}, oauthError("invalid_request", http.StatusUnauthorized, textMultiple)
	}
	if found == (credential{}) {
		return credential{}, invalidClient("No client credentials found.")
	}
	return found, nil
}
