package schemas

import (
	"strings"
	"testing"
)

// FuzzPatch: no input panics, the resource is not touched, and what comes out is
// canonical.
func FuzzPatch(f *testing.F) {
	for _, op := range []string{
		`{"op":"add","value":{"emails[type eq \"work\"].value":"x","name":{"givenName":null}}}`,
		`{"op":"replace","path":"emails[type eq \"work\" and not (value pr)]","value":[{"value":"q","primary":"True"}]}`,
		`{"op":"remove","path":"emails","value":[{"type":"work"}]},{"op":"add","path":"addresses.country","value":"x"}`,
		`{"op":"replace","path":"` + enterpriseURN + `","value":{"manager":["m"]}}`,
		`{"op":"add","path":"` + orgURN + `:tags[value eq \"a\"]","value":"b"}`,
	} {
		f.Add([]byte(patchBody(op)), true)
		f.Add([]byte(patchBody(op)), false)
	}
	f.Fuzz(func(t *testing.T, body []byte, tolerant bool) {
		d := Strict
		if tolerant {
			d = Entra
		}
		r := parse(t, "User", barbara, Generic)
		before := string(r.Doc())
		ops, err := r.Type.ParsePatch(body, d)
		if err != nil {
			return
		}
		p, err := r.Type.Patch(r, ops, d)
		if got := string(r.Doc()); got != before {
			t.Fatalf("the resource has changed\n got %s\nwant %s", got, before)
		}
		if err == nil {
			wantStable(t, p)
			wantParses(t, p)
		}
	})
}

// wantParses: a document is a valid request body, so that a PATCH leads to nothing
// that a PUT would refuse.
func wantParses(t testing.TB, r *Resource) {
	t.Helper()
	again, err := r.Type.Parse(r.Doc(), Strict)
	if err != nil {
		t.Fatalf("document %s: %v", r.Doc(), err)
	}
	if got := again.Doc(); string(got) != string(r.Doc()) {
		t.Fatalf("parsed document\n got %s\nwant %s", got, r.Doc())
	}
}

// FuzzPath: a path never panics, and resolves to the same attribute in any case.
func FuzzPath(f *testing.F) {
	for _, s := range []string{
		`emails[type eq "work"].value`, `name.givenName`, enterpriseURN, enterpriseURN + ":manager.displayName",
		`members[value eq "x" or value eq "y"]`, `tags[value pr]`, `a.b.c`, `emails[].x`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		op, err := typ("User").parsePath(src, Entra)
		if err != nil {
			return
		}
		if op.attr == nil || op.filter != nil && !op.attr.MultiValued || op.sub != nil && op.sub.parent != op.attr {
			t.Fatalf("path %q: attribute %v, sub %v", src, op.attr, op.sub)
		}
		name, rest, _ := strings.Cut(src, "[")
		if again, err := typ("User").parsePath(strings.ToUpper(name), Entra); rest == "" && (err != nil || again.attr != op.attr) {
			t.Fatalf("path %q in upper case: %v", src, err)
		}
	})
}
