package manage

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/plugins"
)

// Status of a hook.
const (
	active   = "ACTIVE"
	inactive = "INACTIVE"
)

// row is one hook as it is stored.
type row struct {
	ID          string
	Revision    int64
	Name        string
	Type        plugins.Type
	Status      string
	Version     string
	Channel     Channel // without secrets
	Secrets     []byte  // sealed
	TimeoutMS   int64
	Retries     int64
	FailureMode plugins.FailureMode
	Created     time.Time
	Updated     time.Time
}

// secrets is what the sealed column holds.
type secrets struct {
	AuthValue     string `json:"authValue,omitempty"`
	SigningSecret string `json:"signingSecret,omitempty"`
}

const sealPurpose = "inline-hook"

func (s *Service) seal(id string, sec secrets) ([]byte, error) {
	plain, err := json.Marshal(sec)
	if err != nil {
		return nil, err
	}
	return s.Keys.Seal(sealPurpose, id, plain), nil
}

func (s *Service) unseal(w *row) (secrets, error) {
	var sec secrets
	plain, err := s.Keys.Unseal(sealPurpose, w.ID, w.Secrets)
	if err != nil {
		return sec, err
	}
	return sec, json.Unmarshal(plain, &sec)
}

// hook is the row as the dispatcher wants it.
func (w *row) hook(sec secrets) plugins.Hook {
	c := w.Channel.Config
	h := plugins.Hook{
		ID: w.ID, Name: w.Name, Type: w.Type, Active: w.Status == active, Revision: w.Revision,
		Timeout: time.Duration(w.TimeoutMS) * time.Millisecond, Retries: int(w.Retries), FailureMode: w.FailureMode,
		Channel: plugins.Channel{Type: w.Channel.Type},
	}
	if w.Channel.Type == plugins.ChannelPlugin {
		h.Channel.Plugin = plugins.PluginChannel{Path: c.Path, SHA256: c.SHA256, Args: c.Args}
		return h
	}
	h.Channel.HTTP = plugins.HTTPChannel{
		URI: c.URI, Headers: c.Headers,
		AuthValue: plugins.Secret(sec.AuthValue), SigningSecret: plugins.Secret(sec.SigningSecret),
	}
	if c.AuthScheme != nil {
		h.Channel.HTTP.AuthKey = c.AuthScheme.Key
	}
	return h
}

const columns = `id, revision, name, type, status, version, channel, secrets, timeout_ms, retries, failure_mode, created, updated`

// scan reads the columns of one row.
func scan(scan func(dest ...any) error) (*row, error) {
	var w row
	var channel string
	var created, updated int64
	err := scan(&w.ID, &w.Revision, &w.Name, &w.Type, &w.Status, &w.Version, &channel, &w.Secrets,
		&w.TimeoutMS, &w.Retries, &w.FailureMode, &created, &updated)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read hook: %w", err)
	}
	w.Created, w.Updated = time.UnixMicro(created).UTC(), time.UnixMicro(updated).UTC()
	if err := json.Unmarshal([]byte(channel), &w.Channel); err != nil {
		return nil, fmt.Errorf("read channel of hook %s: %w", w.ID, err)
	}
	return &w, nil
}

// one reads one hook outside a transaction.
func one(ctx context.Context, r sqldb.Reader, id string) (*row, error) {
	return scan(r.QueryRow(ctx, `SELECT `+columns+` FROM inline_hooks WHERE id = $1`, id).Scan)
}

// lock reads one hook to change it.
func lock(tx *sqldb.Tx, id string) (*row, error) {
	return scan(tx.QueryRow(`SELECT `+columns+` FROM inline_hooks WHERE id = $1`+tx.ForUpdate(), id).Scan)
}

// list reads the hooks of a type, or all, by age.
func list(ctx context.Context, r sqldb.Reader, t plugins.Type) ([]*row, error) {
	rows, err := r.Query(ctx, `SELECT `+columns+` FROM inline_hooks WHERE type = $1 OR $1 = '' ORDER BY created, id`, string(t))
	if err != nil {
		return nil, fmt.Errorf("list hooks: %w", err)
	}
	defer func() { _ = rows.Close() }() // Err tells
	var all []*row
	for rows.Next() {
		w, err := scan(rows.Scan)
		if err != nil {
			return nil, err
		}
		all = append(all, w)
	}
	return all, rows.Err()
}

func insert(tx *sqldb.Tx, w *row) error {
	channel, err := json.Marshal(w.Channel)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO inline_hooks (`+columns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		w.ID, w.Revision, w.Name, string(w.Type), w.Status, w.Version, string(channel), w.Secrets,
		w.TimeoutMS, w.Retries, string(w.FailureMode), w.Created.UnixMicro(), w.Updated.UnixMicro())
	return nameError(err)
}

func update(tx *sqldb.Tx, w *row) error {
	channel, err := json.Marshal(w.Channel)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`UPDATE inline_hooks SET revision = $2, name = $3, status = $4, version = $5, channel = $6,
		secrets = $7, timeout_ms = $8, retries = $9, failure_mode = $10, updated = $11 WHERE id = $1`,
		w.ID, w.Revision, w.Name, w.Status, w.Version, string(channel), w.Secrets,
		w.TimeoutMS, w.Retries, string(w.FailureMode), w.Updated.UnixMicro())
	return nameError(err)
}

func nameError(err error) error {
	if sqldb.IsUnique(err) {
		return ErrName
	}
	if err != nil {
		return fmt.Errorf("write hook: %w", err)
	}
	return nil
}
