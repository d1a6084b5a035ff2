package federation

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/provost-id/provost/internal/id"
	"github.com/provost-id/provost/internal/sqldb"
)

const idpColumns = `id, name, type, status, created, updated, config`

// IdPs lists the providers by name.
func (s *Service) IdPs(ctx context.Context) ([]IdP, error) {
	return s.list(ctx, `SELECT `+idpColumns+` FROM idps ORDER BY folded`)
}

// ActiveIdPs lists the providers that may be used, by name.
func (s *Service) ActiveIdPs(ctx context.Context) ([]IdP, error) {
	return s.list(ctx, `SELECT `+idpColumns+` FROM idps WHERE status = 'ACTIVE' ORDER BY folded`)
}

func (s *Service) list(ctx context.Context, query string) ([]IdP, error) {
	rows, err := s.DB.Query(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("list identity providers: %w", err)
	}
	defer func() { _ = rows.Close() }() // Err tells what matters
	var all []IdP
	for rows.Next() {
		i, err := scanIdP(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, i)
	}
	return all, rows.Err()
}

// IdP returns a provider, or ErrNotFound.
func (s *Service) IdP(ctx context.Context, idpID string) (IdP, error) {
	return scanIdP(s.DB.QueryRow(ctx, `SELECT `+idpColumns+` FROM idps WHERE id = $1`, idpID))
}

// ActiveIdP returns a provider that may be used. One that is inactive is ErrNotFound
// to every way in.
func (s *Service) ActiveIdP(ctx context.Context, idpID string) (IdP, error) {
	return scanIdP(s.DB.QueryRow(ctx, `SELECT `+idpColumns+` FROM idps WHERE id = $1 AND status = 'ACTIVE'`, idpID))
}

func scanIdP(row interface{ Scan(...any) error }) (IdP, error) {
	var i IdP
	var created, updated int64
	var config string
	err := row.Scan(&i.ID, &i.Name, &i.Type, &i.Status, &created, &updated, &config)
	if errors.Is(err, sql.ErrNoRows) {
		return IdP{}, ErrNotFound
	}
	if err != nil {
		return IdP{}, fmt.Errorf("read identity provider: %w", err)
	}
	i.Created, i.Updated = time.UnixMicro(created).UTC(), time.UnixMicro(updated).UTC()
	if err := json.Unmarshal([]byte(config), &i.Config); err != nil {
		return IdP{}, fmt.Errorf("configuration of %s: %w", i.ID, err)
	}
	return i, nil
}

// ClientSecret returns our secret at a provider, empty for none.
func (s *Service) ClientSecret(ctx context.Context, idpID string) (string, error) {
	var sealed []byte
	err := s.DB.QueryRow(ctx, `SELECT secret FROM idps WHERE id = $1`, idpID).Scan(&sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return "", ErrNotFound
	}
	if err != nil || len(sealed) == 0 {
		return "", err
	}
	plain, err := s.Keys.Unseal("idp-secret", idpID, sealed)
	return string(plain), err
}

// CreateIdP stores a provider, active at once. A name that is taken is ErrConflict; a
// configuration that cannot stand is an *Invalid.
func (s *Service) CreateIdP(ctx context.Context, by By, i IdP) (IdP, error) {
	now := s.now()
	i.ID, i.Status, i.Created, i.Updated = id.NewAt(id.App, now), Active, now, now
	if err := i.complete(); err != nil {
		return IdP{}, err
	}
	config, secret, err := s.encode(&i)
	if err != nil {
		return IdP{}, err
	}
	err = s.DB.Write(ctx, func(tx *sqldb.Tx) error {
		_, err := tx.Exec(`INSERT INTO idps (id, name, folded, type, status, created, updated, config, secret)
			VALUES ($1, $2, $3, $4, $5, $6, $6, $7, $8)`,
			i.ID, i.Name, strings.ToLower(i.Name), i.Type, i.Status, now.UnixMicro(), config, secret)
		if sqldb.IsUnique(err) {
			return ErrConflict
		}
		if err != nil {
			return fmt.Errorf("insert identity provider: %w", err)
		}
		if err := s.Directory.CreateMappingsTx(tx, partner(i), defaultMappings()); err != nil {
			return err
		}
		return s.log(tx, by, "system.idp.lifecycle.create", idpTarget(i))
	})
	return i, err
}

// encode takes the secret out of the configuration: the first result is stored in
// clear, the second sealed.
func (s *Service) encode(i *IdP) (config string, secret []byte, err error) {
	if plain := i.Protocol.Credentials.Client.Secret; plain != "" {
		secret = s.Keys.Seal("idp-secret", i.ID, []byte(plain))
	}
	i.Protocol.Credentials.Client.Secret = ""
	b, err := json.Marshal(i.Config)
	if err != nil {
		return "", nil, fmt.Errorf("encode identity provider: %w", err)
	}
	return string(b), secret, nil
}

// ReplaceIdP makes a provider what i says. A secret that is left out stays.
func (s *Service) ReplaceIdP(ctx context.Context, by By, i IdP) (IdP, error) {
	old, err := s.IdP(ctx, i.ID)
	if err != nil {
		return IdP{}, err
	}
	i.Type, i.Status, i.Created, i.Updated = old.Type, old.Status, old.Created, s.now()
	if err := i.complete(); err != nil {
		return IdP{}, err
	}
	config, secret, err := s.encode(&i)
	if err != nil {
		return IdP{}, err
	}
	return i, s.DB.Write(ctx, func(tx *sqldb.Tx) error {
		res, err := tx.Exec(`UPDATE idps SET name = $2, folded = $3, updated = $4, config = $5,
			secret = COALESCE($6, secret) WHERE id = $1`,
			i.ID, i.Name, strings.ToLower(i.Name), i.Updated.UnixMicro(), config, secret)
		if sqldb.IsUnique(err) {
			return ErrConflict
		}
		if err := one(res, err); err != nil {
			return err
		}
		return s.log(tx, by, "system.idp.lifecycle.update", idpTarget(i))
	})
}

// SetStatus activates or deactivates a provider.
func (s *Service) SetStatus(ctx context.Context, by By, idpID, status string) (IdP, error) {
	event := "system.idp.lifecycle.activate"
	if status == Inactive {
		event = "system.idp.lifecycle.deactivate"
	}
	i, err := s.IdP(ctx, idpID)
	if err != nil {
		return IdP{}, err
	}
	i.Status, i.Updated = status, s.now()
	return i, s.DB.Write(ctx, func(tx *sqldb.Tx) error {
		res, err := tx.Exec(`UPDATE idps SET status = $2, updated = $3 WHERE id = $1`, idpID, status, i.Updated.UnixMicro())
		if err := one(res, err); err != nil {
			return err
		}
		return s.log(tx, by, event, idpTarget(i))
	})
}

// DeleteIdP removes a provider and its links; the users stay.
func (s *Service) DeleteIdP(ctx context.Context, by By, idpID string) error {
	i, err := s.IdP(ctx, idpID)
	if err != nil {
		return err
	}
	return s.DB.Write(ctx, func(tx *sqldb.Tx) error {
		res, err := tx.Exec(`DELETE FROM idps WHERE id = $1`, idpID)
		if err := one(res, err); err != nil {
			return err
		}
		if err := s.Directory.DeleteMappingsTx(tx, idpID); err != nil {
			return err
		}
		return s.log(tx, by, "system.idp.lifecycle.delete", idpTarget(i))
	})
}

// one turns a statement that met no row into ErrNotFound.
func one(res sql.Result, err error) error {
	if err != nil {
		return fmt.Errorf("write identity provider: %w", err)
	}
	n, err := res.RowsAffected()
	if err == nil && n == 0 {
		return ErrNotFound
	}
	return err
}
