package oidc

import (
	"net/url"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// FuzzParseKeys: whatever a provider publishes, what is kept is bounded and may verify.
func FuzzParseKeys(f *testing.F) {
	f.Add([]byte(`{"keys":[{"kty":"EC","crv":"P-256","kid":"a","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}`))
	f.Add([]byte(`{"keys":[{"kty":"oct","k":"AAAA"},{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`))
	f.Add([]byte(`{"keys":null}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		keys, err := parseKeys(body)
		if err != nil && keys != nil || len(keys) > maxKeys {
			t.Errorf("%d keys with error %v", len(keys), err)
		}
		for _, k := range keys {
			if !usable(k.Key) || k.Use != "" && k.Use != "sig" {
				t.Errorf("kept the key %+v", k)
			}
		}
	})
}

// FuzzResponse: a response gives a code only when it is of the provider, whole and no error.
func FuzzResponse(f *testing.F) {
	f.Add("code=x&state=y&iss=https%3A%2F%2Fidp.example")
	f.Add("error=access_denied&iss=https%3A%2F%2Fidp.example")
	f.Add("code=x&code=y")
	p := &provider{issuer: "https://idp.example", sendsIssuer: true}
	f.Fuzz(func(t *testing.T, query string) {
		q, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		code, err := p.code(q)
		if err == nil && (code == "" || len(q["code"]) != 1 || len(q["iss"]) != 1 || q.Get("iss") != p.issuer || q.Get("error") != "") {
			t.Errorf("%q gave the code %q", query, code)
		}
	})
}

func TestAllowedAlgorithms(t *testing.T) {
	t.Parallel()
	if got := allowed([]string{"none", "HS256", "RS256", "ES256"}); len(got) != 2 {
		t.Errorf("allowed %v, want RS256 and ES256", got)
	}
	if got := allowed(nil); len(got) != len(algorithms) {
		t.Errorf("allowed %v when the provider says nothing", got)
	}
	for _, a := range algorithms {
		if a == string(jose.HS256) || a == "none" {
			t.Errorf("%s is on the allow-list", a)
		}
	}
}
