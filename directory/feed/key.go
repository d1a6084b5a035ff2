package feed

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/provost-id/provost/internal/id"
	"github.com/provost-id/provost/internal/sqldb"
)

// Algorithms that SETs are signed with (RFC 7518, section 3.1).
const (
	es256 = "ES256"
	rs256 = "RS256"
)

// Statuses of a key.
const (
	keyActive  = "ACTIVE"  // signs
	keyNext    = "NEXT"    // is published ahead of its use
	keyExpired = "EXPIRED" // verifies what it has signed
)

// rsaBits is what RS256 verifiers expect and what NIST SP 800-57 allows to 2030.
const rsaBits = 2048

// Key is a signing key without its private part.
type Key struct {
	ID, Algorithm, Status string
	Created, Changed      time.Time
}

type key struct {
	Key
	signer jose.Signer
	public jose.JSONWebKey
}

// newKey makes a key; its private part is returned sealed.
func (s *Service) newKey(alg, status string) (k Key, sealed []byte, err error) {
	k = Key{ID: id.Secret(22), Algorithm: alg, Status: status}
	var private crypto.Signer
	if alg == rs256 {
		private, err = rsa.GenerateKey(rand.Reader, rsaBits)
	} else {
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	if err != nil {
		return k, nil, fmt.Errorf("make signing key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return k, nil, fmt.Errorf("encode signing key: %w", err)
	}
	return k, s.Dir.Keys.Seal(keyPurpose, k.ID, der), nil
}

const keyPurpose = "event-signing-key"

func (s *Service) openKey(k Key, sealed []byte) (*key, error) {
	der, err := s.Dir.Keys.Unseal(keyPurpose, k.ID, sealed)
	if err != nil {
		return nil, fmt.Errorf("signing key %s: %w", k.ID, err)
	}
	private, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("signing key %s: %w", k.ID, err)
	}
	public := private.(crypto.Signer).Public() // what ParsePKCS8PrivateKey returns signs
	// RFC 8417, section 2.3: the type keeps a SET from passing for another token.
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.SignatureAlgorithm(k.Algorithm), Key: jose.JSONWebKey{Key: private, KeyID: k.ID}},
		(&jose.SignerOptions{}).WithType("secevent+jwt"))
	if err != nil {
		return nil, fmt.Errorf("signing key %s: %w", k.ID, err)
	}
	return &key{Key: k, signer: signer, public: jose.JSONWebKey{Key: public, KeyID: k.ID, Algorithm: k.Algorithm, Use: "sig"}}, nil
}

// ring are all keys, immutable.
type ring struct {
	keys   []*key          // by age
	active map[string]*key // by algorithm
	jwks   []byte          // RFC 7517
}

func (s *Service) loadRing(ctx context.Context, r sqldb.Reader) (*ring, error) {
	rows, err := r.Query(ctx, `SELECT kid, alg, status, sealed, created, changed FROM event_keys ORDER BY created, kid`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // Err tells what matters
	out := &ring{active: map[string]*key{}}
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	for rows.Next() {
		var k Key
		var sealed []byte
		var created, changed int64
		if err := rows.Scan(&k.ID, &k.Algorithm, &k.Status, &sealed, &created, &changed); err != nil {
			return nil, err
		}
		k.Created, k.Changed = fromMicros(created), fromMicros(changed)
		opened, err := s.openKey(k, sealed)
		if err != nil {
			return nil, err
		}
		out.keys = append(out.keys, opened)
		set.Keys = append(set.Keys, opened.public)
		if k.Status == keyActive {
			out.active[k.Algorithm] = opened
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	out.jwks, err = json.Marshal(set)
	return out, err
}
