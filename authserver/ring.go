package authserver

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/sqldb"
)

// ring are the keys of one server, immutable.
type ring struct {
	keys   []*key // by age
	byID   map[string]*key
	active map[string]*key // by algorithm
	jwks   []byte          // prebuilt (RFC 7517)
}

func newRing(keys []*key) (*ring, error) {
	r := &ring{keys: keys, byID: map[string]*key{}, active: map[string]*key{}}
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	for _, k := range keys {
		r.byID[k.kid] = k
		if k.status == keyActive {
			r.active[k.alg] = k
		}
		set.Keys = append(set.Keys, k.jwk())
	}
	var err error
	r.jwks, err = json.Marshal(set)
	return r, err
}

func (s *Service) insertKeys(tx *sqldb.Tx, serverID string, keys []*key, now time.Time) error {
	for _, k := range keys {
		sealed, err := s.sealKey(serverID, k)
		if err != nil {
			return err
		}
		_, err = tx.Exec(`INSERT INTO auth_keys (kid, as_id, alg, status, sealed, created, changed)
			VALUES ($1, $2, $3, $4, $5, $6, $7)`, k.kid, serverID, k.alg, k.status, sealed, now.UnixMicro(), now.UnixMicro())
		if err != nil {
			return fmt.Errorf("store signing key: %w", err)
		}
	}
	return nil
}

// readKeys reads and opens every key, by server.
func (s *Service) readKeys(ctx context.Context, r sqldb.Reader) (map[string][]*key, error) {
	rows, err := r.Query(ctx, `SELECT kid, as_id, alg, status, sealed, created, changed FROM auth_keys ORDER BY created, kid`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // rows.Err tells
	out := map[string][]*key{}
	for rows.Next() {
		k := &key{}
		var serverID string
		var sealed []byte
		var created, changed int64
		if err := rows.Scan(&k.kid, &serverID, &k.alg, &k.status, &sealed, &created, &changed); err != nil {
			return nil, err
		}
		k.created, k.changed = fromMicros(created), fromMicros(changed)
		if err := s.unsealKey(serverID, k, sealed); err != nil {
			return nil, err
		}
		out[serverID] = append(out[serverID], k)
	}
	return out, rows.Err()
}

// needKey returns the server with an active key of the algorithm, making one on
// first need. Two nodes that need it at once end with the same key: the index allows
// one active key, and the loser takes the winner's.
func (s *Service) needKey(ctx context.Context, srv *server, alg string) (*server, *key, error) {
	if k := srv.ring.active[alg]; k != nil {
		return srv, k, nil
	}
	s.making.Lock() // an RSA key costs a tenth of a second: one is made, however many need it
	defer s.making.Unlock()
	if srv, k, err := s.reloadedKey(ctx, srv.ID, alg); err == nil {
		return srv, k, nil
	}
	keys, err := newKeyPair(alg)
	if err != nil {
		return nil, nil, err
	}
	err = s.DB.Write(ctx, func(tx *sqldb.Tx) error {
		if err := lockObject(tx, srv.ID); err != nil {
			return err
		}
		var n int
		if err := tx.QueryRow(`SELECT count(*) FROM auth_keys WHERE as_id = $1 AND alg = $2 AND status = $3`,
			srv.ID, alg, keyActive).Scan(&n); err != nil {
			return err
		}
		if n == 0 {
			if err := s.insertKeys(tx, srv.ID, keys, s.now()); err != nil {
				return err
			}
		}
		return s.servers.Bump(tx)
	})
	if err != nil {
		return nil, nil, err
	}
	return s.reloadedKey(ctx, srv.ID, alg)
}

func (s *Service) reloadedKey(ctx context.Context, serverID, alg string) (*server, *key, error) {
	all, err := s.servers.Get(ctx)
	if err != nil {
		return nil, nil, err
	}
	if srv := all.byID[serverID]; srv != nil && srv.ring.active[alg] != nil {
		return srv, srv.ring.active[alg], nil
	}
	return nil, nil, fmt.Errorf("server %s has no %s key", serverID, alg)
}

// Key is a signing key as the management API shows it: the members of its public JWK,
// and beside them status, created and lastUpdated.
type Key map[string]any

func (k *key) shown() (Key, error) {
	raw, err := k.jwk().MarshalJSON()
	if err != nil {
		return nil, err
	}
	out := Key{}
	if err := json.Unmarshal(raw, &out); err != nil {
		return nil, err
	}
	out["status"], out["created"], out["lastUpdated"] = k.status, Time{k.created}, Time{k.changed}
	return out, nil
}

// SigningKeys lists the keys of a custom server.
func (s *Service) SigningKeys(ctx context.Context, serverID string) ([]Key, error) {
	srv, err := s.custom(ctx, serverID)
	if err != nil {
		return nil, err
	}
	var out []Key
	for _, k := range srv.ring.keys {
		shown, err := k.shown()
		if err != nil {
			return nil, err
		}
		out = append(out, shown)
	}
	return out, nil
}

// RotateKeys puts the next key of every algorithm in the place of the active one,
// which still verifies, and publishes new next keys. The server row is locked: two
// rotations at once follow one another, and one key is active.
func (s *Service) RotateKeys(ctx context.Context, c Change, serverID string) ([]Key, error) {
	srv, err := s.custom(ctx, serverID)
	if err != nil {
		return nil, err
	}
	fresh := map[string][]*key{}
	for alg := range srv.ring.active {
		if fresh[alg], err = newKeyPair(alg); err != nil {
			return nil, err
		}
	}
	target := events.Target{ID: serverID, Type: "AuthorizationServer"}
	err = s.change(ctx, c, "app.oauth2.as.key.rollover", target, func(tx *sqldb.Tx) error {
		if err := lockObject(tx, serverID); err != nil {
			return err
		}
		for alg, pair := range fresh {
			if err := s.rotate(tx, serverID, alg, pair); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s.SigningKeys(ctx, serverID)
}

// rotate uses the first of fresh only when no next key was published.
func (s *Service) rotate(tx *sqldb.Tx, serverID, alg string, fresh []*key) error {
	now := s.now()
	if _, err := tx.Exec(`UPDATE auth_keys SET status = $4, changed = $5 WHERE as_id = $1 AND alg = $2 AND status = $3`,
		serverID, alg, keyActive, keyExpired, now.UnixMicro()); err != nil {
		return err
	}
	res, err := tx.Exec(`UPDATE auth_keys SET status = $4, changed = $5 WHERE as_id = $1 AND alg = $2 AND status = $3`,
		serverID, alg, keyNext, keyActive, now.UnixMicro())
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 1 {
		if err != nil {
			return err
		}
		fresh = fresh[1:]
	}
	return s.insertKeys(tx, serverID, fresh, now)
}
