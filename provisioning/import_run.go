package provisioning

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/id"
	"github.com/provost-id/provost/internal/sqldb"
)

// Modes of an import.
const (
	ModePlan = "plan" // stops before anything is applied
	ModeRun  = "run"  // goes on unless a safeguard stops it
)

// Types of an import.
const (
	TypeFull        = "full"
	TypeIncremental = "incremental"
)

// Statuses of an import.
const (
	RunRunning   = "RUNNING"
	RunAwaiting  = "AWAITING_APPROVAL"
	RunSucceeded = "SUCCEEDED"
	RunFailed    = "FAILED"
	RunCancelled = "CANCELLED"
)

// Stages of an import that is running.
const (
	stageRead  = "read"
	stagePlan  = "plan"
	stageApply = "apply"
)

// ImportRun is one import of an app.
type ImportRun struct {
	ID       string
	AppID    string
	Mode     string
	Type     string
	Status   string
	Reason   string // why it waits, failed, or did otherwise than asked
	Counts   Counts // of users
	Groups   Counts
	Actor    events.Actor
	Request  string
	Created  time.Time
	Finished time.Time

	stage    string
	approved bool
	complete string            // kinds whose read has a proven end
	cursors  map[string][]byte // where the next incremental import goes on, by kind
}

// Counts are the objects of a plan by what is done with them.
type Counts struct {
	Create     int `json:"create"`
	Update     int `json:"update"`
	Link       int `json:"link"`
	Deactivate int `json:"deactivate"`
	Unchanged  int `json:"unchanged"`
	Error      int `json:"error"`
	Drift      int `json:"drift"`   // differences that are shown and left alone; also in Unchanged
	Ignored    int `json:"ignored"` // new at the app, and not asked for
}

// Errors of imports.
var (
	// ErrRunning is returned for a second import of an app while one runs.
	ErrRunning = errors.New("an import of this app is running")
	// ErrNotAwaiting is returned for the approval of a run that does not wait for one.
	ErrNotAwaiting = errors.New("the import does not wait for approval")
	// ErrUnsupported is returned for an import of an app whose target cannot be read.
	ErrUnsupported = errors.New("the app cannot be read")
)

// StartImport makes a run, which WorkImport carries out.
func (e *Engine) StartImport(ctx context.Context, c directory.Change, appID, mode, typ string) (*ImportRun, error) {
	app, err := e.Dir.App(ctx, appID)
	if err != nil {
		return nil, err
	}
	if err := checkImport(app, mode, typ); err != nil {
		return nil, err
	}
	if e.Connectors[app.Name] == nil {
		return nil, fmt.Errorf("%s: %w", app.Name, ErrNoConnector)
	}
	now := e.Now()
	r := &ImportRun{
		ID: id.NewAt(id.ImportJob, now), AppID: appID, Mode: mode, Type: typ, Status: RunRunning,
		Actor: c.Actor, Request: c.Request, Created: now, stage: stageRead,
	}
	err = e.db().Write(ctx, func(tx *sqldb.Tx) error { return e.insertRun(tx, app, r) })
	if err != nil {
		return nil, err
	}
	e.Wake()
	return r, nil
}

func checkImport(app *directory.App, mode, typ string) error {
	switch {
	case app.Status != directory.AppActive:
		return ErrAppInactive
	case mode != ModePlan && mode != ModeRun:
		return &directory.InvalidError{Field: "mode", Reason: "must be plan or run"}
	case typ != TypeFull && typ != TypeIncremental:
		return &directory.InvalidError{Field: "type", Reason: "must be full or incremental"}
	}
	return nil
}

func (e *Engine) insertRun(tx *sqldb.Tx, app *directory.App, r *ImportRun) error {
	var lock string
	if err := tx.QueryRow(`SELECT id FROM apps WHERE id = $1`+tx.ForUpdate(), app.ID).Scan(&lock); err != nil {
		return fmt.Errorf("lock app: %w", err)
	}
	var one int
	err := tx.QueryRow(`SELECT 1 FROM import_runs WHERE app_id = $1 AND status = 'RUNNING' LIMIT 1`, app.ID).Scan(&one)
	if err == nil {
		return ErrRunning
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("look for running import: %w", err)
	}
	actor, err := json.Marshal(r.Actor)
	if err != nil {
		return fmt.Errorf("encode actor: %w", err)
	}
	_, err = tx.Exec(`INSERT INTO import_runs (id, app_id, mode, type, status, stage, approved, actor, request, created)
		VALUES ($1, $2, $3, $4, 'RUNNING', $5, FALSE, $6, $7, $8)`, r.ID, r.AppID, r.Mode, r.Type, r.stage, string(actor), r.Request, r.Created.UnixMicro())
	if err != nil {
		return fmt.Errorf("insert import: %w", err)
	}
	if err := auditRun(tx, r, "system.import.start"); err != nil {
		return err
	}
	return e.enqueue(tx, r.ID)
}

func (e *Engine) enqueue(tx *sqldb.Tx, runID string) error {
	if e.Enqueue == nil {
		tx.AfterCommit(e.Wake)
		return nil
	}
	return e.Enqueue(tx, runID)
}

func auditRun(tx *sqldb.Tx, r *ImportRun, typ string) error {
	ev := events.Event{
		Type: typ, Actor: r.Actor, Request: r.Request, Reason: r.Reason,
		Targets: []events.Target{{ID: r.AppID, Type: "AppInstance"}, {ID: r.ID, Type: "ImportJob"}},
		Detail:  map[string]any{"mode": r.Mode, "type": r.Type, "counts": r.Counts, "groups": r.Groups},
	}
	if r.Status == RunFailed {
		ev.Outcome = events.Failure
	}
	return events.Append(tx, ev)
}

const runColumns = `id, app_id, mode, type, status, stage, approved, complete, cursors, reason, counts, actor, request, created, finished`

// runRow is a row of the database, read or inside a transaction.
type runRow interface{ Scan(dest ...any) error }

func scanRun(row runRow) (*ImportRun, error) {
	var r ImportRun
	var counts, cursors, actor string
	var created, finished int64
	err := row.Scan(&r.ID, &r.AppID, &r.Mode, &r.Type, &r.Status, &r.stage, &r.approved, &r.complete, &cursors, &r.Reason, &counts, &actor, &r.Request, &created, &finished)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, directory.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read import: %w", err)
	}
	both := struct{ Users, Groups *Counts }{&r.Counts, &r.Groups}
	for text, into := range map[*string]any{&counts: &both, &cursors: &r.cursors, &actor: &r.Actor} {
		if err := json.Unmarshal([]byte(*text), into); err != nil {
			return nil, fmt.Errorf("import %s: %w", r.ID, err)
		}
	}
	r.Created = time.UnixMicro(created).UTC()
	if finished != 0 {
		r.Finished = time.UnixMicro(finished).UTC()
	}
	return &r, nil
}

// Import returns a run of an app, with its counts so far; directory.ErrNotFound when
// there is none.
func (e *Engine) Import(ctx context.Context, appID, runID string) (*ImportRun, error) {
	r, err := scanRun(e.db().QueryRow(ctx, `SELECT `+runColumns+` FROM import_runs WHERE id = $1 AND app_id = $2`, runID, appID))
	if err != nil || r.Status != RunRunning {
		return r, err
	}
	return r, e.count(ctx, r)
}

// Imports lists the newest runs of an app, at most limit.
func (e *Engine) Imports(ctx context.Context, appID string, limit int) ([]*ImportRun, error) {
	rows, err := e.db().Query(ctx, `SELECT `+runColumns+` FROM import_runs WHERE app_id = $1 ORDER BY created DESC, id DESC LIMIT $2`, appID, limit)
	if err != nil {
		return nil, fmt.Errorf("list imports: %w", err)
	}
	defer func() { _ = rows.Close() }() // Err tells what matters
	var all []*ImportRun
	for rows.Next() {
		r, err := scanRun(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, rows.Err()
}

// ApproveImport lets a run that waits go on to apply its plan.
func (e *Engine) ApproveImport(ctx context.Context, c directory.Change, appID, runID string) error {
	err := e.db().Write(ctx, func(tx *sqldb.Tx) error {
		return e.leaveWaiting(tx, c, appID, runID, func(r *ImportRun) string {
			r.Status, r.approved = RunRunning, true
			return "system.import.approve"
		})
	})
	e.Wake()
	return err
}

// CancelImport ends a run that waits or runs. What is applied stays applied.
func (e *Engine) CancelImport(ctx context.Context, c directory.Change, appID, runID string) error {
	return e.db().Write(ctx, func(tx *sqldb.Tx) error {
		return e.leaveWaiting(tx, c, appID, runID, func(r *ImportRun) string {
			r.Status, r.Reason = RunCancelled, "cancelled by "+c.Actor.ID
			return "system.import.cancel"
		})
	})
}

func (e *Engine) leaveWaiting(tx *sqldb.Tx, c directory.Change, appID, runID string, change func(*ImportRun) string) error {
	r, err := scanRun(tx.QueryRow(`SELECT `+runColumns+` FROM import_runs WHERE id = $1 AND app_id = $2`+tx.ForUpdate(), runID, appID))
	if err != nil {
		return err
	}
	was := r.Status
	typ := change(r)
	if was != RunAwaiting && (r.Status != RunCancelled || was != RunRunning) {
		return ErrNotAwaiting
	}
	finished := int64(0)
	if r.Status == RunCancelled {
		finished = e.Now().UnixMicro()
	}
	if _, err := tx.Exec(`UPDATE import_runs SET status = $2, approved = $3, reason = $4, finished = $5 WHERE id = $1`, r.ID, r.Status, r.approved, r.Reason, finished); err != nil {
		return fmt.Errorf("change import %s: %w", r.ID, err)
	}
	r.Actor, r.Request = c.Actor, c.Request
	if err := auditRun(tx, r, typ); err != nil || r.Status == RunCancelled {
		return err
	}
	return e.enqueue(tx, r.ID)
}

// count reads the counts of a run from its rows.
func (e *Engine) count(ctx context.Context, r *ImportRun) error {
	rows, err := e.db().Query(ctx, `SELECT kind, CASE WHEN state = 'error' THEN 'error' ELSE action END, COUNT(*)
		FROM import_objects WHERE run_id = $1 GROUP BY 1, 2`, r.ID)
	if err != nil {
		return fmt.Errorf("count import %s: %w", r.ID, err)
	}
	defer func() { _ = rows.Close() }() // Err tells what matters
	counted := map[string]map[string]int{TypeUser: {}, TypeGroup: {}}
	for rows.Next() {
		var kind, action string
		var n int
		if err := rows.Scan(&kind, &action, &n); err != nil {
			return fmt.Errorf("count import %s: %w", r.ID, err)
		}
		if counted[kind] != nil {
			counted[kind][action] += n
		}
	}
	r.Counts, r.Groups = countsOf(counted[TypeUser]), countsOf(counted[TypeGroup])
	return rows.Err()
}

func countsOf(n map[string]int) Counts {
	return Counts{
		Create: n[actionCreate], Update: n[actionUpdate], Link: n[actionLink], Deactivate: n[actionDeactivate],
		Unchanged: n[actionUnchanged] + n[actionDrift], Drift: n[actionDrift], Ignored: n[actionIgnore], Error: n[actionError],
	}
}

// proven reports whether the read of a kind had a proven end.
func (r *ImportRun) proven(kind string) bool {
	return strings.Contains(r.complete, kind)
}

func (r *ImportRun) setCursor(kind string, cursor []byte) {
	r.cursors = maps.Clone(r.cursors)
	if r.cursors == nil {
		r.cursors = map[string][]byte{}
	}
	r.cursors[kind] = cursor
}
