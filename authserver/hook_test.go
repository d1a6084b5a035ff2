package authserver

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-id/provost/authserver/policy"
	"github.com/provost-id/provost/plugins"
)

// hooked is a bench whose hook a test sets, and a server whose rule names it.
func hooked(t *testing.T) (b *bench, as string, hook *plugins.TokenHookFunc) {
	t.Helper()
	hook = new(plugins.TokenHookFunc)
	b = sqliteBench(t, func(o *Options) {
		o.Hook = plugins.TokenHookFunc(func(ctx context.Context, r *plugins.TokenRequest) (*plugins.TokenResponse, error) {
			return (*hook)(ctx, r)
		})
	})
	srv, err := b.s.CreateServer(t.Context(), b.by, Server{Name: "hooked", Audiences: []string{"api://hooked"}})
	if err != nil {
		t.Fatal(err)
	}
	b.allow(srv.ID, Rule{
		Name: "hooked",
		Conditions: RuleConditions{
			People:     RulePeople{Groups: policy.Set{Include: []string{policy.Everyone}}},
			GrantTypes: Include{[]string{grantCode, grantClientCredentials}}, Scopes: Include{[]string{"*"}},
		},
		Actions: RuleActions{TokenAction{InlineHook: &HookRef{ID: "cal1"}}},
	})
	return b, srv.ID, hook
}

// patch is an answer with one command.
func patch(command string, ops ...plugins.Op) *plugins.TokenResponse {
	return &plugins.TokenResponse{Commands: []plugins.Command{{Type: command, Value: ops}}}
}

func answers(resp *plugins.TokenResponse, err error) plugins.TokenHookFunc {
	return func(context.Context, *plugins.TokenRequest) (*plugins.TokenResponse, error) { return resp, err }
}

func TestTokenHook(t *testing.T) {
	b, as, hook := hooked(t)
	c := b.webClient()
	*hook = answers(patch(plugins.CommandAccess,
		plugins.Op{Op: "add", Path: "/claims/tier", Value: "gold"},
		plugins.Op{Op: "replace", Path: "/token/lifetime/expiration", Value: 600},
		plugins.Op{Op: "replace", Path: "/claims/aud", Value: "api://other"},
	), nil)
	a := b.tokens(c, as, "openid")
	got := claims(t, a.str("access_token"))
	if got["tier"] != "gold" || got["aud"] != "api://other" || got["exp"].(float64)-got["iat"].(float64) != 600 || a.Body["expires_in"] != 600.0 {
		t.Errorf("access token: got %v, answer %v", got, a.Body)
	}
	if !b.active(c, as, a.str("access_token")) {
		t.Error("not active with an audience of the hook")
	}
	*hook = answers(patch(plugins.CommandIdentity, plugins.Op{Op: "add", Path: "/claims/tier", Value: "gold"}), nil)
	if got := claims(t, b.tokens(c, as, "openid").str("id_token")); got["tier"] != "gold" || got["at_hash"] == nil {
		t.Errorf("ID token: got %v", got)
	}
}

// TestADV21_ReservedClaims: an answer that touches one is skipped whole.
func TestADV21_ReservedClaims(t *testing.T) {
	b, as, hook := hooked(t)
	c := b.webClient()
	for _, name := range []string{"iss", "exp", "iat", "jti", "cid", "scp", "uid", "ver", "auth_time"} {
		*hook = answers(patch(plugins.CommandAccess,
			plugins.Op{Op: "add", Path: "/claims/good", Value: "x"}, plugins.Op{Op: "add", Path: "/claims/" + name, Value: "evil"}), nil)
		got := claims(t, b.tokens(c, as, "openid").str("access_token"))
		if got[name] == "evil" || got["good"] != nil || got["uid"] != "00uada" {
			t.Errorf("access %s: got %v", name, got)
		}
	}
	for _, name := range []string{"sub", "aud", "iss", "nonce", "amr"} {
		*hook = answers(patch(plugins.CommandIdentity, plugins.Op{Op: "add", Path: "/claims/" + name, Value: "evil"}), nil)
		if got := claims(t, b.tokens(c, as, "openid").str("id_token")); got[name] == "evil" || got["sub"] != "00uada" {
			t.Errorf("identity %s: got %v", name, got)
		}
	}
}

// TestTokenHookFails: what reaches us is closed; the words are the hook's.
func TestTokenHookFails(t *testing.T) {
	b, as, hook := hooked(t)
	c := b.webClient()
	for name, tc := range map[string]struct {
		resp *plugins.TokenResponse
		err  error
		text string
	}{
		"refusal":    {nil, plugins.Refuse("Not on Sundays."), "Not on Sundays."},
		"in answer":  {&plugins.TokenResponse{Error: &plugins.Error{ErrorSummary: "No."}}, nil, "No."},
		"no words":   {&plugins.TokenResponse{Error: &plugins.Error{}}, nil, "The callback service returned an error."},
		"no answer":  {nil, plugins.ErrTimeout, "The callback service returned an error."},
		"any other":  {nil, errors.New("dial tcp 10.0.0.1: refused"), "The callback service returned an error."},
		"no such id": {nil, plugins.ErrUnknownHook, "The callback service returned an error."},
	} {
		t.Run(name, func(t *testing.T) {
			b.in(t)
			*hook = answers(tc.resp, tc.err)
			code := b.code(c, as, "openid", nil)
			b.wantError(b.exchange(c, as, code, nil), 400, "server_error", tc.text)
			*hook = answers(&plugins.TokenResponse{}, nil)
			if a := b.exchange(c, as, code, nil); a.Status != http.StatusOK {
				t.Errorf("the code is spent although no tokens were issued: %v", a.Body)
			}
		})
	}
	*hook = answers(nil, nil)
	if a := b.exchange(c, as, b.code(c, as, "openid", nil), nil); a.Status != http.StatusOK {
		t.Errorf("an empty answer: got %v", a.Body)
	}
}

// TestTokenHookPayload holds what a hook is told to the contract.
func TestTokenHookPayload(t *testing.T) {
	b, as, hook := hooked(t)
	c := b.webClient()
	var asked *plugins.TokenRequest
	*hook = func(_ context.Context, r *plugins.TokenRequest) (*plugins.TokenResponse, error) {
		asked = r
		return nil, nil
	}
	a := b.tokens(c, as, "openid offline_access")
	if asked.HookID != "cal1" || asked.Source != b.as(as, "token") {
		t.Errorf("hook %q, source %q", asked.HookID, asked.Source)
	}
	data := asObject(t, asked.Data)
	context := data["context"].(map[string]any)
	protocol := context["protocol"].(map[string]any)
	want := map[string]any{
		"scope": "openid offline_access", "state": "some-state", "redirect_uri": redirectURI, "response_type": "code",
		"client_id": c.ID, "grant_type": grantCode,
	}
	if diff := cmp.Diff(want, protocol["request"]); diff != "" {
		t.Errorf("protocol.request (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]any{"id": c.ID, "name": "Web", "type": "CONFIDENTIAL"}, protocol["client"]); diff != "" {
		t.Errorf("protocol.client (-want +got):\n%s", diff)
	}
	session, user := context["session"].(map[string]any), context["user"].(map[string]any)
	if session["userId"] != "00uada" || session["status"] != "ACTIVE" || cmp.Diff([]any{"PASSWORD"}, session["amr"]) != "" {
		t.Errorf("session: got %v", session)
	}
	if user["id"] != "00uada" || user["profile"].(map[string]any)["login"] != "ada@example.com" {
		t.Errorf("user: got %v", user)
	}
	access, identity := data["access"].(map[string]any), data["identity"].(map[string]any)
	for name, claims := range map[string]any{"access": access["claims"], "identity": identity["claims"]} {
		if claims := claims.(map[string]any); claims["iat"] != nil || claims["exp"] != nil || claims["jti"] == nil {
			t.Errorf("%s claims: got %v", name, claims)
		}
	}
	if access["scopes"].(map[string]any)["openid"].(map[string]any)["action"] != "GRANT" || data["refresh_token"] == nil {
		t.Errorf("data: got %v", data)
	}
	b.refresh(c, as, a.str("refresh_token"), nil)
	context = asObject(t, asked.Data)["context"].(map[string]any)
	original := context["protocol"].(map[string]any)["OriginalGrant"].(map[string]any)
	if context["session"] != nil || original["authorization"].(map[string]any)["scope"] != "openid offline_access" ||
		original["refresh_token"].(map[string]any)["jti"].(string)[:3] != "oar" {
		t.Errorf("refresh: got %v", context)
	}
	if _, err := b.s.CreateScope(t.Context(), b.by, as, Scope{Name: "api"}); err != nil {
		t.Fatal(err)
	}
	b.post(b.as(as, "token"), c, url.Values{"grant_type": {grantClientCredentials}, "scope": {"api"}})
	data = asObject(t, asked.Data)
	context = data["context"].(map[string]any)
	if context["session"] != nil || context["user"] != nil || data["identity"] != nil || data["refresh_token"] != nil {
		t.Errorf("client_credentials: got %v", data)
	}
}

func asObject(t *testing.T, v any) map[string]any {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]any{}
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestRuleNamesAHook: a rule names only a hook that is configured, and is found when
// somebody asks for the hook's users.
func TestRuleNamesAHook(t *testing.T) {
	b, as, _ := hooked(t)
	if used, err := b.s.HookInUse(t.Context(), "cal1"); err != nil || !used {
		t.Errorf("HookInUse of a named hook = %v, %v", used, err)
	}
	if used, err := b.s.HookInUse(t.Context(), "cal2"); err != nil || used {
		t.Errorf("HookInUse of another hook = %v, %v", used, err)
	}
	b.s.HookExists = func(_ context.Context, id string) (bool, error) { return id == "cal1", nil }
	policies, err := b.s.Policies(t.Context(), as)
	if err != nil {
		t.Fatal(err)
	}
	rules, err := b.s.Rules(t.Context(), as, policies[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	rules[0].Actions.Token.InlineHook = &HookRef{ID: "cal2"}
	var fault *InvalidError
	if _, err := b.s.UpdateRule(t.Context(), b.by, as, policies[0].ID, rules[0].ID, rules[0]); !errors.As(err, &fault) {
		t.Errorf("a rule that names an unknown hook: %v, want an InvalidError", err)
	}
}
