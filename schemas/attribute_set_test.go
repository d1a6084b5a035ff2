package schemas

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func setOf(paths ...string) *AttributeSet { return typ("User").AttributeSet(paths) }

func TestAttributeSet_Projection(t *testing.T) {
	t.Parallel()
	r := parse(t, "User", barbara, Generic)
	v := Volatile{ID: "00u1", ExternalID: "e", Version: 1}
	for _, c := range []struct {
		set        *AttributeSet
		attributes string
		want       []string
		not        []string
	}{
		{nil, "", []string{"userName", "emails", "department"}, nil},
		{setOf("id", "name.givenName"), "", []string{`"givenName":"Barbara"`, `"id"`}, []string{"familyName", "userName", "emails", "department", "externalId"}},
		{setOf("id", "emails.value"), "", []string{"babs@jensen.org"}, []string{`"type"`, "primary", "userName"}},
		{setOf("id", enterpriseURN+":department"), "", []string{"Tours", enterpriseURN}, []string{"manager", "userName"}},
		{setOf("id", enterpriseURN), "", []string{"Tours", "26118915"}, []string{"title"}},
		{setOf("id", "title"), "userName,title", []string{"Tour Guide"}, []string{"bjensen"}},
		{setOf("id", "nosuch"), "", []string{`"id"`}, []string{"userName", "title"}},
		{setOf("id", "title").Without("title", typ("User")), "", nil, []string{"title", "userName"}},
		{(*AttributeSet)(nil).Without("emails", typ("User")), "", []string{"title", "userName"}, []string{"emails"}},
	} {
		p, err := typ("User").ParseProjection(c.attributes, "")
		if err != nil {
			t.Fatal(err)
		}
		got := string(typ("User").Render(nil, r.Doc(), v, c.set.Restrict(p)))
		object(t, []byte(got))
		for _, w := range c.want {
			if !strings.Contains(got, w) {
				t.Errorf("%+v: %q is missing in %s", c, w, got)
			}
		}
		for _, n := range c.not {
			if strings.Contains(got, `"`+n) || strings.Contains(got, n+`"`) {
				t.Errorf("%+v: %q stands in %s", c, n, got)
			}
		}
	}
}

func TestAttributeSet_Filter(t *testing.T) {
	t.Parallel()
	s := setOf("userName", "emails.value", "name")
	for filter, hidden := range map[string]string{
		`userName eq "x" and emails.value pr`: "", `emails[value eq "x"]`: "", `name pr or not (name.givenName sw "x")`: "",
		`userName eq "x" or title eq "y"`: "title", `emails[value eq "x" and type eq "y"]`: "emails.type", `not (title pr)`: "title", `emails eq "x"`: "",
		enterpriseURN + `:department pr`: enterpriseURN + ":department", `meta.created gt "2020-01-01T00:00:00Z"`: "meta.created",
	} {
		f, err := typ("User").ParseFilter(filter, Generic)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Hidden(f); got != hidden {
			t.Errorf("%s: hidden %q, want %q", filter, got, hidden)
		}
		if got := (*AttributeSet)(nil).Hidden(f); got != "" {
			t.Errorf("%s: the nil set hides %q", filter, got)
		}
	}
}

func TestAttributeSet_Writes(t *testing.T) {
	t.Parallel()
	s := setOf("title", "name.givenName", "emails.value", enterpriseURN+":department", "active")
	for ops, want := range map[string]string{
		`{"op":"replace","path":"title","value":"x"}`:                                                                "",
		`{"op":"replace","value":{"title":"x","name":{"givenName":"g"},"` + enterpriseURN + `":{"department":"d"}}}`: "",
		`{"op":"remove","path":"title"}`:                                                                             "",
		`{"op":"add","path":"name","value":{"givenName":"g"}}`:                                                       "",
		`{"op":"replace","path":"emails.value","value":"x"}`:                                                         "",
		`{"op":"replace","path":"active","value":false}`:                                                             "",
		`{"op":"add","path":"name","value":{"givenName":"g","familyName":"f"}}`:                                      "name.familyName",
		`{"op":"remove","path":"name"}`:                                                                              "name",
		`{"op":"replace","path":"name","value":null}`:                                                                "name",
		`{"op":"remove","path":"` + enterpriseURN + `"}`:                                                             enterpriseURN,
		`{"op":"add","path":"` + enterpriseURN + `","value":{"manager":{"value":"m"}}}`:                              enterpriseURN + ":manager",
		`{"op":"add","path":"emails","value":[{"value":"x"}]}`:                                                       "emails",
		`{"op":"remove","path":"emails[type eq \"work\"]"}`:                                                          "emails",
		`{"op":"replace","path":"emails[value pr].type","value":"x"}`:                                                "emails.type",
		`{"op":"add","value":{"title":"x","userType":"admin"}}`:                                                      "userType",
		`{"op":"add","path":"title","value":"x"},{"op":"replace","path":"password","value":"secret"}`:                "password",
		`{"op":"replace","path":"externalId","value":"x"}`:                                                           "externalId",
		`{"op":"replace","path":"` + orgURN + `:badge","value":"x"}`:                                                 orgURN + ":badge",
	} {
		parsed, err := typ("User").ParsePatch([]byte(patchBody(ops)), Generic)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := s.OutsideOps(parsed); got != want {
			t.Errorf("%s: outside %q, want %q", ops, got, want)
		}
	}
	for ops, want := range map[string]string{
		`{"op":"replace","path":"emails[value eq \"x\"].value","value":"y"}`: "", `{"op":"replace","path":"emails[type eq \"x\"].value","value":"y"}`: "emails.type",
		`{"op":"remove","path":"roles","value":[{"value":"x"}]}`: "roles",
	} {
		parsed, err := typ("User").ParsePatch([]byte(patchBody(ops)), Generic)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := s.HiddenInOps(parsed); got != want {
			t.Errorf("%s: hidden %q, want %q", ops, got, want)
		}
	}
	// A part of an element is changed where it is, and nowhere made.
	parsed, err := typ("User").ParsePatch([]byte(patchBody(`{"op":"add","path":"emails[value eq \"x\"].value","value":"y"}`)), Entra)
	if err != nil {
		t.Fatal(err)
	}
	s.OutsideOps(parsed)
	_, err = typ("User").Patch(parse(t, "User", `{"userName":"a"}`, Generic), parsed, Entra)
	wantError(t, err, NoTarget)
	for body, want := range map[string]string{
		`{"title":"x","name":{"givenName":"g"},"active":true}`: "userName", `{"userName":"a","title":"x"}`: "userName",
	} {
		if got := s.Outside(parse(t, "User", strings.Replace(body, `{"title"`, `{"userName":"a","title"`, 1), Generic)); got != want {
			t.Errorf("%s: outside %q, want %q", body, got, want)
		}
	}
	full := setOf("userName", "title")
	for body, want := range map[string]string{
		`{"userName":"a","title":"x"}`: "", `{"userName":"a","active":true}`: "active", `{"userName":"a","password":"p"}`: "password", `{"userName":"a","externalId":"e"}`: "externalId",
	} {
		if got := full.Outside(parse(t, "User", body, Generic)); got != want {
			t.Errorf("%s: outside %q, want %q", body, got, want)
		}
	}
}

// TestAttributeSet_Keep: a PUT of somebody who may write some attributes leaves the
// others, and may repeat them as they are.
func TestAttributeSet_Keep(t *testing.T) {
	t.Parallel()
	old := parse(t, "User", barbara, Generic)
	s := setOf("userName", "title", "name.givenName")
	for _, c := range []struct{ body, outside, want string }{
		{`{"userName":"b","title":"T","name":{"givenName":"B"}}`, "",
			`{"userName":"b","title":"T","name":{"givenName":"B","familyName":"Jensen"}}`},
		{`{"userName":"b"}`, "", `{"userName":"b","name":{"familyName":"Jensen"}}`},
		{`{"userName":"b","name":{"familyName":"Jensen"},"active":true,"externalId":"ext-1"}`, "", `{"userName":"b","name":{"familyName":"Jensen"}}`},
		{`{"userName":"b","name":{"familyName":"X"}}`, "name.familyName", ""},
		{`{"userName":"b","active":false}`, "active", ""},
		{`{"userName":"b","externalId":"ext-2"}`, "externalId", ""},
		{`{"userName":"b","password":"p"}`, "password", ""},
		{`{"userName":"b","emails":[{"value":"x"}]}`, "emails", ""},
		{`{"userName":"b",` + entDoc + `}`, "", `{"userName":"b","name":{"familyName":"Jensen"}}`},
		{`{"userName":"b",` + org(`"level":3`) + `}`, orgURN + ":level", ""},
	} {
		next, outside := s.Keep(old, parse(t, "User", c.body, Generic))
		if outside != c.outside {
			t.Errorf("%s: outside %q, want %q", c.body, outside, c.outside)
		}
		if c.outside != "" {
			continue
		}
		got, want := object(t, next.Doc()), object(t, []byte(c.want))
		delete(got, "schemas")
		for _, kept := range []string{"emails", enterpriseURN} {
			want[kept] = object(t, old.Doc())[kept]
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.body, diff)
		}
		if next.ExternalID != "ext-1" || next.Active == nil || !*next.Active || next.Password != "" {
			t.Errorf("%s: %q, %v", c.body, next.ExternalID, next.Active)
		}
	}
}
