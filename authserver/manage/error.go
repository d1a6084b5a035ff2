package manage

import (
	"errors"
	"net/http"

	"github.com/provost-id/provost/authserver"
	"github.com/provost-id/provost/internal/httpapi"
)

// apiError turns the errors of authserver into those of the API. nil stays nil.
func apiError(err error, id, typ string) error {
	var fault *authserver.InvalidError
	switch {
	case errors.As(err, &fault):
		return httpapi.Invalid(fault.Field, fault.Error())
	case errors.Is(err, authserver.ErrNotFound):
		return httpapi.NotFound(id, typ)
	case errors.Is(err, authserver.ErrConflict):
		return httpapi.Invalid("name", "name: An object with this field already exists in the current organization")
	case errors.Is(err, authserver.ErrSystem):
		return httpapi.New(http.StatusForbidden, httpapi.EReadOnly, "This object belongs to the system and cannot be changed in this way.")
	}
	return err
}
