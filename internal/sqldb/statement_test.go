package sqldb_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
)

func TestRewritePlaceholders(t *testing.T) {
	for in, want := range map[string]string{
		`SELECT $1`:                        `SELECT ?1`,
		`$2, $1, $10`:                      `?2, ?1, ?10`,
		`'$1' = $1`:                        `'$1' = ?1`,
		`'it''s $1' || $2`:                 `'it''s $1' || ?2`,
		`"col$1" = $1`:                     `"col$1" = ?1`,
		"-- don't $1\nSELECT $1":           "-- don't $1\nSELECT ?1",
		`a - $1 - -$2`:                     `a - ?1 - -?2`,
		`$name $ $`:                        `$name $ $`,
		`json_extract(doc, '$.a') = $1`:    `json_extract(doc, '$.a') = ?1`,
		`SELECT 'unfinished $1`:            `SELECT 'unfinished $1`,
		`x = $1::TEXT AND é = $2 AND '€$3`: `x = ?1::TEXT AND é = ?2 AND '€$3`,
	} {
		if got := sqldb.RewritePlaceholders(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}

// FuzzRewritePlaceholders: only dollar signs before digits change, each to a question
// mark, and doing it twice changes nothing more.
func FuzzRewritePlaceholders(f *testing.F) {
	f.Add(`SELECT '$1', $2 -- $3`)
	f.Fuzz(func(t *testing.T, q string) {
		got := sqldb.RewritePlaceholders(q)
		if len(got) != len(q) {
			t.Fatalf("%q became %q", q, got)
		}
		for i := range len(q) {
			if q[i] != got[i] && (q[i] != '$' || got[i] != '?' || i+1 == len(q) || !strings.ContainsRune("0123456789", rune(q[i+1]))) {
				t.Fatalf("%q became %q", q, got)
			}
		}
		if again := sqldb.RewritePlaceholders(got); again != got {
			t.Fatalf("%q became %q, then %q", q, got, again)
		}
	})
}

// Filters make statement texts without end; memory must not follow.
func TestCachesAreBounded(t *testing.T) {
	db := sqldbtest.SQLite(t)
	for i := range sqldb.MaxRewrites + 100 {
		var n int
		if err := db.QueryRow(t.Context(), fmt.Sprintf(`SELECT %d + $1`, i), 1).Scan(&n); err != nil || n != i+1 {
			t.Fatalf("query %d gave %d, %v", i, n, err)
		}
	}
	if statements, rewrites := sqldb.Cached(db); statements > sqldb.MaxStatements+8 || rewrites > sqldb.MaxRewrites+8 {
		t.Errorf("caches hold %d statements and %d texts", statements, rewrites)
	}
}
