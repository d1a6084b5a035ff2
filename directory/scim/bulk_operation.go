package scim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/provost-id/provost/schemas"
)

// bulkOperation is one operation of a bulk request, and what became of it.
type bulkOperation struct {
	method, bulkID, path, version string
	data                          []byte

	// at is the endpoint that the path leads to, id the rest of the path: of a resource
	// that is there, or bulkId:x for one that is created beside it.
	at endpoint
	id string
	// unresolved says that the path names what another operation creates.
	unresolved bool
	// newID is the ID that the resource of a POST is going to have, and into what those
	// that refer to it are changed.
	newID string
	needs []int // operations that must have succeeded before

	// broken is why the operation cannot be tried.
	broken  error
	content content
	work    work
	outcome
}

// outcome is what became of an operation that was tried.
type outcome struct {
	done   bool
	err    error
	row    stored
	status int
}

// newBulkOperation reads an operation. What is wrong with it concerns no other.
func newBulkOperation(raw []byte) *bulkOperation {
	op := &bulkOperation{}
	if err := schemas.Members(raw, op.member); err != nil {
		op.broken = err
		return op
	}
	op.broken = op.check()
	return op
}

func (op *bulkOperation) member(name string, value []byte) error {
	switch strings.ToLower(name) {
	case "method":
		return text(name, value, &op.method)
	case "bulkid":
		return text(name, value, &op.bulkID)
	case "path":
		return text(name, value, &op.path)
	case "version":
		return text(name, value, &op.version)
	case "data":
		if string(value) != "null" {
			op.data = value
		}
	}
	return nil
}

// text reads a string; null is as good as none.
func text(name string, value []byte, into *string) error {
	if err := json.Unmarshal(value, into); err != nil {
		return badRequest(schemas.InvalidValue, name+": want string")
	}
	return nil
}

// methods that change something, as RFC 7644, section 3.7, lists them.
var bulkMethods = []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

// check applies what RFC 7644, section 3.7, says of the members.
func (op *bulkOperation) check() error {
	switch {
	case op.method == "":
		return badRequest(schemas.InvalidValue, "method: it is required and missing")
	case !slices.Contains(bulkMethods, op.method):
		return badRequest(schemas.InvalidValue, fmt.Sprintf("method: want one of %s, got %q", strings.Join(bulkMethods, ", "), clip(op.method)))
	case op.path == "":
		return badRequest(schemas.InvalidValue, "path: it is required and missing")
	case op.method == http.MethodPost && op.bulkID == "":
		return badRequest(schemas.InvalidValue, "bulkId: it is required with POST and missing")
	case op.data == nil && op.method != http.MethodDelete:
		return badRequest(schemas.InvalidValue, "data: it is required with "+op.method+" and missing")
	}
	return nil
}

// locate finds the endpoint that the path leads to, under one version of the schema.
func (op *bulkOperation) locate(find func(name string) (endpoint, bool)) error {
	rest, ok := strings.CutPrefix(op.path, "/")
	if !ok {
		return badRequest(schemas.InvalidValue, fmt.Sprintf("path: want one that begins with /, got %q", clip(op.path)))
	}
	name, id, below := strings.Cut(rest, "/")
	switch {
	case strings.EqualFold(name, "Bulk"):
		return badRequest(schemas.InvalidValue, "path: a bulk request cannot be part of another")
	case strings.EqualFold(name, "Me"):
		return badRequest(schemas.InvalidValue, "path: want the resource itself, not /Me")
	}
	if op.at, ok = find(name); !ok {
		return &statusError{status: http.StatusNotFound, detail: fmt.Sprintf("path: there is no endpoint %q", clip(op.path))}
	}
	if below == (op.method == http.MethodPost) {
		return &statusError{status: http.StatusMethodNotAllowed, detail: op.method + " is not supported at " + clip(op.path)}
	}
	var err error
	op.id, err = url.PathUnescape(id)
	if err != nil || !utf8.ValidString(op.id) || strings.ContainsRune(op.id, 0) || strings.Contains(id, "/") {
		return &statusError{status: http.StatusNotFound, detail: "path: there is nothing at a path that is not text"}
	}
	if int64(len(op.data)) > op.at.maxBody {
		return &statusError{status: http.StatusRequestEntityTooLarge, detail: fmt.Sprintf("data: larger than %d bytes", op.at.maxBody)}
	}
	return nil
}

// clip keeps what a client sent short in an answer.
func clip(s string) string {
	const most = 100
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}
