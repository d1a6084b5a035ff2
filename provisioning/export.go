package provisioning

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/lease"
	"github.com/provost-id/provost/internal/sqldb"
)

// A marker says that an object is to be brought in step at an app. It carries no
// payload: what is sent is worked out when it is sent.
type marker struct {
	appID      string
	kind       string
	objectID   string
	generation int64
	taskID     string
	attempts   int
	changed    time.Time
}

const markerColumns = `app_id, kind, object_id, generation, task_id, attempts, changed`

func scanMarker(row runRow) (*marker, error) {
	var m marker
	var changed int64
	if err := row.Scan(&m.appID, &m.kind, &m.objectID, &m.generation, &m.taskID, &m.attempts, &changed); err != nil {
		return nil, fmt.Errorf("read marker: %w", err)
	}
	m.changed = time.UnixMicro(changed)
	return &m, nil
}

// lane is one app's share of objects, in order.
type lane struct {
	appID string
	n     int
}

// name is that of the lane's lease.
func (l lane) name() string { return fmt.Sprintf("export/%s/%d", l.appID, l.n) }

// maxLanes bounds the drains of one node.
const maxLanes = 64

// sweepLanes starts a drain for each lane with a due marker.
func (e *Engine) sweepLanes(ctx context.Context) error {
	now := e.Now().UnixMicro()
	rows, err := e.db().Query(ctx, `SELECT DISTINCT m.app_id, m.lane FROM markers m JOIN apps a ON a.id = m.app_id
		WHERE m.status <> 'FAILED' AND m.next_try <= $1 AND a.status = 'ACTIVE'
			AND NOT EXISTS (SELECT 1 FROM export_pauses p WHERE p.app_id = m.app_id AND p.until > $1) LIMIT $2`, now, maxLanes)
	if err != nil {
		return fmt.Errorf("look for markers: %w", err)
	}
	var lanes []lane
	for rows.Next() {
		var l lane
		if err := rows.Scan(&l.appID, &l.n); err != nil {
			return errors.Join(fmt.Errorf("look for markers: %w", err), rows.Close())
		}
		lanes = append(lanes, l)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return fmt.Errorf("look for markers: %w", err)
	}
	for _, l := range lanes {
		e.start(l.name(), 0, func() {
			e.logged(ctx, "export", e.leased(ctx, l.name(), func(ctx context.Context, epoch int64) error { return e.drain(ctx, l, epoch) }))
		})
	}
	return nil
}

// drainBatch is how many markers a drain reads at a time.
const drainBatch = 50

// drain brings everything of a lane in step that is due, one object after another.
func (e *Engine) drain(ctx context.Context, l lane, epoch int64) error {
	d := &drain{e: e, lane: l, epoch: epoch}
	for ctx.Err() == nil {
		due, err := d.due(ctx)
		if err != nil || len(due) == 0 {
			return err
		}
		for _, m := range due {
			if err := d.one(ctx, m); err != nil {
				return err
			}
			if d.paused || ctx.Err() != nil {
				return nil
			}
		}
	}
	return nil
}

// drain is a lane while this node works on it.
type drain struct {
	e      *Engine
	lane   lane
	epoch  int64
	paused bool // the target wants to be left alone
}

func (d *drain) due(ctx context.Context) ([]*marker, error) {
	rows, err := d.e.db().Query(ctx, `SELECT `+markerColumns+` FROM markers
		WHERE app_id = $1 AND lane = $2 AND status <> 'FAILED' AND next_try <= $3 ORDER BY changed, object_id LIMIT $4`,
		d.lane.appID, d.lane.n, d.e.Now().UnixMicro(), drainBatch)
	if err != nil {
		return nil, fmt.Errorf("read markers: %w", err)
	}
	defer func() { _ = rows.Close() }() // Err tells what matters
	var all []*marker
	for rows.Next() {
		m, err := scanMarker(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, rows.Err()
}

// one brings one object in step. Its failure is its own and is written to its marker;
// only what is wrong with the lane is returned.
func (d *drain) one(ctx context.Context, m *marker) error {
	t, release, err := d.e.target(ctx, m.appID)
	if errors.Is(err, directory.ErrNotFound) || errors.Is(err, ErrAppInactive) {
		d.paused = true // the app went away under the lane
		return nil
	}
	if err != nil {
		return d.failed(ctx, m, "connect", err)
	}
	defer release()
	x := &export{drain: d, t: t, m: m}
	if m.kind == "group" {
		err = x.group(ctx)
	} else {
		err = x.user(ctx)
	}
	switch {
	case err == nil, errors.Is(err, lease.ErrLost):
		return err
	case ctx.Err() != nil:
		return nil // whoever takes over resolves what is open
	case x.operation == "":
		return d.failed(ctx, m, "prepare", err)
	}
	return d.failed(ctx, m, x.operation, err)
}

// write runs fn in a transaction, if this node still holds the lane.
func (d *drain) write(ctx context.Context, fn func(tx *sqldb.Tx) error) error {
	return d.e.db().Write(ctx, func(tx *sqldb.Tx) error {
		if err := lease.Check(tx, d.lane.name(), d.epoch); err != nil {
			return err
		}
		return fn(tx)
	})
}

// finishTx removes a marker whose object is in step. If the object has changed again
// since, the marker stays and is due at once.
func (d *drain) finishTx(tx *sqldb.Tx, m *marker) error {
	if _, err := tx.Exec(`DELETE FROM markers WHERE app_id = $1 AND kind = $2 AND object_id = $3 AND generation = $4`,
		m.appID, m.kind, m.objectID, m.generation); err != nil {
		return fmt.Errorf("remove marker: %w", err)
	}
	_, err := tx.Exec(`UPDATE markers SET status = 'PENDING', attempts = 0, next_try = $4, error_status = 0, error_body = '', error_kind = ''
		WHERE app_id = $1 AND kind = $2 AND object_id = $3`, m.appID, m.kind, m.objectID, d.e.Now().UnixMicro())
	if err != nil {
		return fmt.Errorf("keep marker: %w", err)
	}
	return nil
}

// failed writes a failure to the marker, with the target's own words, and decides when
// it is tried again.
func (d *drain) failed(ctx context.Context, m *marker, operation string, cause error) error {
	now := d.e.Now()
	v := d.e.Retry.judge(cause, m.attempts+1, now.Sub(m.changed))
	code, body, kind := words(cause)
	state := "RETRYING"
	if v.failed {
		state = "FAILED"
	}
	d.paused = d.paused || v.pause > 0
	return d.write(ctx, func(tx *sqldb.Tx) error {
		_, err := tx.Exec(`UPDATE markers SET status = $4, operation = $5, attempts = attempts + 1, next_try = $6, error_status = $7, error_body = $8, error_kind = $9
			WHERE app_id = $1 AND kind = $2 AND object_id = $3`,
			m.appID, m.kind, m.objectID, state, operation, now.Add(v.after).UnixMicro(), code, body, kind)
		if err != nil {
			return fmt.Errorf("note failure: %w", err)
		}
		if v.pause > 0 {
			if err := pauseTx(tx, m.appID, now.Add(v.pause)); err != nil {
				return err
			}
		}
		if !v.failed {
			return nil
		}
		return d.deadLetterTx(tx, m, operation, cause)
	})
}

func pauseTx(tx *sqldb.Tx, appID string, until time.Time) error {
	_, err := tx.Exec(`INSERT INTO export_pauses (app_id, until) VALUES ($1, $2)
		ON CONFLICT (app_id) DO UPDATE SET until = CASE WHEN export_pauses.until > excluded.until THEN export_pauses.until ELSE excluded.until END`,
		appID, until.UnixMicro())
	if err != nil {
		return fmt.Errorf("pause app: %w", err)
	}
	return nil
}
