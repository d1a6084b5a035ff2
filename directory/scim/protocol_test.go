package scim_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/httpapi"
)

func TestRFC7644_3_14_ETags(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		id := c.create("/Users", fullUser)
		path := "/Users/" + id
		for name, tc := range map[string]struct {
			header, value string
			want          int
		}{
			"same": {"If-None-Match", `W/"1"`, http.StatusNotModified}, "strong spelling": {"If-None-Match", `"1"`, http.StatusNotModified},
			"in a list": {"If-None-Match", `W/"9", W/"1"`, http.StatusNotModified}, "any": {"If-None-Match", `*`, http.StatusNotModified},
			"other": {"If-None-Match", `W/"2"`, http.StatusOK}, "not ours": {"If-None-Match", `"abc"`, http.StatusOK},
		} {
			r := c.do("GET", path, "", tc.header, tc.value)
			if r.status != tc.want || r.header.Get("ETag") != `W/"1"` || tc.want == http.StatusNotModified && r.raw != "" {
				t.Errorf("%s: %d %q %q, want %d", name, r.status, r.header.Get("ETag"), r.raw, tc.want)
			}
		}
		// RFC 9110, section 13.1.2: the groups of a user are part of what it shows.
		c.create("/Groups", `{"displayName":"Staff","members":[{"value":"`+id+`"}]}`)
		if r := c.do("GET", path, "", "If-None-Match", `W/"1"`); r.status != http.StatusOK {
			t.Errorf("304 although the groups have changed")
		}
		if r := c.do("GET", path+"?excludedAttributes=groups", "", "If-None-Match", `W/"1"`); r.status != http.StatusNotModified {
			t.Errorf("%d without groups, want 304", r.status)
		}
	})
}

func TestADV64_StaleIfMatch(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		id := c.create("/Users", fullUser)
		g := c.create("/Groups", `{"displayName":"Staff"}`)
		for _, tc := range []struct{ method, path, body string }{
			{"PUT", "/Users/" + id, `{"userName":"x@example.com"}`},
			{"PATCH", "/Users/" + id, patchBody(`{"op":"replace","path":"title","value":"x"}`)},
			{"DELETE", "/Users/" + id, ""},
			{"PUT", "/Groups/" + g, `{"displayName":"x"}`},
			{"PATCH", "/Groups/" + g, patchBody(`{"op":"add","path":"members","value":[{"value":"` + id + `"}]}`)},
			{"DELETE", "/Groups/" + g, ""},
		} {
			// A list that is malformed, or only looks like the version, lets nothing through.
			for _, tag := range []string{`W/"7"`, `"abc"`, `W/"0", W/"2"`, `*, W/"9"`, `W/"9", *`, `"a,1,b"`, `W/"01"`, `"+1"`, `"9"1`, `W/"`, ``, `,`} {
				checkError(t, tc.method+" "+tc.path+" "+tag, c.do(tc.method, tc.path, tc.body, "If-Match", tag), http.StatusPreconditionFailed, "", "If-Match")
			}
		}
		if r := c.must(http.StatusOK, "GET", "/Users/"+id, ""); r.header.Get("ETag") != `W/"1"` {
			t.Errorf("something was written: %s", r.raw)
		}
		c.must(http.StatusOK, "PATCH", "/Users/"+id, patchBody(`{"op":"replace","path":"title","value":"x"}`), "If-Match", `W/"1"`)
		c.must(http.StatusOK, "PATCH", "/Users/"+id, patchBody(`{"op":"replace","path":"title","value":"y"}`), "If-Match", `*`)
		c.must(http.StatusOK, "PATCH", "/Users/"+id, patchBody(`{"op":"replace","path":"title","value":"z"}`), "If-Match", `"a,9" , W/"3",`)
		c.must(http.StatusNoContent, "DELETE", "/Users/"+id, "", "If-Match", `W/"4"`)
	})
}

func TestRFC7644_3_4_2_4_Paging(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		for i := range 5 {
			c.create("/Users", fmt.Sprintf(`{"userName":"u%d@example.com"}`, i))
		}
		for query, want := range map[string]struct {
			start float64
			names string
		}{
			"": {1, "u0 u1 u2 u3 u4"}, "startIndex=2&count=2": {2, "u1 u2"}, "startIndex=5": {5, "u4"}, "startIndex=6": {6, ""},
			"startIndex=-3&count=1": {1, "u0"}, "count=0": {1, ""}, "count=-1": {1, ""}, "count=100000": {1, "u0 u1 u2 u3 u4"},
		} {
			r := c.must(http.StatusOK, "GET", "/Users?"+query, "")
			names := logins(r)
			if r.body["totalResults"] != 5.0 || r.body["startIndex"] != want.start || names != want.names || r.body["itemsPerPage"] != float64(len(r.resources())) {
				t.Errorf("%q: %s", query, r.raw)
			}
		}
		c.refused(http.StatusBadRequest, "invalidValue", "GET", "/Users?startIndex=x", "", "startIndex")
		c.refused(http.StatusBadRequest, "invalidValue", "GET", "/Users?count=1.5", "", "count")
	})
}

func logins(r reply) string {
	var names []string
	for _, u := range r.resources() {
		name, _ := u["userName"].(string)
		if name == "" {
			name, _ = u["displayName"].(string)
		}
		name, _, _ = strings.Cut(name, "@")
		names = append(names, name)
	}
	return strings.Join(names, " ")
}

func TestRFC9865_Cursors(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		for i := range 5 {
			c.create("/Users", fmt.Sprintf(`{"userName":"u%d@example.com"}`, i))
		}
		var names []string
		cursor := ""
		for range 5 {
			r := c.must(http.StatusOK, "GET", "/Users?count=2&cursor="+cursor, "")
			names = append(names, logins(r))
			if r.body["startIndex"] != nil || r.body["totalResults"] != 5.0 {
				t.Errorf("page %s", r.raw)
			}
			if cursor, _ = r.body["nextCursor"].(string); cursor == "" {
				break
			}
		}
		if diff := cmp.Diff([]string{"u0 u1", "u2 u3", "u4"}, names); diff != "" {
			t.Errorf("pages:\n%s", diff)
		}
		c.refused(http.StatusBadRequest, "invalidCursor", "GET", "/Users?cursor=abc", "")
		r := c.must(http.StatusOK, "POST", "/Users/.search", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"cursor":"","count":4}`)
		next, _ := r.body["nextCursor"].(string)
		c.refused(http.StatusBadRequest, "invalidCursor", "GET", "/Users?count=4&filter="+url.QueryEscape(`userName sw "u"`)+"&cursor="+next, "")
		if r := c.must(http.StatusOK, "GET", "/Users?count=4&cursor="+next, ""); logins(r) != "u4" {
			t.Errorf("a cursor of .search in a GET: %s", r.raw)
		}
	})
}

func TestRFC7644_3_4_3_Search(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		c.create("/Users", `{"userName":"ana@example.com","displayName":"Ana"}`)
		c.create("/Users", `{"userName":"bob@example.com","displayName":"Bob"}`)
		c.create("/Groups", `{"displayName":"Ana's"}`)
		search := func(path, body string) reply {
			t.Helper()
			return c.must(http.StatusOK, "POST", path, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],`+body+`}`)
		}
		if r := search("/Users/.search", `"filter":"displayName sw \"a\"","attributes":["displayName"]`); logins(r) != "Ana" || at(r.body, "Resources", 0, "userName") != nil {
			t.Errorf("users: %s", r.raw)
		}
		if r := search("/Groups/.search", `"filter":"displayName sw \"ana\""`); logins(r) != "Ana's" {
			t.Errorf("groups: %s", r.raw)
		}
		if r := search("/.search", `"filter":"displayName sw \"ana\""`); logins(r) != "ana Ana's" || r.body["totalResults"] != 2.0 {
			t.Errorf("all: %s", r.raw)
		}
		if r := search("/.search", `"filter":"userName pr"`); logins(r) != "ana bob" {
			t.Errorf("all, of an attribute that only users have: %s", r.raw)
		}
		if r := search("/.search", `"startIndex":3,"count":2`); logins(r) != "ana bob" || r.body["totalResults"] != 5.0 {
			t.Errorf("all, across the border: %s", r.raw)
		}
		c.refused(http.StatusBadRequest, "invalidFilter", "POST", "/.search", `{"filter":"nosuch eq \"x\""}`, "nosuch")
		c.refused(http.StatusBadRequest, "invalidSyntax", "POST", "/Users/.search", `{"filter":`)
		c.refused(http.StatusBadRequest, "invalidValue", "POST", "/Users/.search", `{"count":"two"}`, "count")
	})
}

func TestRFC7644_3_9_Projections(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		r := c.must(http.StatusCreated, "POST", "/Users?attributes=userName", fullUser)
		id, _ := r.body["id"].(string)
		only := func(name string, r reply, want ...string) {
			t.Helper()
			var keys []string
			for k := range r.body {
				keys = append(keys, k)
			}
			slices.Sort(keys)
			slices.Sort(want)
			if diff := cmp.Diff(want, keys); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
		only("POST", r, "id", "schemas", "userName")
		only("GET", c.must(http.StatusOK, "GET", "/Users/"+id+"?attributes=title,name.familyName", ""), "id", "schemas", "title", "name")
		only("PUT", c.must(http.StatusOK, "PUT", "/Users/"+id+"?attributes=userName", fullUser), "id", "schemas", "userName")
		only("PATCH", c.must(http.StatusOK, "PATCH", "/Users/"+id+"?attributes=title", patchBody(`{"op":"replace","path":"title","value":"x"}`)), "id", "schemas", "title")
		r = c.must(http.StatusOK, "GET", "/Users?attributes=emails.value&count=1", "")
		if diff := cmp.Diff([]any{map[string]any{"value": "bjensen@example.com"}, map[string]any{"value": "babs@jensen.example"}}, at(r.body, "Resources", 0, "emails")); diff != "" {
			t.Errorf("list:\n%s", diff)
		}
		r = c.must(http.StatusOK, "GET", "/Users/"+id+"?excludedAttributes=emails,name,id", "")
		if r.body["emails"] != nil || r.body["name"] != nil || r.body["id"] != id || r.body["title"] == nil {
			t.Errorf("excludedAttributes: %s", r.raw)
		}
		if r = c.must(http.StatusOK, "GET", "/Users/"+id+"?attributes=password", ""); r.body["password"] != nil {
			t.Errorf("attributes=password: %s", r.raw)
		}
	})
}

func TestMethods(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		id := c.create("/Users", fullUser)
		get, head := c.must(http.StatusOK, "GET", "/Users/"+id, ""), c.must(http.StatusOK, "HEAD", "/Users/"+id, "")
		if head.raw != "" || head.header.Get("ETag") != get.header.Get("ETag") || head.header.Get("Content-Length") != get.header.Get("Content-Length") {
			t.Errorf("HEAD: %v, GET: %v", head.header, get.header)
		}
		for path, allow := range map[string]string{
			"/Users": "GET, HEAD, OPTIONS, POST", "/Users/" + id: "DELETE, GET, HEAD, OPTIONS, PATCH, PUT",
			"/Groups": "GET, HEAD, OPTIONS, POST", "/Schemas": "GET, HEAD, OPTIONS", "/.search": "OPTIONS, POST",
		} {
			if r := c.must(http.StatusNoContent, "OPTIONS", path, ""); r.header.Get("Allow") != allow {
				t.Errorf("OPTIONS %s: Allow %q, want %q", path, r.header.Get("Allow"), allow)
			}
			r := c.refused(http.StatusMethodNotAllowed, "", "TRACE", path, "", "TRACE")
			if r.header.Get("Allow") != allow {
				t.Errorf("TRACE %s: Allow %q", path, r.header.Get("Allow"))
			}
		}
		c.refused(http.StatusMethodNotAllowed, "", "PUT", "/Users", `{}`, "PUT")
		c.refused(http.StatusMethodNotAllowed, "", "DELETE", "/ResourceTypes", "")
		c.refused(http.StatusNotFound, "", "GET", "/Nothing", "", "/Nothing")
	})
}

func TestDiscoveryTellsTheTruth(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		anybody := &client{t: t, s: s}
		r := anybody.must(http.StatusOK, "GET", "/ServiceProviderConfig", "")
		want := map[string]any{"patch": true, "etag": true, "changePassword": true, "filter": true, "sort": true, "bulk": true}
		for name, supported := range want {
			if at(r.body, name, "supported") != supported {
				t.Errorf("%s: %v, want %v", name, at(r.body, name), supported)
			}
		}
		if at(r.body, "pagination", "cursor") != true || at(r.body, "filter", "maxResults") != 500.0 || at(r.body, "authenticationSchemes", 0, "type") != "oauthbearertoken" {
			t.Errorf("config %s", r.raw)
		}
		r = c.must(http.StatusOK, "GET", "/ResourceTypes", "")
		if r.body["totalResults"] != 2.0 || at(r.body, "Resources", 0, "endpoint") != "/Users" {
			t.Errorf("resource types %s", r.raw)
		}
		r = c.must(http.StatusOK, "GET", "/Schemas", "")
		for _, schema := range r.resources() {
			one := c.must(http.StatusOK, "GET", "/Schemas/"+schema["id"].(string), "")
			if diff := cmp.Diff(schema, one.body); diff != "" {
				t.Errorf("schema %v differs from the list:\n%s", schema["id"], diff)
			}
		}
		if len(r.resources()) < 3 {
			t.Errorf("schemas %s", r.raw)
		}
		if r := c.must(http.StatusOK, "GET", "/ResourceTypes/User", ""); r.body["name"] != "User" {
			t.Errorf("resource type %s", r.raw)
		}
		c.refused(http.StatusNotFound, "", "GET", "/Schemas/urn:nosuch", "")
		c.refused(http.StatusNotFound, "", "GET", "/ResourceTypes/Nosuch", "")
		c.refused(http.StatusForbidden, "", "GET", "/Schemas?filter=id+pr", "")
	})
}

func TestADV51_Tokens(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		id := c.create("/Users", fullUser)
		reader, manager := s.client("", httpapi.ScopeSCIMRead), s.client("", httpapi.ScopeManage, httpapi.ScopeManageRead)
		nobody, forger := &client{t: t, s: s}, &client{t: t, s: s, token: c.token[:len(c.token)-1] + "!"}
		if err := s.tokens.Revoke(t.Context(), events.System, manager.id); err != nil {
			t.Fatal(err)
		}
		revoked := manager
		manager = s.client("", httpapi.ScopeManage, httpapi.ScopeManageRead)
		requests := []struct{ method, path, body string }{
			{"GET", "/Users", ""}, {"GET", "/Users/" + id, ""}, {"POST", "/Users", fullUser}, {"PUT", "/Users/" + id, fullUser},
			{"PATCH", "/Users/" + id, patchBody(`{"op":"remove","path":"title"}`)}, {"DELETE", "/Users/" + id, ""},
			{"GET", "/Groups", ""}, {"POST", "/Users/.search", `{}`}, {"GET", "/Schemas", ""}, {"POST", "/Bulk", `{}`}, {"GET", "/Nothing", ""},
		}
		for _, req := range requests {
			for name, who := range map[string]*client{"nobody": nobody, "forged": forger, "revoked": revoked} {
				r := who.do(req.method, req.path, req.body)
				checkError(t, name+" "+req.method+" "+req.path, r, http.StatusUnauthorized, "")
				if !strings.HasPrefix(r.header.Get("WWW-Authenticate"), "Bearer ") {
					t.Errorf("%s %s: WWW-Authenticate %q", req.method, req.path, r.header.Get("WWW-Authenticate"))
				}
			}
			checkError(t, "manage only "+req.method+" "+req.path, manager.do(req.method, req.path, req.body), http.StatusForbidden, "", "scim")
			if req.method != "GET" && req.path != "/Users/.search" {
				checkError(t, "read-only "+req.method+" "+req.path, reader.do(req.method, req.path, req.body), http.StatusForbidden, "", "scim")
			}
		}
		reader.must(http.StatusOK, "GET", "/Users/"+id, "")
		reader.must(http.StatusOK, "POST", "/Users/.search", `{}`)
	})
}
