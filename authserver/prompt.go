package authserver

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/provost-id/provost/authserver/session"
)

// prompt is what a request asks about the sign-in itself (OpenID Connect Core, section
// 3.1.2.1). fosite takes max_age=0 for absent and answers what it can not satisfy with
// server_error: it never sees these.
type prompt struct {
	values []string
	maxAge time.Duration
	aged   bool   // max_age was sent
	hint   string // subject of id_token_hint, empty for none
}

func (p prompt) none() bool { return slices.Contains(p.values, "none") }

// forces reports whether whoever is signed in has to prove it again.
func (p prompt) forces() bool {
	return slices.Contains(p.values, "login") || slices.Contains(p.values, "select_account") || p.aged
}

var knownPrompts = []string{"none", "login", "consent", "select_account"}

func (s *Service) parsePrompt(a *authorization) (prompt, error) {
	p := prompt{values: strings.Fields(a.form.Get("prompt"))}
	for _, v := range p.values {
		if !slices.Contains(knownPrompts, v) || v == "none" && len(p.values) > 1 {
			return p, badRequest("The 'prompt' parameter is not valid.")
		}
	}
	if raw := a.form.Get("max_age"); raw != "" {
		seconds, err := strconv.ParseUint(raw, 10, 31)
		if err != nil {
			return p, badRequest("The 'max_age' parameter must be a number of seconds.")
		}
		p.aged, p.maxAge = true, time.Duration(seconds)*time.Second
	}
	if hint := a.form.Get("id_token_hint"); hint != "" {
		claims, err := a.srv.ring.verify(hint, typJWT) // it may have expired
		if err != nil || claims["iss"] != a.srv.Issuer {
			return p, badRequest("The 'id_token_hint' is not an ID token of this authorization server.")
		}
		p.hint = stringClaim(claims, "sub")
	}
	return p, s.consentPossible(a, p)
}

// consentPossible: there is no page that asks for consent, so a request that demands
// one for scopes that need it gets the error that OpenID Connect names.
func (s *Service) consentPossible(a *authorization, p prompt) error {
	if !slices.Contains(p.values, "consent") {
		return nil
	}
	var asked []string
	for _, name := range strings.Fields(a.form.Get("scope")) {
		if sc := a.srv.scopes[name]; sc != nil && sc.Consent != ConsentImplicit {
			asked = append(asked, name)
		}
	}
	if len(asked) == 0 {
		return nil
	}
	return oauthError("consent_required", http.StatusBadRequest, "The following scopes require user consent: [%s].", strings.Join(asked, ", "))
}

// errSignIn says that a person has to sign in first.
var errSignIn = errors.New("sign-in needed")

// signedIn returns the session that satisfies the request, errSignIn, or with
// prompt=none the error for the client.
func (s *Service) signedIn(r *http.Request, a *authorization) (session.Session, error) {
	sess, err := s.Sessions.FromRequest(r)
	if err != nil && !errors.Is(err, session.ErrNone) {
		return sess, err
	}
	if err != nil {
		if a.prompt.none() {
			return sess, loginRequired("The client specified not to prompt, but the user is not logged in.")
		}
		return sess, errSignIn
	}
	if s.fresh(a, sess) && (a.prompt.hint == "" || a.prompt.hint == sess.UserID) {
		return sess, nil
	}
	if a.prompt.none() {
		return sess, loginRequired("The client specified not to prompt, but the client app requires re-authentication or MFA.")
	}
	return sess, errSignIn
}

func loginRequired(text string) error {
	return oauthError("login_required", http.StatusBadRequest, "%s", text)
}

// fresh reports whether the session's sign-in is as new as the request wants it: no
// older than max_age, and for prompt=login newer than the moment at which this very
// request sent the person to the sign-in page.
func (s *Service) fresh(a *authorization, sess session.Session) bool {
	since, marked := s.openMarker(a.form)
	if marked && !sess.AuthTime.Before(since) {
		return true
	}
	if slices.Contains(a.prompt.values, "login") || slices.Contains(a.prompt.values, "select_account") {
		return false
	}
	return !a.prompt.aged || s.now().Sub(sess.AuthTime) < a.prompt.maxAge
}

// The marker is the time at which a request sent a person to the sign-in page, sealed
// and bound to every parameter of the request, so that it means nothing in another.
const (
	markerParam   = "provost_since"
	markerPurpose = "authorize-marker"
	maxMarkerAge  = time.Hour
)

func (s *Service) sealMarker(form url.Values, now time.Time) string {
	plain := binary.BigEndian.AppendUint64(nil, uint64(now.UnixMicro()))
	return base64.RawURLEncoding.EncodeToString(s.Keys.Seal(markerPurpose, form.Encode(), plain))
}

func (s *Service) openMarker(form url.Values) (since time.Time, ok bool) {
	sealed, err := base64.RawURLEncoding.DecodeString(form.Get(markerParam))
	if err != nil || len(sealed) == 0 {
		return time.Time{}, false
	}
	rest := url.Values{}
	for name, values := range form {
		if name != markerParam {
			rest[name] = values
		}
	}
	plain, err := s.Keys.Unseal(markerPurpose, rest.Encode(), sealed)
	if err != nil || len(plain) != 8 {
		return time.Time{}, false
	}
	since = time.UnixMicro(int64(binary.BigEndian.Uint64(plain))).UTC()
	return since, s.now().Sub(since) < maxMarkerAge
}
