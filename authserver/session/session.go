package session

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/id"
	"github.com/provost-id/provost/internal/keyring"
	"github.com/provost-id/provost/internal/sqldb"
)

// ErrNone is returned when the browser has no session that still holds.
var ErrNone = errors.New("no session")

// Lifetime is how long a session lasts when Store.Lifetime is zero: a working day.
const Lifetime = 12 * time.Hour

// Session is one signed-in browser.
type Session struct {
	ID       string
	UserID   string
	AuthTime time.Time // when the person last proved who they are
	Created  time.Time
	Expires  time.Time
	AMR      []string // how, in the words of RFC 8176
	IdP      string   // the identity provider that vouched, empty for a local sign-in
}

// NewSession says whose session starts and how they proved who they are.
type NewSession struct {
	UserID  string
	AMR     []string
	IdP     string
	Replace string // the ID of the session that this one takes the place of, empty for none
	Request string // the request ID, for the system log
}

// Store keeps the sessions.
type Store struct {
	DB       *sqldb.DB
	Keys     *keyring.Ring
	Now      func() time.Time
	Secure   bool          // the public URL is https
	Lifetime time.Duration // zero for the default
	// OnEnd ends what hangs on a session, in the transaction that ends it. successor is
	// the session of the same user that takes its place, empty for none. It is not
	// called when a whole user ends. Nil for nothing.
	OnEnd func(tx *sqldb.Tx, sessionID, successor string) error
}

// Start is StartTx in a transaction of its own.
func (s *Store) Start(ctx context.Context, n NewSession) (started Session, c *http.Cookie, err error) {
	err = s.DB.Write(ctx, func(tx *sqldb.Tx) error {
		started, c, err = s.StartTx(tx, n)
		return err
	})
	if err != nil {
		return Session{}, nil, err
	}
	return started, c, nil
}

// StartTx starts a session under an ID and a cookie never used before, which defeats
// fixation, and ends the one it replaces. The caller has made sure, in the same
// transaction, that the user may sign in.
func (s *Store) StartTx(tx *sqldb.Tx, n NewSession) (Session, *http.Cookie, error) {
	now := s.now()
	started := Session{
		ID: id.NewAt(id.Session, now), UserID: n.UserID, AMR: n.AMR, IdP: n.IdP,
		AuthTime: now, Created: now, Expires: now.Add(s.lifetime()),
	}
	if n.Replace != "" {
		if err := s.endTx(tx, n.Replace, started, n.Request); err != nil {
			return Session{}, nil, err
		}
	}
	secret := id.Secret(secretLength)
	_, err := tx.Exec(`INSERT INTO sessions (hash, id, user_id, auth_time, created, expires, amr, idp)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		s.hash(secret), started.ID, n.UserID, now.UnixMicro(), now.UnixMicro(), started.Expires.UnixMicro(),
		strings.Join(n.AMR, " "), n.IdP)
	if err != nil {
		return Session{}, nil, fmt.Errorf("insert session: %w", err)
	}
	return started, s.cookie(secret, s.lifetime()), s.log(tx, "user.session.start", started, n.Request)
}

// FromRequest finds the session of a browser, or returns ErrNone.
func (s *Store) FromRequest(r *http.Request) (Session, error) {
	c, err := r.Cookie(s.CookieName())
	if err != nil || len(c.Value) != secretLength {
		return Session{}, ErrNone
	}
	row := s.DB.QueryRow(r.Context(), `SELECT id, user_id, auth_time, created, expires, amr, idp
		FROM sessions WHERE hash = $1 AND expires > $2`, s.hash(c.Value), s.now().UnixMicro())
	found, err := scan(row)
	if errors.Is(err, sql.ErrNoRows) {
		return Session{}, ErrNone
	}
	if err != nil {
		return Session{}, fmt.Errorf("read session: %w", err)
	}
	return found, nil
}

// ByID finds a session that still holds by its ID, or returns ErrNone.
func (s *Store) ByID(ctx context.Context, sessionID string) (Session, error) {
	row := s.DB.QueryRow(ctx, `SELECT id, user_id, auth_time, created, expires, amr, idp
		FROM sessions WHERE id = $1 AND expires > $2`, sessionID, s.now().UnixMicro())
	found, err := scan(row)
	if errors.Is(err, sql.ErrNoRows) {
		return Session{}, ErrNone
	}
	if err != nil {
		return Session{}, fmt.Errorf("read session %s: %w", sessionID, err)
	}
	return found, nil
}

func scan(row interface{ Scan(dest ...any) error }) (Session, error) {
	var found Session
	var authTime, created, expires int64
	var amr string
	if err := row.Scan(&found.ID, &found.UserID, &authTime, &created, &expires, &amr, &found.IdP); err != nil {
		return Session{}, err
	}
	found.AuthTime, found.Created, found.Expires = time.UnixMicro(authTime).UTC(), time.UnixMicro(created).UTC(), time.UnixMicro(expires).UTC()
	found.AMR = strings.Fields(amr)
	return found, nil
}

// End ends a session; one that is gone already is no error.
func (s *Store) End(ctx context.Context, sessionID string) error {
	return s.DB.Write(ctx, func(tx *sqldb.Tx) error { return s.endTx(tx, sessionID, Session{}, "") })
}

// endTx ends a session; next is the one that takes its place, zero for none.
func (s *Store) endTx(tx *sqldb.Tx, sessionID string, next Session, request string) error {
	var userID string
	err := tx.QueryRow(`DELETE FROM sessions WHERE id = $1 RETURNING user_id`, sessionID).Scan(&userID)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("end session %s: %w", sessionID, err)
	}
	if next.UserID != userID {
		next.ID = "" // another person's
	}
	if s.OnEnd != nil {
		if err := s.OnEnd(tx, sessionID, next.ID); err != nil {
			return err
		}
	}
	return s.log(tx, "user.session.end", Session{ID: sessionID, UserID: userID}, request)
}

// EndUser ends every session of a user, in the transaction of the change that asks
// for it: no later request of theirs finds one.
func (s *Store) EndUser(tx *sqldb.Tx, userID string) error {
	res, err := tx.Exec(`DELETE FROM sessions WHERE user_id = $1`, userID)
	if err != nil {
		return fmt.Errorf("end sessions of %s: %w", userID, err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return err
	}
	return events.Append(tx, events.Event{
		Type: "user.session.clear", Time: s.now(), Actor: events.System,
		Targets: []events.Target{{ID: userID, Type: "User"}},
	})
}

// sweepBatch bounds one housekeeping transaction.
const sweepBatch = 1000

// Sweep drops sessions that have expired, a bounded number for each call.
func (s *Store) Sweep(ctx context.Context) error {
	return s.DB.Write(ctx, func(tx *sqldb.Tx) error {
		_, err := tx.Exec(`DELETE FROM sessions WHERE hash IN
			(SELECT hash FROM sessions WHERE expires <= $1 ORDER BY expires LIMIT $2)`, s.now().UnixMicro(), sweepBatch)
		return err
	})
}

func (s *Store) log(tx *sqldb.Tx, typ string, of Session, request string) error {
	return events.Append(tx, events.Event{
		Type: typ, Time: s.now(), Request: request,
		Actor:   events.Actor{ID: of.UserID, Type: "User"},
		Targets: []events.Target{{ID: of.UserID, Type: "User"}, {ID: of.ID, Type: "Session"}},
		Detail:  map[string]any{"amr": of.AMR, "idp": of.IdP},
	})
}

func (s *Store) hash(secret string) []byte { return s.Keys.Hash("session", secret) }

func (s *Store) now() time.Time {
	if s.Now == nil {
		return time.Now().UTC().Truncate(time.Microsecond)
	}
	return s.Now().UTC().Truncate(time.Microsecond)
}

func (s *Store) lifetime() time.Duration {
	if s.Lifetime == 0 {
		return Lifetime
	}
	return s.Lifetime
}
