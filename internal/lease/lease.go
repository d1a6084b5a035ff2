// Package lease gives one runner at a time the right to a named piece of work, with
// a fencing epoch that rises whenever another runner takes over. What the work is
// belongs to the caller; a caller checks the epoch in every transaction it writes,
// so that a runner that was asleep past its lease changes nothing.
package lease

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/provost-id/provost/internal/sqldb"
)

// ErrLost is returned by Check when another runner has taken over since.
var ErrLost = errors.New("lease is lost")

// Acquire takes the lease name for owner when it is free, expired, or already its
// own, for ttl from now. ok is false when somebody else holds it. The epoch rises
// with each change of hands and never goes back. Calling it again before ttl has
// passed renews the lease and keeps the epoch.
func Acquire(ctx context.Context, db *sqldb.DB, name, owner string, ttl time.Duration) (epoch int64, ok bool, err error) {
	err = db.Write(ctx, func(tx *sqldb.Tx) error {
		epoch, ok, err = AcquireTx(tx, name, owner, ttl, time.Now())
		return err
	})
	return epoch, ok, err
}

// AcquireTx is Acquire inside a transaction.
func AcquireTx(tx *sqldb.Tx, name, owner string, ttl time.Duration, now time.Time) (epoch int64, ok bool, err error) {
	err = tx.QueryRow(`INSERT INTO leases (name, owner, epoch, expires) VALUES ($1, $2, 1, $3)
		ON CONFLICT (name) DO UPDATE SET
			epoch = CASE WHEN leases.owner = excluded.owner AND leases.expires > $4 THEN leases.epoch ELSE leases.epoch + 1 END,
			owner = excluded.owner, expires = excluded.expires
		WHERE leases.owner = excluded.owner OR leases.expires <= $4
		RETURNING epoch`,
		name, owner, now.Add(ttl).UnixMicro(), now.UnixMicro()).Scan(&epoch)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("acquire lease %s: %w", name, err)
	}
	return epoch, true, nil
}

// Renew extends the lease for ttl from now if the epoch still stands.
func Renew(ctx context.Context, db *sqldb.DB, name, owner string, epoch int64, ttl time.Duration) (ok bool, err error) {
	err = db.Write(ctx, func(tx *sqldb.Tx) error {
		res, err := tx.Exec(`UPDATE leases SET expires = $1 WHERE name = $2 AND owner = $3 AND epoch = $4`,
			time.Now().Add(ttl).UnixMicro(), name, owner, epoch)
		if err != nil {
			return fmt.Errorf("renew lease %s: %w", name, err)
		}
		n, err := res.RowsAffected()
		ok = n == 1
		return err
	})
	return ok, err
}

// Check returns ErrLost unless epoch is still the lease's, and holds the row until
// the transaction ends, so that nobody takes over between the check and the commit.
func Check(tx *sqldb.Tx, name string, epoch int64) error {
	var current int64
	err := tx.QueryRow(`SELECT epoch FROM leases WHERE name = $1`+tx.ForUpdate(), name).Scan(&current)
	if errors.Is(err, sql.ErrNoRows) || err == nil && current != epoch {
		return fmt.Errorf("%s: %w", name, ErrLost)
	}
	if err != nil {
		return fmt.Errorf("check lease %s: %w", name, err)
	}
	return nil
}

// Release gives the lease back early, if the epoch still stands. The row stays, and
// its epoch with it.
func Release(ctx context.Context, db *sqldb.DB, name, owner string, epoch int64) error {
	return db.Write(ctx, func(tx *sqldb.Tx) error {
		_, err := tx.Exec(`UPDATE leases SET expires = 0 WHERE name = $1 AND owner = $2 AND epoch = $3`, name, owner, epoch)
		return err
	})
}

// Remove deletes a lease whose name will not be used again: its epoch is forgotten.
func Remove(ctx context.Context, db *sqldb.DB, name string) error {
	return db.Write(ctx, func(tx *sqldb.Tx) error {
		_, err := tx.Exec(`DELETE FROM leases WHERE name = $1`, name)
		return err
	})
}

// RemoveExpired deletes the leases whose name begins with prefix and that expired
// before the given time. Like Remove it is for names that will not be used again.
func RemoveExpired(tx *sqldb.Tx, prefix string, before time.Time) error {
	_, err := tx.Exec(`DELETE FROM leases WHERE substr(name, 1, $1) = $2 AND expires < $3`,
		len(prefix), prefix, before.UnixMicro())
	if err != nil {
		return fmt.Errorf("remove expired leases: %w", err)
	}
	return nil
}

// ReleaseAll ends every lease. It is for a process that has proved to be the only one
// on its database: whoever held a lease is dead.
func ReleaseAll(ctx context.Context, db *sqldb.DB) error {
	return db.Write(ctx, func(tx *sqldb.Tx) error {
		if _, err := tx.Exec(`UPDATE leases SET expires = 0`); err != nil {
			return fmt.Errorf("release leases: %w", err)
		}
		return nil
	})
}
