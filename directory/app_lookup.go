package directory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/provost-id/provost/internal/sqldb"
)

// AppUserByExternalID finds an account by the app's own identifier, or ErrNotFound.
func (d *Directory) AppUserByExternalID(ctx context.Context, appID, externalID string) (*AppUser, error) {
	return scanAppUser(d.DB.QueryRow(ctx, `SELECT `+appUserColumns+` FROM app_users u WHERE u.app_id = $1 AND u.external_id = $2`, appID, externalID))
}

// UserIDByRemoteName finds whose account has an address at an app, "" for nobody's.
func (d *Directory) UserIDByRemoteName(ctx context.Context, appID, name string) (string, error) {
	return d.oneID(ctx, `SELECT user_id FROM app_users WHERE app_id = $1 AND remote_name = $2 AND external_id IS NOT NULL LIMIT 1`, appID, name)
}

// UserIDByExternalID finds whose account has an identifier at an app, "" for nobody's.
func (d *Directory) UserIDByExternalID(ctx context.Context, appID, externalID string) (string, error) {
	return d.oneID(ctx, `SELECT user_id FROM app_users WHERE app_id = $1 AND external_id = $2`, appID, externalID)
}

func (d *Directory) oneID(ctx context.Context, query string, args ...any) (string, error) {
	var id string
	err := d.DB.QueryRow(ctx, query, args...).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("look up account: %w", err)
	}
	return id, nil
}

// DeleteAppUserTx forgets an account, once it is turned off and its user is gone.
func (d *Directory) DeleteAppUserTx(tx *sqldb.Tx, appID, userID string) error {
	for _, statement := range []string{
		`DELETE FROM app_group_members WHERE app_id = $1 AND user_id = $2`,
		`DELETE FROM app_users WHERE app_id = $1 AND user_id = $2`,
	} {
		if _, err := tx.Exec(statement, appID, userID); err != nil {
			return fmt.Errorf("forget app user: %w", err)
		}
	}
	return nil
}

// IsAdministrator reports whether a user is a member of Administrators.
func (d *Directory) IsAdministrator(ctx context.Context, userID string) (bool, error) {
	id, err := d.oneID(ctx, `SELECT r.id FROM resources r JOIN members m ON m.member_rid = r.rid WHERE r.id = $1 AND m.group_rid = $2`, userID, d.admins.rid)
	return id != "", err
}
