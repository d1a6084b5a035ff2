package authserver

import (
	"context"
	"net/http"
	"net/url"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/internal/sqldb"
)

// answerCode lets fosite's handlers make the code: what they store is collected and
// committed as one row.
func (s *Service) answerCode(w http.ResponseWriter, r *http.Request, a *authorization, ts *tokenSession) error {
	ctx, err := s.store.BeginTX(r.Context())
	if err != nil {
		return err
	}
	for _, scope := range ts.scopes {
		a.req.GrantScope(scope)
	}
	resp, err := a.srv.provider.NewAuthorizeResponse(ctx, a.req, ts)
	if err != nil {
		return err
	}
	if ts.grant.State == "" && ts.grant.Challenge == "" {
		// ADV-18: nothing binds this answer to the browser that asked.
		if err := s.store.append(ctx, s.unbound(ts)); err != nil {
			return err
		}
	}
	if err := s.store.Commit(ctx); err != nil {
		return err
	}
	if a.req.GetState() == "" {
		resp.GetParameters().Del("state")
	}
	resp.AddParameter("iss", a.srv.Issuer) // RFC 9207
	setFormPostPolicy(w)
	a.srv.provider.WriteAuthorizeResponse(ctx, w, a.req, resp)
	return nil
}

func (s *Service) unbound(ts *tokenSession) func(*sqldb.Tx) error {
	return func(tx *sqldb.Tx) error {
		return events.Append(tx, events.Event{
			Type: "app.oauth2.as.authorize.unbound", Time: s.now(), Actor: events.System,
			Reason:  "authorization request with neither state nor PKCE",
			Targets: []events.Target{{ID: ts.grant.ClientID, Type: "PublicClientApp"}},
		})
	}
}

// refuse sends an error to the client's redirect URI (RFC 6749, section 4.1.2.1), with
// the issuer (RFC 9207), in the response mode that was asked for.
func (s *Service) refuse(w http.ResponseWriter, r *http.Request, a *authorization, err error) {
	e := s.explain(r.Context(), err)
	s.recordDenial(r.Context(), a, e)
	params := url.Values{"error": {e.Code}, "error_description": {e.Description}, "iss": {a.srv.Issuer}}
	if state := a.form.Get("state"); state != "" {
		params.Set("state", state)
	}
	target, perr := url.Parse(a.redirectURI())
	if perr != nil { // it was registered, so it parses
		writeErrorPage(w, e)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	switch a.form.Get("response_mode") {
	case "form_post":
		setFormPostPolicy(w)
		w.Header().Set("Content-Type", "text/html;charset=UTF-8")
		_ = formPostPage.Execute(w, map[string]any{"RedirURL": target.String(), "Parameters": params}) // the client has gone
		return
	case "fragment":
		target.Fragment = ""
		http.Redirect(w, r, target.String()+"#"+params.Encode(), http.StatusSeeOther)
		return
	}
	q := target.Query()
	for name := range params {
		q.Set(name, params.Get(name))
	}
	target.RawQuery = q.Encode()
	http.Redirect(w, r, target.String(), http.StatusSeeOther)
}

// recordDenial writes a decision against a request into the system log. Failing to do
// so does not turn a refusal into anything else.
func (s *Service) recordDenial(ctx context.Context, a *authorization, e *Error) {
	if e.Code != "access_denied" {
		return
	}
	err := s.DB.Write(ctx, func(tx *sqldb.Tx) error {
		return events.Append(tx, events.Event{
			Type: "app.oauth2.as.authorize.code", Time: s.now(), Actor: clientActor(a.client), Outcome: events.Denied,
			Reason: e.Description, Request: httpapi.RequestID(ctx),
			Targets: []events.Target{{ID: a.client.ID, Type: "PublicClientApp", Name: a.client.Name}},
			Detail:  map[string]any{"authorizationServer": a.srv.ID, "scopes": a.scopes},
		})
	})
	if err != nil {
		s.Log.ErrorContext(ctx, "record denial", "error", err)
	}
}
