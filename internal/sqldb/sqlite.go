package sqldb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"time"

	sqlite3 "github.com/mattn/go-sqlite3"
)

// Readers: the number that saturates two cores with room for slow ones.
const sqliteReaders = 8

// mattn's default for WAL is synchronous=NORMAL, which can lose the last commits on
// power loss: FULL must be said.
const (
	sqliteWriterParams = "_journal_mode=WAL&_synchronous=FULL&_busy_timeout=5000&_foreign_keys=on&_txlock=immediate&_cache_size=-65536"
	sqliteReaderParams = "mode=ro&_query_only=1&_busy_timeout=5000"
)

// sqliteConnector opens connections to one file with pragmas that have no key in the
// data source name.
type sqliteConnector struct {
	driver *sqlite3.SQLiteDriver
	name   string
}

// Connect implements driver.Connector.
func (c sqliteConnector) Connect(context.Context) (driver.Conn, error) { return c.driver.Open(c.name) }

// Driver implements driver.Connector.
func (c sqliteConnector) Driver() driver.Driver { return c.driver }

func pragmas(c *sqlite3.SQLiteConn, statements ...string) error {
	for _, s := range statements {
		if _, err := c.Exec(s, nil); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	return nil
}

func openSQLite(ctx context.Context, c Config) (*DB, error) {
	if err := stablePlans(); err != nil {
		return nil, err
	}
	db := &DB{
		dialect: SQLite, log: c.Log, queries: rewriter{dialect: SQLite},
		queue: make(chan *write, maxBatch), done: make(chan struct{}),
	}
	file := (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: c.Path}).EscapedPath()}).String()
	db.writeDB = sql.OpenDB(sqliteConnector{name: file + "?" + sqliteWriterParams, driver: &sqlite3.SQLiteDriver{ConnectHook: db.hookWriter}})
	db.writeDB.SetMaxOpenConns(1)
	db.writeDB.SetConnMaxLifetime(0)
	if err := firstConnection(ctx, db.writeDB); err != nil {
		_ = db.writeDB.Close() // the ping error is the one to report
		return nil, fmt.Errorf("open %s: %w", c.Path, err)
	}
	reader := sqliteConnector{name: file + "?" + sqliteReaderParams, driver: &sqlite3.SQLiteDriver{ConnectHook: hookReader}}
	db.lookups = newLookups(reader, sqliteReaders)
	db.readDB = sql.OpenDB(reader)
	db.readDB.SetMaxOpenConns(sqliteReaders)
	db.readDB.SetMaxIdleConns(sqliteReaders)
	go db.runWriter()
	return db, nil
}

// firstConnection opens the writer. On a new file it changes the journal to WAL, for
// which SQLite wants the file alone and does not wait: others that open it at the same
// time, or close it, hold it for moments.
func firstConnection(ctx context.Context, db *sql.DB) error {
	for range firstTries {
		err := db.PingContext(ctx)
		var busy sqlite3.Error
		if !errors.As(err, &busy) || busy.Code != sqlite3.ErrBusy {
			return err
		}
		time.Sleep(firstPause)
	}
	return db.PingContext(ctx)
}

// Together five seconds, as long as a statement waits.
const (
	firstTries = 100
	firstPause = 50 * time.Millisecond
)

func (db *DB) hookWriter(c *sqlite3.SQLiteConn) error {
	db.writer.Store(c)
	return pragmas(c, "PRAGMA wal_autocheckpoint=4000", "PRAGMA journal_size_limit=67108864", "PRAGMA temp_store=MEMORY")
}

func hookReader(c *sqlite3.SQLiteConn) error {
	return pragmas(c, "PRAGMA mmap_size=2147418112", "PRAGMA cache_size=-2048")
}

// lost reports that SQLite has ended the open transaction by itself, as it does on
// some errors (a full disk, say): the next statement would run outside any.
func (db *DB) lost() bool {
	c := db.writer.Load()
	return c != nil && c.AutoCommit()
}
