package directory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/provost-id/provost/directory/passwords"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// Some clients never delete: they deactivate a user, and create it again when it is to
// come back. A change with Reactivates brings it back then, if it is beyond doubt whom the
// client means: it has given this user this external ID itself, the login is the same, and
// the user is deactivated. Nobody is found by a login or a mail address alone.

// bringers prepares what may be needed to bring the users of a batch back: their hashed
// passwords. It is nil for a change that brings nobody back.
func (d *Directory) bringers(ctx context.Context, c Change, batch []UserToCreate) ([]newPassword, error) {
	if !c.Reactivates {
		return nil, nil
	}
	passwords := make([]newPassword, len(batch))
	for i, e := range batch {
		p, err := d.passwordOf(ctx, e.Resource)
		if err != nil && !isRefusal(err) {
			return nil, err
		}
		passwords[i] = p // of one that is refused nobody comes in anyhow
	}
	return passwords, nil
}

// bringBackTx turns the results of a batch that fail because their logins are taken into
// users who come back.
func (d *Directory) bringBackTx(tx *sqldb.Tx, c Change, batch []UserToCreate, passwords []newPassword, results []UserResult) error {
	if passwords == nil {
		return nil
	}
	for i := range results {
		var taken *Conflict
		if !errors.As(results[i].Err, &taken) || taken.Attr != "userName" || batch[i].Options.Origin != nil {
			continue // an ID that has been given out already must be the one that comes
		}
		id, err := deactivatedOf(tx, c, batch[i].Resource)
		if err != nil {
			return err
		}
		if id == "" {
			continue
		}
		u, err := d.changeUserTx(tx, c, id, nil, passwords[i], func(was *schemas.Resource) (*schemas.Resource, error) {
			next, err := c.Bounds.replacement(was, batch[i].Resource)
			if err == nil {
				active := true
				next.Active = &active
			}
			return next, err
		})
		if err != nil && !isSaid(err) {
			return err
		}
		results[i] = UserResult{User: u, Err: err}
	}
	return nil
}

// isSaid tells an answer to the client from a fault.
func isSaid(err error) bool {
	var schema *schemas.Error
	return errors.As(err, &schema) || errors.Is(err, ErrProtected) || errors.Is(err, ErrOwned) || errors.Is(err, ErrBounds) ||
		errors.Is(err, ErrConflict) || errors.Is(err, passwords.ErrRefused) || errors.Is(err, ErrNotFound)
}

// deactivatedOf returns the ID of the deactivated user who has the login of r, and the
// external ID of r from this client; empty for none.
func deactivatedOf(tx *sqldb.Tx, c Change, r *schemas.Resource) (id string, err error) {
	if c.Client == "" || r.ExternalID == "" {
		return "", nil
	}
	err = tx.QueryRow(`SELECT r.id FROM resources r JOIN external_ids e ON e.rid = r.rid AND e.client = $2 AND e.value = $3
		WHERE r.user_name = $1 AND r.type = 'User' AND r.status = $4 AND r.status <> 'ACTIVE'`,
		r.Hot().UserName, c.Client, r.ExternalID, string(Deprovisioned)).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("look for a user who comes back: %w", err)
	}
	return id, nil
}
