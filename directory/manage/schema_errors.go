package manage

import (
	"errors"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/schemas"
)

// schemaError turns what is wrong with a change of the schema into an error of the API. at
// is where an attribute stands in the body: "definitions.custom.properties.".
func schemaError(err error, at string) error {
	var wrong *schemas.DefinitionError
	var busy *directory.SchemaBusyError
	var values *directory.ValuesError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &wrong):
		field := definitionField(wrong, at)
		return httpapi.Invalid(field, field+": "+wrong.Reason)
	case errors.As(err, &busy):
		return httpapi.Conflict(busy.Attr, busy.Error())
	case errors.As(err, &values):
		return httpapi.Conflict(values.Path, values.Error()+"; ask for it by removeValues=true")
	case errors.Is(err, directory.ErrNotFound):
		return err
	}
	var known *httpapi.Error
	if errors.As(err, &known) {
		return known
	}
	return err
}

// definitionField names the key that is wrong, as the body has it.
func definitionField(e *schemas.DefinitionError, at string) string {
	field := e.Schema
	if e.Attr != "" {
		field = at + e.Attr
	}
	switch {
	case e.Key == "":
	case field == "":
		field = e.Key
	default:
		field += "." + e.Key
	}
	return orElse(field, "schema")
}
