package scim_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/provost-id/provost/internal/httpapi"
)

// TestQuery_NeverDropsAFilter: a query that cannot be read is an error. To leave the
// filter out would answer with everybody, whom a client then takes for its match.
func TestQuery_NeverDropsAFilter(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		c.create("/Users", `{"userName":"a;b@example.com","displayName":"a;b"}`)
		c.create("/Users", `{"userName":"c@example.com","displayName":"c"}`)
		g := c.create("/Groups", `{"displayName":"Staff"}`)
		for _, path := range []string{
			"/Users?filter=%", "/Users?filter=displayName+co+%22100%%22", "/Users?filter=%zz", "/Users?count=1&%", "/Groups?filter=%2",
			"/Users?cursor=&filter=%", "/?filter=%", "/Groups/" + g + "?excludedAttributes=%", "/Schemas?filter=%",
		} {
			c.refused(http.StatusBadRequest, "invalidValue", "GET", path, "", "query")
		}
		c.refused(http.StatusBadRequest, "invalidValue", "POST", "/Users?attributes=%", `{"userName":"d@example.com"}`, "query")
		c.refused(http.StatusBadRequest, "invalidValue", "PATCH", "/Groups/"+g+"?attributes=%", patchBody(`{"op":"replace","path":"displayName","value":"x"}`), "query")
		// RFC 3986, section 3.4: a semicolon may stand in a query as it is.
		r := c.must(http.StatusOK, "GET", "/Users?filter=displayName+eq+%22a;b%22", "")
		if got := logins(r); got != "a;b" {
			t.Errorf("a semicolon in a filter: %s", r.raw)
		}
		c.must(http.StatusOK, "GET", "/Users?count=1&", "") // OneLogin ends its queries so
	})
}

// TestRFC7644_3_4_3_SearchBody: the body of a search is read as strictly as any other.
func TestRFC7644_3_4_3_SearchBody(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		c.create("/Users", `{"userName":"a@example.com"}`)
		for _, path := range []string{"/Users/.search", "/.search"} {
			for body, want := range map[string][2]string{
				`{"filter":"userName eq \"x\"","filter":"userName pr"}`: {"invalidSyntax", "twice"},
				`{"filter":"userName eq \"x\"","FILTER":"userName pr"}`: {"invalidSyntax", "twice"},
				"{\"filter\":\"userName eq \\\"\xff\\\"\"}":             {"invalidSyntax", "UTF-8"},
				`{"filter":"userName eq \"\ud800\""}`:                   {"invalidSyntax", "surrogate"},
				`{"filter":"userName pr"} x`:                            {"invalidSyntax", "after"},
				`[]`:                                                    {"invalidSyntax", "array"},
				`null`:                                                  {"invalidSyntax", "null"},
				`"x"`:                                                   {"invalidSyntax", "string"},
				``:                                                      {"invalidSyntax", "end"},
				`{"count":"x"}`:                                         {"invalidValue", "count: want integer, got string"},
				`{"count":1e30}`:                                        {"invalidValue", "count: want integer, got number"},
				`{"attributes":5}`:                                      {"invalidValue", "attributes: want array, got number"},
				`{"attributes":[5]}`:                                    {"invalidValue", "attributes: want string, got number"},
				`{"startIndex":""}`:                                     {"invalidValue", "startIndex: want integer, got string"},
				`{"filter":5}`:                                          {"invalidValue", "filter: want string, got number"},
			} {
				c.refused(http.StatusBadRequest, want[0], "POST", path, body, want[1])
			}
			if r := c.must(http.StatusOK, "POST", path, `{"filter":"userName pr"}`); r.body["totalResults"] != 1.0 {
				t.Errorf("%s: %s", path, r.raw)
			}
		}
	})
}

// TestSearchBody_AsInAQuery: a client may write lists and numbers as it would in a query,
// and SCIM-SDK does; one that is held to the RFCs may not.
func TestSearchBody_AsInAQuery(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		c.create("/Users", `{"userName":"a@example.com","displayName":"A","title":"T"}`)
		c.create("/Users", `{"userName":"b@example.com","displayName":"B","title":"T"}`)
		const body = `{"filter":"title eq \"T\"","attributes":"userName,title","excludedAttributes":"","count":"1","startIndex":"2"}`
		r := c.must(http.StatusOK, "POST", "/Users/.search", body)
		if got := r.resources(); len(got) != 1 || got[0]["userName"] != "b@example.com" || got[0]["title"] != "T" || got[0]["displayName"] != nil {
			t.Errorf("%s", r.raw)
		}
		strict := s.client("strict", httpapi.ScopeSCIM)
		strict.refused(http.StatusBadRequest, "invalidValue", "POST", "/Users/.search", `{"attributes":"userName"}`, "attributes: want array, got string")
		strict.refused(http.StatusBadRequest, "invalidValue", "POST", "/Users/.search", `{"count":"1"}`, "count: want integer, got string")
	})
}

// TestRFC7644_3_4_2_1_Root: a query of the root is one over all resource types. Entra
// ID probes the bare URL of the tenant with it.
func TestRFC7644_3_4_2_1_Root(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		c.create("/Users", `{"userName":"a@example.com"}`)
		all := c.must(http.StatusOK, "GET", "", "")
		for _, path := range []string{"/", "?startIndex=1", "/?startIndex=1"} {
			if r := c.must(http.StatusOK, "GET", path, ""); r.raw != all.raw {
				t.Errorf("%q: %s, want %s", path, r.raw, all.raw)
			}
		}
		if all.body["totalResults"] != float64(len(all.resources())) || len(all.resources()) < 3 { // a user, two built-in groups
			t.Errorf("all: %s", all.raw)
		}
		if r := c.must(http.StatusOK, "GET", `?filter=userName+sw+%22a%22&attributes=userName`, ""); logins(r) != "a" {
			t.Errorf("filtered: %s", r.raw)
		}
		c.refused(http.StatusBadRequest, "invalidFilter", "GET", `/?filter=nosuch+pr`, "", "nosuch")
		c.refused(http.StatusMethodNotAllowed, "", "POST", "/", `{"userName":"x"}`, "GET")
		none := s.client("", httpapi.ScopeManage)
		none.refused(http.StatusForbidden, "", "GET", "/", "")
	})
}

// TestPath_IsNeverRedirected: net/http would answer these with a page in HTML. A slash too
// many comes from a base URL that ends in one.
func TestPath_IsNeverRedirected(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		id := c.create("//Users", `{"userName":"a@example.com"}`)
		for _, path := range []string{"//Users/" + id, "/Users//" + id, "///Users///" + id + "/"} {
			c.must(http.StatusOK, "GET", path, "")
			s.client("strict", httpapi.ScopeSCIM).refused(http.StatusNotFound, "", "GET", path, "")
		}
		for _, path := range []string{"/Users/..", "/Users/../Groups", "/./Users", "/Users/.", "/Users/%2e%2e/Groups", "/../../api/v1/users"} {
			c.refused(http.StatusNotFound, "", "GET", path, "", "dots")
		}
	})
}

// TestPath_TrailingSlash: one slash at the end is forgiven everywhere, an escaped one
// is a part of the id.
func TestPath_TrailingSlash(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		id := c.create("/Users/", `{"userName":"a@example.com"}`)
		for _, path := range []string{
			"/Users", "/Groups", "/Users/" + id, "/Schemas", "/ResourceTypes", "/ResourceTypes/User", "/ServiceProviderConfig",
			"/Schemas/urn:ietf:params:scim:schemas:core:2.0:User",
		} {
			want := c.must(http.StatusOK, "GET", path, "")
			if got := c.must(http.StatusOK, "GET", path+"/", ""); got.raw != want.raw {
				t.Errorf("%s/: %s", path, got.raw)
			}
		}
		c.must(http.StatusOK, "PATCH", "/Users/"+id+"/", patchBody(`{"op":"replace","path":"title","value":"x"}`))
		for _, path := range []string{"/Users/%2f", "/Users/%2F%2f", "/Users/" + id + "%2f", "/Users/a%2fb", "/Users/" + id + "/x", "/Users/%2e%2e", "/Nope/",
			"/Users/%00", "/Users/" + id + "%00", "/Users/%ff", "/Groups/%00", "/Schemas/%ff"} {
			c.refused(http.StatusNotFound, "", "GET", path, "", "")
		}
		c.must(http.StatusNoContent, "DELETE", "/Users/"+id+"/", "")
	})
}

// TestRFC9110_13_1_2_IfNoneMatchOnWrites: a condition is never passed over. What is
// there does not meet "none", so nothing is written.
func TestRFC9110_13_1_2_IfNoneMatchOnWrites(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		user, group := c.create("/Users", fullUser), c.create("/Groups", `{"displayName":"Staff"}`)
		for _, tc := range []struct{ method, path, body string }{
			{"PUT", "/Users/" + user, `{"userName":"x@example.com"}`},
			{"PATCH", "/Users/" + user, patchBody(`{"op":"replace","path":"title","value":"x"}`)},
			{"DELETE", "/Users/" + user, ""},
			{"PUT", "/Groups/" + group, `{"displayName":"x"}`},
			{"PATCH", "/Groups/" + group, patchBody(`{"op":"replace","path":"displayName","value":"x"}`)},
			{"DELETE", "/Groups/" + group, ""},
		} {
			for _, tag := range []string{"*", `W/"1"`, `"9", "1"`} {
				what := fmt.Sprintf("%s %s If-None-Match %s", tc.method, tc.path, tag)
				checkError(t, what, c.do(tc.method, tc.path, tc.body, "If-None-Match", tag), http.StatusPreconditionFailed, "", "If-None-Match")
			}
		}
		if r := c.must(http.StatusOK, "GET", "/Users/"+user, ""); r.header.Get("ETag") != `W/"1"` {
			t.Errorf("something was written: %s", r.raw)
		}
		checkError(t, "no resource", c.do("PUT", "/Users/nosuch", `{"userName":"x@example.com"}`, "If-None-Match", "*"), http.StatusNotFound, "")
		c.must(http.StatusOK, "PATCH", "/Users/"+user, patchBody(`{"op":"replace","path":"title","value":"x"}`), "If-None-Match", `W/"7"`)
	})
}
