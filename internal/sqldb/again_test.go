package sqldb_test

import (
	"context"
	"errors"
	"testing"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
)

// A closure that asks to be run again is, with nothing kept of the run before, and not
// for ever.
func TestAgain(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		table(t, db)
		prepared, runs := 0, 0
		again := &sqldb.Again{Reason: "out of date", Prepare: func(context.Context) error {
			prepared++
			if has(t, db, 1) {
				t.Error("Prepare runs inside of the transaction, or the run before was kept")
			}
			return nil
		}}
		write(t, db, func(tx *sqldb.Tx) error {
			runs++
			if err := insert(tx, 1); err != nil {
				return err
			}
			if runs < 3 {
				return again
			}
			return nil
		})
		if runs != 3 || prepared != 2 || !has(t, db, 1) {
			t.Errorf("%d runs, %d times prepared", runs, prepared)
		}
		runs = 0
		again.Prepare = func(context.Context) error { return nil }
		err := db.Write(t.Context(), func(*sqldb.Tx) error { runs++; return again })
		if !errors.Is(err, again) || runs > 50 {
			t.Errorf("after %d runs: %v", runs, err)
		}
		errPrepare := errors.New("cannot prepare")
		again.Prepare = func(context.Context) error { return errPrepare }
		if err := db.Write(t.Context(), func(*sqldb.Tx) error { return again }); !errors.Is(err, errPrepare) {
			t.Errorf("%v", err)
		}
	})
}
