package authserver

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"github.com/provost-id/provost/internal/httpapi"
)

// token serves POST /v1/token (RFC 6749, section 3.2).
func (s *Service) token(w http.ResponseWriter, r *http.Request, srv *server) {
	if err := checkTokenRequest(r); err != nil {
		s.writeError(w, r, err)
		return
	}
	ctx, provider := r.Context(), srv.provider
	req, err := provider.NewAccessRequest(ctx, r, &tokenSession{server: srv})
	if err != nil {
		s.writeError(w, r, err)
		return
	}
	if err := s.mint(ctx, r, req); err != nil {
		s.writeError(w, r, err)
		return
	}
	resp, err := provider.NewAccessResponse(ctx, req)
	if err != nil {
		s.writeError(w, r, err)
		return
	}
	if ts := sessionOf(req); ts.grant == nil { // fosite counts the lifetime from its own clock
		resp.SetExpiresIn(ts.lifetime.access)
		resp.SetTokenType("Bearer")
	}
	provider.WriteAccessResponse(ctx, w, req, resp)
}

// checkTokenRequest refuses what fosite would let pass, or answer with other words.
func checkTokenRequest(r *http.Request) error {
	grantType := r.PostForm.Get("grant_type")
	switch {
	case grantType == "":
		return badRequest("The token request must specify a 'grant_type'.")
	case !slices.Contains(ruleGrantTypes, grantType):
		return oauthError("unsupported_grant_type", http.StatusBadRequest,
			"The authorization grant type is not supported by the authorization server. Configured grant types: [%s].", strings.Join(ruleGrantTypes, ", "))
	case r.Header.Get("Origin") != "" && grantType == grantCode && r.PostForm.Get("code_verifier") == "":
		return invalidClient("Browser requests to the token endpoint must use Proof Key for Code Exchange.")
	}
	return nil
}

// parseForm reads a form and refuses a parameter that is sent twice (RFC 6749,
// section 3.2).
func parseForm(r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		if httpapi.TooLarge(err) {
			return oauthError("invalid_request", http.StatusRequestEntityTooLarge, "The request body is too large.")
		}
		return badRequest("The request body is not a well-formed form.")
	}
	for name, values := range r.Form {
		if len(values) > 1 {
			return badRequest("The parameter '%s' is sent more than once.", name)
		}
	}
	return nil
}

// writeError answers with an OAuth error. Every error of these endpoints ends here or
// in writeAuthorizeError; one that is nobody's fault outside is logged here.
func (s *Service) writeError(w http.ResponseWriter, r *http.Request, err error) {
	e := s.explain(r.Context(), err)
	if e.Status == http.StatusUnauthorized && e.Code != "access_denied" {
		// RFC 6749, section 5.2: a client that failed by Basic is told so. One that the
		// policy denies has authenticated, and libraries stop reading at a challenge.
		w.Header().Set("WWW-Authenticate", `Basic realm="provost"`)
	}
	writeJSON(w, e.Status, map[string]string{"error": e.Code, "error_description": e.Description})
}

func (s *Service) explain(ctx context.Context, err error) *Error {
	e, known := asError(err)
	if !known {
		s.Log.ErrorContext(ctx, "request failed", slog.String("request_id", httpapi.RequestID(ctx)), slog.Any("error", err))
	}
	return e
}
