package signin

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/provost-id/provost/authserver/layout"
	"github.com/provost-id/provost/authserver/session"
	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/federation"
	"github.com/provost-id/provost/federation/oidc"
	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/internal/keyring"
	"github.com/provost-id/provost/internal/sqldb"
)

// Server serves /signin, /signin/v1, /sso/idps/{id} and /oauth2/v1/authorize/callback.
type Server struct {
	DB         *sqldb.DB
	Keys       *keyring.Ring
	Directory  *directory.Directory
	Sessions   *session.Store
	Federation *federation.Service
	OIDC       *oidc.Client
	PublicURL  string // without a trailing slash; the origin that forms must come from
	Log        *slog.Logger
	Now        func() time.Time
}

// Register mounts the routes.
func (s *Server) Register(mux *http.ServeMux) {
	routes := map[string]http.HandlerFunc{
		"GET /signin":                       s.showPage,
		"POST /signin":                      s.postPage,
		"GET " + layout.StylePath:           layout.ServeStyle,
		"GET /signin/signed-out":            s.showSignedOut,
		"POST /signin/sign-out":             s.postSignOut,
		"POST /signin/v1/start":             s.apiStart,
		"POST /signin/v1/password":          s.apiPassword,
		"POST /signin/v1/idp":               s.apiIdP,
		"GET /sso/idps/{id}":                s.startIdP,
		"GET /oauth2/v1/authorize/callback": s.callback,
	}
	limit := httpapi.LimitBody(maxBody)
	for pattern, h := range routes {
		mux.Handle(pattern, limit(secure(h)))
	}
}

// maxBody holds a sealed request, a user name and a password with room to spare.
const maxBody = 64 << 10

// secure sets the headers of every answer. Referrer-Policy is not no-referrer, under
// which browsers send "Origin: null" with our own forms.
func secure(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", policy(""))
		h.Set("Referrer-Policy", "same-origin")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY") // for browsers that do not know frame-ancestors
		next(w, r)
	})
}

// policy is the Content-Security-Policy of a page whose form may lead to one more
// kind of address than https. Chromium holds form-action against every redirect that
// follows a form, the client's own included, so the list cannot be narrower.
func policy(formTarget string) string {
	return strings.TrimRight("default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "+
		"frame-ancestors 'none'; form-action 'self' https: "+formTarget, " ")
}

// formTarget is the source expression for a redirect URI that https: does not cover:
// a loopback address or the scheme of a native application (RFC 8252, section 7).
func formTarget(redirectURI string) string {
	u, err := url.Parse(redirectURI)
	if err != nil || u.Scheme == "" || u.Scheme == "https" || !plain(u.Scheme) {
		return ""
	}
	if u.Scheme == "http" && u.Host != "" && plain(strings.ReplaceAll(u.Host, ":", "")) {
		return "http://" + u.Host
	}
	return u.Scheme + ":"
}

// plain reports whether s can stand in a header of ours: letters, digits, "+-.".
func plain(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("+-.", r))
	}) < 0
}

// Sweep drops sign-ins and limits that have expired, a bounded number for each call.
func (s *Server) Sweep(ctx context.Context) error {
	const batch = 1000 // bounds one housekeeping transaction
	return s.DB.Write(ctx, func(tx *sqldb.Tx) error {
		now := s.now().UnixMicro()
		if _, err := tx.Exec(`DELETE FROM signins WHERE hash IN
			(SELECT hash FROM signins WHERE expires <= $1 ORDER BY expires LIMIT $2)`, now, batch); err != nil {
			return fmt.Errorf("sweep sign-ins: %w", err)
		}
		if _, err := tx.Exec(`DELETE FROM signin_limits WHERE hash IN
			(SELECT hash FROM signin_limits WHERE until <= $1 ORDER BY until LIMIT $2)`, now, batch); err != nil {
			return fmt.Errorf("sweep sign-in limits: %w", err)
		}
		return nil
	})
}

func (s *Server) now() time.Time {
	if s.Now == nil {
		return time.Now().UTC().Truncate(time.Microsecond)
	}
	return s.Now().UTC().Truncate(time.Microsecond)
}
