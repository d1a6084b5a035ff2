package feed

import (
	"context"
	"fmt"
	"time"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/sqldb"
)

const (
	// keyLife is how long a key signs before the next one takes its place.
	keyLife = 90 * 24 * time.Hour
	// keyRest is how long a key that signs no more is still published: a SET that it
	// signed may be verified as long as streams may be behind, and a little longer.
	keyRest = Retention + 5*24*time.Hour
)

// JWKS are the public keys (RFC 7517).
func (s *Service) JWKS(ctx context.Context) ([]byte, error) {
	r, err := s.keys.Get(ctx)
	if err != nil {
		return nil, err
	}
	return r.jwks, nil
}

// SigningKeys lists the keys by age.
func (s *Service) SigningKeys(ctx context.Context) ([]Key, error) {
	r, err := s.keys.Get(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]Key, len(r.keys))
	for i, k := range r.keys {
		all[i] = k.Key
	}
	return all, nil
}

// activeKey returns the key that signs, made on first need. Of nodes that need it at
// once one makes it: the index allows one, and the others take that.
func (s *Service) activeKey(ctx context.Context, alg string) (*key, error) {
	r, err := s.keys.Get(ctx)
	if err != nil {
		return nil, err
	}
	if k := r.active[alg]; k != nil {
		return k, nil
	}
	if err := s.makeKeys(ctx, alg); err != nil {
		return nil, err
	}
	if r, err = s.keys.Get(ctx); err != nil {
		return nil, err
	}
	if k := r.active[alg]; k != nil {
		return k, nil
	}
	return nil, fmt.Errorf("there is no %s key", alg)
}

func (s *Service) makeKeys(ctx context.Context, alg string) error {
	made, err := s.newKeys(alg, keyActive, keyNext)
	if err != nil {
		return err
	}
	return s.db().Write(ctx, func(tx *sqldb.Tx) error {
		if err := insertKeys(tx, made, s.Now()); err != nil {
			return err
		}
		return s.keys.Bump(tx)
	})
}

// madeKey is a key that is not stored yet.
type madeKey struct {
	Key
	sealed []byte
}

func (s *Service) newKeys(alg string, statuses ...string) ([]madeKey, error) {
	all := make([]madeKey, len(statuses))
	for i, status := range statuses {
		var err error
		if all[i].Key, all[i].sealed, err = s.newKey(alg, status); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// insertKeys stores keys unless there is one of their algorithm and status.
func insertKeys(tx *sqldb.Tx, keys []madeKey, now time.Time) error {
	for _, k := range keys {
		_, err := tx.Exec(`INSERT INTO event_keys (kid, alg, status, sealed, created, changed) VALUES ($1, $2, $3, $4, $5, $5)
			ON CONFLICT (alg, status) WHERE status <> 'EXPIRED' DO NOTHING`, k.ID, k.Algorithm, k.Status, k.sealed, micros(now))
		if err != nil {
			return fmt.Errorf("store signing key: %w", err)
		}
	}
	return nil
}

// RotateKeys puts the published next key of every algorithm in use in the place of the
// one that signs, which still verifies, and publishes a new next one.
func (s *Service) RotateKeys(ctx context.Context, c Change) error {
	r, err := s.keys.Get(ctx)
	if err != nil {
		return err
	}
	for alg := range r.active {
		if err := s.rotate(ctx, c, alg); err != nil {
			return err
		}
	}
	return nil
}

// rotate does nothing when another rotation has come first: the row that it waited for
// is no longer the active one.
func (s *Service) rotate(ctx context.Context, c Change, alg string) error {
	fresh, err := s.newKeys(alg, keyNext)
	if err != nil {
		return err
	}
	return s.db().Write(ctx, func(tx *sqldb.Tx) error {
		now := s.Now()
		res, err := tx.Exec(`UPDATE event_keys SET status = 'EXPIRED', changed = $2 WHERE alg = $1 AND status = 'ACTIVE'`, alg, micros(now))
		if err != nil {
			return fmt.Errorf("rotate signing key: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err
		}
		if _, err := tx.Exec(`UPDATE event_keys SET status = 'ACTIVE', changed = $2 WHERE alg = $1 AND status = 'NEXT'`, alg, micros(now)); err != nil {
			return fmt.Errorf("rotate signing key: %w", err)
		}
		if err := insertKeys(tx, fresh, now); err != nil {
			return err
		}
		target := events.Target{ID: fresh[0].ID, Type: "EventSigningKey"}
		if err := s.audit(tx, c.Actor, c.Request, "scim.stream.key.rotate", target, map[string]any{"alg": alg}); err != nil {
			return err
		}
		return s.keys.Bump(tx)
	})
}

// sweepKeys rotates a key that has signed for long enough, and forgets those that have
// rested for long enough.
func (s *Service) sweepKeys(ctx context.Context) error {
	r, err := s.keys.Get(ctx)
	if err != nil {
		return err
	}
	now, rested := s.Now(), false
	for _, k := range r.keys {
		age := now.Sub(k.Changed)
		if k.Status == keyActive && age > keyLife {
			if err := s.rotate(ctx, Change{Actor: events.System}, k.Algorithm); err != nil {
				return err
			}
		}
		rested = rested || k.Status == keyExpired && age > keyRest
	}
	if !rested {
		return nil
	}
	return s.db().Write(ctx, func(tx *sqldb.Tx) error {
		if _, err := tx.Exec(`DELETE FROM event_keys WHERE status = 'EXPIRED' AND changed < $1`, micros(now.Add(-keyRest))); err != nil {
			return fmt.Errorf("forget signing keys: %w", err)
		}
		return s.keys.Bump(tx)
	})
}
