package plugins_test

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/provost-id/provost/plugins"
	"github.com/provost-id/provost/plugins/pluginstest"
)

// request is a payload with claims of every shape.
func request() *plugins.TokenRequest {
	r := pluginstest.TokenRequests()[pluginstest.CodeFlow]
	r.Data.Access.Claims = plugins.Claims{
		"iss": "https://id.example.com", "aud": "api://default", "sub": "ada", "cid": "0oa1", "uid": "00u1",
		"scp": []string{"openid"}, "ver": 1,
		"team": "red", "roles": []string{"a", "b"}, "org": map[string]any{"unit": map[string]any{"no": 7}},
		"https://example.com/x~y": "old",
	}
	return r
}

func access(ops ...plugins.Op) *plugins.TokenResponse {
	return plugins.Respond(plugins.PatchAccess(ops...))
}

func op(name, path string, value any) plugins.Op {
	return plugins.Op{Op: name, Path: path, Value: value}
}

func TestApplyTokenPaths(t *testing.T) {
	tests := map[string]struct {
		op    plugins.Op
		claim string
		want  any // nil for no such claim
	}{
		"add a claim":               {plugins.Add("dept", "x"), "dept", "x"},
		"add overwrites":            {plugins.Add("team", "blue"), "team", "blue"},
		"add an object":             {plugins.Add("dept", map[string]int{"no": 1}), "dept", map[string]any{"no": int64(1)}},
		"add a member":              {op("add", "/claims/org/name", "o"), "org", map[string]any{"name": "o", "unit": map[string]any{"no": int64(7)}}},
		"add a deep member":         {op("add", "/claims/org/unit/s", true), "org", map[string]any{"unit": map[string]any{"no": int64(7), "s": true}}},
		"insert first":              {op("add", "/claims/roles/0", "z"), "roles", []any{"z", "a", "b"}},
		"insert between":            {op("add", "/claims/roles/1", "z"), "roles", []any{"a", "z", "b"}},
		"insert at the end":         {op("add", "/claims/roles/2", "z"), "roles", []any{"a", "b", "z"}},
		"append":                    {op("add", "/claims/roles/-", "z"), "roles", []any{"a", "b", "z"}},
		"replace a claim":           {plugins.Replace("team", 1.5), "team", 1.5},
		"replace a member":          {op("replace", "/claims/org/unit/no", 8), "org", map[string]any{"unit": map[string]any{"no": int64(8)}}},
		"replace an element":        {op("replace", "/claims/roles/1", "z"), "roles", []any{"a", "z"}},
		"remove a claim":            {plugins.Remove("team"), "team", nil},
		"remove a member":           {op("remove", "/claims/org/unit", nil), "org", map[string]any{}},
		"remove an element":         {op("remove", "/claims/roles/0", nil), "roles", []any{"b"}},
		"escapes":                   {op("replace", "/claims/https:~1~1example.com~1x~0y", "new"), "https://example.com/x~y", "new"},
		"~01 is ~1, not /":          {op("add", "/claims/a~01", "v"), "a~1", "v"},
		"escapes of the builder":    {plugins.Remove("https://example.com/x~y"), "https://example.com/x~y", nil},
		"a whole number stays one":  {plugins.Add("n", json.Number("9007199254740993")), "n", int64(9007199254740993)},
		"a larger one stays itself": {plugins.Add("n", json.Number("92233720368547758089")), "n", json.Number("92233720368547758089")},
		"aud of the access token":   {plugins.Replace("aud", []string{"a", "b"}), "aud", []any{"a", "b"}},
		"sub of the access token":   {plugins.Add("sub", "someone"), "sub", "someone"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := request()
			_, got, problems := plugins.ApplyToken(r, access(tt.op))
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			if diff := cmp.Diff(tt.want, got.Claims[tt.claim]); diff != "" {
				t.Errorf("claim %s, -want +got:\n%s", tt.claim, diff)
			}
			if diff := cmp.Diff(request(), r); diff != "" {
				t.Errorf("the request was changed:\n%s", diff)
			}
		})
	}
}

func TestApplyTokenBadCommand(t *testing.T) {
	tests := map[string]struct {
		op     plugins.Op
		reason string
	}{
		"no parent":                {op("add", "/claims/none/x", 1), "does not exist"},
		"parent is a string":       {op("add", "/claims/team/x", 1), "neither an object nor an array"},
		"replace what is not":      {plugins.Replace("none", 1), "does not exist"},
		"remove what is not":       {plugins.Remove("none"), "does not exist"},
		"remove with a value":      {op("remove", "/claims/team", "red"), "takes no value"},
		"add without a value":      {op("add", "/claims/x", nil), "needs a value"},
		"replace without a value":  {op("replace", "/claims/team", nil), "needs a value"},
		"unknown operation":        {op("move", "/claims/team", "x"), "unknown operation"},
		"index beyond the end":     {op("add", "/claims/roles/3", "x"), "beyond the end"},
		"replace beyond the end":   {op("replace", "/claims/roles/2", "x"), "beyond the end"},
		"index with zero":          {op("replace", "/claims/roles/01", "x"), "no array index"},
		"negative index":           {op("replace", "/claims/roles/-1", "x"), "no array index"},
		"replace the end":          {op("replace", "/claims/roles/-", "x"), "no array index"},
		"remove the end":           {op("remove", "/claims/roles/-", nil), "no array index"},
		"no slash":                 {op("add", "claims/x", 1), "does not begin with /"},
		"elsewhere":                {op("add", "/scopes/x", 1), "neither below /claims"},
		"all claims":               {op("replace", "/claims", map[string]any{}), "neither below /claims"},
		"nameless claim":           {op("add", "/claims/", 1), "neither below /claims"},
		"bad escape":               {op("add", "/claims/a~2", 1), "neither ~0 nor ~1"},
		"escape at the end":        {op("add", "/claims/a~", 1), "neither ~0 nor ~1"},
		"lifetime too short":       {plugins.SetLifetime(299), "whole number of seconds"},
		"lifetime too long":        {plugins.SetLifetime(86401), "whole number of seconds"},
		"lifetime with a fraction": {op("replace", plugins.LifetimePath, 300.5), "whole number of seconds"},
		"lifetime as text":         {op("replace", plugins.LifetimePath, "3600"), "whole number of seconds"},
		"lifetime added":           {op("add", plugins.LifetimePath, 3600), "can only be replaced"},
		"number out of range":      {plugins.Add("n", json.Number("1e400")), "out of range"},
		"value that is no JSON":    {plugins.Add("n", make(chan int)), "no JSON"},
		"sub of two":               {plugins.Replace("sub", []string{"a", "b"}), "no valid value"},
		"empty sub":                {plugins.Replace("sub", ""), "no valid value"},
		"aud of nobody":            {plugins.Replace("aud", []string{}), "no valid value"},
		"aud that is a number":     {plugins.Replace("aud", 1), "no valid value"},
		"aud removed":              {plugins.Remove("aud"), "may only be replaced"},
		"aud taken apart":          {op("add", "/claims/aud/0", "x"), "may only be replaced"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := request()
			good := plugins.Add("before", 1)
			identity, got, problems := plugins.ApplyToken(r, plugins.Respond(
				plugins.PatchIdentity(good), plugins.PatchAccess(good, tt.op, plugins.Add("after", 1))))
			if len(problems) != 1 || !strings.Contains(problems[0].Reason, tt.reason) {
				t.Fatalf("problems %v, want one that says %q", problems, tt.reason)
			}
			if identity != r.Data.Identity || got != r.Data.Access {
				t.Error("tokens are not the ones of the request")
			}
			if diff := cmp.Diff(request(), r); diff != "" {
				t.Errorf("the request was changed:\n%s", diff)
			}
		})
	}
}

func TestApplyTokenLifetime(t *testing.T) {
	for _, seconds := range []int{300, 86400} {
		r := request()
		identity, got, problems := plugins.ApplyToken(r, access(plugins.SetLifetime(seconds)))
		if len(problems) > 0 || got.Token.Lifetime.Expiration != seconds {
			t.Errorf("access token lives %d s, %v, want %d", got.Token.Lifetime.Expiration, problems, seconds)
		}
		if identity.Token.Lifetime.Expiration != 3600 {
			t.Errorf("ID token lives %d s, nobody asked for it", identity.Token.Lifetime.Expiration)
		}
	}
}

func TestApplyTokenCommandsInOrder(t *testing.T) {
	r := request()
	identity, got, problems := plugins.ApplyToken(r, plugins.Respond(
		plugins.PatchAccess(plugins.Add("list", []string{})),
		plugins.PatchIdentity(plugins.Replace("name", "A. L.")),
		plugins.PatchAccess(op("add", "/claims/list/-", 1), op("add", "/claims/list/0", 2)),
	))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if diff := cmp.Diff([]any{int64(2), int64(1)}, got.Claims["list"]); diff != "" {
		t.Error(diff)
	}
	if identity.Claims["name"] != "A. L." {
		t.Errorf("name %v", identity.Claims["name"])
	}
}

func TestApplyTokenSkipsTheWholeResponse(t *testing.T) {
	tests := map[string]plugins.Command{
		"unknown command":      {Type: "com.okta.user.update"},
		"token not minted":     plugins.PatchIdentity(plugins.Add("x", 1)),
		"command of no type":   {},
		"type in other casing": {Type: "com.okta.Access.patch"},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			r := request()
			r.Data.Identity = nil
			identity, got, problems := plugins.ApplyToken(r, plugins.Respond(plugins.PatchAccess(plugins.Add("x", 1)), c))
			if len(problems) != 1 || identity != nil || got != r.Data.Access {
				t.Errorf("identity %v, access changed %v, problems %v", identity, got != r.Data.Access, problems)
			}
		})
	}
}

func TestApplyTokenErrorStopsCommands(t *testing.T) {
	r := request()
	resp := access(plugins.Add("x", 1))
	resp.Error = &plugins.Error{ErrorSummary: "no"}
	if _, got, problems := plugins.ApplyToken(r, resp); got != r.Data.Access || len(problems) > 0 {
		t.Errorf("commands ran beside an error: %v %v", got.Claims, problems)
	}
	if _, got, _ := plugins.ApplyToken(r, nil); got != r.Data.Access {
		t.Error("no response changes the token")
	}
}

// reservedLists are the lists of the contract, written down a second time: a change
// of the table in the code has to be meant.
var reservedLists = map[string]string{
	"both":   "acr auth_time cid cnf exp groups iat iss jti sid token_type ver",
	"access": "as_uri authorization_details client_id rpt rsi scp uid username",
	"identity": `active aid amr app_id app_type at_hash aud c_hash client_id client_ip client_req_id client_type
		client_user_agent device_compliance device_id device_known device_managed device_name device_trust did dst group
		hotk idp idp_iss mac_key may_act nonce oid okta_emailVerified okta_lastUpdated orig permissions purpose pwd_exp_days
		pwd_exp_time rid role scope scopes sub term user_ip`,
}

// TestADV21_ReservedClaims tries each reserved claim by each operation, and below it.
func TestADV21_ReservedClaims(t *testing.T) {
	try := func(command, claim string) {
		t.Helper()
		ops := []plugins.Op{
			plugins.Add(claim, "evil"), plugins.Replace(claim, "evil"), plugins.Remove(claim),
			op("add", plugins.ClaimPath(claim, "-"), "evil"), op("add", plugins.ClaimPath(claim, "x"), "evil"),
		}
		for _, o := range ops {
			r := request()
			r.Data.Access.Claims[claim], r.Data.Identity.Claims[claim] = []any{"good"}, []any{"good"}
			identity, got, problems := plugins.ApplyToken(r, plugins.Respond(
				plugins.PatchAccess(plugins.Add("harmless", 1)), plugins.Command{Type: command, Value: []plugins.Op{o}}))
			if len(problems) != 1 || !strings.Contains(problems[0].Reason, "reserved") {
				t.Errorf("%s %s %s: problems %v", command, o.Op, o.Path, problems)
			}
			if identity != r.Data.Identity || got != r.Data.Access {
				t.Errorf("%s %s %s: something was applied", command, o.Op, o.Path)
			}
		}
	}
	for list, claims := range reservedLists {
		for _, claim := range strings.Fields(claims) {
			if list != "identity" {
				try(plugins.CommandAccess, claim)
			}
			if list != "access" {
				try(plugins.CommandIdentity, claim)
			}
		}
	}
	for _, free := range []string{"aud", "sub"} {
		if plugins.Reserved(plugins.CommandAccess, free) || !plugins.Reserved(plugins.CommandIdentity, free) {
			t.Errorf("%s may be replaced in the access token only", free)
		}
	}
}

// TestApplyTokenProperties: whatever the operations, reserved claims stay, the
// request stays, and a problem means that nothing was applied.
func TestApplyTokenProperties(t *testing.T) {
	segment := rapid.SampledFrom([]string{"claims", "token", "team", "roles", "org", "unit", "no", "aud", "sub", "iss", "scp", "0", "1", "-", "", "a~b", "c/d"})
	value := rapid.SampledFrom([]any{nil, "x", 7, 1.5, true, []any{"v"}, map[string]any{"k": "v"}})
	ops := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) plugins.Op {
		path := "/claims"
		for _, s := range rapid.SliceOfN(segment, 0, 4).Draw(t, "path") {
			path += "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(s)
		}
		return op(rapid.SampledFrom([]string{"add", "replace", "remove"}).Draw(t, "op"), path, value.Draw(t, "value"))
	}), 0, 5)
	rapid.Check(t, func(t *rapid.T) {
		r := request()
		_, got, problems := plugins.ApplyToken(r, access(ops.Draw(t, "ops")...))
		if diff := cmp.Diff(request(), r); diff != "" {
			t.Fatalf("the request was changed:\n%s", diff)
		}
		if len(problems) > 0 && got != r.Data.Access {
			t.Fatal("a problem, and yet something was applied")
		}
		for claim := range maps.Keys(r.Data.Access.Claims) {
			if plugins.Reserved(plugins.CommandAccess, claim) && !sameJSON(t, got.Claims[claim], r.Data.Access.Claims[claim]) {
				t.Fatalf("reserved claim %s is now %v", claim, got.Claims[claim])
			}
		}
	})
}

// TestAddRemoveIsNothing: what add put in, remove takes out again.
func TestAddRemoveIsNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		claim := rapid.StringN(1, 20, -1).Filter(func(s string) bool {
			_, exists := request().Data.Access.Claims[s]
			return !exists && !plugins.Reserved(plugins.CommandAccess, s)
		}).Draw(t, "claim")
		_, got, problems := plugins.ApplyToken(request(), access(plugins.Add(claim, 1), plugins.Remove(claim)))
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		if !sameJSON(t, got.Claims, request().Data.Access.Claims) {
			t.Fatalf("claims %v", got.Claims)
		}
	})
}

type fataler interface{ Fatal(args ...any) }

func sameJSON(t fataler, a, b any) bool {
	x, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	y, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(x) == string(y)
}

// FuzzTokenResponse: an answer from outside is refused or applied, and never touches
// a reserved claim; what is decoded survives encoding.
func FuzzTokenResponse(f *testing.F) {
	f.Add([]byte(`{"commands":[{"type":"com.okta.access.patch","value":[{"op":"add","path":"/claims/a~1b","value":{"c":[1]}}]}]}`))
	f.Add([]byte(`{"commands":[{"type":"com.okta.access.patch","value":{"not":"ops"}}],"debugContext":{"n":1e5}}`))
	f.Add([]byte(`{"error":{"errorSummary":"no","errorCauses":[{"errorSummary":"x"}]}}`))
	f.Add([]byte(`{"commands":[{"type":"com.okta.access.patch","value":[{"op":"replace","path":"/token/lifetime/expiration","value":300}]}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		resp, err := plugins.DecodeTokenResponse(b)
		if err != nil {
			return
		}
		r := request()
		_, got, problems := plugins.ApplyToken(r, resp)
		for claim, v := range r.Data.Access.Claims {
			if plugins.Reserved(plugins.CommandAccess, claim) && !sameJSON(t, got.Claims[claim], v) {
				t.Fatalf("reserved claim %s is now %v", claim, got.Claims[claim])
			}
		}
		again, err := json.Marshal(resp)
		if err != nil {
			t.Fatal(err)
		}
		if len(again) >= plugins.MaxResponse || len(b) == 0 {
			return
		}
		back, err := plugins.DecodeTokenResponse(again)
		if err != nil {
			t.Fatalf("%s: %v", again, err)
		}
		_, second, more := plugins.ApplyToken(request(), back)
		if len(problems) == 0 && (len(more) > 0 || !sameJSON(t, got, second)) {
			t.Fatalf("decoded twice it means something else: %v, %v", got, second)
		}
	})
}
