package authserver

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/sqldb"
)

// codeLifetime: RFC 6749, section 4.1.2, asks for at most ten minutes.
const codeLifetime = 300 * time.Second

// grant is one authorization by a person: a code and everything that its tokens say.
type grant struct {
	ID, ServerID, ClientID, UserID, SessionID string

	code        []byte
	codeExpires time.Time
	codeUsed    time.Time // zero while the code is good
	revoked     time.Time // zero while the family lives
	expires     time.Time // when the row means nothing any more
	grantBody
}

type grantBody struct {
	Scopes         []string  `json:"scopes"`
	RedirectURI    string    `json:"redirectUri"`
	RedirectSent   bool      `json:"redirectSent"` // RFC 6749, section 4.1.3: it must then be sent again
	State          string    `json:"state,omitempty"`
	ResponseMode   string    `json:"responseMode,omitempty"`
	Nonce          string    `json:"nonce,omitempty"`
	Challenge      string    `json:"challenge,omitempty"` // PKCE, S256
	AuthTime       time.Time `json:"authTime"`
	AMR            []string  `json:"amr,omitempty"`
	IdP            string    `json:"idp,omitempty"`
	SessionExpires time.Time `json:"sessionExpires"`
	Granted        time.Time `json:"granted"`
	Terms          terms     `json:"terms"`
}

// terms are what the matched rule says.
type terms struct {
	PolicyID      string        `json:"policy,omitempty"`
	RuleID        string        `json:"rule,omitempty"`
	HookID        string        `json:"hook,omitempty"`
	Access        time.Duration `json:"access"`
	Refresh       time.Duration `json:"refresh"` // of the family; 0 is unlimited
	RefreshWindow time.Duration `json:"refreshWindow"`
}

// refreshExpiry is when a refresh token made now stops.
func (g *grant) refreshExpiry(now time.Time) time.Time {
	exp := now.Add(g.Terms.RefreshWindow)
	if g.Terms.Refresh > 0 && g.Granted.Add(g.Terms.Refresh).Before(exp) {
		exp = g.Granted.Add(g.Terms.Refresh)
	}
	return exp
}

func insertGrant(tx *sqldb.Tx, g *grant) error {
	body, err := json.Marshal(g.grantBody)
	if err != nil {
		return fmt.Errorf("encode grant: %w", err)
	}
	_, err = tx.Exec(`INSERT INTO oauth_grants (id, as_id, client_id, user_id, session_id, code, code_expires, expires, offline, body)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		g.ID, g.ServerID, g.ClientID, g.UserID, g.SessionID, g.code, micros(g.codeExpires), micros(g.expires),
		slices.Contains(g.Scopes, scopeOffline), string(body))
	if err != nil {
		return fmt.Errorf("store grant: %w", err)
	}
	return nil
}

const grantColumns = `g.id, g.as_id, g.client_id, g.user_id, g.session_id, g.code_expires, g.code_used, g.revoked, g.expires, g.body`

func scanGrant(row interface{ Scan(dest ...any) error }, more ...any) (*grant, error) {
	g := &grant{}
	var codeExpires, codeUsed, revoked, expires int64
	var body []byte
	into := append([]any{&g.ID, &g.ServerID, &g.ClientID, &g.UserID, &g.SessionID, &codeExpires, &codeUsed, &revoked, &expires, &body}, more...)
	if err := row.Scan(into...); err != nil {
		if errors.Is(err, sql.ErrNoRows) {
			return nil, ErrNotFound
		}
		return nil, fmt.Errorf("read grant: %w", err)
	}
	g.codeExpires, g.codeUsed, g.revoked, g.expires = fromMicros(codeExpires), fromMicros(codeUsed), fromMicros(revoked), fromMicros(expires)
	return g, json.Unmarshal(body, &g.grantBody)
}

func (st *store) grantByCode(ctx context.Context, hash []byte) (*grant, error) {
	return scanGrant(st.s.DB.QueryRow(ctx, `SELECT `+grantColumns+` FROM oauth_grants g WHERE g.code = $1`, hash))
}

// prolong keeps a grant until its newest token has expired.
func prolong(tx *sqldb.Tx, grantID string, until time.Time) error {
	_, err := tx.Exec(`UPDATE oauth_grants SET expires = $2 WHERE id = $1 AND expires < $2`, grantID, micros(until))
	return err
}

// revokeGrant ends a family: its code, its refresh tokens and its access tokens.
func (s *Service) revokeGrant(tx *sqldb.Tx, g *grant, event, reason string, actor events.Actor) error {
	now := s.now()
	if _, err := tx.Exec(`UPDATE oauth_grants SET revoked = $2 WHERE id = $1 AND revoked = 0`, g.ID, micros(now)); err != nil {
		return fmt.Errorf("revoke grant %s: %w", g.ID, err)
	}
	return events.Append(tx, events.Event{
		Type: event, Time: now, Actor: actor, Outcome: events.Success, Reason: reason,
		Targets: []events.Target{{ID: g.UserID, Type: "User"}, {ID: g.ID, Type: "Grant"}, {ID: g.ClientID, Type: "PublicClientApp"}},
	})
}

// RevokeUser ends every authorization of a user in the transaction of the change
// that asks for it: codes, refresh tokens and access tokens.
func (s *Service) RevokeUser(tx *sqldb.Tx, userID string) error {
	return s.revokeWhere(tx, `user_id = $1`, events.Target{ID: userID, Type: "User"})
}

// EndSession ends what was authorized in a session and was not asked to outlive it
// (OpenID Connect Core, section 11: offline_access). When the same person has proved
// again who they are, it belongs to the session that takes the place of this one.
func (s *Service) EndSession(tx *sqldb.Tx, sessionID, successor string) error {
	if successor == "" {
		return s.revokeWhere(tx, `session_id = $1 AND NOT offline`, events.Target{ID: sessionID, Type: "Session"})
	}
	_, err := tx.Exec(`UPDATE oauth_grants SET session_id = $2 WHERE session_id = $1`, sessionID, successor)
	if err != nil {
		return fmt.Errorf("move grants to session %s: %w", successor, err)
	}
	return nil
}

func (s *Service) revokeWhere(tx *sqldb.Tx, where string, target events.Target) error {
	now := s.now()
	res, err := tx.Exec(`UPDATE oauth_grants SET revoked = $2 WHERE revoked = 0 AND `+where, target.ID, micros(now))
	if err != nil {
		return fmt.Errorf("revoke grants: %w", err)
	}
	n, err := res.RowsAffected()
	if err != nil || n == 0 {
		return err
	}
	return events.Append(tx, events.Event{
		Type: "app.oauth2.as.token.revoke", Time: now, Actor: events.System,
		Targets: []events.Target{target}, Detail: map[string]any{"grants": n},
	})
}
