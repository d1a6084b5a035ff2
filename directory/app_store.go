package directory

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/id"
	"github.com/provost-id/provost/internal/sqldb"
)

// CreateApp stores a new app with its default mappings. Secrets in settings.app are
// sealed and never shown again.
func (d *Directory) CreateApp(ctx context.Context, c Change, a App) (*App, error) {
	if err := checkApp(&a); err != nil {
		return nil, err
	}
	now := d.Now()
	a.ID, a.Created, a.Modified, a.Version = id.NewAt(id.App, now), now, now, 1
	if a.Status == "" {
		a.Status = AppActive
	}
	open, secrets, err := d.sealSettings(a.ID, a.Settings, nil)
	if err != nil {
		return nil, err
	}
	a.Settings = open
	err = d.DB.Write(ctx, func(tx *sqldb.Tx) error {
		if err := insertApp(tx, &a, secrets); err != nil {
			return err
		}
		if err := d.CreateMappingsTx(tx, Partner{ID: a.ID, Name: a.Name, Type: PartnerAppUser}, defaultMappings(a.Name)); err != nil {
			return err
		}
		return d.auditApp(tx, c, "application.lifecycle.create", &a)
	})
	if err != nil {
		return nil, err
	}
	return &a, nil
}

func insertApp(tx *sqldb.Tx, a *App, secrets []byte) error {
	features, settings, err := encodeApp(a)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO apps (id, name, label, status, features, settings, secrets, mastering, pushes, created, modified, version)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, 1)`,
		a.ID, a.Name, a.Label, a.Status, features, settings, secrets, a.Has(ProfileMastering), a.pushes(), a.Created.UnixMicro())
	return labelTaken(err)
}

func encodeApp(a *App) (features, settings string, err error) {
	f, err := json.Marshal(a.Features)
	if err != nil {
		return "", "", fmt.Errorf("encode features: %w", err)
	}
	s, err := json.Marshal(a.Settings)
	if err != nil {
		return "", "", fmt.Errorf("encode settings: %w", err)
	}
	return string(f), string(s), nil
}

func labelTaken(err error) error {
	if sqldb.IsUnique(err) {
		return ErrLabel
	}
	if err != nil {
		return fmt.Errorf("store app: %w", err)
	}
	return nil
}

// errClientApp keeps the app of an OAuth client and the client from going apart.
var errClientApp = &InvalidError{Field: "name", Reason: ClientAppName + " is made, changed and deleted with its client, at /oauth2/v1/clients"}

// checkApp refuses what no app may have.
func checkApp(a *App) error {
	a.Label = strings.TrimSpace(a.Label)
	if n := utf8.RuneCountInString(a.Label); n < 1 || n > 100 {
		return &InvalidError{Field: "label", Reason: "must be 1 to 100 characters"}
	}
	if a.Name == "" {
		return &InvalidError{Field: "name", Reason: "must say the kind of app"}
	}
	if a.Name == ClientAppName {
		return errClientApp
	}
	if a.Status != "" && a.Status != AppActive && a.Status != AppInactive {
		return &InvalidError{Field: "status", Reason: "must be ACTIVE or INACTIVE"}
	}
	for _, f := range a.Features {
		if !slices.Contains(Features(), f) {
			return &InvalidError{Field: "features", Reason: fmt.Sprintf("%q is no feature; the features are %s", f, strings.Join(Features(), ", "))}
		}
	}
	slices.Sort(a.Features)
	a.Features = slices.Compact(a.Features)
	if a.Features == nil {
		a.Features = []string{}
	}
	if a.Settings == nil {
		a.Settings = map[string]any{}
	}
	if v, ok := a.Settings["app"]; ok {
		if _, ok := v.(map[string]any); !ok && v != nil {
			return &InvalidError{Field: "settings.app", Reason: "must be an object"}
		}
	}
	return nil
}

const appColumns = `a.id, a.name, a.label, a.status, a.features, a.settings, a.created, a.modified, a.version`

func scanApp(row scanner) (*App, error) {
	var a App
	var features, settings string
	var created, modified int64
	err := row.Scan(&a.ID, &a.Name, &a.Label, &a.Status, &features, &settings, &created, &modified, &a.Version)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read app: %w", err)
	}
	if err := json.Unmarshal([]byte(features), &a.Features); err != nil {
		return nil, fmt.Errorf("features of %s: %w", a.ID, err)
	}
	if err := json.Unmarshal([]byte(settings), &a.Settings); err != nil {
		return nil, fmt.Errorf("settings of %s: %w", a.ID, err)
	}
	a.Created, a.Modified = micros(created), micros(modified)
	return &a, nil
}

// App returns an app by ID, or ErrNotFound.
func (d *Directory) App(ctx context.Context, id string) (*App, error) {
	return scanApp(d.DB.QueryRow(ctx, `SELECT `+appColumns+` FROM apps a WHERE a.id = $1`, id))
}

// AppTx is App inside a transaction.
func (d *Directory) AppTx(tx *sqldb.Tx, id string) (*App, error) {
	return scanApp(tx.QueryRow(`SELECT `+appColumns+` FROM apps a WHERE a.id = $1`, id))
}

// Apps lists at most limit apps whose ID follows after, in order of ID.
func (d *Directory) Apps(ctx context.Context, after string, limit int) ([]*App, error) {
	return scanAll(scanApp)(d.DB.Query(ctx, `SELECT `+appColumns+` FROM apps a WHERE a.id > $1 ORDER BY a.id LIMIT $2`, after, limit))
}

// scanAll reads every row by one scan function.
func scanAll[T any](scan func(scanner) (*T, error)) func(*sql.Rows, error) ([]*T, error) {
	return func(rows *sql.Rows, err error) ([]*T, error) {
		if err != nil {
			return nil, fmt.Errorf("query: %w", err)
		}
		defer func() { _ = rows.Close() }() // Err tells what matters
		var all []*T
		for rows.Next() {
			v, err := scan(rows)
			if err != nil {
				return nil, err
			}
			all = append(all, v)
		}
		return all, rows.Err()
	}
}

// UpdateApp makes an app what a says. A secret that a.Settings leaves out stays; one
// that is null there is removed.
func (d *Directory) UpdateApp(ctx context.Context, c Change, appID string, a App) (*App, error) {
	if err := checkApp(&a); err != nil {
		return nil, err
	}
	err := d.DB.Write(ctx, func(tx *sqldb.Tx) error {
		old, err := d.lockAppTx(tx, appID)
		if err != nil {
			return err
		}
		if a.Name != old.Name {
			return &InvalidError{Field: "name", Reason: "cannot be changed"}
		}
		if a.Status == "" {
			a.Status = old.Status
		}
		had, err := d.secrets(tx, appID)
		if err != nil {
			return err
		}
		open, sealed, err := d.sealSettings(appID, a.Settings, had)
		if err != nil {
			return err
		}
		next := a
		next.ID, next.Created, next.Modified, next.Version, next.Settings = old.ID, old.Created, d.Now(), old.Version+1, open
		if err := updateApp(tx, &next, sealed); err != nil {
			return err
		}
		if err := d.auditApp(tx, c, "application.lifecycle.update", &next); err != nil {
			return err
		}
		return d.markAppTx(tx, &next)
	})
	if err != nil {
		return nil, err
	}
	return d.App(ctx, appID)
}

func updateApp(tx *sqldb.Tx, a *App, secrets []byte) error {
	features, settings, err := encodeApp(a)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`UPDATE apps SET label = $2, status = $3, features = $4, settings = $5, secrets = $6, mastering = $7, pushes = $8,
		modified = $9, version = $10 WHERE id = $1`,
		a.ID, a.Label, a.Status, features, settings, secrets, a.Has(ProfileMastering), a.pushes(), a.Modified.UnixMicro(), a.Version)
	return labelTaken(err)
}

// lockAppTx reads an app for a change.
func (d *Directory) lockAppTx(tx *sqldb.Tx, id string) (*App, error) {
	return scanApp(tx.QueryRow(`SELECT `+appColumns+` FROM apps a WHERE a.id = $1`+tx.ForUpdate(), id))
}

// SetAppStatus turns an app on or off. Nothing is exchanged with one that is off.
func (d *Directory) SetAppStatus(ctx context.Context, c Change, appID, status string) error {
	return d.DB.Write(ctx, func(tx *sqldb.Tx) error {
		a, err := d.lockAppTx(tx, appID)
		if err != nil {
			return err
		}
		if a.Status == status {
			return nil
		}
		a.Status = status
		if _, err := tx.Exec(`UPDATE apps SET status = $2, modified = $3, version = version + 1 WHERE id = $1`, appID, status, d.Now().UnixMicro()); err != nil {
			return fmt.Errorf("set status of %s: %w", appID, err)
		}
		ev := "application.lifecycle.activate"
		if status != AppActive {
			ev = "application.lifecycle.deactivate"
		}
		if err := d.auditApp(tx, c, ev, a); err != nil {
			return err
		}
		return d.markAppTx(tx, a)
	})
}

// DeleteApp removes an app that is INACTIVE, with its mappings and app users. What it
// has made at the app stays there.
func (d *Directory) DeleteApp(ctx context.Context, c Change, appID string) error {
	return d.DB.Write(ctx, func(tx *sqldb.Tx) error {
		a, err := d.lockAppTx(tx, appID)
		if err != nil {
			return err
		}
		if a.Name == ClientAppName {
			return errClientApp
		}
		if a.Status != AppInactive {
			return ErrAppActive
		}
		for _, statement := range []string{
			`DELETE FROM markers WHERE app_id = $1`,
			`DELETE FROM app_group_members WHERE app_id = $1`,
			`DELETE FROM app_group_links WHERE app_id = $1`,
			`DELETE FROM app_groups WHERE app_id = $1`,
			`DELETE FROM app_group_walks WHERE app_id = $1`,
			`DELETE FROM app_users WHERE app_id = $1`,
			`DELETE FROM mapping_uses WHERE partner_id = $1`,
			`DELETE FROM mappings WHERE source_id = $1 OR target_id = $1`,
			`DELETE FROM apps WHERE id = $1`,
		} {
			if _, err := tx.Exec(statement, appID); err != nil {
				return fmt.Errorf("delete app %s: %w", appID, err)
			}
		}
		if err := d.forgetAppTx(tx, appID); err != nil {
			return err
		}
		return d.auditApp(tx, c, "application.lifecycle.delete", a)
	})
}

func (d *Directory) auditApp(tx *sqldb.Tx, c Change, typ string, a *App) error {
	_, err := d.audit(tx, c, events.Event{Type: typ, Targets: []events.Target{appTarget(a)}})
	return err
}

func appTarget(a *App) events.Target {
	return events.Target{ID: a.ID, Type: "AppInstance", Name: a.Label}
}
