package plugins

import "errors"

// Failures of a hook, as the dispatcher returns them when the failure mode is
// closed. Beside them stands *Error, the hook's own refusal.
var (
	ErrUnknownHook   = errors.New("no such hook")
	ErrCommunication = errors.New("could not communicate correctly with the hook")
	ErrTimeout       = errors.New("no response from the hook")
)

// ErrTemporary is wrapped by a Caller whose failed call may be repeated: status 5xx,
// a process that ended.
var ErrTemporary = errors.New("temporary failure")

// Error is the error object of a response: the hook refuses. It is closed whatever
// the failure mode is.
type Error struct {
	ErrorSummary string  `json:"errorSummary"`
	ErrorCauses  []Cause `json:"errorCauses,omitempty"`
}

// Cause is one cause of an Error.
type Cause struct {
	ErrorSummary string `json:"errorSummary"`
	Reason       string `json:"reason,omitempty"`
	LocationType string `json:"locationType,omitempty"` // "body", "header", "url" or "query"
	Location     string `json:"location,omitempty"`
	Domain       string `json:"domain,omitempty"`
}

// Error implements error.
func (e *Error) Error() string { return Description(e) }

// Refuse is the error by which a hook refuses the tokens; the summary is shown to
// the client as the error_description.
func Refuse(summary string, causes ...Cause) error {
	return &Error{ErrorSummary: summary, ErrorCauses: causes}
}

// Description is the error_description of the OAuth error that a failed hook ends
// in: the hook's own summary, or the text of the contract.
func Description(err error) string {
	var e *Error
	if errors.As(err, &e) && e.ErrorSummary != "" {
		return e.ErrorSummary
	}
	return "The callback service returned an error."
}

// Code is the E-code of a failed call: E0000135 for a hook that answered with an
// error, E0000137 for one that did not answer in time, else E0000134.
func Code(err error) string {
	var e *Error
	switch {
	case errors.As(err, &e):
		return "E0000135"
	case errors.Is(err, ErrTimeout):
		return "E0000137"
	default:
		return "E0000134"
	}
}
