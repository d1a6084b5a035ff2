package httpapi

import (
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// maxOperationBody bounds the body of an operation, in bytes.
const maxOperationBody = 1 << 20

// Tagged makes operations of one tag, with paths below /api/v1. As in the contract they
// answer 200, also for what is made, and 204 for what is deleted.
func Tagged(tag string) func(id, method, path, summary string) huma.Operation {
	return func(id, method, path, summary string) huma.Operation {
		o := huma.Operation{
			OperationID: id, Method: method, Path: "/api/v1" + path, Summary: summary, Tags: []string{tag},
			DefaultStatus: http.StatusOK, MaxBodyBytes: maxOperationBody,
			SkipValidateBody: true, // clients send null for what they leave out; the domain checks the rest
		}
		if method == http.MethodDelete {
			o.DefaultStatus = http.StatusNoContent
		}
		return o
	}
}

// ByID is the input of an operation on one object, to be embedded. It is exported
// because huma passes over embedded types that are not.
type ByID struct {
	ID string `path:"id"`
}

// TimeFormat is how the management API writes a time, in UTC.
const TimeFormat = "2006-01-02T15:04:05.000Z"

// Stamp is a time on the wire, null for none.
func Stamp(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := t.UTC().Format(TimeFormat)
	return &s
}
