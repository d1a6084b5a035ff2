package authserver

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/ory/fosite"

	"github.com/provost-id/provost/authserver/session"
	"github.com/provost-id/provost/internal/id"
)

// authorization is one request to the authorization endpoint on its way.
type authorization struct {
	srv    *server
	client *Client
	form   url.Values
	prompt prompt
	scopes []string
	req    fosite.AuthorizeRequester
}

// authorize serves GET and POST /v1/authorize (RFC 6749, section 4.1.1).
func (s *Service) authorize(w http.ResponseWriter, r *http.Request, srv *server) {
	a := &authorization{srv: srv, form: r.Form}
	if err := s.identifyClient(r.Context(), a); err != nil {
		e := s.explain(r.Context(), err) // nowhere to redirect to that is known to be the client's
		writeErrorPage(w, e)
		return
	}
	if err := s.validate(r, a); err != nil {
		s.refuse(w, r, a, err)
		return
	}
	sess, err := s.signedIn(r, a)
	if errors.Is(err, errSignIn) {
		err = s.toSignIn(w, r, a)
		if err == nil {
			return
		}
	}
	if err != nil {
		s.refuse(w, r, a, err)
		return
	}
	if err := s.issueCode(w, r, a, sess); err != nil {
		s.refuse(w, r, a, err)
	}
}

// identifyClient finds the client and checks where it wants its answer. Until both
// hold, nothing is redirected (RFC 6749, section 4.1.2.1).
func (s *Service) identifyClient(ctx context.Context, a *authorization) error {
	c, err := s.Client(ctx, a.form.Get("client_id"))
	if errors.Is(err, ErrNotFound) {
		return oauthError("invalid_client", http.StatusBadRequest, "Invalid value for 'client_id' parameter.")
	}
	if err != nil {
		return err
	}
	a.client = c
	uri := a.form.Get("redirect_uri")
	if uri == "" && len(c.RedirectURIs) == 1 {
		return nil
	}
	if !c.matchRedirect(uri) {
		return badRequest(textRedirect)
	}
	return nil
}

// validate checks the request: first what fosite does not know, then fosite.
func (s *Service) validate(r *http.Request, a *authorization) error {
	var err error
	c, form := a.client, a.form
	switch {
	case form.Has("request"):
		err = oauthError("request_not_supported", http.StatusBadRequest, "The 'request' parameter is not supported.")
	case form.Has("request_uri"):
		err = oauthError("request_uri_not_supported", http.StatusBadRequest, "The 'request_uri' parameter is not supported.")
	case c.pkceRequired() && form.Get("code_challenge") == "":
		err = badRequest("PKCE code challenge is required by the application.")
	case form.Get("code_challenge") != "" && form.Get("code_challenge_method") != "S256":
		err = badRequest("The 'code_challenge_method' must be S256.")
	case form.Get("code_challenge") != "" && !validVerifier(form.Get("code_challenge")):
		err = badRequest("The 'code_challenge' is not valid.")
	}
	if err == nil {
		a.prompt, err = s.parsePrompt(a)
	}
	if err == nil {
		a.scopes, err = a.srv.requestedScopes(form.Get("scope"), grantCode)
	}
	req, ferr := s.parse(r, a)
	a.req = req
	if ferr != nil { // about response type and mode first: they say how an error may be sent
		return ferr
	}
	return err
}

// syntheticState stands in for a state that was not sent: fosite refuses a request
// without one, and PKCE makes it needless (RFC 9700, section 2.1.1).
const syntheticState = "-"

// parse hands the request to fosite with a form of our own: without what we have
// decided ourselves, and with a state.
func (s *Service) parse(r *http.Request, a *authorization) (fosite.AuthorizeRequester, error) {
	form := url.Values{}
	for _, name := range []string{"client_id", "redirect_uri", "response_type", "response_mode", "state", "nonce", "code_challenge", "code_challenge_method"} {
		if a.form.Has(name) {
			form.Set(name, a.form.Get(name))
		}
	}
	if form.Get("state") == "" {
		form.Set("state", syntheticState)
	}
	form.Set("scope", strings.Join(a.scopes, " "))
	form.Set("redirect_uri", a.redirectURI())
	sub := r.Clone(r.Context())
	sub.Form, sub.PostForm, sub.MultipartForm = form, url.Values{}, nil
	req, err := a.srv.provider.NewAuthorizeRequest(r.Context(), sub)
	if ar, ok := req.(*fosite.AuthorizeRequest); ok {
		ar.State = a.form.Get("state")
	}
	return req, err
}

func (a *authorization) redirectURI() string {
	if uri := a.form.Get("redirect_uri"); uri != "" {
		return uri
	}
	return a.client.RedirectURIs[0]
}

// issueCode decides and answers with a code.
func (s *Service) issueCode(w http.ResponseWriter, r *http.Request, a *authorization, sess session.Session) error {
	ctx := r.Context()
	p, err := s.admitted(ctx, a, sess)
	if err != nil {
		return err
	}
	scopes := a.scopes
	if !slices.Contains(a.client.GrantTypes, grantRefresh) { // OpenID Connect Core, section 11: then it is ignored
		scopes = slices.DeleteFunc(slices.Clone(scopes), func(name string) bool { return name == scopeOffline })
	}
	decided, err := a.srv.decide(a.client, grantCode, p, scopes)
	if err != nil {
		return err
	}
	now := s.now()
	g := &grant{
		ID: id.NewAt(id.Grant, now), ServerID: a.srv.ID, ClientID: a.client.ID, UserID: p.ID, SessionID: sess.ID,
		codeExpires: now.Add(codeLifetime), expires: now.Add(codeLifetime),
		grantBody: grantBody{
			Scopes: scopes, RedirectURI: a.redirectURI(), RedirectSent: a.form.Get("redirect_uri") != "",
			State: a.form.Get("state"), ResponseMode: a.form.Get("response_mode"),
			AuthTime: sess.AuthTime, AMR: sess.AMR, IdP: sess.IdP, SessionExpires: sess.Expires, Granted: now, Terms: decided,
		},
	}
	return s.answerCode(w, r, a, &tokenSession{server: a.srv, person: p, grant: g, scopes: scopes})
}

// admitted finds the person behind a session as they are now.
func (s *Service) admitted(ctx context.Context, a *authorization, sess session.Session) (*Person, error) {
	p, err := s.People.Person(ctx, sess.UserID)
	if errors.Is(err, ErrNoPerson) || err == nil && !p.Active {
		return nil, accessDenied(http.StatusBadRequest, "%s", textAssigned)
	}
	if err != nil {
		return nil, err
	}
	ok, err := s.assigned(ctx, a.client, p.ID)
	if err == nil && !ok {
		err = accessDenied(http.StatusBadRequest, "%s", textAssigned)
	}
	return p, err
}

// signInPath is the hosted page.
const signInPath = "/signin"

// toSignIn sends the browser to the sign-in page with the request sealed: nothing is
// written before a person acts.
func (s *Service) toSignIn(w http.ResponseWriter, r *http.Request, a *authorization) error {
	now := s.now()
	request := session.Request{
		ReturnTo: s.returnTo(r, a, now), RedirectURI: a.redirectURI(), ClientID: a.client.ID, ClientName: a.client.Name,
		LoginHint: a.form.Get("login_hint"), IdP: a.form.Get("idp"), Force: a.prompt.forces(), MaxAge: a.prompt.maxAge, IssuedAt: now,
	}
	sealed := s.Sessions.SealRequest(request)
	if len(sealed) > session.MaxSealed {
		return badRequest("The authorization request is too long.")
	}
	target := signInPath + "?" + url.Values{"request": {sealed}}.Encode()
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, target, http.StatusSeeOther)
	return nil
}

// returnTo is the way back into this request, marked so that a sign-in after now
// satisfies prompt=login and max_age.
func (s *Service) returnTo(r *http.Request, a *authorization, now time.Time) string {
	form := url.Values{}
	for name, values := range a.form {
		if name != markerParam {
			form[name] = values
		}
	}
	form.Set(markerParam, s.sealMarker(form, now))
	return r.URL.Path + "?" + form.Encode()
}
