package oidc

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	maxKeys     = 100       // of one provider
	maxJWKS     = 512 << 10 // bytes
	minRSABits  = 2048      // RFC 7518, section 3.3
	refreshWait = 10 * time.Second
)

// keySet holds the keys of one provider. It reads them again for a key that it does
// not know, not more often than each refreshWait, and a failed read takes no key away.
type keySet struct {
	url  string
	http *http.Client
	now  func() time.Time

	fetching sync.Mutex // one reader at a time
	read     time.Time  // guarded by fetching

	mu   sync.Mutex // guards keys
	keys []jose.JSONWebKey
}

var errNoKey = errors.New("no key of the provider made this signature")

// VerifySignature implements the KeySet of go-oidc, which has checked the algorithm.
func (k *keySet) VerifySignature(ctx context.Context, raw string) ([]byte, error) {
	jws, err := parse(raw)
	if err != nil {
		return nil, err
	}
	if len(jws.Signatures) != 1 {
		return nil, errors.New("want exactly one signature")
	}
	if payload, ok := try(k.known(), jws); ok {
		return payload, nil
	}
	keys, err := k.refresh(ctx)
	if err != nil {
		return nil, err
	}
	if payload, ok := try(keys, jws); ok {
		return payload, nil
	}
	return nil, errNoKey
}

// parse reads a token that is signed with an algorithm of the allow-list.
func parse(raw string) (*jose.JSONWebSignature, error) {
	algs := make([]jose.SignatureAlgorithm, len(algorithms))
	for i, a := range algorithms {
		algs[i] = jose.SignatureAlgorithm(a)
	}
	return jose.ParseSignedCompact(raw, algs)
}

// try uses the keys that the header allows: by kid when it has one. Keys come from
// the provider's set alone; jwk, jku and x5u in a header mean nothing.
func try(keys []jose.JSONWebKey, jws *jose.JSONWebSignature) ([]byte, bool) {
	h := jws.Signatures[0].Header
	for i := range keys {
		key := &keys[i]
		if h.KeyID != "" && key.KeyID != h.KeyID || key.Algorithm != "" && key.Algorithm != h.Algorithm {
			continue
		}
		if payload, err := jws.Verify(key.Key); err == nil {
			return payload, true
		}
	}
	return nil, false
}

func (k *keySet) known() []jose.JSONWebKey {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.keys
}

// refresh reads the set again, unless that has just been done.
func (k *keySet) refresh(ctx context.Context) ([]jose.JSONWebKey, error) {
	k.fetching.Lock()
	defer k.fetching.Unlock()
	if k.now().Sub(k.read) < refreshWait {
		return k.known(), nil
	}
	body, err := fetch(ctx, k.http, k.url, "", maxJWKS)
	if err != nil {
		return nil, fmt.Errorf("%w: keys: %w", ErrUnreachable, err)
	}
	keys, err := parseKeys(body)
	if err != nil {
		return nil, fmt.Errorf("%w: keys: %w", ErrUnreachable, err)
	}
	k.read = k.now()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys = keys
	return keys, nil
}

// parseKeys reads a JWK set (RFC 7517, section 5). Keys that we do not understand or
// do not use are passed over; a set that is too long is refused whole.
func parseKeys(body []byte) ([]jose.JSONWebKey, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(body, &set); err != nil {
		return nil, fmt.Errorf("key set: %w", err)
	}
	if len(set.Keys) > maxKeys {
		return nil, fmt.Errorf("key set has %d keys, more than %d", len(set.Keys), maxKeys)
	}
	var keys []jose.JSONWebKey
	for _, raw := range set.Keys {
		var key jose.JSONWebKey
		if key.UnmarshalJSON(raw) == nil && (key.Use == "" || key.Use == "sig") && usable(key.Key) {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

// usable keeps public keys of good size: a symmetric key in a public document is no secret.
func usable(key any) bool {
	switch key := key.(type) {
	case *rsa.PublicKey:
		return key.N.BitLen() >= minRSABits
	case *ecdsa.PublicKey, ed25519.PublicKey:
		return true
	}
	return false
}

// fetch reads one document of a provider, of at most limit bytes.
func fetch(ctx context.Context, client *http.Client, url, bearer string, limit int64) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }() // it is read to its end or given up
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("answer is %d", resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err == nil && int64(len(body)) > limit {
		err = fmt.Errorf("answer is longer than %d bytes", limit)
	}
	return body, err
}
