package story

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// callback is the application's redirect URI; nobody needs to listen there, since
// the browser stops at it.
const callback = "http://127.0.0.1:9/callback"

// oauthClient is an ordinary application: coreos/go-oidc and golang.org/x/oauth2.
type oauthClient struct {
	config   oauth2.Config
	provider *oidc.Provider
}

// register makes a client on a provost by its client management API.
func (s *Server) register(ctx context.Context, redirect string) (oauthClient, error) {
	c, err := s.call(ctx, "POST", "/oauth2/v1/clients", object{
		"client_name": "Story app for " + redirect, "application_type": "web",
		"redirect_uris":              []string{redirect},
		"response_types":             []string{"code"},
		"grant_types":                []string{"authorization_code", "refresh_token"},
		"token_endpoint_auth_method": "client_secret_basic", "pkce_required": true,
	})
	if err != nil {
		return oauthClient{}, err
	}
	provider, err := oidc.NewProvider(ctx, s.URL+"/oauth2/default")
	if err != nil {
		return oauthClient{}, err
	}
	return oauthClient{provider: provider, config: oauth2.Config{
		ClientID: str(c, "client_id"), ClientSecret: str(c, "client_secret"),
		RedirectURL: redirect, Endpoint: provider.Endpoint(),
		Scopes: []string{oidc.ScopeOpenID, "profile", "email", oidc.ScopeOfflineAccess},
	}}, nil
}

// flow is one authorization code flow with PKCE.
type flow struct{ state, nonce, verifier string }

func newFlow() flow {
	return flow{state: oauth2.GenerateVerifier(), nonce: oauth2.GenerateVerifier(), verifier: oauth2.GenerateVerifier()}
}

func (f flow) url(c oauthClient, more ...oauth2.AuthCodeOption) string {
	return c.config.AuthCodeURL(f.state, append(more, oidc.Nonce(f.nonce), oauth2.S256ChallengeOption(f.verifier))...)
}

// redeem checks what came to the callback, exchanges the code and verifies the ID token.
func (f flow) redeem(ctx context.Context, c oauthClient, p *page) (*oauth2.Token, *oidc.IDToken, error) {
	if p.callback == nil {
		return nil, nil, fmt.Errorf("the browser stands at %s, not at the callback: %s", p.url, p.text)
	}
	q := p.callback.Query()
	if q.Get("error") != "" {
		return nil, nil, fmt.Errorf("authorization failed: %s: %s", q.Get("error"), q.Get("error_description"))
	}
	if q.Get("state") != f.state {
		return nil, nil, errors.New("state came back changed")
	}
	token, err := c.config.Exchange(ctx, q.Get("code"), oauth2.VerifierOption(f.verifier))
	if err != nil {
		return nil, nil, err
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := c.provider.Verifier(&oidc.Config{ClientID: c.config.ClientID}).Verify(ctx, raw)
	if err != nil {
		return nil, nil, err
	}
	if id.Nonce != f.nonce {
		return nil, nil, errors.New("nonce came back changed")
	}
	return token, id, nil
}

// signInWithPassword gives the person a password and signs in on the hosted page.
func (w *World) signInWithPassword(ctx context.Context) error {
	_, err := w.Main.call(ctx, "PATCH", "/scim/v2/Users/"+w.created.id, object{
		"schemas":    []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"},
		"Operations": []object{{"op": "replace", "path": "password", "value": w.created.password}},
	})
	if err != nil {
		return err
	}
	if w.client, err = w.Main.register(ctx, callback); err != nil {
		return err
	}
	b, err := newBrowser(callback)
	if err != nil {
		return err
	}
	_, id, err := w.signInOnPage(ctx, b)
	if err != nil {
		return err
	}
	if id.Subject != w.created.id {
		return fmt.Errorf("the ID token is about %s, want %s", id.Subject, w.created.id)
	}
	w.Say("   %s signed in; the ID token verifies against the published keys", w.created.login)
	return nil
}

// signInOnPage runs a code flow in which the person types the password.
func (w *World) signInOnPage(ctx context.Context, b *browser) (*oauth2.Token, *oidc.IDToken, error) {
	f := newFlow()
	p, err := b.open(ctx, f.url(w.client))
	if err != nil {
		return nil, nil, err
	}
	if p.callback == nil { // no session yet
		if p, err = b.signIn(ctx, p, w.created.login, w.created.password); err != nil {
			return nil, nil, err
		}
	}
	return f.redeem(ctx, w.client, p)
}

// signInThroughIdP makes the second provost an identity provider of the first and
// signs a person in who exists only there.
func (w *World) signInThroughIdP(ctx context.Context) error {
	guest := person{login: "guest.guðrún@partner.example", password: "correct horse battery staple 8 G"}
	if err := w.makeGuest(ctx, guest); err != nil {
		return err
	}
	idp, err := w.makeIdP(ctx)
	if err != nil {
		return err
	}
	b, err := newBrowser(callback)
	if err != nil {
		return err
	}
	f := newFlow()
	p, err := b.open(ctx, f.url(w.client, oauth2.SetAuthURLParam("idp", idp)))
	if err != nil {
		return err
	}
	if !strings.HasPrefix(p.url.String(), w.Second.URL) {
		return fmt.Errorf("the browser stands at %s, not at the identity provider", p.url)
	}
	if p, err = b.signIn(ctx, p, guest.login, guest.password); err != nil {
		return err
	}
	_, id, err := f.redeem(ctx, w.client, p)
	if err != nil {
		return err
	}
	u, err := w.Main.call(ctx, "GET", "/api/v1/users/"+id.Subject, nil)
	if err != nil {
		return err
	}
	if str(u, "profile", "login") != guest.login || str(u, "profile", "lastName") != "Jónsdóttir" {
		return fmt.Errorf("the person made at sign-in is %v", u["profile"])
	}
	w.Say("   %s signed in at the second provost and was made here as %s", guest.login, id.Subject)
	return nil
}

func (w *World) makeGuest(ctx context.Context, guest person) error {
	_, err := w.Second.call(ctx, "POST", "/api/v1/users?activate=true", object{
		"profile":     object{"login": guest.login, "email": guest.login, "firstName": "Guðrún", "lastName": "Jónsdóttir"},
		"credentials": object{"password": object{"value": guest.password}},
	})
	return err
}

func (w *World) makeIdP(ctx context.Context) (string, error) {
	upstream, err := w.Second.register(ctx, w.Main.URL+"/oauth2/v1/authorize/callback")
	if err != nil {
		return "", err
	}
	base := w.Second.URL + "/oauth2/default"
	endpoint := func(path, binding string) object { return object{"url": base + path, "binding": binding} }
	idp, err := w.Main.call(ctx, "POST", "/api/v1/idps", object{
		"type": "OIDC", "name": "Partner",
		"protocol": object{
			"type": "OIDC", "scopes": []string{"openid", "profile", "email"}, "issuer": object{"url": base},
			"endpoints": object{
				"authorization": endpoint("/v1/authorize", "HTTP-REDIRECT"), "token": endpoint("/v1/token", "HTTP-POST"),
				"userInfo": endpoint("/v1/userinfo", "HTTP-REDIRECT"), "jwks": endpoint("/v1/keys", "HTTP-REDIRECT"),
			},
			"credentials": object{"client": object{
				"client_id": upstream.config.ClientID, "client_secret": upstream.config.ClientSecret, "pkce_required": true}},
		},
		"policy": object{
			"provisioning": object{"action": "AUTO", "profileMaster": true, "groups": object{"action": "NONE"},
				"conditions": object{"deprovisioned": object{"action": "NONE"}, "suspended": object{"action": "NONE"}}},
			"accountLink":  object{"action": "DISABLED"},
			"subject":      object{"userNameTemplate": object{"template": "idpuser.email"}, "matchType": "USERNAME"},
			"maxClockSkew": 120000,
		},
	})
	return str(idp, "id"), err
}

// refused runs a code flow in the browser without typing anything and reports
// whether it ends without a code.
func (w *World) refused(ctx context.Context, b *browser) (bool, error) {
	p, err := b.open(ctx, newFlow().url(w.client, oauth2.SetAuthURLParam("prompt", "none")))
	if err != nil {
		return false, err
	}
	if p.callback == nil {
		return false, fmt.Errorf("prompt=none ends at %s: %s", p.url, p.text)
	}
	q, err := url.ParseQuery(p.callback.RawQuery)
	return q.Get("error") == "login_required", err
}
