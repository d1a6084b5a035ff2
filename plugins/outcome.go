package plugins

import (
	"context"
	"time"
)

// Outcome tells how one call of a hook ended, for the system log.
type Outcome struct {
	HookID   string
	Name     string
	Type     Type
	EventID  string
	Duration time.Duration
	Err      error     // nil, *Error, ErrTimeout, ErrCommunication or ErrUnknownHook
	Open     bool      // the call failed and the flow went on without it
	Problems []Problem // why the commands were skipped
	Debug    map[string]any
}

// report hands an outcome to whoever keeps the system log.
func (d *Dispatcher) report(ctx context.Context, o Outcome) {
	if d.Report != nil {
		d.Report(ctx, o)
	}
}
