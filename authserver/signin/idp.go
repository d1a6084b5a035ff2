package signin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/provost-id/provost/authserver/session"
	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/federation"
	"github.com/provost-id/provost/federation/oidc"
	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/internal/id"
	"github.com/provost-id/provost/internal/sqldb"
)

// idpAge is how long a person may stay at an identity provider.
const idpAge = 10 * time.Minute

// route finds the provider that the domain of a user name is led to. It looks at the
// name alone, never at whether somebody has it.
func (s *Server) route(ctx context.Context, login string) (federation.IdP, bool) {
	at := strings.LastIndexByte(login, '@')
	if at < 0 {
		return federation.IdP{}, false
	}
	idps, err := s.Federation.ActiveIdPs(ctx)
	if err != nil {
		return federation.IdP{}, false
	}
	for _, idp := range idps {
		for _, d := range idp.Properties.Domains {
			if strings.EqualFold(d, login[at+1:]) {
				return idp, true
			}
		}
	}
	return federation.IdP{}, false
}

// visitIdP leads to a provider by its ID: a button of the page, a link of an
// application, or the flow API.
func (s *Server) visitIdP(v visit, idpID string) (*reply, error) {
	idp, err := s.Federation.ActiveIdP(v.r.Context(), idpID)
	if errors.Is(err, federation.ErrNotFound) {
		return &reply{status: http.StatusNotFound, step: stepFailed, flow: v.flow, problem: noIdP}, nil
	}
	if err != nil {
		return nil, err
	}
	return s.toIdP(v, idp)
}

// toIdP writes down what this browser asks of the provider and sends it there. The
// state is known to this browser and this row alone, and works once.
func (s *Server) toIdP(v visit, idp federation.IdP) (*reply, error) {
	if v.flow.browser == "" {
		v.flow.browser = newBrowser()
	}
	state := id.Secret(cookieLength)
	address, pending, err := s.OIDC.Start(v.r.Context(), idp, state,
		oidc.Hint{Login: v.flow.request.LoginHint, Force: v.flow.request.Force})
	if err != nil {
		return s.idpFailure(v, idp, err)
	}
	sealed, err := s.sealPending(pending, state)
	if err != nil {
		return nil, err
	}
	err = s.DB.Write(v.r.Context(), func(tx *sqldb.Tx) error {
		if err := s.chargeTx(tx, s.ipKey(httpapi.ClientIP(v.r.Context())), perIP); err != nil {
			return err
		}
		_, err := tx.Exec(`INSERT INTO signins (hash, step, attempts, request, idp, pending, expires)
			VALUES ($1, $2, 0, $3, $4, $5, $6)`, s.idpKey(v.flow.browser, state), atIdP, v.flow.sealed, idp.ID, sealed,
			s.now().Add(idpAge).UnixMicro())
		return err
	})
	if full := (*limited)(nil); errors.As(err, &full) {
		return &reply{status: http.StatusTooManyRequests, step: stepFailed, flow: v.flow, problem: tooMany, retry: full.after}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("start sign-in at %s: %w", idp.ID, err)
	}
	return &reply{step: stepRedirect, redirect: address, cookies: []*http.Cookie{s.browserCookie(v.flow.browser)}}, nil
}

func (s *Server) idpKey(browser, state string) []byte {
	return s.Keys.Hash("signin-idp", browser+" "+state)
}

func (s *Server) sealPending(p oidc.Pending, state string) ([]byte, error) {
	plain, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	return s.Keys.Seal("signin-pending", state, plain), nil
}

// returned is what the row of a person who comes back from a provider says.
type returned struct {
	sealed, idp string
	pending     oidc.Pending
}

// take finds the row of a response and closes it: a response counts once, and only in
// the browser that asked for it.
func (s *Server) take(r *http.Request, state string) (returned, error) {
	var back returned
	var sealed []byte
	browser := s.browser(r)
	if browser == "" || len(state) != cookieLength {
		return back, errRestart
	}
	err := s.DB.Write(r.Context(), func(tx *sqldb.Tx) error {
		return tx.QueryRow(`UPDATE signins SET step = $2 WHERE hash = $1 AND step = $3 AND expires > $4
			RETURNING request, idp, pending`, s.idpKey(browser, state), atDone, atIdP, s.now().UnixMicro()).
			Scan(&back.sealed, &back.idp, &sealed)
	})
	if isNoRows(err) {
		return back, errRestart
	}
	if err != nil {
		return back, fmt.Errorf("read sign-in: %w", err)
	}
	plain, err := s.Keys.Unseal("signin-pending", state, sealed)
	if err != nil {
		return back, err
	}
	return back, json.Unmarshal(plain, &back.pending)
}

// fromIdP takes a provider's response to a session, or to the reason why not.
func (s *Server) fromIdP(r *http.Request, response url.Values) (*reply, error) {
	back, err := s.take(r, response.Get("state"))
	if errors.Is(err, errRestart) {
		return &reply{status: http.StatusBadRequest, step: stepFailed, problem: badState}, nil
	}
	if err != nil {
		return nil, err
	}
	v, stop, err := s.open(r, back.sealed)
	if stop != nil || err != nil {
		return stop, err
	}
	idp, err := s.Federation.ActiveIdP(r.Context(), back.idp)
	if errors.Is(err, federation.ErrNotFound) {
		return &reply{status: http.StatusForbidden, step: stepFailed, flow: v.flow, problem: noIdP}, nil
	}
	if err != nil {
		return nil, err
	}
	secret, err := s.Federation.ClientSecret(r.Context(), idp.ID)
	if err != nil {
		return nil, err
	}
	a, err := s.OIDC.Finish(r.Context(), idp, secret, back.pending, response)
	if err != nil {
		return s.idpFailure(v, idp, err)
	}
	return s.admit(v, idp, a)
}

// admit lets federation decide and starts the session in its transaction.
func (s *Server) admit(v visit, idp federation.IdP, a federation.Assertion) (*reply, error) {
	ctx := v.r.Context()
	out := &reply{step: stepDone, redirect: v.flow.request.ReturnTo}
	_, err := s.Federation.SignIn(ctx, a, federation.Visit{
		Request: httpapi.RequestID(ctx),
		Then: func(tx *sqldb.Tx, userID string) error {
			if err := s.refundTx(tx, s.ipKey(httpapi.ClientIP(ctx)), perIP); err != nil {
				return err
			}
			cookies, err := s.startTx(tx, v, session.NewSession{UserID: userID, AMR: amr(idp, a), IdP: idp.ID})
			out.cookies = cookies
			return err
		},
	})
	if err != nil {
		return s.idpFailure(v, idp, err)
	}
	return out, nil
}

// amr is how the person proved who they are. What the provider says of it counts only
// where the administrator trusts it.
func amr(idp federation.IdP, a federation.Assertion) []string {
	if idp.Policy.MapAMRClaims || idp.Policy.TrustClaims {
		if len(a.AMR) > 0 {
			return a.AMR
		}
	}
	return []string{"fed"}
}

// idpFailure says why a sign-in through a provider did not lead on, and writes it to
// the system log. The person reads the contract's words, the administrator the rest.
func (s *Server) idpFailure(v visit, idp federation.IdP, err error) (*reply, error) {
	out := &reply{status: http.StatusForbidden, step: stepFailed, flow: v.flow, problem: idpRefused}
	var denied *federation.Denied
	var rejected *oidc.Rejected
	switch {
	case errors.As(err, &denied):
		out.status, out.problem.code, out.detail = denied.Status, denied.Name, denied.Description
	case errors.As(err, &rejected), errors.Is(err, directory.ErrCredentials):
	case errors.Is(err, oidc.ErrUnreachable):
		out.status, out.problem = http.StatusBadGateway, idpFailed
	default:
		return nil, err
	}
	return out, s.logFailure(v.r, idp.ID, err.Error())
}
