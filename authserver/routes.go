package authserver

import (
	"errors"
	"net/http"

	"github.com/provost-id/provost/internal/httpapi"
)

// maxForm bounds a request body: a form with one or two tokens.
const maxForm = 64 << 10

// endpointHandler serves one endpoint of one server.
type endpointHandler func(w http.ResponseWriter, r *http.Request, srv *server)

// Routes mounts every endpoint of every server, the org server's without its ID.
func (s *Service) Routes(mux *http.ServeMux) {
	limit := httpapi.LimitBody(maxForm)
	mount := func(methods []string, path string, h endpointHandler) {
		for _, method := range methods {
			mux.Handle(method+" /oauth2/v1/"+path, limit(s.of(OrgServer, h)))
			mux.Handle(method+" /oauth2/{as}/v1/"+path, limit(s.of("", h)))
		}
	}
	read, write, both := []string{"GET"}, []string{"POST"}, []string{"GET", "POST"}
	mount(both, "authorize", s.authorize)
	mount(write, "token", s.shared(s.token))
	mount(write, "introspect", s.introspect)
	mount(write, "revoke", s.shared(s.revoke))
	mount(read, "keys", s.public(s.keys))
	mount(both, "userinfo", s.shared(s.userinfo))
	mount(both, "logout", s.logout)
	for _, path := range []string{"token", "revoke", "keys", "userinfo"} {
		mount([]string{"OPTIONS"}, path, s.preflight)
	}
	for path, serverID := range map[string]string{
		"/.well-known/openid-configuration":                   OrgServer,
		"/.well-known/oauth-authorization-server":             OrgServer,
		"/oauth2/{as}/.well-known/openid-configuration":       "",
		"/oauth2/{as}/.well-known/oauth-authorization-server": "",
		"/.well-known/oauth-authorization-server/oauth2/{as}": "", // RFC 8414, section 3.1
		"/.well-known/openid-configuration/oauth2/{as}":       "",
	} {
		mux.Handle("GET "+path, s.of(serverID, s.public(s.metadata)))
		mux.Handle("OPTIONS "+path, s.of(serverID, s.preflight))
	}
}

// of finds the server of a request, and parses its form once for everything that
// follows. The org server has no path of its own name.
func (s *Service) of(serverID string, h endpointHandler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := serverID
		if id == "" {
			id = r.PathValue("as")
		}
		srv, err := s.server(r.Context(), id)
		if errors.Is(err, ErrNotFound) || serverID == "" && id == OrgServer {
			httpapi.WriteError(w, r, httpapi.NotFound(id, "AuthorizationServer"))
			return
		}
		if err != nil {
			s.writeError(w, r, err)
			return
		}
		if err := parseForm(r); err != nil {
			s.writeError(w, r, err)
			return
		}
		h(w, r, srv)
	})
}

// endpoint is the URL of an endpoint of a server.
func (s *Service) endpoint(srv *server, name string) string {
	if srv.isOrg() {
		return s.PublicURL + "/oauth2/v1/" + name
	}
	return srv.Issuer + "/v1/" + name
}
