package passwords

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"github.com/go-crypt/crypt"
	"github.com/go-crypt/crypt/algorithm"
	"github.com/go-crypt/crypt/algorithm/argon2"
	"github.com/go-crypt/crypt/algorithm/bcrypt"
	"github.com/go-crypt/crypt/algorithm/pbkdf2"
	"github.com/go-crypt/crypt/algorithm/scrypt"
	"github.com/go-crypt/crypt/algorithm/shacrypt"
)

// Parameters of argon2id: 19 MiB, two passes, one lane (OWASP Password Storage Cheat
// Sheet), about 20 ms of one core.
const (
	argonMemory = 19 * 1024 // KiB
	argonTime   = 2
	argonLanes  = 1
)

// ErrBusy is returned when too many passwords wait to be hashed.
var ErrBusy = errors.New("too many sign-ins at once")

// maxWaiting bounds how many callers queue for a hash, so that a flood of sign-ins is
// refused instead of kept.
const maxWaiting = 512

// Decoy is the hash of a random password that was thrown away: whom nobody knows costs as
// much as anybody.
const Decoy = "$argon2id$v=19$m=19456,t=2,p=1$tsf8SSVIduz3BaXN4/wyhA$EiBcrJtyVxCyxuIhKRPLPXRNFzEGAHws5wROqBk6UoI"

// begins is how every hash made here begins.
var begins = fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$", argonMemory, argonTime, argonLanes)

// Own reports whether a hash was made here, with the parameters of today.
func Own(encoded string) bool { return strings.HasPrefix(encoded, begins) }

// Pool hashes passwords, no more at once than there are processors: each
// takes argonMemory, and one from elsewhere up to maxMemory.
type Pool struct {
	running chan struct{}
	waiting chan struct{}
	hasher  algorithm.Hash
	decoder *crypt.Decoder
}

func NewPool() (*Pool, error) {
	h, err := argon2.New(argon2.WithVariantID(), argon2.WithM(argonMemory), argon2.WithT(argonTime), argon2.WithP(argonLanes))
	if err != nil {
		return nil, fmt.Errorf("argon2id: %w", err)
	}
	dec := crypt.NewDecoder()
	for _, register := range []func(algorithm.DecoderRegister) error{
		argon2.RegisterDecoder, bcrypt.RegisterDecoderStandard, pbkdf2.RegisterDecoder,
		scrypt.RegisterDecoderScrypt, shacrypt.RegisterDecoder,
	} {
		if err := register(dec); err != nil {
			return nil, fmt.Errorf("password hashes: %w", err)
		}
	}
	return &Pool{
		running: make(chan struct{}, runtime.GOMAXPROCS(0)),
		waiting: make(chan struct{}, maxWaiting),
		hasher:  h, decoder: dec,
	}, nil
}

// do runs fn when a processor is free. It returns ErrBusy when too many wait.
func (p *Pool) do(ctx context.Context, fn func() error) error {
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

func (p *Pool) Hash(ctx context.Context, password string) (encoded string, err error) {
	err = p.do(ctx, func() error {
		digest, err := p.hasher.Hash(prepare(password))
		if err != nil {
			return fmt.Errorf("hash password: %w", err)
		}
		encoded = digest.Encode()
		return nil
	})
	return encoded, err
}

// Verify tells whether a password is that of an encoded hash.
func (p *Pool) Verify(ctx context.Context, encoded, password string) (bool, error) {
	match, err := p.decode(encoded)
	if err != nil {
		return false, fmt.Errorf("stored password hash %w", err)
	}
	prepared := prepare(password)
	ok, err := p.compare(ctx, match, prepared)
	if err != nil || ok || prepared == password {
		return ok, err
	}
	return p.compare(ctx, match, password) // a hash from elsewhere may be of what was typed
}

// compare takes its turn. A password longer than any that can be set costs as much as
// one that is not too long, and never matches.
func (p *Pool) compare(ctx context.Context, match matcher, password string) (ok bool, err error) {
	tooLong := len(password) > maxForeignPass
	if tooLong {
		password = password[:maxForeignPass]
	}
	err = p.do(ctx, func() error {
		ok, err = match(password)
		return err
	})
	return ok && !tooLong, err
}
