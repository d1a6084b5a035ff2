package directory

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// After MaxTries bad passwords in a row an account is locked. The lock ends by itself
// after LockTime, so that it cannot be used to keep somebody out for good.
const (
	MaxTries = 10
	LockTime = 15 * time.Minute
)

// CheckPassword returns the user behind a login and its password. Everything else is
// ErrCredentials, at the same cost for a user that does not exist, is locked or has
// no password; a good password that must be changed first is ErrPasswordExpired.
// The login may be the part before the @ when only one user has it.
func (d *Directory) CheckPassword(ctx context.Context, login, password string) (*User, error) {
	u, err := d.UserByLogin(ctx, login)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return nil, err
	}
	if err := d.tryPassword(ctx, u, login, password); err != nil {
		return nil, err
	}
	switch u.Status {
	case Active, LockedOut:
		return d.signedIn(ctx, u)
	case PasswordExpired:
		return nil, ErrPasswordExpired
	}
	return nil, ErrCredentials
}

// VerifyPassword is CheckPassword for a change of the password: it takes the present
// one of a user in a status that may change it, and is no sign-in.
func (d *Directory) VerifyPassword(ctx context.Context, u *User, password string) error {
	if err := d.tryPassword(ctx, u, "", password); err != nil {
		return err
	}
	switch u.Status {
	case Staged, Active, PasswordExpired, Recovery:
		return nil
	}
	return ErrCredentials
}

// tryPassword counts a try and compares. u is nil for a login that nobody has.
func (d *Directory) tryPassword(ctx context.Context, u *User, login, password string) error {
	locked, err := d.countTry(ctx, d.signInAccount(u, login), u)
	if err != nil {
		return err
	}
	hash := ""
	if u != nil && !locked {
		if hash, err = d.passwordHash(ctx, u.RID); err != nil {
			return err
		}
	}
	ok, err := d.passwords.verify(ctx, hash, password)
	if err != nil {
		return err
	}
	if !ok {
		return ErrCredentials
	}
	return nil
}

// signInAccount is the one counter of an account, whichever way its login is written.
// Of an unknown login only a keyed hash is kept.
func (d *Directory) signInAccount(u *User, login string) []byte {
	if u != nil {
		return d.triesKey(u.ID)
	}
	return d.triesKey(schemas.FoldLogin(login))
}

func (d *Directory) triesKey(account string) []byte {
	return d.Keys.Hash("sign-in-tries", account)
}

// countTry counts before the password is looked at, so that parallel guesses cannot
// outrun the counter, on any node.
func (d *Directory) countTry(ctx context.Context, account []byte, u *User) (locked bool, err error) {
	err = d.DB.Write(ctx, func(tx *sqldb.Tx) error {
		now := d.Now()
		since := now.Add(-LockTime).UnixMicro()
		if _, err := tx.Exec(`DELETE FROM sign_in_tries WHERE last < $1`, since); err != nil {
			return fmt.Errorf("drop old sign-in tries: %w", err)
		}
		var tries int
		err := tx.QueryRow(`INSERT INTO sign_in_tries (account, tries, last) VALUES ($1, 1, $2)
			ON CONFLICT (account) DO UPDATE SET tries = sign_in_tries.tries + 1,
				last = CASE WHEN sign_in_tries.tries > $3 THEN sign_in_tries.last ELSE excluded.last END
			RETURNING tries`, account, now.UnixMicro(), MaxTries).Scan(&tries)
		if err != nil {
			return fmt.Errorf("count sign-in: %w", err)
		}
		locked = tries > MaxTries
		if tries == MaxTries+1 && u != nil {
			return d.lockTx(tx, u.ID)
		}
		return nil
	})
	return locked, err
}

// lockTx shows the lock as a status. Other statuses than ACTIVE stay, and the counter
// alone keeps their passwords from being tried.
func (d *Directory) lockTx(tx *sqldb.Tx, userID string) error {
	u, err := d.lockUserTx(tx, userID, "")
	if errors.Is(err, ErrNotFound) {
		return nil // deleted meanwhile
	}
	if err != nil || u.Status != Active {
		return err
	}
	c := Change{Actor: events.System, Source: Source{Kind: SourceSignIn}}
	_, err = d.moveTx(tx, c, u, LockedOut, "user.account.lock")
	return err
}

// signedIn forgets the tries, ends an outlived lock and stamps the time.
func (d *Directory) signedIn(ctx context.Context, u *User) (*User, error) {
	err := d.DB.Write(ctx, func(tx *sqldb.Tx) error {
		if err := d.forgetTries(tx, u.ID); err != nil {
			return err
		}
		fresh, err := d.lockUserTx(tx, u.ID, "")
		if err != nil {
			return err
		}
		switch fresh.Status {
		case Active:
		case LockedOut:
			c := Change{Actor: events.System, Source: Source{Kind: SourceSignIn}}
			if fresh, err = d.moveTx(tx, c, fresh, Active, "user.account.unlock"); err != nil {
				return err
			}
		default: // suspended or worse, while the password was being checked
			return ErrCredentials
		}
		u = fresh
		return d.SignedInTx(tx, u.ID)
	})
	if errors.Is(err, ErrNotFound) {
		return nil, ErrCredentials
	}
	if err != nil {
		return nil, err
	}
	return u, nil
}

// SignedInTx stamps the time of a sign-in. It is no change of the resource: the
// version stays.
func (d *Directory) SignedInTx(tx *sqldb.Tx, userID string) error {
	_, err := tx.Exec(`UPDATE resources SET last_login = $2 WHERE id = $1`, userID, d.Now().UnixMicro())
	if err != nil {
		return fmt.Errorf("stamp sign-in: %w", err)
	}
	return nil
}
