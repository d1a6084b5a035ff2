package manage_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/federation"
	"github.com/provost-id/provost/federation/manage"
	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/internal/keyring"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
)

const publicURL = "https://id.example"

// tokens are the credentials that the API knows, each with its scope.
type tokens map[string]string

func (t tokens) Authenticate(_ context.Context, token string) (httpapi.Principal, error) {
	scope, ok := t[token]
	if !ok {
		return httpapi.Principal{}, httpapi.ErrUnauthenticated
	}
	return httpapi.Principal{ID: "00T1", Type: "Token", Scopes: []string{scope}}, nil
}

type api struct {
	t       *testing.T
	handler http.Handler
	service *federation.Service
	userID  string
}

func newAPI(t *testing.T, db *sqldb.DB) *api {
	t.Helper()
	keys, err := keyring.New(make([]byte, keyring.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	d, err := directory.New(t.Context(), db, keys, nil)
	if err != nil {
		t.Fatal(err)
	}
	typ, _ := d.Schemas().Type("User")
	r, err := typ.FromProfile(map[string]any{"login": "ada@corp.example", "email": "ada@corp.example", "firstName": "Ada", "lastName": "Lovelace"})
	if err != nil {
		t.Fatal(err)
	}
	c := directory.Change{Actor: events.System, Source: directory.Source{Kind: directory.SourceManage}, Manage: true}
	u, err := d.CreateUser(t.Context(), c, r, directory.CreateOptions{Status: directory.Active})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	s := &federation.Service{DB: db, Keys: keys, Directory: d}
	manage.Register(httpapi.NewAPI(mux, httpapi.APIOptions{Auth: tokens{"rw": "manage", "ro": "manage.read", "scim": "scim"}, Version: "test"}), s)
	return &api{t: t, service: s, userID: u.ID, handler: httpapi.Middleware(httpapi.Options{PublicURL: publicURL})(mux)}
}

type object = map[string]any

func (a *api) call(token, method, path, body string) (int, http.Header, []byte) {
	a.t.Helper()
	r := httptest.NewRequestWithContext(a.t.Context(), method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	a.handler.ServeHTTP(w, r)
	out, err := io.ReadAll(w.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	if strings.Contains(string(out), "hush") {
		a.t.Errorf("%s %s shows the client secret: %s", method, path, out)
	}
	return w.Code, w.Header(), out
}

func (a *api) want(status int, method, path, body string) object {
	a.t.Helper()
	got, _, out := a.call("rw", method, path, body)
	if got != status {
		a.t.Fatalf("%s %s: %d %s, want %d", method, path, got, out, status)
	}
	var o object
	if len(out) > 0 {
		if err := json.Unmarshal(out, &o); err != nil {
			a.t.Fatalf("%s %s: %s: %v", method, path, out, err)
		}
	}
	return o
}

func each(t *testing.T, fn func(t *testing.T, a *api)) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) { fn(t, newAPI(t, db)) })
}

// sample is what an administrator of the contract's API sends, nulls and all.
func sample(name string) string {
	return fmt.Sprintf(`{"type":"OIDC","name":%q,"request_object_signing_alg":null,
	"protocol":{"type":"OIDC","scopes":["openid","profile","email"],"issuer":{"url":"https://idp.example"},
		"algorithms":{"request":{"signature":{"algorithm":"SHA-256","scope":"REQUEST"}}},
		"endpoints":{"authorization":{"url":"https://idp.example/a","binding":"HTTP-REDIRECT"},"token":{"url":"https://idp.example/t","binding":"HTTP-POST"},
			"userInfo":{"url":"https://idp.example/u","binding":"HTTP-REDIRECT"},"jwks":{"url":"https://idp.example/k","binding":"HTTP-REDIRECT"}},
		"credentials":{"client":{"client_id":"us","client_secret":"hush","pkce_required":false}}},
	"policy":{"accountLink":{"action":"AUTO","filter":null},
		"provisioning":{"action":"AUTO","profileMaster":false,"conditions":{"deprovisioned":{"action":"NONE"},"suspended":{"action":"UNSUSPEND"}},"groups":{"action":"NONE"}},
		"maxClockSkew":120000,
		"subject":{"userNameTemplate":{"template":"idpuser.email"},"filter":null,"matchType":"USERNAME","matchAttribute":null}}}`, name)
}

func at(o object, path ...string) any {
	var v any = o
	for _, name := range path {
		m, _ := v.(object)
		v = m[name]
	}
	return v
}

func TestIdPs(t *testing.T) {
	each(t, func(t *testing.T, a *api) {
		made := a.want(http.StatusOK, "POST", "/api/v1/idps", sample("Partner"))
		id, _ := made["id"].(string)
		if !strings.HasPrefix(id, "0oa") || made["status"] != "ACTIVE" || made["type"] != "OIDC" || made["issuerMode"] != "DYNAMIC" ||
			at(made, "policy", "provisioning", "profileMaster") != false || at(made, "policy", "maxClockSkew") != 120000.0 ||
			at(made, "protocol", "endpoints", "token", "url") != "https://idp.example/t" ||
			at(made, "protocol", "credentials", "client", "client_id") != "us" || at(made, "protocol", "credentials", "client", "pkce_required") != true ||
			at(made, "_links", "clientRedirectUri", "href") != publicURL+"/oauth2/v1/authorize/callback" ||
			at(made, "_links", "deactivate", "href") != publicURL+"/api/v1/idps/"+id+"/lifecycle/deactivate" {
			t.Errorf("created %v", made)
		}
		if created, _ := made["created"].(string); len(created) != len("2006-01-02T15:04:05.000Z") || !strings.HasSuffix(created, "Z") {
			t.Errorf("created at %q", created)
		}
		if got := a.want(http.StatusOK, "GET", "/api/v1/idps/"+id, ""); got["name"] != "Partner" {
			t.Errorf("read %v", got)
		}
		got := a.want(http.StatusOK, "PUT", "/api/v1/idps/"+id, sample("Renamed"))
		if got["name"] != "Renamed" || got["id"] != id || got["created"] != made["created"] {
			t.Errorf("replaced %v", got)
		}
		if got := a.want(http.StatusOK, "POST", "/api/v1/idps/"+id+"/lifecycle/deactivate", ""); got["status"] != "INACTIVE" || at(got, "_links", "activate") == nil {
			t.Errorf("deactivated %v", got)
		}
		if got := a.want(http.StatusOK, "POST", "/api/v1/idps/"+id+"/lifecycle/activate", ""); got["status"] != "ACTIVE" {
			t.Errorf("activated %v", got)
		}
		a.want(http.StatusNoContent, "DELETE", "/api/v1/idps/"+id, "")
		if got := a.want(http.StatusNotFound, "GET", "/api/v1/idps/"+id, ""); got["errorCode"] != "E0000007" {
			t.Errorf("deleted provider: %v", got)
		}
	})
}

func TestMinimalIdPDeniesByDefault(t *testing.T) {
	each(t, func(t *testing.T, a *api) {
		got := a.want(http.StatusOK, "POST", "/api/v1/idps", `{"type":"OIDC","name":"Least","protocol":{"issuer":{"url":"https://idp.example"},
			"credentials":{"client":{"client_id":"us"}}}}`)
		if at(got, "policy", "provisioning", "action") != "DISABLED" || at(got, "policy", "accountLink", "action") != "DISABLED" ||
			at(got, "policy", "subject", "userNameTemplate", "template") != "idpuser.email" || at(got, "policy", "subject", "matchType") != "USERNAME" {
			t.Errorf("created %v", got)
		}
	})
}

func TestInvalidIdPs(t *testing.T) {
	each(t, func(t *testing.T, a *api) {
		for field, change := range map[string][2]string{
			"name":                                           {`"name":"Bad"`, `"name":" "`},
			"type":                                           {`"type":"OIDC","name"`, `"type":"SAML2","name"`},
			"protocol.issuer.url":                            {`"issuer":{"url":"https://idp.example"}`, `"issuer":{"url":"ftp://idp.example"}`},
			"protocol.scopes":                                {`["openid","profile","email"]`, `["profile"]`},
			"protocol.credentials.client.client_id":          {`"client_id":"us"`, `"client_id":""`},
			"protocol.endpoints.jwks.url":                    {`https://idp.example/k`, `https://a@idp.example/k`},
			"policy.provisioning.action":                     {`"action":"AUTO","profileMaster"`, `"action":"ALWAYS","profileMaster"`},
			"policy.accountLink.action":                      {`"accountLink":{"action":"AUTO"`, `"accountLink":{"action":"yes"`},
			"policy.subject.matchType":                       {`"matchType":"USERNAME"`, `"matchType":"ANY"`},
			"policy.subject.userNameTemplate.template":       {`"idpuser.email"`, `"idpuser.email +"`},
			"policy.subject.filter":                          {`"filter":null,"matchType"`, `"filter":"(","matchType"`},
			"policy.maxClockSkew":                            {`120000`, `99999999`},
			"policy.provisioning.groups.sourceAttributeName": {`"groups":{"action":"NONE"}`, `"groups":{"action":"SYNC"}`},
		} {
			body := strings.Replace(sample("Bad"), change[0], change[1], 1)
			if body == sample("Bad") {
				t.Fatalf("%s: the sample has no %s", field, change[0])
			}
			got := a.want(http.StatusBadRequest, "POST", "/api/v1/idps", body)
			if got["errorCode"] != "E0000001" || !strings.Contains(fmt.Sprint(got["errorSummary"]), field) {
				t.Errorf("%s: %v", field, got)
			}
		}
		a.want(http.StatusOK, "POST", "/api/v1/idps", sample("Twin"))
		if got := a.want(http.StatusConflict, "POST", "/api/v1/idps", sample("TWIN")); got["errorCode"] != "E0000108" {
			t.Errorf("second provider of the name: %v", got)
		}
		for name, body := range map[string]string{"syntax": `{`, "wrong type": `{"name":5}`} {
			if status, _, out := a.call("rw", "POST", "/api/v1/idps", body); status != http.StatusBadRequest || !strings.Contains(string(out), "errorCode") {
				t.Errorf("%s: %d %s", name, status, out)
			}
		}
	})
}

func TestListPages(t *testing.T) {
	each(t, func(t *testing.T, a *api) {
		for _, name := range []string{"Beta", "alpha", "Gamma", "Alps"} {
			a.want(http.StatusOK, "POST", "/api/v1/idps", sample(name))
		}
		list := func(path string) (names []string, next string) {
			status, header, out := a.call("ro", "GET", path, "")
			var page []object
			if err := json.Unmarshal(out, &page); err != nil || status != http.StatusOK {
				t.Fatalf("%s: %d %s", path, status, out)
			}
			for _, i := range page {
				names = append(names, fmt.Sprint(i["name"]))
			}
			for _, l := range header.Values("Link") {
				if address, ok := strings.CutSuffix(l, `>; rel="next"`); ok {
					next = strings.TrimPrefix(address, "<"+publicURL)
				}
			}
			return names, next
		}
		var all []string
		for next := "/api/v1/idps?limit=3"; next != ""; {
			var names []string
			names, next = list(next)
			all = append(all, names...)
		}
		if got := strings.Join(all, " "); got != "alpha Alps Beta Gamma" {
			t.Errorf("walked %q", got)
		}
		if names, _ := list("/api/v1/idps?q=al"); strings.Join(names, " ") != "alpha Alps" {
			t.Errorf("q=al gives %v", names)
		}
		if names, _ := list("/api/v1/idps?type=SAML2"); len(names) != 0 {
			t.Errorf("type=SAML2 gives %v", names)
		}
	})
}

func TestUsersOfIdP(t *testing.T) {
	each(t, func(t *testing.T, a *api) {
		id := fmt.Sprint(a.want(http.StatusOK, "POST", "/api/v1/idps", sample("Partner"))["id"])
		path := "/api/v1/idps/" + id + "/users/" + a.userID
		if got := a.want(http.StatusNotFound, "GET", path, ""); got["errorCode"] != "E0000007" {
			t.Errorf("no link: %v", got)
		}
		made := a.want(http.StatusOK, "POST", path, `{"externalId":"sub-1"}`)
		if made["id"] != a.userID || made["externalId"] != "sub-1" || at(made, "_links", "idp", "href") != publicURL+"/api/v1/idps/"+id {
			t.Errorf("linked %v", made)
		}
		a.want(http.StatusConflict, "POST", path, `{"externalId":"sub-2"}`)
		a.want(http.StatusBadRequest, "POST", path, `{"externalId":""}`)
		a.want(http.StatusNotFound, "POST", "/api/v1/idps/"+id+"/users/00uNobody", `{"externalId":"sub-3"}`)
		a.want(http.StatusNotFound, "POST", "/api/v1/idps/0oaNobody/users/"+a.userID, `{"externalId":"sub-3"}`)
		for _, list := range []string{"/api/v1/idps/" + id + "/users", "/api/v1/users/" + a.userID + "/idps"} {
			status, _, out := a.call("ro", "GET", list, "")
			var page []object
			if err := json.Unmarshal(out, &page); err != nil || status != http.StatusOK || len(page) != 1 {
				t.Errorf("%s: %d %s", list, status, out)
			}
		}
		a.want(http.StatusNoContent, "DELETE", path, "")
		a.want(http.StatusNotFound, "DELETE", path, "")
	})
}

func TestScopes(t *testing.T) {
	a := newAPI(t, sqldbtest.SQLite(t))
	for _, tt := range []struct {
		token, method string
		status        int
	}{
		{"none", "GET", http.StatusUnauthorized}, {"scim", "GET", http.StatusForbidden}, {"ro", "GET", http.StatusOK},
		{"none", "POST", http.StatusUnauthorized}, {"ro", "POST", http.StatusForbidden}, {"rw", "POST", http.StatusOK},
	} {
		if status, _, out := a.call(tt.token, tt.method, "/api/v1/idps", sample(tt.token)); status != tt.status {
			t.Errorf("%s with %s: %d %s, want %d", tt.method, tt.token, status, out, tt.status)
		}
	}
}
