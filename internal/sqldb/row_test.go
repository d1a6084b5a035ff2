package sqldb_test

import (
	"database/sql"
	"errors"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
)

type status string

// A row that is looked up reads as one of database/sql does.
func TestQueryRow(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		makeRows(t, db)
		var got struct {
			Text   string
			Status status
			Number int64
			Small  int
			Bytes  []byte
			Doc    []byte
			Yes    bool
			Null   sql.NullString
			Ratio  float64
		}
		err := db.QueryRow(t.Context(), `SELECT a, a, n, n, b, a, n = 7, NULL, 1.5 FROM looked WHERE a = $2 AND n = $1`, 7, status("x")).
			Scan(&got.Text, &got.Status, &got.Number, &got.Small, &got.Bytes, &got.Doc, &got.Yes, &got.Null, &got.Ratio)
		if err != nil {
			t.Fatal(err)
		}
		want := got
		want.Text, want.Status, want.Number, want.Small, want.Yes, want.Ratio = "x", "x", 7, 7, true, 1.5
		want.Bytes, want.Doc = []byte{0, 1, 255}, []byte("x")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

func makeRows(t *testing.T, db *sqldb.DB) {
	t.Helper()
	err := db.Write(t.Context(), func(tx *sqldb.Tx) error {
		if _, err := tx.Exec(`CREATE TABLE looked (a TEXT, n BIGINT, b BYTEA)`); err != nil {
			return err
		}
		_, err := tx.Exec(`INSERT INTO looked (a, n, b) VALUES ($1, $2, $3)`, "x", 7, []byte{0, 1, 255})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestQueryRow_Errors(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		makeRows(t, db)
		var s string
		var n int64
		for range 2 { // the second time the statement is there
			if err := db.QueryRow(t.Context(), `SELECT a FROM looked WHERE a = $1`, "y").Scan(&s); !errors.Is(err, sql.ErrNoRows) {
				t.Errorf("no row: %v", err)
			}
			for name, row := range map[string]sqldb.Row{
				"NULL":       db.QueryRow(t.Context(), `SELECT CAST(NULL AS TEXT)`),
				"no table":   db.QueryRow(t.Context(), `SELECT a FROM nowhere`),
				"an array":   db.QueryRow(t.Context(), `SELECT a FROM looked WHERE a = $1`, []int{1}),
				"too few":    db.QueryRow(t.Context(), `SELECT a FROM looked WHERE a = $1`),
				"two values": db.QueryRow(t.Context(), `SELECT a, n FROM looked`),
			} {
				if err := row.Scan(&s); err == nil || errors.Is(err, sql.ErrNoRows) {
					t.Errorf("%s: %v, want an error", name, err)
				}
			}
			if err := db.QueryRow(t.Context(), `SELECT a FROM looked`).Scan(&n); err == nil {
				t.Error("text into a number: no error")
			}
		}
		if err := db.QueryRow(t.Context(), `SELECT a FROM looked`).Scan(&s); err != nil || s != "x" {
			t.Errorf("after the errors: %q, %v", s, err)
		}
	})
}

// More readers than connections, and more statements than are kept, beside a writer.
func TestQueryRow_Concurrent(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		makeRows(t, db)
		var wg sync.WaitGroup
		for g := range 32 {
			wg.Go(func() {
				for i := range 50 {
					var n int64
					if err := db.QueryRow(t.Context(), `SELECT n FROM looked WHERE a = $1`+spaces(g*50+i), "x").Scan(&n); err != nil || n < 7 {
						t.Errorf("%d, %v", n, err)
						return
					}
				}
			})
		}
		for range 20 {
			err := db.Write(t.Context(), func(tx *sqldb.Tx) error { _, err := tx.Exec(`UPDATE looked SET n = n + 1`); return err })
			if err != nil {
				t.Error(err)
			}
		}
		wg.Wait()
		var n int64
		if err := db.QueryRow(t.Context(), `SELECT n FROM looked WHERE a = $1`, "x").Scan(&n); err != nil || n != 27 {
			t.Errorf("%d, %v: a write must be seen once it has returned", n, err)
		}
	})
}

// spaces makes another text of the same statement.
func spaces(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = ' '
	}
	return string(b)
}
