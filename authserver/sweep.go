package authserver

import (
	"context"
	"time"

	"github.com/provost-id/provost/internal/sqldb"
)

const (
	// sweepBatch bounds one housekeeping transaction.
	sweepBatch = 1000
	// keepExpiredKeys: as long as a token signed with it can live, and a day.
	keepExpiredKeys = (maxAccess*time.Minute + 24*time.Hour)
)

// Sweep drops rows that no longer mean anything, a bounded number for each call.
func (s *Service) Sweep(ctx context.Context) error {
	now := s.now().UnixMicro()
	err := s.DB.Write(ctx, func(tx *sqldb.Tx) error {
		for _, q := range []string{
			`DELETE FROM oauth_refresh_tokens WHERE hash IN (SELECT hash FROM oauth_refresh_tokens WHERE expires < $1 ORDER BY expires LIMIT $2)`,
			`DELETE FROM oauth_grants WHERE id IN (SELECT id FROM oauth_grants WHERE expires < $1 ORDER BY expires LIMIT $2)`,
			`DELETE FROM oauth_revoked WHERE (as_id, jti) IN (SELECT as_id, jti FROM oauth_revoked WHERE expires < $1 ORDER BY expires LIMIT $2)`,
			`DELETE FROM oauth_assertions WHERE (client_id, jti) IN (SELECT client_id, jti FROM oauth_assertions WHERE expires < $1 ORDER BY expires LIMIT $2)`,
		} {
			if _, err := tx.Exec(q, now, sweepBatch); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.sweepKeys(ctx)
}

func (s *Service) sweepKeys(ctx context.Context) error {
	all, err := s.servers.Get(ctx)
	if err != nil {
		return err
	}
	old := s.now().Add(-keepExpiredKeys)
	for _, srv := range all.ordered {
		for _, k := range srv.ring.keys {
			if k.status == keyExpired && k.changed.Before(old) {
				if err := s.dropKey(ctx, k); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (s *Service) dropKey(ctx context.Context, k *key) error {
	return s.DB.Write(ctx, func(tx *sqldb.Tx) error {
		if _, err := tx.Exec(`DELETE FROM auth_keys WHERE kid = $1 AND status = $2`, k.kid, keyExpired); err != nil {
			return err
		}
		return s.servers.Bump(tx)
	})
}
