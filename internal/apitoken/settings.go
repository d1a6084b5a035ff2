package apitoken

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/internal/sqldb"
)

// limitsJSON is the column: empty for no limits.
func (s Settings) limitsJSON() (string, error) {
	if s.Limits.Empty() {
		return "", nil
	}
	b, err := json.Marshal(s.Limits)
	if err != nil {
		return "", fmt.Errorf("encode limits: %w", err)
	}
	return string(b), nil
}

// detail adds to an event what is not as usual.
func (s Settings) detail(d map[string]any) map[string]any {
	more := map[string]any{}
	if s.Dialect != "" {
		more["dialect"] = s.Dialect
	}
	if !s.Limits.Empty() {
		more["limits"] = s.Limits
	}
	if s.Reactivates {
		more["reactivates"] = true
	}
	if s.VerifiesEmail {
		more["verifiesEmail"] = true
	}
	maps.Copy(d, more)
	return d
}

func (s *Store) checkLimits(ctx context.Context, l *httpapi.Limits) error {
	if l.Empty() || s.CheckLimits == nil {
		return nil
	}
	if err := s.CheckLimits(ctx, l); err != nil {
		return fmt.Errorf("%w: limits: %w", ErrInvalid, err)
	}
	return nil
}

// Token returns a token by ID, or ErrNotFound.
func (s *Store) Token(ctx context.Context, id string) (Token, error) {
	return found(scan(s.DB.QueryRow(ctx, `SELECT `+columns+` FROM api_tokens WHERE id = $1`, id)))
}

func found(t Token, err error) (Token, error) {
	if errors.Is(err, sql.ErrNoRows) {
		return Token{}, ErrNotFound
	}
	if err != nil {
		return Token{}, fmt.Errorf("read API token: %w", err)
	}
	return t, nil
}

// Update changes the settings of a token; change may run several times. ErrNotFound for
// none.
func (s *Store) Update(ctx context.Context, actor events.Actor, id string, change func(*Settings)) (t Token, err error) {
	if t, err = s.Token(ctx, id); err != nil {
		return Token{}, err
	}
	change(&t.Settings)
	if err := s.checkLimits(ctx, t.Limits); err != nil {
		return Token{}, err
	}
	err = s.DB.Write(ctx, func(tx *sqldb.Tx) error {
		if t, err = found(scan(tx.QueryRow(`SELECT `+columns+` FROM api_tokens WHERE id = $1`+tx.ForUpdate(), id))); err != nil {
			return err
		}
		change(&t.Settings)
		if err := t.Settings.check(t.Scopes); err != nil {
			return err
		}
		limits, err := t.limitsJSON()
		if err != nil {
			return err
		}
		_, err = tx.Exec(`UPDATE api_tokens SET dialect = $2, limits = $3, reactivates = $4, verifies_email = $5 WHERE id = $1`,
			id, t.Dialect, limits, t.Reactivates, t.VerifiesEmail)
		if err != nil {
			return fmt.Errorf("update API token: %w", err)
		}
		if err := s.snapshot().Bump(tx); err != nil {
			return err
		}
		return events.Append(tx, events.Event{Time: s.now(), Type: "system.api_token.update", Actor: actor,
			Targets: []events.Target{t.target()}, Request: httpapi.RequestID(ctx), Detail: t.detail(map[string]any{})})
	})
	return t, err
}

// noteEvery is how often a token may turn out to be of another client: two clients with
// one token would make a write of every request.
const noteEvery = time.Minute

// NoteDialect keeps the SCIM client profile that a request with the token gave away, so
// that it holds for requests that give nothing away, and an administrator sees it.
func (s *Store) NoteDialect(ctx context.Context, id, dialect string) error {
	now := s.now()
	if last, ok := s.noted.Load(id); ok && now.Sub(last.(time.Time)) < noteEvery {
		return nil
	}
	s.noted.Store(id, now)
	return s.DB.Write(ctx, func(tx *sqldb.Tx) error {
		t, err := found(scan(tx.QueryRow(`SELECT `+columns+` FROM api_tokens WHERE id = $1`+tx.ForUpdate(), id)))
		if errors.Is(err, ErrNotFound) || err == nil && t.Detected == dialect {
			return nil // not one of ours, or another node has seen it
		}
		if err != nil {
			return err
		}
		if _, err := tx.Exec(`UPDATE api_tokens SET detected = $2 WHERE id = $1`, id, dialect); err != nil {
			return fmt.Errorf("note dialect: %w", err)
		}
		if err := s.snapshot().Bump(tx); err != nil {
			return err
		}
		return events.Append(tx, events.Event{Time: now, Type: "system.api_token.dialect_detected", Actor: events.System,
			Targets: []events.Target{t.target()}, Request: httpapi.RequestID(ctx),
			Detail: map[string]any{"from": t.Detected, "to": dialect}})
	})
}
