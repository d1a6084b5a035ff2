package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// Two cores of one node keep about this many server connections busy.
const postgresConns = 16

// sessions is how a connection is set where the database URL does not say otherwise.
var sessions = map[string]string{
	// A node that is cut off in mid-transaction holds its row locks no longer than this.
	"idle_in_transaction_session_timeout": "60s",
	// Compiling a statement takes tens of milliseconds; ours run for less.
	"jit": "off",
	// The indexes are in memory or on a disk without heads. At the server's own setting
	// of 4 a page of a list reads tables as a whole that it has a hundred rows of.
	"random_page_cost": "1.1",
}

func openPostgres(ctx context.Context, c Config) (*DB, error) {
	cfg, err := pgx.ParseConfig(c.URL)
	if err != nil {
		return nil, fmt.Errorf("database URL: %w", redactURL(err))
	}
	for name, value := range sessions {
		if _, said := cfg.RuntimeParams[name]; !said {
			cfg.RuntimeParams[name] = value
		}
	}
	w := stdlib.OpenDB(*cfg)
	w.SetMaxOpenConns(postgresConns)
	w.SetMaxIdleConns(postgresConns)
	w.SetConnMaxIdleTime(5 * time.Minute)
	db := &DB{dialect: PostgreSQL, url: c.URL, log: c.Log, writeDB: w, readDB: w, queries: rewriter{dialect: PostgreSQL}}
	if db.schema, err = currentSchema(ctx, w); err != nil {
		_ = w.Close() // the connection error is the one to report
		return nil, fmt.Errorf("connect to postgres at %s:%d: %w", cfg.Host, cfg.Port, err)
	}
	return db, nil
}

func currentSchema(ctx context.Context, w *sql.DB) (string, error) {
	var schema sql.NullString
	if err := w.QueryRowContext(ctx, "SELECT current_schema()").Scan(&schema); err != nil {
		return "", err
	}
	if !schema.Valid {
		return "", errors.New("no schema of the search_path exists")
	}
	return schema.String, nil
}

// planned are the arguments of a statement that PostgreSQL plans at every execution, for
// the values that are bound. A prepared one it plans for any values from the sixth
// execution on: as if an attribute had as many resources with one value as with another,
// so that a filter may begin with what everybody has.
func (db *DB) planned(args []any) []any {
	if db.dialect != PostgreSQL {
		return args
	}
	return append([]any{pgx.QueryExecModeCacheDescribe}, args...)
}

// redactURL keeps a password in a malformed URL out of the error text.
func redactURL(err error) error {
	var perr *pgconn.ParseConfigError
	if errors.As(err, &perr) {
		return errors.New("is not a PostgreSQL URL")
	}
	return err
}

// Analyze has PostgreSQL look at tables that have just been filled, which autovacuum
// would do minutes later. SQLite plans without statistics.
func (db *DB) Analyze(ctx context.Context, tables ...string) error {
	if db.dialect != PostgreSQL {
		return nil
	}
	if _, err := db.writeDB.ExecContext(ctx, "ANALYZE "+strings.Join(tables, ", ")); err != nil {
		return fmt.Errorf("analyze tables: %w", err)
	}
	return nil
}
