package authserver

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/ory/fosite"
)

// Errors of the configuration.
var (
	// ErrNotFound is returned for an ID that names no object of the wanted kind.
	ErrNotFound = errors.New("not found")
	// ErrConflict is returned for a name that another object of the kind has.
	ErrConflict = errors.New("an object with this name already exists")
	// ErrSystem is returned for a change of an object that belongs to the system.
	ErrSystem = errors.New("system object")
)

// InvalidError says which field of a configuration object does not hold, and why.
type InvalidError struct{ Field, Reason string }

// Error names the field.
func (e *InvalidError) Error() string { return e.Field + ": " + e.Reason }

func invalid(field, format string, args ...any) error {
	return &InvalidError{Field: field, Reason: fmt.Sprintf(format, args...)}
}

// Error is an error response of an OAuth endpoint (RFC 6749, sections 4.1.2.1 and
// 5.2). The descriptions are the contract's, word for word.
type Error struct {
	Code        string
	Status      int // when it is not sent by redirect
	Description string
}

// Error gives code and description.
func (e *Error) Error() string { return e.Code + ": " + e.Description }

func oauthError(code string, status int, format string, args ...any) *Error {
	return &Error{Code: code, Status: status, Description: fmt.Sprintf(format, args...)}
}

func badRequest(format string, args ...any) *Error {
	return oauthError("invalid_request", http.StatusBadRequest, format, args...)
}

func invalidGrant(format string, args ...any) *Error {
	return oauthError("invalid_grant", http.StatusBadRequest, format, args...)
}

func invalidScope(format string, args ...any) *Error {
	return oauthError("invalid_scope", http.StatusBadRequest, format, args...)
}

func invalidClient(format string, args ...any) *Error {
	return oauthError("invalid_client", http.StatusUnauthorized, format, args...)
}

func accessDenied(status int, format string, args ...any) *Error {
	return oauthError("access_denied", status, format, args...)
}

// Descriptions that several places answer with.
const (
	textCode        = "The authorization code is invalid or has expired."
	textRefresh     = "The refresh token is invalid or expired."
	textPKCE        = "PKCE verification failed."
	textVerifier    = "PKCE code verifier is required by the application."
	textPolicy      = "Policy evaluation failed for this request, please check the policy configurations."
	textAssigned    = "User is not assigned to the client application."
	textScope       = "One or more scopes are not configured for the authorization server resource."
	textOtherClient = "The grant was issued to another client. Please make sure the 'client_id' matches the one used at the authorize request."
	textOtherServer = "The grant was issued for another authorization server."
	textRedirect    = "The 'redirect_uri' parameter must be a Login redirect URI in the client app settings."
)

// asError is the one place where an error becomes an OAuth error. ok is false for
// an error that is nobody's fault outside: it is logged by the caller.
func asError(err error) (e *Error, ok bool) {
	if errors.As(err, &e) {
		return e, true
	}
	var f *fosite.RFC6749Error
	if errors.As(err, &f) && f.CodeField < http.StatusInternalServerError {
		return fromFosite(f), true
	}
	return oauthError("server_error", http.StatusInternalServerError, "Internal error."), false
}

// fromFosite keeps fosite's code and gives the contract's words where it has any.
func fromFosite(f *fosite.RFC6749Error) *Error {
	switch {
	case f.ErrorField == "invalid_scope":
		return invalidScope(textScope)
	case f.ErrorField == "invalid_state":
		return badRequest("The authentication request has an invalid 'state' parameter.")
	}
	return oauthError(f.ErrorField, f.CodeField, "%s", f.GetDescription())
}
