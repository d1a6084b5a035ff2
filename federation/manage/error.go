package manage

import (
	"errors"
	"net/http"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/federation"
	"github.com/provost-id/provost/internal/httpapi"
)

// apiError turns the errors of federation into those of the API. nil stays nil.
func apiError(err error, objectID string) error {
	var invalid *federation.Invalid
	switch {
	case errors.As(err, &invalid):
		return httpapi.Invalid(invalid.Field, invalid.Error())
	case errors.Is(err, federation.ErrNotFound):
		return httpapi.NotFound(objectID, "IdpEntity")
	case errors.Is(err, federation.ErrNoLink), errors.Is(err, directory.ErrNotFound):
		return httpapi.NotFound(objectID, "User")
	case errors.Is(err, federation.ErrConflict):
		return httpapi.New(http.StatusConflict, httpapi.EDuplicate, "An object with this field already exists in the current organization")
	}
	return err
}
