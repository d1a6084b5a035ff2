package sqldb

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// commitBatch commits the whole batch at once, or each closure alone when the shared
// transaction was lost: then nothing of it is durable, whatever the closures said.
func (db *DB) commitBatch(batch []*write) {
	if len(batch) > 1 && db.commitTogether(batch) {
		return
	}
	for _, w := range batch {
		w.err = db.commitAlone(w)
	}
}

// commitTogether runs every closure in one transaction under a savepoint each, and
// reports whether all callers have their final answer. It is false when the
// transaction is gone: a later closure would run outside any.
func (db *DB) commitTogether(batch []*write) bool {
	ctx := context.Background()
	stx, err := db.writeDB.BeginTx(ctx, nil)
	if err != nil {
		failAll(batch, fmt.Errorf("begin: %w", err))
		return true
	}
	defer func() { _ = stx.Rollback() }() // a no-op after Commit
	for _, w := range batch {
		if w.err = w.ctx.Err(); w.err != nil {
			continue
		}
		if !db.runSavepoint(ctx, stx, w) {
			return false
		}
	}
	return stx.Commit() == nil
}

// runSavepoint runs one closure and reports whether the transaction still stands:
// without one, RELEASE and ROLLBACK TO know no savepoint.
func (db *DB) runSavepoint(ctx context.Context, stx *sql.Tx, w *write) bool {
	if _, err := stx.ExecContext(ctx, "SAVEPOINT w"); err != nil {
		return false
	}
	w.tx = db.newTx(w.ctx, stx)
	if w.err = call(w.fn, w.tx); w.err != nil {
		if _, err := stx.ExecContext(ctx, "ROLLBACK TO w"); err != nil {
			return false
		}
	}
	_, err := stx.ExecContext(ctx, "RELEASE w")
	return err == nil
}

// commitAlone runs one closure in a transaction of its own.
func (db *DB) commitAlone(w *write) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	stx, err := db.writeDB.BeginTx(context.Background(), nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = stx.Rollback() }() // a no-op after Commit
	w.tx = db.newTx(w.ctx, stx)
	if err := call(w.fn, w.tx); err != nil {
		return err
	}
	if err := stx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

func (db *DB) newTx(ctx context.Context, stx *sql.Tx) *Tx {
	return &Tx{db: db, sql: stx, ctx: inside(ctx), deadline: time.Now().Add(db.budget)}
}
