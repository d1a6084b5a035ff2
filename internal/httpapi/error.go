package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"

	"github.com/provost-id/provost/internal/id"
)

// Error is an error of the management API, written as {errorCode, errorSummary,
// errorLink, errorId, errorCauses}. Only the code is a promise; texts may change.
type Error struct {
	Status  int
	Code    string // one of the E constants
	Summary string
	Causes  []string
}

// Error implements error.
func (e *Error) Error() string { return e.Code + " " + e.Summary }

// GetStatus implements huma.StatusError.
func (e *Error) GetStatus() int { return e.Status }

type errorBody struct {
	Code    string       `json:"errorCode"`
	Summary string       `json:"errorSummary"`
	Link    string       `json:"errorLink"`
	ID      string       `json:"errorId"`
	Causes  []errorCause `json:"errorCauses"`
}

type errorCause struct {
	Summary string `json:"errorSummary"`
}

// MarshalJSON implements json.Marshaler with the contract's body.
func (e *Error) MarshalJSON() ([]byte, error) {
	body := errorBody{Code: e.Code, Summary: e.Summary, Link: e.Code, ID: id.New(id.Error), Causes: []errorCause{}}
	for _, c := range e.Causes {
		body.Causes = append(body.Causes, errorCause{Summary: c})
	}
	return json.Marshal(body)
}

// New returns an error of any code.
func New(status int, code, summary string, causes ...string) *Error {
	return &Error{Status: status, Code: code, Summary: summary, Causes: causes}
}

// Invalid is E0000001, 400: the input of field does not hold, for the causes.
func Invalid(field string, causes ...string) *Error {
	return New(http.StatusBadRequest, EValidation, "Api validation failed: "+field, causes...)
}

// Malformed is E0000003, 400: the body is not JSON.
func Malformed() *Error {
	return New(http.StatusBadRequest, EMalformed, "The request body was not well-formed.")
}

// Forbidden is E0000006, 403.
func Forbidden() *Error {
	return New(http.StatusForbidden, EForbidden, "You do not have permission to perform the requested action")
}

// NotFound is E0000007, 404: no object of the type has the identifier.
func NotFound(id, typ string) *Error {
	return New(http.StatusNotFound, ENotFound, "Not found: Resource not found: "+id+" ("+typ+")")
}

// Unauthorized is E0000011, 401.
func Unauthorized() *Error {
	return New(http.StatusUnauthorized, EInvalidToken, "Invalid token provided")
}

// Conflict is E0000195, 409.
func Conflict(what string, causes ...string) *Error {
	return New(http.StatusConflict, EConflict, "Api validation failed due to conflict: "+what, causes...)
}

func internal() *Error {
	return New(http.StatusInternalServerError, EInternal, "Internal Server Error")
}

// WriteError answers with err as the management API does. An error that is not an
// *Error is E0000009, 500, and is logged here and nowhere else.
func WriteError(w http.ResponseWriter, r *http.Request, err error) {
	writeBody(w, asError(r.Context(), err))
}

func asError(ctx context.Context, err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	if TooLarge(err) {
		return tooLarge()
	}
	logUnknown(ctx, err)
	return internal()
}

func logUnknown(ctx context.Context, err error) {
	info := requestOf(ctx)
	info.log.ErrorContext(ctx, "request failed", slog.String("request_id", info.id), slog.Any("error", err))
}

func writeBody(w http.ResponseWriter, e *Error) {
	body, err := json.Marshal(e)
	if err != nil { // only for a type that cannot be encoded
		panic(err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(e.Status)
	_, _ = w.Write(body) // the client has gone; there is nobody to tell
}
