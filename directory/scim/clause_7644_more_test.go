package scim_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/httpapi"
)

// TestRFC7644_3_4_2_ListResponse: whatever is a list says so, and how long it is.
func TestRFC7644_3_4_2_ListResponse(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		c.create("/Users", `{"userName":"a@example.com"}`)
		lists := map[string]reply{}
		for _, path := range []string{
			"/Users", "/Groups", "/", "/Users?cursor=", "/Users?filter=" + url.QueryEscape(`userName eq "nobody"`), "/Users?count=0", "/Schemas", "/ResourceTypes",
		} {
			lists["GET "+path] = c.must(http.StatusOK, "GET", path, "")
		}
		for _, path := range []string{"/.search", "/Users/.search"} {
			lists["POST "+path] = c.must(http.StatusOK, "POST", path, searchBody("userName pr"))
		}
		for name, r := range lists {
			if diff := cmp.Diff([]any{"urn:ietf:params:scim:api:messages:2.0:ListResponse"}, r.body["schemas"]); diff != "" {
				t.Errorf("%s: schemas (-want +got):\n%s", name, diff)
			}
			_, counted := r.body["totalResults"].(float64)
			_, listed := r.body["Resources"].([]any)
			if !counted || !listed || r.body["itemsPerPage"] != float64(len(r.resources())) {
				t.Errorf("%s: %s", name, clip(r.raw))
			}
		}
	})
}

// TestRFC7644_3_4_2_UnknownParameters: a parameter that nobody knows is ignored.
func TestRFC7644_3_4_2_UnknownParameters(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		const unknown = "nosuch=1&api-version=2%25&nosuch"
		id := c.must(http.StatusCreated, "POST", "/Users?"+unknown, `{"userName":"a@example.com"}`).body["id"].(string)
		for _, path := range []string{"/Users", "/Users/" + id, "/", "/Schemas", "/ServiceProviderConfig"} {
			want := c.must(http.StatusOK, "GET", path, "")
			if got := c.must(http.StatusOK, "GET", path+"?"+unknown, ""); got.raw != want.raw {
				t.Errorf("%s: a parameter was heeded: %s", path, clip(got.raw))
			}
		}
		c.must(http.StatusNoContent, "DELETE", "/Users/"+id+"?"+unknown, "")
	})
}

// TestRFC7644_3_13_Versions: without a version the request means ours; with another it
// is refused, and does nothing.
func TestRFC7644_3_13_Versions(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		above := &service{t: t, url: strings.TrimSuffix(s.url, "/v2")}
		bare, strict := &client{t: t, s: above, token: c.token}, &client{t: t, s: above, token: s.client("strict", httpapi.ScopeSCIM).token}
		id := c.create("/Users", `{"userName":"a@example.com"}`)
		want := c.must(http.StatusOK, "GET", "/Users/"+id, "").raw
		for _, path := range []string{"/Users/" + id, "/v2/Users/" + id} {
			if r := bare.must(http.StatusOK, "GET", path, ""); r.raw != want {
				t.Errorf("%s: %s", path, r.raw)
			}
		}
		strict.refused(http.StatusNotFound, "", "GET", "/Users/"+id, "")
		for version, want := range map[string]struct {
			status   int
			scimType string
		}{
			"v1": {http.StatusBadRequest, "invalidVers"}, "v3": {http.StatusBadRequest, "invalidVers"}, "v2.1": {http.StatusBadRequest, "invalidVers"},
			"V2": {http.StatusNotFound, ""},
		} {
			for _, who := range []*client{bare, strict} {
				for _, q := range []struct{ method, path, body string }{
					{"GET", "/Users", ""}, {"GET", "/Users/" + id, ""}, {"POST", "/Users", `{"userName":"b@example.com"}`},
					{"PATCH", "/Users/" + id, patchBody(`{"op":"add","path":"title","value":"x"}`)}, {"DELETE", "/Users/" + id, ""},
				} {
					who.refused(want.status, want.scimType, q.method, "/"+version+q.path, q.body, version)
				}
			}
		}
		if r := c.must(http.StatusOK, "GET", "/Users", ""); r.body["totalResults"] != 1.0 || at(r.body, "Resources", 0, "meta", "version") != `W/"1"` {
			t.Errorf("another version did something: %s", r.raw)
		}
	})
}

// TestRFC7644_4_ServiceProviderConfig: the document names its schema, and has all that it
// must have.
func TestRFC7644_4_ServiceProviderConfig(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		r := c.must(http.StatusOK, "GET", "/ServiceProviderConfig", "")
		if diff := cmp.Diff([]any{"urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"}, r.body["schemas"]); diff != "" {
			t.Errorf("schemas (-want +got):\n%s", diff)
		}
		for _, name := range []string{"patch", "bulk", "filter", "changePassword", "sort", "etag"} {
			if _, told := at(r.body, name, "supported").(bool); !told {
				t.Errorf("%s: %v", name, r.body[name])
			}
		}
		for _, path := range [][]any{{"bulk", "maxOperations"}, {"bulk", "maxPayloadSize"}, {"filter", "maxResults"}} {
			if n, _ := at(r.body, path...).(float64); n < 1 {
				t.Errorf("%v: %v", path, at(r.body, path...))
			}
		}
		for _, name := range []string{"type", "name", "description"} {
			if v, _ := at(r.body, "authenticationSchemes", 0, name).(string); v == "" {
				t.Errorf("authenticationSchemes: no %s", name)
			}
		}
		if at(r.body, "meta", "location") != publicURL+"/scim/v2/ServiceProviderConfig" {
			t.Errorf("meta: %v", r.body["meta"])
		}
	})
}

// TestRFC9865_4_Configuration: what is told of pages.
func TestRFC9865_4_Configuration(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		want := map[string]any{
			"cursor": true, "index": true, "defaultPaginationMethod": "index", "defaultPageSize": 100.0, "maxPageSize": 500.0,
			"cursorTimeout": directory.CursorTime.Seconds(),
		}
		if diff := cmp.Diff(want, c.must(http.StatusOK, "GET", "/ServiceProviderConfig", "").body["pagination"]); diff != "" {
			t.Errorf("pagination (-want +got):\n%s", diff)
		}
	})
}

// TestRFC9865_2_1_ExpiredCursor: a cursor lives as long as the configuration says, and says
// then that it has expired.
func TestRFC9865_2_1_ExpiredCursor(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		var ahead atomic.Int64
		now := s.dir.Now
		s.dir.Now = func() time.Time { return now().Add(time.Duration(ahead.Load())) }
		for _, name := range []string{"a", "b", "c"} {
			c.create("/Users", `{"userName":"`+name+`@example.com"}`)
		}
		told, _ := at(c.must(http.StatusOK, "GET", "/ServiceProviderConfig", "").body, "pagination", "cursorTimeout").(float64)
		lifetime := time.Duration(told) * time.Second
		next, _ := c.must(http.StatusOK, "GET", "/Users?count=1&cursor=", "").body["nextCursor"].(string)
		ahead.Store(int64(lifetime - time.Minute))
		if r := c.must(http.StatusOK, "GET", "/Users?count=1&cursor="+next, ""); logins(r) != "b" {
			t.Errorf("before its end: %s", r.raw)
		}
		ahead.Store(int64(lifetime + time.Minute))
		c.refused(http.StatusBadRequest, "expiredCursor", "GET", "/Users?count=1&cursor="+next, "")
		c.refused(http.StatusBadRequest, "expiredCursor", "POST", "/Users/.search", `{"count":1,"cursor":"`+next+`"}`)
	})
}

// TestRFC9865_5_CursorGivesNoRight: who has a cursor has no more rights by it: it is refused to
// another client, and to its own once that may read no more.
func TestRFC9865_5_CursorGivesNoRight(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		for _, name := range []string{"a", "b", "c"} {
			c.create("/Users", `{"userName":"`+name+`@example.com"}`)
		}
		path := "/Users?count=1&cursor="
		next, _ := c.must(http.StatusOK, "GET", path, "").body["nextCursor"].(string)
		nobody, other := &client{t: t, s: s}, s.client("", httpapi.ScopeSCIMRead)
		nobody.refused(http.StatusUnauthorized, "", "GET", path+next, "")
		s.client("", httpapi.ScopeManage).refused(http.StatusForbidden, "", "GET", path+next, "", "scope")
		// What was a cursor of somebody else and what never was one are answered alike.
		theirs, none := other.refused(http.StatusBadRequest, "invalidCursor", "GET", path+next, ""), other.refused(http.StatusBadRequest, "invalidCursor", "GET", path+"AAAA", "")
		if theirs.raw != none.raw {
			t.Errorf("a cursor of somebody else: %s, one of nobody: %s", theirs.raw, none.raw)
		}
		c.must(http.StatusOK, "GET", path+next, "")
	})
}

// TestRFC7644_3_4_2_1_AbsentAttributes: in a query of the root an attribute that a type
// lacks is one without a value, and the rest of the filter still holds.
func TestRFC7644_3_4_2_1_AbsentAttributes(t *testing.T) {
	eachDevice(t, func(t *testing.T, s *service, c *client) {
		c.create("/Users", `{"userName":"ana@example.com"}`)
		c.create("/Groups", `{"displayName":"Staff"}`)
		c.create("/Devices", `{"serial":"S1"}`)
		for filter, want := range map[string]string{
			`userName eq "ana@example.com" or serial eq "S1"`:                 "ana Device:S1",
			`userName sw "a" or displayName eq "Staff"`:                       "ana Staff",
			`not (userName pr) and serial pr`:                                 "Device:S1",
			`meta.resourceType eq "Device" and not (userName eq "x")`:         "Device:S1",
			`displayName eq "Staff" and emails eq null`:                       "Staff",
			`displayName eq "Staff" and not (emails[type eq "work"])`:         "Staff",
			`serial pr or ` + enterpriseUser + `:department pr`:               "Device:S1",
			`userName pr and serial pr`:                                       "",
			`(userName pr or serial pr) and meta.resourceType eq "Device"`:    "Device:S1",
			`displayName eq "Staff" and (serial eq "S2" or not (serial pr))`:  "Staff",
			`displayName eq "Staff" and not (serial eq "S1" and slots gt 17)`: "Staff",
		} {
			if got := c.names("filter="+url.QueryEscape(filter), "cursor", 100); got != want {
				t.Errorf("%s finds %q, want %q", filter, got, want)
			}
		}
		for _, filter := range []string{`userName pr or nosuch pr`, `serial pr and not (userName.nosuch pr)`} { // no type has it
			c.refused(http.StatusBadRequest, "invalidFilter", "GET", "/?filter="+url.QueryEscape(filter), "", "nosuch")
		}
		for _, filter := range []string{ // what no type can evaluate is as wrong here as at the endpoint
			`active gt true`, `userName eq 5`, `not (active gt true)`, `displayName pr or emails[nosuch pr]`, `userName pr or active gt true`,
			`members[nosuch pr] or id pr`, `name eq "x"`, `userName[value eq "x"]`, `password eq "x"`, `serial pr or`, `serial`, `slots eq "x"`,
		} {
			c.refused(http.StatusBadRequest, "invalidFilter", "GET", "/?filter="+url.QueryEscape(filter), "")
		}
	})
}

// TestRFC7644_3_13_RootWithoutVersion: the root is found without a version as all else is.
func TestRFC7644_3_13_RootWithoutVersion(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		bare := &client{t: t, s: &service{t: t, url: strings.TrimSuffix(s.url, "/v2")}, token: c.token}
		want := c.must(http.StatusOK, "GET", "/", "").raw
		for _, path := range []string{"", "/"} {
			if r := bare.do("GET", path, ""); r.status != http.StatusOK || r.raw != want {
				t.Errorf("%q: %d %s", path, r.status, r.raw)
			}
		}
	})
}
