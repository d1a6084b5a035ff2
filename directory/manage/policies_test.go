package manage_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-id/provost/internal/httpapi"
)

func TestPasswordPolicy(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		r := s.must(http.StatusOK, "GET", "/policies?type=PASSWORD", "")
		id, _ := at(r.body, 0, "id").(string)
		if len(id) != 20 || at(r.body, 1) != nil || at(r.body, 0, "system") != true || at(r.body, 0, "type") != "PASSWORD" {
			t.Fatalf("list: %s", r.raw)
		}
		r = s.must(http.StatusOK, "GET", "/policies/"+id, "")
		want := map[string]any{
			"complexity": map[string]any{
				"minLength": 8., "minLowerCase": 0., "minUpperCase": 0., "minNumber": 0., "minSymbol": 0., "excludeUsername": true,
				"excludeAttributes": []any{"firstName", "lastName"}, "dictionary": map[string]any{"common": map[string]any{"exclude": true}},
			},
			"age":     map[string]any{"maxAgeDays": 0., "expireWarnDays": 0., "minAgeMinutes": 0., "historyCount": 0.},
			"lockout": map[string]any{"maxAttempts": 10., "autoUnlockMinutes": 15., "showLockoutFailures": false},
		}
		if diff := cmp.Diff(want, at(r.body, "settings", "password")); diff != "" {
			t.Errorf("settings: %s", diff)
		}
		// What was read goes back as it is.
		changed := strings.Replace(r.raw, `"minNumber":0`, `"minNumber":1`, 1)
		r = s.must(http.StatusOK, "PUT", "/policies/"+id, changed)
		if at(r.body, "settings", "password", "complexity", "minNumber") != 1. || at(r.body, "lastUpdated") == nil {
			t.Errorf("after PUT: %s", r.raw)
		}
		s.refused(http.StatusForbidden, "E0000080", "POST", "/users", profile("bob@example.com", "")+withPassword+`}`, "minNumber")
		// What is left out has its default.
		r = s.must(http.StatusOK, "PUT", "/policies/"+id, `{"type":"PASSWORD","name":"Default Policy","settings":{"password":{"complexity":{"minLength":10}}}}`)
		if at(r.body, "settings", "password", "complexity", "minNumber") != 0. || at(r.body, "settings", "password", "complexity", "minLength") != 10. ||
			at(r.body, "settings", "password", "lockout", "maxAttempts") != 10. {
			t.Errorf("after a short PUT: %s", r.raw)
		}
	})
}

func TestPasswordPolicyErrors(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		id, _ := at(s.must(http.StatusOK, "GET", "/policies?type=PASSWORD", "").body, 0, "id").(string)
		s.refused(http.StatusBadRequest, "E0000028", "GET", "/policies", "", "type")
		s.refused(http.StatusBadRequest, "E0000001", "GET", "/policies?type=OKTA_SIGN_ON", "", "type")
		for _, method := range []string{"GET", "PUT", "DELETE"} {
			body := ""
			if method == "PUT" {
				body = `{"settings":{}}`
			}
			s.refused(http.StatusNotFound, "E0000007", method, "/policies/00pnone", body, "00pnone", "Policy")
		}
		s.refused(http.StatusForbidden, "E0000111", "DELETE", "/policies/"+id, "")
		for body, words := range map[string][]string{
			`{}`: {"settings"},
			`{"settings":{"password":{"complexity":{"minLength":2}}}}`:                {"settings.password.complexity.minLength", "4 to 72"},
			`{"settings":{"password":{"complexity":{"minLength":"8"}}}}`:              {"minLength", "wrong type"},
			`{"settings":{"password":{"complexity":{"breachedProtection":true}}}}`:    {"breachedProtection"},
			`{"settings":{"recovery":{"factors":{}}}}`:                                {"recovery"},
			`{"settings":{"password":{"lockout":{"showLockoutFailures":true}}}}`:      {"showLockoutFailures"},
			`{"settings":{},"name":"Mine"}`:                                           {"name"},
			`{"settings":{},"status":"INACTIVE"}`:                                     {"status"},
			`{"settings":{},"type":"OKTA_SIGN_ON"}`:                                   {"type"},
			`{"settings":{},"conditions":{"people":{"groups":{"include":["00gx"]}}}}`: {"conditions"},
			`{"settings":{},"rules":[]}`:                                              {"rules"},
		} {
			s.refused(http.StatusBadRequest, "E0000001", "PUT", "/policies/"+id, body, words...)
		}
		if r := s.must(http.StatusOK, "GET", "/policies/"+id, ""); at(r.body, "settings", "password", "complexity", "minLength") != 8. {
			t.Errorf("a refused PUT changed the policy: %s", r.raw)
		}
		s.token = s.newToken(httpapi.ScopeManageRead)
		if r := s.do("PUT", "/policies/"+id, `{"settings":{}}`); r.status != http.StatusForbidden {
			t.Errorf("PUT without the manage scope: %d %s", r.status, r.raw)
		}
	})
}
