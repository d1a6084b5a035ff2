// Package keyring holds the master key. Secrets at rest are sealed with
// AES-256-GCM under keys derived from it, one per purpose, and tokens are stored as
// keyed hashes; the master key itself never leaves the package.
package keyring

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"log/slog"
	"slices"
	"sync"
)

// KeySize is the length of the master key in bytes.
const KeySize = 32

// ErrUnseal is returned for a sealed value that does not open: another master key,
// another purpose or context, or a value that was changed.
var ErrUnseal = errors.New("sealed value does not open with this master key")

// Ring derives every other key from the master key.
type Ring struct {
	master  []byte
	derived sync.Map // purpose -> []byte; purposes are few and fixed
	hashes  sync.Map // purpose -> *sync.Pool of hash.Hash under its key
}

// New returns a ring for a master key of KeySize bytes.
func New(master []byte) (*Ring, error) {
	if len(master) != KeySize {
		return nil, fmt.Errorf("master key has %d bytes, want %d", len(master), KeySize)
	}
	return &Ring{master: append([]byte(nil), master...)}, nil
}

// Derive returns the 32-byte key of a purpose (HKDF-SHA256, RFC 5869). A purpose is a
// constant of the code, never input.
func (r *Ring) Derive(purpose string) []byte {
	if key, ok := r.derived.Load(purpose); ok {
		return slices.Clone(key.([]byte))
	}
	key, err := hkdf.Key(sha256.New, r.master, nil, "provost/"+purpose, KeySize)
	if err != nil { // only for a length that HKDF cannot give
		panic(err)
	}
	r.derived.Store(purpose, key)
	return slices.Clone(key)
}

// LogValue implements slog.LogValuer: a ring is never logged.
func (r *Ring) LogValue() slog.Value { return slog.StringValue("***") }

// String implements fmt.Stringer, as LogValue.
func (r *Ring) String() string { return "***" }

// Hash is the keyed hash under which a secret of at least 128 random bits is stored.
func (r *Ring) Hash(purpose, secret string) []byte {
	pool := r.hashPool(purpose)
	h := pool.Get().(*hasher)
	defer pool.Put(h)
	h.Reset()
	h.in = append(h.in[:0], secret...)
	_, _ = h.Write(h.in) // never fails (hash.Hash)
	clear(h.in)
	h.out = h.Sum(h.out[:0])
	return bytes.Clone(h.out)
}

// hasher is a keyed hash with room for what goes in and comes out.
type hasher struct {
	hash.Hash
	in, out []byte
}

// hashPool keeps keyed hashes for use again: keying one costs more than hashing a token.
func (r *Ring) hashPool(purpose string) *sync.Pool {
	if p, ok := r.hashes.Load(purpose); ok {
		return p.(*sync.Pool)
	}
	key := r.Derive("hash/" + purpose)
	p, _ := r.hashes.LoadOrStore(purpose, &sync.Pool{New: func() any { return &hasher{Hash: hmac.New(sha256.New, key)} }})
	return p.(*sync.Pool)
}

// Seal encrypts plain for a purpose. context (an ID, say) is bound to the value:
// it opens only with the same one.
func (r *Ring) Seal(purpose, context string, plain []byte) []byte {
	a := r.aead(purpose)
	nonce := make([]byte, a.NonceSize(), a.NonceSize()+len(plain)+a.Overhead())
	_, _ = rand.Read(nonce) // never fails (crypto/rand)
	return a.Seal(nonce, nonce, plain, []byte(context))
}

// Unseal opens what Seal made, or returns ErrUnseal.
func (r *Ring) Unseal(purpose, context string, sealed []byte) ([]byte, error) {
	a := r.aead(purpose)
	if len(sealed) < a.NonceSize() {
		return nil, ErrUnseal
	}
	plain, err := a.Open(nil, sealed[:a.NonceSize()], sealed[a.NonceSize():], []byte(context))
	if err != nil {
		return nil, ErrUnseal
	}
	return plain, nil
}

func (r *Ring) aead(purpose string) cipher.AEAD {
	block, err := aes.NewCipher(r.Derive("seal/" + purpose))
	if err != nil { // only for a key of the wrong length
		panic(err)
	}
	a, err := cipher.NewGCM(block)
	if err != nil { // only for a block of the wrong size
		panic(err)
	}
	return a
}
