package feed

import (
	"errors"
	"time"
)

// Errors of the service.
var (
	ErrNotFound = errors.New("there is no such stream")
	// ErrStopped is returned for a poll of a stream that is paused or has expired.
	ErrStopped = errors.New("the stream is stopped")
	// ErrTooMany is returned when there are as many streams as there may be.
	ErrTooMany = errors.New("there are too many streams")
)

// InputError says what is wrong with the description of a stream.
type InputError struct{ Field, Reason string }

// Error names the field.
func (e *InputError) Error() string { return e.Field + ": " + e.Reason }

// How a stream is delivered.
const (
	Push = "push" // RFC 8935
	Poll = "poll" // RFC 8936
)

// What a stream is doing.
const (
	Enabled = "ENABLED"
	Paused  = "PAUSED"
	// Expired is a stream that was behind for longer than events are promised to be
	// kept: its receiver must read everything again.
	Expired = "EXPIRED"
)

// Retention is how far a stream may fall behind before it expires.
const Retention = 30 * 24 * time.Hour

// maxStreams bounds the streams of one organisation: each reads every change.
const maxStreams = 100

// Stream is what one receiver is told, how, and how far it has come.
type Stream struct {
	ID string
	Config
	HasAuthorization bool // whether a push carries an Authorization header
	Status           string
	Created, Updated time.Time
	State
}

// Config is what an administrator decides about a stream.
type Config struct {
	Label string `json:"label"`
	// Client is the principal that may poll: the ID of an API token or client. Its
	// external IDs name the subjects of the events.
	Client   string   `json:"clientId,omitempty"`
	Method   string   `json:"method"`             // Push or Poll
	Endpoint string   `json:"endpoint,omitempty"` // of a push
	Audience []string `json:"aud,omitempty"`      // empty: the URL of the stream
	Events   []string `json:"events"`             // URIs
	// Types are the resource types told of; empty for all.
	Types []string `json:"resourceTypes,omitempty"`
	// Attributes and Excluded limit what is told as they limit a response (RFC 7644,
	// section 3.9).
	Attributes []string `json:"attributes,omitempty"`
	Excluded   []string `json:"excludedAttributes,omitempty"`
	Algorithm  string   `json:"alg"` // ES256 or RS256
}

// State is how far a stream has come.
type State struct {
	Position  int64     // everything up to this event has been taken, or is outstanding
	Delivered time.Time // when the receiver last took something; zero for never
	Attempts  int       // failures in a row
	NextTry   time.Time
	Error     string // of the last failure, empty when it was made good
	ErrorTime time.Time
	Waiting   int // SETs that a poll has returned and nobody has acknowledged
	Letters   int // SETs that the receiver refused for good
}

// Letter is a SET that the receiver could not use, or that was given up: it is not sent
// again.
type Letter struct {
	JTI         string
	Event       string // the event of the log that it told of
	Err         string // the code of RFC 8935, section 2.4
	Description string
	Time        time.Time
}
