package story

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// addTeam is the whole of the hook: it gives every access token the claim "team".
const addTeam = `{"commands":[{"type":"com.okta.access.patch","value":[{"op":"add","path":"/claims/team","value":"blue"}]}]}`

// hookOverHTTP binds a webhook to the default rule and follows a token through its life.
func (w *World) hookOverHTTP(ctx context.Context) error {
	called := make(chan string, 16)
	hook := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20)) // a short body fails the check below
		called <- string(body)
		rw.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(rw, addTeam) // a failed write fails the story
	}))
	defer hook.Close()
	id, err := w.makeHook(ctx, "Team claim by webhook", object{
		"type": "HTTP", "version": "1.0.0",
		"config": object{"uri": hook.URL, "method": "POST", "headers": []object{},
			"authScheme": object{"type": "HEADER", "key": "Authorization", "value": "Basic c3Rvcnk6c3Rvcnk="}},
	})
	if err != nil {
		return err
	}
	if err := w.bindHook(ctx, id); err != nil {
		return err
	}
	if err := w.tokenLife(ctx, "blue"); err != nil {
		return err
	}
	select {
	case body := <-called:
		return checkPayload(body, w.created.login)
	default:
		return errors.New("the webhook was not called")
	}
}

func checkPayload(body, login string) error {
	var p object
	if err := json.Unmarshal([]byte(body), &p); err != nil {
		return err
	}
	if got := str(p, "data", "context", "user", "profile", "login"); got != login {
		return fmt.Errorf("the hook was told of %q, want %q", got, login)
	}
	return nil
}

// hookInProcess does the same with a go-plugin process.
func (w *World) hookInProcess(ctx context.Context) error {
	sum, err := fileSum(w.Plugin)
	if err != nil {
		return err
	}
	id, err := w.makeHook(ctx, "Team claim by plugin", object{
		"type": "PLUGIN", "version": "1.0.0",
		"config": object{"path": w.Plugin, "sha256": sum, "args": []string{}},
	})
	if err != nil {
		return err
	}
	if err := w.bindHook(ctx, id); err != nil {
		return err
	}
	return w.tokenLife(ctx, "green")
}

func fileSum(path string) (string, error) {
	b, err := os.ReadFile(path)
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), err
}

func (w *World) makeHook(ctx context.Context, name string, channel object) (string, error) {
	h, err := w.Main.call(ctx, "POST", "/api/v1/inlineHooks", object{
		"name": name, "type": "com.okta.oauth2.tokens.transform", "version": "1.0.0", "channel": channel,
	})
	return str(h, "id"), err
}

// bindHook names the hook in the default rule of the default server.
func (w *World) bindHook(ctx context.Context, hookID string) error {
	base := "/api/v1/authorizationServers/default/policies"
	var policies, rules []object
	if err := w.Main.do(ctx, "GET", base, nil, &policies); err != nil {
		return err
	}
	base += "/" + str(policies[0], "id") + "/rules"
	if err := w.Main.do(ctx, "GET", base, nil, &rules); err != nil {
		return err
	}
	token, _ := at(rules[0], "actions", "token").(object)
	if token == nil {
		return fmt.Errorf("the default rule has no token action: %v", rules[0])
	}
	token["inlineHook"] = object{"id": hookID}
	_, err := w.Main.call(ctx, "PUT", base+"/"+str(rules[0], "id"), rules[0])
	return err
}

// tokenLife follows a token: claim, signature, introspection, rotation, revocation.
func (w *World) tokenLife(ctx context.Context, team string) error {
	b, err := newBrowser(callback)
	if err != nil {
		return err
	}
	token, _, err := w.signInOnPage(ctx, b)
	if err != nil {
		return err
	}
	if err := w.checkClaim(ctx, token.AccessToken, team); err != nil {
		return err
	}
	if active, err := w.introspect(ctx, token.AccessToken); err != nil || !active {
		return errors.Join(err, fmt.Errorf("a fresh token introspects as active=%v", active))
	}
	next, err := w.refresh(ctx, token.RefreshToken)
	if err != nil {
		return err
	}
	if next.RefreshToken == token.RefreshToken {
		return errors.New("the refresh token was not rotated")
	}
	if err := w.checkClaim(ctx, next.AccessToken, team); err != nil {
		return err
	}
	if err := w.revoke(ctx, next); err != nil {
		return err
	}
	w.Say("   claim team=%s; verified by JWKS, active at introspection, rotated at refresh, dead after revocation", team)
	return nil
}

func (w *World) checkClaim(ctx context.Context, access, team string) error {
	t, err := w.client.provider.VerifierContext(ctx, &oidc.Config{
		SkipClientIDCheck: true, SupportedSigningAlgs: []string{oidc.ES256, oidc.RS256},
	}).Verify(ctx, access)
	if err != nil {
		return fmt.Errorf("verify access token: %w", err)
	}
	var claims struct {
		Team string `json:"team"`
		Sub  string `json:"sub"`
	}
	if err := t.Claims(&claims); err != nil {
		return err
	}
	if claims.Team != team || claims.Sub != w.created.login {
		return fmt.Errorf("the access token has team %q and sub %q, want %q and %q", claims.Team, claims.Sub, team, w.created.login)
	}
	return nil
}

func (w *World) refresh(ctx context.Context, refreshToken string) (*oauth2.Token, error) {
	return w.client.config.TokenSource(ctx, &oauth2.Token{RefreshToken: refreshToken, Expiry: time.Unix(1, 0)}).Token()
}

func (w *World) introspect(ctx context.Context, token string) (bool, error) {
	var out struct {
		Active bool `json:"active"`
	}
	err := w.form(ctx, "/v1/introspect", url.Values{"token": {token}}, &out)
	return out.Active, err
}

func (w *World) revoke(ctx context.Context, t *oauth2.Token) error {
	for _, v := range []url.Values{
		{"token": {t.AccessToken}, "token_type_hint": {"access_token"}},
		{"token": {t.RefreshToken}, "token_type_hint": {"refresh_token"}},
	} {
		if err := w.form(ctx, "/v1/revoke", v, nil); err != nil {
			return err
		}
	}
	if active, err := w.introspect(ctx, t.AccessToken); err != nil || active {
		return errors.Join(err, fmt.Errorf("a revoked token introspects as active=%v", active))
	}
	if _, err := w.refresh(ctx, t.RefreshToken); err == nil {
		return errors.New("a revoked refresh token still refreshes")
	}
	return nil
}

func (w *World) form(ctx context.Context, path string, v url.Values, out any) error {
	req, err := http.NewRequestWithContext(ctx, "POST", w.Main.URL+"/oauth2/default"+path, strings.NewReader(v.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(w.client.config.ClientID, w.client.config.ClientSecret)
	return roundTrip(req, out)
}
