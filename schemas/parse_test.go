package schemas

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse_SplitsOff(t *testing.T) {
	t.Parallel()
	r := parse(t, "User", strings.Replace(barbara, `"active": true`,
		`"active":true, "password":"s3cret", "id":"x", "meta":{"version":"1"}, "groups":[{"value":"g"}]`, 1), Strict)
	if r.ExternalID != "ext-1" || r.Password != "s3cret" || r.Active == nil || !*r.Active {
		t.Errorf("got external id %q, password %q, active %v", r.ExternalID, r.Password, r.Active)
	}
	want := `{"schemas":["` + userURN + `","` + enterpriseURN + `"],"userName":"bjensen@example.com",` +
		`"name":{"familyName":"Jensen","givenName":"Barbara"},"title":"Tour Guide",` +
		`"emails":[{"value":"bjensen@example.com","type":"work","primary":true},{"value":"babs@jensen.org","type":"home"}],` +
		`"` + enterpriseURN + `":{"department":"Tours","manager":{"value":"26118915"}}}`
	if got := string(r.Doc()); got != want {
		t.Errorf("document\n got %s\nwant %s", got, want)
	}
}

func TestParse_Members(t *testing.T) {
	t.Parallel()
	r := parse(t, "Group", `{"displayName":"Tour Guides","members":[
		{"value":"00u1","type":"User","display":"Babs","$ref":"https://x/Users/00u1"},
		{"$ref":"https://x/Users/00u2"}, "00u3"]}`, Generic)
	want := []Member{
		{Value: "00u1", Type: "User", Display: "Babs", Ref: "https://x/Users/00u1"},
		{Value: "00u2", Ref: "https://x/Users/00u2"},
		{Value: "00u3"},
	}
	if diff := cmp.Diff(want, r.Members); diff != "" {
		t.Errorf("members (-want +got):\n%s", diff)
	}
	wantDoc(t, r, `{"displayName":"Tour Guides"}`)
	_, err := typ("Group").Parse([]byte(`{"displayName":"x","members":[{"display":"Babs"}]}`), Generic)
	wantError(t, err, InvalidValue, "members.value")
}

// TestParse_Refuses: each error names the attribute and the type it expects.
func TestParse_Refuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, member, scimType string
		mentions               []string
	}{
		{"number for a string", `"title":1`, InvalidValue, []string{`"title"`, "want string", "got number"}},
		{"string for an object", `"name":"x"`, InvalidValue, []string{`"name"`, "want object", "got string"}},
		{"array for a single value", `"title":["a","b"]`, InvalidValue, []string{`"title"`, "single-valued"}},
		{"number for a boolean", `"active":1`, InvalidValue, []string{`"active"`, "want boolean", "got number"}},
		{"word for a boolean", `"active":"yes"`, InvalidValue, []string{`"active"`, "want boolean", "yes"}},
		{"sub-attribute", `"name":{"givenName":false}`, InvalidValue, []string{`"name.givenName"`, "got boolean"}},
		{"element", `"emails":[{"value":{"a":1}}]`, InvalidValue, []string{`"emails.value"`, "got object"}},
		{"boolean element", `"emails":[{"value":"a","primary":"maybe"}]`, InvalidValue, []string{`"emails.primary"`}},
		{"two primary", `"emails":[{"value":"a","primary":true},{"value":"b","primary":true}]`, InvalidValue, []string{"emails.primary"}},
		{"too long", `"name":{"givenName":"` + strings.Repeat("é", 51) + `"}`, InvalidValue, []string{"name.givenName", "at most 50", "got 51"}},
		{"too long for the index", `"title":"` + strings.Repeat("x", 2001) + `"`, InvalidValue, []string{`"title"`, "2000"}},
		{"extension", `"` + enterpriseURN + `":{"department":7}`, InvalidValue, []string{"User:department", "want string"}},
		{"integer with a fraction", org(`"level":1.5`), InvalidValue, []string{"User:level", "want integer", "1.5"}},
		{"integer beyond 64 bits", org(`"level":99999999999999999999`), InvalidValue, []string{"level"}},
		{"string for an integer", org(`"level":"1"`), InvalidValue, []string{"level", "want integer", "got string"}},
		{"infinite decimal", org(`"score":1e999`), InvalidValue, []string{"score", "want decimal"}},
		{"no time", org(`"hired":"yesterday"`), InvalidValue, []string{"hired", "want dateTime", "yesterday"}},
		{"no base64", org(`"key":"***"`), InvalidValue, []string{"key", "base64"}},
		{"no canonical value", org(`"size":"XXL"`), InvalidValue, []string{"size", "S, M, L", "XXL"}},
		{"other schema", `"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"]`, InvalidSyntax, []string{"schemas", userURN}},
		{"schemas no array", `"schemas":"x"`, InvalidSyntax, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := typ("User").Parse([]byte(`{"userName":"a",`+c.member+`}`), Generic)
			wantError(t, err, c.scimType, c.mentions...)
		})
	}
}

func org(members string) string { return `"` + orgURN + `":{` + members + `}` }

func TestParse_Required(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{}`, `{"userName":null}`, `{"userName":""}`, `{"userName":"  "}`} {
		_, err := typ("User").Parse([]byte(body), Generic)
		wantError(t, err, InvalidValue, "userName", "required")
	}
	_, err := typ("Group").Parse([]byte(`{"members":[]}`), Generic)
	wantError(t, err, InvalidValue, "displayName", "required")
}

// TestRFC7643_2_5_Unassigned: null and the empty array are no value.
func TestRFC7643_2_5_Unassigned(t *testing.T) {
	t.Parallel()
	r := parse(t, "User", `{"userName":"a","title":null,"emails":[],"phoneNumbers":[null,{}],
		"name":{"givenName":null},"`+enterpriseURN+`":{"manager":{}}}`, Generic)
	if got, want := string(r.Doc()), `{"schemas":["`+userURN+`"],"userName":"a"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestRFC7643_2_1_NamesInAnyCase: attribute names and schema URNs are case-insensitive.
func TestRFC7643_2_1_NamesInAnyCase(t *testing.T) {
	t.Parallel()
	r := parse(t, "User", `{"SCHEMAS":["`+strings.ToUpper(userURN)+`","`+strings.ToUpper(enterpriseURN)+`"],
		"USERNAME":"a","eMails":[{"VALUE":"x@y","Type":"work"}],"`+strings.ToUpper(enterpriseURN)+`":{"Department":"D"}}`, Strict)
	wantDoc(t, r, `{"userName":"a","emails":[{"value":"x@y","type":"work"}],"`+enterpriseURN+`":{"department":"D"}}`)
}

// TestDialect_Bodies: what a tolerant dialect takes, and Strict refuses.
func TestDialect_Bodies(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, body, want, strict string
	}{
		{"no schemas", `{"userName":"a"}`, `{"userName":"a"}`, InvalidSyntax},
		{"URN of SCIM 1.1", `{"schemas":["urn:scim:schemas:core:2.0"],"userName":"a"}`, `{"userName":"a"}`, InvalidSyntax},
		{"core nested under its URN", `{"schemas":["` + userURN + `"],"` + userURN + `":{"userName":"a"},"title":"t"}`,
			`{"userName":"a","title":"t"}`, InvalidSyntax},
		{"extension not listed", `{"schemas":["` + userURN + `"],"userName":"a","` + enterpriseURN + `":{"department":"D"}}`,
			`{"userName":"a","` + enterpriseURN + `":{"department":"D"}}`, InvalidSyntax},
		{"unknown attribute", `{"schemas":["` + userURN + `"],"userName":"a","nosuch":1}`, `{"userName":"a"}`, InvalidSyntax},
		{"wrapped scalar", `{"schemas":["` + userURN + `"],"userName":[{"$ref":null,"value":"a"}],"name":{"givenName":[{"value":"B"}]}}`,
			`{"userName":"a","name":{"givenName":"B"}}`, InvalidValue},
		{"manager as string", `{"schemas":["` + userURN + `","` + enterpriseURN + `"],"userName":"a","` + enterpriseURN + `":{"manager":"26"}}`,
			`{"userName":"a","` + enterpriseURN + `":{"manager":{"value":"26"}}}`, InvalidValue},
		{"manager as array", `{"schemas":["` + userURN + `","` + enterpriseURN + `"],"userName":"a","` + enterpriseURN + `":{"manager":[{"value":"26"}]}}`,
			`{"userName":"a","` + enterpriseURN + `":{"manager":{"value":"26"}}}`, InvalidValue},
		{"string boolean", `{"schemas":["` + userURN + `"],"userName":"a","emails":[{"value":"x","primary":"True"}]}`,
			`{"userName":"a","emails":[{"value":"x","primary":true}]}`, InvalidValue},
		{"element without array", `{"schemas":["` + userURN + `"],"userName":"a","emails":{"value":"x"}}`,
			`{"userName":"a","emails":[{"value":"x"}]}`, InvalidValue},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, d := range []Dialect{Generic, Entra} {
				wantDoc(t, parse(t, "User", c.body, d), c.want)
			}
			_, err := typ("User").Parse([]byte(c.body), Strict)
			wantError(t, err, c.strict)
		})
	}
}

func TestDialectByName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"": "generic", "ENTRA": "entra", "okta": "okta", "strict": "strict"} {
		if d, ok := DialectByName(name); !ok || d.Name != want {
			t.Errorf("%q: got %q, %v", name, d.Name, ok)
		}
	}
	if d, ok := DialectByName("nosuch"); ok || d.Name != "generic" {
		t.Errorf("unknown dialect: got %q, %v", d.Name, ok)
	}
}

// TestParse_KeepsNothingOfItsInput: the caller may reuse the body.
func TestParse_KeepsNothingOfItsInput(t *testing.T) {
	t.Parallel()
	body := []byte(barbara)
	r, err := typ("User").Parse(body, Generic)
	if err != nil {
		t.Fatal(err)
	}
	want := string(r.Doc())
	clear(body)
	if got := string(r.Doc()); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestRFC7643_2_2_Immutable: PUT keeps the value of an immutable attribute.
func TestRFC7643_2_2_Immutable(t *testing.T) {
	t.Parallel()
	u := typ("User")
	with := parse(t, "User", `{"userName":"a",`+org(`"origin":"hr"`)+`}`, Generic)
	without := parse(t, "User", `{"userName":"a"}`, Generic)
	other := parse(t, "User", `{"userName":"a",`+org(`"origin":"crm"`)+`}`, Generic)
	if err := u.CheckImmutable(without, with); err != nil {
		t.Errorf("first value: %v", err)
	}
	if err := u.CheckImmutable(with, with.Clone()); err != nil {
		t.Errorf("same value: %v", err)
	}
	wantError(t, u.CheckImmutable(with, other), Mutability, "origin")
	wantError(t, u.CheckImmutable(with, without), Mutability)
}
