package provisioning

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// What can go wrong at a target. Connectors return *[Error]s that are one of these: errors.Is(err, ErrConflict).
var (
	ErrTransient   = errors.New("the target is not available")          // retry with back-off
	ErrRateLimited = errors.New("the target limits the rate")           // retry after Error.RetryAfter
	ErrConflict    = errors.New("the target has such an object")        // resolve by Get, or read again for a stale version
	ErrNotFound    = errors.New("the target has no such object")        // verified
	ErrInvalid     = errors.New("the target refused the value")         // no retry helps; Error.Attr when known
	ErrDenied      = errors.New("the target denied it")                 // wrong credentials or too few rights
	ErrUnknown     = errors.New("the outcome at the target is open")    // resolve by Get before any retry
	ErrCursorLost  = errors.New("the target forgot the cursor")         // a full read is needed
	ErrTruncated   = errors.New("the target did not tell everything")   // nothing may be inferred
	ErrTooLarge    = errors.New("the target's answer is too large")     // bounded on our side
	ErrConfig      = errors.New("the settings of the app are not good") // Error.Attr names the setting
)

// An Error is what a target said, sorted by what is to be done about it.
type Error struct {
	Kind       error         // one of the sentinels above
	Op         string        // what was tried: "add uid=ada,ou=people", "PATCH /Users/42"
	Status     int           // HTTP status or LDAP result code; 0 when there was no answer
	Body       string        // the target's own words, at most MaxErrorBody bytes
	Attr       string        // the attribute or setting that is at fault, when known
	RetryAfter time.Duration // how long the target wants to be left alone; 0 when it does not say
	Err        error         // what lies beneath, or nil
}

// MaxErrorBody bounds the target's own words in an Error, in bytes.
const MaxErrorBody = 2048

// Error says what was tried, what it means and the target's own words, in one line.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Op != "" {
		b.WriteString(e.Op + ": ")
	}
	b.WriteString(e.Kind.Error())
	if e.Attr != "" {
		fmt.Fprintf(&b, " (%s)", e.Attr)
	}
	if e.Status != 0 {
		fmt.Fprintf(&b, ": %d", e.Status)
	}
	switch {
	case e.Body != "":
		b.WriteString(": " + strings.Join(strings.Fields(e.Body), " "))
	case e.Err != nil:
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

// Is tells the kind.
func (e *Error) Is(target error) bool { return target == e.Kind }

// Unwrap returns what lies beneath. An Error within an Error is passed over: an error is of one kind only.
func (e *Error) Unwrap() error {
	if inner, ok := e.Err.(*Error); ok {
		return inner.Unwrap()
	}
	return e.Err
}

// Words cuts a target's answer to what an Error may hold, as valid UTF-8.
func Words(body string) string {
	if len(body) > MaxErrorBody {
		body = body[:MaxErrorBody]
	}
	if !utf8.ValidString(body) {
		body = strings.ToValidUTF8(body, "�")
	}
	return strings.TrimSpace(body)
}
