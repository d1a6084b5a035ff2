package sqldb

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// A transaction that PostgreSQL ended is tried this often before it is reported.
const postgresTries = 5

// retryPause is the longest pause before the second try; it doubles from try to try.
const retryPause = 10 * time.Millisecond

func (db *DB) writePostgres(ctx context.Context, fn func(*Tx) error) error {
	for try := 1; ; try++ {
		again, err := db.tryPostgres(ctx, fn)
		if err == nil || !again || try == postgresTries {
			return err
		}
		time.Sleep(rand.N(retryPause << (try - 1))) // apart from whoever it collided with
	}
}

// tryPostgres runs fn once and reports whether a failure left the database untouched
// for a reason that another try may not meet. The caller's cancellation is looked at
// before the start only, so that a transaction ends by commit or by its own error.
func (db *DB) tryPostgres(ctx context.Context, fn func(*Tx) error) (again bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	deadline := time.Now().Add(db.budget)
	wctx, cancel := context.WithDeadline(inside(ctx), deadline)
	defer cancel()
	stx, err := db.writeDB.BeginTx(wctx, nil)
	if err != nil {
		return isLost(err), fmt.Errorf("begin: %w", closed(err))
	}
	defer func() { _ = stx.Rollback() }() // a no-op after Commit
	tx := &Tx{db: db, sql: stx, ctx: wctx, deadline: deadline}
	if err := call(fn, tx); err != nil {
		if wctx.Err() != nil {
			return false, errors.Join(ErrBudget, err)
		}
		return isConflict(err) || isLost(err), err
	}
	if err := stx.Commit(); err != nil {
		// A connection lost here leaves the outcome unknown: trying again could do it twice.
		return isConflict(err), fmt.Errorf("commit: %w", err)
	}
	tx.committed()
	return false, nil
}

// isConflict reports that PostgreSQL chose the transaction as the loser of a conflict.
func isConflict(err error) bool {
	const serializationFailure, deadlockDetected = "40001", "40P01"
	var perr *pgconn.PgError
	return errors.As(err, &perr) && (perr.Code == serializationFailure || perr.Code == deadlockDetected)
}

// isLost reports that the connection went away before COMMIT was sent, or that the
// server shuts down (class 57P) or speaks of a connection exception (class 08).
func isLost(err error) bool {
	var perr *pgconn.PgError
	if errors.As(err, &perr) {
		return strings.HasPrefix(perr.Code, "57P") || strings.HasPrefix(perr.Code, "08")
	}
	var nerr *net.OpError
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) ||
		errors.Is(err, net.ErrClosed) || errors.As(err, &nerr)
}

// closed names the error of database/sql for a handle that Close has closed.
func closed(err error) error {
	const text = "sql: database is closed" // database/sql exports no sentinel
	if err.Error() == text {
		return ErrClosed
	}
	return err
}
