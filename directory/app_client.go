package directory

import (
	"fmt"
	"unicode/utf8"

	"github.com/provost-id/provost/internal/sqldb"
)

// ClientAppName is the kind of the apps that stand for OAuth clients. Nothing is
// provisioned to them: people are assigned, and that is all.
const ClientAppName = "oidc_client"

// SetClientAppTx makes the app of an OAuth client, of the same ID, or gives it the
// client's new name, in the transaction of the client's change. Names of clients are
// not unique as labels are: one that is taken is followed by the ID.
func (d *Directory) SetClientAppTx(tx *sqldb.Tx, clientID, name string) error {
	label, err := freeLabel(tx, clientID, name)
	if err != nil {
		return err
	}
	now := d.Now().UnixMicro()
	_, err = tx.Exec(`INSERT INTO apps (id, name, label, status, features, settings, mastering, pushes, created, modified, version)
		VALUES ($1, $2, $3, $4, '[]', '{}', FALSE, FALSE, $5, $5, 1)
		ON CONFLICT (id) DO UPDATE SET label = excluded.label, modified = excluded.modified, version = apps.version + 1`,
		clientID, ClientAppName, label, AppActive, now)
	return labelTaken(err)
}

func freeLabel(tx *sqldb.Tx, clientID, name string) (string, error) {
	var taken int
	if err := tx.QueryRow(`SELECT count(*) FROM apps WHERE label = $1 AND id <> $2`, name, clientID).Scan(&taken); err != nil {
		return "", fmt.Errorf("read label: %w", err)
	}
	if taken == 0 {
		return name, nil
	}
	suffix := " (" + clientID + ")"
	for utf8.RuneCountInString(name)+len(suffix) > 100 { // the longest label
		_, last := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-last]
	}
	return name + suffix, nil
}

// DropClientAppTx removes the app of an OAuth client and its assignments.
func (d *Directory) DropClientAppTx(tx *sqldb.Tx, clientID string) error {
	for _, statement := range []string{
		`DELETE FROM app_groups WHERE app_id = $1`,
		`DELETE FROM app_group_walks WHERE app_id = $1`,
		`DELETE FROM app_users WHERE app_id = $1`,
		`DELETE FROM apps WHERE id = $1`,
	} {
		if _, err := tx.Exec(statement, clientID); err != nil {
			return fmt.Errorf("drop app %s: %w", clientID, err)
		}
	}
	return nil
}
