package authserver

import (
	"encoding/json"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-jose/go-jose/v4"
)

const (
	maxURIs   = 100
	maxURI    = 2048
	maxJWKS   = 64 << 10
	maxLeeway = 60
)

// normalize fills what RFC 7591, section 2, leaves to the server and checks the rest.
func (c *Client) normalize() error {
	c.fill()
	switch {
	case strings.TrimSpace(c.Name) == "" || utf8.RuneCountInString(c.Name) > 100:
		return invalid("client_name", "must have 1 to 100 characters")
	case !slices.Contains([]string{AppWeb, AppBrowser, AppNative, AppService}, c.ApplicationType):
		return invalid("application_type", "must be web, browser, native or service")
	case !slices.Contains(clientAuthMethods, c.AuthMethod):
		return invalid("token_endpoint_auth_method", "must be one of %s", strings.Join(clientAuthMethods, ", "))
	case c.IDTokenAlg != es256 && c.IDTokenAlg != rs256:
		return invalid("id_token_signed_response_alg", "must be RS256 or ES256")
	case c.IsPublic() && c.PKCERequired != nil && !*c.PKCERequired:
		return invalid("pkce_required", "a public client must use PKCE")
	}
	for _, check := range []func() error{c.checkGrants, c.checkURIs, c.checkKeys, c.checkScope, c.checkRefresh} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

var clientAuthMethods = []string{authBasic, authPost, authPrivateKey, authNone}

func (c *Client) fill() {
	if c.ApplicationType == "" {
		c.ApplicationType = AppWeb
	}
	if c.AuthMethod == "" {
		c.AuthMethod = authBasic
		if c.ApplicationType == AppBrowser || c.ApplicationType == AppNative {
			c.AuthMethod = authNone
		}
	}
	if len(c.GrantTypes) == 0 {
		c.GrantTypes = []string{grantCode}
		if c.ApplicationType == AppService {
			c.GrantTypes = []string{grantClientCredentials}
		}
	}
	if len(c.ResponseTypes) == 0 && slices.Contains(c.GrantTypes, grantCode) {
		c.ResponseTypes = []string{"code"}
	}
	if c.IDTokenAlg == "" {
		c.IDTokenAlg = rs256
	}
	if c.PKCERequired == nil {
		required := c.IsPublic() || c.ApplicationType == AppBrowser || c.ApplicationType == AppNative
		c.PKCERequired = &required
	}
	for _, list := range []*[]string{&c.RedirectURIs, &c.PostLogoutRedirectURIs, &c.ResponseTypes, &c.GrantTypes} {
		if *list == nil {
			*list = []string{}
		}
	}
}

func (c *Client) checkGrants() error {
	for _, g := range c.GrantTypes {
		if !slices.Contains(ruleGrantTypes, g) {
			return invalid("grant_types", "%q is not a grant type of this server", g)
		}
	}
	// Clients without a browser say "token", and mean nothing by it.
	service := !slices.Contains(c.GrantTypes, grantCode)
	for _, r := range c.ResponseTypes {
		if r != "code" && (r != "token" || !service) {
			return invalid("response_types", "%q is not a response type of this server", r)
		}
	}
	switch hasCode := slices.Contains(c.GrantTypes, grantCode); {
	case c.IsPublic() && slices.Contains(c.GrantTypes, grantClientCredentials):
		return invalid("grant_types", "a public client cannot use client_credentials")
	case slices.Contains(c.GrantTypes, grantRefresh) && !hasCode:
		return invalid("grant_types", "refresh_token needs authorization_code")
	case hasCode != slices.Contains(c.ResponseTypes, "code"):
		return invalid("response_types", "code and the grant type authorization_code go together")
	case hasCode && len(c.RedirectURIs) == 0:
		return invalid("redirect_uris", "at least one redirect URI is needed")
	}
	return nil
}

func (c *Client) checkURIs() error {
	if len(c.RedirectURIs) > maxURIs || len(c.PostLogoutRedirectURIs) > maxURIs {
		return invalid("redirect_uris", "at most %d are allowed", maxURIs)
	}
	for _, uri := range c.RedirectURIs {
		if reason := c.refusesRedirect(uri); reason != "" {
			return invalid("redirect_uris", "%q %s", uri, reason)
		}
	}
	for _, uri := range c.PostLogoutRedirectURIs {
		if reason := c.refusesRedirect(uri); reason != "" {
			return invalid("post_logout_redirect_uris", "%q %s", uri, reason)
		}
	}
	pages := map[string]string{"initiate_login_uri": c.InitiateLoginURI, "logo_uri": c.LogoURI,
		"client_uri": c.ClientURI, "tos_uri": c.TosURI, "policy_uri": c.PolicyURI}
	for field, uri := range pages {
		if u, err := url.Parse(uri); err != nil || uri != "" && u.Scheme != "https" && u.Scheme != "http" || len(uri) > maxURI {
			return invalid(field, "must be an http or https URL")
		}
	}
	return nil
}

// refusesRedirect says why a redirect URI cannot be registered, empty when it can.
func (c *Client) refusesRedirect(uri string) string {
	u, err := url.Parse(uri)
	switch {
	case err != nil || len(uri) > maxURI || u.Scheme == "":
		return "is not an absolute URI"
	case strings.ContainsAny(uri, "#*\\ \t\r\n"):
		return "must not contain a fragment, a wildcard, a backslash or white space"
	case u.User != nil:
		return "must not contain user information"
	case u.Scheme == "https" && u.Host != "", u.Scheme == "http" && isLocal(u.Hostname()):
		return ""
	case u.Scheme == "http":
		return "must use https"
	case c.ApplicationType == AppNative && strings.Contains(u.Scheme, "."):
		return "" // a private-use scheme (RFC 8252, section 7.1)
	}
	return "must use https, http on loopback, or for a native client a private-use scheme such as com.example.app"
}

func isLocal(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

func (c *Client) checkKeys() error {
	if c.AuthMethod == authPrivateKey && len(c.JWKS) == 0 {
		return invalid("jwks", "private_key_jwt needs the client's public keys")
	}
	if len(c.JWKS) == 0 {
		c.keys = nil
		return nil
	}
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(c.JWKS, &set); err != nil || len(c.JWKS) > maxJWKS || len(set.Keys) == 0 {
		return invalid("jwks", "must be a JWK set with at least one key")
	}
	for _, k := range set.Keys {
		if !k.Valid() || !k.IsPublic() {
			return invalid("jwks", "must hold public keys only")
		}
	}
	c.keys = set.Keys
	return nil
}

// checkScope: only the scopes of the product's own APIs are given to single clients.
func (c *Client) checkScope() error {
	for _, name := range strings.Fields(c.Scope) {
		if !validScopeName(name) {
			return invalid("scope", "%q is not a scope", name)
		}
	}
	return nil
}

func (c *Client) checkRefresh() error {
	r := c.RefreshToken
	if r == nil {
		return nil
	}
	if r.RotationType == "" {
		r.RotationType = RotationRotate
	}
	switch {
	case r.RotationType != RotationRotate && r.RotationType != RotationStatic:
		return invalid("refresh_token.rotation_type", "must be ROTATE or STATIC")
	case r.Leeway < 0 || r.Leeway > maxLeeway:
		return invalid("refresh_token.leeway", "must be 0 to %d seconds", maxLeeway)
	case r.RotationType == RotationStatic && c.IsPublic():
		return invalid("refresh_token.rotation_type", "refresh tokens of a public client rotate")
	}
	return nil
}
