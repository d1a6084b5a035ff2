package directory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/provost-id/provost/internal/sqldb"
)

// GroupLink is a group that an app has too: imported from it, or pushed to it.
type GroupLink struct {
	AppID         string
	GroupID       string
	ExternalID    string
	RemoteName    string
	Name          string // as the app was last known to have it
	Imported      bool   // the app had it first
	Creating      bool   // a create was begun whose outcome is not known
	RemoteVersion string
	Hash          string // as an import last read it
	LastSync      time.Time
}

const groupLinkColumns = `l.app_id, l.group_id, COALESCE(l.external_id, ''), l.remote_name, l.name, l.imported, l.creating, l.remote_version, l.hash, l.last_sync`

func scanGroupLink(row scanner) (*GroupLink, error) {
	var l GroupLink
	var lastSync int64
	err := row.Scan(&l.AppID, &l.GroupID, &l.ExternalID, &l.RemoteName, &l.Name, &l.Imported, &l.Creating, &l.RemoteVersion, &l.Hash, &lastSync)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read group link: %w", err)
	}
	l.LastSync = micros(lastSync)
	return &l, nil
}

// GroupLink returns the link of a group at an app, or ErrNotFound.
func (d *Directory) GroupLink(ctx context.Context, appID, groupID string) (*GroupLink, error) {
	return scanGroupLink(d.DB.QueryRow(ctx, `SELECT `+groupLinkColumns+` FROM app_group_links l WHERE l.app_id = $1 AND l.group_id = $2`, appID, groupID))
}

// GroupLinkTx is GroupLink inside a transaction; the row is held until it ends.
func (d *Directory) GroupLinkTx(tx *sqldb.Tx, appID, groupID string) (*GroupLink, error) {
	return scanGroupLink(tx.QueryRow(`SELECT `+groupLinkColumns+` FROM app_group_links l WHERE l.app_id = $1 AND l.group_id = $2`+tx.ForUpdate(), appID, groupID))
}

// GroupLinkByExternalID finds a link by the app's own identifier, or ErrNotFound.
func (d *Directory) GroupLinkByExternalID(ctx context.Context, appID, externalID string) (*GroupLink, error) {
	return scanGroupLink(d.DB.QueryRow(ctx, `SELECT `+groupLinkColumns+` FROM app_group_links l WHERE l.app_id = $1 AND l.external_id = $2`, appID, externalID))
}

// SaveGroupLinkTx inserts or replaces a link.
func (d *Directory) SaveGroupLinkTx(tx *sqldb.Tx, l *GroupLink) error {
	_, err := tx.Exec(`INSERT INTO app_group_links (app_id, group_id, external_id, remote_name, name, imported, creating, remote_version, hash, last_sync)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		ON CONFLICT (app_id, group_id) DO UPDATE SET external_id = excluded.external_id, remote_name = excluded.remote_name, name = excluded.name,
			imported = excluded.imported, creating = excluded.creating, remote_version = excluded.remote_version, hash = excluded.hash, last_sync = excluded.last_sync`,
		l.AppID, l.GroupID, null(l.ExternalID), l.RemoteName, l.Name, l.Imported, l.Creating, l.RemoteVersion, l.Hash, unixMicro(l.LastSync))
	if sqldb.IsUnique(err) {
		return &Conflict{Type: "AppGroup", Attr: "externalId"}
	}
	if err != nil {
		return fmt.Errorf("save group link: %w", err)
	}
	return nil
}

// DeleteGroupLinkTx forgets that an app has a group.
func (d *Directory) DeleteGroupLinkTx(tx *sqldb.Tx, appID, groupID string) error {
	for _, statement := range []string{
		`DELETE FROM app_group_members WHERE app_id = $1 AND group_id = $2`,
		`DELETE FROM app_group_links WHERE app_id = $1 AND group_id = $2`,
	} {
		if _, err := tx.Exec(statement, appID, groupID); err != nil {
			return fmt.Errorf("forget group link: %w", err)
		}
	}
	return nil
}

// GroupAssigned reports whether a group is assigned to an app.
func (d *Directory) GroupAssigned(ctx context.Context, appID, groupID string) (bool, error) {
	var one int
	err := d.DB.QueryRow(ctx, `SELECT 1 FROM app_groups WHERE app_id = $1 AND group_id = $2`, appID, groupID).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}
