package signin

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/provost-id/provost/authserver/session"
	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/directory/passwords"
	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/internal/sqldb"
)

// What a person does next, in the words of the flow API.
const (
	stepPassword = "password" // fill in username and password, or choose a provider
	stepRedirect = "redirect" // go to an identity provider
	stepDone     = "done"     // signed in: go back to the application
	stepFailed   = "failed"   // this flow has ended
)

// reply is what a step came to, before it is written as a page or as JSON.
type reply struct {
	status   int
	step     string
	flow     flow
	token    string // of the next post
	problem  problem
	detail   string // a reason fit for the person's eyes, beside the problem
	login    string // what to put into the user name field
	redirect string
	retry    time.Duration // how long to wait before the next attempt
	cookies  []*http.Cookie
}

// visit is one request of a browser, with what every step needs from it.
type visit struct {
	r    *http.Request
	flow flow
	old  session.Session // the session that the browser has, zero for none
}

// open reads the cookie, the sealed request and the session. A nil reply means that
// the flow goes on; a request of ours that is too old leads back to where it came
// from, which makes a new one.
func (s *Server) open(r *http.Request, sealed string) (visit, *reply, error) {
	v := visit{r: r, flow: flow{browser: s.browser(r), sealed: sealed}}
	var err error
	v.flow.request, err = s.Sessions.OpenRequest(sealed)
	if errors.Is(err, session.ErrStaleRequest) {
		return v, &reply{step: stepRedirect, redirect: v.flow.request.ReturnTo}, nil
	}
	if err != nil {
		return v, &reply{status: http.StatusBadRequest, step: stepFailed, problem: badLink}, nil
	}
	v.old, err = s.Sessions.FromRequest(r)
	if err != nil && !errors.Is(err, session.ErrNone) {
		return v, nil, err
	}
	// The authorization server looked at the session when it made the request: only
	// one that began after that is news to it.
	if err == nil && !v.old.AuthTime.Before(v.flow.request.IssuedAt) {
		return v, &reply{step: stepDone, redirect: v.flow.request.ReturnTo}, nil
	}
	return v, nil, nil
}

// ask shows the password step with the token of the next post. A flow that can take
// no more steps, or a browser that is new, gets a new cookie.
func (s *Server) ask(v visit, status int, p problem) (*reply, error) {
	out := &reply{status: status, step: stepPassword, flow: v.flow, problem: p, login: v.flow.request.LoginHint}
	var n int64
	err := errRestart
	if v.flow.browser != "" {
		if n, err = s.attempts(v.r, v.flow); err != nil && !errors.Is(err, errRestart) {
			return nil, err
		}
	}
	if err != nil {
		out.flow.browser, n = newBrowser(), 0
	}
	out.cookies = []*http.Cookie{s.browserCookie(out.flow.browser)}
	out.token = s.token(out.flow, n)
	return out, nil
}

// answer is what a person filled in. A name keeps no blanks around it.
type answer struct{ token, username, password string }

// password is the step that checks a user name and a password. Everything that is
// not the password of a user who may sign in gets the same answer at the same cost.
func (s *Server) password(v visit, a answer) (*reply, error) {
	taken, account, err := s.enter(v, a)
	if err != nil {
		return s.refuse(v, a, err)
	}
	ctx := v.r.Context()
	if a.username != "" && a.password == "" {
		if idp, ok := s.route(ctx, a.username); ok {
			return s.toIdP(v, idp)
		}
	}
	u, err := s.check(ctx, a)
	if errors.Is(err, directory.ErrCredentials) {
		if err := s.logFailure(v.r, "", "INVALID_CREDENTIALS"); err != nil {
			return nil, err
		}
		return s.refuse(v, a, err)
	}
	if err != nil {
		return s.refuse(v, a, err)
	}
	return s.complete(v, u.ID, taken, account)
}

// check never lets an empty name or password reach a comparison.
func (s *Server) check(ctx context.Context, a answer) (*directory.User, error) {
	if a.username == "" || a.password == "" || len(a.username) > maxLogin || len(a.password) > maxPassword {
		return nil, errMissing
	}
	return s.Directory.CheckPassword(ctx, a.username, a.password)
}

const (
	maxLogin    = 256  // longer than any login of ours
	maxPassword = 1024 // bounds what is hashed
)

// errMissing is returned for a form that is not filled in.
var errMissing = errors.New("user name or password is missing")

// enter spends the token and counts the attempt, in one transaction.
func (s *Server) enter(v visit, a answer) (taken int64, account []byte, err error) {
	if v.flow.browser == "" {
		return 0, nil, errRestart
	}
	if account, err = s.accountKey(v.r.Context(), a.username); err != nil {
		return 0, nil, err
	}
	err = s.DB.Write(v.r.Context(), func(tx *sqldb.Tx) (err error) {
		if taken, err = s.advanceTx(tx, v.flow, a.token); err != nil {
			return err
		}
		if err := s.chargeTx(tx, s.ipKey(httpapi.ClientIP(v.r.Context())), perIP); err != nil {
			return err
		}
		if account == nil {
			return nil
		}
		return s.chargeTx(tx, account, perAccount)
	})
	return taken, account, err
}

// refuse turns what went wrong into the next page. It is the only place that does.
func (s *Server) refuse(v visit, a answer, err error) (*reply, error) {
	status, p := http.StatusUnauthorized, wrongCredentials
	var full *limited
	switch {
	case errors.Is(err, directory.ErrCredentials):
	case errors.Is(err, errMissing):
		status, p = http.StatusBadRequest, missing
	case errors.Is(err, errRestart):
		status, p = http.StatusForbidden, outOfDate
	case errors.As(err, &full):
		status, p = http.StatusTooManyRequests, tooMany
	case errors.Is(err, passwords.ErrBusy):
		status, p, full = http.StatusServiceUnavailable, busy, &limited{after: time.Second}
	default:
		return nil, err
	}
	out, err := s.ask(v, status, p)
	if err != nil {
		return nil, err
	}
	if full != nil {
		out.retry = full.after
	}
	if a.username != "" && len(a.username) <= maxLogin {
		out.login = a.username
	}
	return out, nil
}

// complete ends the flow with a session that takes the place of the old one.
func (s *Server) complete(v visit, userID string, taken int64, account []byte) (*reply, error) {
	out := &reply{step: stepDone, redirect: v.flow.request.ReturnTo}
	err := s.DB.Write(v.r.Context(), func(tx *sqldb.Tx) error {
		if err := s.finishTx(tx, v.flow, taken); err != nil {
			return err
		}
		if err := s.refundTx(tx, s.ipKey(httpapi.ClientIP(v.r.Context())), perIP); err != nil {
			return err
		}
		if err := s.forgetTx(tx, account); err != nil {
			return err
		}
		cookies, err := s.startTx(tx, v, session.NewSession{UserID: userID, AMR: []string{"pwd"}})
		out.cookies = cookies
		return err
	})
	if errors.Is(err, errRestart) || errors.Is(err, directory.ErrCredentials) {
		return s.refuse(v, answer{}, err)
	}
	return out, err
}

// startTx starts the session of a user who, in this very transaction, may sign in:
// one who was deactivated since the password was checked gets none. Stamping the time
// locks the user's row first, so that a deactivation comes either before the look at
// the status or after the session, which it then ends.
func (s *Server) startTx(tx *sqldb.Tx, v visit, n session.NewSession) ([]*http.Cookie, error) {
	if err := s.Directory.SignedInTx(tx, n.UserID); err != nil {
		return nil, err
	}
	u, err := s.Directory.UserTx(tx, n.UserID)
	if errors.Is(err, directory.ErrNotFound) || err == nil && u.Status != directory.Active {
		return nil, directory.ErrCredentials
	}
	if err != nil {
		return nil, err
	}
	n.Replace, n.Request = v.old.ID, httpapi.RequestID(v.r.Context())
	_, cookie, err := s.Sessions.StartTx(tx, n)
	if err != nil {
		return nil, err
	}
	return []*http.Cookie{cookie, s.clearBrowser()}, nil
}
