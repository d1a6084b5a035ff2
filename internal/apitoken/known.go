package apitoken

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"sync/atomic"

	"github.com/provost-id/provost/internal/snapshot"
	"github.com/provost-id/provost/internal/sqldb"
)

// maxKnown bounds the tokens in memory; those beyond it are read per request.
const maxKnown = 10_000

// digest is the keyed hash of a token.
type digest = [sha256.Size]byte

// known are the tokens that are kept in memory while Run watches for their end.
type known struct {
	tokens  *snapshot.Snapshot[map[digest]Token]
	running atomic.Bool
}

// Run keeps the tokens in memory until ctx ends: a request then reads no row to know
// its caller. A token that is revoked elsewhere ends here within a second; one that
// is not in memory is looked up, so that a new token works at once.
func (s *Store) Run(ctx context.Context) error {
	s.known.running.Store(true)
	defer s.known.running.Store(false)
	return s.snapshot().Run(ctx)
}

func (s *Store) snapshot() *snapshot.Snapshot[map[digest]Token] {
	s.once.Do(func() { s.known.tokens = snapshot.New(s.DB, "api_tokens", s.load) })
	return s.known.tokens
}

func (s *Store) load(ctx context.Context, r sqldb.Reader) (map[digest]Token, error) {
	rows, err := r.Query(ctx, `SELECT `+columns+`, hash FROM api_tokens WHERE expires > $1 ORDER BY expires DESC LIMIT $2`,
		s.now().UnixMicro(), maxKnown)
	if err != nil {
		return nil, fmt.Errorf("load API tokens: %w", err)
	}
	defer func() { _ = rows.Close() }() // its error is that of Err
	all := map[digest]Token{}
	for rows.Next() {
		var hash []byte
		t, err := scan(rows, &hash)
		if err != nil {
			return nil, fmt.Errorf("read API token: %w", err)
		}
		all[digest(hash)] = t // Hash gives no other length
	}
	return all, rows.Err()
}

// inMemory finds a token without the database, when Run keeps them. The map is keyed by a
// keyed hash: its look-up tells nothing of the token.
func (s *Store) inMemory(ctx context.Context, hash []byte) (Token, bool) {
	if !s.known.running.Load() {
		return Token{}, false
	}
	all, err := s.snapshot().Get(ctx)
	if err != nil {
		return Token{}, false // the look-up will tell
	}
	t, ok := all[digest(hash)]
	return t, ok
}

// find returns the token of a hash, or sql.ErrNoRows.
func (s *Store) find(ctx context.Context, want []byte) (Token, error) {
	if t, ok := s.inMemory(ctx, want); ok {
		return t, nil
	}
	var hash []byte
	t, err := scan(s.DB.QueryRow(ctx, `SELECT `+columns+`, hash FROM api_tokens WHERE hash = $1`, want), &hash)
	if err == nil && subtle.ConstantTimeCompare(hash, want) != 1 {
		err = fmt.Errorf("hash of API token %s differs", t.ID)
	}
	return t, err
}
