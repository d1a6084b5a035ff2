package manage

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/internal/id"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/plugins"
)

// maxHooks bounds the hooks of an organisation.
const maxHooks = 100

// create stores a new hook, active at once, and returns its secrets beside it: what
// was made here is shown this once.
func (s *Service) create(ctx context.Context, in Input) (*row, secrets, error) {
	now := s.Now().UTC()
	w := &row{ID: id.NewAt(id.InlineHook, now), Revision: 1, Status: active, Created: now, Updated: now}
	var sec secrets
	if err := s.apply(w, &sec, in); err != nil {
		return nil, sec, err
	}
	var err error
	if w.Secrets, err = s.seal(w.ID, sec); err != nil {
		return nil, sec, err
	}
	err = s.DB.Write(ctx, func(tx *sqldb.Tx) error {
		var n int
		if err := tx.QueryRow(`SELECT COUNT(*) FROM inline_hooks`).Scan(&n); err != nil {
			return fmt.Errorf("count hooks: %w", err)
		}
		if n >= maxHooks {
			return ErrTooMany
		}
		if err := insert(tx, w); err != nil {
			return err
		}
		return s.changed(ctx, tx, "inline_hook.created", nil, w)
	})
	return w, sec, err
}

// change loads a hook, lets fn change it and stores it. fn may run twice.
func (s *Service) change(ctx context.Context, id, event string, fn func(w *row, sec *secrets) error) (*row, error) {
	var w *row
	err := s.DB.Write(ctx, func(tx *sqldb.Tx) error {
		before, err := lock(tx, id)
		if err != nil {
			return err
		}
		sec, err := s.unseal(before)
		if err != nil {
			return err
		}
		after := *before
		if err := fn(&after, &sec); err != nil {
			return err
		}
		after.Revision++
		after.Updated = s.Now().UTC()
		if after.Secrets, err = s.seal(id, sec); err != nil {
			return err
		}
		if err := update(tx, &after); err != nil {
			return err
		}
		w = &after
		return s.changed(ctx, tx, event, before, w)
	})
	return w, err
}

// replace is PUT; merge, when set, makes the input of the stored hook.
func (s *Service) replace(ctx context.Context, id string, merge func(w *row) (Input, error)) (*row, error) {
	return s.change(ctx, id, "inline_hook.updated", func(w *row, sec *secrets) error {
		in, err := merge(w)
		if err != nil {
			return err
		}
		return s.apply(w, sec, in)
	})
}

// setStatus activates or deactivates; it says nothing new when nothing changes.
func (s *Service) setStatus(ctx context.Context, id, status, event string) (*row, error) {
	w, err := one(ctx, s.DB, id)
	if err != nil || w.Status == status {
		return w, err
	}
	return s.change(ctx, id, event, func(w *row, _ *secrets) error {
		w.Status = status
		return nil
	})
}

// remove deletes an inactive hook that no flow names.
func (s *Service) remove(ctx context.Context, id string) error {
	if s.InUse != nil {
		used, err := s.InUse(ctx, id)
		if err != nil {
			return err
		}
		if used {
			return ErrInUse
		}
	}
	return s.DB.Write(ctx, func(tx *sqldb.Tx) error {
		w, err := lock(tx, id)
		if err != nil {
			return err
		}
		if w.Status == active {
			return ErrActive
		}
		if _, err := tx.Exec(`DELETE FROM inline_hooks WHERE id = $1`, id); err != nil {
			return fmt.Errorf("delete hook: %w", err)
		}
		return s.changed(ctx, tx, "inline_hook.deleted", w, nil)
	})
}

// changed writes the event of a change and lets every node load the hooks again.
func (s *Service) changed(ctx context.Context, tx *sqldb.Tx, event string, before, after *row) error {
	subject := after
	if subject == nil {
		subject = before
	}
	ev := events.Event{
		Time: s.Now(), Type: event, Actor: httpapi.Caller(ctx).Actor(), Request: httpapi.RequestID(ctx),
		Targets: []events.Target{target(subject.ID, subject.Name)},
	}
	var err error
	if ev.Before, err = view(before); err != nil {
		return err
	}
	if ev.After, err = view(after); err != nil {
		return err
	}
	if err := events.Append(tx, ev); err != nil {
		return err
	}
	return s.hooks.Bump(tx)
}

func target(id, name string) events.Target {
	return events.Target{ID: id, Type: "InlineHook", Name: name}
}

// view is a hook as the system log shows it: without secrets.
func view(w *row) (json.RawMessage, error) {
	if w == nil {
		return nil, nil
	}
	return json.Marshal(map[string]any{
		"name": w.Name, "status": w.Status, "version": w.Version, "channel": w.Channel,
		"timeoutMs": w.TimeoutMS, "retries": w.Retries, "failureMode": w.FailureMode,
	})
}

// partial merges a patch into the hook as a client sees it (RFC 7396).
func partial(patch httpapi.RawBody) func(w *row) (Input, error) {
	return func(w *row) (Input, error) {
		stored, err := json.Marshal(Input{
			Name: w.Name, Type: w.Type, Version: w.Version, Channel: w.Channel,
			TimeoutMS: &w.TimeoutMS, Retries: &w.Retries, FailureMode: w.FailureMode,
		})
		if err != nil {
			return Input{}, err
		}
		return mergeInput(stored, patch)
	}
}

func mergeInput(stored []byte, patch httpapi.RawBody) (Input, error) {
	var in Input
	var base, over map[string]any
	raw, err := json.Marshal(patch)
	if err != nil {
		return in, err
	}
	if err := json.Unmarshal(stored, &base); err != nil {
		return in, err
	}
	if err := json.Unmarshal(raw, &over); err != nil {
		return in, err
	}
	merged, err := json.Marshal(httpapi.Merge(base, over))
	if err != nil {
		return in, err
	}
	if err := json.Unmarshal(merged, &in); err != nil {
		return in, &plugins.ConfigError{Field: "body", Reason: err.Error()}
	}
	return in, nil
}
