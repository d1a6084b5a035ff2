package manage_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/internal/keyring"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
	"github.com/provost-id/provost/provisioning"
	"github.com/provost-id/provost/provisioning/manage"
)

// target is an application in memory with some people; it refuses new ones called refused@.
type target struct {
	mu     sync.Mutex // guards people
	people map[string]provisioning.Object
}

var schema = provisioning.Schema{Types: []provisioning.ObjectType{
	{Name: provisioning.TypeUser, Attributes: []provisioning.Attribute{
		{Name: "userName", Type: "string", Required: true}, {Name: "title", Type: "string"}, {Name: "email", Type: "string"}, {Name: "emails", Remote: "email", List: true, ReadOnly: true},
	}},
}}

func (t *target) Describe(context.Context) (provisioning.Capabilities, error) {
	return provisioning.Capabilities{}, nil
}
func (t *target) Schema(context.Context) (provisioning.Schema, error) { return schema, nil }
func (t *target) Test(context.Context) []provisioning.Check           { return nil }
func (t *target) Close() error                                        { return nil }

func (t *target) Read(_ context.Context, r provisioning.ReadRequest, yield func(provisioning.Batch) error) (provisioning.End, error) {
	t.mu.Lock()
	var b provisioning.Batch
	for _, o := range t.people {
		b.Objects = append(b.Objects, o)
	}
	t.mu.Unlock()
	slices.SortFunc(b.Objects, func(x, y provisioning.Object) int { return strings.Compare(x.ID, y.ID) })
	return provisioning.End{Complete: true, Total: len(b.Objects)}, yield(b)
}

func (t *target) put(id, userName string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.people[id] = provisioning.Object{
		Ref: provisioning.Ref{Type: provisioning.TypeUser, ID: id, Name: userName}, Active: true,
		Attributes: map[string][]string{"userName": {userName}, "email": {userName}},
	}
}

func (t *target) Create(_ context.Context, o provisioning.Object, key provisioning.Key) (provisioning.Ref, error) {
	name := o.Attributes["userName"][0]
	if strings.HasPrefix(name, "refused@") {
		return provisioning.Ref{}, &provisioning.Error{Kind: provisioning.ErrInvalid, Op: "POST /Users", Status: 400, Body: "no such people here"}
	}
	t.put("made-"+name, name)
	return provisioning.Ref{Type: provisioning.TypeUser, ID: "made-" + name, Name: name}, nil
}

func (t *target) Update(context.Context, provisioning.Ref, provisioning.Delta, string) (string, error) {
	return "", nil
}
func (t *target) Delete(context.Context, provisioning.Ref) error { return nil }

type tokens struct{}

func (tokens) Authenticate(context.Context, string) (httpapi.Principal, error) {
	return httpapi.Principal{ID: "tester", Type: "Token", Scopes: []string{httpapi.ScopeManage}}, nil
}

// server is the API over a directory, an engine that runs, and a target.
type server struct {
	*testing.T
	url    string
	dir    *directory.Directory
	target *target
}

func start(t *testing.T, db *sqldb.DB) *server {
	t.Helper()
	keys, err := keyring.New(make([]byte, keyring.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	dir, err := directory.New(t.Context(), db, keys, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &server{T: t, dir: dir, target: &target{people: map[string]provisioning.Object{}}}
	e := provisioning.NewEngine(dir, map[string]provisioning.Factory{"scim2": func(_ context.Context, c provisioning.Config) (provisioning.Connector, error) {
		if c.String("baseUrl") == "" {
			return nil, &provisioning.Error{Kind: provisioning.ErrConfig, Attr: "baseUrl", Err: errors.New("missing")}
		}
		return s.target, nil
	}}, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() { stopped <- e.Run(ctx) }()
	mux := http.NewServeMux()
	manage.Register(httpapi.NewAPI(mux, httpapi.APIOptions{Auth: tokens{}}), e)
	web := httptest.NewServer(httpapi.Middleware(httpapi.Options{Log: slog.New(slog.DiscardHandler), PublicURL: "https://id.example"})(mux))
	t.Cleanup(func() {
		web.Close()
		cancel()
		if err := <-stopped; err != nil {
			t.Errorf("engine: %v", err)
		}
	})
	s.url = web.URL + "/api/v1"
	return s
}

// call makes a request and decodes the answer into a map, or a list under "list".
func (s *server) call(want int, method, path, body string) map[string]any {
	s.Helper()
	req, err := http.NewRequestWithContext(s.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer t")
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }() // read whole
	text, err := io.ReadAll(res.Body)
	if err != nil {
		s.Fatal(err)
	}
	if res.StatusCode != want {
		s.Fatalf("%s %s: %d %s, want %d", method, path, res.StatusCode, text, want)
	}
	out := map[string]any{}
	if len(text) == 0 {
		return out
	}
	if text[0] == '[' {
		text = fmt.Appendf(nil, `{"list":%s}`, text)
	}
	if err := json.Unmarshal(text, &out); err != nil {
		s.Fatalf("%s %s: %v in %s", method, path, err, text)
	}
	return out
}

func list(m map[string]any) []map[string]any {
	var out []map[string]any
	all, _ := m["list"].([]any)
	for _, e := range all {
		out = append(out, e.(map[string]any))
	}
	return out
}

// wait asks until ok holds, for at most some seconds.
func (s *server) wait(what, path string, ok func(map[string]any) bool) map[string]any {
	s.Helper()
	var last map[string]any
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if last = s.call(200, "GET", path, ""); ok(last) {
			return last
		}
	}
	s.Fatalf("%s: last %v", what, last)
	return nil
}

const newApp = `{"name":"scim2","label":"Target","features":["PUSH_NEW_USERS","PUSH_PROFILE_UPDATES","PUSH_USER_DEACTIVATION","IMPORT_NEW_USERS"],
	"settings":{"app":{"baseUrl":"https://target.example/scim","token":"s3cret"}}}`

func (s *server) user(login string) string {
	s.Helper()
	typ, _ := s.dir.Schemas().Type("User")
	r, err := typ.FromProfile(map[string]any{"login": login, "email": login, "firstName": "F", "lastName": "L"})
	if err != nil {
		s.Fatal(err)
	}
	u, err := s.dir.CreateUser(s.Context(), directory.Change{Manage: true}, r, directory.CreateOptions{Status: directory.Active})
	if err != nil {
		s.Fatal(err)
	}
	return u.ID
}

func TestAppsKeepTheirSecrets(t *testing.T) {
	t.Parallel()
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := start(t, db)
		app := s.call(200, "POST", "/apps", newApp)
		id := app["id"].(string)
		if fmt.Sprint(app["settings"]) != "map[app:map[baseUrl:https://target.example/scim]]" || app["status"] != "ACTIVE" {
			t.Errorf("app %v", app)
		}
		if e := s.call(400, "POST", "/apps", newApp); e["errorCode"] != "E0000040" {
			t.Errorf("a second app of the label: %v", e)
		}
		app = s.call(200, "PUT", "/apps/"+id, `{"name":"scim2","label":"Renamed","settings":{"app":{"baseUrl":"https://other.example"}}}`)
		if app["label"] != "Renamed" || len(app["features"].([]any)) != 4 {
			t.Errorf("replaced %v", app)
		}
		stored, err := s.dir.App(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if c, err := s.dir.AppConfig(t.Context(), stored); err != nil || c["token"] != "s3cret" || c["baseUrl"] != "https://other.example" {
			t.Errorf("config %v, %v", c, err)
		}
		s.call(403, "DELETE", "/apps/"+id, "")
		s.call(200, "POST", "/apps/"+id+"/lifecycle/deactivate", "")
		s.call(204, "DELETE", "/apps/"+id, "")
		if e := s.call(404, "GET", "/apps/"+id, ""); e["errorCode"] != "E0000007" {
			t.Errorf("a deleted app: %v", e)
		}
	})
}

func TestWrongAppsAreRefused(t *testing.T) {
	t.Parallel()
	s := start(t, sqldbtest.SQLite(t))
	for name, c := range map[string]struct{ body, cause string }{
		"unknown feature": {`{"name":"scim2","label":"A","features":["FLY"],"settings":{"app":{"baseUrl":"x"}}}`, "FLY"},
		"no label":        {`{"name":"scim2","settings":{"app":{"baseUrl":"x"}}}`, "label"},
		"setting":         {`{"name":"scim2","label":"A","settings":{"app":{}}}`, "settings.app.baseUrl: missing"},
		"no connector":    {`{"name":"ldpa","label":"A","features":["IMPORT_NEW_USERS"]}`, "no connector"},
	} {
		t.Run(name, func(t *testing.T) {
			e := s.call(400, "POST", "/apps", c.body)
			if e["errorCode"] != "E0000001" || !strings.Contains(fmt.Sprint(e), c.cause) {
				t.Errorf("got %v, want a cause with %q", e, c.cause)
			}
		})
	}
}

func TestMappings(t *testing.T) {
	t.Parallel()
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := start(t, db)
		app := s.call(200, "POST", "/apps", newApp)["id"].(string)
		out := list(s.call(200, "GET", "/mappings?targetId="+app, ""))
		in := list(s.call(200, "GET", "/mappings?sourceId="+app, ""))
		if len(out) != 1 || len(in) != 1 {
			t.Fatalf("mappings out %v, in %v", out, in)
		}
		path := "/mappings/" + out[0]["id"].(string)
		m := s.call(200, "POST", path, `{"properties":{"title":null,"nickName":{"expression":"user.title + \"!\"","pushStatus":"DONT_PUSH"}}}`)
		properties := m["properties"].(map[string]any)
		if properties["title"] != nil || properties["nickName"].(map[string]any)["pushStatus"] != "DONT_PUSH" || properties["userName"] == nil {
			t.Errorf("merged %v", properties)
		}
		for name, c := range map[string]struct{ expression, cause string }{
			"unknown attribute": {"user.wage", "undefined field 'wage'"},
			"null unguarded":    {"user.title.split(\\\",\\\")", "split"},
			"null comparison":   {"user.title < \\\"m\\\" ? \\\"a\\\" : \\\"b\\\"", "guard it: user.title != null"},
			"Okta's AND":        {"user.title == \\\"a\\\" AND true", "write \\u0026\\u0026"},
		} {
			t.Run(name, func(t *testing.T) {
				e := s.call(400, "POST", path, `{"properties":{"title":{"expression":"`+c.expression+`"}}}`)
				text, _ := json.Marshal(e)
				if e["errorCode"] != "E0000045" || !strings.Contains(string(text), c.cause) {
					t.Errorf("got %s, want a cause with %q", text, c.cause)
				}
			})
		}
	})
}

func TestAssignmentToTheEnd(t *testing.T) {
	t.Parallel()
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := start(t, db)
		app := "/apps/" + s.call(200, "POST", "/apps", newApp)["id"].(string)
		ada := s.user("ada@example.com")
		u := s.call(200, "POST", app+"/users", `{"id":"`+ada+`","scope":"USER"}`)
		if u["id"] != ada || u["externalId"] != nil || u["status"] != "STAGED" {
			t.Errorf("assigned %v", u)
		}
		s.wait("account", app+"/users/"+ada, func(u map[string]any) bool {
			return u["externalId"] == "made-ada@example.com" && u["status"] == "PROVISIONED" && u["syncState"] == "SYNCHRONIZED"
		})
		if e := s.call(409, "POST", app+"/users", `{"id":"`+ada+`"}`); e["errorCode"] != "E0000062" {
			t.Errorf("assigned twice: %v", e)
		}
		s.call(404, "POST", app+"/users", `{"id":"00uNOBODY"}`)
		refused := s.user("refused@example.com")
		s.call(200, "POST", app+"/users", `{"id":"`+refused+`"}`)
		tasks := list(s.wait("task", app+"/tasks", func(m map[string]any) bool { return len(list(m)) == 1 }))
		last := tasks[0]["lastError"].(map[string]any)
		if tasks[0]["userId"] != refused || tasks[0]["operation"] != "create" || tasks[0]["attempts"] != 1.0 || tasks[0]["status"] != "FAILED" ||
			last["status"] != 400.0 || last["body"] != "no such people here" {
			t.Errorf("task %v", tasks[0])
		}
		s.call(200, "POST", app+"/tasks/"+tasks[0]["id"].(string)+"/retry", "")
		s.call(404, "POST", app+"/tasks/tskNONE/retry", "")
		s.call(204, "DELETE", app+"/users/"+ada, "")
		if users := list(s.call(200, "GET", app+"/users", "")); len(users) != 1 || users[0]["id"] != refused {
			t.Errorf("users %v", users)
		}
	})
}

func TestImportOverTheAPI(t *testing.T) {
	t.Parallel()
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := start(t, db)
		app := "/apps/" + s.call(200, "POST", "/apps", newApp)["id"].(string)
		for i := range 6 {
			s.target.put(fmt.Sprintf("p%d", i), fmt.Sprintf("p%d@example.com", i))
		}
		r := s.call(201, "POST", app+"/imports", `{"mode":"plan","type":"full"}`)
		path := app + "/imports/" + r["id"].(string)
		r = s.wait("plan", path, func(r map[string]any) bool { return r["status"] != "RUNNING" })
		if r["status"] != "AWAITING_APPROVAL" || r["counts"].(map[string]any)["create"] != 6.0 || r["reason"] == "" {
			t.Errorf("plan %v", r)
		}
		changes := list(s.call(200, "GET", path+"/changes", ""))
		if len(changes) != 6 || changes[0]["action"] != "create" || changes[0]["login"] != "p0@example.com" || changes[0]["externalId"] != "p0" ||
			fmt.Sprint(changes[0]["attributes"].(map[string]any)["email"]) != "map[from:<nil> to:p0@example.com]" {
			t.Errorf("changes %v", changes)
		}
		s.call(200, "POST", path+"/approve", "")
		s.wait("apply", path, func(r map[string]any) bool { return r["status"] == "SUCCEEDED" })
		if users := list(s.call(200, "GET", app+"/users?limit=200", "")); len(users) != 6 || users[0]["scope"] != "USER" {
			t.Errorf("users %v", users)
		}
		if e := s.call(409, "POST", path+"/approve", ""); e["errorCode"] != "E0000195" {
			t.Errorf("approved twice: %v", e)
		}
		s.call(400, "POST", app+"/imports", `{"mode":"guess"}`)
	})
}
