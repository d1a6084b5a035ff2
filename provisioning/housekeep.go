package provisioning

import (
	"context"
	"fmt"
	"time"

	"github.com/provost-id/provost/internal/sqldb"
)

const (
	// keepPlans is how long the lines of a plan stay readable after its run has ended.
	keepPlans = 30 * 24 * time.Hour
	// keepAttempts is how long a call of a target is remembered; what it did stays in
	// the system log.
	keepAttempts = 30 * 24 * time.Hour
	// housekeepBatch bounds one transaction.
	housekeepBatch = 1000
)

// Housekeep forgets old attempts and the lines of old plans. Runs themselves stay.
func (e *Engine) Housekeep(ctx context.Context) error {
	now := e.Now()
	for _, step := range []struct {
		statement string
		before    time.Time
	}{
		{`DELETE FROM export_attempts WHERE id IN (SELECT id FROM export_attempts WHERE started < $1 AND finished <> 0 LIMIT $2)`, now.Add(-keepAttempts)},
		{`DELETE FROM import_objects WHERE run_id IN (SELECT id FROM import_runs WHERE finished <> 0 AND finished < $1)
			AND external_id IN (SELECT o.external_id FROM import_objects o JOIN import_runs r ON r.id = o.run_id
				WHERE r.finished <> 0 AND r.finished < $1 LIMIT $2)`, now.Add(-keepPlans)},
	} {
		for {
			n, err := e.forget(ctx, step.statement, step.before)
			if err != nil {
				return err
			}
			if n == 0 {
				break
			}
		}
	}
	return ctx.Err()
}

func (e *Engine) forget(ctx context.Context, statement string, before time.Time) (n int64, err error) {
	err = e.db().Write(ctx, func(tx *sqldb.Tx) error {
		res, err := tx.Exec(statement, before.UnixMicro(), housekeepBatch)
		if err != nil {
			return fmt.Errorf("housekeep: %w", err)
		}
		n, err = res.RowsAffected()
		return err
	})
	return n, err
}
