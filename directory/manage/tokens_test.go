package manage_test

import (
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/provost-id/provost/internal/apitoken"
	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/internal/sqldb"
)

func TestTokens(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		r := s.must(http.StatusOK, "POST", "/api-tokens", `{"name":"hr","scopes":["scim"],"ttl":"1h"}`)
		id, _ := at(r.body, "id").(string)
		secret, _ := at(r.body, "token").(string)
		if p, err := s.store.Authenticate(t.Context(), secret); err != nil || p.ID != id {
			t.Errorf("the token does not open: %v", err)
		}
		if r := s.must(http.StatusOK, "GET", "/api-tokens", ""); strings.Contains(r.raw, secret) || !strings.Contains(r.raw, id) {
			t.Errorf("list %s", r.raw)
		}
		s.must(http.StatusNoContent, "DELETE", "/api-tokens/"+id, "")
		s.refused(http.StatusNotFound, "E0000007", "DELETE", "/api-tokens/"+id, "")
		if _, err := s.store.Authenticate(t.Context(), secret); err == nil {
			t.Error("a revoked token opens")
		}
		s.refused(http.StatusBadRequest, "E0000001", "POST", "/api-tokens", `{"name":"x","scopes":["root"]}`, "root")
		s.refused(http.StatusBadRequest, "E0000001", "POST", "/api-tokens", `{"scopes":["scim"]}`, "name")
		s.refused(http.StatusBadRequest, "E0000001", "POST", "/api-tokens", `{"name":"x","scopes":["scim"],"ttl":"soon"}`, "ttl")
		s.refused(http.StatusBadRequest, "E0000001", "POST", "/api-tokens", `{"name":"x","scopes":["scim"],"dialect":"azure"}`, "dialect")
		if r := s.must(http.StatusOK, "POST", "/api-tokens", `{"name":"x","scopes":["scim"],"dialect":"entra"}`); at(r.body, "dialect") != "entra" {
			t.Errorf("dialect: %s", r.raw)
		}
	})
}

// TestTokenDialect: an administrator sees what a client gave away, and pins it.
func TestTokenDialect(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		r := s.must(http.StatusOK, "POST", "/api-tokens", `{"name":"hr","scopes":["scim"],"dialect":"auto"}`)
		id, _ := at(r.body, "id").(string)
		if at(r.body, "dialect") != "auto" || at(r.body, "detectedDialect") != nil {
			t.Errorf("made: %s", r.raw)
		}
		if err := s.store.NoteDialect(t.Context(), id, "okta"); err != nil {
			t.Fatal(err)
		}
		if r := s.must(http.StatusOK, "GET", "/api-tokens", ""); !strings.Contains(r.raw, `"detectedDialect":"okta"`) {
			t.Errorf("list: %s", r.raw)
		}
		r = s.must(http.StatusOK, "POST", "/api-tokens/"+id, `{"dialect":"OKTA"}`)
		if at(r.body, "dialect") != "okta" || at(r.body, "name") != "hr" || at(r.body, "token") != nil {
			t.Errorf("pinned: %s", r.raw)
		}
		if r = s.must(http.StatusOK, "POST", "/api-tokens/"+id, `{"dialect":null}`); at(r.body, "dialect") != "auto" {
			t.Errorf("unpinned: %s", r.raw)
		}
		s.refused(http.StatusBadRequest, "E0000001", "POST", "/api-tokens/"+id, `{"dialect":"azure"}`, "jumpcloud")
		s.refused(http.StatusBadRequest, "E0000001", "POST", "/api-tokens/"+id, `{"scopes":["manage"]}`, "scopes")
		s.refused(http.StatusNotFound, "E0000007", "POST", "/api-tokens/none", `{"dialect":"okta"}`)
	})
}

// TestTokenLimits: limits are kept, shown and changed as a whole; what is no limit is
// refused, and so are limits that another scope would go around.
func TestTokenLimits(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		r := s.must(http.StatusOK, "POST", "/api-tokens", `{"name":"hr","scopes":["scim"],"limits":{"resourceTypes":["User"],"readAttributes":["userName","title"],"writeAttributes":["title"]}}`)
		id, _ := at(r.body, "id").(string)
		secret, _ := at(r.body, "token").(string)
		want := &httpapi.Limits{ResourceTypes: []string{"User"}, ReadAttributes: []string{"userName", "title"}, WriteAttributes: []string{"title"}}
		if p, err := s.store.Authenticate(t.Context(), secret); err != nil || !reflect.DeepEqual(p.Limits, want) {
			t.Errorf("limits %+v, %v", p.Limits, err)
		}
		if r := s.must(http.StatusOK, "GET", "/api-tokens", ""); !strings.Contains(r.raw, `"limits":{"resourceTypes":["User"]`) {
			t.Errorf("list %s", r.raw)
		}
		if r = s.must(http.StatusOK, "POST", "/api-tokens/"+id, `{"limits":{"resourceTypes":["Group"]}}`); at(r.body, "limits", "readAttributes") != nil || at(r.body, "limits", "resourceTypes", 0) != "Group" {
			t.Errorf("changed: %s", r.raw)
		}
		if r = s.must(http.StatusOK, "POST", "/api-tokens/"+id, `{"dialect":"okta"}`); at(r.body, "limits", "resourceTypes", 0) != "Group" {
			t.Errorf("another setting changed: %s", r.raw)
		}
		if r = s.must(http.StatusOK, "POST", "/api-tokens/"+id, `{"limits":null}`); at(r.body, "limits") != nil {
			t.Errorf("removed: %s", r.raw)
		}
		for _, limits := range []string{`{"resourceType":["User"]}`, `{"groups":[]}`, `{"groups":"00g1"}`, `["User"]`} {
			if r := s.do("POST", "/api-tokens", `{"name":"x","scopes":["scim"],"limits":`+limits+`}`); r.status != http.StatusBadRequest {
				t.Errorf("limits %s: %d %s", limits, r.status, r.raw)
			}
			if r := s.do("POST", "/api-tokens/"+id, `{"limits":`+limits+`}`); r.status != http.StatusBadRequest {
				t.Errorf("limits %s: %d %s", limits, r.status, r.raw)
			}
		}
		for _, scope := range []string{"manage", "manage.read"} {
			s.refused(http.StatusBadRequest, "E0000001", "POST", "/api-tokens", `{"name":"x","scopes":["scim","`+scope+`"],"limits":{"resourceTypes":["User"]}}`, scope)
		}
		// Who is limited widens nothing: the API is closed to it.
		limited := s.must(http.StatusOK, "POST", "/api-tokens", `{"name":"hr","scopes":["scim"],"limits":{"resourceTypes":["User"]}}`)
		s.token, _ = at(limited.body, "token").(string)
		own, _ := at(limited.body, "id").(string)
		s.refused(http.StatusForbidden, "E0000006", "POST", "/api-tokens/"+own, `{"limits":null}`)
		s.refused(http.StatusForbidden, "E0000006", "POST", "/api-tokens", `{"name":"x","scopes":["scim"]}`)
	})
}

// ADV-84: a token that a person makes is theirs, and ends with them.
func TestADV84_TokenOfItsMaker(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		ada, bob := s.create("ada@corp.example", ""), s.create("bob@corp.example", "")
		own, _, err := s.store.Create(t.Context(), events.System, apitoken.NewToken{
			Name: "ada", Scopes: []string{httpapi.ScopeManage}, UserID: ada, TTL: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		s.token = own
		s.refused(http.StatusForbidden, "E0000006", "POST", "/api-tokens", `{"name":"x","scopes":["manage"],"userId":"`+bob+`"}`)
		r := s.must(http.StatusOK, "POST", "/api-tokens", `{"name":"x","scopes":["manage"]}`)
		if got := at(r.body, "userId"); got != ada {
			t.Errorf("the token belongs to %v, want its maker", got)
		}
		made, _ := at(r.body, "token").(string)
		if err := s.dir.DB.Write(t.Context(), func(tx *sqldb.Tx) error { return s.store.RevokeUser(tx, ada) }); err != nil {
			t.Fatal(err)
		}
		if _, err := s.store.Authenticate(t.Context(), made); !errors.Is(err, httpapi.ErrUnauthenticated) {
			t.Errorf("it outlives its maker: %v", err)
		}
	})
}
