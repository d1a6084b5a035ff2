package schemas

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestADV66_JSON: what no honest client sends is 400, and cheap.
func TestADV66_JSON(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat(`{"a":`, 1_000_000) + "1" + strings.Repeat("}", 1_000_000)
	many := make([]string, 0, 20_001)
	for i := range 20_000 {
		many = append(many, `"k`+itoa(i)+`":1`)
	}
	for name, body := range map[string]string{
		"duplicate name":             `{"userName":"a","userName":"b"}`,
		"duplicate in another case":  `{"userName":"a","USERNAME":"b"}`,
		"duplicate by escape":        `{"userName":"a","user\u004eame":"b"}`,
		"duplicate in sub-attribute": `{"userName":"a","name":{"givenName":"x","givenname":"y"}}`,
		"duplicate in unknown value": `{"userName":"a","unknown":[{"x":{"y":1,"Y":2}}]}`,
		"duplicate among many":       `{"userName":"a",` + strings.Join(append(many, `"K7":2`), ",") + `}`,
		"duplicate under the URN":    `{"userName":"a","` + userURN + `":{"userName":"b"}}`,
		"a million levels":           deep,
		"a million arrays":           `{"unknown":` + strings.Repeat("[", 1_000_000),
		"escaped NUL":                `{"userName":"a\u0000b"}`,
		"raw NUL":                    "{\"userName\":\"a\x00b\"}",
		"NUL after the body":         "{\"userName\":\"a\"}\x00",
		"invalid UTF-8":              "{\"userName\":\"a\xff\"}",
		"overlong UTF-8":             "{\"userName\":\"\xc0\xaf\"}",
		"half a surrogate pair":      `{"userName":"\ud800"}`,
		"two high surrogates":        `{"userName":"\ud800\ud800"}`,
		"unknown escape":             `{"userName":"\x41"}`,
		"control character":          "{\"userName\":\"a\nb\"}",
		"something after":            `{"userName":"a"} {}`,
		"trailing comma":             `{"userName":"a",}`,
		"no colon":                   `{"userName" "a"}`,
		"single quotes":              `{'userName':'a'}`,
		"comment":                    `{/**/"userName":"a"}`,
		"leading zero":               `{"userName":"a","unknown":01}`,
		"plus sign":                  `{"userName":"a","unknown":+1}`,
		"NaN":                        `{"userName":"a","unknown":NaN}`,
		"no end":                     `{"userName":"a"`,
		"no end of string":           `{"userName":"a`,
		"array":                      `[]`,
		"string":                     `"userName"`,
		"null":                       `null`,
		"empty":                      ``,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := typ("User").Parse([]byte(body), Generic)
			wantError(t, err, InvalidSyntax)
		})
	}
	t.Run("__proto__ is only a name", func(t *testing.T) {
		t.Parallel()
		r := parse(t, "User", `{"userName":"a","__proto__":{"active":true}}`, Generic)
		wantDoc(t, r, `{"userName":"a"}`)
	})
}

func TestStringEscapes(t *testing.T) {
	t.Parallel()
	r := parse(t, "User", `{"userName":"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00é"}`, Generic)
	if got, want := r.UserName(), "\"\\/\b\f\n\r\té😀é"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	var back struct{ UserName string }
	if err := json.Unmarshal(r.Doc(), &back); err != nil || back.UserName != r.UserName() {
		t.Errorf("document says %q, %v", back.UserName, err)
	}
}

// FuzzParse: no input panics; what is accepted is JSON to encoding/json too, and its
// canonical form is stable.
func FuzzParse(f *testing.F) {
	f.Add([]byte(barbara), true)
	f.Add([]byte(`{"userName":"a","emails":"x","manager":["1"]}`), true)
	f.Add([]byte(`{"userName":"a","`+orgURN+`":{"level":-0,"score":1e3,"hired":"2020-01-01T00:00:00Z","tags":["a","A"]}}`), false)
	f.Add([]byte(`{"userName":"\ud83d\ude00","name":{"givenName":null},"x":[{},[1.5e-7]]}`), true)
	f.Fuzz(func(t *testing.T, body []byte, tolerant bool) {
		d := Strict
		if tolerant {
			d = Entra
		}
		r, err := typ("User").Parse(body, d)
		if err != nil {
			return
		}
		if !json.Valid(body) {
			t.Fatalf("accepted what is no JSON: %q", body)
		}
		wantStable(t, r)
	})
}

// wantStable checks canonical(parse(canonical)) == canonical, for a request body and
// for a stored document, and that the index comes out the same.
func wantStable(t testing.TB, r *Resource) {
	t.Helper()
	doc := r.Doc()
	if !json.Valid(doc) {
		t.Fatalf("document is no JSON: %s", doc)
	}
	decoded, err := r.Type.Decode(doc)
	if err != nil {
		t.Fatalf("decode %s: %v", doc, err)
	}
	if got := decoded.Doc(); string(got) != string(doc) {
		t.Fatalf("decoded document\n got %s\nwant %s", got, doc)
	}
	if a, b := decoded.Index(), r.Index(); !sameEntries(a, b) {
		t.Fatalf("index of the decoded document\n got %v\nwant %v", a, b)
	}
}

func sameEntries(a, b []Entry) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
