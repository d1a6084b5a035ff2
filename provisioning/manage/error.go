package manage

import (
	"errors"
	"net/http"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/provisioning"
)

// apiError turns an error of the domain into one of the API. id and typ name the
// object that a missing one is. What it does not know goes through, is logged by
// httpapi and shown as internal.
func apiError(err error, id, typ string) error {
	var invalid *directory.InvalidError
	var target *provisioning.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &invalid):
		return httpapi.Invalid(invalid.Field, invalid.Error())
	case errors.As(err, &target):
		return settingsError(target)
	case errors.Is(err, directory.ErrNotFound):
		return httpapi.NotFound(id, typ)
	case errors.Is(err, directory.ErrLabel):
		return httpapi.New(http.StatusBadRequest, httpapi.ELabel, "The application label must not be the same as another existing application label.", err.Error())
	case errors.Is(err, directory.ErrAssigned):
		return httpapi.New(http.StatusConflict, httpapi.EAssigned, "The given user is already assigned to the application.")
	case errors.Is(err, directory.ErrInactiveUser):
		return httpapi.New(http.StatusForbidden, httpapi.EInactiveUser, "You cannot assign apps or update app profiles for an inactive user.")
	case errors.Is(err, directory.ErrAppActive):
		return httpapi.New(http.StatusForbidden, httpapi.EForbidden, "You do not have permission to perform the requested action", err.Error())
	}
	return importError(err)
}

func importError(err error) error {
	switch {
	case errors.Is(err, provisioning.ErrRunning):
		return httpapi.Conflict("import", err.Error())
	case errors.Is(err, provisioning.ErrNotAwaiting):
		return httpapi.Conflict("status", err.Error())
	case errors.Is(err, provisioning.ErrAppInactive):
		return httpapi.Invalid("status", "status: "+err.Error())
	case errors.Is(err, provisioning.ErrNoConnector), errors.Is(err, provisioning.ErrUnsupported):
		return httpapi.New(http.StatusNotImplemented, httpapi.EUnsupported, "Unsupported operation.", err.Error())
	}
	return err
}

// settingsError names the setting that a connector does not take.
func settingsError(e *provisioning.Error) error {
	field := "settings.app"
	if e.Attr != "" {
		field += "." + e.Attr
	}
	reason := e.Error()
	if e.Err != nil {
		reason = e.Err.Error()
	}
	return httpapi.Invalid(field, field+": "+reason)
}

// mappingError is apiError with the code of mappings (E0000045).
func mappingError(err error, id string) error {
	var invalid *directory.InvalidError
	if errors.As(err, &invalid) {
		return httpapi.New(http.StatusBadRequest, httpapi.EMapping, "Field mapping bad request.", invalid.Error())
	}
	return apiError(err, id, "Mapping")
}
