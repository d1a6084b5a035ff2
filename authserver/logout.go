package authserver

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/provost-id/provost/authserver/session"
)

// logout serves GET and POST /v1/logout (OpenID Connect RP-Initiated Logout 1.0). With
// an ID token of the person who is signed in, the session ends at once; without, a
// page asks first, so that no other site can sign a person out (ADV-46).
func (s *Service) logout(w http.ResponseWriter, r *http.Request, srv *server) {
	form := r.Form
	c, subject, err := s.logoutClient(r, srv)
	if err != nil {
		writeErrorPage(w, s.explain(r.Context(), err))
		return
	}
	sess, err := s.Sessions.FromRequest(r)
	if err != nil && !errors.Is(err, session.ErrNone) {
		s.writeError(w, r, err)
		return
	}
	if err == nil && subject != sess.UserID && !s.confirmed(r, sess.ID) {
		s.askLogout(w, r, c, sess.ID)
		return
	}
	if err == nil {
		if err := s.Sessions.End(r.Context(), sess.ID); err != nil {
			s.writeError(w, r, err)
			return
		}
	}
	target := form.Get("post_logout_redirect_uri")
	if c == nil || target == "" {
		writePage(w, http.StatusOK, "logout.html", "", view{Title: "Signed out"})
		return
	}
	redirectAfterLogout(w, r, target, form.Get("state"))
}

// logoutClient finds whose logout it is, by the hint or by client_id, and checks where
// it wants the person to go.
func (s *Service) logoutClient(r *http.Request, srv *server) (c *Client, subject string, err error) {
	clientID := r.Form.Get("client_id")
	if hint := r.Form.Get("id_token_hint"); hint != "" {
		claims, err := srv.ring.verify(hint, typJWT) // it may have expired
		if err != nil || claims["iss"] != srv.Issuer || clientID != "" && claims["aud"] != clientID {
			return nil, "", badRequest("The 'id_token_hint' is not an ID token of this authorization server.")
		}
		clientID, subject = stringClaim(claims, "aud"), stringClaim(claims, "sub")
	}
	target := r.Form.Get("post_logout_redirect_uri")
	if clientID == "" && target == "" {
		return nil, subject, nil
	}
	c, err = s.Client(r.Context(), clientID)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return nil, "", err
	}
	if err != nil || target != "" && !slices.Contains(c.PostLogoutRedirectURIs, target) {
		return nil, "", badRequest("The 'post_logout_redirect_uri' parameter must be a Logout redirect URI in the client app settings.")
	}
	return c, subject, nil
}

const (
	confirmParam   = "provost_confirm"
	confirmPurpose = "logout-confirmation"
)

// confirmed reports whether the person has answered our own page, which no other site
// can read: it carries a value sealed for this session.
func (s *Service) confirmed(r *http.Request, sessionID string) bool {
	if r.Method != http.MethodPost {
		return false
	}
	sealed, err := base64.RawURLEncoding.DecodeString(r.PostForm.Get(confirmParam))
	if err != nil {
		return false
	}
	_, err = s.Keys.Unseal(confirmPurpose, sessionID, sealed)
	return err == nil
}

// askLogout shows the page that asks. c is the client that sent the person, nil for none.
func (s *Service) askLogout(w http.ResponseWriter, r *http.Request, c *Client, sessionID string) {
	hidden := map[string]string{confirmParam: base64.RawURLEncoding.EncodeToString(s.Keys.Seal(confirmPurpose, sessionID, nil))}
	for _, name := range []string{"client_id", "post_logout_redirect_uri", "state"} {
		if v := r.Form.Get(name); v != "" {
			hidden[name] = v
		}
	}
	// A form may lead on by redirect, which form-action restrains too.
	action := "'self'"
	if o := originOf(hidden["post_logout_redirect_uri"]); o != "" {
		action += " " + o
	}
	v := view{Title: "Sign out", Action: r.URL.Path, Hidden: hidden}
	if c != nil {
		v.Client = c.Name
	}
	writePage(w, http.StatusOK, "logout.html", action, v)
}

func redirectAfterLogout(w http.ResponseWriter, r *http.Request, target, state string) {
	u, err := url.Parse(target)
	if err != nil { // it was registered, so it parses
		writeErrorPage(w, badRequest("The redirect URI is not valid."))
		return
	}
	if state != "" {
		q := u.Query()
		q.Set("state", state)
		u.RawQuery = q.Encode()
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, u.String(), http.StatusSeeOther)
}
