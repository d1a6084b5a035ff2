package apitoken

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/internal/id"
	"github.com/provost-id/provost/internal/sqldb"
)

var _ httpapi.Authenticator = (*Store)(nil)

// Create makes a token. Its secret is returned this once and cannot be found again.
func (s *Store) Create(ctx context.Context, actor events.Actor, n NewToken) (token string, t Token, err error) {
	if err := n.check(); err != nil {
		return "", Token{}, err
	}
	if err := s.checkLimits(ctx, n.Limits); err != nil {
		return "", Token{}, err
	}
	now := s.now().UTC().Truncate(time.Microsecond) // as the columns hold it
	t = Token{ID: id.NewAt(id.APIToken, now), Name: n.Name, Scopes: n.Scopes, UserID: n.UserID, Settings: n.Settings,
		Created: now, Expires: now.Add(n.TTL)}
	limits, err := t.limitsJSON()
	if err != nil {
		return "", Token{}, err
	}
	token = newSecret()
	err = s.DB.Write(ctx, func(tx *sqldb.Tx) error {
		_, err := tx.Exec(`INSERT INTO api_tokens (id, name, hash, scopes, user_id, created, expires, dialect, limits, reactivates, verifies_email)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`, t.ID, t.Name, s.Keys.Hash(purpose, token),
			strings.Join(t.Scopes, " "), t.UserID, t.Created.UnixMicro(), t.Expires.UnixMicro(),
			t.Dialect, limits, t.Reactivates, t.VerifiesEmail)
		if err != nil {
			return fmt.Errorf("store API token: %w", err)
		}
		if err := s.snapshot().Bump(tx); err != nil {
			return err
		}
		return events.Append(tx, events.Event{Time: now, Type: "system.api_token.create", Actor: actor,
			Targets: []events.Target{t.target()}, Request: httpapi.RequestID(ctx),
			Detail: t.detail(map[string]any{"scopes": t.Scopes, "expires": t.Expires, "userId": t.UserID})})
	})
	if err != nil {
		return "", Token{}, err
	}
	return token, t, nil
}

const columns = `id, name, scopes, user_id, created, expires, dialect, detected, limits, reactivates, verifies_email`

// scan reads columns, and what further destinations are given after them.
func scan(row interface{ Scan(...any) error }, more ...any) (Token, error) {
	var t Token
	var scopes, limits string
	var created, expires int64
	err := row.Scan(append([]any{&t.ID, &t.Name, &scopes, &t.UserID, &created, &expires,
		&t.Dialect, &t.Detected, &limits, &t.Reactivates, &t.VerifiesEmail}, more...)...)
	if err == nil && limits != "" {
		err = json.Unmarshal([]byte(limits), &t.Limits)
	}
	t.Scopes = strings.Fields(scopes)
	t.Created, t.Expires = time.UnixMicro(created).UTC(), time.UnixMicro(expires).UTC()
	return t, err
}

// Authenticate implements httpapi.Authenticator. An unknown, expired or revoked token
// is httpapi.ErrUnauthenticated; the hash is compared in constant time.
func (s *Store) Authenticate(ctx context.Context, token string) (httpapi.Principal, error) {
	if len(token) != length || !strings.HasPrefix(token, prefix) {
		return httpapi.Principal{}, httpapi.ErrUnauthenticated
	}
	t, err := s.find(ctx, s.Keys.Hash(purpose, token))
	if errors.Is(err, sql.ErrNoRows) {
		return httpapi.Principal{}, httpapi.ErrUnauthenticated
	}
	if err != nil {
		return httpapi.Principal{}, fmt.Errorf("look up API token: %w", err)
	}
	if !s.now().Before(t.Expires) {
		return httpapi.Principal{}, httpapi.ErrUnauthenticated
	}
	if err := s.checkOwner(ctx, t); err != nil {
		return httpapi.Principal{}, err
	}
	return t.principal(), nil
}

// checkOwner asks for the rights of the person behind a token as they are now, as is
// done for an access token of theirs. A token of nobody has its own.
func (s *Store) checkOwner(ctx context.Context, t Token) error {
	if t.UserID == "" || s.Administrator == nil {
		return nil
	}
	ok, err := s.Administrator(ctx, t.UserID)
	if err != nil {
		return fmt.Errorf("look up owner of API token: %w", err)
	}
	if !ok {
		return httpapi.ErrUnauthenticated
	}
	return nil
}

// List returns all tokens, oldest first.
func (s *Store) List(ctx context.Context) ([]Token, error) {
	rows, err := s.DB.Query(ctx, `SELECT `+columns+` FROM api_tokens ORDER BY created, id`)
	if err != nil {
		return nil, fmt.Errorf("list API tokens: %w", err)
	}
	return collect(rows)
}

func collect(rows *sql.Rows) ([]Token, error) {
	defer func() { _ = rows.Close() }() // its error is that of Err
	var all []Token
	for rows.Next() {
		t, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("read API token: %w", err)
		}
		all = append(all, t)
	}
	return all, rows.Err()
}

// Revoke ends a token at once, or returns ErrNotFound.
func (s *Store) Revoke(ctx context.Context, actor events.Actor, id string) error {
	return s.DB.Write(ctx, func(tx *sqldb.Tx) error {
		gone, err := s.remove(tx, actor, httpapi.RequestID(ctx), "id", id)
		if err == nil && gone == 0 {
			return ErrNotFound
		}
		return err
	})
}

// RevokeUser ends every token of a user, in the transaction that ends the user.
func (s *Store) RevokeUser(tx *sqldb.Tx, userID string) error {
	if userID == "" {
		return nil // tokens of no user belong to none
	}
	_, err := s.remove(tx, events.System, httpapi.RequestID(tx.Context()), "user_id", userID)
	return err
}

// remove deletes the tokens whose column is value and tells of each.
func (s *Store) remove(tx *sqldb.Tx, actor events.Actor, request, column, value string) (int, error) {
	rows, err := tx.Query(`DELETE FROM api_tokens WHERE `+column+` = $1 RETURNING `+columns, value)
	if err != nil {
		return 0, fmt.Errorf("revoke API tokens: %w", err)
	}
	gone, err := collect(rows)
	if err != nil {
		return 0, err
	}
	if len(gone) > 0 {
		if err := s.snapshot().Bump(tx); err != nil {
			return 0, err
		}
	}
	for _, t := range gone {
		err := events.Append(tx, events.Event{Time: s.now(), Type: "system.api_token.revoke", Actor: actor,
			Targets: []events.Target{t.target()}, Request: request})
		if err != nil {
			return 0, err
		}
	}
	return len(gone), nil
}

// DeleteExpired removes the tokens that have expired. It is housekeeping: they are
// refused without it.
func (s *Store) DeleteExpired(ctx context.Context) error {
	return s.DB.Write(ctx, func(tx *sqldb.Tx) error {
		_, err := tx.Exec(`DELETE FROM api_tokens WHERE expires <= $1`, s.now().UnixMicro())
		return err
	})
}
