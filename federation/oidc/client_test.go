package oidc_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/provost-id/provost/federation"
	"github.com/provost-id/provost/federation/oidc"
	"github.com/provost-id/provost/federation/oidc/oidctest"
	"github.com/provost-id/provost/internal/httpapi"
)

const redirectURI = "http://127.0.0.1:9/oauth2/v1/authorize/callback"

// loopback is the guarded client of the product, with the double's address allowed.
func loopback() *http.Client {
	return httpapi.Outbound(httpapi.OutboundOptions{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, Timeout: 10 * time.Second})
}

func newClient() *oidc.Client { return &oidc.Client{HTTP: loopback(), RedirectURI: redirectURI} }

func idpOf(d *oidctest.Double) federation.IdP {
	i := federation.IdP{ID: "0oa1", Name: "Double", Type: federation.TypeOIDC, Status: federation.Active}
	i.Protocol.Issuer.URL = d.URL
	i.Protocol.Scopes = []string{"openid", "profile", "email"}
	i.Protocol.Credentials.Client = federation.ClientCredentials{ClientID: oidctest.ClientID, AuthMethod: "client_secret_basic"}
	return i
}

// visit starts a flow and lets the double answer it, as a browser would.
func visit(t *testing.T, c *oidc.Client, i federation.IdP) (oidc.Pending, url.Values) {
	t.Helper()
	address, pending, err := c.Start(t.Context(), i, "state-1", oidc.Hint{Login: "ada"})
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	return pending, follow(t, address)
}

func follow(t *testing.T, address string) url.Values {
	t.Helper()
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := browser.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	location, err := resp.Location()
	if err != nil {
		t.Fatalf("the double answers %d: %v", resp.StatusCode, err)
	}
	return location.Query()
}

// run is one whole flow.
func run(t *testing.T, c *oidc.Client, i federation.IdP) (federation.Assertion, error) {
	t.Helper()
	pending, response := visit(t, c, i)
	return c.Finish(t.Context(), i, oidctest.ClientSecret, pending, response)
}

func wantRejected(t *testing.T, err error, check string) {
	t.Helper()
	var r *oidc.Rejected
	if !errors.As(err, &r) || r.Check != check {
		t.Errorf("got error %v, want a rejection by %s", err, check)
	}
}

func TestFlow(t *testing.T) {
	t.Parallel()
	d := oidctest.New(t)
	a, err := run(t, newClient(), idpOf(d))
	if err != nil {
		t.Fatal(err)
	}
	if a.IdPID != "0oa1" || a.Issuer != d.URL || a.Subject != "person-1" || a.Email() != "ada@double.example" || !a.EmailVerified() {
		t.Errorf("assertion is %+v", a)
	}
	q := d.LastAuthorization()
	if q.Get("code_challenge_method") != "S256" || len(q.Get("code_challenge")) != 43 || len(q.Get("nonce")) < 22 ||
		q.Get("state") != "state-1" || q.Get("redirect_uri") != redirectURI || q.Get("login_hint") != "ada" || q.Get("response_type") != "code" {
		t.Errorf("authorization request is %v", q)
	}
}

func TestFlowVariants(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		double func(*oidctest.Double)
		idp    func(*oidctest.Double, *federation.IdP)
	}{
		{"RS256", func(d *oidctest.Double) { d.Key = key }, nil},
		{"client_secret_post", nil, func(_ *oidctest.Double, i *federation.IdP) {
			i.Protocol.Credentials.Client.AuthMethod = "client_secret_post"
		}},
		{"endpoints without discovery", func(d *oidctest.Double) {
			d.Metadata = func(m map[string]any) { clear(m) }
		}, func(d *oidctest.Double, i *federation.IdP) {
			i.Protocol.Endpoints = map[string]federation.Endpoint{
				"authorization": {URL: d.URL + "/authorize"}, "token": {URL: d.URL + "/token"}, "jwks": {URL: d.URL + "/keys"},
			}
		}},
		{"token without kid", func(d *oidctest.Double) {
			d.Sign = func(c map[string]any) string { return oidctest.SignWith(d.Key, "", nil, c) }
		}, nil},
		{"several audiences and azp", func(d *oidctest.Double) {
			d.IDToken = func(c map[string]any) { c["aud"], c["azp"] = []string{oidctest.ClientID, "other"}, oidctest.ClientID }
		}, nil},
		{"hashes", func(d *oidctest.Double) {
			d.IDToken = func(c map[string]any) { c["at_hash"] = half("access") }
		}, nil},
		{"key that nobody understands", func(d *oidctest.Double) {
			d.Keys = func(w http.ResponseWriter) {
				set := fmt.Sprintf(`{"keys":[{"kty":"XYZ","kid":"a"},{"kty":"EC","crv":"P-256","kid":"b","x":"AA"},%s]}`, publicJWK(d.Key, oidctest.KeyID))
				_, _ = w.Write([]byte(set))
			}
		}, nil},
		{"clock behind, within skew", func(d *oidctest.Double) {
			d.IDToken = func(c map[string]any) { c["exp"] = time.Now().Add(-time.Minute).Unix() }
		}, func(_ *oidctest.Double, i *federation.IdP) { i.Policy.MaxClockSkew = 120000 }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := oidctest.New(t)
			i := idpOf(d)
			if tt.double != nil {
				tt.double(d)
			}
			if tt.idp != nil {
				tt.idp(d, &i)
			}
			if _, err := run(t, newClient(), i); err != nil {
				t.Errorf("flow: %v", err)
			}
		})
	}
}

func half(of string) string {
	h := crypto.SHA256.New()
	h.Write([]byte(of))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:16])
}

func publicJWK(key crypto.Signer, kid string) []byte {
	b, err := json.Marshal(jose.JSONWebKey{Key: key.Public(), KeyID: kid})
	if err != nil {
		panic(err)
	}
	return b
}

// Mix-up (RFC 9207): a response that names another issuer, or none although the
// provider always names itself, ends the flow before the code is sent anywhere.
func TestADV19_MixUp(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(url.Values){
		"other issuer":   func(q url.Values) { q.Set("iss", "https://honest.example") },
		"trailing slash": func(q url.Values) { q.Set("iss", q.Get("iss")+"/") },
		"no issuer":      func(q url.Values) { q.Del("iss") },
		"empty issuer":   func(q url.Values) { q.Set("iss", "") },
		"two issuers":    func(q url.Values) { q.Add("iss", "https://honest.example") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := oidctest.New(t)
			d.Response = change
			_, err := run(t, newClient(), idpOf(d))
			if name == "two issuers" {
				wantRejected(t, err, "response")
			} else {
				wantRejected(t, err, "iss")
			}
			if n := d.Fetched("/token"); n != 0 {
				t.Errorf("the code went to the token endpoint %d times, want 0", n)
			}
		})
	}
}

// A provider that does not speak RFC 9207 need not name itself; when it does, the name
// is compared all the same.
func TestADV19_IssuerIsOptionalUnlessAdvertised(t *testing.T) {
	t.Parallel()
	d := oidctest.New(t)
	d.Metadata = func(m map[string]any) { delete(m, "authorization_response_iss_parameter_supported") }
	d.Response = func(q url.Values) { q.Del("iss") }
	if _, err := run(t, newClient(), idpOf(d)); err != nil {
		t.Errorf("flow without iss: %v", err)
	}
	d.Response = func(q url.Values) { q.Set("iss", "https://honest.example") }
	_, err := run(t, newClient(), idpOf(d))
	wantRejected(t, err, "iss")
}

func TestADV32_IDToken(t *testing.T) {
	t.Parallel()
	stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	claim := func(name string, v any) func(*oidctest.Double) {
		return func(d *oidctest.Double) {
			d.IDToken = func(c map[string]any) {
				if c[name] = v; v == nil {
					delete(c, name)
				}
			}
		}
	}
	signed := func(sign func(*oidctest.Double, map[string]any) string) func(*oidctest.Double) {
		return func(d *oidctest.Double) { d.Sign = func(c map[string]any) string { return sign(d, c) } }
	}
	tests := []struct {
		name   string
		double func(*oidctest.Double)
		check  string
	}{
		{"wrong iss", claim("iss", "https://evil.example"), "id_token"},
		{"missing iss", claim("iss", nil), "id_token"},
		{"wrong aud", claim("aud", "other"), "id_token"},
		{"missing aud", claim("aud", nil), "id_token"},
		{"wrong azp", claim("azp", "other"), "azp"},
		{"audiences without azp", claim("aud", []string{oidctest.ClientID, "other"}), "azp"},
		{"wrong nonce", claim("nonce", "other"), "nonce"},
		{"missing nonce", claim("nonce", nil), "nonce"},
		{"expired", claim("exp", time.Now().Add(-time.Second).Unix()), "exp"},
		{"missing exp", claim("exp", nil), "exp"},
		{"missing iat", claim("iat", nil), "iat"},
		{"iat in the future", claim("iat", time.Now().Add(time.Hour).Unix()), "iat"},
		{"iat long ago", claim("iat", time.Now().Add(-48*time.Hour).Unix()), "iat"},
		{"nbf in the future", claim("nbf", time.Now().Add(time.Hour).Unix()), "nbf"},
		{"missing sub", claim("sub", nil), "sub"},
		{"long sub", claim("sub", strings.Repeat("s", 513)), "sub"},
		{"wrong at_hash", claim("at_hash", half("other")), "at_hash"},
		{"wrong c_hash", claim("c_hash", half("other")), "c_hash"},
		{"missing", func(d *oidctest.Double) { d.Token = func(a map[string]any) { delete(a, "id_token") } }, "id_token"},
		{"too long", claim("padding", strings.Repeat("x", 64<<10)), "id_token"},
		{"alg none", signed(func(_ *oidctest.Double, c map[string]any) string {
			payload, _ := json.Marshal(c)
			enc := base64.RawURLEncoding.EncodeToString
			return enc([]byte(`{"alg":"none"}`)) + "." + enc(payload) + "."
		}), "id_token"},
		{"HS256 with the client secret", signed(func(_ *oidctest.Double, c map[string]any) string {
			return oidctest.SignHMAC([]byte(oidctest.ClientSecret+strings.Repeat("0", 32)), c)
		}), "id_token"},
		{"HS256 with the public key", signed(func(d *oidctest.Double, c map[string]any) string {
			der, _ := x509.MarshalPKIXPublicKey(d.Key.Public())
			return oidctest.SignHMAC(der, c)
		}), "id_token"},
		{"key of a stranger", signed(func(_ *oidctest.Double, c map[string]any) string {
			return oidctest.SignWith(stranger, oidctest.KeyID, nil, c)
		}), "id_token"},
		{"key in the header", signed(func(_ *oidctest.Double, c map[string]any) string {
			return oidctest.SignWith(stranger, oidctest.KeyID, map[jose.HeaderKey]any{"jwk": jose.JSONWebKey{Key: stranger.Public()}}, c)
		}), "id_token"},
		{"jku in the header", signed(func(d *oidctest.Double, c map[string]any) string {
			return oidctest.SignWith(stranger, "evil", map[jose.HeaderKey]any{"jku": d.URL + "/evil"}, c)
		}), "id_token"},
		{"kid as a path", signed(func(_ *oidctest.Double, c map[string]any) string {
			return oidctest.SignWith(stranger, "../../dev/null", nil, c)
		}), "id_token"},
		{"userinfo of another subject", func(d *oidctest.Double) {
			d.UserInfo = func(c map[string]any) { c["sub"] = "person-2" }
		}, "userinfo"},
		{"userinfo without subject", func(d *oidctest.Double) {
			d.UserInfo = func(c map[string]any) { delete(c, "sub") }
		}, "userinfo"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := oidctest.New(t)
			tt.double(d)
			_, err := run(t, newClient(), idpOf(d))
			wantRejected(t, err, tt.check)
		})
	}
}

func TestADV32_KeySets(t *testing.T) {
	t.Parallel()
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	write := func(body string) func(*oidctest.Double) {
		return func(d *oidctest.Double) { d.Keys = func(w http.ResponseWriter) { _, _ = w.Write([]byte(body)) } }
	}
	tests := []struct {
		name   string
		double func(*oidctest.Double)
	}{
		{"10 000 keys", func(d *oidctest.Double) {
			key := string(publicJWK(d.Key, oidctest.KeyID))
			write(`{"keys":[` + strings.Repeat(key+",", 9999) + key + `]}`)(d)
		}},
		{"101 keys", func(d *oidctest.Double) {
			key := string(publicJWK(d.Key, oidctest.KeyID))
			write(`{"keys":[` + strings.Repeat(key+",", 100) + key + `]}`)(d)
		}},
		{"10 MB", write(`{"keys":[],"x":"` + strings.Repeat("x", 10<<20) + `"}`)},
		{"no JSON", write(`<html>`)},
		{"redirect to a metadata address", func(d *oidctest.Double) {
			d.Keys = func(w http.ResponseWriter) {
				w.Header().Set("Location", "http://169.254.169.254/latest/meta-data")
				w.WriteHeader(http.StatusFound)
			}
		}},
		{"redirect to itself", func(d *oidctest.Double) {
			d.Keys = func(w http.ResponseWriter) {
				w.Header().Set("Location", d.URL+"/keys?again")
				w.WriteHeader(http.StatusFound)
			}
		}},
		{"metadata address", func(d *oidctest.Double) {
			d.Metadata = func(m map[string]any) { m["jwks_uri"] = "http://169.254.169.254/keys" }
		}},
		{"private address", func(d *oidctest.Double) {
			d.Metadata = func(m map[string]any) { m["jwks_uri"] = "http://10.0.0.1/keys" }
		}},
		{"symmetric key", func(d *oidctest.Double) {
			write(`{"keys":[{"kty":"oct","kid":"` + oidctest.KeyID + `","k":"AAAA"}]}`)(d)
		}},
		{"weak key", func(d *oidctest.Double) { d.Key = weak }},
		{"encryption key", func(d *oidctest.Double) {
			write(strings.Replace(`{"keys":[`+string(publicJWK(d.Key, oidctest.KeyID))+`]}`, `"kty"`, `"use":"enc","kty"`, 1))(d)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := oidctest.New(t)
			tt.double(d)
			if a, err := run(t, newClient(), idpOf(d)); err == nil {
				t.Errorf("flow gave %+v, want an error", a)
			}
			if n := d.Fetched("/keys"); n > 1 {
				t.Errorf("keys were fetched %d times, want at most 1", n)
			}
		})
	}
}

func TestADV32_Discovery(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(map[string]any){
		"issuer of another":    func(m map[string]any) { m["issuer"] = "https://evil.example" },
		"symmetric algorithms": func(m map[string]any) { m["id_token_signing_alg_values_supported"] = []string{"HS256", "none"} },
		"no token endpoint":    func(m map[string]any) { delete(m, "token_endpoint") },
		"no keys":              func(m map[string]any) { delete(m, "jwks_uri") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := oidctest.New(t)
			d.Metadata = change
			_, _, err := newClient().Start(t.Context(), idpOf(d), "state", oidc.Hint{})
			if !errors.Is(err, oidc.ErrUnreachable) {
				t.Errorf("got error %v, want ErrUnreachable", err)
			}
		})
	}
}

// A provider on an address that is not allowed is never spoken with.
func TestADV77_PrivateProvider(t *testing.T) {
	t.Parallel()
	d := oidctest.New(t)
	c := &oidc.Client{HTTP: httpapi.Outbound(httpapi.OutboundOptions{Timeout: 5 * time.Second}), RedirectURI: redirectURI}
	if _, _, err := c.Start(t.Context(), idpOf(d), "state", oidc.Hint{}); !errors.Is(err, oidc.ErrUnreachable) {
		t.Errorf("got error %v, want ErrUnreachable", err)
	}
	if n := d.Fetched("/.well-known/openid-configuration"); n != 0 {
		t.Errorf("the provider was asked %d times, want 0", n)
	}
}

func TestUpstreamErrors(t *testing.T) {
	t.Parallel()
	d := oidctest.New(t)
	d.Response = func(q url.Values) {
		q.Del("code")
		q.Set("error", "access_denied")
	}
	_, err := run(t, newClient(), idpOf(d))
	wantRejected(t, err, "response")

	d.Response = nil
	c := newClient()
	pending, response := visit(t, c, idpOf(d))
	pending.Verifier = strings.Repeat("x", 43)
	_, err = c.Finish(t.Context(), idpOf(d), oidctest.ClientSecret, pending, response)
	wantRejected(t, err, "token")

	pending, response = visit(t, c, idpOf(d))
	d.Close()
	_, err = c.Finish(context.Background(), idpOf(d), oidctest.ClientSecret, pending, response)
	if !errors.Is(err, oidc.ErrUnreachable) {
		t.Errorf("got error %v, want ErrUnreachable", err)
	}
}

// A new key is found when a token needs it; a key set that fails for a while takes no
// key away.
func TestKeyRotation(t *testing.T) {
	t.Parallel()
	d := oidctest.New(t)
	now := time.Now()
	c := newClient()
	c.Now = func() time.Time { return now }
	i := idpOf(d)
	if _, err := run(t, c, i); err != nil {
		t.Fatal(err)
	}
	d.Keys = func(w http.ResponseWriter) { w.WriteHeader(http.StatusServiceUnavailable) }
	if _, err := run(t, c, i); err != nil {
		t.Errorf("known key while the key set is away: %v", err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	d.Key, d.Keys = key, nil
	d.Sign = func(claims map[string]any) string { return oidctest.SignWith(key, "key-2", nil, claims) }
	d.Keys = func(w http.ResponseWriter) {
		_, _ = w.Write([]byte(`{"keys":[` + string(publicJWK(key, "key-2")) + `]}`))
	}
	now = now.Add(20 * time.Second)
	if _, err := run(t, c, i); err != nil {
		t.Errorf("flow after the rotation: %v", err)
	}
}

// email_verified belongs to the address beside it: userinfo cannot move it.
func TestVerifiedStaysWithItsAddress(t *testing.T) {
	t.Parallel()
	d := oidctest.New(t)
	d.UserInfo = func(c map[string]any) {
		c["email"] = "victim@corp.example"
		delete(c, "email_verified")
	}
	a, err := run(t, newClient(), idpOf(d))
	if err != nil {
		t.Fatal(err)
	}
	if a.Email() != "victim@corp.example" || a.EmailVerified() {
		t.Errorf("address %s verified %v, want it unverified", a.Email(), a.EmailVerified())
	}
	d.UserInfo = func(c map[string]any) { clear(c); c["sub"], c["email_verified"] = "person-1", true }
	d.IDToken = func(c map[string]any) { delete(c, "email_verified") }
	if a, err = run(t, newClient(), idpOf(d)); err != nil || a.EmailVerified() {
		t.Errorf("address verified %v by a userinfo that names none; error %v", a.EmailVerified(), err)
	}
}
