package httpapi

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// fromHuma is the contract's error for one of huma's: what its validation found, or
// what a handler returned that is no *Error.
func fromHuma(ctx context.Context, status int, msg string, errs []error) *Error {
	for _, err := range errs {
		var e *Error
		if errors.As(err, &e) {
			return e
		}
		if TooLarge(err) {
			return tooLarge()
		}
	}
	switch status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return invalidInput(msg, errs)
	case http.StatusUnauthorized:
		return Unauthorized()
	case http.StatusForbidden:
		return Forbidden()
	case http.StatusNotFound:
		return noPath()
	case http.StatusMethodNotAllowed:
		return noMethod()
	case http.StatusNotAcceptable:
		return New(status, ENotAcceptable, "Accept Header did not contain supported media type 'application/json'")
	case http.StatusRequestTimeout:
		return New(status, EInvalidRequest, "The request body did not arrive in time.")
	case http.StatusRequestEntityTooLarge:
		return tooLarge()
	case http.StatusUnsupportedMediaType:
		return New(http.StatusBadRequest, EMediaType, "Bad request. Accept and/or Content-Type headers likely do not match supported values.")
	}
	if status >= http.StatusInternalServerError && len(errs) > 0 {
		return asError(ctx, errors.Join(errs...))
	}
	return New(status, EInvalidRequest, "The request was not valid: "+msg)
}

// invalidInput tells a body that is not JSON from one whose values do not hold.
func invalidInput(msg string, errs []error) *Error {
	if len(errs) == 0 {
		return New(http.StatusBadRequest, EInvalidRequest, "The request was not valid: "+msg)
	}
	field := ""
	var causes []string
	for _, err := range errs {
		var d *huma.ErrorDetail
		if !errors.As(err, &d) {
			causes = append(causes, err.Error())
			continue
		}
		if d.Location == "body" && isText(d.Value) { // huma puts the body there when it does not parse
			return Malformed()
		}
		at := strings.TrimPrefix(strings.TrimPrefix(d.Location, "body."), "query.")
		if field == "" {
			field = at
		}
		causes = append(causes, at+": "+d.Message) // never the value: it may be a secret
	}
	return Invalid(field, causes...)
}

func isText(v any) bool {
	_, ok := v.(string)
	return ok
}

// Schema implements huma.SchemaProvider: the body that MarshalJSON writes.
func (e *Error) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[errorBody](), true, "Error")
}
