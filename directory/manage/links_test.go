package manage_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const relations = "/meta/schemas/user/linkedObjects"

func relation(primary, associated string) string {
	return fmt.Sprintf(`{"primary":{"name":%q,"title":"Manager","description":"d","type":"USER"},
		"associated":{"name":%q,"title":"Subordinate","description":"d","type":"USER"}}`, primary, associated)
}

func (s *service) person(login string) string {
	s.t.Helper()
	body := fmt.Sprintf(`{"profile":{"login":%q,"email":%q,"firstName":"A","lastName":"B"}}`, login, login)
	id, _ := at(s.must(http.StatusOK, "POST", "/users", body).body, "id").(string)
	return id
}

// linked are the IDs that a relation shows of a user.
func (s *service) linked(user, name string) []string {
	s.t.Helper()
	ids := []string{}
	for _, l := range s.must(http.StatusOK, "GET", "/users/"+user+"/linkedObjects/"+name, "").body.([]any) {
		href, _ := at(l, "_links", "self", "href").(string)
		ids = append(ids, strings.TrimPrefix(href, "https://id.example/api/v1/users/"))
	}
	return ids
}

func TestLinkedObjects(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		r := s.must(http.StatusCreated, "POST", relations, relation("manager", "subordinate"))
		if got := at(r.body, "_links", "self", "href"); got != "https://id.example/api/v1"+relations+"/manager" {
			t.Errorf("self: %v", got)
		}
		boss, other, one, two := s.person("boss@example.com"), s.person("other@example.com"), s.person("one@example.com"), s.person("two@example.com")
		for _, put := range [][2]string{{one, boss}, {two, boss}, {two, other}, {boss, boss}, {one, boss}} {
			s.must(http.StatusNoContent, "PUT", "/users/"+put[0]+"/linkedObjects/manager/"+put[1], "")
		}
		want := map[string][]string{"one": {boss}, "two": {other}, "self": {boss}, "of boss": {boss, one}, "of other": {two}, "of one": {}}
		got := map[string][]string{
			"one": s.linked(one, "manager"), "two": s.linked("two@example.com", "manager"), "self": s.linked(boss, "manager"),
			"of boss": s.linked(boss, "subordinate"), "of other": s.linked(other, "subordinate"), "of one": s.linked(one, "subordinate"),
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		s.must(http.StatusNoContent, "DELETE", "/users/"+one+"/linkedObjects/manager", "")
		s.must(http.StatusNoContent, "DELETE", "/users/"+one+"/linkedObjects/manager", "")
		if got := s.linked(boss, "subordinate"); !cmp.Equal(got, []string{boss}) {
			t.Errorf("after the link was deleted: %v", got)
		}
		for range 2 { // deactivates, then deletes
			s.must(http.StatusNoContent, "DELETE", "/users/"+other, "")
		}
		if got := s.linked(two, "manager"); len(got) != 0 {
			t.Errorf("linked to somebody who is deleted: %v", got)
		}
		s.must(http.StatusNoContent, "DELETE", relations+"/subordinate", "")
		s.must(http.StatusNotFound, "GET", relations+"/manager", "")
		s.must(http.StatusNotFound, "GET", "/users/"+boss+"/linkedObjects/manager", "")
		s.must(http.StatusCreated, "POST", relations, relation("manager", "subordinate"))
		if got := s.linked(boss, "manager"); len(got) != 0 {
			t.Errorf("a new relation has the links of the old: %v", got)
		}
	})
}

func TestLinkedObjects_BadInput(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		s.must(http.StatusCreated, "POST", relations, relation("manager", "subordinate"))
		one := s.person("one@example.com")
		for name, c := range map[string]struct {
			status             int
			method, path, body string
		}{
			"name in use":         {http.StatusConflict, "POST", relations, relation("manager", "other")},
			"name of other side":  {http.StatusConflict, "POST", relations, relation("Subordinate", "other")},
			"same names":          {http.StatusBadRequest, "POST", relations, relation("a", "A")},
			"bad name":            {http.StatusBadRequest, "POST", relations, relation("a b", "c")},
			"no name":             {http.StatusBadRequest, "POST", relations, relation("", "c")},
			"long name":           {http.StatusBadRequest, "POST", relations, relation(strings.Repeat("a", 101), "c")},
			"groups":              {http.StatusBadRequest, "POST", relations, strings.ReplaceAll(relation("a", "c"), "USER", "GROUP")},
			"no body":             {http.StatusBadRequest, "POST", relations, `{}`},
			"no JSON":             {http.StatusBadRequest, "POST", relations, `{`},
			"unknown relation":    {http.StatusNotFound, "PUT", "/users/" + one + "/linkedObjects/friend/" + one, ""},
			"by associated side":  {http.StatusBadRequest, "PUT", "/users/" + one + "/linkedObjects/subordinate/" + one, ""},
			"unknown primary":     {http.StatusNotFound, "PUT", "/users/" + one + "/linkedObjects/manager/00uNobodyNobodyNobod", ""},
			"unknown associated":  {http.StatusNotFound, "PUT", "/users/nobody/linkedObjects/manager/" + one, ""},
			"read unknown":        {http.StatusNotFound, "GET", "/users/" + one + "/linkedObjects/friend", ""},
			"definition unknown":  {http.StatusNotFound, "DELETE", relations + "/friend", ""},
			"name with a NUL":     {http.StatusNotFound, "GET", relations + "/%00", ""},
			"name of other bytes": {http.StatusNotFound, "GET", relations + "/%ff", ""},
		} {
			if r := s.do(c.method, c.path, c.body); r.status != c.status {
				t.Errorf("%s: %d %s, want %d", name, r.status, r.raw, c.status)
			}
		}
	})
}

// One primary per associated user, whoever links at the same time.
func TestLinkedObjects_Concurrent(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		s.must(http.StatusCreated, "POST", relations, relation("manager", "subordinate"))
		people := make([]string, 4)
		for i := range people {
			people[i] = s.person(fmt.Sprintf("p%d@example.com", i))
		}
		var wg sync.WaitGroup
		for i := range 24 {
			wg.Go(func() {
				if r := s.do("PUT", "/users/"+people[i%4]+"/linkedObjects/manager/"+people[(i/4)%4], ""); r.status != http.StatusNoContent {
					t.Errorf("%d %s", r.status, r.raw)
				}
			})
		}
		wg.Wait()
		links := 0
		for _, p := range people {
			links += len(s.linked(p, "subordinate"))
			if got := s.linked(p, "manager"); len(got) != 1 {
				t.Errorf("%s has %d managers", p, len(got))
			}
		}
		if links != len(people) {
			t.Errorf("%d links for %d people", links, len(people))
		}
	})
}
