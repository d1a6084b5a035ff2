package directory

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"unicode/utf8"

	"github.com/go-crypt/crypt"
	"github.com/go-crypt/crypt/algorithm"
	"github.com/go-crypt/crypt/algorithm/argon2"
)

// Parameters of argon2id: 19 MiB, two passes, one lane (OWASP Password Storage Cheat
// Sheet), about 20 ms of one core.
const (
	argonMemory = 19 * 1024 // KiB
	argonTime   = 2
	argonLanes  = 1
)

// Length of a password in characters. The upper bound is the contract's (section 2.5).
const (
	MinPassword = 8
	MaxPassword = 72
)

// maxWaiting bounds how many callers queue for a hash, so that a flood of sign-ins is
// refused instead of kept.
const maxWaiting = 512

// dummyHash is of a random password that was thrown away.
const dummyHash = "$argon2id$v=19$m=19456,t=2,p=1$tsf8SSVIduz3BaXN4/wyhA$EiBcrJtyVxCyxuIhKRPLPXRNFzEGAHws5wROqBk6UoI"

// passwordPool hashes passwords, no more at once than there are processors: each
// takes argonMemory.
type passwordPool struct {
	running chan struct{}
	waiting chan struct{}
	hasher  algorithm.Hash
	decoder *crypt.Decoder
	dummy   algorithm.Digest // of a password nobody knows: unknown users cost the same
}

func newPasswordPool() (*passwordPool, error) {
	h, err := argon2.New(argon2.WithVariantID(), argon2.WithM(argonMemory), argon2.WithT(argonTime), argon2.WithP(argonLanes))
	if err != nil {
		return nil, fmt.Errorf("argon2id: %w", err)
	}
	dec := crypt.NewDecoder()
	if err := argon2.RegisterDecoderArgon2id(dec); err != nil {
		return nil, fmt.Errorf("argon2id: %w", err)
	}
	dummy, err := dec.Decode(dummyHash)
	if err != nil {
		return nil, fmt.Errorf("argon2id: %w", err)
	}
	return &passwordPool{
		running: make(chan struct{}, runtime.GOMAXPROCS(0)),
		waiting: make(chan struct{}, maxWaiting),
		hasher:  h, decoder: dec, dummy: dummy,
	}, nil
}

// do runs fn when a processor is free. It returns ErrBusy when too many wait.
func (p *passwordPool) do(ctx context.Context, fn func() error) error {
	select {
	case p.waiting <- struct{}{}:
	default:
		return ErrBusy
	}
	defer func() { <-p.waiting }()
	select {
	case p.running <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-p.running }()
	return fn()
}

func (p *passwordPool) hash(ctx context.Context, password string) (encoded string, err error) {
	err = p.do(ctx, func() error {
		digest, err := p.hasher.Hash(password)
		if err != nil {
			return fmt.Errorf("hash password: %w", err)
		}
		encoded = digest.Encode()
		return nil
	})
	return encoded, err
}

// verify compares in constant time. An empty hash costs as much and never matches.
func (p *passwordPool) verify(ctx context.Context, encoded, password string) (ok bool, err error) {
	digest := p.dummy
	if encoded != "" {
		if digest, err = p.decoder.Decode(encoded); err != nil {
			return false, errors.New("stored password hash cannot be read")
		}
	}
	err = p.do(ctx, func() error {
		ok, err = digest.MatchAdvanced(password)
		return err
	})
	return ok && encoded != "", err
}

// PasswordError says what a password lacks.
type PasswordError struct{ Reason string }

// Error names the requirement.
func (e *PasswordError) Error() string { return "password: " + e.Reason }

// Unwrap makes the error an ErrPassword.
func (e *PasswordError) Unwrap() error { return ErrPassword }

func checkPasswordPolicy(password string) error {
	switch n := utf8.RuneCountInString(password); {
	case !utf8.ValidString(password):
		return &PasswordError{Reason: "is not valid UTF-8"}
	case n < MinPassword:
		return &PasswordError{Reason: fmt.Sprintf("must have at least %d characters", MinPassword)}
	case n > MaxPassword:
		return &PasswordError{Reason: fmt.Sprintf("must have at most %d characters", MaxPassword)}
	}
	return nil
}

// HashPassword checks a password against the policy and returns its hash. Call it
// outside any transaction: it takes tens of milliseconds and may wait for its turn.
func (d *Directory) HashPassword(ctx context.Context, password string) (string, error) {
	if err := checkPasswordPolicy(password); err != nil {
		return "", err
	}
	return d.passwords.hash(ctx, password)
}
