package plugins_test

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/provost-id/provost/plugins"
)

// department is a token hook.
type department struct{}

// Token implements plugins.TokenHook.
func (department) Token(_ context.Context, r *plugins.TokenRequest) (*plugins.TokenResponse, error) {
	user := r.Data.Context.User
	switch {
	case user == nil: // client_credentials
		return plugins.Respond(), nil
	case user.Profile.Login == "mallory@example.com":
		return nil, plugins.Refuse("Mallory gets no tokens.")
	}
	return plugins.Respond(plugins.PatchAccess(plugins.Add("department", "engineering"))), nil
}

// A hook answers with commands, with nothing, or with a refusal.
func ExampleTokenHook() {
	hooks := plugins.Hooks{Token: department{}}
	for _, login := range []string{"ada@example.com", "mallory@example.com"} {
		payload := fmt.Sprintf(`{"eventType": "com.okta.oauth2.tokens.transform",
			"data": {"context": {"user": {"profile": {"login": %q}}}, "access": {"claims": {}}}}`, login)
		answer, err := hooks.Call(context.Background(), []byte(payload))
		if err != nil {
			fmt.Println(err)
		}
		fmt.Println(string(answer))
	}
	// Output:
	// {"commands":[{"type":"com.okta.access.patch","value":[{"op":"add","path":"/claims/department","value":"engineering"}]}]}
	// {"error":{"errorSummary":"Mallory gets no tokens."}}
}

// ApplyToken shows what becomes of the tokens.
func ExampleApplyToken() {
	r := &plugins.TokenRequest{Data: plugins.TokenData{Access: &plugins.Token{Claims: plugins.Claims{"roles": []string{"reader"}}}}}
	_, access, problems := plugins.ApplyToken(r, plugins.Respond(plugins.PatchAccess(
		plugins.Add("department", "engineering"),
		plugins.Op{Op: plugins.OpAdd, Path: plugins.ClaimPath("roles", "-"), Value: "writer"},
		plugins.SetLifetime(600),
	)))
	text, err := json.Marshal(access)
	fmt.Println(string(text), err, problems)
	// Output:
	// {"claims":{"department":"engineering","roles":["reader","writer"]},"token":{"lifetime":{"expiration":600}}} <nil> []
}

// One bad operation skips the whole response.
func ExampleApplyToken_reserved() {
	r := &plugins.TokenRequest{Data: plugins.TokenData{Access: &plugins.Token{Claims: plugins.Claims{"iss": "https://id.example.com"}}}}
	_, access, problems := plugins.ApplyToken(r, plugins.Respond(plugins.PatchAccess(
		plugins.Add("department", "engineering"),
		plugins.Replace("iss", "https://evil.example.com"),
	)))
	fmt.Println(access.Claims)
	fmt.Println(problems[0])
	// Output:
	// map[iss:https://id.example.com]
	// com.okta.access.patch replace /claims/iss: claim "iss" is reserved
}

// Names that are URIs are escaped.
func ExampleClaimPath() {
	fmt.Println(plugins.ClaimPath("https://example.com/roles", "-"))
	// Output: /claims/https:~1~1example.com~1roles/-
}
