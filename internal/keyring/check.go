package keyring

import (
	"context"
	"errors"
	"fmt"

	"github.com/provost-id/provost/internal/sqldb"
)

// ErrWrongKey is returned by Check when the database was sealed under another master key.
var ErrWrongKey = errors.New("the master key is not the one this database was made with")

// Check compares the master key with a value sealed under it at the first start, so
// that a wrong key is one clear error and not a thousand unreadable secrets. The
// first Check of a database writes that value.
func (r *Ring) Check(ctx context.Context, db *sqldb.DB) error {
	const purpose, plain = "key-check", "provost"
	var sealed []byte
	err := db.Write(ctx, func(tx *sqldb.Tx) error {
		_, err := tx.Exec(`INSERT INTO key_check (id, sealed) VALUES (1, $1) ON CONFLICT (id) DO NOTHING`,
			r.Seal(purpose, "", []byte(plain)))
		if err != nil {
			return err
		}
		return tx.QueryRow(`SELECT sealed FROM key_check WHERE id = 1`).Scan(&sealed)
	})
	if err != nil {
		return fmt.Errorf("check master key: %w", err)
	}
	if got, err := r.Unseal(purpose, "", sealed); err != nil || string(got) != plain {
		return ErrWrongKey
	}
	return nil
}
