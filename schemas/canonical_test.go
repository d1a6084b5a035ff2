package schemas

import (
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestDoc_Canonical: any document decodes to itself, and its members may come in any
// order without changing it.
func TestDoc_Canonical(t *testing.T) {
	t.Parallel()
	u := typ("User")
	rapid.Check(t, func(t *rapid.T) {
		r := &Resource{Type: u, root: drawRoot(t)}
		doc := string(r.Doc())
		decoded, err := u.Decode([]byte(doc))
		if err != nil || string(decoded.Doc()) != doc {
			t.Fatalf("decode: %v\n got %s\nwant %s", err, decoded.Doc(), doc)
		}
		if !sameEntries(decoded.Index(), r.Index()) {
			t.Fatalf("index: got %v, want %v", decoded.Index(), r.Index())
		}
		shuffled := r.Clone()
		for i := range shuffled.root.kids {
			j := rapid.IntRange(0, i).Draw(t, "swap")
			k := shuffled.root.kids
			k[i], k[j] = k[j], k[i]
		}
		again, err := u.Decode(shuffled.Doc())
		if err != nil || string(again.Doc()) != doc {
			t.Fatalf("shuffled: %v\n got %s\nwant %s", err, again.Doc(), doc)
		}
	})
}

// TestDecode_OlderSchema: a stored attribute that the schema no longer has is left out.
func TestDecode_OlderSchema(t *testing.T) {
	t.Parallel()
	r := parse(t, "User", `{"userName":"a",`+org(`"badge":"b"`)+`}`, Generic)
	s, err := Compile(2, Default())
	if err != nil {
		t.Fatal(err)
	}
	u, _ := s.Type("User")
	old, err := u.Decode(r.Doc())
	if err != nil {
		t.Fatal(err)
	}
	wantDoc(t, old, `{"userName":"a"}`)
	if _, err := u.Decode([]byte(`{"userName":`)); err == nil {
		t.Error("half a document decodes")
	}
}

func TestFold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b         string
		folds, login bool
	}{
		{"Isaac.Brock", "isáàc.bröck", false, true},
		{"ISAAC", "isaac", true, true},
		{"É", "e\u0301", true, true},
		{"é", "e", false, true},
		{"Straße", "STRASSE", true, true},
		{"Σίσυφος", "ΣΊΣΥΦΟΣ", true, true},
		{"\u212A", "k", true, true}, // Kelvin sign
		{"ｋ", "k", false, true},     // full width (RFC 8265, section 3.3)
		{"ｶﾞ", "ガ", false, true},    // half width
		{"Ꭰ", "ꭰ", true, true},      // Cherokee, which x/text folds crosswise
		{"ø", "o", false, false},    // a letter of its own, not o with a mark
		{"कि", "क", false, false},   // a vowel sign is no diacritic
		{"が", "か", false, false},    // nor is a voicing mark
		{"bob", "b0b", false, false},
	} {
		if got := Fold(c.a) == Fold(c.b); got != c.folds {
			t.Errorf("Fold(%q) == Fold(%q): %v", c.a, c.b, got)
		}
		if got := FoldLogin(c.a) == FoldLogin(c.b); got != c.login {
			t.Errorf("FoldLogin(%q) == FoldLogin(%q): %v", c.a, c.b, got)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "s")
		if f := Fold(s); Fold(f) != f {
			t.Fatalf("Fold(%q) = %q folds again to %q", s, f, Fold(f))
		}
		if f := FoldLogin(s); FoldLogin(f) != f || FoldLogin(Fold(s)) != f {
			t.Fatalf("FoldLogin(%q) = %q folds again to %q", s, f, FoldLogin(f))
		}
	})
}

// TestEncode_Order: the text order of the encoded values is the order of the values.
func TestEncode_Order(t *testing.T) {
	t.Parallel()
	u := typ("User")
	integer, decimal, hired := u.find("level"), u.find("score"), u.find("hired")
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Int64().Draw(t, "a"), rapid.Int64().Draw(t, "b")
		ta, _ := canonicalInteger(itoa(int(a)))
		tb, _ := canonicalInteger(itoa(int(b)))
		if (a < b) != (integer.encode(ta) < integer.encode(tb)) {
			t.Fatalf("%d and %d", a, b)
		}
		x, y := rapid.Float64().Draw(t, "x"), rapid.Float64().Draw(t, "y")
		if math.IsNaN(x) || math.IsNaN(y) {
			return
		}
		if (x < y) != (decimal.encode(formatDecimal(x)) < decimal.encode(formatDecimal(y))) {
			t.Fatalf("%g and %g", x, y)
		}
	})
	order := []string{"0001-01-01T00:00:00Z", "1969-12-31T23:59:59.9Z", "1970-01-01T00:00:00Z", "2020-01-01T01:00:00+02:00", "2020-01-01T00:00:00.000000001", "9998-12-31T00:00:00Z"}
	for i := 1; i < len(order); i++ {
		if hired.encode(order[i-1]) >= hired.encode(order[i]) {
			t.Errorf("%s is not before %s", order[i-1], order[i])
		}
	}
}

func TestIndex_Entries(t *testing.T) {
	t.Parallel()
	r := parse(t, "User", `{"userName":"É","displayName":"D","title":"","emails":[{"value":"A@b"},{"value":"c","type":"work","primary":true}],
		"addresses":[{"formatted":"long text","country":"FR"}],`+org(`"tags":["X","y"],"badge":"B1","secret":"s","level":3`)+`}`, Generic)
	want := []Entry{
		{"schemas", strings.ToLower(orgURN), 0},
		{"emails.value", "a@b", 0}, {"emails.value", "c", 1}, {"emails.type", "work", 1}, {"emails.primary", "true", 1},
		{"addresses.formatted", "", 0}, {"addresses.country", "fr", 0},
		{"org:badge", "B1", 0}, {"org:level", "8000000000000003", 0}, {"org:tags", "x", 0}, {"org:tags", "y", 1},
	}
	if got := r.Index(); !sameEntries(got, want) {
		t.Errorf("index\n got %v\nwant %v", got, want)
	}
	if got := r.Unique(); !sameEntries(got, []Entry{{"userName", "e", 0}, {"org:badge", "B1", 0}}) {
		t.Errorf("unique: got %v", got)
	}
	if h := r.Hot(); h.UserName != "e" || h.DisplayName != "d" || h.GivenName != "" || h.Active != nil {
		t.Errorf("hot: got %+v", h)
	}
}
