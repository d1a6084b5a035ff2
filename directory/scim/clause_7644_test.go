package scim_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// TestRFC7644_3_5_1_NeverCreates: PUT replaces what is there and makes nothing.
func TestRFC7644_3_5_1_NeverCreates(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		for path, body := range map[string]string{"/Users/00uNobody": `{"userName":"a@example.com"}`, "/Groups/00gNobody": `{"displayName":"G"}`} {
			before := c.must(http.StatusOK, "GET", path[:strings.LastIndex(path, "/")], "").raw
			c.refused(http.StatusNotFound, "", "PUT", path, body)
			if after := c.must(http.StatusOK, "GET", path[:strings.LastIndex(path, "/")], "").raw; after != before {
				t.Errorf("PUT %s: %s", path, after)
			}
		}
	})
}

// TestRFC7644_3_5_1_Required: what is required must be in a PUT, and what it leaves out is
// cleared.
func TestRFC7644_3_5_1_Required(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		id := c.create("/Users", fullUser)
		c.refused(http.StatusBadRequest, "invalidValue", "PUT", "/Users/"+id, `{"displayName":"x"}`, "userName", "required")
		r := c.must(http.StatusOK, "PUT", "/Users/"+id, `{"userName":"b@example.com"}`)
		for _, name := range []string{"displayName", "emails", "name", "title", "externalId", enterpriseUser} {
			if r.body[name] != nil {
				t.Errorf("%s is still there: %s", name, r.raw)
			}
		}
	})
}

// TestRFC7644_3_5_2_1_NothingChanges: an add, a replace and a PUT of what is already there
// succeed, and leave version and time of modification.
func TestRFC7644_3_5_2_1_NothingChanges(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		id := c.create("/Users", `{"userName":"a@example.com","title":"T","emails":[{"value":"a@example.com","type":"work"}]}`)
		g := c.create("/Groups", `{"displayName":"G","members":[{"value":"`+id+`"}]}`)
		for path, ops := range map[string][]string{
			"/Users/" + id: {
				`{"op":"add","path":"emails","value":[{"value":"a@example.com","type":"work"}]}`, `{"op":"add","value":{"title":"T"}}`,
				`{"op":"replace","path":"title","value":"T"}`, `{"op":"add","path":"title","value":"T"}`,
			},
			"/Groups/" + g: {`{"op":"add","path":"members","value":[{"value":"` + id + `"}]}`, `{"op":"replace","path":"displayName","value":"G"}`},
		} {
			before := c.must(http.StatusOK, "GET", path, "")
			for _, op := range ops {
				if r := c.do("PATCH", path, patchBody(op)); r.status != http.StatusOK && r.status != http.StatusNoContent {
					t.Errorf("%s: %d %s", op, r.status, r.raw)
				}
				if after := c.must(http.StatusOK, "GET", path, ""); after.raw != before.raw || after.header.Get("ETag") != before.header.Get("ETag") {
					t.Errorf("%s made of\n%s\n%s", op, before.raw, after.raw)
				}
			}
		}
	})
}

// TestRFC7644_3_5_2_Answer: 200 with the resource, or 204 with its version where it may be
// long, but 200 whenever attributes are asked for.
func TestRFC7644_3_5_2_Answer(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		id := c.create("/Users", `{"userName":"a@example.com"}`)
		g := c.create("/Groups", `{"displayName":"G"}`)
		r := c.must(http.StatusOK, "PATCH", "/Users/"+id, patchBody(`{"op":"add","path":"title","value":"T"}`))
		if r.body["title"] != "T" || r.body["userName"] != "a@example.com" || r.header.Get("ETag") != `W/"2"` {
			t.Errorf("user: %v %s", r.header, r.raw)
		}
		join, leave := patchBody(`{"op":"add","path":"members","value":[{"value":"`+id+`"}]}`), patchBody(`{"op":"remove","path":"members"}`)
		if r := c.must(http.StatusNoContent, "PATCH", "/Groups/"+g, join); r.raw != "" || r.header.Get("ETag") != `W/"2"` {
			t.Errorf("group: %v %s", r.header, r.raw)
		}
		for _, query := range []string{"attributes=displayName", "excludedAttributes=members"} {
			if r := c.must(http.StatusOK, "PATCH", "/Groups/"+g+"?"+query, leave); r.body["displayName"] != "G" || r.header.Get("ETag") == "" {
				t.Errorf("%s: %v %s", query, r.header, r.raw)
			}
		}
	})
}

// TestRFC7644_3_6_DeletedIsGone: what is deleted is in no answer, and in nobody's way.
func TestRFC7644_3_6_DeletedIsGone(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		id := c.create("/Users", fullUser)
		g := c.create("/Groups", `{"displayName":"G","members":[{"value":"`+id+`"}]}`)
		c.must(http.StatusNoContent, "DELETE", "/Users/"+id, "")
		for _, path := range []string{"/Users?filter=" + url.QueryEscape(`id eq "`+id+`"`), "/Users?filter=" + url.QueryEscape(`externalId eq "701984"`), "/Users", "/Users?cursor="} {
			if r := c.must(http.StatusOK, "GET", path, ""); r.body["totalResults"] != 0.0 || len(r.resources()) != 0 {
				t.Errorf("%s: %s", path, r.raw)
			}
		}
		if r := c.must(http.StatusOK, "GET", "/Groups/"+g, ""); r.body["members"] != nil {
			t.Errorf("still a member: %s", r.raw)
		}
		if again := c.create("/Users", fullUser); again == id {
			t.Error("an id was given out again")
		}
	})
}

// TestRFC7644_3_8_MediaType: whatever is accepted, the answer is SCIM in UTF-8.
func TestRFC7644_3_8_MediaType(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		id := c.create("/Users", `{"userName":"zoë@example.com"}`)
		for _, accept := range []string{"application/scim+json", "application/json", "*/*", "", "application/scim+json;q=0.1, text/html"} {
			r := c.must(http.StatusOK, "GET", "/Users/"+id, "", "Accept", accept)
			if r.header.Get("Content-Type") != "application/scim+json" || r.body["userName"] != "zoë@example.com" {
				t.Errorf("Accept %q: %v %s", accept, r.header, r.raw)
			}
		}
		for _, typ := range []string{"application/scim+json", "application/json", "application/scim+json; charset=utf-8"} {
			c.must(http.StatusOK, "PUT", "/Users/"+id, `{"userName":"zoë@example.com"}`, "Content-Type", typ)
		}
		for _, typ := range []string{"text/plain", "application/xml", "application/scim+json; charset=utf-16"} {
			checkError(t, typ, c.do("PUT", "/Users/"+id, `{"userName":"x@example.com"}`, "Content-Type", typ), http.StatusUnsupportedMediaType, "", typ)
		}
	})
}

// TestRFC7644_3_10_Notation: an attribute has the same meaning by its name in any case, and
// by its URN, in a filter, a projection, an order and a path.
func TestRFC7644_3_10_Notation(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		id := c.create("/Users", fullUser)
		other := c.create("/Users", `{"userName":"zoe@example.com","name":{"familyName":"Zimmer"},"`+enterpriseUser+`":{"department":"A"}}`)
		for _, names := range [][]string{
			{"name.familyName", "NAME.familyname", coreUser + ":name.familyName", strings.ToUpper(coreUser) + ":Name.FamilyName"},
			{enterpriseUser + ":department", strings.ToLower(enterpriseUser) + ":DEPARTMENT"},
		} {
			for _, name := range names {
				n := url.QueryEscape(name)
				if r := c.must(http.StatusOK, "GET", "/Users?filter="+n+"+pr+and+not+("+n+"+eq+%22x%22)&sortBy="+n+"&sortOrder=descending", ""); r.body["totalResults"] != 2.0 {
					t.Errorf("%s: %s", name, r.raw)
				}
				r := c.must(http.StatusOK, "GET", "/Users/"+id+"?attributes="+n, "")
				if at(r.body, "name", "familyName") == nil && at(r.body, enterpriseUser, "department") == nil || r.body["userName"] != nil {
					t.Errorf("attributes=%s: %s", name, r.raw)
				}
				c.must(http.StatusOK, "PATCH", "/Users/"+other, patchBody(`{"op":"replace","path":"`+name+`","value":"`+name[len(name)-4:]+`"}`))
			}
		}
	})
}

// TestRFC7644_4_QueriesOfDiscovery: a filter is forbidden, everything else ignored.
func TestRFC7644_4_QueriesOfDiscovery(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		for _, path := range []string{"/Schemas", "/ResourceTypes", "/ServiceProviderConfig", "/Schemas/" + coreUser, "/ResourceTypes/User"} {
			c.refused(http.StatusForbidden, "", "GET", path+"?filter=id+pr", "", "filter")
			plain := c.must(http.StatusOK, "GET", path, "")
			asked := c.must(http.StatusOK, "GET", path+"?attributes=id&excludedAttributes=name&sortBy=id&sortOrder=descending&startIndex=2&count=1", "")
			if plain.raw != asked.raw {
				t.Errorf("%s: a query was heeded: %s", path, clip(asked.raw))
			}
		}
	})
}

// TestRFC7644_5_UserNames: a userName is unique and found however it is written (RFC 8265,
// section 3.3: width, case, composition).
func TestRFC7644_5_UserNames(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		c.create("/Users", `{"userName":"Zoë@example.com"}`)
		for name, login := range map[string]string{"case": "ZOË@EXAMPLE.COM", "decomposed": "Zoe\u0308@example.com", "wide": "\uff3a\uff4f\u00eb@example.com"} {
			c.refused(http.StatusConflict, "uniqueness", "POST", "/Users", `{"userName":"`+login+`"}`, "userName")
			if r := c.must(http.StatusOK, "GET", "/Users?filter="+url.QueryEscape(`userName eq "`+login+`"`), ""); r.body["totalResults"] != 1.0 {
				t.Errorf("%s: %s", name, r.raw)
			}
		}
	})
}

// TestRFC7644_5_Passwords: a password opens however a keyboard composes it (RFC 8265,
// section 4.2).
func TestRFC7644_5_Passwords(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		c.create("/Users", `{"userName":"a@example.com","password":"cr\u00e8me br\u00fbl\u00e9e 9"}`)
		for name, password := range map[string]string{"as it was set": "cr\u00e8me br\u00fbl\u00e9e 9", "decomposed": "cre\u0300me bru\u0302le\u0301e 9", "another space": "cr\u00e8me\u00a0br\u00fbl\u00e9e\u30009"} {
			if _, err := s.dir.CheckPassword(t.Context(), "a@example.com", password); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := s.dir.CheckPassword(t.Context(), "a@example.com", "creme brulee 9"); err == nil {
			t.Error("diacritics make no difference")
		}
	})
}

// TestRFC7644_3_14_Modified: every change gives another version, and a time that is not
// before the last.
func TestRFC7644_3_14_Modified(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		made := c.must(http.StatusCreated, "POST", "/Users", `{"userName":"a@example.com"}`)
		path := "/Users/" + made.body["id"].(string)
		version, modified := made.header.Get("ETag"), at(made.body, "meta", "lastModified").(string)
		for _, change := range []func() reply{
			func() reply { return c.must(http.StatusOK, "PUT", path, `{"userName":"a@example.com","title":"x"}`) },
			func() reply { return c.must(http.StatusOK, "PATCH", path, patchBody(`{"op":"remove","path":"title"}`)) },
		} {
			time.Sleep(2 * time.Millisecond)
			r := change()
			if now := at(r.body, "meta", "lastModified").(string); r.header.Get("ETag") == version || now <= modified {
				t.Errorf("%s at %s, after %s at %s", r.header.Get("ETag"), now, version, modified)
			}
			version, modified = r.header.Get("ETag"), at(r.body, "meta", "lastModified").(string)
		}
	})
}
