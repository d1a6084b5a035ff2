package oidc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"golang.org/x/oauth2"

	"github.com/provost-id/provost/federation"
)

// ErrUnreachable is wrapped when a provider does not answer, or not as a provider does.
var ErrUnreachable = errors.New("identity provider is unreachable")

// Rejected is a response that did not prove what it says.
type Rejected struct {
	Check  string // what did not hold: "iss", "nonce", "signature", ...
	Detail string // for the system log
}

// Error implements error.
func (r *Rejected) Error() string {
	if r.Detail == "" {
		return r.Check
	}
	return r.Check + ": " + r.Detail
}

func reject(check, format string, args ...any) error {
	return &Rejected{Check: check, Detail: fmt.Sprintf(format, args...)}
}

// Client speaks with the providers.
type Client struct {
	HTTP        *http.Client // guarded: addresses come from administrators and documents
	RedirectURI string       // ours, the same for every provider
	Now         func() time.Time

	mu        sync.Mutex // guards providers
	providers map[string]*provider
}

// Pending is what a response is checked against. It is a secret of the browser's flow.
type Pending struct {
	Nonce    string `json:"nonce"`
	Verifier string `json:"verifier"`
}

// Hint is what the application said about the sign-in.
type Hint struct {
	Login string // login_hint
	Force bool   // the person proves again who they are
}

// Start returns the address of the provider's page for one flow. The caller chooses
// state, and must tie it to the browser.
func (c *Client) Start(ctx context.Context, idp federation.IdP, state string, h Hint) (string, Pending, error) {
	p, err := c.provider(ctx, idp)
	if err != nil {
		return "", Pending{}, err
	}
	pending := Pending{Nonce: oauth2.GenerateVerifier(), Verifier: oauth2.GenerateVerifier()}
	opts := []oauth2.AuthCodeOption{
		oauth2.S256ChallengeOption(pending.Verifier), // RFC 7636
		oauth2.SetAuthURLParam("nonce", pending.Nonce),
	}
	if h.Login != "" {
		opts = append(opts, oauth2.SetAuthURLParam("login_hint", h.Login))
	}
	if h.Force {
		opts = append(opts, oauth2.SetAuthURLParam("prompt", "login"))
	}
	config := c.config(idp, p, "")
	return config.AuthCodeURL(state, opts...), pending, nil
}

// Finish takes a response to a proven assertion, or returns *Rejected or
// ErrUnreachable. The caller has already tied the response to the browser by its state.
func (c *Client) Finish(ctx context.Context, idp federation.IdP, secret string, pending Pending, response url.Values) (federation.Assertion, error) {
	p, err := c.provider(ctx, idp)
	if err != nil {
		return federation.Assertion{}, err
	}
	code, err := p.code(response)
	if err != nil {
		return federation.Assertion{}, err
	}
	token, err := c.exchange(ctx, c.config(idp, p, secret), code, pending)
	if err != nil {
		return federation.Assertion{}, err
	}
	claims, err := c.verify(ctx, idp, p, pending, token, code)
	if err != nil {
		return federation.Assertion{}, err
	}
	if err := c.addUserInfo(ctx, p, token, claims); err != nil {
		return federation.Assertion{}, err
	}
	return assertion(idp, claims), nil
}

// code checks an authorization response (RFC 6749, section 4.1.2; RFC 9207).
func (p *provider) code(response url.Values) (string, error) {
	for name, values := range response {
		if len(values) != 1 {
			return "", reject("response", "%s is repeated", name)
		}
	}
	iss, present := response["iss"]
	// RFC 9207, section 2.4: the issuer is compared as a string, before anything else.
	if present && iss[0] != p.issuer || !present && p.sendsIssuer {
		return "", reject("iss", "response is from %q, want %q", response.Get("iss"), p.issuer)
	}
	if e := response.Get("error"); e != "" {
		return "", reject("response", "provider answers %.100q: %.200q", e, response.Get("error_description"))
	}
	if response.Get("code") == "" {
		return "", reject("response", "no code")
	}
	return response.Get("code"), nil
}

func (c *Client) exchange(ctx context.Context, config oauth2.Config, code string, pending Pending) (*oauth2.Token, error) {
	token, err := config.Exchange(c.context(ctx), code, oauth2.VerifierOption(pending.Verifier))
	var answer *oauth2.RetrieveError
	if errors.As(err, &answer) {
		return nil, reject("token", "provider answers %d %.100q", answer.Response.StatusCode, answer.ErrorCode)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: token endpoint: %w", ErrUnreachable, err)
	}
	return token, nil
}

func (c *Client) config(idp federation.IdP, p *provider, secret string) oauth2.Config {
	client := idp.Protocol.Credentials.Client
	style := oauth2.AuthStyleInHeader
	if client.AuthMethod == "client_secret_post" || client.AuthMethod == "none" {
		style = oauth2.AuthStyleInParams
	}
	return oauth2.Config{
		ClientID: client.ClientID, ClientSecret: secret, RedirectURL: c.RedirectURI, Scopes: idp.Protocol.Scopes,
		Endpoint: oauth2.Endpoint{AuthURL: p.authorization, TokenURL: p.token, AuthStyle: style},
	}
}

// context carries the guarded client to oauth2 and go-oidc.
func (c *Client) context(ctx context.Context) context.Context {
	return context.WithValue(ctx, oauth2.HTTPClient, c.HTTP)
}

func (c *Client) now() time.Time {
	if c.Now == nil {
		return time.Now()
	}
	return c.Now()
}
