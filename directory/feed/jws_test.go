package feed_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"
)

// received is a SET that was verified here by hand (RFC 7515, RFC 7518), with nothing of
// what made it.
type received struct {
	header, claims map[string]any
}

func (r received) text(name string) string { s, _ := r.claims[name].(string); return s }
func (r received) jti() string             { return r.text("jti") }
func (r received) txn() string             { return r.text("txn") }

func (r received) subject(name string) string {
	sub, _ := r.claims["sub_id"].(map[string]any)
	s, _ := sub[name].(string)
	return s
}

// events are the payloads by what follows the prefix of their URI.
func (r received) events() map[string]map[string]any {
	all := map[string]map[string]any{}
	evs, _ := r.claims["events"].(map[string]any)
	for uri, p := range evs {
		payload, _ := p.(map[string]any)
		all[strings.TrimPrefix(uri, "urn:ietf:params:scim:event:prov:")] = payload
	}
	return all
}

func (r received) kinds() string {
	return strings.Join(slices.Sorted(maps.Keys(r.events())), " ")
}

func (n *node) verify(raw string) received {
	n.t.Helper()
	jwks, err := n.feed.JWKS(context.Background())
	n.check(err)
	r, err := verify(raw, jwks)
	n.check(err)
	checkSET(n.t, r, issuer)
	return r
}

func verify(raw string, jwks []byte) (r received, err error) {
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		return r, fmt.Errorf("%d parts", len(parts))
	}
	var decoded [3][]byte
	for i, p := range parts {
		if decoded[i], err = base64.RawURLEncoding.DecodeString(p); err != nil {
			return r, err
		}
	}
	if err := json.Unmarshal(decoded[0], &r.header); err != nil {
		return r, err
	}
	var set struct{ Keys []map[string]string }
	if err := json.Unmarshal(jwks, &set); err != nil {
		return r, err
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	for _, k := range set.Keys {
		if k["kid"] == r.header["kid"] && k["alg"] == r.header["alg"] {
			if !signed(k, digest[:], decoded[2]) {
				return r, fmt.Errorf("the signature of %s is not right", raw)
			}
			return r, json.Unmarshal(decoded[1], &r.claims)
		}
	}
	return r, fmt.Errorf("no key %v among %s", r.header, jwks)
}

func signed(k map[string]string, digest, signature []byte) bool {
	at := func(name string) []byte {
		b, err := base64.RawURLEncoding.DecodeString(k[name])
		if err != nil {
			panic(err)
		}
		return b
	}
	number := func(b []byte) *big.Int { return new(big.Int).SetBytes(b) }
	switch k["alg"] {
	case "ES256":
		pub, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, at("x"), at("y")))
		return err == nil && len(signature) == 64 && ecdsa.Verify(pub, digest, number(signature[:32]), number(signature[32:]))
	case "RS256":
		pub := &rsa.PublicKey{N: number(at("n")), E: int(number(at("e")).Int64())}
		return rsa.VerifyPKCS1v15(pub, crypto.SHA256, digest, signature) == nil
	}
	return false
}

// checkSET holds a SET to RFC 8417, section 2, and RFC 9967, section 2.
func checkSET(t testing.TB, r received, issuer string) {
	t.Helper()
	bad := func(format string, args ...any) {
		t.Helper()
		body, _ := json.Marshal(r.claims)
		t.Errorf("%s: %s", fmt.Sprintf(format, args...), body)
	}
	if r.header["typ"] != "secevent+jwt" {
		bad("typ is %v", r.header["typ"])
	}
	if r.text("iss") != issuer || r.jti() == "" || r.txn() == "" {
		bad("iss, jti or txn")
	}
	for _, name := range []string{"iat", "toe"} {
		at, ok := r.claims[name].(float64)
		if !ok || time.Since(time.Unix(int64(at), 0)).Abs() > time.Hour {
			bad("%s is %v", name, r.claims[name])
		}
	}
	if aud, _ := r.claims["aud"].([]any); len(aud) == 0 {
		bad("no aud")
	}
	for _, name := range []string{"sub", "exp", "nbf"} {
		if _, there := r.claims[name]; there {
			bad("there is a claim %s", name)
		}
	}
	if r.subject("format") != "scim" || !strings.HasSuffix(r.subject("uri"), "/"+r.subject("id")) || !strings.HasPrefix(r.subject("uri"), "/") {
		bad("sub_id")
	}
	if len(r.events()) == 0 {
		bad("no events")
	}
	for kind, p := range r.events() {
		_, data := p["data"]
		_, attributes := p["attributes"]
		switch full, notice := strings.HasSuffix(kind, ":full"), strings.HasSuffix(kind, ":notice"); {
		case full && (!data || attributes), notice && (data || !attributes):
			bad("%s must have exactly one of data and attributes", kind)
		case !full && !notice && len(p) > 0:
			bad("%s has a payload", kind)
		case (full || notice) && !bytes.HasPrefix([]byte(fmt.Sprint(p["version"])), []byte(`W/"`)):
			bad("%s has the version %v", kind, p["version"])
		}
	}
}
