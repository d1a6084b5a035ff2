package schemas

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// custom is the default schema with attributes of every type in the organisation's
// extension.
func custom() []ResourceType {
	types := Default()
	types[0].Extensions[1].Schema.Attributes = []Attribute{
		{Name: "badge", Type: String, CaseExact: true, Uniqueness: UniqueServer},
		{Name: "level", Type: Integer},
		{Name: "score", Type: Decimal},
		{Name: "remote", Type: Boolean},
		{Name: "hired", Type: DateTime},
		{Name: "home", Type: Reference, CaseExact: true, ReferenceTypes: []string{"external"}},
		{Name: "key", Type: Binary},
		{Name: "tags", Type: String, MultiValued: true},
		{Name: "size", Type: String, Rules: Rules{Enum: []string{"S", "M", "L"}}},
		{Name: "origin", Type: String, Mutability: Immutable},
		{Name: "computed", Type: String, Mutability: ReadOnly},
		{Name: "secret", Type: String, Mutability: WriteOnly, Returned: ReturnedNever},
		{Name: "onDemand", Type: String, Returned: ReturnedRequest},
	}
	return types
}

var compiled = func() *Snapshot {
	s, err := Compile(1, custom())
	if err != nil {
		panic(err)
	}
	return s
}()

func typ(name string) *Type {
	t, ok := compiled.Type(name)
	if !ok {
		panic(name)
	}
	return t
}

const (
	orgURN        = "urn:provost:params:scim:schemas:extension:org:2.0:User"
	enterpriseURN = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	userURN       = "urn:ietf:params:scim:schemas:core:2.0:User"
)

const barbara = `{
	"schemas": ["` + userURN + `", "` + enterpriseURN + `"],
	"externalId": "ext-1",
	"userName": "bjensen@example.com",
	"name": {"givenName": "Barbara", "familyName": "Jensen"},
	"title": "Tour Guide",
	"active": true,
	"emails": [
		{"value": "bjensen@example.com", "type": "work", "primary": true},
		{"value": "babs@jensen.org", "type": "home"}
	],
	"` + enterpriseURN + `": {"department": "Tours", "manager": {"value": "26118915"}}
}`

func parse(t testing.TB, typeName, body string, d Dialect) *Resource {
	t.Helper()
	r, err := typ(typeName).Parse([]byte(body), d)
	if err != nil {
		t.Fatalf("parse: %v", err)
	}
	return r
}

// wantError checks the type of an error and that its text names what it must.
func wantError(t testing.TB, err error, scimType string, mentions ...string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("got error %v, want an *Error of type %s", err, scimType)
	}
	if e.ScimType != scimType {
		t.Errorf("got scimType %q (%v), want %q", e.ScimType, e, scimType)
	}
	for _, m := range mentions {
		if !strings.Contains(e.Error(), m) {
			t.Errorf("error %q does not mention %q", e, m)
		}
	}
}

// object decodes JSON for a comparison without regard to order.
func object(t testing.TB, b []byte) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatalf("not JSON: %v in %s", err, b)
	}
	return m
}

// wantDoc compares the document of r, without its schemas list.
func wantDoc(t testing.TB, r *Resource, want string) {
	t.Helper()
	got := object(t, r.Doc())
	delete(got, "schemas")
	if diff := cmp.Diff(object(t, []byte(want)), got); diff != "" {
		t.Errorf("document (-want +got):\n%s", diff)
	}
}

func patch(t testing.TB, r *Resource, d Dialect, operations string) (*Resource, error) {
	t.Helper()
	ops, err := r.Type.ParsePatch([]byte(patchBody(operations)), d)
	if err != nil {
		return nil, err
	}
	return r.Type.Patch(r, ops, d)
}

func patchBody(operations string) string {
	return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[` + operations + `]}`
}

func mustPatch(t testing.TB, r *Resource, d Dialect, operations string) *Resource {
	t.Helper()
	p, err := patch(t, r, d, operations)
	if err != nil {
		t.Fatalf("patch %s: %v", operations, err)
	}
	return p
}
