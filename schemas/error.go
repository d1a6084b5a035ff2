package schemas

import (
	"fmt"
	"strings"
)

// The scimType keywords of RFC 7644, section 3.12, table 9.
const (
	InvalidFilter = "invalidFilter"
	InvalidPath   = "invalidPath"
	InvalidSyntax = "invalidSyntax"
	InvalidValue  = "invalidValue"
	Mutability    = "mutability"
	NoTarget      = "noTarget"
	TooMany       = "tooMany"
	Uniqueness    = "uniqueness"
)

// Error is what is wrong with a client's input. ScimType is a keyword of RFC 7644,
// section 3.12; Path names the attribute, when there is one.
type Error struct {
	ScimType  string
	Path      string
	Reason    string
	Operation int // the PATCH operation, counted from 1; 0 when it is no PATCH
}

// Error names the operation, the attribute and the reason.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Operation > 0 {
		fmt.Fprintf(&b, "operation %d: ", e.Operation)
	}
	if e.Path != "" {
		fmt.Fprintf(&b, "attribute %q: ", e.Path)
	}
	b.WriteString(e.Reason)
	return b.String()
}

func errorf(scimType, path, format string, args ...any) *Error {
	return &Error{ScimType: scimType, Path: path, Reason: fmt.Sprintf(format, args...)}
}
