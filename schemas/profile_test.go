package schemas

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestProfile_Lossless: what the flat view has no name for survives a change.
func TestProfile_Lossless(t *testing.T) {
	t.Parallel()
	r := parse(t, "User", `{"userName":"babs@example.com","emails":[
		{"value":"first@x.y"},{"value":"work@x.y","type":"work","display":"W"},{"value":"main@x.y","type":"home","primary":true},{"value":"second@x.y","type":"other"},{"value":"third@x.y","type":"other"}],
		"phoneNumbers":[{"value":"1","type":"fax"},{"value":"2","type":"mobile"},{"value":"3","type":"work"}],
		"ims":[{"value":"im","type":"xmpp"}],
		"addresses":[{"type":"home","country":"FR"},{"type":"work","country":"CH","locality":"Bern"}]}`, Generic)
	want := map[string]any{
		"login": "babs@example.com", "email": "main@x.y", "secondEmail": "second@x.y", "mobilePhone": "2", "primaryPhone": "3",
		"countryCode": "CH", "city": "Bern",
	}
	if diff := cmp.Diff(want, r.Profile()); diff != "" {
		t.Errorf("profile (-want +got):\n%s", diff)
	}
	err := r.SetProfile(map[string]any{"email": "new@x.y", "secondEmail": nil, "city": "", "streetAddress": "S", "mobilePhone": "4", "manager": "Boss"})
	if err != nil {
		t.Fatal(err)
	}
	wantDoc(t, r, `{"userName":"babs@example.com","emails":[
		{"value":"first@x.y"},{"value":"work@x.y","type":"work","display":"W"},{"value":"new@x.y","type":"home","primary":true},{"value":"third@x.y","type":"other"}],
		"phoneNumbers":[{"value":"1","type":"fax"},{"value":"4","type":"mobile"},{"value":"3","type":"work"}],
		"ims":[{"value":"im","type":"xmpp"}],
		"addresses":[{"type":"home","country":"FR"},{"type":"work","country":"CH","streetAddress":"S"}],
		"`+enterpriseURN+`":{"manager":{"displayName":"Boss"}}}`)
}

// TestProfile_SharedElement: one element that two names mean is parted when one of the
// names changes.
func TestProfile_SharedElement(t *testing.T) {
	t.Parallel()
	const shared = `{"userName":"a","phoneNumbers":[{"value":"1","type":"mobile","primary":true}],"emails":[{"value":"a@x.y","type":"other","primary":true}]}`
	for _, c := range []struct {
		set  map[string]any
		want map[string]any
	}{
		{map[string]any{"mobilePhone": "2"}, map[string]any{"mobilePhone": "2", "primaryPhone": "1", "email": "a@x.y", "secondEmail": "a@x.y"}},
		{map[string]any{"primaryPhone": "2"}, map[string]any{"mobilePhone": "1", "primaryPhone": "2", "email": "a@x.y", "secondEmail": "a@x.y"}},
		{map[string]any{"email": "b@x.y"}, map[string]any{"mobilePhone": "1", "primaryPhone": "1", "email": "b@x.y", "secondEmail": "a@x.y"}},
		{map[string]any{"secondEmail": "b@x.y"}, map[string]any{"mobilePhone": "1", "primaryPhone": "1", "email": "a@x.y", "secondEmail": "b@x.y"}},
		{map[string]any{"secondEmail": nil, "primaryPhone": nil}, map[string]any{"mobilePhone": "1", "email": "a@x.y"}},
		{map[string]any{"email": "b@x.y", "secondEmail": "c@x.y"}, map[string]any{"mobilePhone": "1", "primaryPhone": "1", "email": "b@x.y", "secondEmail": "c@x.y"}},
	} {
		r := parse(t, "User", shared, Generic)
		if err := r.SetProfile(c.set); err != nil {
			t.Fatal(err)
		}
		c.want["login"] = "a"
		if diff := cmp.Diff(c.want, r.Profile()); diff != "" {
			t.Errorf("set %v (-want +got):\n%s", c.set, diff)
		}
	}
}

// TestProfile_SetAndRead: what is set is read, and every other name keeps its value. A
// removed primary element is the exception: the next one takes its place.
func TestProfile_SetAndRead(t *testing.T) {
	t.Parallel()
	u := typ("User")
	rapid.Check(t, func(t *rapid.T) {
		r := &Resource{Type: u, root: drawRoot(t)}
		before := r.Profile()
		set := map[string]any{}
		for _, b := range BaseAttributes() {
			if rapid.IntRange(0, 5).Draw(t, b.Name) == 0 {
				set[b.Name] = sample(b)
			}
		}
		if err := r.SetProfile(set); err != nil {
			t.Fatal(err)
		}
		want := maps.Clone(before)
		maps.Copy(want, set)
		if diff := cmp.Diff(want, r.Profile()); diff != "" {
			t.Fatalf("set %v on %v (-want +got):\n%s", set, before, diff)
		}
		doc := r.Doc()
		if again, err := u.Decode(doc); err != nil || string(again.Doc()) != string(doc) {
			t.Fatalf("the document is not canonical: %s", doc)
		}
		if err := r.SetProfile(r.Profile()); err != nil || string(r.Doc()) != string(doc) {
			t.Fatalf("setting the profile to itself: %v\n got %s\nwant %s", err, r.Doc(), doc)
		}
	})
}

func TestProfile_CustomTypes(t *testing.T) {
	t.Parallel()
	r, err := typ("User").FromProfile(map[string]any{
		"login": "babs@example.com", "level": json.Number("3"), "score": 1.5, "remote": true, "tags": []any{"a", "b"},
		"hired": "2020-01-01T00:00:00Z", "size": "M",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"login": "babs@example.com", "level": int64(3), "score": 1.5, "remote": true, "tags": []any{"a", "b"},
		"hired": "2020-01-01T00:00:00Z", "size": "M",
	}
	if diff := cmp.Diff(want, r.Profile()); diff != "" {
		t.Errorf("profile (-want +got):\n%s", diff)
	}
	if err := r.SetProfile(map[string]any{"level": 4, "score": 2, "tags": []string{"c"}, "remote": nil}); err != nil {
		t.Fatal(err)
	}
	wantDoc(t, r, `{"userName":"babs@example.com",`+org(`"level":4,"score":2,"tags":["c"],"hired":"2020-01-01T00:00:00Z","size":"M"`)+`}`)
	if err := r.SetProfile(map[string]any{"tags": []any{}}); err != nil || r.Profile()["tags"] != nil {
		t.Errorf("empty array: %v, %v", err, r.Profile()["tags"])
	}
}

func TestProfile_Refused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		value   any
		mention string
	}{
		"nosuch":      {"x", "not defined in profile"},
		"login":       {nil, "required"},
		"email":       {"no address", "e-mail"},
		"firstName":   {strings.Repeat("x", 51), "at most 50"},
		"secondEmail": {"a@b", "at least 5"},
		"countryCode": {"FRA", "at most 2"},
		"state":       {7, "want string, got number"},
		"locale":      {"en-US", "locale"},
		"timezone":    {"Mars/Olympus", "time zone"},
		"profileUrl":  {"/me", "URI"},
		"title":       {"a\x00b", "NUL"},
		"nickName":    {"\xff", "UTF-8"},
		"userType":    {map[string]any{}, "got object"},
		"level":       {"x", "want integer, got string"},
		"score":       {"1", "want decimal"},
		"remote":      {"true", "want boolean, got string"},
		"tags":        {"a", "want array, got string"},
		"size":        {"XXL", "one of S, M, L"},
		"hired":       {"soon", "dateTime"},
		"manager":     {[]any{"x"}, "got array"},
	} {
		r := parse(t, "User", barbara, Generic)
		before := string(r.Doc())
		wantError(t, r.SetProfile(map[string]any{name: c.value, "city": "Bern"}), InvalidValue, name, c.mention)
		if string(r.Doc()) != before {
			t.Errorf("%s: the resource has changed", name)
		}
	}
	_, err := typ("User").FromProfile(map[string]any{"firstName": "B"})
	wantError(t, err, InvalidValue, "login", "required")
	r := parse(t, "User", `{"userName":"short"}`, Generic)
	if err := r.SetProfile(map[string]any{"login": "short", "title": "T"}); err != nil {
		t.Errorf("a value that does not change is not validated again: %v", err)
	}
}

func TestProfile_Group(t *testing.T) {
	t.Parallel()
	r, err := typ("Group").FromProfile(map[string]any{"name": "Guides", "description": "Tour guides"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{"name": "Guides", "description": "Tour guides"}, r.Profile()); diff != "" {
		t.Errorf("profile (-want +got):\n%s", diff)
	}
	if r.DisplayName() != "Guides" {
		t.Errorf("displayName: got %q", r.DisplayName())
	}
	_, err = typ("Group").FromProfile(map[string]any{"description": "x"})
	wantError(t, err, InvalidValue, "name")
}

func TestChangedProfile(t *testing.T) {
	t.Parallel()
	old := parse(t, "User", barbara, Generic)
	changed := mustPatch(t, old, Generic, `{"op":"replace","path":"title","value":"T"},{"op":"remove","path":"emails[type eq \"work\"]"},
		{"op":"add","path":"`+orgURN+`:tags","value":["x"]},{"op":"add","path":"ims","value":{"value":"x"}}`)
	for _, c := range []struct {
		old, new *Resource
		want     []string
	}{
		{old, changed, []string{"email", "tags", "title"}},
		{changed, old, []string{"email", "tags", "title"}},
		{old, old.Clone(), nil},
		{nil, old, []string{"department", "email", "firstName", "lastName", "login", "managerId", "title"}},
		{old, nil, []string{"department", "email", "firstName", "lastName", "login", "managerId", "title"}},
		{nil, nil, nil},
	} {
		if got := ChangedProfile(c.old, c.new); !slices.Equal(got, c.want) {
			t.Errorf("got %v, want %v", got, c.want)
		}
	}
	s, err := Compile(2, custom())
	if err != nil {
		t.Fatal(err)
	}
	u, _ := s.Type("User")
	again, err := u.Decode(old.Doc())
	if err != nil {
		t.Fatal(err)
	}
	if got := ChangedProfile(old, again); got != nil {
		t.Errorf("another schema version: got %v", got)
	}
}
