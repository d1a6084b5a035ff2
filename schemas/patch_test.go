package schemas

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const entDoc = `"` + enterpriseURN + `":{"department":"Tours","manager":{"value":"26118915"}}`

// Each test below is a row of the table of PATCH cases.

func TestPatch_A_ReadOnlyGroups(t *testing.T) {
	t.Parallel()
	r := parse(t, "User", barbara, Generic)
	for _, op := range []string{
		`{"op":"replace","path":"groups","value":[{"value":"g"}]}`,
		`{"op":"add","value":{"groups":[{"value":"g"}]}}`,
		`{"op":"add","path":"GROUPS[value eq \"g\"].display","value":"x"}`,
		`{"op":"remove","path":"` + userURN + `:groups"}`,
		`{"op":"replace","path":"` + orgURN + `:computed","value":"x"}`,
		`{"op":"replace","path":"` + orgURN + `","value":{"computed":"x"}}`,
	} {
		for _, d := range []Dialect{Generic, Strict, Entra, Okta} {
			_, err := patch(t, r, d, op)
			wantError(t, err, Mutability, "readOnly", "operation 1")
		}
	}
}

func TestPatch_B_RequiredUserName(t *testing.T) {
	t.Parallel()
	r := parse(t, "User", barbara, Generic)
	for op, scimType := range map[string]string{
		`{"op":"remove","path":"userName"}`:               Mutability,
		`{"op":"replace","path":"userName","value":null}`: Mutability,
		`{"op":"replace","value":{"userName":null}}`:      Mutability,
		`{"op":"replace","path":"userName","value":""}`:   InvalidValue,
	} {
		_, err := patch(t, r, Generic, op)
		wantError(t, err, scimType, "userName", "required")
	}
	g := parse(t, "Group", `{"displayName":"g"}`, Generic)
	_, err := patch(t, g, Generic, `{"op":"remove","path":"displayName"}`)
	wantError(t, err, Mutability, "displayName")
}

func TestPatch_C_ExtensionURN(t *testing.T) {
	t.Parallel()
	r := parse(t, "User", `{"userName":"a",`+entDoc+`}`, Generic)
	for _, d := range []Dialect{Generic, Strict} {
		wantDoc(t, mustPatch(t, r, d, `{"op":"add","path":"`+enterpriseURN+`","value":{"division":"D","manager":{"displayName":"M"}}}`),
			`{"userName":"a","`+enterpriseURN+`":{"department":"Tours","division":"D","manager":{"value":"26118915","displayName":"M"}}}`)
		wantDoc(t, mustPatch(t, r, d, `{"op":"replace","path":"`+strings.ToUpper(enterpriseURN)+`","value":{"department":"X"}}`),
			`{"userName":"a","`+enterpriseURN+`":{"department":"X","manager":{"value":"26118915"}}}`)
		wantDoc(t, mustPatch(t, r, d, `{"op":"remove","path":"`+enterpriseURN+`"}`), `{"userName":"a"}`)
	}
}

func TestPatch_D_NullUnassigns(t *testing.T) {
	t.Parallel()
	r := parse(t, "User", `{"userName":"a","title":"t","name":{"givenName":"g","familyName":"f"},"emails":[{"value":"x","type":"work"}],`+entDoc+`}`, Generic)
	for _, c := range []struct{ op, want string }{
		{`{"op":"replace","path":"title","value":null}`, `{"userName":"a","name":{"givenName":"g","familyName":"f"},"emails":[{"value":"x","type":"work"}],` + entDoc + `}`},
		{`{"op":"replace","value":{"title":null,"emails":null,"` + enterpriseURN + `":null,"name.givenName":null}}`, `{"userName":"a","name":{"familyName":"f"}}`},
		{`{"op":"replace","path":"name","value":{"givenName":null}},{"op":"replace","path":"emails","value":[]},{"op":"remove","path":"` + enterpriseURN + `"}`,
			`{"userName":"a","title":"t","name":{"familyName":"f"}}`},
		{`{"op":"replace","path":"emails[type eq \"work\"].type","value":null},{"op":"add","path":"title","value":null},{"op":"remove","path":"` + enterpriseURN + `:manager"}`,
			`{"userName":"a","title":"t","name":{"givenName":"g","familyName":"f"},"emails":[{"value":"x"}],"` + enterpriseURN + `":{"department":"Tours"}}`},
	} {
		wantDoc(t, mustPatch(t, r, Generic, c.op), c.want)
	}
}

func TestPatch_E_StringBoolean(t *testing.T) {
	t.Parallel()
	r := parse(t, "User", barbara, Generic)
	for _, v := range []string{`"False"`, `"false"`, `false`, `[{"$ref":null,"value":"False"}]`} {
		p := mustPatch(t, r, Entra, `{"op":"Replace","path":"active","value":`+v+`}`)
		if p.Active == nil || *p.Active {
			t.Errorf("active := %s: got %v", v, p.Active)
		}
	}
	for _, d := range []Dialect{Strict, Okta} {
		_, err := patch(t, r, d, `{"op":"replace","path":"active","value":"False"}`)
		wantError(t, err, InvalidValue, "active", "want boolean", "got string")
	}
	_, err := patch(t, r, Entra, `{"op":"replace","path":"active","value":"Nope"}`)
	wantError(t, err, InvalidValue, "Nope")
}

func TestPatch_F_ManagerForms(t *testing.T) {
	t.Parallel()
	r := parse(t, "User", `{"userName":"a"}`, Generic)
	want := `{"userName":"a","` + enterpriseURN + `":{"manager":{"value":"m1"}}}`
	for _, v := range []string{`"m1"`, `[{"value":"m1"}]`, `{"value":"m1"}`, `[{"$ref":null,"value":"m1"}]`} {
		wantDoc(t, mustPatch(t, r, Entra, `{"op":"Add","path":"`+enterpriseURN+`:manager","value":`+v+`}`), want)
		wantDoc(t, mustPatch(t, r, Entra, `{"op":"Add","value":{"`+enterpriseURN+`:manager":`+v+`}}`), want)
	}
	_, err := patch(t, r, Strict, `{"op":"add","path":"`+enterpriseURN+`:manager","value":"m1"}`)
	wantError(t, err, InvalidValue, "manager", "want object")
}

// TestPatch_G_CommonAttributes is ADV-52 too.
func TestPatch_G_CommonAttributes(t *testing.T) {
	t.Parallel()
	r := parse(t, "User", barbara, Generic)
	for _, path := range []string{"id", "ID", "meta.version", "meta", "schemas", userURN + ":id", userURN + ":Meta.created"} {
		for _, op := range []string{"add", "replace", "remove"} {
			_, err := patch(t, r, Entra, `{"op":"`+op+`","path":"`+path+`","value":"x"}`)
			wantError(t, err, Mutability, "readOnly")
		}
	}
	p := mustPatch(t, r, Okta, `{"op":"replace","value":{"id":"00u1","schemas":["x"],"meta":{"version":"9"},"title":"T"}}`)
	if got := p.Profile()["title"]; got != "T" {
		t.Errorf("title: got %v", got)
	}
	_, err := patch(t, r, Strict, `{"op":"replace","value":{"id":"00u1"}}`)
	wantError(t, err, Mutability, "id")
}

// An object without a path may stand in an array of one, as SCIM-SDK sends it.
func TestPatch_WrappedObject(t *testing.T) {
	t.Parallel()
	r := parse(t, "User", barbara, Generic)
	for _, d := range []Dialect{Generic, Entra, Okta} {
		p := mustPatch(t, r, d, `{"op":"replace","value":[{"schemas":["`+userURN+`"],"title":"T"}]}`)
		if got := p.Profile()["title"]; got != "T" {
			t.Errorf("%s: title: got %v", d.Name, got)
		}
	}
	for value, words := range map[string]string{`[]`: "empty array", `[{"title":"a"},{"title":"b"}]`: "several", `["x"]`: "wants an object", `[[{"title":"a"}]]`: "wants an object"} {
		_, err := patch(t, r, Generic, `{"op":"replace","value":`+value+`}`)
		wantError(t, err, InvalidValue, "operation 1", words)
	}
	_, err := patch(t, r, Strict, `{"op":"replace","value":[{"title":"T"}]}`)
	wantError(t, err, InvalidValue, "operation 1", "wants an object, got array")
}

func TestPatch_H_UnknownOp(t *testing.T) {
	t.Parallel()
	r := parse(t, "User", barbara, Generic)
	for _, op := range []string{
		`{"op":"move","path":"title","value":"x"}`, `{"path":"title","value":"x"}`, `{"op":1}`, `"remove"`,
		`{"op":"add","path":1,"value":"x"}`,
	} {
		_, err := patch(t, r, Generic, op)
		wantError(t, err, InvalidSyntax, "operation 1")
	}
	mustPatch(t, r, Strict, `{"op":"RePlAcE","path":"TITLE","value":"x"}`)
}

func TestPatch_I_SimpleMultiValued(t *testing.T) {
	t.Parallel()
	r := parse(t, "User", `{"userName":"a",`+org(`"tags":["red","green","blue"]`)+`}`, Generic)
	path := orgURN + `:tags`
	for _, c := range []struct{ op, want string }{
		{`{"op":"add","path":"` + path + `","value":["Red","white"]}`, `["red","green","blue","white"]`},
		{`{"op":"add","path":"` + path + `","value":"white"}`, `["red","green","blue","white"]`},
		{`{"op":"replace","path":"` + path + `","value":["x"]}`, `["x"]`},
		{`{"op":"remove","path":"` + path + `[value eq \"GREEN\"]"}`, `["red","blue"]`},
		{`{"op":"remove","path":"` + path + `","value":["blue",{"value":"red"}]}`, `["green"]`},
		{`{"op":"replace","path":"` + path + `[value sw \"g\"]","value":"lime"}`, `["red","lime","blue"]`},
		{`{"op":"add","path":"tags[value eq \"red\"]","value":"pink"}`, `["pink","green","blue"]`},
	} {
		wantDoc(t, mustPatch(t, r, Generic, c.op), `{"userName":"a",`+org(`"tags":`+c.want)+`}`)
	}
	wantDoc(t, mustPatch(t, r, Generic, `{"op":"remove","path":"`+path+`"}`), `{"userName":"a"}`)
	_, err := patch(t, r, Generic, `{"op":"remove","path":"`+path+`[type eq \"x\"]"}`)
	wantError(t, err, InvalidFilter, "tags.type")
}

func TestPatch_J_AllOrNothing(t *testing.T) {
	t.Parallel()
	r := parse(t, "User", barbara, Generic)
	before := string(r.Doc())
	_, err := patch(t, r, Generic, `{"op":"replace","path":"title","value":"x"},{"op":"remove","path":"emails"},
		{"op":"replace","path":"emails[type eq \"none\"].value","value":"y"}`)
	wantError(t, err, NoTarget, "operation 3")
	if got := string(r.Doc()); got != before {
		t.Errorf("the resource has changed\n got %s\nwant %s", got, before)
	}
}

func TestPatch_K_MissedValuePath(t *testing.T) {
	t.Parallel()
	r := parse(t, "User", `{"userName":"a","emails":[{"value":"h","type":"home"}]}`, Generic)
	replace := `{"op":"replace","path":"emails[type eq \"work\"].value","value":"w"}`
	for _, d := range []Dialect{Strict, Generic, Okta} {
		_, err := patch(t, r, d, replace)
		wantError(t, err, NoTarget, `emails[type eq`)
	}
	add := strings.Replace(replace, "replace", "add", 1)
	_, err := patch(t, r, Strict, add)
	wantError(t, err, NoTarget)
	want := `{"userName":"a","emails":[{"value":"h","type":"home"},{"value":"w","type":"work"}]}`
	wantDoc(t, mustPatch(t, r, Generic, add), want)
	wantDoc(t, mustPatch(t, r, Entra, replace), want)

	// Three operations with one filter make one element.
	p := mustPatch(t, r, Entra, `
		{"op":"Add","path":"addresses[type eq \"work\"].locality","value":"Paris"},
		{"op":"Add","path":"addresses[type eq \"work\"].country","value":"FR"},
		{"op":"Replace","path":"addresses[type eq \"work\"].postalCode","value":"75001"},
		{"op":"Add","path":"roles[primary eq \"True\"].value","value":"admin"},
		{"op":"Add","path":"phoneNumbers[type eq \"mobile\" and primary eq true].value","value":"1"},
		{"op":"Add","path":"ims[value eq \"x\"]","value":{"display":"X"}}`)
	wantDoc(t, p, `{"userName":"a","emails":[{"value":"h","type":"home"}],
		"addresses":[{"type":"work","locality":"Paris","country":"FR","postalCode":"75001"}],
		"roles":[{"primary":true,"value":"admin"}],"ims":[{"value":"x","display":"X"}],
		"phoneNumbers":[{"type":"mobile","primary":true,"value":"1"}]}`)

	// No element follows from a filter that is not made of eq terms.
	for _, f := range []string{`type sw \"w\"`, `type eq \"work\" or type eq \"x\"`, `not (type eq \"work\")] and emails[x`} {
		if _, err := patch(t, r, Entra, `{"op":"add","path":"emails[`+f+`].value","value":"w"}`); err == nil {
			t.Errorf("%s: created an element", f)
		}
	}
	remove := `{"op":"remove","path":"emails[type eq \"work\"]"}`
	for _, d := range []Dialect{Strict, Generic, Okta} {
		_, err := patch(t, r, d, remove)
		wantError(t, err, NoTarget)
	}
	wantDoc(t, mustPatch(t, r, Entra, remove), `{"userName":"a","emails":[{"value":"h","type":"home"}]}`)
}

// TestPatch_L_RemoveMembers: both forms remove (ADV-62).
func TestPatch_L_RemoveMembers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, ops string
		want      MemberChange
	}{
		{"filter", `{"op":"remove","path":"members[value eq \"a\"]"}`, MemberChange{Remove: []string{"a"}}},
		{"filter with or", `{"op":"remove","path":"members[value eq \"a\" or value eq \"B\"]"}`, MemberChange{Remove: []string{"a", "B"}}},
		{"value list", `{"op":"Remove","path":"members","value":[{"$ref":null,"value":"a"},{"value":"b"}]}`, MemberChange{Remove: []string{"a", "b"}}},
		{"one value", `{"op":"remove","path":"members","value":{"value":"a"}}`, MemberChange{Remove: []string{"a"}}},
		{"empty list removes nothing", `{"op":"remove","path":"members","value":[]}`, MemberChange{}},
		{"all", `{"op":"remove","path":"members"}`, MemberChange{Replace: true}},
		{"replace", `{"op":"replace","path":"members","value":[{"value":"x"}]}`, MemberChange{Replace: true, Set: []string{"x"}}},
		{"replace without a path", `{"op":"replace","value":{"displayName":"n","members":[{"value":"x","display":"X"}]}}`, MemberChange{Replace: true, Set: []string{"x"}}},
		{"replace by none", `{"op":"replace","path":"members","value":[]}`, MemberChange{Replace: true}},
		{"add", `{"op":"add","path":"members","value":[{"value":"a"},{"value":"b"},{"value":"a"}]}`, MemberChange{Add: []string{"a", "b"}}},
		{"add without a path", `{"op":"add","value":{"members":[{"value":"a"}]}}`, MemberChange{Add: []string{"a"}}},
		{"the last word counts", `{"op":"add","path":"members","value":[{"value":"a"},{"value":"b"}]},{"op":"remove","path":"members[value eq \"a\"]"},
			{"op":"remove","path":"members","value":[{"value":"c"}]},{"op":"add","path":"members","value":[{"value":"c"}]}`,
			MemberChange{Add: []string{"b", "c"}, Remove: []string{"a"}}},
		{"replace, then change", `{"op":"add","path":"members","value":"z"},{"op":"replace","path":"members","value":["a","b"]},
			{"op":"remove","path":"members[value eq \"a\"]"},{"op":"add","path":"members","value":["c"]}`,
			MemberChange{Replace: true, Set: []string{"b", "c"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ops, err := typ("Group").ParsePatch([]byte(patchBody(c.ops)), Generic)
			if err != nil {
				t.Fatal(err)
			}
			rest, got, err := SplitMembers(ops)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("change (-want +got):\n%s", diff)
			}
			for _, op := range rest {
				if op.attr.place == isMembers {
					t.Errorf("an operation on members is left: %s", op.Path)
				}
			}
		})
	}
	for op, scimType := range map[string]string{
		`{"op":"replace","path":"members[value eq \"a\"].display","value":"x"}`:       Mutability,
		`{"op":"replace","path":"members[value eq \"a\"]","value":{"value":"b"}}`:     InvalidPath,
		`{"op":"add","path":"members","value":[{"display":"nobody"}]}`:                InvalidValue,
		`{"op":"remove","path":"members","value":[{"$ref":null}]}`:                    InvalidValue,
		`{"op":"add","path":"displayName","value":"x"},{"op":"add","path":"members"}`: InvalidValue,
	} {
		_, err := patch(t, parse(t, "Group", `{"displayName":"g"}`, Generic), Generic, op)
		wantError(t, err, scimType, "operation")
	}
}

func TestPatch_M_OnePrimary(t *testing.T) {
	t.Parallel()
	r := parse(t, "User", `{"userName":"a","emails":[{"value":"x","type":"work","primary":true},{"value":"y","type":"home"}]}`, Generic)
	for _, c := range []struct{ op, want string }{
		{`{"op":"add","path":"emails","value":[{"value":"z","primary":true}]}`,
			`[{"value":"x","type":"work","primary":false},{"value":"y","type":"home"},{"value":"z","primary":true}]`},
		{`{"op":"replace","path":"emails[type eq \"home\"].primary","value":true}`,
			`[{"value":"x","type":"work","primary":false},{"value":"y","type":"home","primary":true}]`},
		{`{"op":"add","path":"emails[type eq \"home\"]","value":{"primary":true}}`,
			`[{"value":"x","type":"work","primary":false},{"value":"y","type":"home","primary":true}]`},
		{`{"op":"replace","path":"emails[value eq \"y\"]","value":{"value":"q","primary":true}}`,
			`[{"value":"x","type":"work","primary":false},{"value":"q","primary":true}]`},
		{`{"op":"add","path":"emails[value eq \"new\"].primary","value":true}`,
			`[{"value":"x","type":"work","primary":false},{"value":"y","type":"home"},{"value":"new","primary":true}]`},
		{`{"op":"replace","path":"emails[type eq \"work\"].value","value":"w"}`,
			`[{"value":"w","type":"work","primary":true},{"value":"y","type":"home"}]`},
	} {
		wantDoc(t, mustPatch(t, r, Generic, c.op), `{"userName":"a","emails":`+c.want+`}`)
	}
	for _, op := range []string{
		`{"op":"add","path":"emails","value":[{"value":"p","primary":true},{"value":"q","primary":true}]}`,
		`{"op":"replace","path":"emails[value pr].primary","value":true}`,
	} {
		_, err := patch(t, r, Generic, op)
		wantError(t, err, InvalidValue, "emails.primary")
	}
}

func TestPatch_N_AddAgain(t *testing.T) {
	t.Parallel()
	r := parse(t, "User", barbara, Generic)
	before := string(r.Doc())
	for _, op := range []string{
		`{"op":"add","path":"emails","value":[{"value":"BABS@jensen.org","type":"home"}]}`,
		`{"op":"add","path":"emails","value":[{"value":"bjensen@example.com"}]}`,
		`{"op":"add","path":"title","value":"Tour Guide"}`,
		`{"op":"add","value":{"name":{"givenName":"Barbara"}}}`,
	} {
		if got := string(mustPatch(t, r, Generic, op).Doc()); got != before {
			t.Errorf("%s changed the resource\n got %s\nwant %s", op, got, before)
		}
	}
	g := parse(t, "Group", `{"displayName":"g","members":[{"value":"a","display":"A"}]}`, Generic)
	p := mustPatch(t, g, Generic, `{"op":"add","path":"members","value":[{"value":"a"},{"value":"b"},{"value":"b"}]}`)
	if diff := cmp.Diff([]Member{{Value: "a", Display: "A"}, {Value: "b"}}, p.Members); diff != "" {
		t.Errorf("members (-want +got):\n%s", diff)
	}
}
