package jobs

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/provost-id/provost/internal/lease"
	"github.com/provost-id/provost/internal/sqldb"
)

// River rescues the jobs of a dead node after an hour, because all it can go by is
// how long they run. Each node holds a lease here, so that they are free again within
// 15 s.
const (
	nodePrefix   = "jobs/"
	nodeTTL      = 10 * time.Second
	rescueEvery  = 3 * time.Second
	forgetDeadIn = 24 * time.Hour
)

// rescue frees what died before this start, keeps this node's jobs from being
// rescued, and on PostgreSQL watches the other nodes until the function it returns
// is called.
func (j *Jobs) rescue(ctx context.Context, node string) (stop func(), err error) {
	if j.db.Dialect() == sqldb.SQLite {
		return func() {}, j.db.Write(ctx, rescueAll)
	}
	if err := j.watch(ctx, node); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		j.keepWatching(ctx, node)
	}()
	return func() {
		cancel()
		<-done
		if err := lease.Remove(context.WithoutCancel(ctx), j.db, nodePrefix+node); err != nil {
			j.log.Error("remove lease of this node", slog.Any("error", err))
		}
	}, nil
}

func (j *Jobs) keepWatching(ctx context.Context, node string) {
	tick := time.NewTicker(rescueEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := j.watch(ctx, node); err != nil && ctx.Err() == nil {
			j.log.Error("rescue jobs of dead nodes", slog.Any("error", err))
		}
	}
}

// watch renews this node's lease and frees the jobs of nodes whose lease has expired.
func (j *Jobs) watch(ctx context.Context, node string) error {
	now := time.Now()
	return j.db.Write(ctx, func(tx *sqldb.Tx) error {
		if _, _, err := lease.AcquireTx(tx, nodePrefix+node, node, nodeTTL, now); err != nil {
			return err
		}
		if err := rescueDead(tx, now); err != nil {
			return err
		}
		return lease.RemoveExpired(tx, nodePrefix, now.Add(-forgetDeadIn))
	})
}

// rescueAll frees every running job: on SQLite one process works jobs, and it starts now.
func rescueAll(tx *sqldb.Tx) error {
	_, err := tx.Exec(`UPDATE river_job SET
			state = CASE WHEN attempt < max_attempts THEN 'available' ELSE 'discarded' END,
			finalized_at = CASE WHEN attempt < max_attempts THEN NULL ELSE CURRENT_TIMESTAMP END
		WHERE state = 'running'`)
	if err != nil {
		return fmt.Errorf("rescue jobs: %w", err)
	}
	return nil
}

func rescueDead(tx *sqldb.Tx, now time.Time) error {
	_, err := tx.Exec(`UPDATE river_job SET
			state = CASE WHEN attempt < max_attempts THEN 'available' ELSE 'discarded' END::river_job_state,
			finalized_at = CASE WHEN attempt < max_attempts THEN NULL ELSE CURRENT_TIMESTAMP END
		WHERE state = 'running' AND NOT EXISTS (
			SELECT 1 FROM leases WHERE name = $1 || attempted_by[array_upper(attempted_by, 1)] AND expires > $2)`,
		nodePrefix, now.UnixMicro())
	if err != nil {
		return fmt.Errorf("rescue jobs: %w", err)
	}
	return nil
}
