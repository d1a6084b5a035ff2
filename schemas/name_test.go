package schemas

import "testing"

func TestNameIn(t *testing.T) {
	s, err := Compile(1, Default())
	if err != nil {
		t.Fatal(err)
	}
	user, _ := s.Type("User")
	group, _ := s.Type("Group")
	for _, c := range []struct {
		typ        *Type
		body, want string
	}{
		{user, `{"userName":"ada"}`, "ada"},
		{user, `{"userName":"ada","name":{"displayName":"no","formatted":"a \"b\" {"},"displayName":"Ada L."}`, "Ada L."},
		{user, `{"displayName":"Zoë \"Z\" \\ O’Hara","userName":"z"}`, `Zoë "Z" \ O’Hara`},
		{user, `{"userName":"a\"d\"a","emails":[{"value":"x@example.com","display":"displayName"}]}`, `a"d"a`},
		{user, `{"userName":"u","title":"displayName\":\"x"}`, "u"},
		{group, `{"displayName":"Line\nbreak <&>"}`, "Line\nbreak <&>"},
	} {
		r, err := c.typ.Parse([]byte(c.body), Generic)
		if err != nil {
			t.Fatal(err)
		}
		if got := NameIn(r.Doc()); got != c.want {
			t.Errorf("%s: got %q, want %q", r.Doc(), got, c.want)
		}
	}
	if got := NameIn(nil); got != "" {
		t.Errorf("of nothing: %q", got)
	}
}
