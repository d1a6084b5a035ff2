package directory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/provost-id/provost/internal/sqldb"
)

// SetPassword gives a user a password, which must meet the policy (*PasswordError).
// A user who waited for one becomes ACTIVE; sessions and tokens of before end.
func (d *Directory) SetPassword(ctx context.Context, c Change, id, password string) error {
	hash, err := d.HashPassword(ctx, password)
	if err != nil {
		return err
	}
	return d.DB.Write(ctx, func(tx *sqldb.Tx) error {
		u, err := d.lockUserTx(tx, id, c.Client)
		if err != nil {
			return err
		}
		_, err = d.storeUser(tx, c, userChange{old: u, hash: hash})
		return err
	})
}

// afterPassword is the status of a user that has been given a password, and its event.
func afterPassword(s Status) (Status, string) {
	switch s {
	case Provisioned, Recovery, PasswordExpired:
		return Active, "user.lifecycle.activate"
	case LockedOut:
		return Active, "user.account.unlock"
	}
	return s, ""
}

func (d *Directory) storePassword(tx *sqldb.Tx, u *User, hash string, now time.Time) error {
	_, err := tx.Exec(`INSERT INTO passwords (rid, hash, changed) VALUES ($1, $2, $3)
		ON CONFLICT (rid) DO UPDATE SET hash = excluded.hash, changed = excluded.changed`,
		u.RID, hash, now.UnixMicro())
	if err != nil {
		return fmt.Errorf("store password: %w", err)
	}
	u.HasPassword, u.PasswordChanged = true, now
	return d.forgetTries(tx, u.ID)
}

func (d *Directory) forgetTries(tx *sqldb.Tx, userID string) error {
	if _, err := tx.Exec(`DELETE FROM sign_in_tries WHERE account = $1`, d.triesKey(userID)); err != nil {
		return fmt.Errorf("forget sign-in tries: %w", err)
	}
	return nil
}

// passwordHash returns the stored hash, empty for a user without a password.
func (d *Directory) passwordHash(ctx context.Context, rid int64) (hash string, err error) {
	err = d.DB.QueryRow(ctx, `SELECT hash FROM passwords WHERE rid = $1`, rid).Scan(&hash)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("read password: %w", err)
	}
	return hash, nil
}
