package sqldb_test

import (
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
)

// Whatever the callers of one batch do - succeed, fail, panic, lose the transaction -
// the rows there afterwards are exactly those of the callers that were told so.
func TestBatchKeepsWhatItAnswers(t *testing.T) {
	db := sqldbtest.SQLite(t)
	table(t, db)
	next := 0
	rapid.Check(t, func(rt *rapid.T) {
		acts := rapid.SliceOfN(rapid.SampledFrom([]string{"insert", "insert", "fail", "panic", "lose", "duplicate"}), 1, 12).Draw(rt, "acts")
		fns := make([]func(tx *sqldb.Tx) error, len(acts))
		first := next
		next += len(acts)
		for i, act := range acts {
			fns[i] = func(tx *sqldb.Tx) error { return do(tx, act, first+i) }
		}
		for i, err := range together(t, db, fns...) {
			if kept := has(t, db, first+i); kept != (err == nil) {
				rt.Fatalf("%v: caller %d was told %v, row kept %v", acts, i, err, kept)
			}
		}
	})
}

func do(tx *sqldb.Tx, act string, n int) error {
	if err := insert(tx, n); err != nil {
		return err
	}
	switch act {
	case "fail":
		return errors.New("failed")
	case "panic":
		panic("panicked")
	case "lose":
		_, err := tx.SQL().Exec(`ROLLBACK`)
		return err
	case "duplicate":
		return insert(tx, n)
	}
	return nil
}
