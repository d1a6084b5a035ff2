package sqldb

import (
	"context"
	"database/sql"
	"time"
)

// Tx is one write transaction, valid inside the closure given to Write. A statement
// that fails ends it, on both engines: what follows fails too, and nothing is kept.
// To meet a conflict without an error, use ON CONFLICT.
type Tx struct {
	db       *DB
	sql      *sql.Tx
	ctx      context.Context // the writer's, never a request's
	deadline time.Time
	failed   error // the first error of a statement
	after    []func()
}

// Exec runs a statement.
func (tx *Tx) Exec(query string, args ...any) (sql.Result, error) {
	if err := tx.ready(); err != nil {
		return nil, err
	}
	tx.db.traced(query)
	var res sql.Result
	var err error
	if s := tx.stmt(query); s != nil {
		res, err = s.ExecContext(tx.ctx, args...)
	} else {
		res, err = tx.sql.ExecContext(tx.ctx, tx.db.queries.rewrite(query), args...)
	}
	tx.failed = err
	return res, err
}

// Query runs a statement that returns rows. The caller closes them before the next statement.
func (tx *Tx) Query(query string, args ...any) (*sql.Rows, error) {
	if err := tx.ready(); err != nil {
		return nil, err
	}
	tx.db.traced(query)
	var rows *sql.Rows
	var err error
	if s := tx.stmt(query); s != nil {
		rows, err = s.QueryContext(tx.ctx, args...)
	} else {
		rows, err = tx.sql.QueryContext(tx.ctx, tx.db.queries.rewrite(query), args...)
	}
	tx.failed = err
	return rows, err
}

// QueryRow runs a statement that returns at most one row.
func (tx *Tx) QueryRow(query string, args ...any) *sql.Row {
	if tx.ready() != nil {
		over, cancel := context.WithCancel(tx.ctx)
		cancel()
		return tx.sql.QueryRowContext(over, query) // its Scan reports that the transaction is over
	}
	tx.db.traced(query)
	if s := tx.stmt(query); s != nil {
		return s.QueryRowContext(tx.ctx, args...)
	}
	return tx.sql.QueryRowContext(tx.ctx, tx.db.queries.rewrite(query), args...)
}

// ready is the error of the statement that ended the transaction. On SQLite, where a
// statement is not interrupted, time is looked at between statements.
func (tx *Tx) ready() error {
	switch {
	case tx.failed != nil:
	case tx.db.lost():
		tx.failed = errLost
	case time.Now().After(tx.deadline):
		tx.failed = ErrBudget
	}
	return tx.failed
}

// stmt returns the prepared statement for a query on SQLite, nil when there is none
// yet. pgx keeps its own cache per connection.
func (tx *Tx) stmt(query string) *sql.Stmt {
	if tx.db.dialect == PostgreSQL {
		return nil
	}
	if s := tx.db.writes.want(tx.db.queries.rewrite(query)); s != nil {
		return tx.sql.StmtContext(tx.ctx, s)
	}
	return nil
}

// ForUpdate is DB.ForUpdate.
func (tx *Tx) ForUpdate() string { return tx.db.ForUpdate() }

// Dialect says which engine this is.
func (tx *Tx) Dialect() Dialect { return tx.db.dialect }

// SQL is the driver's transaction, for libraries that take one (River's InsertTx).
func (tx *Tx) SQL() *sql.Tx { return tx.sql }

// Context is the writer's context, for libraries that take one beside SQL.
func (tx *Tx) Context() context.Context { return tx.ctx }

// AfterCommit runs fn once, in the caller's goroutine, after the transaction is
// durable and before Write returns. It is for waking others; it cannot fail.
func (tx *Tx) AfterCommit(fn func()) { tx.after = append(tx.after, fn) }

func (tx *Tx) committed() {
	for _, fn := range tx.after {
		fn()
	}
}
