package manage_test

import (
	"net/http"
	"testing"
)

// A path that is not text names nothing, and a query that cannot be read is an error: a
// filter that is left out answers with everybody.
func TestUnreadableURL(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		s.create("ada@corp.example", "")
		for _, path := range []string{"/users/%00", "/users/%ff", "/users/%00/groups", "/groups/%00", "/groups/%ff/users", "/users/%00/why/login"} {
			s.refused(http.StatusNotFound, "E0000008", "GET", path, "")
		}
		s.refused(http.StatusNotFound, "E0000008", "DELETE", "/api-tokens/%00", "")
		for _, query := range []string{"filter=%", "search=%zz", "q=100%"} {
			s.refused(http.StatusBadRequest, "E0000001", "GET", "/users?"+query, "", "query")
		}
		s.must(http.StatusOK, "GET", "/users?q=a;b", "")
		s.refused(http.StatusBadRequest, "E0000001", "POST", "/api-tokens", `{"name":"a\u0000b","scopes":["scim"]}`, "name")
	})
}
