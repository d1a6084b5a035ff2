package exchange

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzBody: a body that is kept says the same after it was written and read again, and a
// masked one has lost what its secret members said.
func FuzzBody(f *testing.F) {
	for _, s := range []string{
		`{"password":"xyzzy-1","a":[{"path":"PassWord","value":{"x":"xyzzy-2","y":true}}],"A":1e400,"a":null}`,
		`[{"op":"add","value":{"urn:x:User":{"clientSecret":"xyzzy-3"}}}]`, `"x"`, ``, `{"a":{"a":{}}}`, `{"a":}`, `{"a":1}{}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := parse([]byte(s))
		if err != nil {
			return
		}
		text, err := encode(v)
		if err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		again, err := parse(text)
		if diff := cmp.Diff(v, again, cmp.AllowUnexported(member{})); err != nil || diff != "" {
			t.Fatalf("%q became %s: %v %s", s, text, err, diff)
		}
		clean, err := encode(maskBody(again))
		if err != nil {
			t.Fatal(err)
		}
		each(again, func(o object) {
			for _, m := range o {
				if said, ok := m.value.(string); ok && isSecret(m.name) && said != masked {
					t.Fatalf("%s kept %q", clean, said)
				}
			}
		})
	})
}

func TestMask(t *testing.T) {
	for in, want := range map[string]string{
		`{"password":"x","name":{"givenName":"y"}}`:                   `{"password":"{{password}}","name":{"givenName":"y"}}`,
		`{"op":"replace","path":"password","value":"x"}`:              `{"op":"replace","path":"password","value":"{{password}}"}`,
		`{"value":["x",1,true],"path":"urn:x:apiKeys[a eq 1].token"}`: `{"value":["{{password}}","{{password}}",true],"path":"urn:x:apiKeys[a eq 1].token"}`,
		`{"client_secret":{"value":"x","on":false}}`:                  `{"client_secret":{"value":"{{password}}","on":false}}`,
	} {
		v, err := parse([]byte(in))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := encode(maskBody(v)); string(got) != want || err != nil {
			t.Errorf("%s: got %s, %v, want %s", in, got, err, want)
		}
	}
	for in, want := range map[string]string{
		"a=b&c": "a=b&c", "filter=userName+eq+%22x%22&": "filter=userName+eq+%22x%22&", "access_token=abc&x=y": "access_token=%2A%2A%2A&x=y",
		"filter=userName%20eq%20%22a%22%20and%20password%20eq%20%22b%22": "filter=password+eq+%22%2A%2A%2A%22", "x=%zz": "x=%2A%2A%2A",
	} {
		if got := maskQuery(in); got != want || strings.Contains(got, "abc") {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}
