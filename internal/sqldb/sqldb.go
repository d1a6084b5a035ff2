// Package sqldb opens one organisation's database and hides exactly what differs
// between SQLite and PostgreSQL: opening, migrating, the writer, placeholders and
// row locking. Everything else is raw SQL that is valid on both, written next to
// its Scan in the package that owns the table.
//
// Parameters are $1, $2, ... in any order; on SQLite they are rewritten to ?1, ?2,
// because mattn/go-sqlite3 binds $N by first use and would silently swap values.
// Times are BIGINT microseconds UTC, documents TEXT, byte strings BYTEA.
package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	sqlite3 "github.com/mattn/go-sqlite3"
)

// Dialect says which engine stands behind a DB.
type Dialect int

// The two engines.
const (
	SQLite Dialect = iota
	PostgreSQL
)

// String returns the engine's name.
func (d Dialect) String() string {
	if d == PostgreSQL {
		return "postgresql"
	}
	return "sqlite"
}

// Config says where the database is. URL, when set, is a PostgreSQL URL; otherwise
// Path names the SQLite file, which is made when missing.
type Config struct {
	Path string
	URL  string
	Log  *slog.Logger
}

// DB is one organisation's database. Its methods may be called from any goroutine.
type DB struct {
	dialect Dialect
	url     string
	schema  string
	log     *slog.Logger
	budget  time.Duration                      // of one closure
	writer  atomic.Pointer[sqlite3.SQLiteConn] // SQLite only: the connection of writeDB
	writeDB *sql.DB                            // SQLite: one connection; PostgreSQL: the pool
	readDB  *sql.DB                            // SQLite: read-only pool; PostgreSQL: the same pool
	lookups *lookups                           // SQLite only: the connections of QueryRow
	queries rewriter
	trace   atomic.Pointer[func(string)]
	reads   stmtCache
	writes  stmtCache
	bus     bus
	listen  listener      // PostgreSQL only
	queue   chan *write   // SQLite only
	done    chan struct{} // SQLite only
	closing sync.RWMutex  // guards closed; held for reading while a write is put on the queue
	closed  bool
}

// Open opens the database and applies the migrations that are missing.
func Open(ctx context.Context, c Config) (*DB, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	open := openSQLite
	if c.URL != "" {
		open = openPostgres
	}
	db, err := open(ctx, c)
	if err != nil {
		return nil, err
	}
	db.budget = closureBudget
	if err := db.migrate(ctx); err != nil {
		_ = db.Close() // the migration error is the one to report
		return nil, fmt.Errorf("migrate: %w", err)
	}
	return db, nil
}

// Dialect says which engine this is.
func (db *DB) Dialect() Dialect { return db.dialect }

// Schema is the PostgreSQL schema that holds the organisation, and the name that
// its NOTIFY channels carry. It is empty on SQLite.
func (db *DB) Schema() string { return db.schema }

// URL is the PostgreSQL URL the database was opened with, empty on SQLite.
func (db *DB) URL() string { return db.url }

// WriterDB is the handle that owns every write: River runs on it. Code of ours uses Write.
func (db *DB) WriterDB() *sql.DB { return db.writeDB }

// ForUpdate is the clause that locks the rows of a SELECT inside a Write. SQLite
// has one writer and needs none.
func (db *DB) ForUpdate() string {
	if db.dialect == PostgreSQL {
		return " FOR UPDATE"
	}
	return ""
}

// Close waits for the writes that are queued, then closes the database. Writes that
// come later get ErrClosed.
func (db *DB) Close() error {
	db.stopWriter()
	db.reads.close()
	db.writes.close()
	err := db.writeDB.Close()
	if db.lookups != nil {
		err = errors.Join(err, db.lookups.close())
	}
	if db.readDB != db.writeDB {
		err = errors.Join(err, db.readDB.Close())
	}
	return err
}

func (db *DB) stopWriter() {
	db.closing.Lock()
	first := !db.closed
	db.closed = true
	db.closing.Unlock()
	if first && db.queue != nil {
		close(db.queue)
	}
	if db.queue != nil {
		<-db.done
	}
}
