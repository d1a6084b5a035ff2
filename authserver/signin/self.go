package signin

import (
	"crypto/hmac"
	"encoding/base64"
	"errors"
	"net/http"

	"github.com/provost-id/provost/authserver/session"
)

// selfRequest is the request of somebody who came to the page by itself.
func selfRequest() session.Request { return session.Request{ReturnTo: "/signin"} }

// showSelf serves GET /signin without a request: who is signed in here, or the page.
func (s *Server) showSelf(w http.ResponseWriter, r *http.Request) {
	found, err := s.Sessions.FromRequest(r)
	if errors.Is(err, session.ErrNone) {
		sealed := s.Sessions.SealRequest(selfRequest())
		v, out, err := s.open(r, sealed)
		if out == nil && err == nil {
			out, err = s.ask(v, http.StatusOK, problem{})
		}
		s.write(w, r, out, err)
		return
	}
	if err == nil {
		err = s.showSession(w, r, found)
	}
	if err != nil {
		s.write(w, r, nil, err)
	}
}

func (s *Server) showSession(w http.ResponseWriter, r *http.Request, found session.Session) error {
	u, err := s.Directory.User(r.Context(), found.UserID)
	if err != nil {
		return err
	}
	profile, err := s.Directory.Profile(u)
	if err != nil {
		return err
	}
	person, _ := profile["login"].(string)
	if name, _ := profile["displayName"].(string); name != "" {
		person = name
	}
	render(w, http.StatusOK, "session.html", view{
		Title: "Signed in", Person: person, Token: s.signOutToken(found),
	})
	return nil
}

func (s *Server) signOutToken(found session.Session) string {
	return base64.RawURLEncoding.EncodeToString(s.Keys.Hash("signin-sign-out", found.ID))
}

// postSignOut serves POST /signin/sign-out: only a page of ours has the token (logout CSRF).
func (s *Server) postSignOut(w http.ResponseWriter, r *http.Request) {
	out, err := s.signOut(r)
	s.write(w, r, out, err)
}

func (s *Server) signOut(r *http.Request) (*reply, error) {
	refused := &reply{status: http.StatusForbidden, step: stepFailed, problem: foreign}
	if s.guard(r) != nil || r.ParseForm() != nil {
		return refused, nil
	}
	out := &reply{redirect: "/signin/signed-out", cookies: []*http.Cookie{s.Sessions.ClearCookie()}}
	found, err := s.Sessions.FromRequest(r)
	if errors.Is(err, session.ErrNone) {
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	if !hmac.Equal([]byte(r.PostForm.Get("token")), []byte(s.signOutToken(found))) {
		return refused, nil
	}
	return out, s.Sessions.End(r.Context(), found.ID)
}

// showSignedOut serves GET /signin/signed-out, where a sign-out without a registered
// redirect ends. It does nothing itself.
func (s *Server) showSignedOut(w http.ResponseWriter, _ *http.Request) {
	render(w, http.StatusOK, "signed-out.html", view{Title: "Signed out"})
}
