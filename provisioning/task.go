package provisioning

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/sqldb"
)

// Statuses of a task.
const (
	TaskRetrying = "RETRYING" // will be tried again by itself
	TaskFailed   = "FAILED"   // a dead letter: a person must look
)

// Task is an export that has failed, with the target's own words.
type Task struct {
	ID        string
	AppID     string
	Kind      string // TypeUser or TypeGroup
	ObjectID  string
	Operation string
	Attempts  int
	Status    string
	Error     TaskError
	Changed   time.Time // when the change was made that waits
	NextTry   time.Time
}

// TaskError is what the target said.
type TaskError struct {
	Status int    // HTTP status or LDAP result code, 0 when there was no answer
	Body   string // its own words
	Kind   string // what it means: "invalid", "rate_limited", ...
}

const taskColumns = `task_id, app_id, kind, object_id, operation, attempts, status, error_status, error_body, error_kind, changed, next_try`

// Tasks lists at most limit tasks of an app whose ID follows after.
func (e *Engine) Tasks(ctx context.Context, appID, after string, limit int) ([]Task, error) {
	rows, err := e.db().Query(ctx, `SELECT `+taskColumns+` FROM markers
		WHERE app_id = $1 AND task_id > $2 AND status IN ('RETRYING', 'FAILED') ORDER BY task_id LIMIT $3`, appID, after, limit)
	if err != nil {
		return nil, fmt.Errorf("list tasks: %w", err)
	}
	defer func() { _ = rows.Close() }() // Err tells what matters
	var all []Task
	for rows.Next() {
		var t Task
		var changed, next int64
		if err := rows.Scan(&t.ID, &t.AppID, &t.Kind, &t.ObjectID, &t.Operation, &t.Attempts, &t.Status, &t.Error.Status, &t.Error.Body, &t.Error.Kind, &changed, &next); err != nil {
			return nil, fmt.Errorf("list tasks: %w", err)
		}
		t.Changed, t.NextTry = time.UnixMicro(changed).UTC(), time.UnixMicro(next).UTC()
		all = append(all, t)
	}
	return all, rows.Err()
}

// RetryTask tries a task again at once, with all its attempts before it.
// directory.ErrNotFound when the app has no such task.
func (e *Engine) RetryTask(ctx context.Context, c directory.Change, appID, taskID string) error {
	return e.db().Write(ctx, func(tx *sqldb.Tx) error {
		res, err := tx.Exec(`UPDATE markers SET status = 'PENDING', attempts = 0, next_try = $3, changed = $3, generation = generation + 1
			WHERE app_id = $1 AND task_id = $2 AND status IN ('RETRYING', 'FAILED')`, appID, taskID, e.Now().UnixMicro())
		if err != nil {
			return fmt.Errorf("retry task: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, directory.ErrNotFound)
		}
		ev := events.Event{Type: "application.provision.task.retry", Actor: c.Actor, Request: c.Request, Targets: []events.Target{{ID: appID, Type: "AppInstance"}, {ID: taskID, Type: "Task"}}}
		if err := events.Append(tx, ev); err != nil {
			return err
		}
		return e.db().Notify(tx, directory.MarkerChannel, "")
	})
}
