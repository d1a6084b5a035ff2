package authserver

import (
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
	"testing"
)

func hexOf(s string) string { return hex.EncodeToString([]byte(s)) }

// FuzzMatchRedirect: a URI that matches is registered as it stands, or is a loopback
// address that leads to the same path.
func FuzzMatchRedirect(f *testing.F) {
	for _, uri := range []string{"https://a.example/cb", "http://127.0.0.1:1/cb", "http://[::1]:99/cb", "http://127.0.0.1:x/cb", "http://127.0.0.1\\@evil/cb"} {
		f.Add(uri)
	}
	c := &Client{ApplicationType: AppNative, RedirectURIs: []string{"https://a.example/cb", "http://127.0.0.1/cb", "http://[::1]/cb"}}
	f.Fuzz(func(t *testing.T, uri string) {
		if !c.matchRedirect(uri) || slices.Contains(c.RedirectURIs, uri) {
			return
		}
		u, err := url.Parse(uri)
		if err != nil || u.Scheme != "http" || u.Path != "/cb" || u.RawQuery != "" || u.Fragment != "" || u.User != nil ||
			u.Hostname() != "127.0.0.1" && u.Hostname() != "::1" {
			t.Errorf("%q matches", uri)
		}
	})
}

// FuzzRegisteredRedirect: what can be registered is absolute, without fragment or user
// information, and not in the clear beyond this machine.
func FuzzRegisteredRedirect(f *testing.F) {
	for _, uri := range []string{"https://a.example/", "http://localhost/", "com.example:/cb", "javascript:alert(1)", "https://a@b/", "data:text/html,x"} {
		f.Add(uri)
	}
	c := &Client{ApplicationType: AppNative}
	f.Fuzz(func(t *testing.T, uri string) {
		if c.refusesRedirect(uri) != "" {
			return
		}
		u, err := url.Parse(uri)
		if err != nil || u.Fragment != "" || u.User != nil || strings.ContainsAny(uri, "\\ \n") {
			t.Fatalf("%q can be registered", uri)
		}
		local := isLocal(u.Hostname())
		if u.Scheme != "https" && !(u.Scheme == "http" && local) && !strings.Contains(u.Scheme, ".") {
			t.Errorf("%q can be registered", uri)
		}
	})
}

// FuzzVerifyToken: nothing that we did not sign verifies, and nothing panics.
func FuzzVerifyToken(f *testing.F) {
	k, err := newKey(es256, keyActive)
	if err != nil {
		f.Fatal(err)
	}
	r, err := newRing([]*key{k})
	if err != nil {
		f.Fatal(err)
	}
	good, err := k.sign(k.access, map[string]any{"sub": "x"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Add("..")
	f.Fuzz(func(t *testing.T, token string) {
		if _, err := r.verify(token, typAccess); err == nil && token != good {
			t.Errorf("%q verifies", token)
		}
	})
}
