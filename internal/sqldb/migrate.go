package sqldb

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"sort"
	"time"

	"github.com/pressly/goose/v3"
)

// Migrations that read the same on both engines stand in common, the others in the
// engine's folder. A file is never edited after a release.
//
//go:embed migrations
var migrations embed.FS

func (db *DB) migrate(ctx context.Context) error {
	dialect, opts := goose.DialectSQLite3, []goose.ProviderOption{goose.WithDisableGlobalRegistry(true)}
	if db.dialect == PostgreSQL {
		dialect, opts = goose.DialectPostgres, append(opts, goose.WithSessionLocker(schemaLock(db.schema)))
	}
	p, err := goose.NewProvider(dialect, db.writeDB, migrationFS{engine: db.dialect.String()}, opts...)
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	if db.dialect == PostgreSQL {
		_, err = p.Up(ctx)
		return err
	}
	return upTogether(ctx, p)
}

// SQLite has no lock that outlives a transaction, so processes that open a new file
// at once race for each migration; its transaction lets one win, and the losers look
// again. Without progress in this many tries the error is a real one.
const migrateTries = 5

func upTogether(ctx context.Context, p *goose.Provider) error {
	last := int64(-1)
	for tries := 0; ; tries++ {
		_, err := p.Up(ctx)
		if err == nil || ctx.Err() != nil {
			return err
		}
		now, verr := p.GetDBVersion(ctx)
		if verr == nil && now > last {
			last, tries = now, 0
		}
		if tries >= migrateTries {
			return errors.Join(err, verr)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Exclusive runs fn while no other node runs it under the same name: others wait. It
// is for set-up on PostgreSQL that cannot be one transaction; on SQLite it only runs fn.
func (db *DB) Exclusive(ctx context.Context, name string, fn func(ctx context.Context) error) error {
	if db.dialect == SQLite {
		return fn(ctx)
	}
	conn, err := db.writeDB.Conn(ctx)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer func() { _ = conn.Close() }() // back to the pool
	lock := schemaLock(db.schema + " " + name)
	if err := lock.SessionLock(ctx, conn); err != nil {
		return fmt.Errorf("lock %s: %w", name, err)
	}
	defer func() { _ = lock.SessionUnlock(context.WithoutCancel(ctx), conn) }() // a lost connection unlocks too
	return fn(ctx)
}

// schemaLock is an advisory lock that lets one node at a time work on a schema. Other
// schemas of the database are not held up.
type schemaLock string

// SessionLock implements goose's lock.SessionLocker.
func (l schemaLock) SessionLock(ctx context.Context, conn *sql.Conn) error {
	_, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock($1)", l.key())
	return err
}

// SessionUnlock implements goose's lock.SessionLocker.
func (l schemaLock) SessionUnlock(ctx context.Context, conn *sql.Conn) error {
	_, err := conn.ExecContext(ctx, "SELECT pg_advisory_unlock($1)", l.key())
	return err
}

func (l schemaLock) key() int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte("provost " + string(l))) // never fails (hash.Hash)
	return int64(h.Sum64())
}

// migrationFS shows the common migrations and those of one engine as one folder.
type migrationFS struct{ engine string }

// Open opens a migration by its name.
func (m migrationFS) Open(name string) (fs.File, error) {
	if f, err := migrations.Open("migrations/" + m.engine + "/" + name); err == nil && name != "." {
		return f, nil
	}
	return migrations.Open("migrations/common/" + name)
}

// ReadDir lists the migrations of both folders by name.
func (m migrationFS) ReadDir(name string) ([]fs.DirEntry, error) {
	var all []fs.DirEntry
	for _, dir := range []string{"common", m.engine} {
		entries, err := migrations.ReadDir("migrations/" + dir)
		if err != nil {
			return nil, err
		}
		all = append(all, entries...)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Name() < all[j].Name() })
	return all, nil
}
