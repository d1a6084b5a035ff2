package manage_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-id/provost/authserver"
	"github.com/provost-id/provost/authserver/manage"
	"github.com/provost-id/provost/authserver/session"
	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/internal/keyring"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
)

// tokens knows three API tokens by their scope.
type tokens struct{}

func (tokens) Authenticate(_ context.Context, token string) (httpapi.Principal, error) {
	switch token {
	case httpapi.ScopeManage, httpapi.ScopeManageRead, httpapi.ScopeSCIM:
		return httpapi.Principal{ID: "00T" + token, Type: "Token", Scopes: []string{token}}, nil
	}
	return httpapi.Principal{}, httpapi.ErrUnauthenticated
}

type people struct{}

func (people) Person(_ context.Context, id string) (*authserver.Person, error) {
	if id != "00uada" {
		return nil, authserver.ErrNoPerson
	}
	return &authserver.Person{ID: id, Login: "ada@example.com", Active: true, Groups: []authserver.Group{{ID: "00gx", Name: "Staff"}}}, nil
}

// api is a running management API.
type api struct {
	t     *testing.T
	web   *httptest.Server
	token string
}

func newAPI(t *testing.T, db *sqldb.DB) *api {
	t.Helper()
	keys, err := keyring.New(make([]byte, keyring.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	s, err := authserver.New(t.Context(), authserver.Options{
		DB: db, Keys: keys, Sessions: &session.Store{DB: db, Keys: keys}, People: people{}, PublicURL: "https://id.example",
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	manage.Register(httpapi.NewAPI(mux, httpapi.APIOptions{Auth: tokens{}}), s)
	manage.RegisterClients(mux, s, tokens{})
	s.Routes(mux)
	web := httptest.NewServer(httpapi.Middleware(httpapi.Options{PublicURL: "https://id.example"})(mux))
	t.Cleanup(web.Close)
	return &api{t: t, web: web, token: httpapi.ScopeManage}
}

// call sends a request with a JSON body and returns the status and the decoded answer.
func (a *api) call(method, path string, body any) (int, any) {
	a.t.Helper()
	status, raw, _ := a.send(method, path, body)
	var out any
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &out); err != nil {
			a.t.Fatalf("%s %s answers %s", method, path, raw)
		}
	}
	return status, out
}

func (a *api) send(method, path string, body any) (int, []byte, http.Header) {
	a.t.Helper()
	var in io.Reader
	if text, ok := body.(string); ok {
		in = strings.NewReader(text)
	} else if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			a.t.Fatal(err)
		}
		in = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(a.t.Context(), method, a.web.URL+path, in)
	if err != nil {
		a.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if a.token != "" {
		req.Header.Set("Authorization", "SSWS "+a.token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		a.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	return resp.StatusCode, raw, resp.Header
}

// want calls and checks the status, and returns the object that came back.
func (a *api) want(status int, method, path string, body any) map[string]any {
	a.t.Helper()
	got, out := a.call(method, path, body)
	if got != status {
		a.t.Fatalf("%s %s: got %d %v, want %d", method, path, got, out, status)
	}
	object, _ := out.(map[string]any)
	return object
}

func (a *api) list(path string) []map[string]any {
	a.t.Helper()
	status, out := a.call(http.MethodGet, path, nil)
	if status != http.StatusOK {
		a.t.Fatalf("GET %s: got %d %v", path, status, out)
	}
	var objects []map[string]any
	for _, v := range out.([]any) {
		objects = append(objects, v.(map[string]any))
	}
	return objects
}

const servers = "/api/v1/authorizationServers"

type object = map[string]any

func TestDefaultServer(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		a := newAPI(t, db)
		got := a.want(200, "GET", servers+"/default", nil)
		if got["issuer"] != "https://id.example/oauth2/default" || got["default"] != true || got["status"] != "ACTIVE" {
			t.Errorf("got %v", got)
		}
		if diff := cmp.Diff([]any{"api://default"}, got["audiences"]); diff != "" {
			t.Error(diff)
		}
		a.want(403, "DELETE", servers+"/default", nil)
		policies := a.list(servers + "/default/policies")
		if len(policies) != 1 {
			t.Fatalf("%d policies, want 1", len(policies))
		}
		rules := a.list(servers + "/default/policies/" + policies[0]["id"].(string) + "/rules")
		want := object{
			"people":     object{"users": object{}, "groups": object{"include": []any{"EVERYONE"}}},
			"grantTypes": object{"include": []any{"authorization_code", "refresh_token", "client_credentials"}},
			"scopes":     object{"include": []any{"*"}},
		}
		if len(rules) != 1 || cmp.Diff(want, rules[0]["conditions"]) != "" {
			t.Errorf("rules: got %v", rules)
		}
		a.want(404, "GET", servers+"/org", nil)
	})
}

func TestServerLifecycle(t *testing.T) {
	a := newAPI(t, sqldbtest.SQLite(t))
	made := a.want(201, "POST", servers, object{"name": "Orders", "description": "d", "audiences": []string{"api://orders"}})
	id := made["id"].(string)
	if !strings.HasPrefix(id, "aus") || made["issuer"] != "https://id.example/oauth2/"+id || made["status"] != "ACTIVE" {
		t.Errorf("got %v", made)
	}
	kid := made["credentials"].(object)["signing"].(object)["kid"]
	a.want(400, "POST", servers, object{"name": "Orders", "audiences": []string{"api://orders"}})
	a.want(400, "POST", servers, object{"name": "x", "audiences": []string{"a", "b"}})
	a.want(400, "POST", servers, object{"name": 1})
	got := a.want(200, "PUT", servers+"/"+id, object{"name": "Orders 2", "audiences": []string{"orders"}})
	if got["name"] != "Orders 2" || got["created"] != made["created"] {
		t.Errorf("got %v", got)
	}
	keys := a.list(servers + "/" + id + "/credentials/keys")
	if len(keys) != 2 || keys[0]["kty"] != "EC" || keys[0]["d"] != nil {
		t.Errorf("keys: got %v", keys)
	}
	status, _ := a.call("POST", servers+"/"+id+"/credentials/lifecycle/keyRotate", object{"use": "sig"})
	after := a.want(200, "GET", servers+"/"+id, nil)["credentials"].(object)["signing"].(object)["kid"]
	if status != 200 || after == kid {
		t.Errorf("rotation: got %d, kid %v", status, after)
	}
	a.want(400, "POST", servers+"/"+id+"/credentials/lifecycle/keyRotate", object{"use": "enc"})
	a.want(204, "POST", servers+"/"+id+"/lifecycle/deactivate", nil)
	a.want(404, "GET", "/oauth2/"+id+"/.well-known/openid-configuration", nil)
	a.want(204, "POST", servers+"/"+id+"/lifecycle/activate", nil)
	a.want(200, "GET", "/oauth2/"+id+"/.well-known/openid-configuration", nil)
	a.want(204, "DELETE", servers+"/"+id, nil)
	a.want(404, "GET", servers+"/"+id, nil)
	if n := len(a.list(servers)); n != 1 {
		t.Errorf("%d servers are left, want 1", n)
	}
}

func TestScopesAndClaims(t *testing.T) {
	a := newAPI(t, sqldbtest.SQLite(t))
	scopes := servers + "/default/scopes"
	made := a.want(201, "POST", scopes, object{"name": "orders:read", "metadataPublish": "ALL_CLIENTS"})
	one := scopes + "/" + made["id"].(string)
	a.want(400, "POST", scopes, object{"name": "orders:read"})
	for _, name := range []string{"", "*", "okta.users", "with space", `quo"te`} {
		a.want(400, "POST", scopes, object{"name": name})
	}
	if got := a.want(200, "PUT", one, object{"name": "orders:read", "default": true}); got["default"] != true || got["id"] != made["id"] {
		t.Errorf("got %v", got)
	}
	openid := servers + "/default/scopes/" + a.list(scopes)[0]["id"].(string)
	a.want(403, "DELETE", openid, nil)
	a.want(204, "DELETE", one, nil)
	a.want(404, "GET", one, nil)

	claims := servers + "/default/claims"
	claim := object{"name": "dept", "claimType": "RESOURCE", "valueType": "EXPRESSION", "value": "user.department"}
	made = a.want(201, "POST", claims, claim)
	one = claims + "/" + made["id"].(string)
	a.want(400, "POST", claims, claim)
	claim["value"] = "user.department +"
	got := a.want(400, "PUT", one, claim)
	if !strings.Contains(got["errorSummary"].(string), "value") {
		t.Errorf("got %v", got)
	}
	a.want(400, "POST", claims, object{"name": "uid", "claimType": "RESOURCE", "valueType": "EXPRESSION", "value": "user.login"})
	a.want(400, "POST", claims, object{"name": "g", "claimType": "RESOURCE", "valueType": "GROUPS", "group_filter_type": "REGEX", "value": "("})
	a.want(204, "DELETE", one, nil)
	if all := a.list(claims); len(all) != 1 || all[0]["name"] != "sub" || all[0]["system"] != true {
		t.Errorf("claims: got %v", all)
	}
}

func TestPriorities(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		a := newAPI(t, db)
		base := servers + "/default/policies"
		policy := a.list(base)[0]["id"].(string)
		rules := base + "/" + policy + "/rules"
		rule := func(name string, priority int) object {
			return object{
				"name": name, "priority": priority,
				"conditions": object{"grantTypes": object{"include": []string{"client_credentials"}}, "scopes": object{"include": []string{"*"}}},
			}
		}
		last := a.want(201, "POST", rules, rule("last", 0))
		a.want(201, "POST", rules, rule("first", 1))
		order := func() (names []string) {
			for i, r := range a.list(rules) {
				if r["priority"] != float64(i+1) {
					t.Errorf("%v has priority %v at place %d", r["name"], r["priority"], i+1)
				}
				names = append(names, r["name"].(string))
			}
			return names
		}
		if diff := cmp.Diff([]string{"first", "Default Policy Rule", "last"}, order()); diff != "" {
			t.Error(diff)
		}
		a.want(200, "PUT", rules+"/"+last["id"].(string), rule("last", 1))
		if diff := cmp.Diff([]string{"last", "first", "Default Policy Rule"}, order()); diff != "" {
			t.Error(diff)
		}
		a.want(400, "POST", rules, object{"name": "x", "conditions": object{}})
		a.want(204, "POST", rules+"/"+last["id"].(string)+"/lifecycle/deactivate", nil)
		if got := a.want(200, "GET", rules+"/"+last["id"].(string), nil); got["status"] != "INACTIVE" {
			t.Errorf("got %v", got)
		}
		a.want(204, "DELETE", base+"/"+policy, nil)
		a.want(404, "GET", rules, nil)
	})
}

func TestSimulate(t *testing.T) {
	a := newAPI(t, sqldbtest.SQLite(t))
	client := a.want(201, "POST", "/oauth2/v1/clients", object{"client_name": "x", "redirect_uris": []string{"https://a.example/"}})
	ask := object{"clientId": client["client_id"], "grantType": "authorization_code", "userId": "00uada", "scopes": []string{"openid"}}
	got := a.want(200, "POST", servers+"/default/simulate", ask)
	claims, _ := got["claims"].(object)
	if got["granted"] != true || got["rule"] == nil || claims["sub"] != "ada@example.com" || claims["uid"] != "00uada" {
		t.Errorf("got %v", got)
	}
	policy := a.list(servers + "/default/policies")[0]["id"].(string)
	a.want(204, "POST", servers+"/default/policies/"+policy+"/lifecycle/deactivate", nil)
	got = a.want(200, "POST", servers+"/default/simulate", ask)
	if got["granted"] != false || got["claims"] != nil || got["error"].(object)["error"] != "access_denied" {
		t.Errorf("without a policy: got %v", got)
	}
	ask["userId"] = "00unone"
	a.want(400, "POST", servers+"/default/simulate", ask)
}

func TestClients(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		a := newAPI(t, db)
		const path = "/oauth2/v1/clients"
		body := object{
			"client_name": "Web", "redirect_uris": []string{"https://a.example/cb"}, "grant_types": []string{"authorization_code", "refresh_token"},
			"unknown_member": 1,
		}
		made := a.want(201, "POST", path, body)
		id, secret := made["client_id"].(string), made["client_secret"].(string)
		if !strings.HasPrefix(id, "0oa") || len(secret) < 43 || made["token_endpoint_auth_method"] != "client_secret_basic" ||
			made["client_secret_expires_at"] != 0.0 || made["pkce_required"] != false {
			t.Errorf("got %v", made)
		}
		if got := a.want(200, "GET", path+"/"+id, nil); got["client_secret"] != nil || got["client_name"] != "Web" {
			t.Errorf("read: got %v", got)
		}
		fresh := a.want(200, "POST", path+"/"+id+"/lifecycle/newSecret", nil)
		if fresh["client_secret"] == nil || fresh["client_secret"] == secret {
			t.Errorf("newSecret: got %v", fresh)
		}
		body["client_name"], body["pkce_required"] = "Web 2", true
		if got := a.want(200, "PUT", path+"/"+id, body); got["client_name"] != "Web 2" || got["pkce_required"] != true || got["client_secret"] != nil {
			t.Errorf("replace: got %v", got)
		}
		a.want(204, "DELETE", path+"/"+id, nil)
		if got := a.want(404, "GET", path+"/"+id, nil); got["errorCode"] != "E0000007" {
			t.Errorf("got %v", got)
		}
	})
}

func TestClientMetadataErrors(t *testing.T) {
	a := newAPI(t, sqldbtest.SQLite(t))
	for name, tc := range map[string]struct {
		body any
		code string
	}{
		"not JSON":          {"{", "invalid_client_metadata"},
		"no name":           {object{"redirect_uris": []string{"https://a.example/"}}, "invalid_client_metadata"},
		"no redirect":       {object{"client_name": "x"}, "invalid_redirect_uri"},
		"fragment":          {object{"client_name": "x", "redirect_uris": []string{"https://a.example/#f"}}, "invalid_redirect_uri"},
		"plain http":        {object{"client_name": "x", "redirect_uris": []string{"http://a.example/"}}, "invalid_redirect_uri"},
		"wildcard":          {object{"client_name": "x", "redirect_uris": []string{"https://*.a.example/"}}, "invalid_redirect_uri"},
		"javascript":        {object{"client_name": "x", "application_type": "native", "redirect_uris": []string{"javascript:alert(1)"}}, "invalid_redirect_uri"},
		"user information":  {object{"client_name": "x", "redirect_uris": []string{"https://u:p@a.example/"}}, "invalid_redirect_uri"},
		"implicit":          {object{"client_name": "x", "grant_types": []string{"implicit"}}, "invalid_client_metadata"},
		"jwks_uri":          {object{"client_name": "x", "jwks_uri": "https://a.example/"}, "invalid_client_metadata"},
		"private keys":      {object{"client_name": "x", "grant_types": []string{"client_credentials"}, "jwks": object{"keys": []any{object{"kty": "oct", "k": "AAAA"}}}}, "invalid_client_metadata"},
		"leeway":            {object{"client_name": "x", "redirect_uris": []string{"https://a.example/"}, "refresh_token": object{"leeway": 61}}, "invalid_client_metadata"},
		"public with grant": {object{"client_name": "x", "token_endpoint_auth_method": "none", "grant_types": []string{"client_credentials"}}, "invalid_client_metadata"},
	} {
		if got := a.want(400, "POST", "/oauth2/v1/clients", tc.body); got["error"] != tc.code || got["error_description"] == "" {
			t.Errorf("%s: got %v, want %s", name, got, tc.code)
		}
	}
}

// A client without a browser is registered as clients of the contract register it:
// "token" is the response type of those that only call the token endpoint.
func TestServiceClientSaysToken(t *testing.T) {
	a := newAPI(t, sqldbtest.SQLite(t))
	body := object{"client_name": "x", "application_type": "service", "grant_types": []string{"client_credentials"}, "response_types": []string{"token"}}
	got := a.want(201, "POST", "/oauth2/v1/clients", body)
	if diff := cmp.Diff([]any{"token"}, got["response_types"]); diff != "" {
		t.Error(diff)
	}
	a.want(201, "POST", "/oauth2/v1/clients", object{"client_name": "l", "redirect_uris": []string{"http://localhost:8085/callback"}})
}

func TestClientPages(t *testing.T) {
	a := newAPI(t, sqldbtest.SQLite(t))
	for _, name := range []string{"one", "two", "three"} {
		a.want(201, "POST", "/oauth2/v1/clients", object{"client_name": name, "redirect_uris": []string{"https://a.example/"}})
	}
	var names []string
	path := "/oauth2/v1/clients?limit=2"
	for path != "" {
		status, raw, header := a.send("GET", path, nil)
		var page []object
		if err := json.Unmarshal(raw, &page); status != 200 || err != nil {
			t.Fatalf("got %d %s", status, raw)
		}
		for _, c := range page {
			names = append(names, c["client_name"].(string))
		}
		path = ""
		for _, link := range header.Values("Link") {
			if target, ok := strings.CutSuffix(link, `>; rel="next"`); ok {
				path = strings.TrimPrefix(target, "<https://id.example")
			}
		}
	}
	slices.Sort(names) // within a millisecond identifiers have no order
	if diff := cmp.Diff([]string{"one", "three", "two"}, names); diff != "" {
		t.Error(diff)
	}
	if got := a.list("/oauth2/v1/clients?q=TW"); len(got) != 1 {
		t.Errorf("q: got %v", got)
	}
}

func TestWhoMayManage(t *testing.T) {
	a := newAPI(t, sqldbtest.SQLite(t))
	for _, path := range []string{servers + "/default", "/oauth2/v1/clients"} {
		for token, want := range map[string]int{"": 401, "wrong": 401, httpapi.ScopeSCIM: 403, httpapi.ScopeManageRead: 200} {
			a.token = token
			if status, _ := a.call("GET", path, nil); status != want {
				t.Errorf("GET %s with %q: got %d, want %d", path, token, status, want)
			}
		}
	}
	a.token = httpapi.ScopeManageRead
	for _, path := range []string{servers, "/oauth2/v1/clients"} {
		if status, _ := a.call("POST", path, object{}); status != 403 {
			t.Errorf("POST %s to read only: got %d", path, status)
		}
	}
}
