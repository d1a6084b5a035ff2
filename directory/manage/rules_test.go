package manage_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-id/provost/internal/httpapi"
)

func ruleJSON(name, condition, more string, groups ...string) string {
	return fmt.Sprintf(`{"type":"group_rule","name":%q,"conditions":{"expression":{"type":"urn:okta:expression:1.0","value":%q}%s},
		"actions":{"assignUserToGroups":{"groupIds":["%s"]}}}`, name, condition, more, strings.Join(groups, `","`))
}

func (s *service) group(name string) string {
	s.t.Helper()
	id, _ := at(s.must(http.StatusOK, "POST", "/groups", `{"profile":{"name":"`+name+`"}}`).body, "id").(string)
	return id
}

func (s *service) rule(body string) string {
	s.t.Helper()
	id, _ := at(s.must(http.StatusOK, "POST", "/groups/rules", body).body, "id").(string)
	return id
}

// runRules works passes off until the test ends.
func (s *service) runRules(t *testing.T) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.dir.RunRules(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// settled waits for the end of a rule's pass.
func (s *service) settled(id string) reply {
	s.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		r := s.must(http.StatusOK, "GET", "/groups/rules/"+id, "")
		if at(r.body, "progress") == nil {
			return r
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("the pass does not end: %s", r.raw)
		}
	}
}

func (s *service) memberCount(group string) int {
	s.t.Helper()
	list, _ := s.must(http.StatusOK, "GET", "/groups/"+group+"/users", "").body.([]any)
	return len(list)
}

// The contract: shapes, status codes, lifecycle.
func TestGroupRules(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		g := s.group("Sales")
		out := s.create("out@example.com", `,"credentials":{}`)
		first := s.must(http.StatusOK, "POST", "/users", profile("a@example.com", `,"department":"Sales"`)+`}`)
		r := s.must(http.StatusOK, "POST", "/groups/rules", ruleJSON("Sales rule", `user.department == "Sales"`, `,"people":{"users":{"exclude":["`+out+`"]},"groups":{"exclude":[]}}`, g))
		body, _ := r.body.(map[string]any)
		id, _ := body["id"].(string)
		want := map[string]any{
			"type": "group_rule", "id": id, "status": "INACTIVE", "name": "Sales rule", "created": body["created"], "lastUpdated": body["created"], "allGroupsValid": true,
			"conditions": map[string]any{
				"expression": map[string]any{"type": "urn:okta:expression:1.0", "value": `user.department == "Sales"`},
				"people":     map[string]any{"users": map[string]any{"exclude": []any{out}}, "groups": map[string]any{"exclude": []any{}}},
			},
			"actions": map[string]any{"assignUserToGroups": map[string]any{"groupIds": []any{g}}},
		}
		if diff := cmp.Diff(want, r.body); diff != "" || !strings.HasPrefix(id, "0pr") || len(id) != 20 {
			t.Errorf("created %s:\n%s", id, diff)
		}
		if got := s.must(http.StatusOK, "GET", "/groups/rules/"+id, ""); !cmp.Equal(got.body, r.body) {
			t.Errorf("read %s", got.raw)
		}
		s.must(http.StatusNoContent, "POST", "/groups/rules/"+id+"/lifecycle/activate", "")
		if got := s.must(http.StatusOK, "GET", "/groups/rules/"+id, ""); at(got.body, "status") != "ACTIVE" || at(got.body, "progress", "operation") != "APPLY" || at(got.body, "progress", "total") != 2.0 {
			t.Errorf("active: %s", got.raw)
		}
		s.runRules(t)
		s.settled(id)
		user, _ := at(first.body, "id").(string)
		if list := s.must(http.StatusOK, "GET", "/groups/"+g+"/users", ""); at(list.body, 0, "id") != user || at(list.body, 1) != nil {
			t.Errorf("members: %s", list.raw)
		}
		s.must(http.StatusOK, "POST", "/users/"+out, `{"profile":{"department":"Sales"}}`)
		if n := s.memberCount(g); n != 1 {
			t.Errorf("%d members, want the excluded one left out", n)
		}
		s.refused(http.StatusBadRequest, "E0000001", "PUT", "/groups/rules/"+id, ruleJSON("New", "true", "", g), "INACTIVE")
		s.must(http.StatusNoContent, "POST", "/groups/rules/"+id+"/lifecycle/deactivate", "")
		changed := s.must(http.StatusOK, "PUT", "/groups/rules/"+id, ruleJSON("New", `user.department == "Sales" || false`, "", g))
		if at(changed.body, "name") != "New" || at(changed.body, "conditions", "people", "users", "exclude", 0) != nil || at(changed.body, "status") != "INACTIVE" {
			t.Errorf("changed: %s", changed.raw)
		}
		s.must(http.StatusNoContent, "POST", "/groups/rules/"+id+"/lifecycle/activate", "")
		s.settled(id)
		if n := s.memberCount(g); n != 2 {
			t.Errorf("%d members, want 2 without the exclusion", n)
		}
		s.must(http.StatusNoContent, "POST", "/groups/rules/"+id+"/lifecycle/deactivate?removeUsers=true", "")
		s.settled(id)
		if n := s.memberCount(g); n != 0 {
			t.Errorf("%d members after removeUsers", n)
		}
	})
}

func TestGroupRules_Delete(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		s.runRules(t)
		s.must(http.StatusOK, "POST", "/users", profile("a@example.com", `,"department":"Sales"`)+`}`)
		for _, tt := range []struct {
			query string
			want  int
		}{{"", 1}, {"?removeUsers=false", 1}, {"?removeUsers=true", 0}} {
			g := s.group("G" + tt.query)
			id := s.rule(ruleJSON("R", `user.department == "Sales"`, "", g))
			s.must(http.StatusNoContent, "POST", "/groups/rules/"+id+"/lifecycle/activate", "")
			s.settled(id)
			s.must(http.StatusNoContent, "DELETE", "/groups/rules/"+id+tt.query, "")
			s.refused(http.StatusNotFound, "E0000007", "GET", "/groups/rules/"+id, "", "GroupRule")
			deadline := time.Now().Add(20 * time.Second)
			for s.rows(id) > 0 && time.Now().Before(deadline) {
				time.Sleep(5 * time.Millisecond)
			}
			if n := s.memberCount(g); n != tt.want || s.rows(id) > 0 {
				t.Errorf("%q: %d members, want %d", tt.query, n, tt.want)
			}
		}
	})
}

// rows tells how much of a rule is left.
func (s *service) rows(ruleID string) (n int) {
	s.t.Helper()
	err := s.dir.DB.QueryRow(context.Background(), `SELECT (SELECT count(*) FROM group_rules WHERE id = $1) + (SELECT count(*) FROM rule_grants WHERE rule_id = $1)`, ruleID).Scan(&n)
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

func TestGroupRules_Refused(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		g, other := s.group("Sales"), s.group("Other")
		const rules = "/groups/rules"
		for _, tt := range []struct{ body, word string }{
			{ruleJSON("", "true", "", g), "name"},
			{ruleJSON("R", `user.departmnt == "x"`, "", g), "departmnt"},
			{ruleJSON("R", `user.department == "x" AND true`, "", g), "write \\u0026\\u0026 for AND"},
			{ruleJSON("R", `user.login`, "", g), "want bool"},
			{ruleJSON("R", `true`, "", s.dir.AdministratorsID()), "BUILT_IN"},
			{ruleJSON("R", `true`, "", "00gnone"), "not the id of a group"},
			{ruleJSON("R", `true`, `,"people":{"groups":{"exclude":["`+g+`"]}}`, g), "groups cannot be excluded"},
			{ruleJSON("R", `true`, `,"people":{"users":{"exclude":["nobody"]}}`, g), "not the id of a user"},
			{strings.Replace(ruleJSON("R", `true`, "", g), "expression:1.0", "expression:2.0", 1), "conditions.expression.type"},
			{`{}`, "name"},
			{`{"name":"R","actions":{}}`, "groupIds"},
		} {
			s.refused(http.StatusBadRequest, "E0000001", "POST", rules, tt.body, tt.word)
		}
		s.refused(http.StatusBadRequest, "E0000003", "POST", rules, `{"name"`)
		id := s.rule(ruleJSON("R", "true", "", g))
		s.refused(http.StatusBadRequest, "E0000001", "PUT", rules+"/"+id, ruleJSON("R", "true", "", other), "actions")
		for _, tt := range []struct{ method, path string }{
			{"GET", rules + "/0prnone"}, {"PUT", rules + "/0prnone"}, {"DELETE", rules + "/0prnone"},
			{"POST", rules + "/0prnone/lifecycle/activate"}, {"POST", rules + "/0prnone/lifecycle/deactivate"},
		} {
			body := ""
			if tt.method == "PUT" {
				body = ruleJSON("R", "true", "", g)
			}
			s.refused(http.StatusNotFound, "E0000007", tt.method, tt.path, body)
		}
		s.refused(http.StatusNotFound, "E0000008", "POST", rules+"/"+id+"/lifecycle/explode", "")
		s.refused(http.StatusNotFound, "E0000008", "GET", "/groups/"+g+"/nothing", "")
		s.must(http.StatusNoContent, "DELETE", "/groups/"+g, "")
		if r := s.must(http.StatusOK, "GET", rules+"/"+id, ""); at(r.body, "status") != "INVALID" || at(r.body, "allGroupsValid") != false {
			t.Errorf("after its group was deleted: %s", r.raw)
		}
		s.refused(http.StatusBadRequest, "E0000001", "POST", rules+"/"+id+"/lifecycle/activate", "", "INVALID")
		s.token = s.newToken(httpapi.ScopeManageRead)
		s.must(http.StatusOK, "GET", rules, "")
		s.refused(http.StatusForbidden, "E0000006", "POST", rules+"/"+id+"/lifecycle/deactivate", "")
	})
}

func TestGroupRules_List(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		g := s.group("Sales")
		for i := range 5 {
			s.rule(ruleJSON(fmt.Sprintf("Rule_%d 50%%", i), "true", "", g))
		}
		var names []string
		for path := "/groups/rules?limit=2"; path != ""; {
			r := s.must(http.StatusOK, "GET", path, "")
			list, _ := r.body.([]any)
			for i := range list {
				name, _ := at(list, i, "name").(string)
				names = append(names, name)
			}
			path = ""
			for _, link := range r.header.Values("Link") {
				if url, ok := strings.CutSuffix(link, `>; rel="next"`); ok {
					path = url[strings.Index(url, "/groups"):]
				}
			}
		}
		if len(names) != 5 || names[0] == names[4] {
			t.Errorf("walk: %v", names)
		}
		for search, want := range map[string]int{"rule_3": 1, "RULE": 5, "50%25": 5, "e%251": 0, "": 5} {
			list, _ := s.must(http.StatusOK, "GET", "/groups/rules?search="+search, "").body.([]any)
			if len(list) != want {
				t.Errorf("search %q: %d, want %d", search, len(list), want)
			}
		}
	})
}

// The paths of a group and of the rules stand beside each other in the document.
func TestGroupRules_Document(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		doc := s.must(http.StatusOK, "GET", "/openapi.json", "").body
		for _, path := range []string{"/api/v1/groups/{id}/users", "/api/v1/groups/rules/{id}", "/api/v1/groups/rules/{id}/lifecycle/{operation}"} {
			if at(doc, "paths", path) == nil {
				t.Errorf("%s is not in the document", path)
			}
		}
		if at(doc, "paths", "/api/v1/groups/{id}/{collection}") != nil {
			t.Error("the document shows the wide path")
		}
	})
}
