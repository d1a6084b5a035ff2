package schemas

import (
	"fmt"
	"strings"
	"testing"
)

// TestRFC7644_3_5_2_3_AbsentTarget: a target that does not exist is added, whatever the
// operation and the dialect; a value filter is another matter (row k).
func TestRFC7644_3_5_2_3_AbsentTarget(t *testing.T) {
	t.Parallel()
	r := parse(t, "User", `{"userName":"a"}`, Generic)
	for _, d := range []Dialect{Strict, Generic} {
		for _, op := range []string{"add", "replace"} {
			wantDoc(t, mustPatch(t, r, d, `{"op":"`+op+`","path":"addresses.country","value":"FR"}`), `{"userName":"a","addresses":[{"country":"FR"}]}`)
			wantDoc(t, mustPatch(t, r, d, `{"op":"`+op+`","path":"name.givenName","value":"G"}`), `{"userName":"a","name":{"givenName":"G"}}`)
		}
	}
	// Of a simple value there is no element to make but the value itself.
	path := orgURN + `:tags[value eq \"red\"]`
	wantDoc(t, mustPatch(t, r, Entra, `{"op":"add","path":"`+path+`","value":"Red"}`), `{"userName":"a",`+org(`"tags":["Red"]`)+`}`)
	_, err := patch(t, r, Entra, `{"op":"add","path":"`+path+`","value":"green"}`)
	wantError(t, err, NoTarget)
}

// TestRFC7644_3_5_2_NothingNamed: an object that names no attribute changes none.
func TestRFC7644_3_5_2_NothingNamed(t *testing.T) {
	t.Parallel()
	r := parse(t, "User", `{"userName":"a","name":{"givenName":"G"},`+entDoc+`}`, Generic)
	for _, op := range []string{
		`{"op":"replace","path":"name","value":{}}`, `{"op":"replace","value":{"name":{}}}`, `{"op":"replace","path":"name","value":{"nosuch":1}}`,
		`{"op":"add","path":"` + enterpriseURN + `","value":{}}`, `{"op":"replace","value":{"` + enterpriseURN + `":{"manager":{}}}}`, `{"op":"add","value":{}}`,
	} {
		if got := string(mustPatch(t, r, Generic, op).Doc()); got != string(r.Doc()) {
			t.Errorf("%s made %s", op, got)
		}
	}
	wantDoc(t, mustPatch(t, r, Strict, `{"op":"replace","value":{"name":null}}`), `{"userName":"a",`+entDoc+`}`)
}

// TestRFC7643_2_2_ReadOnlyStays: an extension or a complex attribute is removed without
// what the client may not touch in it.
func TestRFC7643_2_2_ReadOnlyStays(t *testing.T) {
	t.Parallel()
	r, err := typ("User").Decode([]byte(`{"schemas":["` + userURN + `","` + orgURN + `"],"userName":"a","` + orgURN + `":{"level":3,"computed":"c"}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"userName":"a",` + org(`"computed":"c"`) + `}`
	wantDoc(t, mustPatch(t, r, Strict, `{"op":"remove","path":"`+orgURN+`"}`), want)
	wantDoc(t, mustPatch(t, r, Strict, `{"op":"replace","path":"`+orgURN+`","value":null}`), want)
	wantDoc(t, mustPatch(t, r, Strict, `{"op":"remove","path":"`+orgURN+`"},{"op":"add","path":"`+orgURN+`","value":{"badge":"b"}}`),
		`{"userName":"a",`+org(`"badge":"b","computed":"c"`)+`}`)
}

// TestPatch_ErrorsNameTheOperation: also those that only the whole result shows.
func TestPatch_ErrorsNameTheOperation(t *testing.T) {
	t.Parallel()
	r := mustPatch(t, parse(t, "User", barbara, Generic), Generic, `{"op":"add","path":"`+orgURN+`:origin","value":"hr"}`)
	for ops, mentions := range map[string][]string{
		`{"op":"add","path":"title","value":"x"},{"op":"remove","path":"userName"}`:                                     {"operation 2", `"userName"`},
		`{"op":"replace","value":{"userName":null}},{"op":"add","path":"title","value":"x"}`:                            {"operation 1", `"userName"`},
		`{"op":"add","path":"title","value":"x"},{"op":"replace","path":"` + orgURN + `:origin","value":"crm"}`:         {"operation 2", "origin"},
		`{"op":"add","path":"title","value":"x"},{"op":"remove","path":"` + orgURN + `"}`:                               {"operation 2", "origin"},
		`{"op":"add","path":"title","value":"x"},{"op":"add","path":"nickName","value":3}`:                              {"operation 2", "nickName", "string", "number"},
		`{"op":"add","path":"title","value":"x"},{"op":"add","path":"emails","value":[{"primary":"x"}]}`:                {"operation 2", "emails.primary", "boolean", "string"},
		`{"op":"add","path":"title","value":"x"},{"op":"add","value":{"name":{"givenName":[1,2]}}}`:                     {"operation 2", "name.givenName", "string", "array"},
		`{"op":"add","path":"title","value":"x"},{"op":"remove","path":"emails[type eq 3]"}`:                            {"operation 2", "emails.type", "string", "number"},
		`{"op":"add","path":"title","value":"x"},{"op":"remove","path":"emails","value":[{"value":"nobody"}]}`:          {"operation 2", "emails"},
		`{"op":"add","path":"title","value":"x"},{"op":"replace","path":"emails[type eq \"x\"].value","value":"y"}`:     {"operation 2", "emails[type"},
		`{"op":"add","path":"title","value":"x"},{"op":"add","path":"` + orgURN + `:size","value":"XL"}`:                {"operation 2", "size", "S, M, L"},
		`{"op":"add","path":"title","value":"x"},{"op":"add","path":"emails[type eq \"work\"].primary","value":"true"}`: {"operation 2", "emails.primary", "boolean"},
	} {
		_, err := patch(t, r, Strict, ops)
		if err == nil {
			t.Errorf("%s: no error", ops)
			continue
		}
		for _, m := range mentions {
			if !strings.Contains(err.Error(), m) {
				t.Errorf("%s: error %q does not mention %q", ops, err, m)
			}
		}
	}
}

// TestPatch_ImmutableSub: an element keeps the immutable sub-attribute that it has.
func TestPatch_ImmutableSub(t *testing.T) {
	t.Parallel()
	types := Default()
	types[0].Extensions[1].Schema.Attributes = []Attribute{{Name: "badges", Type: Complex, MultiValued: true, SubAttributes: []Attribute{
		{Name: "value", Type: String, Mutability: Immutable}, {Name: "type", Type: String},
	}}}
	s, err := Compile(1, types)
	if err != nil {
		t.Fatal(err)
	}
	users, _ := s.Type("User")
	r, err := users.Parse([]byte(`{"userName":"a",`+org(`"badges":[{"value":"1","type":"door"},{"type":"desk"}]`)+`}`), Generic)
	if err != nil {
		t.Fatal(err)
	}
	path := orgURN + `:badges[type eq \"%s\"].value`
	for _, op := range []string{
		`{"op":"replace","path":"` + fmt.Sprintf(path, "door") + `","value":"2"}`, `{"op":"remove","path":"` + fmt.Sprintf(path, "door") + `"}`,
		`{"op":"replace","path":"` + orgURN + `:badges.value","value":"1"},{"op":"replace","path":"` + orgURN + `:badges.value","value":"3"}`,
	} {
		_, err := patch(t, r, Generic, op)
		wantError(t, err, Mutability, "badges.value", "immutable")
	}
	wantDoc(t, mustPatch(t, r, Generic, `{"op":"add","path":"`+fmt.Sprintf(path, "desk")+`","value":"9"},{"op":"remove","path":"`+orgURN+`:badges[type eq \"door\"]"}`),
		`{"userName":"a",`+org(`"badges":[{"value":"9","type":"desk"}]`)+`}`)
}

// TestPatch_WorkIsBounded: what a request may ask for does not grow with the product of
// its size and the resource's.
func TestPatch_WorkIsBounded(t *testing.T) {
	t.Parallel()
	var values []string
	for i := range 1000 {
		values = append(values, fmt.Sprintf(`"a%d"`, i))
	}
	full := "[" + strings.Join(values, ",") + "]"
	r := mustPatch(t, parse(t, "User", `{"userName":"a"}`, Generic), Generic, `{"op":"add","path":"`+orgURN+`:tags","value":`+full+`}`)
	again := mustPatch(t, r, Generic, `{"op":"add","path":"`+orgURN+`:tags","value":`+full+`}`)
	if string(again.Doc()) != string(r.Doc()) {
		t.Error("adding what is there has changed it")
	}
	terms := strings.Repeat(`value eq \"x\" or `, 90) + `value eq \"y\"`
	for name, op := range map[string]string{
		"add": `{"op":"add","path":"` + orgURN + `:tags","value":` + full + `},`, "remove": `{"op":"remove","path":"` + orgURN + `:tags","value":` + full + `},{"op":"add","path":"` + orgURN + `:tags","value":` + full + `},`,
		"filter": `{"op":"remove","path":"` + orgURN + `:tags[` + terms + `]"},`,
	} {
		_, err := patch(t, r, Entra, strings.TrimSuffix(strings.Repeat(op, 60), ","))
		wantError(t, err, InvalidValue, "tags", "operation")
		if t.Failed() {
			t.Fatal(name)
		}
	}
}

// TestRFC7644_3_5_1_ReadOnlyStays: a PUT leaves the readOnly attributes as they are, and
// refuses another value of an immutable one.
func TestRFC7644_3_5_1_ReadOnlyStays(t *testing.T) {
	t.Parallel()
	old, err := typ("User").Decode([]byte(`{"schemas":["` + userURN + `","` + orgURN + `"],"userName":"a","` + orgURN + `":{"level":3,"origin":"hr","computed":"c"}}`))
	if err != nil {
		t.Fatal(err)
	}
	for body, want := range map[string]string{
		`{"userName":"b",` + org(`"origin":"hr"`) + `}`:                `{"userName":"b",` + org(`"origin":"hr","computed":"c"`) + `}`,
		`{"userName":"b",` + org(`"origin":"hr","computed":"x"`) + `}`: `{"userName":"b",` + org(`"origin":"hr","computed":"c"`) + `}`,
	} {
		r := parse(t, "User", body, Generic)
		for range 2 { // a transaction may run twice
			next, err := old.Type.Replacement(old, r)
			if err != nil {
				t.Fatal(err)
			}
			wantDoc(t, next, want)
		}
	}
	_, err = old.Type.Replacement(old, parse(t, "User", `{"userName":"b"}`, Generic))
	wantError(t, err, Mutability, "origin")
}
