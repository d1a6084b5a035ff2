package httpapi

import (
	"errors"
	"net/http"
	"strings"
)

// Authenticate lets a request through with a credential that a accepts, and puts the
// Principal in its context. fail writes the error in the surface's own form; the
// WWW-Authenticate header is set before it is called.
func Authenticate(a Authenticator, fail func(w http.ResponseWriter, r *http.Request, status int, detail string)) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			p, err := authenticate(r, a)
			if err != nil {
				status, detail := refuse(w, r, err)
				fail(w, r, status, detail)
				return
			}
			next.ServeHTTP(w, withCaller(r, p))
		})
	}
}

// withCaller notes the caller in the request that the middleware knows, where it does:
// that spares a context and a copy of the request.
func withCaller(r *http.Request, p Principal) *http.Request {
	if info := requestOf(r.Context()); info != outside {
		info.caller = p
		return r
	}
	return r.WithContext(WithPrincipal(r.Context(), p))
}

var errNoCredential = errors.New("no credential")

func authenticate(r *http.Request, a Authenticator) (Principal, error) {
	token, err := credential(r)
	if err != nil {
		return Principal{}, err
	}
	return a.Authenticate(r.Context(), token)
}

// credential returns the token of an Authorization header of scheme Bearer (RFC 6750,
// section 2.1) or SSWS. Schemes are case-insensitive (RFC 9110, section 11.1).
func credential(r *http.Request) (string, error) {
	values := r.Header.Values("Authorization")
	if len(values) == 0 {
		return "", errNoCredential
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	token = strings.TrimSpace(token)
	if len(values) > 1 || token == "" || !strings.EqualFold(scheme, "Bearer") && !strings.EqualFold(scheme, "SSWS") {
		return "", ErrUnauthenticated
	}
	return token, nil
}

// refuse sets the challenge (RFC 6750, section 3): without an error code when the
// request carried no credential.
func refuse(w http.ResponseWriter, r *http.Request, err error) (int, string) {
	const realm = `Bearer realm="provost"`
	switch {
	case errors.Is(err, errNoCredential):
		w.Header().Set("WWW-Authenticate", realm)
		return http.StatusUnauthorized, "a bearer token is required"
	case errors.Is(err, ErrUnauthenticated):
		w.Header().Set("WWW-Authenticate", realm+`, error="invalid_token", error_description="the token is unknown, expired or revoked"`)
		return http.StatusUnauthorized, "the token is unknown, expired or revoked"
	}
	logUnknown(r.Context(), err)
	return http.StatusInternalServerError, "internal error"
}

// Insufficient sets the challenge of a 403 for a missing scope (RFC 6750, section 3.1).
func Insufficient(w http.ResponseWriter, scopes ...string) {
	w.Header().Set("WWW-Authenticate", `Bearer realm="provost", error="insufficient_scope", scope="`+strings.Join(scopes, " ")+`"`)
}
