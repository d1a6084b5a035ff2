package manage_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/internal/keyring"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
	"github.com/provost-id/provost/plugins"
	"github.com/provost-id/provost/plugins/manage"
	"github.com/provost-id/provost/plugins/process"
	"github.com/provost-id/provost/plugins/webhook"
)

// org is one organisation's hooks with their API and dispatcher.
type org struct {
	db         *sqldb.DB
	service    *manage.Service
	dispatcher *plugins.Dispatcher
	url        string
}

// authenticator takes the token for the scope.
type authenticator struct{}

func (authenticator) Authenticate(_ context.Context, token string) (httpapi.Principal, error) {
	return httpapi.Principal{ID: "00T1", Type: "Token", Name: "admin", Scopes: []string{token}}, nil
}

func newOrg(t *testing.T, db *sqldb.DB) *org {
	t.Helper()
	keys, err := keyring.New(bytes.Repeat([]byte{7}, keyring.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	transports := map[string]plugins.Transport{
		plugins.ChannelHTTP:   webhook.Transport(http.DefaultClient),
		plugins.ChannelPlugin: process.Transport(process.Options{Dir: t.TempDir()}),
	}
	s := manage.New(db, keys, transports)
	s.AllowHTTP = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	d := &plugins.Dispatcher{Lookup: s.Lookup, Transports: transports, Report: s.Report}
	t.Cleanup(d.Close)
	mux := http.NewServeMux()
	manage.Register(httpapi.NewAPI(mux, httpapi.APIOptions{Auth: authenticator{}, Version: "test"}), s, d)
	server := httptest.NewServer(httpapi.Middleware(httpapi.Options{PublicURL: "https://id.example.com"})(httpapi.Mux(mux)))
	t.Cleanup(server.Close)
	return &org{db: db, service: s, dispatcher: d, url: server.URL + "/api/v1/inlineHooks"}
}

// do makes one request and decodes the answer.
func (o *org) do(t *testing.T, scope, method, path string, body any) (int, map[string]any) {
	t.Helper()
	var sent io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		sent = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, o.url+path, sent)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+scope)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }() // it is read whole
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var got any
	if len(text) > 0 {
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatalf("%s %s: %s", method, path, text)
		}
	}
	if list, ok := got.([]any); ok {
		return resp.StatusCode, map[string]any{"list": list}
	}
	m, _ := got.(map[string]any)
	return resp.StatusCode, m
}

// must is do with a status that has to be.
func (o *org) must(t *testing.T, status int, method, path string, body any) map[string]any {
	t.Helper()
	got, m := o.do(t, httpapi.ScopeManage, method, path, body)
	if got != status {
		t.Fatalf("%s %s: status %d, want %d: %v", method, path, got, status, m)
	}
	return m
}

type object = map[string]any

// httpHook is a hook as the contract's clients send it.
func httpHook(name, uri string) object {
	return object{
		"name": name, "type": "com.okta.oauth2.tokens.transform", "version": "1.0.1",
		"channel": object{"type": "HTTP", "version": "1.0.0", "config": object{
			"uri": uri, "method": "POST", "headers": []object{{"key": "X-Team", "value": "blue"}},
			"authScheme": object{"type": "HEADER", "key": "Authorization", "value": "Basic hush-hush"},
		}},
	}
}

func config(hook object) object {
	return hook["channel"].(object)["config"].(object)
}

func TestCRUD(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		o := newOrg(t, db)
		made := o.must(t, 200, "POST", "", httpHook("departments", "https://hooks.example.com/token"))
		id, _ := made["id"].(string)
		secret, _ := config(made)["signingSecret"].(string)
		if !strings.HasPrefix(id, "cal") || len(id) != 20 || !strings.HasPrefix(secret, "whsec_") {
			t.Fatalf("made %v", made)
		}
		delete(config(made), "signingSecret")
		self := "https://id.example.com/api/v1/inlineHooks/" + id
		post := object{"allow": []any{"POST"}}
		want := object{
			"id": id, "status": "ACTIVE", "name": "departments", "type": "com.okta.oauth2.tokens.transform", "version": "1.0.1",
			"timeoutMs": 3000.0, "retries": 0.0, "failureMode": "OPEN", "created": made["created"], "lastUpdated": made["created"],
			"channel": object{"type": "HTTP", "version": "1.0.0", "config": object{
				"uri": "https://hooks.example.com/token", "method": "POST", "headers": []any{object{"key": "X-Team", "value": "blue"}},
				"authScheme": object{"type": "HEADER", "key": "Authorization"},
			}},
			"_links": object{
				"self":       object{"href": self, "hints": object{"allow": []any{"GET", "PUT", "POST"}}},
				"execute":    object{"href": self + "/execute", "hints": post},
				"deactivate": object{"href": self + "/lifecycle/deactivate", "hints": post},
			},
		}
		if diff := cmp.Diff(want, made); diff != "" {
			t.Errorf("created, -want +got:\n%s", diff)
		}
		if diff := cmp.Diff(want, o.must(t, 200, "GET", "/"+id, nil)); diff != "" {
			t.Errorf("read, -want +got:\n%s", diff)
		}
		if diff := cmp.Diff(object{"list": []any{want}}, o.must(t, 200, "GET", "?type=com.okta.oauth2.tokens.transform", nil)); diff != "" {
			t.Errorf("listed, -want +got:\n%s", diff)
		}
		if got := o.must(t, 200, "GET", "?type=com.okta.import.transform", nil); len(got["list"].([]any)) != 0 {
			t.Errorf("hooks of another type: %v", got)
		}
		testLifecycle(t, o, id)
	})
}

func testLifecycle(t *testing.T, o *org, id string) {
	t.Helper()
	refused := o.must(t, 400, "DELETE", "/"+id, nil)
	if refused["errorCode"] != "E0000001" {
		t.Errorf("an active hook: %v", refused)
	}
	off := o.must(t, 200, "POST", "/"+id+"/lifecycle/deactivate", nil)
	links := off["_links"].(object)
	if off["status"] != "INACTIVE" || links["activate"] == nil || links["delete"] == nil || links["deactivate"] != nil {
		t.Errorf("deactivated: %v", off)
	}
	o.must(t, 200, "POST", "/"+id+"/lifecycle/deactivate", nil)
	if on := o.must(t, 200, "POST", "/"+id+"/lifecycle/activate", nil); on["status"] != "ACTIVE" {
		t.Errorf("activated: %v", on)
	}
	o.must(t, 200, "POST", "/"+id+"/lifecycle/deactivate", nil)
	o.service.InUse = func(context.Context, string) (bool, error) { return true, nil }
	if used := o.must(t, 400, "DELETE", "/"+id, nil); used["errorCode"] != "E0000001" {
		t.Errorf("a hook that a rule names: %v", used)
	}
	o.service.InUse = nil
	o.must(t, 204, "DELETE", "/"+id, nil)
	for _, r := range [][2]string{{"GET", ""}, {"DELETE", ""}, {"POST", "/lifecycle/activate"}, {"POST", "/execute"}} {
		if gone := o.must(t, 404, r[0], "/"+id+r[1], object{}); gone["errorCode"] != "E0000007" {
			t.Errorf("%s %s of a hook that is gone: %v", r[0], r[1], gone)
		}
	}
	want := []string{
		"inline_hook.created", "inline_hook.deactivated", "inline_hook.activated", "inline_hook.deactivated", "inline_hook.deleted",
	}
	if diff := cmp.Diff(want, o.eventTypes(t)); diff != "" {
		t.Errorf("events, -want +got:\n%s", diff)
	}
}

// events are the bodies of the system log.
func (o *org) events(t *testing.T) []string {
	t.Helper()
	rows, err := o.db.Query(t.Context(), `SELECT body FROM events ORDER BY n`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }() // Err tells
	var all []string
	for rows.Next() {
		var body string
		if err := rows.Scan(&body); err != nil {
			t.Fatal(err)
		}
		all = append(all, body)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

func (o *org) eventTypes(t *testing.T) []string {
	t.Helper()
	var types []string
	for _, body := range o.events(t) {
		var ev struct{ EventType string }
		if err := json.Unmarshal([]byte(body), &ev); err != nil {
			t.Fatal(err)
		}
		types = append(types, ev.EventType)
	}
	return types
}

func TestScopes(t *testing.T) {
	o := newOrg(t, sqldbtest.SQLite(t))
	id := o.must(t, 200, "POST", "", httpHook("s", "https://hooks.example.com/"))["id"].(string)
	for path, want := range map[string]int{"": 200, "/" + id: 200} {
		if got, _ := o.do(t, httpapi.ScopeManageRead, "GET", path, nil); got != want {
			t.Errorf("GET %s with manage.read: %d", path, got)
		}
	}
	for _, path := range []string{"", "/" + id, "/" + id + "/execute", "/" + id + "/lifecycle/deactivate"} {
		if got, _ := o.do(t, httpapi.ScopeManageRead, "POST", path, object{}); got != 403 {
			t.Errorf("POST %s with manage.read: %d", path, got)
		}
	}
}

func TestExists(t *testing.T) {
	o := newOrg(t, sqldbtest.SQLite(t))
	id := o.must(t, 200, "POST", "", httpHook("x", "https://hooks.example.com/"))["id"].(string)
	for name, tt := range map[string]struct {
		id   string
		typ  plugins.Type
		want bool
	}{
		"there": {id, plugins.TypeToken, true}, "another type": {id, "com.okta.import.transform", false}, "none": {"cal0", plugins.TypeToken, false},
	} {
		if got, err := o.service.Exists(t.Context(), tt.id, tt.typ); got != tt.want || err != nil {
			t.Errorf("%s: %v %v", name, got, err)
		}
	}
}

// TestBound: there are at most 100 hooks.
func TestBound(t *testing.T) {
	o := newOrg(t, sqldbtest.SQLite(t))
	for i := range 100 {
		o.must(t, 200, "POST", "", httpHook(strings.Repeat("n", i+1), "https://hooks.example.com/"))
	}
	o.must(t, 400, "POST", "", httpHook("one too many", "https://hooks.example.com/"))
}
