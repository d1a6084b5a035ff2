package authserver

import (
	"net/http"
)

// Cross-origin requests are answered for the origins of redirect URIs and for no
// other, never with credentials: no cookie means anything here (Fetch, section 3.2).

// preflight serves OPTIONS.
func (s *Service) preflight(w http.ResponseWriter, r *http.Request, _ *server) {
	if s.allowOrigin(w, r, "") {
		h := w.Header()
		h.Set("Access-Control-Allow-Methods", "GET, POST")
		h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
		h.Set("Access-Control-Max-Age", "600")
	}
	w.WriteHeader(http.StatusNoContent)
}

// public is for documents that say nothing about anyone.
func (s *Service) public(h endpointHandler) endpointHandler {
	return func(w http.ResponseWriter, r *http.Request, srv *server) {
		s.allowOrigin(w, r, "")
		h(w, r, srv)
	}
}

// shared is for endpoints that a browser calls as a client: only an origin of that
// very client may read the answer.
func (s *Service) shared(h endpointHandler) endpointHandler {
	return func(w http.ResponseWriter, r *http.Request, srv *server) {
		s.allowOrigin(w, r, callerID(r, srv, s))
		h(w, r, srv)
	}
}

// allowOrigin says that the request's origin may read the answer, when it belongs to
// the client, or to any client when clientID is empty.
func (s *Service) allowOrigin(w http.ResponseWriter, r *http.Request, clientID string) bool {
	w.Header().Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	if origin == "" {
		return false
	}
	all, err := s.clients.Get(r.Context())
	if err != nil { // no permission is the safe answer
		return false
	}
	of := all.origins[origin]
	if _, ok := of[clientID]; len(of) == 0 || clientID != "" && !ok {
		return false
	}
	w.Header().Set("Access-Control-Allow-Origin", origin)
	return true
}

// callerID is the client that a request speaks for, unproven: by its form, its Basic
// credentials or its access token.
func callerID(r *http.Request, srv *server, s *Service) string {
	if id, _, ok := r.BasicAuth(); ok {
		return id
	}
	if token := bearer(r); token != "" {
		claims, err := srv.accessClaims(token, s.now())
		if err == nil {
			return stringClaim(claims, "cid")
		}
		return ""
	}
	return r.PostForm.Get("client_id")
}
