package plugins

import "context"

// TokenHook changes the tokens of an authorization server before they are signed.
//
// An answer without commands leaves them as they are. To refuse the tokens, return
// [Refuse]; any other error is a failure of the hook, and the hook's failure mode
// decides whether the tokens are issued unchanged.
type TokenHook interface {
	Token(ctx context.Context, r *TokenRequest) (*TokenResponse, error)
}

// TokenHookFunc is a function as a TokenHook.
type TokenHookFunc func(ctx context.Context, r *TokenRequest) (*TokenResponse, error)

// Token implements TokenHook.
func (f TokenHookFunc) Token(ctx context.Context, r *TokenRequest) (*TokenResponse, error) {
	return f(ctx, r)
}

// TokenRequest is the payload of the token hook. What stands in Data.Context is
// there to read; Identity and Access can be changed by commands.
type TokenRequest struct {
	HookID string `json:"-"` // names the configured hook; the dispatcher fills the rest of the envelope
	Envelope
	Data TokenData `json:"data"`
}

// TokenData is the data member of the payload.
type TokenData struct {
	Context      TokenContext  `json:"context"`
	Identity     *Token        `json:"identity,omitempty"` // only when an ID token is minted
	Access       *Token        `json:"access,omitempty"`
	RefreshToken *RefreshToken `json:"refresh_token,omitempty"`
}

// TokenContext says for whom, by whom and under which rule the tokens are minted.
type TokenContext struct {
	Request  Request  `json:"request"`
	Session  *Session `json:"session,omitempty"` // absent for client_credentials, refresh and password grants
	User     *User    `json:"user,omitempty"`    // absent for client_credentials
	Protocol Protocol `json:"protocol"`
	Policy   Policy   `json:"policy"`
}

// Protocol is the OAuth request.
type Protocol struct {
	Type          string         `json:"type"` // "OAUTH2.0"
	Request       OAuthRequest   `json:"request"`
	OriginalGrant *OriginalGrant `json:"OriginalGrant,omitempty"` // refresh flow; the contract writes a capital O
	Issuer        Issuer         `json:"issuer"`
	Client        Client         `json:"client"`
}

// OAuthRequest is what the client asked for (RFC 6749).
type OAuthRequest struct {
	Scope        string `json:"scope,omitempty"`
	State        string `json:"state,omitempty"`
	RedirectURI  string `json:"redirect_uri,omitempty"`
	ResponseMode string `json:"response_mode,omitempty"`
	ResponseType string `json:"response_type,omitempty"`
	ClientID     string `json:"client_id"`
	GrantType    string `json:"grant_type,omitempty"`
}

// OriginalGrant is the authorization that a refresh token came from.
type OriginalGrant struct {
	Authorization OAuthRequest `json:"authorization"`
	RefreshToken  RefreshToken `json:"refresh_token"`
}

// RefreshToken names a refresh token; the token itself is never sent.
type RefreshToken struct {
	JTI string `json:"jti"` // "oar..."
}

// Issuer is the authorization server.
type Issuer struct {
	URI string `json:"uri"`
}

// Client is the OAuth client.
type Client struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Type string `json:"type"` // "PUBLIC" or "CONFIDENTIAL"
}

// Policy is the access policy that matched, and its rule.
type Policy struct {
	ID   string     `json:"id"`
	Rule PolicyRule `json:"rule"`
}

// PolicyRule is the rule that matched.
type PolicyRule struct {
	ID string `json:"id"`
}

// Claims are the claims of one token. The payload lacks iat and exp, which are
// added when the token is signed.
type Claims map[string]any

// Token is one token about to be minted.
type Token struct {
	Claims Claims                `json:"claims"`
	Token  TokenSettings         `json:"token"`
	Scopes map[string]ScopeGrant `json:"scopes,omitempty"` // access token only
}

// TokenSettings are the settings of a token beside its claims.
type TokenSettings struct {
	Lifetime Lifetime `json:"lifetime"`
}

// Lifetime is how long a token lives.
type Lifetime struct {
	Expiration int `json:"expiration"` // seconds
}

// ScopeGrant is what became of one scope.
type ScopeGrant struct {
	ID     string `json:"id"`
	Action string `json:"action"` // "GRANT"
}
