package scim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/directory/passwords"
	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
	wire "github.com/provost-id/provost/schemas/scim"
)

// writeError turns an error of the domain into a SCIM error (RFC 7644, section 3.12).
// One it does not know is 500 outside, and is logged here with the request ID.
func (s *Server) writeError(w http.ResponseWriter, r *http.Request, err error) {
	status, scimType, detail := s.problem(r, err)
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	writeErrorBody(w, status, scimType, detail)
}

// problem is what a client is told of an error.
func (s *Server) problem(r *http.Request, err error) (status int, scimType, detail string) {
	status, scimType, detail = describe(err)
	if status == http.StatusInternalServerError {
		id := httpapi.RequestID(r.Context())
		s.Directory.Log.ErrorContext(r.Context(), "scim request failed", slog.String("request_id", id), slog.Any("error", err))
		detail = "internal error; request " + id
	}
	return status, scimType, detail
}

func describe(err error) (status int, scimType, detail string) {
	var invalid *schemas.Error
	var conflict *directory.Conflict
	var cursor *directory.CursorError
	var position *directory.PositionError
	var status2 *statusError
	switch {
	case errors.As(err, &status2):
		return status2.status, status2.scimType, status2.detail
	case httpapi.TooLarge(err):
		return http.StatusRequestEntityTooLarge, "", "the request body is larger than allowed"
	case errors.As(err, &invalid):
		return http.StatusBadRequest, invalid.ScimType, invalid.Error()
	case errors.As(err, &conflict):
		return http.StatusConflict, schemas.Uniqueness, "attribute \"" + conflict.Attr + "\": another " + conflict.Type + " has this value"
	case errors.As(err, &cursor):
		if cursor.Expired {
			return http.StatusBadRequest, "expiredCursor", cursor.Error()
		}
		return http.StatusBadRequest, "invalidCursor", cursor.Error()
	case errors.As(err, &position):
		if position.Expired {
			return http.StatusGone, "expiredChangedSince", position.Error()
		}
		return http.StatusBadRequest, "invalidChangedSince", position.Error()
	}
	return describeSentinel(err)
}

func describeSentinel(err error) (status int, scimType, detail string) {
	switch {
	case errors.Is(err, directory.ErrNotFound):
		return http.StatusNotFound, "", "there is no resource with this id"
	case errors.Is(err, directory.ErrVersion):
		return http.StatusPreconditionFailed, "", "the resource has changed: its version is not the one of If-Match"
	case errors.Is(err, directory.ErrOwned):
		// RFC 7644, section 3.12: not compatible with the attribute's current state.
		return http.StatusBadRequest, schemas.Mutability, err.Error()
	case errors.Is(err, directory.ErrProtected):
		return http.StatusForbidden, "", "built-in groups, and how an administrator signs in, cannot be changed by SCIM"
	case errors.Is(err, directory.ErrBounds):
		return http.StatusForbidden, "", err.Error()
	case errors.Is(err, passwords.ErrRefused):
		return http.StatusBadRequest, schemas.InvalidValue, "attribute \"password\": " + err.Error()
	case errors.Is(err, directory.ErrTransition):
		return http.StatusBadRequest, schemas.InvalidValue, "attribute \"active\": " + err.Error()
	case errors.Is(err, passwords.ErrBusy):
		return http.StatusServiceUnavailable, "", err.Error()
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, sqldb.ErrBudget): // of the database: requests have no deadline of their own
		return http.StatusServiceUnavailable, "", "the database is busy, or the change too large for one transaction; nothing was changed"
	}
	return http.StatusInternalServerError, "", ""
}

// inOperation says of an error of the domain which operation of the PATCH it is about.
func inOperation(err error, ops []schemas.PatchOp) error {
	status, scimType, detail := describe(err)
	n := schemas.OperationOn(ops, attributeOf(err))
	if n == 0 || status == http.StatusInternalServerError {
		return schemas.InOperation(err, ops)
	}
	return &statusError{status: status, scimType: scimType, detail: fmt.Sprintf("operation %d: %s", n, detail)}
}

// attributeOf is the attribute that an error of the domain is about, empty for none.
func attributeOf(err error) string {
	var conflict *directory.Conflict
	var owned *directory.OwnedError
	var beyond *directory.BoundsError
	switch {
	case errors.As(err, &beyond):
		return beyond.Attr
	case errors.As(err, &conflict):
		return conflict.Attr
	case errors.As(err, &owned):
		return owned.Attr
	case errors.Is(err, passwords.ErrRefused):
		return "password"
	case errors.Is(err, directory.ErrTransition):
		return "active"
	}
	return ""
}

// statusError is what is wrong with a request before the domain sees it.
type statusError struct {
	status           int
	scimType, detail string
}

func (e *statusError) Error() string { return e.detail }

func badRequest(scimType, detail string) error {
	return &statusError{status: http.StatusBadRequest, scimType: scimType, detail: detail}
}

// writeStatus answers with an error that has no scimType.
func writeStatus(w http.ResponseWriter, _ *http.Request, status int, detail string) {
	writeErrorBody(w, status, "", detail)
}

func writeErrorBody(w http.ResponseWriter, status int, scimType, detail string) {
	body, err := json.Marshal(wire.NewError(status, scimType, detail))
	if err != nil { // only for a type that cannot be encoded
		panic(err)
	}
	writeJSON(w, status, body)
}
