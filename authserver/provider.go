package authserver

import (
	"context"
	"errors"
	"net/url"
	"time"

	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/oauth2"
	"github.com/ory/fosite/handler/openid"
	"github.com/ory/fosite/handler/pkce"
)

// newProvider builds the immutable fosite of one server. Every getter that would fill
// a default into the shared configuration later is given a value here.
func (s *Service) newProvider(srv *server) *fosite.Fosite {
	cfg := &fosite.Config{
		AuthorizeCodeLifespan: codeLifetime,
		AccessTokenLifespan:   time.Hour,
		RefreshTokenLifespan:  -1, // the terms of the rule count
		IDTokenLifespan:       idTokenLifetime,
		AccessTokenIssuer:     srv.Issuer,
		IDTokenIssuer:         srv.Issuer,
		TokenURL:              s.endpoint(srv, "token"),
		ScopeStrategy:         scopeStrategy(srv),
		// The floor of 8 characters that fosite sets for state and nonce breaks clients
		// that are right; 1 takes it away, see withState for a request without state.
		MinParameterEntropy:          1,
		AudienceMatchingStrategy:     noAudience,
		ClientAuthenticationStrategy: s.authenticateClient(srv),
		ClientSecretsHasher:          noHasher{},
		OmitRedirectScopeParam:       true,
		RedirectSecureChecker:        func(context.Context, *url.URL) bool { return true }, // checked when registered
		FormPostHTMLTemplate:         formPostPage,
	}
	st := &strategy{s: s, srv: srv}
	cfg.AuthorizeEndpointHandlers.Append(&oauth2.AuthorizeExplicitGrantHandler{
		AccessTokenStrategy: st, RefreshTokenStrategy: st, AuthorizeCodeStrategy: st,
		CoreStorage: s.store, TokenRevocationStorage: s.store, Config: cfg,
	})
	cfg.AuthorizeEndpointHandlers.Append(&openid.OpenIDConnectExplicitHandler{
		OpenIDConnectRequestStorage:   s.store,
		OpenIDConnectRequestValidator: openid.NewOpenIDConnectRequestValidator(nil, cfg),
		Config:                        cfg,
	})
	cfg.AuthorizeEndpointHandlers.Append(&pkce.Handler{AuthorizeCodeStrategy: st, Storage: s.store, Config: cfg})
	cfg.TokenEndpointHandlers.Append(&codeHandler{s: s, strategy: st})
	cfg.TokenEndpointHandlers.Append(&refreshHandler{s: s, strategy: st})
	cfg.TokenEndpointHandlers.Append(&credentialsHandler{srv: srv, ClientCredentialsGrantHandler: &oauth2.ClientCredentialsGrantHandler{
		HandleHelper: &oauth2.HandleHelper{AccessTokenStrategy: st, AccessTokenStorage: s.store, Config: cfg},
		Config:       cfg,
	}})
	return fosite.NewOAuth2Provider(s.store, cfg)
}

// scopeStrategy: exactly the scopes of the server; no prefixes, no wildcards.
func scopeStrategy(srv *server) fosite.ScopeStrategy {
	return func(_ []string, needle string) bool { return srv.scopes[needle] != nil }
}

// noAudience: the audience of a token is the server's; the parameter is unknown here
// and ignored (RFC 6749, section 3.1).
func noAudience([]string, []string) error { return nil }

var errUnused = errors.New("authserver: not used")

// noHasher stands where fosite would put bcrypt of cost 12: client secrets are
// keyed hashes, compared by our own strategy.
type noHasher struct{}

func (noHasher) Compare(context.Context, []byte, []byte) error { return errUnused }
func (noHasher) Hash(context.Context, []byte) ([]byte, error)  { return nil, errUnused }
