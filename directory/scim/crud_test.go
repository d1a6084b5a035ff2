package scim_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const fullUser = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
	"userName":"bjensen@example.com","externalId":"701984","name":{"formatted":"Ms. Barbara J Jensen","familyName":"Jensen","givenName":"Barbara"},
	"displayName":"Babs Jensen","emails":[{"value":"bjensen@example.com","type":"work","primary":true},{"value":"babs@jensen.example","type":"home"}],
	"active":true,"title":"Tour Guide","password":"t1meMa$heen",
	"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"701984","department":"Tour Operations","manager":{"value":"26118915"}}}`

func TestRFC7644_3_3_Create(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		r := c.must(http.StatusCreated, "POST", "/Users", fullUser)
		id, _ := r.body["id"].(string)
		location := publicURL + "/scim/v2/Users/" + id
		if r.header.Get("Location") != location || at(r.body, "meta", "location") != location {
			t.Errorf("Location %q, meta.location %v, want %q", r.header.Get("Location"), at(r.body, "meta", "location"), location)
		}
		if r.header.Get("ETag") != `W/"1"` || at(r.body, "meta", "version") != `W/"1"` {
			t.Errorf("ETag %q, meta.version %v", r.header.Get("ETag"), at(r.body, "meta", "version"))
		}
		if at(r.body, "meta", "resourceType") != "User" || r.body["externalId"] != "701984" || r.body["active"] != true {
			t.Errorf("body %s", r.raw)
		}
		if strings.Contains(r.raw, "t1meMa") || r.body["password"] != nil {
			t.Errorf("the password came back: %s", r.raw)
		}
		if diff := cmp.Diff(r.body, c.must(http.StatusOK, "GET", "/Users/"+id, "").body); diff != "" {
			t.Errorf("read differs from create:\n%s", diff)
		}
		u, err := s.dir.CheckPassword(t.Context(), "bjensen@example.com", "t1meMa$heen")
		if err != nil || u.ID != id {
			t.Errorf("the password does not open: %v", err)
		}
	})
}

func TestRFC7644_3_5_1_Replace(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		id := c.create("/Users", fullUser)
		r := c.must(http.StatusOK, "PUT", "/Users/"+id, `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"babs@example.com","id":"ignored","meta":{"version":"x"}}`)
		if r.body["id"] != id || r.body["userName"] != "babs@example.com" || r.body["title"] != nil || r.body["externalId"] != nil {
			t.Errorf("replaced by %s", r.raw)
		}
		if r.header.Get("ETag") != `W/"2"` {
			t.Errorf("ETag %q", r.header.Get("ETag"))
		}
		if diff := cmp.Diff([]any{"urn:ietf:params:scim:schemas:core:2.0:User"}, r.body["schemas"]); diff != "" {
			t.Errorf("schemas hold what is not there:\n%s", diff)
		}
	})
}

func TestRFC7644_3_6_Delete(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		id := c.create("/Users", fullUser)
		if r := c.must(http.StatusNoContent, "DELETE", "/Users/"+id, ""); r.raw != "" {
			t.Errorf("body %q", r.raw)
		}
		c.refused(http.StatusNotFound, "", "GET", "/Users/"+id, "", "id")
		c.refused(http.StatusNotFound, "", "DELETE", "/Users/"+id, "")
		c.refused(http.StatusNotFound, "", "PUT", "/Users/"+id, `{"userName":"x@example.com"}`)
		c.refused(http.StatusNotFound, "", "PATCH", "/Users/"+id, patchBody(`{"op":"replace","path":"title","value":"x"}`))
		if n := c.must(http.StatusOK, "GET", "/Users", "").body["totalResults"]; n != 0.0 {
			t.Errorf("totalResults %v", n)
		}
	})
}

func TestRFC7644_3_5_2_PatchUser(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		id := c.create("/Users", fullUser)
		r := c.must(http.StatusOK, "PATCH", "/Users/"+id, patchBody(`
			{"op":"replace","path":"title","value":"Guide"},
			{"op":"add","path":"emails","value":[{"value":"third@example.com","type":"other"}]},
			{"op":"replace","path":"emails[type eq \"home\"].value","value":"home@example.com"},
			{"op":"remove","path":"name.formatted"},
			{"op":"replace","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department","value":"Tools"}`))
		if r.body["title"] != "Guide" || at(r.body, "emails", 1, "value") != "home@example.com" ||
			at(r.body, "emails", 2, "value") != "third@example.com" || at(r.body, "name", "formatted") != nil ||
			at(r.body, "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User", "department") != "Tools" {
			t.Errorf("patched to %s", r.raw)
		}
		// All or nothing: the second operation fails, so the first leaves no trace.
		c.refused(http.StatusBadRequest, "noTarget", "PATCH", "/Users/"+id, patchBody(`
			{"op":"replace","path":"title","value":"Ghost"},{"op":"replace","path":"emails[type eq \"fax\"].value","value":"x"}`), "operation 2", "emails")
		if got := c.must(http.StatusOK, "GET", "/Users/"+id, ""); got.body["title"] != "Guide" || got.header.Get("ETag") != `W/"2"` {
			t.Errorf("a failed patch left %s", got.raw)
		}
		c.must(http.StatusOK, "PATCH", "/Users/"+id, patchBody(`{"op":"replace","path":"password","value":"another horse"}`))
		if _, err := s.dir.CheckPassword(t.Context(), "bjensen@example.com", "another horse"); err != nil {
			t.Errorf("the patched password does not open: %v", err)
		}
	})
}

func TestADV62_DeactivateByPatch(t *testing.T) {
	for name, op := range map[string]string{
		"strict":       `{"op":"replace","path":"active","value":false}`,
		"entra":        `{"op":"Replace","path":"active","value":"False"}`,
		"okta":         `{"op":"replace","value":{"active":false}}`,
		"pathless add": `{"op":"Add","value":{"active":false}}`,
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, s *service, c *client) {
				id := c.create("/Users", fullUser)
				if r := c.must(http.StatusOK, "PATCH", "/Users/"+id, patchBody(op)); r.body["active"] != false {
					t.Errorf("answer %s", r.raw)
				}
				if r := c.must(http.StatusOK, "GET", "/Users/"+id, ""); r.body["active"] != false {
					t.Errorf("GET shows %v", r.body["active"])
				}
				r := c.must(http.StatusOK, "GET", "/Users?filter="+url.QueryEscape(`userName eq "bjensen@example.com"`), "")
				if at(r.body, "Resources", 0, "active") != false {
					t.Errorf("the filter shows %s", r.raw)
				}
			})
		})
	}
}

func TestADV62_GroupMembers(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		a, b, d := c.create("/Users", `{"userName":"a@example.com"}`), c.create("/Users", `{"userName":"b@example.com"}`), c.create("/Users", `{"userName":"d@example.com"}`)
		g := c.create("/Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Staff","members":[{"value":"`+a+`"}]}`)
		for _, step := range []struct {
			name, op string
			want     []string
		}{
			{"add", `{"op":"add","path":"members","value":[{"value":"` + b + `"}]}`, []string{a, b}},
			{"add again", `{"op":"add","path":"members","value":[{"value":"` + b + `"}]}`, []string{a, b}},
			{"add with $ref and display (Okta)", `{"op":"add","path":"members","value":[{"value":"` + d + `","display":"D","$ref":"../Users/` + d + `"}]}`, []string{a, b, d}},
			{"remove by filter", `{"op":"remove","path":"members[value eq \"` + a + `\"]"}`, []string{b, d}},
			{"remove by a value list (Entra)", `{"op":"Remove","path":"members","value":[{"value":"` + b + `"}]}`, []string{d}},
			{"replace", `{"op":"replace","path":"members","value":[{"value":"` + a + `"}]}`, []string{a}},
			{"pathless replace with id and displayName (Okta)", `{"op":"replace","value":{"id":"` + g + `","displayName":"Crew"}}`, []string{a}},
			{"pathless add (AWS)", `{"op":"add","value":{"members":[{"value":"` + d + `"}]}}`, []string{a, d}},
			{"remove all", `{"op":"remove","path":"members"}`, nil},
		} {
			r := c.do("PATCH", "/Groups/"+g, patchBody(step.op))
			if r.status != http.StatusNoContent && r.status != http.StatusOK {
				t.Fatalf("%s: %d %s", step.name, r.status, r.raw)
			}
			if diff := cmp.Diff(step.want, c.members(g)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", step.name, diff)
			}
		}
		if got := c.must(http.StatusOK, "GET", "/Groups/"+g, ""); got.body["displayName"] != "Crew" {
			t.Errorf("displayName %v", got.body["displayName"])
		}
		c.refused(http.StatusBadRequest, "invalidValue", "PATCH", "/Groups/"+g, patchBody(`{"op":"add","path":"members","value":[{"value":"00unobody"}]}`), "members", "00unobody")
	})
}

// members are the IDs of a group's members, in order.
func (c *client) members(group string) (ids []string) {
	c.t.Helper()
	list, _ := c.must(http.StatusOK, "GET", "/Groups/"+group, "").body["members"].([]any)
	for _, m := range list {
		ids = append(ids, at(m, "value").(string))
	}
	return ids
}

func TestGroupsOfUser(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		u := c.create("/Users", `{"userName":"a@example.com"}`)
		g := c.create("/Groups", `{"displayName":"Staff \"A\"","members":[{"value":"`+u+`"}]}`)
		want := []any{map[string]any{"value": g, "$ref": publicURL + "/scim/v2/Groups/" + g, "display": `Staff "A"`, "type": "direct"}}
		if diff := cmp.Diff(want, c.must(http.StatusOK, "GET", "/Users/"+u, "").body["groups"]); diff != "" {
			t.Errorf("groups (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(want, at(c.must(http.StatusOK, "GET", "/Users", "").body, "Resources", 0, "groups")); diff != "" {
			t.Errorf("groups in a list (-want +got):\n%s", diff)
		}
		members := []any{map[string]any{"value": u, "$ref": publicURL + "/scim/v2/Users/" + u, "type": "User"}}
		if diff := cmp.Diff(members, c.must(http.StatusOK, "GET", "/Groups/"+g, "").body["members"]); diff != "" {
			t.Errorf("members (-want +got):\n%s", diff)
		}
		if r := c.must(http.StatusOK, "GET", "/Groups/"+g+"?excludedAttributes=members", ""); r.body["members"] != nil || r.body["displayName"] == nil {
			t.Errorf("excludedAttributes=members: %s", r.raw)
		}
		if r := c.must(http.StatusOK, "GET", "/Groups/"+s.dir.EveryoneID(), ""); r.body["members"] != nil {
			t.Errorf("Everyone lists its members: %s", r.raw)
		}
	})
}
