package process

import (
	"fmt"
	"io"
	"log/slog"

	"github.com/hashicorp/go-hclog"
)

// maxLogLine bounds one line of a plugin in our log, in bytes.
const maxLogLine = 1000

// newLogger is go-plugin's logger: it hands everything to log.
func newLogger(log *slog.Logger) hclog.Logger {
	l := hclog.NewInterceptLogger(&hclog.LoggerOptions{Output: io.Discard, Level: hclog.Debug})
	l.RegisterSink(sink{log: log})
	return l
}

type sink struct{ log *slog.Logger }

// Accept implements hclog.SinkAdapter. Messages are the plugin's or go-plugin's:
// they become an attribute, so that ours stay constant.
func (s sink) Accept(_ string, level hclog.Level, msg string, args ...any) {
	to := s.log.Debug
	if level >= hclog.Error {
		to = s.log.Warn // a plugin's error is not ours
	}
	text := fmt.Sprintln(append([]any{msg}, args...)...)
	to("hook process", slog.String("message", clip(text[:len(text)-1])))
}

// clip bounds a text of a plugin.
func clip(s string) string {
	if len(s) > maxLogLine {
		return s[:maxLogLine] + "..."
	}
	return s
}
