package scim_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-id/provost/internal/apitoken"
	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/schemas"
)

// owned is a client with an API token of a user.
func (s *service) owned(userID string, scopes ...string) *client {
	s.t.Helper()
	secret, token, err := s.tokens.Create(context.Background(), events.System, apitoken.NewToken{
		Name: "owned", Scopes: scopes, UserID: userID, TTL: time.Hour,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return &client{t: s.t, s: s, token: secret, id: token.ID}
}

// signedIn is a client with an access token of a person, as the org authorization server
// gives one out.
func (s *service) signedIn(userID string, scopes ...string) *client {
	s.t.Helper()
	token := "access token of " + userID + " for " + strings.Join(scopes, " ")
	s.people.Store(token, httpapi.Principal{ID: "0oaclient", Name: "somebody", Type: "Client", UserID: userID, Scopes: scopes})
	return &client{t: s.t, s: s, token: token, id: "0oaclient"}
}

// TestRFC7644_3_11_Me: /Me is another name of the user behind the token, for every verb,
// and says where the resource really is.
func TestRFC7644_3_11_Me(t *testing.T) {
	each(t, func(t *testing.T, s *service, admin *client) {
		id := admin.create("/Users", fullUser)
		location := publicURL + "/scim/v2/Users/" + id
		for name, c := range map[string]*client{"API token": s.owned(id, httpapi.ScopeSCIM), "access token": s.signedIn(id, httpapi.ScopeSCIM)} {
			at := func(r reply) reply {
				t.Helper()
				if r.header.Get("Location") != location {
					t.Errorf("%s: %d is at %q", name, r.status, r.header.Get("Location"))
				}
				return r
			}
			me, same := at(c.must(http.StatusOK, "GET", "/Me", "")), c.must(http.StatusOK, "GET", "/Users/"+id, "")
			if me.raw != same.raw || me.header.Get("ETag") != same.header.Get("ETag") {
				t.Errorf("%s: /Me is %s, the user %s", name, me.raw, same.raw)
			}
			if r := at(c.must(http.StatusOK, "GET", "/Me?attributes=userName", "")); len(r.body) != 3 {
				t.Errorf("%s: projected %s", name, r.raw)
			}
			if r := at(c.must(http.StatusOK, "HEAD", "/Me", "")); r.raw != "" {
				t.Errorf("%s: HEAD %q", name, r.raw)
			}
			at(c.must(http.StatusNotModified, "GET", "/Me", "", "If-None-Match", me.header.Get("ETag")))
			at(c.must(http.StatusPreconditionFailed, "PATCH", "/Me", patchBody(`{"op":"replace","path":"title","value":"x"}`), "If-Match", `W/"77"`))
			if r := at(c.must(http.StatusOK, "PATCH", "/Me", patchBody(`{"op":"replace","path":"title","value":"`+name+`"}`))); r.body["title"] != name {
				t.Errorf("%s: patched %s", name, r.raw)
			}
			if r := at(c.must(http.StatusOK, "PUT", "/Me", `{"userName":"bjensen@example.com"}`)); r.body["title"] == name {
				t.Errorf("%s: replaced %s", name, r.raw)
			}
			checkError(t, name, at(c.do("POST", "/Me", fullUser)), http.StatusConflict, "uniqueness", "already")
			checkError(t, name, at(c.do("PATCH", "/Me", patchBody(`{"op":"replace","path":"active","value":5}`))), http.StatusBadRequest, "invalidValue", "active")
			if r := c.must(http.StatusNoContent, "OPTIONS", "/Me", ""); r.header.Get("Allow") != "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT" {
				t.Errorf("%s: Allow %q", name, r.header.Get("Allow"))
			}
		}
		c := s.owned(id, httpapi.ScopeSCIM)
		if r := c.must(http.StatusNoContent, "DELETE", "/Me", ""); r.header.Get("Location") != location {
			t.Errorf("deleted at %q", r.header.Get("Location"))
		}
		admin.refused(http.StatusNotFound, "", "GET", "/Users/"+id, "")
		checkError(t, "the token of somebody deleted", c.do("GET", "/Me", ""), http.StatusUnauthorized, "")
	})
}

// TestRFC7644_3_11_NobodyBehind: a token of a system is no user.
func TestRFC7644_3_11_NobodyBehind(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		for _, method := range []string{"GET", "PUT", "PATCH", "DELETE"} {
			c.refused(http.StatusNotFound, "", method, "/Me", `{"userName":"x@example.com"}`, "token")
		}
		c.refused(http.StatusNotImplemented, "", "POST", "/Me", `{"userName":"x@example.com"}`, "/Users")
		c.refused(http.StatusMethodNotAllowed, "", "TRACE", "/Me", "")
		checkError(t, "nobody", (&client{t: t, s: s}).do("GET", "/Me", ""), http.StatusUnauthorized, "")
	})
}

// TestMe_ByScope: what the scope does not open, /Me does not open either.
func TestMe_ByScope(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		id := c.create("/Users", fullUser)
		reader := s.owned(id, httpapi.ScopeSCIMRead)
		reader.must(http.StatusOK, "GET", "/Me", "")
		patch := patchBody(`{"op":"replace","path":"title","value":"x"}`)
		reader.refused(http.StatusForbidden, "", "PATCH", "/Me", patch, "scope")
		reader.refused(http.StatusForbidden, "", "DELETE", "/Me", "", "scope")
		s.owned(id, httpapi.ScopeManage).refused(http.StatusForbidden, "", "GET", "/Me", "", "scope")
		// A token of an administrator is no way to become them.
		if err := s.dir.AddMember(t.Context(), admin, s.dir.AdministratorsID(), id); err != nil {
			t.Fatal(err)
		}
		boss := s.owned(id, httpapi.ScopeSCIM)
		boss.refused(http.StatusForbidden, "", "PATCH", "/Me", patchBody(`{"op":"replace","path":"password","value":"stolen horse battery"}`))
		boss.refused(http.StatusForbidden, "", "DELETE", "/Me", "")
		own := s.signedIn(id, httpapi.ScopeSCIMMe)
		for _, path := range []string{"", "/Users", "/Users/" + id, "/Groups", "/Schemas", "/ResourceTypes", "/Me/x"} {
			own.refused(http.StatusForbidden, "", "GET", path, "", "scope")
		}
		own.refused(http.StatusForbidden, "", "POST", "/Bulk", bulkBody(t, 0, bulkOp{Method: "PATCH", Path: "/Users/" + id, Data: raw(`%s`, patch)}), "scope")
		own.refused(http.StatusForbidden, "", "PATCH", "/Users/"+id, patch, "scope")
	})
}

// TestMe_SelfPermissions: with no more than scim.me the schema says what people see and
// change of themselves.
func TestMe_SelfPermissions(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		s.serveOwn(map[string]string{"nickname": "", "badge": schemas.SelfHide, "motto": schemas.SelfReadWrite})
		const org = "urn:provost:params:scim:schemas:extension:org:2.0:User"
		id := c.create("/Users", `{"userName":"ana@example.com","externalId":"x1","name":{"givenName":"Ana","familyName":"A","middleName":"M"},"title":"Clerk","roles":[{"value":"r"}],
			"emails":[{"value":"ana@example.com","type":"work","primary":true},{"value":"ana@home.example","type":"home"}],
			"phoneNumbers":[{"value":"1","type":"work","primary":true},{"value":"2","type":"mobile"}],"addresses":[{"type":"work","primary":true,"locality":"Here"}],
			"`+org+`":{"nickname":"n","badge":"b","motto":"m"}}`)
		c.create("/Groups", `{"displayName":"Staff","members":[{"value":"`+id+`"}]}`)
		me := s.signedIn(id, httpapi.ScopeSCIMMe)
		got := me.must(http.StatusOK, "GET", "/Me", "")
		delete(got.body, "meta")
		want := map[string]any{
			"schemas": []any{"urn:ietf:params:scim:schemas:core:2.0:User", org}, "id": id, "userName": "ana@example.com", "active": true, "title": "Clerk",
			"name":         map[string]any{"givenName": "Ana", "familyName": "A", "middleName": "M"},
			"emails":       []any{map[string]any{"value": "ana@example.com", "type": "work", "primary": true}},
			"phoneNumbers": []any{map[string]any{"value": "2", "type": "mobile"}},
			org:            map[string]any{"nickname": "n", "motto": "m"},
		}
		if diff := cmp.Diff(want, got.body); diff != "" {
			t.Errorf("what Ana sees:\n%s", diff)
		}
		for ops, path := range map[string]string{
			`{"op":"replace","path":"title","value":"Boss"}`:                                                                              "title",
			`{"op":"replace","path":"name.givenName","value":"Anna"},{"op":"replace","path":"title","value":"Boss"}`:                      "title",
			`{"op":"replace","path":"active","value":false}`:                                                                              "active",
			`{"op":"replace","path":"password","value":"correct horse battery"}`:                                                          "password",
			`{"op":"add","path":"roles","value":[{"value":"admin"}]}`:                                                                     "roles",
			`{"op":"add","path":"entitlements","value":[{"value":"all"}]}`:                                                                "entitlements",
			`{"op":"replace","path":"externalId","value":"x2"}`:                                                                           "externalId",
			`{"op":"replace","path":"phoneNumbers[type eq \"work\"].value","value":"9"}`:                                                  "phoneNumbers",
			`{"op":"remove","path":"addresses"}`:                                                                                          "addresses",
			`{"op":"add","path":"emails","value":[{"value":"third@example.com","type":"third"}]}`:                                         "emails",
			`{"op":"replace","path":"` + org + `:badge","value":"1"}`:                                                                     "badge",
			`{"op":"replace","path":"` + org + `:nickname","value":"1"}`:                                                                  "nickname",
			`{"op":"replace","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","value":{"value":"` + id + `"}}`: "manager",
			`{"op":"replace","value":{"id":"x","groups":[]}}`:                                                                             "groups",
		} {
			me.refused(http.StatusBadRequest, "mutability", "PATCH", "/Me", patchBody(ops), path)
		}
		me.refused(http.StatusForbidden, "", "DELETE", "/Me", "")
		me.refused(http.StatusBadRequest, "mutability", "PUT", "/Me", `{"userName":"ana@example.com","name":{"givenName":"A","familyName":"A"},"password":"correct horse battery"}`, "password")
		if r := me.must(http.StatusOK, "GET", "/Me", ""); r.header.Get("ETag") != `W/"1"` {
			t.Errorf("something was changed: %s", r.raw)
		}
		r := me.must(http.StatusOK, "PATCH", "/Me", patchBody(`{"op":"replace","path":"name.givenName","value":"Anna"},{"op":"replace","path":"phoneNumbers[type eq \"mobile\"].value","value":"3"},
			{"op":"replace","path":"emails[primary eq true].value","value":"anna@example.com"},{"op":"replace","path":"`+org+`:motto","value":"mm"}`))
		if r.body["addresses"] != nil || r.body["groups"] != nil || at(r.body, "phoneNumbers", 0, "value") != "3" || r.header.Get("ETag") != `W/"2"` {
			t.Errorf("patched: %s", r.raw)
		}
		// What a PUT may not change is ignored, as readOnly is.
		r = me.must(http.StatusOK, "PUT", "/Me", `{"userName":"anna@example.com","name":{"givenName":"Anna","familyName":"B"},"title":"Boss","active":false,"roles":[{"value":"admin"}]}`)
		all := c.must(http.StatusOK, "GET", "/Users/"+id, "")
		if all.body["title"] != "Clerk" || all.body["active"] != true || at(all.body, "roles", 0, "value") != "r" || at(all.body, "addresses", 0, "locality") != "Here" ||
			all.body["userName"] != "anna@example.com" || at(all.body, "name", "familyName") != "B" || at(all.body, "name", "middleName") != "M" ||
			all.body["externalId"] != "x1" || at(all.body, org, "badge") != "b" || at(all.body, org, "motto") != nil {
			t.Errorf("replaced: %s\nshown: %s", all.raw, r.raw)
		}
	})
}

// serveOwn gives users attributes of the organisation's own, with these permissions.
func (s *service) serveOwn(self map[string]string) {
	s.t.Helper()
	types := schemas.Default()
	x := &types[0].Extensions[1]
	for name, permission := range self {
		x.Schema.Attributes = append(x.Schema.Attributes, schemas.Attribute{Name: name, Type: schemas.String, View: schemas.View{Self: permission}})
	}
	snapshot, err := schemas.Compile(s.dir.Schemas().Version, types)
	if err != nil {
		s.t.Fatal(err)
	}
	s.schema.Store(snapshot)
}
