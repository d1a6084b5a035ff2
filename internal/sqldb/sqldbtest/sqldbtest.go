// Package sqldbtest opens databases for tests: a file of its own on SQLite, a schema
// of its own on PostgreSQL, both gone at the end of the test. A missing PostgreSQL
// fails the test; nothing skips.
package sqldbtest

import (
	"context"
	"crypto/rand"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/provost-id/provost/internal/sqldb"
)

// EnvPostgres names the variable that holds the URL of a PostgreSQL server on which
// tests may make schemas. .ci/with-postgres sets it.
const EnvPostgres = "PROVOST_TEST_POSTGRES"

// Each runs fn as a subtest on SQLite and on PostgreSQL.
func Each(t *testing.T, fn func(t *testing.T, db *sqldb.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { fn(t, SQLite(t)) })
	t.Run("postgresql", func(t *testing.T) { fn(t, PostgreSQL(t)) })
}

// SQLite opens a new database file that is closed and removed with the test.
func SQLite(t testing.TB) *sqldb.DB {
	t.Helper()
	return Open(t, sqldb.Config{Path: filepath.Join(t.TempDir(), "provost.db")})
}

// PostgreSQL opens a new schema that is dropped with the test.
func PostgreSQL(t testing.TB) *sqldb.DB {
	t.Helper()
	return Open(t, sqldb.Config{URL: Schema(t)})
}

// Open opens a database that is closed with the test. Two calls with the same
// Config are two nodes of one organisation.
func Open(t testing.TB, c sqldb.Config) *sqldb.DB {
	t.Helper()
	db, err := sqldb.Open(context.Background(), c)
	if err != nil {
		t.Fatalf("open database: %v", err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close database: %v", err)
		}
	})
	return db
}

// Schema makes a PostgreSQL schema and returns the URL that leads into it.
func Schema(t testing.TB) string {
	t.Helper()
	base := os.Getenv(EnvPostgres)
	if base == "" {
		t.Fatalf("%s is not set: run the tests by make test, or under .ci/with-postgres", EnvPostgres)
	}
	name := "test_" + strings.ToLower(rand.Text())
	exec(t, base, "CREATE SCHEMA "+name)
	t.Cleanup(func() { exec(t, base, "DROP SCHEMA "+name+" CASCADE") })
	u, err := url.Parse(base)
	if err != nil {
		t.Fatalf("%s: %v", EnvPostgres, err)
	}
	q := u.Query()
	q.Set("search_path", name)
	u.RawQuery = q.Encode()
	return u.String()
}

func exec(t testing.TB, url, statement string) {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatalf("connect to %s: %v", EnvPostgres, err)
	}
	defer func() { _ = conn.Close(ctx) }() // nothing is pending
	if _, err := conn.Exec(ctx, statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}
