package directory

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/provost-id/provost/directory/passwords"
	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
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
	p, err := d.PasswordPolicy(ctx)
	if err != nil {
		return nil, err
	}
	hash, err := d.tryPassword(ctx, p.Settings, u, login, password)
	if err != nil {
		return nil, err
	}
	switch u.Status {
	case Active, LockedOut:
		if u, err = d.signedIn(ctx, p.Settings, u); err == nil {
			d.rehash(ctx, u, hash, password)
		}
		return u, err
	case PasswordExpired:
		return nil, ErrPasswordExpired
	}
	return nil, ErrCredentials
}

// VerifyPassword is CheckPassword for a change of the password: it takes the present
// one of a user in a status that may change it, and is no sign-in.
func (d *Directory) VerifyPassword(ctx context.Context, u *User, password string) error {
	p, err := d.PasswordPolicy(ctx)
	if err != nil {
		return err
	}
	if _, err := d.tryPassword(ctx, p.Settings, u, "", password); err != nil {
		return err
	}
	switch u.Status {
	case Staged, Active, PasswordExpired, Recovery:
		return nil
	}
	return ErrCredentials
}

// tryPassword counts a try and compares. It returns the stored hash of a good password;
// u is nil for a login that nobody has.
func (d *Directory) tryPassword(ctx context.Context, p passwords.Policy, u *User, login, password string) (hash string, err error) {
	account := d.signInAccount(u, login)
	locked, err := d.countTry(ctx, p, account, u)
	if err != nil {
		return "", err
	}
	if u != nil {
		if hash, err = d.passwordHash(ctx, u.RID); err != nil {
			return "", err
		}
	}
	compared := hash
	if hash == "" {
		if compared, err = d.decoyHash(ctx, account); err != nil {
			return "", err
		}
	}
	ok, err := d.passwords.Verify(ctx, compared, password)
	if err != nil {
		return "", err
	}
	if !ok || hash == "" || locked {
		return "", ErrCredentials
	}
	return hash, nil
}

// decoyHash is what the password of an account without one is compared with, in vain:
// the hash of some other user, always the same one for the same account. Hashes from
// elsewhere cost more or less than ours, and so an unknown login costs what a known
// one may.
func (d *Directory) decoyHash(ctx context.Context, account []byte) (hash string, err error) {
	pick := int64(binary.BigEndian.Uint64(account) >> 1)
	err = d.DB.QueryRow(ctx, `SELECT hash FROM passwords
		WHERE rid > $1 % (SELECT MAX(rid) FROM passwords) ORDER BY rid LIMIT 1`, pick).Scan(&hash)
	if errors.Is(err, sql.ErrNoRows) {
		return passwords.Decoy, nil
	}
	if err != nil {
		return "", fmt.Errorf("read password: %w", err)
	}
	return hash, nil
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
func (d *Directory) countTry(ctx context.Context, p passwords.Policy, account []byte, u *User) (locked bool, err error) {
	most := p.Lockout.MaxAttempts
	if most == 0 {
		most = math.MaxInt32 // never locks, and counts all the same
	}
	err = d.DB.Write(ctx, func(tx *sqldb.Tx) error {
		now := d.Now()
		since := now.Add(-p.LockTime()).UnixMicro()
		if _, err := tx.Exec(`DELETE FROM sign_in_tries WHERE last < $1`, since); err != nil {
			return fmt.Errorf("drop old sign-in tries: %w", err)
		}
		var tries int
		err := tx.QueryRow(`INSERT INTO sign_in_tries (account, tries, last) VALUES ($1, 1, $2)
			ON CONFLICT (account) DO UPDATE SET tries = sign_in_tries.tries + 1,
				last = CASE WHEN sign_in_tries.tries > $3 THEN sign_in_tries.last ELSE excluded.last END
			RETURNING tries`, account, now.UnixMicro(), most).Scan(&tries)
		if err != nil {
			return fmt.Errorf("count sign-in: %w", err)
		}
		locked = tries > most
		if locked && u != nil && u.Status == Active {
			return d.lockTx(tx, u.ID)
		}
		return nil
	})
	if p.Lockout.AutoUnlockMinutes == 0 && u != nil && u.Status == LockedOut {
		locked = true // however long ago the tries were
	}
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

// signedIn forgets the tries, ends an outlived lock and stamps the time. A password
// that is too old makes the user PASSWORD_EXPIRED instead: age is looked at here, and
// nowhere swept (the contract).
func (d *Directory) signedIn(ctx context.Context, p passwords.Policy, u *User) (*User, error) {
	userID, expired := u.ID, false
	err := d.DB.Write(ctx, func(tx *sqldb.Tx) (err error) {
		if err := d.forgetTries(tx, userID); err != nil {
			return err
		}
		if u, err = d.lockUserTx(tx, userID, ""); err != nil {
			return err
		}
		now := d.Now()
		at := p.Expires(u.PasswordChanged)
		if expired = !at.IsZero() && !now.Before(at); expired {
			return d.expireTx(tx, u)
		}
		if u, err = d.unlockedTx(tx, u); err != nil {
			return err
		}
		u.PasswordExpires = p.Warned(u.PasswordChanged, now)
		return d.SignedInTx(tx, userID)
	})
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, ErrCredentials
	case err != nil:
		return nil, err
	case expired:
		return nil, ErrPasswordExpired
	}
	return u, nil
}

// unlockedTx ends an outlived lock. Whoever was suspended, or worse, while the password
// was being checked is refused.
func (d *Directory) unlockedTx(tx *sqldb.Tx, u *User) (*User, error) {
	switch u.Status {
	case Active:
		return u, nil
	case LockedOut:
		c := Change{Actor: events.System, Source: Source{Kind: SourceSignIn}}
		return d.moveTx(tx, c, u, Active, "user.account.unlock")
	}
	return nil, ErrCredentials
}

func (d *Directory) expireTx(tx *sqldb.Tx, u *User) error {
	switch u.Status {
	case Active, LockedOut:
		t := transitions[ExpirePassword]
		c := Change{Actor: events.System, Source: Source{Kind: SourceSignIn}}
		_, err := d.moveTx(tx, c, u, t.to, t.event)
		return err
	case PasswordExpired: // by another sign-in just now
		return nil
	}
	return ErrCredentials
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
