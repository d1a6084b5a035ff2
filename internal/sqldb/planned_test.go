package sqldb_test

import (
	"errors"
	"fmt"
	"net/url"
	"testing"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
)

// Filters are planned for what is bound, however often they run; look-ups keep their plan.
func TestFiltersHaveNoGenericPlan(t *testing.T) {
	db := sqldbtest.PostgreSQL(t)
	db.WriterDB().SetMaxOpenConns(1) // statements are prepared per connection
	err := db.Write(t.Context(), func(tx *sqldb.Tx) error {
		_, table := tx.Exec(`CREATE TABLE words (x TEXT PRIMARY KEY)`)
		return table
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 10 { // of which the sixth would be generic
		rows, queried := db.Query(t.Context(), `SELECT x FROM words WHERE x = $1`, "a")
		if queried == nil {
			queried = rows.Close()
		}
		_, counted := db.Count(t.Context(), `SELECT count(*) FROM words WHERE x = $1`, "a")
		var some int
		found := db.QueryRow(t.Context(), `SELECT 1 + count(*) FROM words WHERE x = $1`, "a").Scan(&some)
		viewed := db.View(t.Context(), func(r sqldb.Reader) error {
			return r.QueryRow(t.Context(), `SELECT 2 + count(*) FROM words WHERE x = $1`, "a").Scan(&some)
		})
		if err := errors.Join(queried, counted, found, viewed); err != nil {
			t.Fatal(err)
		}
	}
	var generic string
	err = db.QueryRow(t.Context(), `SELECT string_agg(statement, ';') FROM pg_prepared_statements WHERE statement LIKE '%FROM words WHERE%' AND generic_plans > 0 AND statement NOT LIKE '%pg_prepared%'`).Scan(&generic)
	if want := `SELECT 1 + count(*) FROM words WHERE x = $1`; err != nil || generic != want {
		t.Errorf("generic plans of %q, %v, want of %q", generic, err, want)
	}
}

// A connection is set as our statements want it, unless the URL says otherwise.
func TestSessionSettings(t *testing.T) {
	for _, c := range []struct{ parameter, jit, cost string }{{"", "off", "1.1"}, {"random_page_cost", "off", "3"}, {"jit", "on", "1.1"}} {
		u, err := url.Parse(sqldbtest.Schema(t))
		if err != nil {
			t.Fatal(err)
		}
		q := u.Query()
		switch c.parameter {
		case "random_page_cost":
			q.Set(c.parameter, c.cost)
		case "jit":
			q.Set(c.parameter, c.jit)
		}
		u.RawQuery = q.Encode()
		db := sqldbtest.Open(t, sqldb.Config{URL: u.String()})
		var jit, cost string
		err = db.QueryRow(t.Context(), `SELECT current_setting('jit'), current_setting('random_page_cost')`).Scan(&jit, &cost)
		if got, want := fmt.Sprint(jit, cost, err), fmt.Sprint(c.jit, c.cost, nil); got != want {
			t.Errorf("with %q in the URL: %s, want %s", c.parameter, got, want)
		}
	}
}
