package manage_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestSearch: search and filter know every attribute of the profile and those of the
// object itself, and sort.
func TestSearch(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		s.create("user0@example.com", "")
		s.must(http.StatusOK, "POST", "/users/user0@example.com", `{"profile":{"secondEmail":"zero@home.example","mobilePhone":"+1 555 0","city":"Ulm","postalAddress":"1 Main Street","employeeNumber":"7"}}`)
		s.create("user1@example.com", "")
		s.must(http.StatusOK, "POST", "/users/user1@example.com", `{"profile":{"lastName":"Aa","city":"Bonn"}}`)
		for query, want := range map[string]string{
			`profile.secondEmail eq "ZERO@home.example"`: "0", `profile.mobilePhone sw "+1"`: "0", `profile.city eq "ulm" or profile.city eq "bonn"`: "0 1",
			`profile.postalAddress co "main"`: "0", `profile.employeeNumber eq "7" and not (profile.city eq "Bonn")`: "0", `not (profile.secondEmail pr)`: "1",
			`profile.email eq "zero@home.example"`: "", `profile.email ge "user1"`: "1", `id pr and created gt "2020-01-01T00:00:00.000Z"`: "0 1",
		} {
			for _, parameter := range []string{"search", "filter"} {
				if got := logins(s.must(http.StatusOK, "GET", "/users?"+parameter+"="+url.QueryEscape(query), "")); got != want {
					t.Errorf("%s=%s: %q, want %q", parameter, query, got, want)
				}
			}
		}
		for query, want := range map[string]string{
			"sortBy=profile.lastName": "1 0", "sortBy=profile.login&sortOrder=desc": "1 0", "sortBy=profile.city&sortOrder=asc": "1 0", "sortBy=created": "0 1",
			"sortBy=lastUpdated&sortOrder=desc": "1 0", "sortBy=profile.employeeNumber": "0 1",
		} {
			if got := logins(s.must(http.StatusOK, "GET", "/users?"+query+"&search="+url.QueryEscape(`status pr`), "")); got != want {
				t.Errorf("%s: %q, want %q", query, got, want)
			}
		}
		s.refused(http.StatusBadRequest, "E0000031", "GET", "/users?sortBy=profile.nosuch", "", "profile.nosuch")
		s.refused(http.StatusBadRequest, "E0000031", "GET", "/users?sortOrder=up", "", "sortOrder")
		s.refused(http.StatusBadRequest, "E0000031", "GET", "/users?search="+url.QueryEscape(`profile.shoe eq "4"`), "", "profile.shoe")
	})
}

func TestSearchGroups(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		user := s.create("ana@example.com", "")
		r := s.must(http.StatusOK, "POST", "/groups", `{"profile":{"name":"Staff","description":"all of us"}}`)
		id, _ := at(r.body, "id").(string)
		s.must(http.StatusNoContent, "PUT", "/groups/"+id+"/users/"+user, "")
		for query, want := range map[string]string{
			`type eq "OKTA_GROUP"`: "Staff", `type eq "BUILT_IN" and profile.name sw "e"`: "Everyone", `not (type eq "BUILT_IN")`: "Staff",
			`profile.description co "US"`: "Staff", `profile.name eq "staff" or id eq "` + id + `"`: "Staff",
			`lastMembershipUpdated gt "2020-01-01T00:00:00.000Z" and type eq "OKTA_GROUP"`: "Staff", `lastMembershipUpdated lt "2020-01-01T00:00:00.000Z"`: "",
			`created pr and profile.description pr`: "Staff",
		} {
			var names []string
			list, _ := s.must(http.StatusOK, "GET", "/groups?search="+url.QueryEscape(query), "").body.([]any)
			for _, g := range list {
				name, _ := at(g, "profile", "name").(string)
				names = append(names, name)
			}
			if got := strings.Join(names, " "); got != want {
				t.Errorf("%s: %q, want %q", query, got, want)
			}
		}
		s.refused(http.StatusBadRequest, "E0000031", "GET", "/groups?search="+url.QueryEscape(`status eq "ACTIVE"`), "", "status")
	})
}
