package manage_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/directory/feed"
	"github.com/provost-id/provost/directory/manage"
	"github.com/provost-id/provost/internal/apitoken"
	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/internal/keyring"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
)

// service is a management API on a real port.
type service struct {
	t     testing.TB
	dir   *directory.Directory
	store *apitoken.Store
	feed  *feed.Service
	url   string
	token string
}

func each(t *testing.T, fn func(t *testing.T, s *service)) {
	t.Helper()
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) { fn(t, newService(t, db)) })
}

func newService(t testing.TB, db *sqldb.DB) *service {
	t.Helper()
	keys, err := keyring.New(make([]byte, keyring.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	dir, err := directory.New(context.Background(), db, keys, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &service{t: t, dir: dir, store: &apitoken.Store{DB: db, Keys: keys}}
	mux := http.NewServeMux()
	api := httpapi.NewAPI(mux, httpapi.APIOptions{Auth: s.store, Version: "test"})
	s.feed = feed.New(feed.Options{Dir: dir, Issuer: "https://id.example/scim/v2"})
	manage.Register(api, manage.Deps{Directory: dir, Tokens: s.store, Log: events.Log{DB: db}, Feed: s.feed})
	srv := httptest.NewServer(httpapi.Middleware(httpapi.Options{PublicURL: "https://id.example"})(httpapi.Mux(mux)))
	t.Cleanup(srv.Close)
	s.url = srv.URL + "/api/v1"
	s.token = s.newToken(httpapi.ScopeManage)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- (&events.Sequencer{DB: db}).Run(ctx) }()
	t.Cleanup(func() { stop(); <-done })
	return s
}

func (s *service) newToken(scopes ...string) string {
	s.t.Helper()
	token, _, err := s.store.Create(context.Background(), events.System, apitoken.NewToken{Name: "test", Scopes: scopes, TTL: time.Hour})
	if err != nil {
		s.t.Fatal(err)
	}
	return token
}

type reply struct {
	status int
	header http.Header
	raw    string
	body   any
}

func (s *service) do(method, path, body string) reply {
	s.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "SSWS "+s.token)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	r := reply{status: resp.StatusCode, header: resp.Header, raw: string(raw)}
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &r.body); err != nil {
			s.t.Fatalf("%s %s: %v\n%s", method, path, err, raw)
		}
	}
	return r
}

func (s *service) must(status int, method, path, body string) reply {
	s.t.Helper()
	r := s.do(method, path, body)
	if r.status != status {
		s.t.Fatalf("%s %s: %d, want %d: %s", method, path, r.status, status, r.raw)
	}
	return r
}

func (s *service) refused(status int, code, method, path, body string, words ...string) {
	s.t.Helper()
	r := s.do(method, path, body)
	if r.status != status || at(r.body, "errorCode") != code {
		s.t.Errorf("%s %s %s: %d %s, want %d %s", method, path, body, r.status, r.raw, status, code)
	}
	for _, w := range words {
		if !strings.Contains(r.raw, w) {
			s.t.Errorf("%s %s: %s does not name %q", method, path, r.raw, w)
		}
	}
}

func at(v any, path ...any) any {
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[p]
		case int:
			l, _ := v.([]any)
			if p >= len(l) {
				return nil
			}
			v = l[p]
		}
	}
	return v
}

func profile(login, more string) string {
	return `{"profile":{"login":"` + login + `","email":"` + login + `","firstName":"F","lastName":"L"` + more + `}`
}

func (s *service) create(login, more string) string {
	s.t.Helper()
	id, _ := at(s.must(http.StatusOK, "POST", "/users", profile(login, "")+more+`}`).body, "id").(string)
	return id
}

const withPassword = `,"credentials":{"password":{"value":"correct horse"}}`

func TestCreateAndReadUser(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		r := s.must(http.StatusOK, "POST", "/users?activate=true", profile("ana@example.com", `,"department":"Tools"`)+withPassword+`}`)
		id, _ := at(r.body, "id").(string)
		if at(r.body, "status") != "ACTIVE" || at(r.body, "profile", "department") != "Tools" || at(r.body, "credentials", "password") == nil {
			t.Errorf("created %s", r.raw)
		}
		if strings.Contains(r.raw, "horse") {
			t.Errorf("the password came back: %s", r.raw)
		}
		shown, _ := at(r.body, "profile").(map[string]any)
		if v, ok := shown["mobilePhone"]; !ok || v != nil {
			t.Errorf("mobilePhone is not null: %s", r.raw)
		}
		if _, ok := shown["title"]; ok {
			t.Errorf("title is there: %s", r.raw)
		}
		if created, _ := at(r.body, "created").(string); !regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`).MatchString(created) {
			t.Errorf("created %q", created)
		}
		for _, key := range []string{id, "ana@example.com", "ANA@example.com", "ana"} {
			if got := s.must(http.StatusOK, "GET", "/users/"+key, ""); at(got.body, "id") != id {
				t.Errorf("by %s: %s", key, got.raw)
			}
		}
		if r := s.must(http.StatusOK, "POST", "/users", profile("bob@example.com", "")+`}`); at(r.body, "status") != "PROVISIONED" || at(r.body, "credentials", "password") != nil {
			t.Errorf("without a password: %s", r.raw)
		}
		if r := s.must(http.StatusOK, "POST", "/users?activate=false", profile("cy@example.com", "")+`}`); at(r.body, "status") != "STAGED" {
			t.Errorf("activate=false: %s", r.raw)
		}
		if r := s.must(http.StatusOK, "POST", "/users?nextLogin=changePassword", profile("di@example.com", "")+withPassword+`}`); at(r.body, "status") != "PASSWORD_EXPIRED" {
			t.Errorf("nextLogin: %s", r.raw)
		}
	})
}

func TestUserErrors(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		id := s.create("ana@example.com", withPassword)
		s.refused(http.StatusBadRequest, "E0000001", "POST", "/users", profile("ANA@example.com", "")+`}`, "login", "already exists")
		s.refused(http.StatusBadRequest, "E0000001", "POST", "/users", profile("x@example.com", `,"nosuch":1`)+`}`, "Api validation failed: newUser", "Property name 'nosuch' is not defined in profile")
		s.refused(http.StatusBadRequest, "E0000001", "POST", "/users", `{"profile":{"email":"x@example.com"}}`, "login")
		s.refused(http.StatusBadRequest, "E0000001", "POST", "/users", `{}`, "login")
		s.refused(http.StatusBadRequest, "E0000001", "POST", "/users", profile("x@example.com", `,"title":5`)+`}`, "title")
		s.refused(http.StatusForbidden, "E0000080", "POST", "/users", profile("x@example.com", "")+`,"credentials":{"password":{"value":"short"}}}`, "password", "minLength")
		s.refused(http.StatusBadRequest, "E0000124", "POST", "/users?nextLogin=changePassword", profile("x@example.com", "")+`}`)
		s.refused(http.StatusBadRequest, "E0000125", "POST", "/users?nextLogin=changePassword&activate=false", profile("x@example.com", "")+withPassword+`}`)
		s.refused(http.StatusNotFound, "E0000007", "POST", "/users", profile("x@example.com", "")+`,"groupIds":["00gnone"]}`, "00gnone")
		s.refused(http.StatusNotFound, "E0000007", "GET", "/users/00unobody", "", "00unobody")
		s.refused(http.StatusBadRequest, "E0000003", "POST", "/users", `{"profile":`)
		s.refused(http.StatusBadRequest, "E0000001", "PUT", "/users/"+id, `{}`, "profile")
		if r := s.must(http.StatusOK, "GET", "/users", ""); len(r.body.([]any)) != 1 {
			t.Errorf("a refused create left something: %s", r.raw)
		}
		s.token = s.newToken(httpapi.ScopeSCIM)
		s.refused(http.StatusForbidden, "E0000006", "GET", "/users", "")
		s.token = s.newToken(httpapi.ScopeManageRead)
		s.must(http.StatusOK, "GET", "/users", "")
		s.refused(http.StatusForbidden, "E0000006", "DELETE", "/users/"+id, "")
		s.token = "00nonsense"
		s.refused(http.StatusUnauthorized, "E0000011", "GET", "/users", "")
	})
}

func TestMergeAndReplace(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		id := s.create("ana@example.com", "")
		r := s.must(http.StatusOK, "POST", "/users/"+id, `{"profile":{"title":"Dr","nickName":"A"}}`)
		if at(r.body, "profile", "title") != "Dr" || at(r.body, "profile", "firstName") != "F" {
			t.Errorf("merge: %s", r.raw)
		}
		r = s.must(http.StatusOK, "POST", "/users/"+id, `{"profile":{"title":null}}`)
		if at(r.body, "profile", "title") != nil || at(r.body, "profile", "nickName") != "A" {
			t.Errorf("null removes: %s", r.raw)
		}
		r = s.must(http.StatusOK, "PUT", "/users/"+id, profile("ana@example.com", `,"title":"Prof"`)+withPassword+`}`)
		if at(r.body, "profile", "nickName") != nil || at(r.body, "profile", "title") != "Prof" || at(r.body, "status") != "ACTIVE" {
			t.Errorf("replace: %s", r.raw)
		}
		s.refused(http.StatusBadRequest, "E0000001", "PUT", "/users/"+id, `{"profile":{"login":"ana@example.com","email":"ana@example.com"}}`, "firstName")
		s.refused(http.StatusBadRequest, "E0000001", "POST", "/users/"+id, `{"profile":{"lastName":null}}`, "lastName")
	})
}

func TestLifecycleRoutes(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		id := s.create("ana@example.com", withPassword)
		status := func() any { return at(s.must(http.StatusOK, "GET", "/users/"+id, "").body, "status") }
		run := func(op, want string) {
			t.Helper()
			s.must(http.StatusOK, "POST", "/users/"+id+"/lifecycle/"+op, "")
			if got := status(); got != want {
				t.Errorf("%s leads to %v, want %s", op, got, want)
			}
		}
		run("suspend", "SUSPENDED")
		s.refused(http.StatusBadRequest, "E0000001", "POST", "/users/"+id+"/lifecycle/suspend", "", "suspend")
		run("unsuspend", "ACTIVE")
		s.refused(http.StatusBadRequest, "E0000001", "POST", "/users/"+id+"/lifecycle/unsuspend", "")
		s.refused(http.StatusForbidden, "E0000016", "POST", "/users/"+id+"/lifecycle/activate", "")
		s.refused(http.StatusForbidden, "E0000032", "POST", "/users/"+id+"/lifecycle/unlock", "")
		s.refused(http.StatusForbidden, "E0000038", "POST", "/users/"+id+"/lifecycle/reactivate", "")
		run("reset_password", "RECOVERY")
		run("reactivate", "RECOVERY")
		run("expire_password", "PASSWORD_EXPIRED")
		run("deactivate", "DEPROVISIONED")
		s.refused(http.StatusForbidden, "E0000038", "POST", "/users/"+id+"/lifecycle/deactivate", "")
		run("activate", "ACTIVE")
		s.refused(http.StatusNotFound, "E0000008", "POST", "/users/"+id+"/lifecycle/explode", "")
		temp, _ := at(s.must(http.StatusOK, "POST", "/users/"+id+"/lifecycle/expire_password?tempPassword=true", "").body, "tempPassword").(string)
		if _, err := s.dir.CheckPassword(t.Context(), "ana@example.com", temp); err == nil || status() != "PASSWORD_EXPIRED" {
			t.Errorf("the temporary password %q opens without a change, status %v", temp, status())
		}
		s.refused(http.StatusForbidden, "E0000014", "POST", "/users/"+id+"/credentials/change_password", `{"oldPassword":{"value":"wrong"},"newPassword":{"value":"another horse"}}`)
		s.must(http.StatusOK, "POST", "/users/"+id+"/credentials/change_password", `{"oldPassword":{"value":"`+temp+`"},"newPassword":{"value":"another horse"}}`)
		if _, err := s.dir.CheckPassword(t.Context(), "ana@example.com", "another horse"); err != nil {
			t.Errorf("the new password: %v", err)
		}
		s.must(http.StatusNoContent, "DELETE", "/users/"+id, "")
		if got := status(); got != "DEPROVISIONED" {
			t.Errorf("the first DELETE leads to %v", got)
		}
		s.must(http.StatusNoContent, "DELETE", "/users/"+id, "")
		s.refused(http.StatusNotFound, "E0000007", "DELETE", "/users/"+id, "")
	})
}

func TestListsAndSearch(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		for i := range 5 {
			s.create(fmt.Sprintf("user%d@example.com", i), withPassword)
		}
		s.must(http.StatusOK, "POST", "/users/user1@example.com", `{"profile":{"department":"Tools","firstName":"Zoë"}}`)
		s.must(http.StatusOK, "POST", "/users/user2@example.com/lifecycle/deactivate", "")
		s.must(http.StatusOK, "POST", "/users/user3@example.com/lifecycle/suspend", "")
		for query, want := range map[string]string{
			"":                                     "0 1 3 4",
			`search=profile.department eq "tools"`: "1", `search=profile.firstName sw "zo"`: "1",
			`search=status eq "SUSPENDED"`: "3", `search=status eq "DEPROVISIONED"`: "2", `filter=status eq "ACTIVE"`: "0 1 4",
			`search=status eq "ACTIVE" and profile.login eq "user4@example.com"`:                      "4",
			`search=(profile.login sw "user4" or profile.login sw "user3") and status eq "SUSPENDED"`: "3",
			`filter=profile.login eq "USER0@example.com"`:                                             "0", `filter=profile.email eq "user4@example.com"`: "4",
			`search=lastUpdated gt "2020-01-01T00:00:00.000Z" and profile.department pr`: "1",
			`search=status eq "SUSPENDED" or status eq "DEPROVISIONED"`:                  "2 3", `search=not (status eq "ACTIVE")`: "2 3", `search=status lt "B" and profile.login pr`: "0 1 4",
			`search=activated pr and type.id eq "default" and not (statusChanged lt "2020-01-01T00:00:00Z")`: "0 1 2 3 4",
			`search=statusChanged gt "2020-01-01T00:00:00Z" and status eq "SUSPENDED"`:                       "3", `search=activated lt "2020-01-01T00:00:00Z" or type.id eq "x"`: "",
			`q=zo`: "1", `q=user4`: "4", `q=%`: "", `q="`: "",
		} {
			name, value, _ := strings.Cut(query, "=")
			r := s.must(http.StatusOK, "GET", "/users?"+name+"="+url.QueryEscape(value), "")
			if got := logins(r); got != want {
				t.Errorf("%s: %q, want %q", query, got, want)
			}
		}
		for _, bad := range []string{`profile.nosuch eq "x"`, `status ne "ACTIVE"`, `PROFILE.login pr`, `profile.email[type eq "work"]`, `userName eq "x"`, `activated eq "soon"`,
			`profile.login`, `profile.login eq`, `profile.login eq "x`, `((`, `status eq "ACTIVE" profile.login pr`, `1 eq 1`} {
			s.refused(http.StatusBadRequest, "E0000031", "GET", "/users?search="+url.QueryEscape(bad), "")
		}
		s.refused(http.StatusBadRequest, "E0000033", "GET", "/users?q=a&search="+url.QueryEscape(`profile.login pr`), "")
		s.refused(http.StatusBadRequest, "E0000029", "GET", "/users?after=abc", "")
		var all []string
		path := "/users?limit=3"
		for range 5 {
			r := s.must(http.StatusOK, "GET", path, "")
			all = append(all, logins(r))
			links := r.header.Values("Link")
			if len(links) == 1 && strings.HasSuffix(links[0], `rel="self"`) {
				break
			}
			if len(links) != 2 || !strings.HasSuffix(links[1], `rel="next"`) {
				t.Fatalf("Link lines %q", links)
			}
			next, err := url.Parse(strings.TrimPrefix(strings.Split(links[1], ">")[0], "<"))
			if err != nil || next.Host != "id.example" {
				t.Fatalf("next %v, %v", next, err)
			}
			path = "/users?" + next.RawQuery
		}
		if diff := cmp.Diff([]string{"0 1 3", "4"}, all); diff != "" {
			t.Errorf("pages:\n%s", diff)
		}
	})
}

// logins are the digits of the logins of a list.
func logins(r reply) string {
	var all []string
	list, _ := r.body.([]any)
	for _, u := range list {
		login, _ := at(u, "profile", "login").(string)
		all = append(all, strings.TrimPrefix(strings.TrimSuffix(login, "@example.com"), "user"))
	}
	return strings.Join(all, " ")
}

func TestGroups(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		user := s.create("ana@example.com", "")
		r := s.must(http.StatusOK, "POST", "/groups", `{"profile":{"name":"Staff","description":"all of us"}}`)
		id, _ := at(r.body, "id").(string)
		if at(r.body, "type") != "OKTA_GROUP" || at(r.body, "objectClass", 0) != "okta:user_group" || at(r.body, "profile", "description") != "all of us" {
			t.Errorf("created %s", r.raw)
		}
		s.refused(http.StatusConflict, "E0000055", "POST", "/groups", `{"profile":{"name":"STAFF"}}`)
		s.refused(http.StatusBadRequest, "E0000001", "POST", "/groups", `{"profile":{}}`, "name")
		s.refused(http.StatusBadRequest, "E0000001", "POST", "/groups", `{"profile":{"name":"x","nosuch":1}}`, "nosuch")
		s.must(http.StatusNoContent, "PUT", "/groups/"+id+"/users/"+user, "")
		s.refused(http.StatusNotFound, "E0000007", "PUT", "/groups/"+id+"/users/00unobody", "")
		s.refused(http.StatusNotFound, "E0000007", "PUT", "/groups/00gnone/users/"+user, "")
		if r := s.must(http.StatusOK, "GET", "/groups/"+id+"/users", ""); len(r.body.([]any)) != 1 || at(r.body, 0, "id") != user {
			t.Errorf("members %s", r.raw)
		}
		names := func(path string) (all []string) {
			for _, g := range s.must(http.StatusOK, "GET", path, "").body.([]any) {
				all = append(all, at(g, "profile", "name").(string))
			}
			slices.Sort(all)
			return all
		}
		if diff := cmp.Diff([]string{"Everyone", "Staff"}, names("/users/"+user+"/groups")); diff != "" {
			t.Errorf("groups of the user:\n%s", diff)
		}
		if diff := cmp.Diff([]string{"Administrators", "Everyone", "Staff"}, names("/groups")); diff != "" {
			t.Errorf("groups:\n%s", diff)
		}
		if diff := cmp.Diff([]string{"Staff"}, names("/groups?q=st")); diff != "" {
			t.Errorf("q:\n%s", diff)
		}
		if diff := cmp.Diff([]string{"Administrators", "Everyone"}, names("/groups?filter="+url.QueryEscape(`type eq "BUILT_IN"`))); diff != "" {
			t.Errorf("type:\n%s", diff)
		}
		if r := s.must(http.StatusOK, "PUT", "/groups/"+id, `{"profile":{"name":"Crew"}}`); at(r.body, "profile", "name") != "Crew" || at(r.body, "profile", "description") != nil {
			t.Errorf("replaced %s", r.raw)
		}
		s.must(http.StatusNoContent, "PUT", "/groups/"+s.dir.AdministratorsID()+"/users/"+user, "")
		s.refused(http.StatusForbidden, "E0000111", "DELETE", "/groups/"+s.dir.AdministratorsID(), "")
		s.refused(http.StatusForbidden, "E0000111", "DELETE", "/groups/"+s.dir.EveryoneID()+"/users/"+user, "")
		s.must(http.StatusNoContent, "DELETE", "/groups/"+id+"/users/"+user, "")
		s.must(http.StatusNoContent, "DELETE", "/groups/"+id, "")
		s.refused(http.StatusNotFound, "E0000007", "GET", "/groups/"+id, "")
	})
}

func TestLogsAndWhy(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		id := s.create("ana@example.com", withPassword)
		s.must(http.StatusOK, "POST", "/users/"+id, `{"profile":{"title":"Dr"}}`)
		var list []any
		for range 100 { // an event is shown once it is numbered, after its commit
			list, _ = s.must(http.StatusOK, "GET", "/logs?filter="+url.QueryEscape(`target.id eq "`+id+`"`), "").body.([]any)
			if len(list) == 2 {
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
		if at(list, 0, "eventType") != "user.lifecycle.create" || at(list, 1, "eventType") != "user.account.update_profile" {
			t.Fatalf("events %v", list)
		}
		if at(list, 1, "after", "title") != "Dr" || at(list, 1, "outcome", "result") != "SUCCESS" || at(list, 1, "target", 0, "id") != id {
			t.Errorf("event %v", list[1])
		}
		s.refused(http.StatusBadRequest, "E0000031", "GET", "/logs?filter="+url.QueryEscape(`nosuch eq "x"`), "")
		s.refused(http.StatusBadRequest, "E0000030", "GET", "/logs?since=yesterday", "")
		s.refused(http.StatusBadRequest, "E0000029", "GET", "/logs?after=x", "")
		why := s.must(http.StatusOK, "GET", "/users/"+id+"/why/title", "")
		if at(why.body, "value") != "Dr" || at(why.body, "source", "kind") != "manage" || at(why.body, "event") != at(list, 1, "uuid") || at(why.body, "time") == nil {
			t.Errorf("why %s", why.raw)
		}
		s.refused(http.StatusNotFound, "E0000007", "GET", "/users/"+id+"/why/nosuch", "")
	})
}

func TestUserSchema(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		r := s.must(http.StatusOK, "GET", "/meta/schemas/user/default", "")
		base, _ := at(r.body, "definitions", "base", "properties").(map[string]any)
		if len(base) != 31 || at(base, "login", "minLength") != 5.0 || at(base, "login", "permissions", 0, "action") != "READ_WRITE" {
			t.Errorf("schema %s", r.raw)
		}
	})
}
