package provisioning

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/provost-id/provost/internal/sqldb"
)

// What a plan does with an object.
const (
	actionCreate     = "create"     // a new user or group
	actionUpdate     = "update"     // of one that the app masters
	actionLink       = "link"       // to a user that is here already
	actionDeactivate = "deactivate" // gone at the app, or turned off there
	actionUnchanged  = "unchanged"
	actionDrift      = "drift"  // differs, and the app is not its master: shown and left alone
	actionIgnore     = "ignore" // new at the app, and not asked for
	actionError      = "error"
)

// planned is a row of a plan: one object and what is done with it.
type planned struct {
	kind       string
	externalID string
	name       string
	hash       string
	body       string
	action     string
	state      string
	userID     string // of the user or group
	login      string // or the group's name
	before     string // state of the user and its account that the plan was made from
	delta      map[string]FromTo
	reason     string
}

// FromTo is the change of one attribute.
type FromTo struct {
	From any `json:"from"`
	To   any `json:"to"`
}

const plannedColumns = `kind, external_id, name, hash, body, action, state, user_id, login, before_hash, delta, reason`

func scanPlanned(row runRow) (*planned, error) {
	var p planned
	var delta string
	err := row.Scan(&p.kind, &p.externalID, &p.name, &p.hash, &p.body, &p.action, &p.state, &p.userID, &p.login, &p.before, &delta, &p.reason)
	if err != nil {
		return nil, fmt.Errorf("read plan: %w", err)
	}
	if err := json.Unmarshal([]byte(delta), &p.delta); err != nil {
		return nil, fmt.Errorf("read plan: %w", err)
	}
	return &p, nil
}

// object is what was read; the zero Object when only the identifier is known.
func (p *planned) object() (Object, error) {
	o := Object{Ref: Ref{Type: p.kind, ID: p.externalID, Name: p.name}}
	if p.body == "" {
		return o, nil
	}
	if err := json.Unmarshal([]byte(p.body), &o); err != nil {
		return o, fmt.Errorf("staged %s %s: %w", p.kind, p.externalID, err)
	}
	return o, nil
}

// page is how many objects are planned or applied between two looks at the database.
const page = 200

// rows reads a page of the run's objects in a state, or with an action.
func (w *work) rows(ctx context.Context, where string, args ...any) ([]*planned, error) {
	args = append([]any{w.run.ID}, args...)
	rows, err := w.e.db().Query(ctx, fmt.Sprintf(`SELECT `+plannedColumns+` FROM import_objects WHERE run_id = $1 AND %s ORDER BY kind DESC, external_id LIMIT %d`, where, page), args...)
	if err != nil {
		return nil, fmt.Errorf("read plan: %w", err)
	}
	defer func() { _ = rows.Close() }() // Err tells what matters
	var all []*planned
	for rows.Next() {
		p, err := scanPlanned(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, rows.Err()
}

// plan decides what is done with every staged object, adds what is gone, and lets the
// safeguards look at the whole.
func (w *work) plan(ctx context.Context) error {
	if err := w.planStaged(ctx); err != nil {
		return err
	}
	for _, kind := range []string{TypeUser, TypeGroup} {
		if !w.run.proven(kind) {
			continue
		}
		if err := w.write(ctx, func(tx *sqldb.Tx) error { return w.planGone(tx, kind) }); err != nil {
			return err
		}
	}
	facts, err := w.e.facts(ctx, w.run, masters(w.t.app))
	if err != nil {
		return err
	}
	if err := w.e.count(ctx, w.run); err != nil {
		return err
	}
	return w.decide(ctx, facts)
}

// planStaged plans page by page. A run that was cut goes on with what is still staged.
func (w *work) planStaged(ctx context.Context) error {
	p, err := w.newPlanner(ctx)
	if err != nil {
		return err
	}
	for {
		staged, err := w.rows(ctx, `state = 'staged'`)
		if err != nil || len(staged) == 0 {
			return err
		}
		for _, o := range staged {
			if err := p.plan(ctx, o); err != nil {
				return err
			}
		}
		if err := w.write(ctx, func(tx *sqldb.Tx) error { return storePlanned(tx, w.run.ID, staged) }); err != nil {
			return err
		}
	}
}

func storePlanned(tx *sqldb.Tx, runID string, all []*planned) error {
	for _, p := range all {
		delta, err := json.Marshal(p.delta)
		if err != nil {
			return fmt.Errorf("encode plan: %w", err)
		}
		if p.delta == nil {
			delta = []byte("{}")
		}
		_, err = tx.Exec(`UPDATE import_objects SET action = $4, state = $5, user_id = $6, login = $7, before_hash = $8, delta = $9, reason = $10
			WHERE run_id = $1 AND kind = $2 AND external_id = $3`,
			runID, p.kind, p.externalID, p.action, p.state, p.userID, p.login, p.before, string(delta), p.reason)
		if err != nil {
			return fmt.Errorf("store plan: %w", err)
		}
	}
	return nil
}

// planGone adds the accounts that a complete read did not mention. An account that was
// synchronised after the run began may be newer than the read, and is left alone.
func (w *work) planGone(tx *sqldb.Tx, kind string) error {
	query := `INSERT INTO import_objects (run_id, kind, external_id, name, hash, body, action, state, user_id, login, before_hash, reason)
		SELECT CAST($1 AS TEXT), 'user', u.external_id, u.remote_name, '', '', 'deactivate', 'planned', u.user_id, COALESCE(r.user_name, u.remote_name), '',
			'not among what the app has'
		FROM app_users u LEFT JOIN resources r ON r.id = u.user_id
		WHERE u.app_id = $2 AND u.external_id IS NOT NULL AND u.status <> 'DEPROVISIONED' AND u.last_sync < $3
			AND NOT EXISTS (SELECT 1 FROM import_objects o WHERE o.run_id = $1 AND o.kind = 'user' AND o.external_id = u.external_id)`
	if kind == TypeGroup {
		query = `INSERT INTO import_objects (run_id, kind, external_id, name, hash, body, action, state, user_id, login, before_hash, reason)
		SELECT CAST($1 AS TEXT), 'group', l.external_id, l.remote_name, '', '', 'deactivate', 'planned', l.group_id, l.name, '',
			'not among what the app has'
		FROM app_group_links l
		WHERE l.app_id = $2 AND l.external_id IS NOT NULL AND l.last_sync < $3
			AND NOT EXISTS (SELECT 1 FROM import_objects o WHERE o.run_id = $1 AND o.kind = 'group' AND o.external_id = l.external_id)`
	}
	_, err := tx.Exec(query, w.run.ID, w.run.AppID, w.run.Created.UnixMicro())
	if err != nil {
		return fmt.Errorf("plan what is gone: %w", err)
	}
	return nil
}

// decide lets the run go on, wait for a person, or end when there is nothing to do.
func (w *work) decide(ctx context.Context, facts planFacts) error {
	why := w.e.Safeguards.stop(facts)
	waits := why != "" && !w.run.approved
	if w.run.Mode == ModePlan && !w.run.approved {
		waits = true
		if why == "" {
			why = "a plan is applied when it is approved"
		}
	}
	return w.write(ctx, func(tx *sqldb.Tx) error {
		if waits {
			w.run.Reason = why
		}
		if err := w.advance(tx, stageApply); err != nil {
			return err
		}
		w.run.stage = stageApply
		if !waits {
			return nil
		}
		w.run.Status = RunAwaiting
		if err := w.storeEnd(tx); err != nil {
			return err
		}
		return auditRun(tx, w.run, "system.import.roadblock")
	})
}

// A PlannedChange is one line of a plan, for people.
type PlannedChange struct {
	Action     string            `json:"action"`
	Kind       string            `json:"type"`
	ExternalID string            `json:"externalId"`
	UserID     string            `json:"userId"` // of the group when Kind is TypeGroup
	Login      string            `json:"login"`
	Attributes map[string]FromTo `json:"attributes"`
	Reason     string            `json:"reason"`
	State      string            `json:"-"`
}

// ImportChanges lists at most limit lines of a run's plan that follow an external ID,
// without those that change nothing. kind is TypeUser or TypeGroup.
func (e *Engine) ImportChanges(ctx context.Context, appID, runID, kind, after string, limit int) ([]PlannedChange, error) {
	if _, err := e.Import(ctx, appID, runID); err != nil {
		return nil, err
	}
	rows, err := e.db().Query(ctx, `SELECT `+plannedColumns+` FROM import_objects
		WHERE run_id = $1 AND kind = $2 AND external_id > $3 AND action NOT IN ('', 'unchanged') ORDER BY external_id LIMIT $4`, runID, kind, after, limit)
	if err != nil {
		return nil, fmt.Errorf("list changes: %w", err)
	}
	defer func() { _ = rows.Close() }() // Err tells what matters
	var all []PlannedChange
	for rows.Next() {
		p, err := scanPlanned(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, p.public())
	}
	return all, rows.Err()
}

func (p *planned) public() PlannedChange {
	c := PlannedChange{
		Action: p.action, Kind: p.kind, ExternalID: p.externalID, UserID: p.userID, Login: p.login,
		Attributes: p.delta, Reason: p.reason, State: p.state,
	}
	if p.state == stateError {
		c.Action = actionError
	}
	return c
}

// fail makes a row an error that says why, and the run goes on.
func (p *planned) fail(err error) {
	p.action, p.state, p.reason = actionError, stateError, reasonOf(err)
}

var errNoLogin = errors.New("the mapping gives no login")
