package scim_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	coreUser       = "urn:ietf:params:scim:schemas:core:2.0:User"
	enterpriseUser = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
)

// TestRFC7643_2_3_7_ReferencesResolve: whatever is shown as a URI of a resource answers
// with that resource.
func TestRFC7643_2_3_7_ReferencesResolve(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		id := c.create("/Users", `{"userName":"a@example.com"}`)
		inner := c.create("/Groups", `{"displayName":"Inner","members":[{"value":"`+id+`"}]}`)
		outer := c.create("/Groups", `{"displayName":"Outer","members":[{"value":"`+inner+`"},{"value":"`+id+`"}]}`)
		user, group := c.must(http.StatusOK, "GET", "/Users/"+id, "").body, c.must(http.StatusOK, "GET", "/Groups/"+outer, "").body
		all := map[any]any{ // URI -> id
			at(user, "meta", "location"): id, at(group, "meta", "location"): outer,
			at(group, "members", 0, "$ref"): at(group, "members", 0, "value"), at(group, "members", 1, "$ref"): at(group, "members", 1, "value"),
			at(user, "groups", 0, "$ref"): at(user, "groups", 0, "value"), at(user, "groups", 1, "$ref"): at(user, "groups", 1, "value"),
		}
		if len(all) != 3 {
			t.Fatalf("a user and two groups are %v", all)
		}
		for uri, want := range all {
			path, ok := strings.CutPrefix(uri.(string), publicURL+"/scim/v2")
			if !ok {
				t.Errorf("%v is not below the public URL", uri)
				continue
			}
			if got := c.must(http.StatusOK, "GET", path, "").body["id"]; got != want {
				t.Errorf("%v is %v, want %v", uri, got, want)
			}
		}
	})
}

// TestRFC7643_3_1_CommonAttributes: id and meta are the service provider's alone, and true.
func TestRFC7643_3_1_CommonAttributes(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		const said = `"id":"mine","meta":{"resourceType":"Group","created":"2001-01-01T00:00:00Z","lastModified":"2001-01-01T00:00:00Z","location":"https://evil.example","version":"W/\"9\""}`
		made := c.must(http.StatusCreated, "POST", "/Users", `{"userName":"a@example.com",`+said+`}`)
		id, _ := made.body["id"].(string)
		checkMeta(t, made)
		if id == "mine" || at(made.body, "meta", "created") != at(made.body, "meta", "lastModified") {
			t.Errorf("created as %s", made.raw)
		}
		put := c.must(http.StatusOK, "PUT", "/Users/"+id, `{"userName":"a@example.com","title":"x",`+said+`}`)
		checkMeta(t, put)
		if put.body["id"] != id || at(put.body, "meta", "created") != at(made.body, "meta", "created") || at(put.body, "meta", "version") != `W/"2"` {
			t.Errorf("replaced as %s", put.raw)
		}
		checkMeta(t, c.must(http.StatusOK, "GET", "/Users/"+id, ""))
	})
}

// dateTime is an xsd:dateTime with date, time and zone (RFC 7643, section 2.3.5).
var dateTime = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$`)

func checkMeta(t *testing.T, r reply) {
	t.Helper()
	meta, _ := r.body["meta"].(map[string]any)
	location := publicURL + "/scim/v2/Users/" + r.body["id"].(string)
	want := map[string]any{"resourceType": "User", "location": location, "version": r.header.Get("ETag")}
	for name, value := range want {
		if meta[name] != value {
			t.Errorf("meta.%s is %v, want %v", name, meta[name], value)
		}
	}
	if got := r.header.Get("Content-Location"); got != location {
		t.Errorf("Content-Location is %q, meta.location %q", got, location)
	}
	for _, name := range []string{"created", "lastModified"} {
		text, _ := meta[name].(string)
		if _, err := time.Parse(time.RFC3339, text); err != nil || !dateTime.MatchString(text) {
			t.Errorf("meta.%s is %q: no dateTime", name, text)
		}
	}
}

// TestRFC7643_3_Schemas: schemas names what is there, each once, whatever a client says.
func TestRFC7643_3_Schemas(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		for name, tc := range map[string]struct {
			said, members string
			want          []any
		}{
			"twice":       {`["` + coreUser + `","` + coreUser + `"]`, ``, []any{coreUser}},
			"too many":    {`["` + coreUser + `","` + enterpriseUser + `"]`, ``, []any{coreUser}},
			"too few":     {`["` + coreUser + `"]`, `,"` + enterpriseUser + `":{"department":"D"}`, []any{coreUser, enterpriseUser}},
			"in any case": {`["` + strings.ToUpper(coreUser) + `"]`, ``, []any{coreUser}},
		} {
			r := c.must(http.StatusCreated, "POST", "/Users", `{"schemas":`+tc.said+`,"userName":"`+strings.ReplaceAll(name, " ", "-")+`@example.com"`+tc.members+`}`)
			if diff := cmp.Diff(tc.want, r.body["schemas"]); diff != "" {
				t.Errorf("%s:\n%s", name, diff)
			}
		}
	})
}

// TestRFC7643_2_3_Types: a value that is not of its attribute's type is refused, with the
// attribute named.
func TestRFC7643_2_3_Types(t *testing.T) {
	each(t, func(t *testing.T, s *service, _ *client) {
		c := s.client("strict", "scim")
		for member, words := range map[string][]string{
			`"title":5`:                               {"title", "string"},
			`"active":"true"`:                         {"active", "boolean"},
			`"name":"x"`:                              {"name", "object"},
			`"name":{"givenName":["x"]}`:              {"givenName", "string"},
			`"emails":"x"`:                            {"emails", "array"},
			`"emails":[{"value":5}]`:                  {"emails", "string"},
			`"x509Certificates":[{"value":"not 64"}]`: {"x509Certificates", "base64"},
			`"emails":[{"value":"a","primary":true},{"value":"b","primary":true}]`: {"emails", "primary"},
		} {
			body := `{"schemas":["` + coreUser + `"],"userName":"a@example.com",` + member + `}`
			c.refused(http.StatusBadRequest, "invalidValue", "POST", "/Users", body, words...)
		}
		if n := c.must(http.StatusOK, "GET", "/Users", "").body["totalResults"]; n != 0.0 {
			t.Errorf("%v users were made", n)
		}
	})
}

// TestRFC7643_7_DiscoveryIsReadOnly: schemas, resource types and the configuration are
// not changed by SCIM.
func TestRFC7643_7_DiscoveryIsReadOnly(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		for _, path := range []string{"/Schemas", "/Schemas/" + coreUser, "/ResourceTypes", "/ResourceTypes/User", "/ServiceProviderConfig"} {
			before := c.must(http.StatusOK, "GET", path, "")
			for _, method := range []string{"POST", "PUT", "PATCH", "DELETE"} {
				c.refused(http.StatusMethodNotAllowed, "", method, path, `{"schemas":["x"]}`, method)
			}
			if after := c.must(http.StatusOK, "GET", path, ""); after.raw != before.raw {
				t.Errorf("%s has changed", path)
			}
		}
	})
}
