package authserver

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/ory/fosite"

	"github.com/provost-id/provost/internal/sqldb"
)

// refreshToken is one row: the token itself is never stored.
type refreshToken struct {
	ID      string // "oar...", the jti of hook payloads
	token   string // only while it is being made
	hash    []byte
	grantID string
	issued  time.Time
	expires time.Time
	used    time.Time // when it was rotated; zero while it is the newest
	sealed  []byte    // the answer of its rotation, under a key of the token itself
}

// CreateAccessTokenSession implements oauth2.AccessTokenStorage: a JWT writes nothing.
func (st *store) CreateAccessTokenSession(context.Context, string, fosite.Requester) error {
	return nil
}

// GetAccessTokenSession implements oauth2.AccessTokenStorage: there are no rows.
func (st *store) GetAccessTokenSession(context.Context, string, fosite.Session) (fosite.Requester, error) {
	return nil, fosite.ErrNotFound
}

// DeleteAccessTokenSession implements oauth2.AccessTokenStorage: there are no rows.
func (st *store) DeleteAccessTokenSession(context.Context, string) error { return nil }

// CreateRefreshTokenSession implements oauth2.RefreshTokenStorage.
func (st *store) CreateRefreshTokenSession(ctx context.Context, signature, _ string, r fosite.Requester) error {
	t := sessionOf(r).refresh
	return st.append(ctx, func(tx *sqldb.Tx) error {
		_, err := tx.Exec(`INSERT INTO oauth_refresh_tokens (hash, id, grant_id, issued, expires) VALUES ($1, $2, $3, $4, $5)`,
			[]byte(signature), t.ID, t.grantID, micros(t.issued), micros(t.expires))
		if err != nil {
			return fmt.Errorf("store refresh token: %w", err)
		}
		return prolong(tx, t.grantID, t.expires)
	})
}

// refreshByHash finds a token with its grant, or returns ErrNotFound.
func (st *store) refreshByHash(ctx context.Context, hash []byte) (*refreshToken, *grant, error) {
	t := &refreshToken{hash: hash}
	var issued, expires, used int64
	row := st.s.DB.QueryRow(ctx, `SELECT `+grantColumns+`, t.id, t.issued, t.expires, t.used, t.successor
		FROM oauth_refresh_tokens t JOIN oauth_grants g ON g.id = t.grant_id WHERE t.hash = $1`, hash)
	g, err := scanGrant(row, &t.ID, &issued, &expires, &used, &t.sealed)
	if err != nil {
		return nil, nil, err
	}
	t.grantID, t.issued, t.expires, t.used = g.ID, fromMicros(issued), fromMicros(expires), fromMicros(used)
	return t, g, nil
}

// GetRefreshTokenSession implements oauth2.RefreshTokenStorage: a rotated token comes
// with fosite.ErrInactiveToken.
func (st *store) GetRefreshTokenSession(ctx context.Context, signature string, session fosite.Session) (fosite.Requester, error) {
	t, g, err := st.refreshByHash(ctx, []byte(signature))
	if errors.Is(err, ErrNotFound) {
		return nil, fosite.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	r, err := st.request(ctx, g, session)
	if err != nil {
		return nil, err
	}
	sessionOf(r).old = t
	if !t.used.IsZero() || !g.revoked.IsZero() {
		err = fosite.ErrInactiveToken
	}
	return r, err
}

// RotateRefreshToken implements oauth2.RefreshTokenStorage by a compare-and-set: one
// of any number of callers gets through, the others get fosite.ErrInactiveToken. A
// family that has been revoked meanwhile gives none of them a successor.
func (st *store) RotateRefreshToken(ctx context.Context, grantID, signature string) error {
	return st.append(ctx, func(tx *sqldb.Tx) error {
		if err := liveGrant(tx, grantID); err != nil {
			return err
		}
		res, err := tx.Exec(`UPDATE oauth_refresh_tokens SET used = $2 WHERE hash = $1 AND used = 0`,
			[]byte(signature), micros(st.s.now()))
		if err != nil {
			return fmt.Errorf("rotate refresh token: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 1 {
			return err
		}
		return fosite.ErrInactiveToken
	})
}

// liveGrant locks the family: revocation and rotation follow one another.
func liveGrant(tx *sqldb.Tx, grantID string) error {
	var revoked int64
	err := tx.QueryRow(`SELECT revoked FROM oauth_grants WHERE id = $1`+tx.ForUpdate(), grantID).Scan(&revoked)
	if errors.Is(err, sql.ErrNoRows) || err == nil && revoked != 0 {
		return fosite.ErrInactiveToken
	}
	return err
}

// DeleteRefreshTokenSession implements oauth2.RefreshTokenStorage.
func (st *store) DeleteRefreshTokenSession(ctx context.Context, signature string) error {
	return st.append(ctx, func(tx *sqldb.Tx) error {
		_, err := tx.Exec(`DELETE FROM oauth_refresh_tokens WHERE hash = $1`, []byte(signature))
		return err
	})
}

// RevokeRefreshToken implements oauth2.TokenRevocationStorage: the whole family.
func (st *store) RevokeRefreshToken(ctx context.Context, grantID string) error {
	return st.s.DB.Write(ctx, func(tx *sqldb.Tx) error {
		_, err := tx.Exec(`UPDATE oauth_grants SET revoked = $2 WHERE id = $1 AND revoked = 0`, grantID, micros(st.s.now()))
		return err
	})
}

// RevokeAccessToken implements oauth2.TokenRevocationStorage: access tokens of a
// grant live and die with its row.
func (st *store) RevokeAccessToken(ctx context.Context, grantID string) error {
	return st.RevokeRefreshToken(ctx, grantID)
}
