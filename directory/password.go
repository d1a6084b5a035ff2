package directory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/provost-id/provost/directory/passwords"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// newPassword is the password that a change sets. The zero value sets none.
type newPassword struct {
	hash     string
	imported bool          // from elsewhere: only while the user is STAGED (section 2.5)
	minAge   time.Duration // since the last change
	history  int           // former passwords that the policy remembers, this one included
}

// allowed tells whether the user as it stands may be given the password. Whoever must
// change it may do so at once.
func (n newPassword) allowed(u *User, now time.Time) error {
	if n.imported && u.Status != Staged {
		return &TransitionError{Op: importHash, From: u.Status}
	}
	young := n.minAge > 0 && now.Before(u.PasswordChanged.Add(n.minAge))
	if young && u.Status != PasswordExpired && u.Status != Recovery {
		return &passwords.Error{Rule: "minAgeMinutes", Reason: fmt.Sprintf("was changed less than %d minutes ago", int(n.minAge/time.Minute))}
	}
	return nil
}

// importHash names, in errors, what only a STAGED user can be given.
const importHash LifecycleOp = "import of a password hash"

// care is how much of the policy a new password is held to, beside its complexity.
type care uint8

const (
	byAdmin  care = iota // nothing more (section 2.4)
	byPerson             // it is not one of the last
	strictly             // and the last change is not too near
)

// SetPassword gives a user a password, which must meet the policy (*passwords.Error). A
// user who waited for one becomes ACTIVE; sessions and tokens of before end.
func (d *Directory) SetPassword(ctx context.Context, c Change, id, password string) error {
	if c.Source.Kind == SourceSelf {
		return d.setPassword(ctx, c, id, password, strictly)
	}
	return d.setPassword(ctx, c, id, password, byAdmin)
}

// ChangePassword is SetPassword by somebody who has shown the present one: the history
// counts, and with strict the minimum age too (the contract).
func (d *Directory) ChangePassword(ctx context.Context, c Change, id, password string, strict bool) error {
	if strict {
		return d.setPassword(ctx, c, id, password, strictly)
	}
	return d.setPassword(ctx, c, id, password, byPerson)
}

func (d *Directory) setPassword(ctx context.Context, c Change, id, password string, how care) error {
	var profile map[string]any
	u, missing := d.User(ctx, id)
	switch {
	case missing == nil:
		var err error
		if profile, err = d.Profile(u); err != nil {
			return err
		}
	case !errors.Is(missing, ErrNotFound):
		return missing
	}
	n, err := d.preparePassword(ctx, password, profile, u, how)
	if err != nil {
		return err
	}
	return d.DB.Write(ctx, func(tx *sqldb.Tx) error {
		u, err := d.lockUserTx(tx, id, c.Client)
		if err != nil {
			return err
		}
		_, err = d.storeUser(tx, c, userChange{old: u, password: n})
		return err
	})
}

// HashPassword checks a password against the policy, except for the rules that look at
// a user, and returns its hash. Call it outside any transaction: it takes tens of
// milliseconds and may wait for its turn.
func (d *Directory) HashPassword(ctx context.Context, password string) (string, error) {
	n, err := d.preparePassword(ctx, password, nil, nil, byAdmin)
	return n.hash, err
}

// EncodeHash turns a hash from elsewhere into the form in which it is stored
// ([passwords.Pool.Encode]).
func (d *Directory) EncodeHash(h passwords.Imported) (string, error) { return d.passwords.Encode(h) }

// preparePassword checks and hashes a password for the user u, nil for a new one, with
// the profile that it is going to have. It stands outside any transaction.
func (d *Directory) preparePassword(ctx context.Context, password string, profile map[string]any, u *User, how care) (newPassword, error) {
	p, err := d.PasswordPolicy(ctx)
	if err != nil {
		return newPassword{}, err
	}
	if err := p.Settings.Complexity.Check(password, profile); err != nil {
		return newPassword{}, err
	}
	n := newPassword{history: p.Settings.Age.HistoryCount}
	if how >= byPerson && u != nil {
		if err := d.checkHistory(ctx, u.RID, n.history, password); err != nil {
			return newPassword{}, err
		}
	}
	if how == strictly {
		n.minAge = time.Duration(p.Settings.Age.MinAgeMinutes) * time.Minute
	}
	n.hash, err = d.passwords.Hash(ctx, password)
	return n, err
}

// passwordOf prepares the password of a resource that a change makes.
func (d *Directory) passwordOf(ctx context.Context, r *schemas.Resource) (newPassword, error) {
	if r.Password == "" {
		return newPassword{}, nil
	}
	return d.preparePassword(ctx, r.Password, r.Profile(), nil, byAdmin)
}

// checkHistory refuses a password that is the present one or one of the last count.
func (d *Directory) checkHistory(ctx context.Context, rid int64, count int, password string) error {
	if count == 0 {
		return nil
	}
	hashes, err := column[string](d.DB.Query(ctx, `SELECT hash FROM passwords WHERE rid = $1
		UNION ALL SELECT h.hash FROM (SELECT hash FROM password_history WHERE rid = $1 ORDER BY n DESC LIMIT $2) h`, rid, count-1))
	if err != nil {
		return fmt.Errorf("read password history: %w", err)
	}
	for _, hash := range hashes {
		used, err := d.passwords.Verify(ctx, hash, password)
		if err != nil {
			return err
		}
		if used {
			return &passwords.Error{Rule: "historyCount", Reason: fmt.Sprintf("must not be one of the last %d", count)}
		}
	}
	return nil
}

// rememberPassword moves the present password to the history, before it is replaced.
func (d *Directory) rememberPassword(tx *sqldb.Tx, rid int64, count int) error {
	if count > 1 {
		_, err := tx.Exec(`INSERT INTO password_history (rid, n, hash)
			SELECT rid, 1 + COALESCE((SELECT MAX(n) FROM password_history WHERE rid = $1), 0), hash FROM passwords WHERE rid = $1`, rid)
		if err != nil {
			return fmt.Errorf("remember password: %w", err)
		}
	}
	_, err := tx.Exec(`DELETE FROM password_history WHERE rid = $1
		AND n <= (SELECT MAX(n) FROM password_history WHERE rid = $1) - $2`, rid, max(count-1, 0))
	if err != nil {
		return fmt.Errorf("forget old passwords: %w", err)
	}
	return nil
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

// rehash replaces a hash from elsewhere, or of parameters of before, by one of ours now
// that the password is known. A password that was changed meanwhile stays. The sign-in
// is good whatever comes of it: the next one tries again.
func (d *Directory) rehash(ctx context.Context, u *User, old, password string) {
	if passwords.Own(old) {
		return
	}
	hash, err := d.passwords.Hash(ctx, password)
	if err == nil {
		err = d.DB.Write(ctx, func(tx *sqldb.Tx) error {
			_, err := tx.Exec(`UPDATE passwords SET hash = $3 WHERE rid = $1 AND hash = $2`, u.RID, old, hash)
			return err
		})
	}
	if err != nil {
		d.Log.WarnContext(ctx, "password not rehashed", slog.String("user", u.ID), slog.Any("error", err))
	}
}
