package provisioning

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/directory/mapping"
	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/id"
	"github.com/provost-id/provost/internal/sqldb"
)

// Operations of an export.
const (
	opCreate     = "create"
	opUpdate     = "update"
	opDeactivate = "deactivate"
	opReactivate = "reactivate"
	opMembers    = "members"
	opDelete     = "delete"
)

// export is one object while it is brought in step at one app.
type export struct {
	*drain
	t         *target
	m         *marker
	operation string            // that is being tried
	problems  []mapping.Problem // of the mapping
}

// attempt makes one call of the target. Its row, and what before writes, are durable
// when the call is made; after is written together with the outcome.
func (x *export) attempt(ctx context.Context, operation string, request any, before func(tx *sqldb.Tx) error,
	call func(ctx context.Context) error, after func(tx *sqldb.Tx) error) error {
	x.operation = operation
	digest, err := digestOf(request)
	if err != nil {
		return err
	}
	attemptID := id.New(id.Task)
	err = x.write(ctx, func(tx *sqldb.Tx) error {
		_, err := tx.Exec(`INSERT INTO export_attempts (id, app_id, kind, object_id, operation, epoch, digest, started) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			attemptID, x.m.appID, x.m.kind, x.m.objectID, operation, x.epoch, digest, x.e.Now().UnixMicro())
		if err != nil {
			return fmt.Errorf("note attempt: %w", err)
		}
		return before(tx)
	})
	if err != nil {
		return err
	}
	calling, cancel := context.WithTimeout(ctx, x.e.callTimeout())
	called := call(calling)
	cancel()
	if called != nil && ctx.Err() != nil {
		return ctx.Err() // this node stops: the attempt stays open, and is resolved by whoever goes on
	}
	err = x.write(ctx, func(tx *sqldb.Tx) error {
		if err := closeAttempt(tx, attemptID, x.e.Now().UnixMicro(), called); err != nil || called != nil {
			return err
		}
		return after(tx)
	})
	return errors.Join(called, err)
}

func closeAttempt(tx *sqldb.Tx, attemptID string, now int64, called error) error {
	outcome, status, body := "ok", 0, ""
	if called != nil {
		status, body, outcome = words(called)
	}
	_, err := tx.Exec(`UPDATE export_attempts SET finished = $2, outcome = $3, status = $4, body = $5 WHERE id = $1`, attemptID, now, outcome, status, body)
	if err != nil {
		return fmt.Errorf("close attempt: %w", err)
	}
	return nil
}

// digestOf names a request without keeping its values.
func digestOf(request any) (string, error) {
	text, err := json.Marshal(request)
	if err != nil {
		return "", fmt.Errorf("encode request: %w", err)
	}
	sum := sha256.Sum256(text)
	return base64.RawURLEncoding.EncodeToString(sum[:]), nil
}

// nothing is a step that writes nothing.
func nothing(*sqldb.Tx) error { return nil }

// auditTx tells the system log what was done at the app.
func (x *export) auditTx(tx *sqldb.Tx, typ string, detail map[string]any) error {
	return events.Append(tx, events.Event{Type: typ, Actor: system(x.t.app).Actor, Targets: x.m.targets(), Detail: detail})
}

func (m *marker) targets() []events.Target {
	typ := "User"
	if m.kind == "group" {
		typ = "UserGroup"
	}
	return []events.Target{{ID: m.objectID, Type: typ}, {ID: m.appID, Type: "AppInstance"}}
}

// deadLetterTx makes a failure that no retry helps visible: at the app user and in the
// system log.
func (d *drain) deadLetterTx(tx *sqldb.Tx, m *marker, operation string, cause error) error {
	if m.kind != "group" {
		u, err := d.e.Dir.AppUserTx(tx, m.appID, m.objectID)
		if err == nil {
			u.SyncState = directory.SyncError
			err = d.e.Dir.SaveAppUserTx(tx, u)
		}
		if err != nil && !errors.Is(err, directory.ErrNotFound) {
			return err
		}
	}
	code, body, kind := words(cause)
	return events.Append(tx, events.Event{
		Type: "application.provision.user.push", Actor: events.System, Targets: m.targets(), Outcome: events.Failure, Reason: cause.Error(),
		Detail: map[string]any{"operation": operation, "status": code, "body": body, "error": kind, "task": m.taskID},
	})
}
