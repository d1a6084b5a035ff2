package scim_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/provost-id/provost/schemas"
)

// search asks by GET and by POST of .search, which must answer alike, and returns the
// answer.
func (c *client) search(path, query, body string) reply {
	c.t.Helper()
	got := c.must(http.StatusOK, "GET", path+"?"+query, "")
	if r := c.must(http.StatusOK, "POST", path+"/.search", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],`+body+`}`); r.raw != got.raw {
		c.t.Errorf("%s %s: .search answers %s, GET %s", path, query, r.raw, got.raw)
	}
	return got
}

// TestRFC7644_3_4_2_3_Sort: by GET and .search, of a type and of all.
func TestRFC7644_3_4_2_3_Sort(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		for _, u := range []string{
			`{"userName":"c@example.com","displayName":"ann","title":"b","emails":[{"value":"z@x.example"},{"value":"A@x.example","primary":true}]}`,
			`{"userName":"A@example.com","displayName":"Ben","emails":[{"value":"m@x.example"},{"value":"a@x.example"}]}`,
			`{"userName":"b@example.com","title":"A","name":{"familyName":"z"},"active":false}`,
		} {
			c.create("/Users", u)
		}
		for query, want := range map[[2]string]string{
			{"sortBy=userName", `"sortBy":"userName"`}:                                                             "A b c",
			{"sortBy=userName&sortOrder=descending", `"sortBy":"userName","sortOrder":"descending"`}:               "c b A",
			{"sortBy=USERNAME&sortOrder=Ascending", `"sortBy":"USERNAME","sortOrder":"Ascending"`}:                 "A b c",
			{"sortBy=title", `"sortBy":"title"`}:                                                                   "b c A",
			{"sortBy=title&sortOrder=descending", `"sortBy":"title","sortOrder":"descending"`}:                     "A c b",
			{"sortBy=emails", `"sortBy":"emails"`}:                                                                 "c A b",
			{"sortBy=emails.value&sortOrder=descending", `"sortBy":"emails.value","sortOrder":"descending"`}:       "b A c",
			{"sortBy=active", `"sortBy":"active"`}:                                                                 "b c A",
			{"sortBy=meta.created&sortOrder=descending", `"sortBy":"meta.created","sortOrder":"descending"`}:       "b A c",
			{"sortBy=name.familyName&startIndex=2&count=1", `"sortBy":"name.familyName","startIndex":2,"count":1`}: "c",
			{"sortBy=title&filter=title+pr", `"sortBy":"title","filter":"title pr"`}:                               "b c",
			{"sortBy=&count=1", `"sortBy":"","count":1`}:                                                           "c",
		} {
			if r := c.search("/Users", query[0], query[1]); logins(r) != want {
				t.Errorf("%s: %s, want %s", query[0], logins(r), want)
			}
		}
		if r := c.search("", "sortBy=displayName", `"sortBy":"displayName"`); logins(r) != "Administrators c A Everyone b" || r.body["totalResults"] != 5.0 {
			t.Errorf("all by displayName: %s", logins(r))
		}
		for query, words := range map[string][]string{
			"sortBy=nosuch": {"nosuch", "User"}, "sortBy=name": {"name", "sub-attribute"}, "sortBy=password": {"password", "order"},
			"sortBy=groups": {"groups.value"}, "sortBy=userName&sortOrder=up": {"sortOrder", "up"}, "sortOrder=up": {"sortOrder"},
		} {
			for _, path := range []string{"/Users?", "/?"} {
				c.refused(http.StatusBadRequest, "invalidValue", "GET", path+query, "", words...)
			}
		}
		c.refused(http.StatusBadRequest, "invalidValue", "GET", "/Groups?sortBy=userName", "", "userName", "Group")
		c.refused(http.StatusBadRequest, "invalidValue", "POST", "/Users/.search", `{"sortBy":7}`, "sortBy")
	})
}

// TestRFC9865_2_Cursor: what a cursor request may say and what it gets.
func TestRFC9865_2_Cursor(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		for i := range 5 {
			c.create("/Users", fmt.Sprintf(`{"userName":"u%d@example.com","title":"t%d"}`, i, 5-i))
		}
		for _, path := range []string{"/Users", "/"} {
			for query, want := range map[string]string{
				"filter=userName+sw+%22u%22":                                      "u0 u1|u2 u3|u4",
				"filter=userName+pr&sortBy=title":                                 "u4 u3|u2 u1|u0",
				"filter=userName+pr&sortBy=userName&sortOrder=descending":         "u4 u3|u2 u1|u0",
				"filter=userName+pr&sortBy=nickName&attributes=userName&cursor=x": "",
			} {
				if want == "" {
					c.refused(http.StatusBadRequest, "invalidCursor", "GET", path+"?"+query, "", "cursor")
					continue
				}
				if got := c.cursorWalk(path, query+"&count=2", 5); got != want {
					t.Errorf("%s?%s: %s, want %s", path, query, got, want)
				}
			}
		}
		if got := c.cursorWalk("/", "count=3", 7); got != "Everyone Administrators u0|u1 u2 u3|u4" && got != "Administrators Everyone u0|u1 u2 u3|u4" {
			t.Errorf("all: %s", got)
		}
		// A value of 0 asks for the total alone, and does not say that this was all.
		r := c.must(http.StatusOK, "GET", "/Users?cursor&count=0", "")
		next, _ := r.body["nextCursor"].(string)
		if len(r.resources()) != 0 || r.body["totalResults"] != 5.0 || next == "" || r.body["previousCursor"] != nil {
			t.Errorf("count 0: %s", r.raw)
		}
		if r := c.must(http.StatusOK, "GET", "/Users?count=2&cursor="+next, ""); logins(r) != "u0 u1" {
			t.Errorf("after count 0: %s", r.raw)
		}
		if r := c.must(http.StatusOK, "GET", "/Users?count=-4&cursor=", ""); r.body["itemsPerPage"] != 0.0 {
			t.Errorf("a negative count: %s", r.raw)
		}
		if strings.Trim(next, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~") != "" {
			t.Errorf("cursor %q has characters that are reserved (RFC 3986, section 2.3)", next)
		}
		c.refused(http.StatusBadRequest, "invalidCount", "GET", "/Users?cursor=&count=x", "", "count")
		c.refused(http.StatusBadRequest, "invalidValue", "GET", "/Users?cursor=&startIndex=3", "", "startIndex", "cursor")
		c.must(http.StatusOK, "GET", "/Users?cursor=&startIndex=1", "")
		c.refused(http.StatusBadRequest, "invalidCursor", "GET", "/?count=2&cursor="+next, "", "cursor")
		if r := c.must(http.StatusOK, "GET", "/Users", ""); r.body["nextCursor"] != nil || r.body["startIndex"] != 1.0 {
			t.Errorf("the default is not index paging: %s", r.raw)
		}
	})
}

// cursorWalk returns the logins of all pages.
func (c *client) cursorWalk(path, query string, total int) string {
	c.t.Helper()
	var pages []string
	cursor := ""
	for range 20 {
		r := c.must(http.StatusOK, "GET", path+"?"+query+"&cursor="+url.QueryEscape(cursor), "")
		pages = append(pages, logins(r))
		if r.body["totalResults"] != float64(total) {
			c.t.Errorf("%s?%s: total %v, want %d", path, query, r.body["totalResults"], total)
		}
		if cursor, _ = r.body["nextCursor"].(string); cursor == "" {
			break
		}
	}
	return strings.Join(pages, "|")
}

// TestRFC7644_3_4_2_4_TotalOfAWalk: a client that walks while startIndex is not beyond
// totalResults reaches the end, although what it has seen is deleted behind it.
func TestRFC7644_3_4_2_4_TotalOfAWalk(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		var ids []string
		for i := range 10 {
			ids = append(ids, c.create("/Users", fmt.Sprintf(`{"userName":"u%d@example.com"}`, i)))
		}
		var seen []string
		total := 1.0
		for start := 1; float64(start) <= total; start += 2 {
			r := c.must(http.StatusOK, "GET", fmt.Sprintf("/Users?count=2&startIndex=%d", start), "")
			seen = append(seen, strings.Fields(logins(r))...)
			total = r.body["totalResults"].(float64)
			if start < 7 {
				c.must(http.StatusNoContent, "DELETE", "/Users/"+ids[start-1], "")
				c.must(http.StatusNoContent, "DELETE", "/Users/"+ids[start], "")
			}
		}
		if got := strings.Join(seen, " "); got != "u0 u1 u2 u3 u4 u5 u6 u7 u8 u9" {
			t.Errorf("seen %s", got)
		}
		if r := s.client("", "scim").must(http.StatusOK, "GET", "/Users?count=1", ""); r.body["totalResults"] != 4.0 {
			t.Errorf("total %v, want 4", r.body["totalResults"])
		}
	})
}

// TestRFC7644_3_4_2_1_RootIsOneList: a query of the root sorts, pages and counts over all
// types, also those with attributes of the same name that live elsewhere.
func TestRFC7644_3_4_2_1_RootIsOneList(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		s.serve(deviceType(), schemas.ResourceType{
			Name: "Badge", Endpoint: "/Badges", Description: "What opens doors",
			Core: schemas.Schema{ID: "urn:example:params:scim:schemas:core:2.0:Badge", Name: "Badge", Attributes: []schemas.Attribute{
				{Name: "displayName", Type: schemas.String}, {Name: "active", Type: schemas.Boolean}, {Name: "serial", Type: schemas.String, CaseExact: true},
			}},
		})
		for _, made := range [][2]string{
			{"/Users", `{"userName":"u1@example.com","displayName":"b"}`}, {"/Badges", `{"displayName":"A","active":true,"serial":"2"}`},
			{"/Devices", `{"serial":"3"}`}, {"/Users", `{"userName":"u2@example.com","displayName":"D","active":false}`}, {"/Groups", `{"displayName":"c"}`},
			{"/Badges", `{"displayName":"e","active":false}`}, {"/Devices", `{"serial":"1"}`}, {"/Badges", `{"serial":"1"}`},
		} {
			c.create(made[0], made[1])
		}
		for query, want := range map[string]string{
			"":                   "e, a, u1 Badge:A Device:3 u2 c Badge:e Device:1 Badge:1",
			"sortBy=displayName": "Badge:A Administrators u1 c u2 Badge:e Everyone Device:3 Device:1 Badge:1",
			"sortBy=displayName&sortOrder=descending": "Badge:1 Device:1 Device:3 Everyone Badge:e u2 c u1 Administrators Badge:A",
			"sortBy=serial&filter=userName+pr":        "u1 u2", // who has no value of it keeps the order of creation
			"sortBy=serial&filter=serial+pr":          "Device:1 Badge:1 Badge:A Device:3",
			"sortBy=active&filter=active+pr":          "u2 Badge:e u1 Badge:A",
			"sortBy=active&sortOrder=descending&filter=meta.resourceType+sw+%22B%22+or+meta.resourceType+eq+%22Device%22": "Badge:1 Device:1 Device:3 Badge:A Badge:e",
			"sortBy=meta.resourceType&filter=meta.resourceType+ne+%22Group%22":                                            "Badge:A Badge:e Badge:1 Device:3 Device:1 u1 u2",
			"sortBy=meta.created&sortOrder=descending&filter=serial+pr":                                                   "Badge:1 Device:1 Device:3 Badge:A",
			"sortBy=" + url.QueryEscape(deviceURN+":serial") + "&filter=serial+pr":                                        "Device:1 Device:3 Badge:A Badge:1",
		} {
			if query == "" {
				want = strings.Replace(want, "e, a,", firstGroups(c), 1)
			}
			for _, count := range []int{1, 3, 100} {
				for _, way := range []string{"cursor", "startIndex"} {
					if got := c.names(query, way, count); got != want {
						t.Errorf("%s by %s, %d a page:\n%s, want\n%s", query, way, count, got, want)
					}
				}
			}
		}
		c.refused(http.StatusBadRequest, "invalidValue", "GET", "/?sortBy=ports.display", "", "ports.display")
	})
}

// firstGroups are the built-in groups in the order in which they were made.
func firstGroups(c *client) string {
	return logins(c.must(http.StatusOK, "GET", "/Groups?count=2", ""))
}

// names walks a list over all types and returns what it has seen.
func (c *client) names(query, way string, count int) string {
	c.t.Helper()
	var all []string
	next, value := "", 1
	for {
		path := fmt.Sprintf("/?%s&count=%d&startIndex=%d", query, count, value)
		if way == "cursor" {
			path = fmt.Sprintf("/?%s&count=%d&cursor=%s", query, count, next)
		}
		r := c.must(http.StatusOK, "GET", path, "")
		for _, x := range r.resources() {
			all = append(all, nameOf(x))
		}
		next, _ = r.body["nextCursor"].(string)
		value += len(r.resources())
		if next == "" && (way == "cursor" || float64(value) > r.body["totalResults"].(float64)) {
			if r.body["totalResults"] != float64(len(all)) {
				c.t.Errorf("%s: total %v, seen %d", path, r.body["totalResults"], len(all))
			}
			return strings.Join(all, " ")
		}
	}
}

func nameOf(x map[string]any) string {
	typ, _ := at(x, "meta", "resourceType").(string)
	for _, name := range []string{"userName", "displayName", "serial"} {
		if v, ok := x[name].(string); ok {
			v, _, _ = strings.Cut(v, "@")
			if typ == "User" || typ == "Group" {
				return v
			}
			return typ + ":" + v
		}
	}
	return typ
}
