package sqldb_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
)

// A plan does not depend on what is bound: SQLite would use the index for a pattern that
// it can see, and would prepare the statement anew to look at it.
func TestStablePlans(t *testing.T) {
	db := sqldbtest.SQLite(t)
	want := func(row interface{ Scan(...any) error }, what, step string) {
		t.Helper()
		var id, parent, unused int
		var got string
		if err := row.Scan(&id, &parent, &unused, &got); err != nil || !strings.HasPrefix(got, step) {
			t.Errorf("%s: %s, %v, want %s", what, got, err, step)
		}
	}
	const explain = `EXPLAIN QUERY PLAN SELECT x FROM words WHERE x GLOB `
	err := db.Write(t.Context(), func(tx *sqldb.Tx) error {
		_, table := tx.Exec(`CREATE TABLE words (x TEXT)`)
		_, index := tx.Exec(`CREATE INDEX words_x ON words (x)`)
		want(tx.QueryRow(explain+`'a*'`), "the writer, a pattern in the text", "SEARCH")
		want(tx.QueryRow(explain+`$1`, "a*"), "the writer, a pattern that is bound", "SCAN")
		return errors.Join(table, index)
	})
	if err != nil {
		t.Fatal(err)
	}
	want(db.QueryRow(t.Context(), explain+`$1`, "a*"), "a reader", "SCAN")
}
