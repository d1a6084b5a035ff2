package signin

import (
	"encoding/json"
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// The flow API is the page as JSON: the same steps, the same cookie, the same rules.
// A script on a page of this origin drives it.

// flowRequest is the body of every call.
type flowRequest struct {
	Request  string `json:"request"`
	Token    string `json:"token"`
	Username string `json:"username"`
	Password string `json:"password"`
	IdP      string `json:"idp"`
}

// flowReply is the body of every answer.
type flowReply struct {
	Step     string     `json:"step"` // password, redirect, done or failed
	Redirect string     `json:"redirect,omitempty"`
	Token    string     `json:"token,omitempty"` // of the next call
	Username string     `json:"username,omitempty"`
	Client   *flowName  `json:"client,omitempty"`
	IdPs     []flowName `json:"idps,omitempty"`
	Error    *flowError `json:"error,omitempty"`
}

type flowName struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

type flowError struct {
	Code       string `json:"code"`
	Message    string `json:"message"`
	Detail     string `json:"detail,omitempty"`
	RetryAfter int    `json:"retryAfter,omitempty"` // seconds
}

// apiStart serves POST /signin/v1/start: what a person may do.
func (s *Server) apiStart(w http.ResponseWriter, r *http.Request) {
	s.serveFlow(w, r, func(v visit, _ flowRequest) (*reply, error) { return s.ask(v, http.StatusOK, problem{}) })
}

// apiPassword serves POST /signin/v1/password.
func (s *Server) apiPassword(w http.ResponseWriter, r *http.Request) {
	s.serveFlow(w, r, func(v visit, in flowRequest) (*reply, error) {
		return s.password(v, answer{token: in.Token, username: strings.TrimSpace(in.Username), password: in.Password})
	})
}

// apiIdP serves POST /signin/v1/idp.
func (s *Server) apiIdP(w http.ResponseWriter, r *http.Request) {
	s.serveFlow(w, r, func(v visit, in flowRequest) (*reply, error) { return s.visitIdP(v, in.IdP) })
}

func (s *Server) serveFlow(w http.ResponseWriter, r *http.Request, step func(visit, flowRequest) (*reply, error)) {
	in, out := s.decodeFlow(w, r)
	var v visit
	var err error
	if out == nil {
		v, out, err = s.open(r, in.Request)
	}
	if out == nil && err == nil {
		out, err = step(v, in)
	}
	s.writeFlow(w, r, out, err)
}

// decodeFlow takes JSON alone: a form of another site can send no such body unasked.
func (s *Server) decodeFlow(w http.ResponseWriter, r *http.Request) (in flowRequest, out *reply) {
	if s.guard(r) != nil {
		return in, &reply{status: http.StatusForbidden, step: stepFailed, problem: foreign}
	}
	if typ, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || typ != "application/json" {
		return in, &reply{status: http.StatusUnsupportedMediaType, step: stepFailed, problem: badLink}
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return in, &reply{status: http.StatusBadRequest, step: stepFailed, problem: badLink}
	}
	return in, nil
}

// writeFlow is the one place where a reply becomes an HTTP answer of the flow API.
func (s *Server) writeFlow(w http.ResponseWriter, r *http.Request, out *reply, err error) {
	if err != nil {
		s.logError(r, err)
		out = &reply{status: http.StatusInternalServerError, step: stepFailed, problem: internal}
	}
	body, err := s.flowBody(r, out)
	if err != nil {
		s.logError(r, err)
	}
	for _, c := range out.cookies {
		http.SetCookie(w, c)
	}
	if body.Error != nil && body.Error.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(body.Error.RetryAfter))
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(max(out.status, http.StatusOK))
	_ = json.NewEncoder(w).Encode(body) // the client has gone; there is nobody to tell
}

func (s *Server) flowBody(r *http.Request, out *reply) (flowReply, error) {
	body := flowReply{Step: out.step, Redirect: out.redirect, Token: out.token, Username: out.login}
	v, err := s.view(r, out)
	if out.problem.code != "" {
		body.Error = &flowError{Code: out.problem.code, Message: out.problem.text, Detail: out.detail, RetryAfter: v.Wait}
	}
	if out.step != stepPassword {
		return body, err
	}
	if c := out.flow.request; c.ClientID != "" {
		body.Client = &flowName{ID: c.ClientID, Name: c.ClientName}
	}
	idps, err := s.Federation.ActiveIdPs(r.Context())
	for _, idp := range idps {
		body.IdPs = append(body.IdPs, flowName{ID: idp.ID, Name: idp.Name})
	}
	return body, err
}
