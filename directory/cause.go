package directory

import (
	"encoding/json"
	"fmt"

	"github.com/provost-id/provost/internal/events"
)

// cause is the change that began what goes on in batches, which go on in its name.
type cause struct {
	Actor   events.Actor `json:"actor"`
	Request string       `json:"request,omitempty"`
	Source  Source       `json:"source"`
}

// causeOf is a change as the row of a job keeps it.
func causeOf(c Change) (string, error) {
	b, err := json.Marshal(cause{Actor: c.Actor, Request: c.Request, Source: c.Source})
	if err != nil {
		return "", fmt.Errorf("encode cause: %w", err)
	}
	return string(b), nil
}

// changeFor is the change in whose name a batch goes on.
func changeFor(text string) (Change, error) {
	var c cause
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return Change{}, fmt.Errorf("read cause: %w", err)
	}
	return Change{Actor: c.Actor, Request: c.Request, Source: c.Source}, nil
}
