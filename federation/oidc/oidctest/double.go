// Package oidctest is a double of an OpenID provider for tests: it answers discovery,
// authorization, token, userinfo and keys as a good provider does, and lies where a
// test tells it to. It is linked into no binary.
package oidctest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// The client that the double knows.
const (
	ClientID     = "client-at-double"
	ClientSecret = "secret at double"
	KeyID        = "key-1"
)

// Double is the provider. Its fields are set before, or between, requests; each func
// changes what a good provider would answer, and nil changes nothing.
type Double struct {
	*httptest.Server
	Key crypto.Signer // signs ID tokens with ES256, or RS256

	Person   map[string]any                     // claims of the person who signs in there
	Metadata func(map[string]any)               // changes the discovery document
	Response func(url.Values)                   // changes the authorization response
	IDToken  func(claims map[string]any)        // changes the claims of the ID token
	Sign     func(claims map[string]any) string // signs in place of Key
	Token    func(answer map[string]any)        // changes the token response
	UserInfo func(claims map[string]any)        // changes the userinfo response
	Keys     func(w http.ResponseWriter)        // answers in place of the key set

	mu      sync.Mutex // guards the rest
	codes   map[string]url.Values
	fetched map[string]int
	last    url.Values
}

// New starts a double on loopback that ends with the test.
func New(t testing.TB) *Double {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	d := &Double{Key: key, codes: map[string]url.Values{}, fetched: map[string]int{}, Person: map[string]any{
		"sub": "person-1", "email": "ada@double.example", "email_verified": true,
		"given_name": "Ada", "family_name": "Lovelace", "name": "Ada Lovelace",
	}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", d.metadata)
	mux.HandleFunc("GET /authorize", d.authorize)
	mux.HandleFunc("POST /token", d.token)
	mux.HandleFunc("GET /userinfo", d.userInfo)
	mux.HandleFunc("GET /keys", d.keys)
	d.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.mu.Lock()
		d.fetched[r.URL.Path]++
		d.mu.Unlock()
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(d.Close)
	return d
}

// Fetched is how often a path was asked for.
func (d *Double) Fetched(path string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.fetched[path]
}

// LastAuthorization is the query of the last authorization request.
func (d *Double) LastAuthorization() url.Values {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.last
}

func (d *Double) metadata(w http.ResponseWriter, _ *http.Request) {
	m := map[string]any{
		"issuer": d.URL, "authorization_endpoint": d.URL + "/authorize", "token_endpoint": d.URL + "/token",
		"userinfo_endpoint": d.URL + "/userinfo", "jwks_uri": d.URL + "/keys",
		"id_token_signing_alg_values_supported":          []string{"ES256", "RS256"},
		"authorization_response_iss_parameter_supported": true,
	}
	if d.Metadata != nil {
		d.Metadata(m)
	}
	answer(w, m)
}

// authorize signs the person in without a question.
func (d *Double) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	code := rand.Text()
	d.mu.Lock()
	d.codes[code], d.last = q, q
	d.mu.Unlock()
	back := url.Values{"code": {code}, "state": {q.Get("state")}, "iss": {d.URL}}
	if d.Response != nil {
		d.Response(back)
	}
	http.Redirect(w, r, q.Get("redirect_uri")+"?"+back.Encode(), http.StatusFound)
}

// token redeems a code once, for our client, with the verifier of the flow.
func (d *Double) token(w http.ResponseWriter, r *http.Request) {
	id, secret, basic := r.BasicAuth()
	if basic {
		id, _ = url.QueryUnescape(id)
		secret, _ = url.QueryUnescape(secret)
	} else {
		id, secret = r.FormValue("client_id"), r.FormValue("client_secret")
	}
	d.mu.Lock()
	q, known := d.codes[r.FormValue("code")]
	delete(d.codes, r.FormValue("code"))
	d.mu.Unlock()
	sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	if !known || id != ClientID || secret != ClientSecret || r.FormValue("redirect_uri") != q.Get("redirect_uri") ||
		q.Get("code_challenge_method") != "S256" || q.Get("code_challenge") != base64.RawURLEncoding.EncodeToString(sum[:]) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"error":"invalid_grant"}`))
		return
	}
	body := map[string]any{"access_token": "access", "token_type": "Bearer", "expires_in": 60, "id_token": d.idToken(q.Get("nonce"))}
	if d.Token != nil {
		d.Token(body)
	}
	answer(w, body)
}

func (d *Double) idToken(nonce string) string {
	now := time.Now()
	claims := map[string]any{
		"iss": d.URL, "aud": ClientID, "nonce": nonce, "iat": now.Unix(), "exp": now.Add(time.Minute).Unix(),
	}
	for name, v := range d.Person {
		claims[name] = v
	}
	if d.IDToken != nil {
		d.IDToken(claims)
	}
	if d.Sign != nil {
		return d.Sign(claims)
	}
	return SignWith(d.Key, KeyID, nil, claims)
}

// SignWith signs claims with a key of our choice, and more header members.
func SignWith(key crypto.Signer, kid string, header map[jose.HeaderKey]any, claims map[string]any) string {
	alg := jose.ES256
	if _, ok := key.(*rsa.PrivateKey); ok {
		alg = jose.RS256
	}
	return sign(jose.SigningKey{Algorithm: alg, Key: jose.JSONWebKey{Key: key, KeyID: kid}}, header, claims)
}

// SignHMAC signs claims with a shared secret, as a confused verifier would accept.
func SignHMAC(secret []byte, claims map[string]any) string {
	return sign(jose.SigningKey{Algorithm: jose.HS256, Key: secret}, nil, claims)
}

func sign(key jose.SigningKey, header map[jose.HeaderKey]any, claims map[string]any) string {
	payload, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	signer, err := jose.NewSigner(key, &jose.SignerOptions{ExtraHeaders: header})
	if err != nil {
		panic(err)
	}
	jws, err := signer.Sign(payload)
	if err != nil {
		panic(err)
	}
	raw, err := jws.CompactSerialize()
	if err != nil {
		panic(err)
	}
	return raw
}

func (d *Double) userInfo(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer access" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	claims := map[string]any{}
	for name, v := range d.Person {
		claims[name] = v
	}
	if d.UserInfo != nil {
		d.UserInfo(claims)
	}
	answer(w, claims)
}

func (d *Double) keys(w http.ResponseWriter, _ *http.Request) {
	if d.Keys != nil {
		d.Keys(w)
		return
	}
	answer(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: d.Key.Public(), KeyID: KeyID, Use: "sig"}}})
}

func answer(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body) // the client has gone; there is nobody to tell
}
