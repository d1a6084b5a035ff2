package authserver

import (
	"crypto/subtle"
	"encoding/json"
	"net/url"
	"slices"

	"github.com/go-jose/go-jose/v4"
	"github.com/ory/fosite"
)

// Values of Client.ApplicationType and of the client's other members.
const (
	AppWeb     = "web"
	AppBrowser = "browser"
	AppNative  = "native"
	AppService = "service"

	authBasic      = "client_secret_basic"
	authPost       = "client_secret_post"
	authPrivateKey = "private_key_jwt"
	authNone       = "none"

	grantCode              = "authorization_code"
	grantRefresh           = "refresh_token"
	grantClientCredentials = "client_credentials"
)

// Client is an OAuth client in the names of RFC 7591.
type Client struct {
	ID                     string          `json:"client_id"`
	IDIssuedAt             int64           `json:"client_id_issued_at"`
	Secret                 string          `json:"client_secret,omitempty"` // only in the answer that makes it
	SecretExpiresAt        int64           `json:"client_secret_expires_at"`
	Name                   string          `json:"client_name"`
	ApplicationType        string          `json:"application_type"`
	RedirectURIs           []string        `json:"redirect_uris"`
	PostLogoutRedirectURIs []string        `json:"post_logout_redirect_uris"`
	ResponseTypes          []string        `json:"response_types"`
	GrantTypes             []string        `json:"grant_types"`
	AuthMethod             string          `json:"token_endpoint_auth_method"`
	InitiateLoginURI       string          `json:"initiate_login_uri,omitempty"`
	LogoURI                string          `json:"logo_uri,omitempty"`
	ClientURI              string          `json:"client_uri,omitempty"`
	TosURI                 string          `json:"tos_uri,omitempty"`
	PolicyURI              string          `json:"policy_uri,omitempty"`
	JWKS                   json.RawMessage `json:"jwks,omitempty"`
	// Scope lists the API scopes (scim, manage, ...) that the client may have from the
	// org server, separated by spaces. Nothing else is limited by it.
	Scope        string           `json:"scope,omitempty"`
	IDTokenAlg   string           `json:"id_token_signed_response_alg"`
	PKCERequired *bool            `json:"pkce_required"`
	RefreshToken *RefreshSettings `json:"refresh_token,omitempty"`
	Settings     ClientSettings   `json:"settings"`

	secretHash []byte
	keys       []jose.JSONWebKey
}

// RefreshSettings say how refresh tokens of a client rotate.
type RefreshSettings struct {
	RotationType string `json:"rotation_type"` // "ROTATE", or "STATIC" for one that stays
	// Leeway is for how many seconds, 0 to 60, a rotated token still gives the same
	// successor, so that a lost answer does not sign a person out.
	Leeway int `json:"leeway"`
}

// Values of RefreshSettings.RotationType.
const (
	RotationRotate = "ROTATE"
	RotationStatic = "STATIC"
)

// ClientSettings are ours beside RFC 7591.
type ClientSettings struct {
	// ImplicitAssignment admits every user, true when absent; otherwise a user must be
	// assigned to the client.
	ImplicitAssignment *bool `json:"implicitAssignment,omitempty"`
}

var (
	_ fosite.Client             = (*Client)(nil)
	_ fosite.ResponseModeClient = (*Client)(nil)
)

// GetID implements fosite.Client.
func (c *Client) GetID() string { return c.ID }

// GetHashedSecret implements fosite.Client. Secrets are checked by our own strategy.
func (c *Client) GetHashedSecret() []byte { return nil }

// GetRedirectURIs implements fosite.Client.
func (c *Client) GetRedirectURIs() []string { return c.RedirectURIs }

// GetGrantTypes implements fosite.Client.
func (c *Client) GetGrantTypes() fosite.Arguments { return c.GrantTypes }

// GetResponseTypes implements fosite.Client.
func (c *Client) GetResponseTypes() fosite.Arguments { return c.ResponseTypes }

// GetScopes implements fosite.Client. The server's scopes count, see scopeStrategy.
func (c *Client) GetScopes() fosite.Arguments { return nil }

// IsPublic implements fosite.Client.
func (c *Client) IsPublic() bool { return c.AuthMethod == authNone }

// GetAudience implements fosite.Client.
func (c *Client) GetAudience() fosite.Arguments { return nil }

// GetResponseModes implements fosite.ResponseModeClient.
func (c *Client) GetResponseModes() []fosite.ResponseModeType {
	return []fosite.ResponseModeType{fosite.ResponseModeQuery, fosite.ResponseModeFragment, fosite.ResponseModeFormPost}
}

func (c *Client) implicit() bool {
	return c.Settings.ImplicitAssignment == nil || *c.Settings.ImplicitAssignment
}

func (c *Client) pkceRequired() bool { return c.IsPublic() || c.PKCERequired != nil && *c.PKCERequired }

func (c *Client) idTokenAlg() string {
	if c.IDTokenAlg == "" {
		return rs256
	}
	return c.IDTokenAlg
}

func (c *Client) hookType() string {
	if c.IsPublic() {
		return "PUBLIC"
	}
	return "CONFIDENTIAL"
}

func (c *Client) rotates() bool {
	return c.RefreshToken == nil || c.RefreshToken.RotationType != RotationStatic
}

// checkSecret compares in constant time.
func (s *Service) checkSecret(c *Client, secret string) bool {
	return len(c.secretHash) > 0 && subtle.ConstantTimeCompare(c.secretHash, s.secretHash(c.ID, secret)) == 1
}

// secretHash: a generated secret has more than 256 bits and needs no slow hash.
func (s *Service) secretHash(clientID, secret string) []byte {
	return s.Keys.Hash("client-secret", clientID+":"+secret)
}

// matchRedirect reports whether a redirect URI is one of the client's, by exact
// string comparison (RFC 9700, section 4.1.3). A native client may choose the port of
// a loopback address that it has registered as an IP literal (RFC 8252, section 7.3).
func (c *Client) matchRedirect(uri string) bool {
	if slices.Contains(c.RedirectURIs, uri) {
		return true
	}
	if c.ApplicationType != AppNative {
		return false
	}
	asked, ok := loopback(uri)
	return ok && slices.ContainsFunc(c.RedirectURIs, func(registered string) bool {
		have, ok := loopback(registered)
		return ok && have == asked
	})
}

// loopback returns a loopback redirect URI without its port. Putting the parts
// together again must give the very same string: nothing is hidden in it.
func loopback(uri string) (string, bool) {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "http" || u.User != nil {
		return "", false
	}
	host := u.Hostname()
	if host != "127.0.0.1" && host != "::1" {
		return "", false
	}
	if u.String() != uri {
		return "", false
	}
	u.Host = host
	return u.String(), true
}
