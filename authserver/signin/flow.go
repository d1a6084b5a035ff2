package signin

import (
	"crypto/hmac"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/provost-id/provost/authserver/session"
	"github.com/provost-id/provost/internal/id"
	"github.com/provost-id/provost/internal/sqldb"
)

const (
	// cookieSuffix names the cookie of a browser that is signing in.
	cookieSuffix = "-signin"
	// cookieLength: 43 characters are 256 random bits.
	cookieLength = 43
	// maxAttempts bounds one flow; its account and address are limited beside it.
	maxAttempts = 20
	// flowGrace keeps a row a little longer than its request is taken, so that a step
	// is never replayed against a row that has gone.
	flowGrace = time.Minute
)

// The steps of a row.
const (
	atPassword = "password"
	atIdP      = "idp"
	atDone     = "done"
)

// errRestart is returned for a step that is not the next one of its flow.
var errRestart = errors.New("sign-in starts again")

// flow is one browser's sign-in for one request. Two tabs with different requests are
// two flows.
type flow struct {
	browser string // value of the cookie
	sealed  string
	request session.Request
}

// newBrowser returns the value of a cookie for a browser that has none.
func newBrowser() string { return id.Secret(cookieLength) }

// browser reads the cookie, empty when there is none of the right form.
func (s *Server) browser(r *http.Request) string {
	v := s.Sessions.Value(r, cookieSuffix)
	if len(v) != cookieLength {
		return ""
	}
	return v
}

func (s *Server) browserCookie(value string) *http.Cookie {
	return s.Sessions.Cookie(cookieSuffix, value, session.RequestAge+flowGrace)
}

func (s *Server) clearBrowser() *http.Cookie {
	c := s.Sessions.Cookie(cookieSuffix, "", 0)
	c.MaxAge = -1
	return c
}

func (s *Server) flowKey(f flow) []byte {
	return s.Keys.Hash("signin-flow", f.browser+" "+f.sealed)
}

// token is what the form carries: it proves that the page was ours, for this browser,
// this request and this step.
func (s *Server) token(f flow, attempts int64) string {
	sum := s.Keys.Hash("signin-token", f.browser+" "+strconv.FormatInt(attempts, 10)+" "+f.sealed)
	return base64.RawURLEncoding.EncodeToString(sum)
}

// attempts reads how many steps a flow has taken; errRestart when it takes no more.
func (s *Server) attempts(r *http.Request, f flow) (int64, error) {
	var step string
	var n int64
	err := s.DB.QueryRow(r.Context(), `SELECT step, attempts FROM signins WHERE hash = $1`, s.flowKey(f)).Scan(&step, &n)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read sign-in: %w", err)
	}
	if step != atPassword || n >= maxAttempts {
		return 0, errRestart
	}
	return n, nil
}

// advanceTx spends the token of a step and returns how many the flow has taken now.
// The first makes the row. Of two posts with one token, one gets errRestart.
func (s *Server) advanceTx(tx *sqldb.Tx, f flow, token string) (int64, error) {
	var step string
	var n int64
	err := tx.QueryRow(`SELECT step, attempts FROM signins WHERE hash = $1`+tx.ForUpdate(), s.flowKey(f)).Scan(&step, &n)
	first := errors.Is(err, sql.ErrNoRows)
	if err != nil && !first {
		return 0, fmt.Errorf("read sign-in: %w", err)
	}
	if !first && (step != atPassword || n >= maxAttempts) || !hmac.Equal([]byte(token), []byte(s.token(f, n))) {
		return 0, errRestart
	}
	if first {
		err = s.insertTx(tx, f)
	} else {
		_, err = tx.Exec(`UPDATE signins SET attempts = attempts + 1 WHERE hash = $1`, s.flowKey(f))
	}
	if sqldb.IsUnique(err) {
		return 0, errRestart
	}
	return n + 1, err
}

func (s *Server) insertTx(tx *sqldb.Tx, f flow) error {
	_, err := tx.Exec(`INSERT INTO signins (hash, step, attempts, request, idp, expires)
		VALUES ($1, $2, 1, $3, '', $4)`, s.flowKey(f), atPassword, f.sealed,
		f.request.IssuedAt.Add(session.RequestAge+flowGrace).UnixMicro())
	return err
}

// finishTx closes a flow at the step it stands at; another post of the same flow gets errRestart.
func (s *Server) finishTx(tx *sqldb.Tx, f flow, attempts int64) error {
	res, err := tx.Exec(`UPDATE signins SET step = $2 WHERE hash = $1 AND step = $3 AND attempts = $4`,
		s.flowKey(f), atDone, atPassword, attempts)
	if err != nil {
		return fmt.Errorf("finish sign-in: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return errors.Join(err, errRestart)
	}
	return nil
}
