package sqldb_test

import (
	"fmt"
	"testing"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
)

// Every number of rows arrives whole and in order, with nulls in some rows or in all,
// and the rows of a conflict are not counted.
func TestInsertMany(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		write(t, db, func(tx *sqldb.Tx) error {
			_, err := tx.Exec(`CREATE TABLE many (n BIGINT PRIMARY KEY, s TEXT NOT NULL, maybe TEXT, none BIGINT, yes BOOLEAN NOT NULL, b BYTEA)`)
			return err
		})
		next := 0
		for _, rows := range []int{0, 1, 31, 32, 33, 256, 700} {
			var values []any
			for range rows {
				var maybe any
				if next%3 > 0 {
					maybe = fmt.Sprint("s", next)
				}
				values = append(values, int64(next), "it's "+fmt.Sprint(next), maybe, nil, next%2 == 0, []byte{0, byte(next)})
				next++
			}
			const into = `INSERT INTO many (n, s, maybe, none, yes, b)`
			write(t, db, func(tx *sqldb.Tx) error {
				n, err := tx.InsertMany(into, 6, "", values)
				if n != int64(rows) {
					t.Errorf("%d rows inserted, want %d", n, rows)
				}
				return err
			})
			write(t, db, func(tx *sqldb.Tx) error {
				again := append([]any{int64(-1 - next), "new", nil, nil, true, nil}, values...)
				n, err := tx.InsertMany(into, 6, ` ON CONFLICT (n) DO NOTHING`, again)
				if n != 1 {
					t.Errorf("%d of %d rows inserted a second time, want 1", n, rows+1)
				}
				return err
			})
		}
		var count, wrong int
		err := db.QueryRow(t.Context(), `SELECT count(*), COUNT(CASE WHEN s = 'it''s ' || n AND none IS NULL AND (yes = (n % 2 = 0))
			AND COALESCE(maybe, '') = CASE WHEN n % 3 > 0 THEN 's' || n ELSE '' END THEN NULL ELSE 1 END) FROM many WHERE n >= 0`).Scan(&count, &wrong)
		if err != nil || count != next || wrong != 0 {
			t.Errorf("%d rows, %d of them wrong (%v), want %d and 0", count, wrong, err, next)
		}
	})
}

// A column of two types is refused, not converted.
func TestInsertManyMixedColumn(t *testing.T) {
	db := sqldbtest.PostgreSQL(t)
	table(t, db)
	var values []any
	for i := range 40 {
		values = append(values, int64(i))
	}
	values[39] = "39"
	err := db.Write(t.Context(), func(tx *sqldb.Tx) error {
		_, err := tx.InsertMany(`INSERT INTO t (n)`, 1, "", values)
		return err
	})
	if err == nil {
		t.Error("a column of numbers takes a text")
	}
}
