package authserver

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/provost-id/provost/internal/id"
)

// Algorithms of signing keys (RFC 7518, section 3.1).
const (
	es256 = "ES256"
	rs256 = "RS256"
)

// Statuses of a signing key.
const (
	keyActive  = "ACTIVE"  // signs
	keyNext    = "NEXT"    // published ahead of its use
	keyExpired = "EXPIRED" // verifies what it has signed
)

// key is one signing key of a server.
type key struct {
	kid, alg, status string
	private          crypto.Signer
	created, changed time.Time
	access, identity string // prepared JOSE headers
}

// rsaBits: 2048 is what RS256 verifiers expect and what NIST SP 800-57 allows to 2030.
const rsaBits = 2048

func newKey(alg, status string) (*key, error) {
	k := &key{kid: id.Secret(22), alg: alg, status: status}
	var err error
	switch alg {
	case es256:
		k.private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case rs256:
		k.private, err = rsa.GenerateKey(rand.Reader, rsaBits)
	default:
		err = fmt.Errorf("no signing algorithm %q", alg)
	}
	if err != nil {
		return nil, err
	}
	return k, k.prepare()
}

// newKeyPair makes the key that signs and the one that is published ahead of its use.
func newKeyPair(alg string) ([]*key, error) {
	active, err := newKey(alg, keyActive)
	if err != nil {
		return nil, err
	}
	next, err := newKey(alg, keyNext)
	return []*key{active, next}, err
}

// prepare builds the JOSE headers once: access tokens are at+jwt (RFC 9068, section
// 2.1), so that no other token of ours can pass for one.
func (k *key) prepare() error {
	for typ, into := range map[string]*string{typAccess: &k.access, typJWT: &k.identity} {
		raw, err := json.Marshal(map[string]string{"alg": k.alg, "kid": k.kid, "typ": typ})
		if err != nil {
			return err
		}
		*into = base64.RawURLEncoding.EncodeToString(raw)
	}
	return nil
}

// jwk is the public part.
func (k *key) jwk() jose.JSONWebKey {
	return jose.JSONWebKey{Key: k.private.Public(), KeyID: k.kid, Algorithm: k.alg, Use: "sig"}
}

const keyPurpose = "authserver-signing-key"

// seal encrypts the private part, bound to server and key ID.
func (s *Service) sealKey(serverID string, k *key) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(k.private)
	if err != nil {
		return nil, fmt.Errorf("encode signing key: %w", err)
	}
	return s.Keys.Seal(keyPurpose, serverID+"/"+k.kid, der), nil
}

func (s *Service) unsealKey(serverID string, k *key, sealed []byte) error {
	der, err := s.Keys.Unseal(keyPurpose, serverID+"/"+k.kid, sealed)
	if err != nil {
		return fmt.Errorf("signing key %s: %w", k.kid, err)
	}
	private, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return fmt.Errorf("signing key %s: %w", k.kid, err)
	}
	signer, ok := private.(crypto.Signer)
	if !ok {
		return fmt.Errorf("signing key %s cannot sign", k.kid)
	}
	k.private = signer
	return k.prepare()
}
