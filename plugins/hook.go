package plugins

import (
	"context"
	"fmt"
	"log/slog"
	"time"
)

// Channel types.
const (
	ChannelHTTP   = "HTTP"   // a web service, package webhook
	ChannelPlugin = "PLUGIN" // a process, package process
)

// FailureMode says what becomes of the flow when its hook fails.
type FailureMode string

// The failure modes. A hook's own refusal ends the flow in both.
const (
	Open   FailureMode = "OPEN"   // go on as if there were no hook
	Closed FailureMode = "CLOSED" // the flow fails
)

// Bounds and defaults of a hook.
const (
	DefaultTimeout = 3 * time.Second // of one attempt
	MinTimeout     = time.Millisecond
	MaxTimeout     = 30 * time.Second
	MaxRetries     = 3
)

// Hook is one configured hook.
type Hook struct {
	ID, Name    string
	Type        Type
	Active      bool
	Revision    int64         // rises with every change; the caller is then made anew
	Timeout     time.Duration // zero for DefaultTimeout
	Retries     int           // on timeout and status 5xx; token hooks never retry
	FailureMode FailureMode   // empty for the default of the type
	Channel     Channel
}

// timeout is the budget of one attempt.
func (h Hook) timeout() time.Duration {
	if h.Timeout <= 0 {
		return DefaultTimeout
	}
	return h.Timeout
}

// retries is how often a failed attempt of a flow is repeated.
func (h Hook) retries() int {
	if h.Type == TypeToken { // the contract: token hooks never retry
		return 0
	}
	return h.Retries
}

// open reports whether the flow goes on when the hook fails: the default of the
// token hook.
func (h Hook) open() bool { return h.FailureMode != Closed }

// Channel says how a hook is reached.
type Channel struct {
	Type   string // ChannelHTTP or ChannelPlugin
	HTTP   HTTPChannel
	Plugin PluginChannel
}

// HTTPChannel is a web service.
type HTTPChannel struct {
	URI           string
	Headers       []Header // sent with every request
	AuthKey       string   // name of the header that authenticates us, empty for none
	AuthValue     Secret   // its value, sent as it is
	SigningSecret Secret   // "whsec_" and base64: the key of the signature
}

// Header is one header of a request.
type Header struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// PluginChannel is a process.
type PluginChannel struct {
	Path   string // absolute
	SHA256 string // of the binary, 64 hexadecimal digits
	Args   []string
}

// Secret is a string that prints as ***.
type Secret string

// LogValue implements slog.LogValuer.
func (Secret) LogValue() slog.Value { return slog.StringValue("***") }

// MarshalText implements encoding.TextMarshaler, so that no JSON shows it either.
func (Secret) MarshalText() ([]byte, error) { return []byte("***"), nil }

// String implements fmt.Stringer.
func (Secret) String() string { return "***" }

// GoString implements fmt.GoStringer.
func (Secret) GoString() string { return `"***"` }

// Lookup finds a configured hook, active or not; ErrUnknownHook when there is none.
type Lookup func(ctx context.Context, id string) (Hook, error)

// Transport makes the Caller of a hook's channel, or returns a *ConfigError. It does
// no I/O. A Caller that is an io.Closer is closed when the hook changes or goes.
type Transport func(h Hook) (Caller, error)

// ConfigError is a fault in a hook's configuration.
type ConfigError struct {
	Field  string // as in the management API: "channel.config.uri"
	Reason string
}

// Error implements error.
func (e *ConfigError) Error() string { return fmt.Sprintf("%s: %s", e.Field, e.Reason) }
