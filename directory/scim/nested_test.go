package scim_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func ref(typ, id string) map[string]any {
	return map[string]any{"value": id, "$ref": publicURL + "/scim/v2/" + typ + "s/" + id, "type": typ}
}

// RFC 7643, sections 4.1.2 and 4.2: groups are members of groups, and a user shows the
// groups that it is in directly and indirectly.
func TestRFC7643_4_1_2_NestedGroups(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		ana := c.create("/Users", `{"userName":"ana@example.com"}`)
		web := c.create("/Groups", `{"displayName":"Web","members":[{"value":"`+ana+`"}]}`)
		eng := c.create("/Groups", `{"displayName":"Eng","members":[{"value":"`+web+`","type":"Group"},{"value":"`+ana+`","type":"User"}]}`)
		all := c.create("/Groups", `{"displayName":"All"}`)
		c.must(http.StatusNoContent, "PATCH", "/Groups/"+all, patchBody(`{"op":"add","path":"members","value":[{"$ref":"`+publicURL+`/scim/v2/Groups/`+eng+`"}]}`))
		if diff := cmp.Diff([]any{ref("Group", web), ref("User", ana)}, c.must(http.StatusOK, "GET", "/Groups/"+eng, "").body["members"]); diff != "" {
			t.Errorf("members (-want +got):\n%s", diff)
		}
		group := func(id, name, typ string) map[string]any {
			return map[string]any{"value": id, "$ref": publicURL + "/scim/v2/Groups/" + id, "display": name, "type": typ}
		}
		want := []any{group(web, "Web", "direct"), group(eng, "Eng", "direct"), group(all, "All", "indirect")}
		for _, path := range []string{"/Users/" + ana, "/Users?filter=groups.type+eq+%22indirect%22"} {
			body := c.must(http.StatusOK, "GET", path, "").body
			if all, ok := body["Resources"].([]any); ok && len(all) == 1 {
				body = all[0].(map[string]any)
			}
			if diff := cmp.Diff(want, body["groups"]); diff != "" {
				t.Errorf("%s: groups (-want +got):\n%s", path, diff)
			}
		}
		add := func(id string) string {
			return patchBody(`{"op":"add","path":"members","value":[{"value":"` + id + `"}]}`)
		}
		c.refused(http.StatusBadRequest, "invalidValue", "PUT", "/Groups/"+web, `{"displayName":"Web","members":[{"value":"`+ana+`"},{"value":"`+all+`"}]}`,
			"cycle: "+web+" contains "+all+" contains "+eng+" contains "+web)
		c.refused(http.StatusBadRequest, "invalidValue", "PATCH", "/Groups/"+web, add("00gnobody"), `"00gnobody" is not the id of a user or a group`)
		c.refused(http.StatusForbidden, "", "PATCH", "/Groups/"+s.dir.AdministratorsID(), add(web), "uilt-in")
		c.refused(http.StatusBadRequest, "invalidValue", "PATCH", "/Groups/"+web, add(s.dir.AdministratorsID()), "built in")
		c.must(http.StatusNoContent, "PATCH", "/Groups/"+eng, patchBody(`{"op":"remove","path":"members[type eq \"Group\"]"}`))
		if diff := cmp.Diff([]any{ref("User", ana)}, c.must(http.StatusOK, "GET", "/Groups/"+eng, "").body["members"]); diff != "" {
			t.Errorf("members after the groups have gone (-want +got):\n%s", diff)
		}
	})
}

// A 304 tells the truth about the groups of a user, whatever happens to them, though no
// change of a group writes to the people in it.
func TestRFC7644_3_14_GroupsOfUserBehindTheVersion(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		ana := c.create("/Users", `{"userName":"ana@example.com"}`)
		web := c.create("/Groups", `{"displayName":"Web","members":[{"value":"`+ana+`"}]}`)
		eng := c.create("/Groups", `{"displayName":"Eng"}`)
		all := c.create("/Groups", `{"displayName":"All"}`)
		n := 0
		freshen := func() (etag string) {
			t.Helper()
			n++
			time.Sleep(2 * time.Millisecond) // the clock of changes has milliseconds
			c.must(http.StatusOK, "PATCH", "/Users/"+ana, patchBody(fmt.Sprintf(`{"op":"add","path":"title","value":"%d"}`, n)))
			time.Sleep(2 * time.Millisecond)
			etag = c.must(http.StatusOK, "GET", "/Users/"+ana, "").header.Get("ETag")
			c.must(http.StatusNotModified, "GET", "/Users/"+ana, "", "If-None-Match", etag)
			return etag
		}
		for _, change := range []struct{ what, method, path, body string }{
			{"put into a group", "PATCH", eng, patchBody(`{"op":"add","path":"members","value":[{"value":"` + web + `"}]}`)},
			{"put into another group above", "PATCH", all, patchBody(`{"op":"add","path":"members","value":[{"value":"` + eng + `"}]}`)},
			{"renamed", "PATCH", web, patchBody(`{"op":"replace","path":"displayName","value":"Web 2"}`)},
			{"renamed above", "PUT", all, `{"displayName":"All 2","members":[{"value":"` + eng + `"}]}`},
			{"taken out above", "PATCH", all, patchBody(`{"op":"remove","path":"members"}`)},
			{"put in again", "PATCH", all, patchBody(`{"op":"add","path":"members","value":[{"value":"` + eng + `"}]}`)},
			{"deleted above", "DELETE", all, ""},
			{"deleted between", "DELETE", eng, ""},
			{"deleted", "DELETE", web, ""},
		} {
			etag := freshen()
			r := c.do(change.method, "/Groups/"+change.path, change.body)
			if r.status >= 300 {
				t.Fatalf("%s: %d %s", change.what, r.status, r.raw)
			}
			if r := c.do("GET", "/Users/"+ana, "", "If-None-Match", etag); r.status != http.StatusOK {
				t.Errorf("%s: %d, want 200: the groups are others", change.what, r.status)
			}
			c.must(http.StatusNotModified, "GET", "/Users/"+ana+"?excludedAttributes=groups", "", "If-None-Match", etag)
			c.must(http.StatusOK, "PUT", "/Users/"+ana, `{"userName":"ana@example.com"}`, "If-Match", etag)
		}
	})
}
