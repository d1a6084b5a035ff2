package signin

import (
	"bytes"
	"embed"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/provost-id/provost/authserver/layout"
	"github.com/provost-id/provost/federation"
	"github.com/provost-id/provost/internal/httpapi"
)

//go:embed page
var files embed.FS

var pages = layout.Parse(files, "page/*.html")

// view is what the templates show.
type view struct {
	Title    string
	Client   string
	Problem  string
	Detail   string
	Code     string
	Request  string
	Token    string
	Username string
	Optional bool // the password may be left out: a domain leads to a provider
	Wait     int  // seconds
	Again    string
	Person   string
	IdPs     []button
}

type button struct{ Name, Initial, Href string }

// write is the one place where a reply becomes an HTTP answer of the page.
func (s *Server) write(w http.ResponseWriter, r *http.Request, out *reply, err error) {
	if err != nil {
		s.logError(r, err)
		out = &reply{status: http.StatusInternalServerError, step: stepFailed, problem: internal}
	}
	for _, c := range out.cookies {
		http.SetCookie(w, c)
	}
	if out.redirect != "" {
		// 303: the password never travels on with the redirect (RFC 9110, section 15.4.4).
		http.Redirect(w, r, out.redirect, http.StatusSeeOther)
		return
	}
	v, err := s.view(r, out)
	if err != nil {
		s.logError(r, err)
	}
	w.Header().Set("Content-Security-Policy", policy(formTarget(redirectURI(out.flow))))
	if out.retry > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(v.Wait))
	}
	name := "failed.html"
	if out.step == stepPassword {
		name = "signin.html"
	}
	render(w, out.status, name, v)
}

func (s *Server) view(r *http.Request, out *reply) (view, error) {
	v := view{
		Title: "Sign in", Client: out.flow.request.ClientName,
		Problem: out.problem.text, Detail: out.detail, Code: out.problem.code,
		Request: out.flow.sealed, Token: out.token, Username: out.login,
		Wait: int(math.Ceil(out.retry.Seconds())), Again: again(out.flow),
	}
	if out.step != stepPassword {
		v.Title = "Sign-in failed"
		return v, nil
	}
	idps, err := s.Federation.ActiveIdPs(r.Context())
	for _, idp := range idps {
		first, _ := utf8.DecodeRuneInString(idp.Name)
		v.IdPs = append(v.IdPs, button{Name: idp.Name, Initial: string(first), Href: idpHref(idp, out.flow)})
		v.Optional = v.Optional || len(idp.Properties.Domains) > 0
	}
	return v, err
}

func idpHref(idp federation.IdP, f flow) string {
	return "/sso/idps/" + url.PathEscape(idp.ID) + "?request=" + url.QueryEscape(f.sealed)
}

// again is where a failed flow may start anew: at the application's own request.
func again(f flow) string {
	if f.request.ReturnTo == "" {
		return "/signin"
	}
	return f.request.ReturnTo
}

// redirectURI is where the application's flow will end.
func redirectURI(f flow) string {
	if f.request.RedirectURI != "" {
		return f.request.RedirectURI
	}
	u, err := url.Parse(f.request.ReturnTo)
	if err != nil {
		return ""
	}
	return u.Query().Get("redirect_uri")
}

func render(w http.ResponseWriter, status int, name string, v view) {
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, name, v); err != nil { // a fault of the template, met by its first test
		panic(err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // the client has gone; there is nobody to tell
}

// showPage serves GET /signin. It writes nothing.
func (s *Server) showPage(w http.ResponseWriter, r *http.Request) {
	sealed := r.URL.Query().Get("request")
	if sealed == "" {
		s.showSelf(w, r)
		return
	}
	v, out, err := s.open(r, sealed)
	if out == nil && err == nil {
		out, err = s.first(v)
	}
	s.write(w, r, out, err)
}

// first leads straight to the provider that the application asked for, or shows the page.
func (s *Server) first(v visit) (*reply, error) {
	idp := v.flow.request.IdP
	if idp == "" {
		return s.ask(v, http.StatusOK, problem{})
	}
	found, err := s.Federation.ActiveIdP(v.r.Context(), idp)
	if errors.Is(err, federation.ErrNotFound) {
		return s.ask(v, http.StatusOK, noIdP)
	}
	if err != nil {
		return nil, err
	}
	return &reply{step: stepRedirect, redirect: idpHref(found, v.flow)}, nil
}

// postPage serves POST /signin.
func (s *Server) postPage(w http.ResponseWriter, r *http.Request) {
	out, err := s.posted(r)
	s.write(w, r, out, err)
}

func (s *Server) posted(r *http.Request) (*reply, error) {
	if err := s.guard(r); err != nil {
		return &reply{status: http.StatusForbidden, step: stepFailed, problem: foreign}, nil
	}
	if err := r.ParseForm(); err != nil {
		if httpapi.TooLarge(err) {
			return &reply{status: http.StatusRequestEntityTooLarge, step: stepFailed, problem: badLink}, nil
		}
		return &reply{status: http.StatusBadRequest, step: stepFailed, problem: badLink}, nil
	}
	v, out, err := s.open(r, r.PostForm.Get("request"))
	if out != nil || err != nil {
		return out, err
	}
	return s.password(v, answer{
		token:    r.PostForm.Get("token"),
		username: strings.TrimSpace(r.PostForm.Get("username")),
		password: r.PostForm.Get("password"),
	})
}

// startIdP serves GET /sso/idps/{id}.
func (s *Server) startIdP(w http.ResponseWriter, r *http.Request) {
	sealed := r.URL.Query().Get("request")
	if sealed == "" {
		sealed = s.Sessions.SealRequest(selfRequest())
	}
	v, out, err := s.open(r, sealed)
	if out == nil && err == nil {
		out, err = s.visitIdP(v, r.PathValue("id"))
	}
	s.write(w, r, out, err)
}

// callback serves GET /oauth2/v1/authorize/callback.
func (s *Server) callback(w http.ResponseWriter, r *http.Request) {
	out, err := s.fromIdP(r, r.URL.Query())
	s.write(w, r, out, err)
}

func (s *Server) logError(r *http.Request, err error) {
	if s.Log == nil {
		return
	}
	s.Log.ErrorContext(r.Context(), "sign-in failed", slog.String("request_id", httpapi.RequestID(r.Context())), slog.Any("error", err))
}
