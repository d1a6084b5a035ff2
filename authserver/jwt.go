package authserver

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// The values of the JOSE header typ: access tokens (RFC 9068, section 2.1), and
// everything else that we sign.
const (
	typAccess = "at+jwt"
	typJWT    = "JWT"
)

// maxJWT bounds what is parsed at all: our own tokens are a tenth of it.
const maxJWT = 16 << 10

// clockSkew is how far a clock of another may run ahead of ours.
const clockSkew = 60 * time.Second

// errToken is returned for everything that is not a valid token of ours.
var errToken = errors.New("invalid token")

// sign makes a compact JWS (RFC 7515, section 7.1) with a prepared header.
func (k *key) sign(header string, claims map[string]any) (string, error) {
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("encode claims: %w", err)
	}
	input := header + "." + base64.RawURLEncoding.EncodeToString(payload)
	digest := sha256.Sum256([]byte(input))
	var sig []byte
	switch private := k.private.(type) {
	case *ecdsa.PrivateKey:
		sig, err = signES256(private, digest[:])
	case *rsa.PrivateKey:
		sig, err = rsa.SignPKCS1v15(rand.Reader, private, crypto.SHA256, digest[:])
	default:
		err = fmt.Errorf("no signature with a %T", private)
	}
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	return input + "." + base64.RawURLEncoding.EncodeToString(sig), nil
}

// signES256: r and s as 32 octets each (RFC 7518, section 3.4).
func signES256(private *ecdsa.PrivateKey, digest []byte) ([]byte, error) {
	r, s, err := ecdsa.Sign(rand.Reader, private, digest)
	if err != nil {
		return nil, err
	}
	sig := make([]byte, 64)
	r.FillBytes(sig[:32])
	s.FillBytes(sig[32:])
	return sig, nil
}

// verify checks a token against the ring: the key is chosen by kid among this
// server's keys and fixes the algorithm; a key in the header is never looked at (RFC
// 8725, sections 3.1 and 3.10). Times and the rest of the claims are left to the caller.
func (r *ring) verify(token, typ string) (map[string]any, error) {
	if len(token) > maxJWT {
		return nil, errToken
	}
	jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{es256, rs256})
	if err != nil {
		return nil, errToken
	}
	h := jws.Signatures[0].Protected
	k := r.byID[h.KeyID]
	if k == nil || h.Algorithm != k.alg || h.ExtraHeaders[jose.HeaderType] != typ {
		return nil, errToken
	}
	payload, err := jws.Verify(k.private.Public())
	if err != nil {
		return nil, errToken
	}
	claims := map[string]any{}
	if err := json.Unmarshal(payload, &claims); err != nil {
		return nil, errToken
	}
	return claims, nil
}

// accessClaims verifies an access token of the server with its times, issuer and
// audience; whether it was revoked is left to live.
func (srv *server) accessClaims(token string, now time.Time) (map[string]any, error) {
	claims, err := srv.ring.verify(token, typAccess)
	if err != nil {
		return nil, err
	}
	exp, iat := timeClaim(claims, "exp"), timeClaim(claims, "iat")
	switch {
	case claims["iss"] != srv.Issuer, len(audiences(claims)) == 0, stringClaim(claims, "jti") == "":
		return nil, errToken
	case exp.IsZero() || !now.Before(exp), iat.IsZero() || iat.After(now.Add(clockSkew)):
		return nil, errToken
	case claims["nbf"] != nil && timeClaim(claims, "nbf").After(now.Add(clockSkew)):
		return nil, errToken
	}
	return claims, nil
}

// audiences: ours are one string; a hook may have put a list in its place.
func audiences(claims map[string]any) []string {
	if aud := stringClaim(claims, "aud"); aud != "" {
		return []string{aud}
	}
	return stringsClaim(claims, "aud")
}

func timeClaim(claims map[string]any, name string) time.Time {
	n, ok := claims[name].(float64)
	if !ok {
		return time.Time{}
	}
	return time.Unix(int64(n), 0)
}

func stringClaim(claims map[string]any, name string) string {
	v, _ := claims[name].(string)
	return v
}

func stringsClaim(claims map[string]any, name string) []string {
	list, _ := claims[name].([]any)
	out := make([]string, 0, len(list))
	for _, v := range list {
		if s, ok := v.(string); ok {
			out = append(out, s)
		}
	}
	return out
}
