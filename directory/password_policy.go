package directory

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/provost-id/provost/directory/passwords"
	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/id"
	"github.com/provost-id/provost/internal/sqldb"
)

// Policy is the stored password policy: the system default, which is the only one.
type Policy struct {
	ID       string
	Settings passwords.Policy
	Created  time.Time
	Modified time.Time
}

// ensurePolicy gives a new organisation its policy. It stores no settings, so that
// they follow the defaults until somebody sets them.
func (d *Directory) ensurePolicy(ctx context.Context) error {
	return d.DB.Write(ctx, func(tx *sqldb.Tx) error {
		now := d.now()
		_, err := tx.Exec(`INSERT INTO password_policy (n, id, settings, created, modified) VALUES (1, $1, '{}', $2, $2)
			ON CONFLICT (n) DO NOTHING`, id.NewAt(id.AccessPolicy, now), now.UnixMicro())
		if err != nil {
			return fmt.Errorf("make password policy: %w", err)
		}
		return nil
	})
}

// PasswordPolicy returns the policy in force. It is read each time: a change holds at
// once on every node.
func (d *Directory) PasswordPolicy(ctx context.Context) (*Policy, error) {
	return scanPolicy(d.DB.QueryRow(ctx, selectPolicy))
}

const selectPolicy = `SELECT id, settings, created, modified FROM password_policy WHERE n = 1`

func scanPolicy(row scanner) (*Policy, error) {
	var settings string
	var created, modified int64
	p := &Policy{Settings: passwords.Default()}
	if err := row.Scan(&p.ID, &settings, &created, &modified); err != nil {
		return nil, fmt.Errorf("read password policy: %w", err)
	}
	if err := json.Unmarshal([]byte(settings), &p.Settings); err != nil {
		return nil, fmt.Errorf("stored password policy: %w", err)
	}
	p.Created, p.Modified = micros(created), micros(modified)
	return p, nil
}

// SetPasswordPolicy replaces the settings. One that is not valid is a *schemas.Error.
// Passwords that are set already stay.
func (d *Directory) SetPasswordPolicy(ctx context.Context, c Change, id string, settings passwords.Policy) (p *Policy, err error) {
	if settings.Complexity.ExcludeAttributes == nil {
		settings.Complexity.ExcludeAttributes = []string{}
	}
	if err := settings.Check(); err != nil {
		return nil, err
	}
	after, err := json.Marshal(settings)
	if err != nil {
		return nil, err
	}
	err = d.DB.Write(ctx, func(tx *sqldb.Tx) error {
		if p, err = scanPolicy(tx.QueryRow(selectPolicy + tx.ForUpdate())); err != nil {
			return err
		}
		if p.ID != id {
			return ErrNotFound
		}
		return d.storePolicy(tx, c, p, settings, after)
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

func (d *Directory) storePolicy(tx *sqldb.Tx, c Change, p *Policy, settings passwords.Policy, after []byte) error {
	before, err := json.Marshal(p.Settings)
	if err != nil {
		return err
	}
	p.Settings, p.Modified = settings, d.now()
	_, err = tx.Exec(`UPDATE password_policy SET settings = $1, modified = $2 WHERE n = 1`, string(after), p.Modified.UnixMicro())
	if err != nil {
		return fmt.Errorf("store password policy: %w", err)
	}
	_, err = d.audit(tx, c, events.Event{
		Type: "policy.lifecycle.update", Before: before, After: after,
		Targets: []events.Target{{ID: p.ID, Type: "Policy", Name: "Default Policy"}},
	})
	return err
}
