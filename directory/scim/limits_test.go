package scim_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/provost-id/provost/directory/scim"
	"github.com/provost-id/provost/internal/apitoken"
	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/httpapi"
)

// limited is a client whose token is limited.
func (s *service) limited(l httpapi.Limits) *client {
	s.t.Helper()
	secret, token, err := s.tokens.Create(s.t.Context(), events.System, apitoken.NewToken{
		Name: "limited", Scopes: []string{httpapi.ScopeSCIM}, TTL: time.Hour, Settings: apitoken.Settings{Limits: &l},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return &client{t: s.t, s: s, token: secret, id: token.ID}
}

func filtered(path, filter string) string { return path + "?filter=" + url.QueryEscape(filter) }

// ids are those of the resources of a list.
func (r reply) ids() []string {
	var all []string
	for _, m := range r.resources() {
		id, _ := m["id"].(string)
		all = append(all, id)
	}
	slices.Sort(all)
	return all
}

// TestADV51_LimitedToTypes: a token speaks of the types it is limited to, by every verb
// and every way in.
func TestADV51_LimitedToTypes(t *testing.T) {
	each(t, func(t *testing.T, s *service, full *client) {
		user := full.create("/Users", `{"userName":"ana@example.com"}`)
		group := full.create("/Groups", `{"displayName":"Readers","members":[{"value":"`+user+`"}]}`)
		c := s.limited(httpapi.Limits{ResourceTypes: []string{"User"}})
		for _, q := range []struct{ method, path, body string }{
			{"GET", "/Groups", ""}, {"GET", "/Groups/" + group, ""}, {"GET", "/Groups/none", ""}, {"POST", "/Groups", `{"displayName":"x"}`},
			{"PUT", "/Groups/" + group, `{"displayName":"x"}`}, {"PATCH", "/Groups/" + group, patchBody(`{"op":"remove","path":"members"}`)},
			{"DELETE", "/Groups/" + group, ""}, {"POST", "/Groups/.search", `{}`}, {"GET", "/Groups?changedSince=", ""}, {"GET", filtered("/Users", `groups.value eq "`+group+`"`), ""},
			{"POST", "/.search", `{"filter":"groups.display eq \"Readers\""}`},
		} {
			c.refused(http.StatusForbidden, "", q.method, q.path, q.body)
		}
		// Whoever may not speak of groups does not learn of them from people.
		for _, path := range []string{"/Users/" + user, "/Users?attributes=groups", "/Users/" + user + "?attributes=groups"} {
			if r := c.must(http.StatusOK, "GET", path, ""); strings.Contains(r.raw, group) || strings.Contains(r.raw, "Readers") {
				t.Errorf("%s shows %s", path, r.raw)
			}
		}
		for _, r := range []reply{c.must(http.StatusOK, "GET", "", ""), c.must(http.StatusOK, "POST", "/.search", `{"filter":"id eq \"`+group+`\" or id eq \"`+user+`\""}`)} {
			if got := r.ids(); !slices.Equal(got, []string{user}) || r.body["totalResults"] != 1.0 {
				t.Errorf("root: %s", r.raw)
			}
		}
		c.must(http.StatusOK, "PATCH", "/Users/"+user, patchBody(`{"op":"add","path":"title","value":"T"}`))
		c.must(http.StatusNoContent, "DELETE", "/Users/"+user, "")
		full.must(http.StatusOK, "GET", "/Groups/"+group, "")
	})
}

// TestADV51_LimitedReading: what may not be read is in no answer, and cannot be asked for.
func TestADV51_LimitedReading(t *testing.T) {
	each(t, func(t *testing.T, s *service, full *client) {
		id := full.create("/Users", fullUser)
		c := s.limited(httpapi.Limits{ReadAttributes: []string{"userName", "name.givenName", "emails"}, WriteAttributes: []string{"emails"}})
		for _, q := range []struct{ method, path, body string }{
			{"GET", "/Users/" + id, ""}, {"GET", "/Users", ""}, {"GET", "/Users/" + id + "?attributes=title,userName,name", ""}, {"GET", "/Users?excludedAttributes=emails", ""},
			{"POST", "/Users/.search", `{"attributes":["title","name.familyName","userName"]}`}, {"POST", "/.search", `{}`}, {"GET", "", ""},
			{"PATCH", "/Users/" + id, patchBody(`{"op":"add","path":"emails","value":[{"value":"more@example.com"}]}`)},
			{"PATCH", "/Users/" + id + "?attributes=title,displayName", patchBody(`{"op":"add","path":"emails","value":[{"value":"most@example.com"}]}`)},
		} {
			r := c.must(http.StatusOK, q.method, q.path, q.body)
			for _, secret := range []string{`"title"`, "familyName", "displayName", "department", `"active"`, "Tour", "Jensen"} {
				if strings.Contains(strings.ReplaceAll(r.raw, "bjensen@example.com", ""), secret) {
					t.Errorf("%s %s shows %s: %s", q.method, q.path, secret, r.raw)
				}
			}
			if !strings.Contains(r.raw, id) {
				t.Errorf("%s %s does not show the id: %s", q.method, q.path, r.raw)
			}
		}
		for filter, attr := range map[string]string{
			`title eq "x"`: "title", `userName eq "x" or name.familyName sw "J"`: "name.familyName", `not (active eq true)`: "active", `name pr`: "name.",
			`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department pr`: "department",
		} {
			c.refused(http.StatusForbidden, "", "GET", filtered("/Users", filter), "", attr, "may not read")
			c.refused(http.StatusForbidden, "", "POST", "/Users/.search", fmt.Sprintf(`{"filter":%q}`, filter), attr)
		}
		for _, by := range []string{"title", "name.familyName", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department"} {
			c.refused(http.StatusForbidden, "", "GET", "/Users?sortBy="+by, "", by, "may not read")
			c.refused(http.StatusForbidden, "", "POST", "/.search", `{"sortBy":"`+by+`"}`, by)
		}
		c.must(http.StatusOK, "GET", "/Users?sortBy=userName", "")
		c.must(http.StatusOK, "GET", filtered("/Users", `userName sw "b" and emails.type eq "work" and id pr and meta.created pr`), "")
	})
}

// TestADV53_LimitedWriting: roles, entitlements, userType, active, a password and what an
// organisation has added are changed by whoever may, and nobody else.
func TestADV53_LimitedWriting(t *testing.T) {
	each(t, func(t *testing.T, s *service, full *client) {
		id := full.create("/Users", `{"userName":"ana@example.com","title":"Engineer","roles":[{"value":"reader"}],"emails":[{"value":"a@example.com","type":"work"}],"active":true}`)
		before := full.must(http.StatusOK, "GET", "/Users/"+id, "").raw
		c := s.limited(httpapi.Limits{WriteAttributes: []string{"userName", "name", "emails.value", "title"}})
		for op, attr := range map[string]string{
			`{"op":"add","path":"roles","value":[{"value":"admin"}]}`: "roles", `{"op":"replace","value":{"title":"x","ROLES":[{"value":"admin"}]}}`: "roles",
			`{"op":"add","path":"entitlements","value":[{"value":"x"}]}`: "entitlements", `{"op":"replace","path":"userType","value":"admin"}`: "userType",
			`{"op":"replace","path":"urn:ietf:params:scim:schemas:core:2.0:User:Active","value":false}`: "active", `{"op":"replace","value":{"active":"False"}}`: "active",
			`{"op":"add","path":"password","value":"correct horse battery"}`: "password", `{"op":"remove","path":"roles[value eq \"reader\"]"}`: "roles",
			`{"op":"remove","path":"emails"}`: "emails", `{"op":"add","path":"emails[type eq \"work\"].primary","value":true}`: "emails.primary",
			`{"op":"add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User","value":{"department":"x"}}`: "department",
			`{"op":"replace","path":"externalId","value":"x"}`:                                                            "externalId",
		} {
			c.refused(http.StatusForbidden, "", "PATCH", "/Users/"+id, patchBody(`{"op":"replace","path":"title","value":"T"},`+op), attr, "may not write", "operation 2")
		}
		for body, attr := range map[string]string{
			`{"userName":"ana@example.com","roles":[{"value":"admin"}]}`: "roles", `{"userName":"ana@example.com","active":false}`: "active",
			`{"userName":"ana@example.com","password":"correct horse battery"}`: "password", `{"userName":"ana@example.com","userType":"x"}`: "userType",
		} {
			c.refused(http.StatusForbidden, "", "PUT", "/Users/"+id, body, attr)
			c.refused(http.StatusForbidden, "", "POST", "/Users", strings.Replace(body, "ana@", "new@", 1), attr)
		}
		c.refused(http.StatusForbidden, "", "DELETE", "/Users/"+id, "")
		if after := full.must(http.StatusOK, "GET", "/Users/"+id, "").raw; after != before {
			t.Errorf("before %s\nafter %s", before, after)
		}
		// What it may write it may write, and a PUT leaves the rest.
		c.must(http.StatusOK, "PATCH", "/Users/"+id, patchBody(`{"op":"replace","path":"emails[type eq \"work\"].value","value":"b@example.com"},{"op":"add","path":"name","value":{"givenName":"Ana"}}`))
		c.must(http.StatusOK, "PUT", "/Users/"+id, `{"userName":"ana@example.com","roles":[{"value":"reader"}],"active":true,"title":"Lead"}`)
		r := full.must(http.StatusOK, "GET", "/Users/"+id, "")
		if r.body["title"] != "Lead" || r.body["name"] != nil || at(r.body, "roles", 0, "value") != "reader" || at(r.body, "emails", 0, "value") != "b@example.com" || r.body["active"] != true {
			t.Errorf("after what is allowed: %s", r.raw)
		}
		made := c.create("/Users", `{"userName":"new@example.com","title":"x"}`)
		full.must(http.StatusOK, "GET", "/Users/"+made, "")
	})
}

// TestADV53_LimitedMembers: the members of a group are an attribute like any other.
func TestADV53_LimitedMembers(t *testing.T) {
	each(t, func(t *testing.T, s *service, full *client) {
		ana, ben := full.create("/Users", `{"userName":"ana@example.com"}`), full.create("/Users", `{"userName":"ben@example.com"}`)
		group := full.create("/Groups", `{"displayName":"Readers","members":[{"value":"`+ana+`"}]}`)
		c := s.limited(httpapi.Limits{WriteAttributes: []string{"displayName"}})
		c.refused(http.StatusForbidden, "", "PATCH", "/Groups/"+group, patchBody(`{"op":"add","path":"members","value":[{"value":"`+ben+`"}]}`), "members", "operation 1")
		c.refused(http.StatusForbidden, "", "PATCH", "/Groups/"+group, patchBody(`{"op":"remove","path":"members[value eq \"`+ana+`\"]"}`), "members")
		c.refused(http.StatusForbidden, "", "PUT", "/Groups/"+group, `{"displayName":"R","members":[{"value":"`+ben+`"}]}`, "members")
		c.refused(http.StatusForbidden, "", "POST", "/Groups", `{"displayName":"R","members":[{"value":"`+ben+`"}]}`, "members")
		c.must(http.StatusOK, "PUT", "/Groups/"+group, `{"displayName":"R","members":[{"value":"`+ana+`"}]}`)
		c.must(http.StatusOK, "PUT", "/Groups/"+group, `{"displayName":"R2"}`)
		if got := full.members(group); !slices.Equal(got, []string{ana}) {
			t.Errorf("members %v", got)
		}
		members := s.limited(httpapi.Limits{WriteAttributes: []string{"members"}})
		members.refused(http.StatusForbidden, "", "PATCH", "/Groups/"+group, patchBody(`{"op":"replace","path":"displayName","value":"x"}`), "displayName")
		members.must(http.StatusNoContent, "PATCH", "/Groups/"+group, patchBody(`{"op":"replace","path":"members","value":[{"value":"`+ben+`"}]}`))
		if got := full.members(group); !slices.Equal(got, []string{ben}) {
			t.Errorf("members %v", got)
		}
	})
}

// TestADV55_LimitedToGroups: whoever is in no group of the token is not there for it, and
// neither is any other group; what it may see is complete.
func TestADV55_LimitedToGroups(t *testing.T) {
	each(t, func(t *testing.T, s *service, full *client) {
		in, out := full.create("/Users", `{"userName":"in@example.com","title":"x"}`), full.create("/Users", `{"userName":"out@example.com","title":"x"}`)
		mine := full.create("/Groups", `{"displayName":"Mine","members":[{"value":"`+in+`"}]}`)
		other := full.create("/Groups", `{"displayName":"Other","members":[{"value":"`+in+`"},{"value":"`+out+`"}]}`)
		c := s.limited(httpapi.Limits{Groups: []string{mine}})
		for _, id := range []string{out, "00unobody"} {
			for _, q := range []struct{ method, body string }{
				{"GET", ""}, {"HEAD", ""}, {"PUT", `{"userName":"out@example.com"}`}, {"PATCH", patchBody(`{"op":"add","path":"title","value":"y"}`)},
				{"PATCH", patchBody(`{"op":"add","path":"password","value":"x"}`)}, {"DELETE", ""},
			} {
				if r := c.do(q.method, "/Users/"+id, q.body); r.status != http.StatusNotFound {
					t.Errorf("%s %s: %d %s", q.method, id, r.status, r.raw)
				}
				if r := c.do(q.method, "/Users/"+id, q.body, "If-None-Match", "*", "If-Match", `W/"7"`); r.status != http.StatusNotFound {
					t.Errorf("%s %s with conditions: %d %s", q.method, id, r.status, r.raw)
				}
			}
		}
		for _, q := range []struct{ method, body string }{{"GET", ""}, {"PUT", `{"displayName":"x"}`}, {"PATCH", patchBody(`{"op":"remove","path":"members"}`)}, {"DELETE", ""}} {
			for _, id := range []string{other, s.dir.EveryoneID(), s.dir.AdministratorsID(), "00gnone"} {
				c.refused(http.StatusNotFound, "", q.method, "/Groups/"+id, q.body)
			}
		}
		for path, want := range map[string][]string{
			"/Users": {in}, filtered("/Users", `title eq "x"`): {in}, filtered("/Users", `id eq "`+out+`"`): nil, filtered("/Users", `not (userName eq "in@example.com")`): nil,
			filtered("/Users", `groups.value eq "`+mine+`"`): {in}, filtered("/Users", `groups.value eq "`+other+`"`): nil, filtered("/Users", `groups.display eq "Other"`): nil,
			filtered("/Users", `groups[value eq "`+other+`" and type eq "direct"]`): nil, "/Users?cursor&count=1": {in}, "/Groups": {mine}, filtered("/Groups", `displayName eq "Other"`): nil,
			filtered("/Groups", `members.value eq "`+in+`"`): {mine}, filtered("/Groups", `members.value eq "`+out+`"`): nil, "": {mine, in},
		} {
			r := c.must(http.StatusOK, "GET", path, "")
			slices.Sort(want)
			if got := r.ids(); !slices.Equal(got, want) || r.body["totalResults"] != nil && r.body["totalResults"] != float64(len(want)) {
				t.Errorf("%s: got %v, want %v: %s", path, got, want, r.raw)
			}
			if strings.Contains(r.raw, "Other") || strings.Contains(r.raw, out) {
				t.Errorf("%s leaks: %s", path, r.raw)
			}
		}
		if r := c.must(http.StatusOK, "GET", "/Users?count=0", ""); r.body["totalResults"] != 1.0 {
			t.Errorf("total: %s", r.raw)
		}
		for filter, want := range map[string]float64{ // no total tells of anybody else
			`title eq "x"`: 1, `title sw "x"`: 1, `title pr`: 1, `title eq null`: 0, `not (title eq "y")`: 1, `active eq true`: 1, `active ne false`: 1, `id pr`: 1,
		} {
			for _, page := range []string{"&count=0", "&count=0&cursor"} {
				if r := c.must(http.StatusOK, "GET", filtered("/Users", filter)+page, ""); r.body["totalResults"] != want {
					t.Errorf("%s%s: %s, want a total of %v", filter, page, r.raw, want)
				}
			}
		}
		if r := c.must(http.StatusOK, "GET", filtered("/Groups", `id pr`)+"&count=0", ""); r.body["totalResults"] != 1.0 {
			t.Errorf("total of groups: %s", r.raw)
		}
		c.refused(http.StatusForbidden, "", "GET", "/Users?changedSince=", "")
		c.refused(http.StatusForbidden, "", "GET", "?changedSince=", "")
		// It brings in nobody whom it does not see, and makes and ends no group.
		c.refused(http.StatusBadRequest, "invalidValue", "PATCH", "/Groups/"+mine, patchBody(`{"op":"add","path":"members","value":[{"value":"`+out+`"}]}`), out, "operation 1")
		c.refused(http.StatusBadRequest, "invalidValue", "PUT", "/Groups/"+mine, `{"displayName":"Mine","members":[{"value":"`+in+`"},{"value":"`+out+`"}]}`)
		c.refused(http.StatusBadRequest, "invalidValue", "PATCH", "/Groups/"+mine, patchBody(`{"op":"add","path":"members","value":[{"value":"`+other+`"}]}`), other)
		c.refused(http.StatusForbidden, "", "POST", "/Groups", `{"displayName":"New"}`)
		c.refused(http.StatusForbidden, "", "DELETE", "/Groups/"+mine, "")
		c.refused(http.StatusConflict, "uniqueness", "POST", "/Users", `{"userName":"OUT@example.com"}`) // a name is a name (documented)
		// Who is created can be seen, and who leaves can not.
		made := c.create("/Users", `{"userName":"made@example.com"}`)
		if got := full.members(mine); !slices.Contains(got, made) {
			t.Errorf("members %v lack %s", got, made)
		}
		if r := c.must(http.StatusOK, "GET", "/Users/"+made, ""); at(r.body, "groups", 0, "value") != mine || at(r.body, "groups", 1) != nil {
			t.Errorf("made: %s", r.raw)
		}
		c.must(http.StatusNoContent, "PATCH", "/Groups/"+mine, patchBody(`{"op":"remove","path":"members[value eq \"`+in+`\"]"}`))
		c.refused(http.StatusNotFound, "", "GET", "/Users/"+in, "")
		c.must(http.StatusNoContent, "DELETE", "/Users/"+made, "")
		if got := full.members(other); len(got) != 2 {
			t.Errorf("members of the other group: %v", got)
		}
		full.must(http.StatusNoContent, "DELETE", "/Groups/"+mine, "")
		if r := c.must(http.StatusOK, "GET", "/Users", ""); r.body["totalResults"] != 0.0 {
			t.Errorf("after the end of the group: %s", r.raw)
		}
		if r := c.do("POST", "/Users", `{"userName":"late@example.com"}`); r.status != http.StatusForbidden {
			t.Errorf("a user into a group that is gone: %d %s", r.status, r.raw)
		}
	})
}

// TestCheckLimits: a limit that means nothing is none that an administrator wanted.
func TestCheckLimits(t *testing.T) {
	each(t, func(t *testing.T, s *service, full *client) {
		group := full.create("/Groups", `{"displayName":"Readers"}`)
		check := scim.CheckLimits(s.dir)
		for _, l := range []httpapi.Limits{
			{}, {ResourceTypes: []string{"User", "Group"}}, {Groups: []string{group}}, {ReadAttributes: []string{"userName", "displayName", "members"}},
			{ReadAttributes: []string{"name", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"}, WriteAttributes: []string{"name.givenName", "password", "department"}},
		} {
			if err := check(t.Context(), &l); err != nil {
				t.Errorf("%+v: %v", l, err)
			}
		}
		for want, l := range map[string]httpapi.Limits{
			"Person":         {ResourceTypes: []string{"Person"}},
			"nosuch":         {ReadAttributes: []string{"userName", "nosuch"}},
			"members":        {ResourceTypes: []string{"User"}, WriteAttributes: []string{"members"}},
			"title":          {ReadAttributes: []string{"userName"}, WriteAttributes: []string{"title"}},
			"00gnone":        {Groups: []string{"00gnone"}},
			"Everyone":       {Groups: []string{s.dir.EveryoneID()}},
			"Administrators": {Groups: []string{group, s.dir.AdministratorsID()}},
			"more than":      {Groups: slices.Repeat([]string{group}, 51)},
		} {
			if err := check(t.Context(), &l); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%+v: %v, want an error that names %s", l, err, want)
			}
		}
	})
}

// TestADV63_LimitsAndOtherTypes: a token that is confined to groups speaks of people and
// groups alone.
func TestADV63_LimitsAndOtherTypes(t *testing.T) {
	eachDevice(t, func(t *testing.T, s *service, full *client) {
		group := full.create("/Groups", `{"displayName":"Readers"}`)
		device := full.create("/Devices", fullDevice)
		c := s.limited(httpapi.Limits{Groups: []string{group}})
		c.refused(http.StatusForbidden, "", "GET", "/Devices", "")
		c.refused(http.StatusForbidden, "", "GET", "/Devices/"+device, "")
		c.refused(http.StatusForbidden, "", "POST", "/Devices", fullDevice)
		if r := c.must(http.StatusOK, "GET", "", ""); strings.Contains(r.raw, device) {
			t.Errorf("root shows %s", r.raw)
		}
		told := s.limited(httpapi.Limits{Groups: []string{group}, ResourceTypes: []string{"Device"}})
		told.must(http.StatusOK, "GET", "/Devices/"+device, "")
		told.refused(http.StatusForbidden, "", "GET", "/Users", "")
	})
}

// TestADV63_LimitsInBulk: each operation of a bulk request is held to the limits.
func TestADV63_LimitsInBulk(t *testing.T) {
	each(t, func(t *testing.T, s *service, full *client) {
		in, out := full.create("/Users", `{"userName":"in@example.com"}`), full.create("/Users", `{"userName":"out@example.com"}`)
		mine := full.create("/Groups", `{"displayName":"Mine","members":[{"value":"`+in+`"}]}`)
		c := s.limited(httpapi.Limits{Groups: []string{mine}, WriteAttributes: []string{"userName", "title", "members"}})
		results := c.bulk(0,
			newUser("new", "new@example.com"),
			bulkOp{Method: "PATCH", Path: "/Users/" + in, Data: json.RawMessage(patchBody(`{"op":"add","path":"title","value":"T"}`))},
			bulkOp{Method: "PATCH", Path: "/Users/" + in, Data: json.RawMessage(patchBody(`{"op":"add","path":"nickName","value":"N"}`))},
			bulkOp{Method: "PATCH", Path: "/Users/" + out, Data: json.RawMessage(patchBody(`{"op":"add","path":"title","value":"T"}`))},
			bulkOp{Method: "PUT", Path: "/Users/" + out, Data: raw(`{"userName":"out@example.com"}`)},
			bulkOp{Method: "DELETE", Path: "/Users/" + out}, bulkOp{Method: "DELETE", Path: "/Users/" + in},
			bulkOp{Method: "POST", Path: "/Groups", BulkID: "g", Data: raw(`{"displayName":"G"}`)},
			bulkOp{Method: "PATCH", Path: "/Groups/" + mine, Data: json.RawMessage(patchBody(`{"op":"add","path":"members","value":[{"value":"` + out + `"}]}`))},
			bulkOp{Method: "POST", Path: "/Users", BulkID: "role", Data: raw(`{"userName":"role@example.com","roles":[{"value":"admin"}]}`)},
		)
		wantStatuses(t, results, "201 200 403 404 404 404 403 403 400 403")
		if got := full.members(mine); !slices.Contains(got, results[0].id()) || slices.Contains(got, out) {
			t.Errorf("members %v", got)
		}
		only := s.limited(httpapi.Limits{ResourceTypes: []string{"User"}})
		wantStatuses(t, only.bulk(0, bulkOp{Method: "DELETE", Path: "/Groups/" + mine}, newUser("n2", "n2@example.com")), "403 201")
	})
}

// TestADV51_LimitedElements: elements are not chosen by what may not be read either.
func TestADV51_LimitedElements(t *testing.T) {
	each(t, func(t *testing.T, s *service, full *client) {
		ana := full.create("/Users", `{"userName":"ana@example.com","displayName":"Ana"}`)
		group := full.create("/Groups", `{"displayName":"Readers","members":[{"value":"`+ana+`"}]}`)
		c := s.limited(httpapi.Limits{ReadAttributes: []string{"members.value", "displayName"}})
		path := "/Groups/" + group + "?attributes="
		c.refused(http.StatusForbidden, "", "GET", path+url.QueryEscape(`members[type eq "User"]`), "", "members.type")
		for _, attributes := range []string{"", "members", `members[value eq "` + ana + `"]`, "members[startIndex=1&count=1]"} {
			r := c.must(http.StatusOK, "GET", path+url.QueryEscape(attributes), "")
			if !strings.Contains(r.raw, ana) || strings.Contains(r.raw, `"type"`) || strings.Contains(r.raw, "$ref") {
				t.Errorf("%s: %s", attributes, r.raw)
			}
		}
		hidden := s.limited(httpapi.Limits{ReadAttributes: []string{"displayName"}})
		if r := hidden.must(http.StatusOK, "GET", path+"members", ""); strings.Contains(r.raw, ana) {
			t.Errorf("hidden members: %s", r.raw)
		}
	})
}

// TestADV55_NameOfANestedGroup: a token that is limited to groups learns of a group in one
// of them that it is there, and not what it is called.
func TestADV55_NameOfANestedGroup(t *testing.T) {
	each(t, func(t *testing.T, s *service, full *client) {
		inner := full.create("/Groups", `{"displayName":"Hush"}`)
		mine := full.create("/Groups", `{"displayName":"Mine","members":[{"value":"`+inner+`"}]}`)
		c := s.limited(httpapi.Limits{Groups: []string{mine}})
		for _, path := range []string{"/Groups/" + mine, "/Groups/" + mine + "?attributes=members.display", "/Groups?attributes=members.display,members.value"} {
			if r := c.must(http.StatusOK, "GET", path, ""); strings.Contains(r.raw, "Hush") {
				t.Errorf("%s: %s", path, r.raw)
			}
			if r := full.must(http.StatusOK, "GET", "/Groups/"+mine+"?attributes=members.display", ""); !strings.Contains(r.raw, "Hush") {
				t.Errorf("without a limit: %s", r.raw)
			}
		}
		if r := c.must(http.StatusOK, "GET", filtered("/Groups", `members.display sw "Hu"`), ""); r.body["totalResults"] != 0.0 {
			t.Errorf("a filter tells: %s", r.raw)
		}
		c.do("PATCH", "/Groups/"+mine, patchBody(`{"op":"remove","path":"members[display sw \"Hu\"]"}`))
		if got := full.members(mine); len(got) != 1 {
			t.Errorf("a value filter of a PATCH tells: %v", got)
		}
	})
}
