package sqldb

import (
	"context"
	"database/sql"
	"fmt"
)

// Query reads rows outside a transaction, by a statement that is planned for its
// arguments. The caller closes them.
func (db *DB) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	db.traced(query)
	q := db.queries.rewrite(query)
	if s := db.read(ctx, q); s != nil {
		return s.QueryContext(ctx, args...)
	}
	return db.readDB.QueryContext(ctx, q, db.planned(args)...)
}

// Count reads a number that a filter makes, by a statement that is planned for its
// arguments.
func (db *DB) Count(ctx context.Context, query string, args ...any) (n int, err error) {
	err = db.QueryRow(ctx, query, db.planned(args)...).Scan(&n)
	return n, err
}

// QueryRow reads at most one row by an index. It does not watch ctx while it runs on
// SQLite: a look-up takes microseconds.
func (db *DB) QueryRow(ctx context.Context, query string, args ...any) Row {
	db.traced(query)
	if db.dialect == SQLite {
		return Row{pool: db.lookups, query: db.queries.rewrite(query), args: args}
	}
	return Row{std: db.readDB.QueryRowContext(ctx, query, args...)}
}

// Scanner is a row that can be read.
type Scanner interface {
	Scan(dest ...any) error
}

// Lookup calls each with every row of a query that an index answers with a handful of
// rows. As QueryRow it does not watch ctx while it runs on SQLite. each must not use the
// database.
func (db *DB) Lookup(ctx context.Context, each func(row Scanner) error, query string, args ...any) error {
	db.traced(query)
	if db.dialect == SQLite {
		return db.lookups.each(db.queries.rewrite(query), args, each)
	}
	rows, err := db.readDB.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // Err tells what matters
	for rows.Next() {
		if err := each(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (db *DB) read(ctx context.Context, q string) *sql.Stmt {
	if db.dialect == PostgreSQL {
		return nil
	}
	return db.reads.get(ctx, db.readDB, q)
}

// Reader is what a read needs, outside a transaction or inside a View.
type Reader interface {
	Query(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRow(ctx context.Context, query string, args ...any) Row
}

// View runs fn on one consistent snapshot of the database.
func (db *DB) View(ctx context.Context, fn func(Reader) error) error {
	stx, err := db.readDB.BeginTx(ctx, &sql.TxOptions{ReadOnly: true, Isolation: db.snapshotIsolation()})
	if err != nil {
		return fmt.Errorf("begin read: %w", err)
	}
	defer func() { _ = stx.Rollback() }() // nothing to commit
	return fn(view{db: db, tx: stx})
}

func (db *DB) snapshotIsolation() sql.IsolationLevel {
	if db.dialect == PostgreSQL {
		return sql.LevelRepeatableRead
	}
	return sql.LevelDefault
}

type view struct {
	db *DB
	tx *sql.Tx
}

func (v view) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	v.db.traced(query)
	return v.tx.QueryContext(ctx, v.db.queries.rewrite(query), v.db.planned(args)...)
}

func (v view) QueryRow(ctx context.Context, query string, args ...any) Row {
	v.db.traced(query)
	return Row{std: v.tx.QueryRowContext(ctx, v.db.queries.rewrite(query), v.db.planned(args)...)}
}
