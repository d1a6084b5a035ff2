package manage

import (
	"context"
	"errors"
	"log/slog"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/plugins"
)

// Report writes how a call of a hook ended to the system log: inline_hook.executed
// for a failure, inline_hook.response.processed for an answer that has something to
// tell (a debugContext, a refusal, commands that were skipped). An answer that was
// applied without a word is told by the event of its flow.
func (s *Service) Report(ctx context.Context, o plugins.Outcome) {
	var refusal *plugins.Error
	answered := o.Err == nil || errors.As(o.Err, &refusal)
	if o.Err == nil && len(o.Problems) == 0 && len(o.Debug) == 0 {
		return
	}
	ev := events.Event{
		Time: s.Now(), Type: "inline_hook.executed", Actor: events.System, Request: httpapi.RequestID(ctx),
		Targets: []events.Target{target(o.HookID, o.Name)}, Outcome: events.Success, Detail: detail(o),
	}
	if answered {
		ev.Type = "inline_hook.response.processed"
	}
	switch {
	case o.Err != nil:
		ev.Outcome, ev.Reason = events.Failure, o.Err.Error()
	case len(o.Problems) > 0:
		ev.Outcome, ev.Reason = events.Failure, o.Problems[0].String()
	}
	err := s.DB.Write(context.WithoutCancel(ctx), func(tx *sqldb.Tx) error { return events.Append(tx, ev) })
	if err != nil {
		s.Log.ErrorContext(ctx, "hook outcome not written", slog.String("hook_id", o.HookID),
			slog.String("request_id", httpapi.RequestID(ctx)), slog.Any("error", err))
	}
}

// detail is what an event tells beside its outcome.
func detail(o plugins.Outcome) map[string]any {
	d := map[string]any{"eventId": o.EventID, "hookType": o.Type, "durationMs": o.Duration.Milliseconds()}
	if o.Err != nil {
		d["errorCode"], d["flowContinued"] = plugins.Code(o.Err), o.Open
	}
	if len(o.Problems) > 0 {
		d["problems"] = o.Problems
	}
	if len(o.Debug) > 0 {
		d["debugContext"] = o.Debug
	}
	return d
}
