package oidc

import (
	"context"
	"fmt"
	"slices"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"

	"github.com/provost-id/provost/federation"
)

// algorithms that may sign an ID token. Symmetric ones and none are not among them.
var algorithms = []string{
	gooidc.RS256, gooidc.RS384, gooidc.RS512, gooidc.PS256, gooidc.PS384, gooidc.PS512,
	gooidc.ES256, gooidc.ES384, gooidc.ES512, gooidc.EdDSA,
}

const (
	// metadataAge is how long a discovery document is used before it is read again.
	metadataAge = time.Hour
	// maxProviders bounds the cache: each change of a provider makes a new entry.
	maxProviders = 256
)

// provider is where and how one provider is spoken with.
type provider struct {
	issuer        string
	authorization string
	token         string
	userInfo      string
	sendsIssuer   bool // RFC 9207: every authorization response carries iss
	algorithms    []string
	keys          *keySet
	read          time.Time
}

// provider returns the addresses of a provider: those of its configuration, and its
// discovery document for the rest.
func (c *Client) provider(ctx context.Context, idp federation.IdP) (*provider, error) {
	key := fmt.Sprintf("%s %d", idp.ID, idp.Updated.UnixMicro())
	c.mu.Lock()
	known := c.providers[key]
	c.mu.Unlock()
	if known != nil && c.now().Sub(known.read) < metadataAge {
		return known, nil
	}
	p, err := c.load(ctx, idp)
	if err != nil {
		if known != nil {
			return known, nil // a failed fetch does not take away what works
		}
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.providers == nil || len(c.providers) >= maxProviders {
		c.providers = map[string]*provider{}
	}
	c.providers[key] = p
	return p, nil
}

func (c *Client) load(ctx context.Context, idp federation.IdP) (*provider, error) {
	at := func(name string) string { return idp.Protocol.Endpoints[name].URL }
	p := &provider{
		issuer: idp.Protocol.Issuer.URL, authorization: at("authorization"), token: at("token"), userInfo: at("userInfo"),
		algorithms: algorithms, read: c.now(),
	}
	jwks := at("jwks")
	if p.authorization == "" || p.token == "" || jwks == "" {
		found, err := c.discover(ctx, p)
		if err != nil {
			return nil, err
		}
		jwks = or(jwks, found)
	}
	p.keys = &keySet{url: jwks, http: c.HTTP, now: c.now}
	return p, nil
}

// discover reads the metadata (OpenID Connect Discovery 1.0, section 4). go-oidc
// compares its issuer with the configured one.
func (c *Client) discover(ctx context.Context, p *provider) (jwks string, err error) {
	found, err := gooidc.NewProvider(c.context(ctx), p.issuer)
	if err != nil {
		return "", fmt.Errorf("%w: discovery: %w", ErrUnreachable, err)
	}
	var m struct {
		Authorization string   `json:"authorization_endpoint"`
		Token         string   `json:"token_endpoint"`
		UserInfo      string   `json:"userinfo_endpoint"`
		JWKS          string   `json:"jwks_uri"`
		SendsIssuer   bool     `json:"authorization_response_iss_parameter_supported"`
		Algorithms    []string `json:"id_token_signing_alg_values_supported"`
	}
	if err := found.Claims(&m); err != nil {
		return "", fmt.Errorf("%w: metadata: %w", ErrUnreachable, err)
	}
	p.authorization, p.token, p.userInfo = or(p.authorization, m.Authorization), or(p.token, m.Token), or(p.userInfo, m.UserInfo)
	p.sendsIssuer = m.SendsIssuer
	p.algorithms = allowed(m.Algorithms)
	if p.authorization == "" || p.token == "" || m.JWKS == "" || len(p.algorithms) == 0 {
		return "", fmt.Errorf("%w: metadata lacks an endpoint or an algorithm that is allowed", ErrUnreachable)
	}
	return m.JWKS, nil
}

// allowed narrows the allow-list to what the provider says it uses.
func allowed(advertised []string) []string {
	if len(advertised) == 0 {
		return algorithms
	}
	return slices.DeleteFunc(slices.Clone(algorithms), func(a string) bool { return !slices.Contains(advertised, a) })
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
