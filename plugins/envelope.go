package plugins

import "time"

// Type says which flow a hook extends.
type Type string

// TypeToken is the token hook: it sees the tokens before they are signed.
const TypeToken Type = "com.okta.oauth2.tokens.transform"

// TimeFormat is how times are written in payloads: ISO 8601, milliseconds, Z.
const TimeFormat = "2006-01-02T15:04:05.000Z"

// Envelope is what every payload begins with, in the style of CloudEvents 0.1. The
// versions are strings.
type Envelope struct {
	EventID           string `json:"eventId"` // unique, for de-duplication; a retry carries the same
	EventTime         string `json:"eventTime"`
	EventType         Type   `json:"eventType"`
	EventTypeVersion  string `json:"eventTypeVersion"`
	CloudEventVersion string `json:"cloudEventVersion"`
	ContentType       string `json:"contentType"`
	Source            string `json:"source"` // for a token hook the authorize or token URL
}

// fill sets what the caller has left empty.
func (e *Envelope) fill(t Type, id string, now time.Time) {
	e.EventType, e.EventTypeVersion = t, "1.0"
	e.CloudEventVersion, e.ContentType = "0.1", "application/json"
	if e.EventID == "" {
		e.EventID = id
	}
	if e.EventTime == "" {
		e.EventTime = now.UTC().Format(TimeFormat)
	}
}
