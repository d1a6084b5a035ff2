package sqldb_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
)

// Nodes that start at once on a new database all come up, and each migration has run
// once. One round may happen to be in turn, so there are several.
func TestConcurrentOpeners(t *testing.T) {
	const rounds = 4
	for range rounds {
		openTogether(t, sqldb.Config{Path: filepath.Join(t.TempDir(), "a.db")})
	}
	openTogether(t, sqldb.Config{URL: sqldbtest.Schema(t)})
}

func openTogether(t *testing.T, c sqldb.Config) {
	t.Helper()
	const openers = 4
	var wg sync.WaitGroup
	dbs := make([]*sqldb.DB, openers)
	for i := range openers {
		wg.Go(func() {
			db, err := sqldb.Open(t.Context(), c)
			if err != nil {
				t.Errorf("opener %d: %v", i, err)
			}
			dbs[i] = db
		})
	}
	wg.Wait()
	for _, db := range dbs {
		if db == nil {
			continue
		}
		var twice int
		err := db.QueryRow(t.Context(), `SELECT count(*) - count(DISTINCT version_id) FROM goose_db_version`).Scan(&twice)
		if err != nil || twice != 0 {
			t.Errorf("%s: %d migrations ran twice (%v)", db.Dialect(), twice, err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestOpenErrorsAreOneClearLine(t *testing.T) {
	dir := t.TempDir()
	notSQLite := filepath.Join(dir, "text")
	if err := os.WriteFile(notSQLite, []byte(strings.Repeat("not a database\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		sqldb.Config
		want string
	}{
		"missing folder": {sqldb.Config{Path: filepath.Join(dir, "no", "a.db")}, "open "},
		"not a database": {sqldb.Config{Path: notSQLite}, "file is not a database"},
		"not a URL":      {sqldb.Config{URL: "postgres://u:hunter2@h:port/d"}, "not a PostgreSQL URL"},
		"nobody there":   {sqldb.Config{URL: "postgres://u:hunter2@127.0.0.1:1/d?sslmode=disable"}, "127.0.0.1:1"},
		"no schema":      {sqldb.Config{URL: strings.Replace(sqldbtest.Schema(t), "search_path=test_", "search_path=none_", 1)}, "no schema"},
	} {
		t.Run(name, func(t *testing.T) {
			db, err := sqldb.Open(t.Context(), c.Config)
			if err == nil {
				_ = db.Close() // the test has failed already
				t.Fatal("opened")
			}
			if !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got %q, want it to say %q and no password", err, c.want)
			}
		})
	}
}

func TestPathWithOddCharacters(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a b%41?c#d")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "é.db")
	sqldbtest.Open(t, sqldb.Config{Path: path})
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the database is not where the path says: %v", err)
	}
}

// Durability rests on these.
func TestSQLitePragmas(t *testing.T) {
	db := sqldbtest.SQLite(t)
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1"} {
		var got string
		if err := db.WriterDB().QueryRow("PRAGMA " + pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %q (%v), want %q", pragma, got, err, want)
		}
	}
}

func TestReadersCannotWrite(t *testing.T) {
	db := sqldbtest.SQLite(t)
	rows, err := db.Query(t.Context(), `INSERT INTO event_cursors (consumer, seq) VALUES ('x', 1) RETURNING seq`)
	if err == nil {
		rows.Next()
		err = rows.Err()
		_ = rows.Close() // its error is that of Err
	}
	if err == nil {
		t.Error("a read handle wrote")
	}
}

// View sees one state, whatever commits meanwhile.
func TestViewIsOneSnapshot(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		table(t, db)
		err := db.View(t.Context(), func(r sqldb.Reader) error {
			for want := range 2 {
				var n int
				if err := r.QueryRow(t.Context(), `SELECT count(*) FROM t`).Scan(&n); err != nil {
					return err
				}
				if n != 0 {
					t.Errorf("read %d sees %d rows, want none", want, n)
				}
				write(t, db, func(tx *sqldb.Tx) error { return insert(tx, want) })
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}
