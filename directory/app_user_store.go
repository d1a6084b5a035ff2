package directory

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/sqldb"
)

const appUserColumns = `u.app_id, u.user_id, COALESCE(u.external_id, ''), u.remote_name, u.status, u.sync_state, u.scope, u.assigned, u.creating,
	u.profile, u.shadow, u.applied, u.remote_version, u.remote_active, u.hash, u.last_sync, u.status_changed, u.created, u.modified`

func scanAppUser(row scanner) (*AppUser, error) {
	var u AppUser
	var profile, shadow, applied string
	var lastSync, statusChanged, created, modified int64
	err := row.Scan(&u.AppID, &u.UserID, &u.ExternalID, &u.RemoteName, &u.Status, &u.SyncState, &u.Scope, &u.Assigned, &u.Creating,
		&profile, &shadow, &applied, &u.RemoteVersion, &u.RemoteActive, &u.Hash, &lastSync, &statusChanged, &created, &modified)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read app user: %w", err)
	}
	for text, into := range map[*string]any{&profile: &u.Profile, &shadow: &u.Shadow, &applied: &u.Applied} {
		if err := json.Unmarshal([]byte(*text), into); err != nil {
			return nil, fmt.Errorf("app user %s at %s: %w", u.UserID, u.AppID, err)
		}
	}
	u.LastSync, u.StatusChanged, u.Created, u.Modified = micros(lastSync), micros(statusChanged), micros(created), micros(modified)
	return &u, nil
}

// AppUser returns a user's account at an app, or ErrNotFound.
func (d *Directory) AppUser(ctx context.Context, appID, userID string) (*AppUser, error) {
	return scanAppUser(d.DB.QueryRow(ctx, `SELECT `+appUserColumns+` FROM app_users u WHERE u.app_id = $1 AND u.user_id = $2`, appID, userID))
}

// AppUserTx is AppUser inside a transaction; the row is held until it ends.
func (d *Directory) AppUserTx(tx *sqldb.Tx, appID, userID string) (*AppUser, error) {
	return scanAppUser(tx.QueryRow(`SELECT `+appUserColumns+` FROM app_users u WHERE u.app_id = $1 AND u.user_id = $2`+tx.ForUpdate(), appID, userID))
}

// AppUsers lists at most limit app users whose user ID follows after, those that are
// no longer assigned left out.
func (d *Directory) AppUsers(ctx context.Context, appID, after string, limit int) ([]*AppUser, error) {
	return scanAll(scanAppUser)(d.DB.Query(ctx, `SELECT `+appUserColumns+` FROM app_users u
		WHERE u.app_id = $1 AND u.user_id > $2 AND u.assigned ORDER BY u.user_id LIMIT $3`, appID, after, limit))
}

// SaveAppUserTx inserts or replaces a row.
func (d *Directory) SaveAppUserTx(tx *sqldb.Tx, u *AppUser) error {
	now := d.Now()
	if u.Created.IsZero() {
		u.Created, u.StatusChanged = now, now
	}
	u.Modified = now
	texts := make([]string, 3)
	for i, v := range []any{notNil(u.Profile), notNil(u.Shadow), notNil(u.Applied)} {
		text, err := json.Marshal(v)
		if err != nil {
			return fmt.Errorf("encode app user: %w", err)
		}
		texts[i] = string(text)
	}
	_, err := tx.Exec(`INSERT INTO app_users (app_id, user_id, external_id, remote_name, status, sync_state, scope, assigned, creating,
			profile, shadow, applied, remote_version, remote_active, hash, last_sync, status_changed, created, modified, lane)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
		ON CONFLICT (app_id, user_id) DO UPDATE SET external_id = excluded.external_id, remote_name = excluded.remote_name,
			status = excluded.status, sync_state = excluded.sync_state, scope = excluded.scope, assigned = excluded.assigned,
			creating = excluded.creating, profile = excluded.profile, shadow = excluded.shadow, applied = excluded.applied,
			remote_version = excluded.remote_version, remote_active = excluded.remote_active, hash = excluded.hash,
			last_sync = excluded.last_sync, status_changed = excluded.status_changed, modified = excluded.modified`,
		u.AppID, u.UserID, null(u.ExternalID), u.RemoteName, u.Status, u.SyncState, u.Scope, u.Assigned, u.Creating,
		texts[0], texts[1], texts[2], u.RemoteVersion, u.RemoteActive, u.Hash, unixMicro(u.LastSync), unixMicro(u.StatusChanged), unixMicro(u.Created), unixMicro(u.Modified), Lane(u.UserID))
	if sqldb.IsUnique(err) {
		return &Conflict{Type: "AppUser", Attr: "externalId"}
	}
	if err != nil {
		return fmt.Errorf("save app user: %w", err)
	}
	return nil
}

func notNil[M ~map[string]V, V any](m M) M {
	if m == nil {
		return M{}
	}
	return m
}

// AssignUser gives a user an account at an app. A user who is assigned already is
// ErrAssigned; one that an import brought becomes assigned by hand.
func (d *Directory) AssignUser(ctx context.Context, c Change, appID, userID string) (u *AppUser, err error) {
	err = d.DB.Write(ctx, func(tx *sqldb.Tx) error {
		a, err := d.AppTx(tx, appID)
		if err != nil {
			return err
		}
		person, err := d.UserTx(tx, userID)
		if err != nil {
			return err
		}
		if !person.Status.Active() {
			return ErrInactiveUser
		}
		u, err = d.AppUserTx(tx, appID, userID)
		switch {
		case errors.Is(err, ErrNotFound):
			u = newAppUser(a, userID, ScopeUser)
		case err != nil:
			return err
		case u.Assigned && u.Scope == ScopeUser:
			return ErrAssigned
		}
		d.assign(a, u, ScopeUser)
		return d.saveAssignment(tx, c, "application.user_membership.add", u)
	})
	if err != nil {
		return nil, err
	}
	return u, nil
}

// newAppUser is an account that is still to be made, or that needs none.
func newAppUser(a *App, userID, scope string) *AppUser {
	u := &AppUser{AppID: a.ID, UserID: userID, Scope: scope, Status: AppUserActive, SyncState: SyncDisabled}
	if a.Has(PushNewUsers) {
		u.Status, u.SyncState = AppUserStaged, SyncOutOfSync
	}
	return u
}

// assign makes an app user assigned, again if it was not.
func (d *Directory) assign(a *App, u *AppUser, scope string) {
	if !u.Assigned && !u.Created.IsZero() {
		fresh := newAppUser(a, u.UserID, scope)
		if u.ExternalID == "" {
			u.Status, u.SyncState = fresh.Status, fresh.SyncState
		} else {
			u.Status, u.SyncState = AppUserDeprovisioned, SyncOutOfSync
		}
		u.StatusChanged = d.Now()
	}
	u.Assigned, u.Scope = true, scope
}

func (d *Directory) saveAssignment(tx *sqldb.Tx, c Change, event string, u *AppUser) error {
	if err := d.SaveAppUserTx(tx, u); err != nil {
		return err
	}
	if err := d.MarkTx(tx, u.AppID, kindUser, u.UserID); err != nil {
		return err
	}
	targets := []events.Target{{ID: u.UserID, Type: typeUser}, {ID: u.AppID, Type: "AppInstance"}}
	_, err := d.audit(tx, c, events.Event{Type: event, Targets: targets, Detail: map[string]any{"scope": u.Scope}})
	return err
}

// UnassignUser takes the account away. A user who is also assigned through a group
// keeps it through the group.
func (d *Directory) UnassignUser(ctx context.Context, c Change, appID, userID string) error {
	return d.DB.Write(ctx, func(tx *sqldb.Tx) error {
		u, err := d.AppUserTx(tx, appID, userID)
		if err != nil {
			return err
		}
		if !u.Assigned {
			return ErrNotFound
		}
		return d.unassignTx(tx, c, u)
	})
}

func (d *Directory) unassignTx(tx *sqldb.Tx, c Change, u *AppUser) error {
	through, err := assignedThroughGroup(tx, u.AppID, u.UserID)
	if err != nil {
		return err
	}
	if through {
		u.Scope = ScopeGroup
		return d.SaveAppUserTx(tx, u)
	}
	u.Assigned, u.StatusChanged = false, d.Now()
	if u.Status != AppUserDeprovisioned {
		u.Status = AppUserUnassigned
	}
	return d.saveAssignment(tx, c, "application.user_membership.remove", u)
}

// assignedThroughGroup reports whether one of the user's groups is assigned to the app.
func assignedThroughGroup(tx *sqldb.Tx, appID, userID string) (bool, error) {
	var one int
	err := tx.QueryRow(`SELECT 1 FROM resources r
		JOIN members m ON m.member_rid = r.rid
		JOIN resources g ON g.rid = m.group_rid
		JOIN app_groups a ON a.group_id = g.id
		WHERE r.id = $1 AND a.app_id = $2 LIMIT 1`, userID, appID).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for group assignment: %w", err)
	}
	return true, nil
}

// unixMicro is a time as the database keeps it, 0 for none.
func unixMicro(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}
