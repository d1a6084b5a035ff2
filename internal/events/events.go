// Package events is the system log: one row per thing that happened, written in the
// transaction of the change and followed by every consumer through a gapless
// sequence that is stamped after commit. It leaves to its callers what an event
// means; it owns how it is stored, numbered, chained and followed.
package events

import (
	"encoding/json"
	"time"
)

// Actor is who did it: a user, an API token, a client, an app, or the system.
type Actor struct {
	ID   string `json:"id"`
	Type string `json:"type"` // "User", "Token", "Client", "App", "System"
	Name string `json:"displayName,omitempty"`
}

// System is the actor of what provost does by itself.
var System = Actor{ID: "system", Type: "System"}

// Target is what it was done to.
type Target struct {
	ID   string `json:"id"`
	Type string `json:"type"` // "User", "Group", "AppInstance", "AppUser", "Token", ...
	Name string `json:"displayName,omitempty"`
}

// Outcome of an event.
const (
	Success = "SUCCESS"
	Failure = "FAILURE"
	Denied  = "DENY"
)

// Event is one entry of the system log. Secrets are never part of it: Before and
// After are redacted by whoever makes them.
type Event struct {
	Seq     int64           `json:"-"` // zero until it is stamped
	ID      string          `json:"uuid"`
	Time    time.Time       `json:"published"`
	Type    string          `json:"eventType"` // "user.lifecycle.create", ...
	Actor   Actor           `json:"actor"`
	Targets []Target        `json:"target,omitempty"` // the first is the subject of the index
	Outcome string          `json:"result"`
	Reason  string          `json:"reason,omitempty"`
	Request string          `json:"requestId,omitempty"`
	Before  json.RawMessage `json:"before,omitempty"`
	After   json.RawMessage `json:"after,omitempty"`
	Detail  map[string]any  `json:"detail,omitempty"`
	// Resource is set when the event changed a resource of SCIM, so that those who
	// follow resources find it.
	Resource *Resource `json:"resource,omitempty"`
}
