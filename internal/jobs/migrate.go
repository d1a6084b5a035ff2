package jobs

import (
	"context"
	"fmt"
	"time"

	"github.com/riverqueue/river/rivermigrate"

	"github.com/provost-id/provost/internal/sqldb"
)

// Migrate makes and updates River's own tables, which River numbers beside ours. It
// is called before Run and InsertTx. Several nodes may call it at once.
func (j *Jobs) Migrate(ctx context.Context) error {
	m, err := rivermigrate.New(j.driver(), &rivermigrate.Config{Logger: quiet(j.log)})
	if err != nil {
		return fmt.Errorf("read job queue migrations: %w", err)
	}
	up := func(ctx context.Context) error {
		_, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil)
		return err
	}
	if j.db.Dialect() == sqldb.PostgreSQL {
		return j.db.Exclusive(ctx, "river", up)
	}
	return tryAgain(ctx, up)
}

// tryAgain lets processes that open a new SQLite file at once race for each step: its
// transaction lets one win, and the losers look again. There are fewer steps than tries.
func tryAgain(ctx context.Context, up func(context.Context) error) error {
	const tries = 20
	for n := 1; ; n++ {
		err := up(ctx)
		if err == nil || n == tries || ctx.Err() != nil {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
}
