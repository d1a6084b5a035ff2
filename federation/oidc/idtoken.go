package oidc

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"hash"
	"strings"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/provost-id/provost/federation"
)

const (
	maxIDToken = 64 << 10 // bytes
	maxSubject = 512      // characters of an external ID
	// maxAge is how old an ID token may be that comes straight from the token endpoint.
	maxAge = time.Hour
)

// idClaims are those of an ID token that we check ourselves.
type idClaims struct {
	AZP   string `json:"azp"`
	CHash string `json:"c_hash"`
}

// verify checks an ID token (OpenID Connect Core 1.0, section 3.1.3.7). go-oidc checks
// issuer, audience, algorithm and signature; the rest is here.
func (c *Client) verify(ctx context.Context, idp federation.IdP, p *provider, pending Pending, token *oauth2.Token, code string) (map[string]any, error) {
	raw, _ := token.Extra("id_token").(string)
	if raw == "" || len(raw) > maxIDToken {
		return nil, reject("id_token", "is missing or too long")
	}
	client := idp.Protocol.Credentials.Client.ClientID
	keys := &attempt{keySet: p.keys}
	verifier := gooidc.NewVerifier(p.issuer, keys, &gooidc.Config{
		ClientID: client, SupportedSigningAlgs: p.algorithms, SkipExpiryCheck: true,
	})
	id, err := verifier.Verify(ctx, raw)
	if errors.Is(keys.err, ErrUnreachable) {
		return nil, keys.err
	}
	if err != nil {
		return nil, reject("id_token", "%v", err)
	}
	var own idClaims
	claims := map[string]any{}
	if err := errors.Join(id.Claims(&own), id.Claims(&claims)); err != nil {
		return nil, reject("id_token", "claims: %v", err)
	}
	for _, err := range []error{
		checkParty(id, own, client),
		c.checkTimes(id, time.Duration(idp.Policy.MaxClockSkew)*time.Millisecond),
		checkNonce(id.Nonce, pending.Nonce),
		checkSubject(id.Subject),
		checkHash("at_hash", id.AccessTokenHash, token.AccessToken, raw),
		checkHash("c_hash", own.CHash, code, raw),
	} {
		if err != nil {
			return nil, err
		}
	}
	return claims, nil
}

// attempt keeps the error of the key set, which go-oidc turns into text.
type attempt struct {
	*keySet
	err error
}

// VerifySignature implements the KeySet of go-oidc.
func (a *attempt) VerifySignature(ctx context.Context, raw string) (payload []byte, err error) {
	payload, a.err = a.keySet.VerifySignature(ctx, raw)
	return payload, a.err
}

// checkParty wants us as the authorized party, by name when there are other audiences.
func checkParty(id *gooidc.IDToken, own idClaims, client string) error {
	if own.AZP != "" && own.AZP != client || own.AZP == "" && len(id.Audience) > 1 {
		return reject("azp", "is %q with audiences %q", own.AZP, id.Audience)
	}
	return nil
}

func (c *Client) checkTimes(id *gooidc.IDToken, skew time.Duration) error {
	now := c.now()
	switch {
	case id.Expiry.Unix() <= 0 || !now.Before(id.Expiry.Add(skew)):
		return reject("exp", "is %s", id.Expiry.UTC().Format(time.RFC3339))
	case id.IssuedAt.Unix() <= 0 || id.IssuedAt.After(now.Add(skew+time.Minute)) || now.Sub(id.IssuedAt) > maxAge+skew:
		return reject("iat", "is %s", id.IssuedAt.UTC().Format(time.RFC3339))
	}
	return checkNotBefore(id, now.Add(skew+time.Minute))
}

func checkNotBefore(id *gooidc.IDToken, latest time.Time) error {
	var c struct {
		NotBefore float64 `json:"nbf"`
	}
	if err := id.Claims(&c); err != nil {
		return reject("nbf", "%v", err)
	}
	if c.NotBefore > float64(latest.Unix()) {
		return reject("nbf", "is in the future")
	}
	return nil
}

func checkNonce(got, want string) error {
	if want == "" || subtle.ConstantTimeCompare([]byte(got), []byte(want)) != 1 {
		return reject("nonce", "is not the one of this flow")
	}
	return nil
}

func checkSubject(sub string) error {
	if sub == "" || len(sub) > maxSubject {
		return reject("sub", "is missing or too long")
	}
	return nil
}

// checkHash compares at_hash or c_hash, which are optional in this flow, with what they
// stand for (OpenID Connect Core 1.0, sections 3.1.3.6 and 3.3.2.11).
func checkHash(name, got, of, raw string) error {
	if got == "" {
		return nil
	}
	h, err := hashOf(raw)
	if err != nil {
		return reject(name, "%v", err)
	}
	h.Write([]byte(of))
	sum := h.Sum(nil)
	want := base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
	if subtle.ConstantTimeCompare([]byte(got), []byte(want)) != 1 {
		return reject(name, "does not match")
	}
	return nil
}

// hashOf is the hash of the algorithm that signed a token, which is verified already.
func hashOf(raw string) (hash.Hash, error) {
	jws, err := parse(raw)
	if err != nil {
		return nil, err
	}
	switch alg := jws.Signatures[0].Header.Algorithm; {
	case strings.HasSuffix(alg, "256"):
		return sha256.New(), nil
	case strings.HasSuffix(alg, "384"):
		return sha512.New384(), nil
	}
	return sha512.New(), nil // the 512 algorithms, and EdDSA with Ed25519
}
