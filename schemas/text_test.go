package schemas_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-id/provost/schemas"
)

// withTexts is the User with attributes of every type in the organisation's extension.
func withTexts(t *testing.T) *schemas.Type {
	t.Helper()
	types := schemas.Default()
	types[0].Extensions[1].Schema.Attributes = []schemas.Attribute{
		{Name: "level", Type: schemas.Integer}, {Name: "rate", Type: schemas.Decimal}, {Name: "remote", Type: schemas.Boolean},
		{Name: "skills", Type: schemas.String, MultiValued: true}, {Name: "since", Type: schemas.DateTime},
	}
	s, err := schemas.Compile(1, types)
	if err != nil {
		t.Fatal(err)
	}
	user, _ := s.Type("User")
	return user
}

func values(t *testing.T, typ *schemas.Type, pairs ...string) []schemas.TextValue {
	t.Helper()
	var all []schemas.TextValue
	for i := 0; i < len(pairs); i += 2 {
		x, err := typ.Text(pairs[i])
		if err != nil {
			t.Fatalf("%s: %v", pairs[i], err)
		}
		v := schemas.TextValue{Text: x}
		if pairs[i+1] != "" {
			v.Texts = strings.Split(pairs[i+1], "|")
		}
		all = append(all, v)
	}
	return all
}

// What is set is found again under the same name, and taken away without a trace.
func TestTexts(t *testing.T) {
	typ := withTexts(t)
	pairs := []string{
		"userName", "ann@example.com", "firstName", "Ann", "name.familyName", "Lee", "email", "ann@example.com", "externalId", "x7", "active", "false",
		`emails[type eq "home"].value`, "ann@home.example", `addresses[type eq "work"].locality`, "Oslo", "level", "7", "rate", "2.5", "remote", "TRUE",
		"skills", "go|sql", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", "Sales", "since", "2026-01-02T03:04:05Z",
		"photos.value", "https://example.com/1|https://example.com/2",
	}
	all := values(t, typ, pairs...)
	r, err := typ.SetTexts(typ.Empty(), all)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range all {
		want := strings.Split(strings.ReplaceAll(pairs[2*i+1], "TRUE", "true"), "|")
		if diff := cmp.Diff(want, v.Of(r)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", v.Name, diff)
		}
		if v.Multi() != slices.Contains([]string{"skills", "photos.value"}, v.Name) {
			t.Errorf("%s: multi %v", v.Name, v.Multi())
		}
	}
	for i := range all {
		if all[i].Name != "userName" {
			all[i].Texts = nil
		}
	}
	if r, err = typ.SetTexts(r, all); err != nil {
		t.Fatal(err)
	}
	want := `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ann@example.com"}`
	if got := string(r.Doc()); got != want || r.ExternalID != "" {
		t.Errorf("after all were taken away: %s", got)
	}
}

// One of several values is changed and the others stay.
func TestTextsKeepTheRest(t *testing.T) {
	typ := withTexts(t)
	r, err := typ.Parse([]byte(`{"userName":"a","emails":[{"value":"w@example.com","type":"work","display":"W"},{"value":"h@example.com","type":"home"}]}`), schemas.Generic)
	if err != nil {
		t.Fatal(err)
	}
	if r, err = typ.SetTexts(r, values(t, typ, `emails[type eq "work"].value`, "new@example.com", `emails[type eq "home"].value`, "")); err != nil {
		t.Fatal(err)
	}
	want := `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"a","emails":[{"value":"new@example.com","display":"W","type":"work"}]}`
	if got := string(r.Doc()); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestTextsRefused(t *testing.T) {
	typ := withTexts(t)
	for _, name := range []string{"nothing", "name", "id", "meta.created", "groups", "members", "schemas", "addresses", "emails.type", "emails[type eq", "emails[type eq \"x\"].nope", ""} {
		if _, err := typ.Text(name); err == nil {
			t.Errorf("%q is taken for an attribute", name)
		}
	}
	for _, pair := range [][2]string{
		{"level", "seven"}, {"level", "1.5"}, {"remote", "maybe"}, {"rate", "NaN"}, {"since", "yesterday"}, {"title", "a\x00b"}, {"title", "\xff"},
		{"email", "x"}, {"name.givenName", strings.Repeat("x", 51)}, {"photos.value", strings.Repeat("https://example.com/|", 1001)},
	} {
		_, err := typ.SetTexts(typ.Empty(), values(t, typ, "userName", "a", pair[0], pair[1]))
		if e, ok := errors.AsType[*schemas.Error](err); !ok || e.Path == "" {
			t.Errorf("%s = %.20q gives %v, want an error that names it", pair[0], pair[1], err)
		}
	}
	if _, err := typ.SetTexts(typ.Empty(), values(t, typ, "title", "x")); err == nil {
		t.Error("a user without userName")
	}
}
