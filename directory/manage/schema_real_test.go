package manage_test

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/provost-id/provost/directory"
)

// settle works off what changes of the schema have begun.
func (s *service) settle() {
	s.t.Helper()
	s.dir.SchemaGrace = 0
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.dir.RunSchemas(ctx) }()
	defer func() {
		stop()
		if err := <-done; err != nil {
			s.t.Errorf("RunSchemas: %v", err)
		}
	}()
	for {
		running, err := s.dir.RunningOperations(s.t.Context())
		if err != nil {
			s.t.Fatal(err)
		}
		if len(running) == 0 {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

func (s *service) logins(query string) (all []string) {
	s.t.Helper()
	r := s.must(http.StatusOK, "GET", "/users?"+query, "")
	for _, u := range r.body.([]any) {
		login, _ := at(u, "profile", "login").(string)
		all = append(all, login)
	}
	slices.Sort(all)
	return all
}

// A custom attribute is as real as a base attribute: typed in expressions, in the profile,
// searched, explained, defaulted, and held to its rules.
func TestCustomAttributes(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		s.define(`"level":{"type":"integer","minimum":1,"maximum":9},"size":{"type":"string","enum":["S","M"],"default":"M"},"tags":{"type":"array","items":{"type":"string"}},
			"remote":{"type":"boolean"},"score":{"type":"number"},"since":{"type":"string","format":"date-time"},"pin":{"type":"string","mutability":"WRITE_ONLY"},
			"origin":{"type":"string","mutability":"IMMUTABLE"},"computed":{"type":"string","mutability":"READ_ONLY"}`)
		a := s.create("a@example.com", "")
		b := s.must(http.StatusOK, "POST", "/users", profile("b@example.com", `,"level":5,"size":"S","tags":["x","Y"],"remote":true,"score":1.5,"since":"2024-05-01T00:00:00Z","pin":"1234","origin":"o"`)+`}`)
		id, _ := at(b.body, "id").(string)
		if at(b.body, "profile", "level") != 5.0 || at(b.body, "profile", "tags", 1) != "Y" || at(b.body, "profile", "remote") != true || at(b.body, "profile", "size") != "S" {
			t.Errorf("created: %s", b.raw)
		}
		if got := s.must(http.StatusOK, "GET", "/users/"+a, ""); at(got.body, "profile", "size") != "M" {
			t.Errorf("without the default: %s", got.raw)
		}
		for search, want := range map[string]string{
			`profile.level ge 5`: "b@example.com", `profile.size eq "M"`: "a@example.com", `profile.tags eq "y"`: "b@example.com",
			`profile.remote eq true`: "b@example.com", `profile.score gt 1`: "b@example.com", `profile.since lt "2025-01-01T00:00:00Z"`: "b@example.com",
			`profile.level pr and profile.login sw "b"`: "b@example.com", `profile.origin sw "O"`: "b@example.com",
		} {
			if got := s.logins("search=" + url.QueryEscape(search)); !slices.Equal(got, []string{want}) {
				t.Errorf("%s: %v, want %s", search, got, want)
			}
		}
		s.refused(http.StatusBadRequest, "E0000031", "GET", "/users?search="+url.QueryEscape(`profile.pin eq "1234"`), "", "pin")
		for field, value := range map[string]string{"level": `10`, "size": `"L"`, "tags": `"x"`, "remote": `"yes"`, "score": `"x"`, "since": `"yesterday"`} {
			s.refused(http.StatusBadRequest, "E0000001", "POST", "/users/"+id, `{"profile":{"`+field+`":`+value+`}}`, field)
		}
		s.refused(http.StatusForbidden, "E0000078", "POST", "/users/"+id, `{"profile":{"origin":"p"}}`, "origin")
		s.refused(http.StatusForbidden, "E0000077", "POST", "/users/"+id, `{"profile":{"computed":"p"}}`, "computed")
		s.refused(http.StatusForbidden, "E0000077", "POST", "/users", profile("c@example.com", `,"computed":"p"`)+`}`, "computed")
		why := s.must(http.StatusOK, "GET", "/users/"+id+"/why/level", "")
		if at(why.body, "value") != 5.0 || at(why.body, "source", "kind") != directory.SourceManage {
			t.Errorf("why: %s", why.raw)
		}
		s.refused(http.StatusBadRequest, "E0000001", "POST", "/groups/rules", `{"type":"group_rule","name":"R","conditions":{"expression":{"type":"urn:okta:expression:1.0","value":"user.level == \"x\""}},"actions":{"assignUserToGroups":{"groupIds":["00gnone"]}}}`, "expression")
		s.refused(http.StatusBadRequest, "E0000001", "POST", "/groups/rules", `{"type":"group_rule","name":"R","conditions":{"expression":{"type":"urn:okta:expression:1.0","value":"user.pin == \"x\""}},"actions":{"assignUserToGroups":{"groupIds":["00gnone"]}}}`, "pin")
		put := s.must(http.StatusOK, "PUT", "/users/"+id, profile("b@example.com", "")+`}`)
		if at(put.body, "profile", "level") != nil || at(put.body, "profile", "origin") != "o" {
			t.Errorf("replaced: %s", put.raw)
		}
		for _, path := range []string{"/users/" + id, "/users", "/logs", "/users/" + id + "/why/pin"} {
			if r := s.must(http.StatusOK, "GET", path, ""); strings.Contains(r.raw, "1234") {
				t.Errorf("%s shows what nobody may see: %s", path, r.raw)
			}
		}
	})
}

// A group rule or a mapping that reads an attribute keeps it from going.
func TestCustomAttributes_InUse(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		s.define(`"level":{"type":"integer"},"spare":{"type":"string"}`)
		group, _ := at(s.must(http.StatusOK, "POST", "/groups", `{"profile":{"name":"Senior"}}`).body, "id").(string)
		rule := s.must(http.StatusOK, "POST", "/groups/rules", `{"type":"group_rule","name":"Seniors","conditions":{"expression":{"type":"urn:okta:expression:1.0","value":"user.level != null && user.level > 3"}},"actions":{"assignUserToGroups":{"groupIds":["`+group+`"]}}}`)
		s.badSchema("E0000001", `"level":null`, "level", "Seniors")
		s.define(`"spare":null`)
		id, _ := at(rule.body, "id").(string)
		s.must(http.StatusNoContent, "DELETE", "/groups/rules/"+id, "")
		s.settle()
		s.define(`"level":null`)
	})
}

func TestUserSchema_Unique(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		s.define(`"badge":{"type":"string"}`)
		a := s.must(http.StatusOK, "POST", "/users", profile("a@example.com", `,"badge":"One"`)+`}`)
		s.must(http.StatusOK, "POST", "/users", profile("b@example.com", `,"badge":"Two"`)+`}`)
		r := s.define(`"badge":{"unique":true}`)
		if at(property(r, "badge"), "unique") != "PENDING_UNIQUENESS" || at(property(r, "badge"), "_progress", 0, "kind") != "UNIQUE" || at(property(r, "badge"), "_progress", 0, "total") != 2.0 {
			t.Errorf("while it is checked: %v", property(r, "badge"))
		}
		s.refused(http.StatusConflict, "E0000195", "POST", userSchema, customSchema(`"badge":{"maxLength":3}`), "badge", "UNIQUE")
		s.refused(http.StatusBadRequest, "E0000001", "POST", "/users", profile("c@example.com", `,"badge":"ONE"`)+`}`, "badge: An object with this field already exists")
		s.settle()
		r = s.must(http.StatusOK, "GET", userSchema, "")
		if at(property(r, "badge"), "unique") != "UNIQUE_VALIDATED" || at(property(r, "badge"), "_progress") != nil {
			t.Errorf("checked: %v", property(r, "badge"))
		}
		ops := s.must(http.StatusOK, "GET", "/meta/schemas/operations", "")
		id, _ := at(ops.body, 0, "id").(string)
		if got := s.must(http.StatusOK, "GET", "/meta/schemas/operations/"+id, ""); at(got.body, "status") != "SUCCEEDED" || at(got.body, "done") != 2.0 || at(got.body, "attribute") != "badge" {
			t.Errorf("operation: %s", got.raw)
		}
		s.refused(http.StatusNotFound, "E0000007", "GET", "/meta/schemas/operations/tsknone", "", "tsknone")
		s.define(`"badge":{"unique":false}`)
		s.settle()
		s.must(http.StatusOK, "POST", "/users", profile("c@example.com", `,"badge":"ONE"`)+`}`)
		s.define(`"badge":{"unique":true}`)
		s.settle()
		if r = s.must(http.StatusOK, "GET", userSchema, ""); at(property(r, "badge"), "unique") != nil {
			t.Errorf("two have the same: %v", property(r, "badge"))
		}
		ops = s.must(http.StatusOK, "GET", "/meta/schemas/operations", "")
		uid, _ := at(a.body, "id").(string)
		if !strings.Contains(ops.raw, `"status":"FAILED","reason":"`+uid) {
			t.Errorf("no reason: %s", ops.raw)
		}
	})
}

func TestGroupSchema(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		const path = "/meta/schemas/group/default"
		r := s.must(http.StatusOK, "POST", path, customSchema(`"cost":{"type":"integer","unique":true}`))
		if at(property(r, "cost"), "type") != "integer" || at(r.body, "definitions", "base", "properties", "name", "maxLength") != 255.0 {
			t.Errorf("schema: %s", r.raw)
		}
		s.refused(http.StatusBadRequest, "E0000001", "POST", path, customSchema(`"description":{"type":"string"}`), "description")
		s.refused(http.StatusBadRequest, "E0000001", "POST", path, `{"definitions":{"base":{"properties":{"name":{"maxLength":3}}}}}`, "name.maxLength")
		g := s.must(http.StatusOK, "POST", "/groups", `{"profile":{"name":"A","cost":7}}`)
		if at(g.body, "profile", "cost") != 7.0 {
			t.Errorf("group: %s", g.raw)
		}
		s.refused(http.StatusBadRequest, "E0000001", "POST", "/groups", `{"profile":{"name":"B","cost":7}}`, "cost")
		s.refused(http.StatusConflict, "E0000055", "POST", "/groups", `{"profile":{"name":"A","cost":8}}`)
		if got := s.must(http.StatusOK, "GET", "/groups?search="+url.QueryEscape("profile.cost eq 7"), ""); len(got.body.([]any)) != 1 {
			t.Errorf("search: %s", got.raw)
		}
	})
}

func TestUserTypes(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		r := s.must(http.StatusOK, "GET", "/meta/types/user", "")
		if at(r.body, 0, "id") != "default" || at(r.body, 0, "default") != true {
			t.Errorf("types: %s", r.raw)
		}
		s.must(http.StatusOK, "GET", "/meta/types/user/default", "")
		s.refused(http.StatusNotFound, "E0000007", "GET", "/meta/types/user/other", "", "other")
		s.refused(http.StatusForbidden, "E0000142", "DELETE", "/meta/types/user/default", "")
	})
}
