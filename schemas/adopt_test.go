package schemas

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// next is custom at a later version: badge is gone, level has a maximum, note is new.
func next(t *testing.T) *Type {
	t.Helper()
	types, max := custom(), 5.0
	as := types[0].Extensions[1].Schema.Attributes[1:]
	as[0].Maximum = &max
	types[0].Extensions[1].Schema.Attributes = append(as, Attribute{Name: "note", Type: String})
	s, err := Compile(2, types)
	if err != nil {
		t.Fatal(err)
	}
	u, _ := s.Type("User")
	return u
}

const customBody = `{"userName":"a@x.y","password":"secret","externalId":"e","active":false,
	"emails":[{"value":"a@x.y","type":"work","primary":true}],"name":{"givenName":"A"},
	"` + orgURN + `":{"badge":"7","level":3,"tags":["x","y"],"secret":"s"}}`

func TestAdopt(t *testing.T) {
	t.Parallel()
	was, u := parse(t, "User", customBody, Generic), next(t)
	got, err := u.Adopt(was)
	if err != nil {
		t.Fatal(err)
	}
	want := parseAs(t, u, customBody)
	if diff := cmp.Diff(string(want.Doc()), string(got.Doc())); diff != "" {
		t.Error(diff)
	}
	if got.Password != "secret" || got.ExternalID != "e" || got.Active == nil || *got.Active || got.Type != u {
		t.Errorf("what stands beside the document: %+v", got)
	}
	only := parse(t, "User", `{"userName":"a","`+orgURN+`":{"badge":"7"}}`, Generic)
	if got, err := u.Adopt(only); err != nil || string(got.Doc()) != string(parseAs(t, u, `{"userName":"a"}`).Doc()) {
		t.Errorf("an extension with nothing but what is gone: %s, %v", got.Doc(), err)
	}
	if same, err := u.Adopt(got); same != got || err != nil {
		t.Errorf("its own: %v, %v", same, err)
	}
	var e *Error
	if _, err := u.Adopt(parse(t, "User", `{"userName":"a","`+orgURN+`":{"level":6}}`, Generic)); !errors.As(err, &e) || e.Path != orgURN+":level" {
		t.Errorf("a value that the new version refuses: %v", err)
	}
}

// A PATCH that was parsed before a change of the schema does the same as one that is
// parsed after it, in every form of an operation.
func TestAdoptPatch(t *testing.T) {
	t.Parallel()
	old, u := typ("User"), next(t)
	was := parseAs(t, u, customBody)
	for name, op := range map[string]string{
		"path":            `{"op":"replace","path":"title","value":"T"}`,
		"urn path":        `{"op":"add","path":"` + orgURN + `:tags","value":["z"]}`,
		"no path":         `{"op":"add","value":{"name.familyName":"B","` + orgURN + `":{"level":4,"tags":["q"]},"emails":[{"value":"b@x.y"}]}}`,
		"value path":      `{"op":"replace","path":"emails[type eq \"work\"]","value":{"value":"c@x.y","type":"home"}}`,
		"sub-attribute":   `{"op":"replace","path":"emails[type eq \"work\"].value","value":"d@x.y"}`,
		"every element":   `{"op":"replace","path":"emails.type","value":"other"}`,
		"remove":          `{"op":"remove","path":"name"}`,
		"remove element":  `{"op":"remove","path":"emails[value eq \"a@x.y\"]"}`,
		"remove listed":   `{"op":"remove","path":"` + orgURN + `:tags","value":["x"]}`,
		"null":            `{"op":"replace","path":"` + orgURN + `:tags","value":null}`,
		"null in a value": `{"op":"replace","value":{"name":{"givenName":null,"familyName":"C"}}}`,
	} {
		ops, err := old.ParsePatch([]byte(patchBody(op)), Generic)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := u.Patch(was, ops, Generic)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := mustPatch(t, was, Generic, op)
		if diff := cmp.Diff(string(want.Doc()), string(got.Doc())); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
	for name, op := range map[string]string{
		"gone":    `{"op":"replace","path":"` + orgURN + `:badge","value":"8"}`,
		"refused": `{"op":"replace","path":"` + orgURN + `:level","value":6}`,
	} {
		ops, err := old.ParsePatch([]byte(patchBody(op)), Generic)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var e *Error
		if _, err := u.Patch(was, ops, Generic); !errors.As(err, &e) || e.Operation != 1 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func parseAs(t *testing.T, typ *Type, body string) *Resource {
	t.Helper()
	r, err := typ.Parse([]byte(body), Generic)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
