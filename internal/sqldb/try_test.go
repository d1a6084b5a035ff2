package sqldb_test

import (
	"errors"
	"testing"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
)

// What fails in a Try is undone alone, by its own error, by a statement's, within
// another Try, and with what it wanted to happen after the commit.
func TestTry(t *testing.T) {
	errOwn := errors.New("own")
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		table(t, db)
		heard := 0
		write(t, db, func(tx *sqldb.Tx) error {
			if err := insert(tx, 1); err != nil {
				return err
			}
			err := tx.Try(func() error {
				tx.AfterCommit(func() { t.Error("the hook of what failed ran") })
				if err := insert(tx, 2); err != nil {
					return err
				}
				return errOwn
			})
			if !errors.Is(err, errOwn) {
				t.Errorf("Try returns %v, want the error of its function", err)
			}
			if err := tx.Try(func() error { return insert(tx, 1) }); !sqldb.IsUnique(err) {
				t.Errorf("Try returns %v, want the violated constraint", err)
			}
			if err := tx.Try(func() error { _ = insert(tx, 1); return nil }); !sqldb.IsUnique(err) {
				t.Errorf("Try returns %v for a statement whose error is dropped, want it", err)
			}
			return tx.Try(func() error {
				tx.AfterCommit(func() { heard++ })
				if err := tx.Try(func() error { _ = insert(tx, 3); return errOwn }); !errors.Is(err, errOwn) {
					t.Errorf("Try inside returns %v", err)
				}
				return insert(tx, 4)
			})
		})
		for n, want := range map[int]bool{1: true, 2: false, 3: false, 4: true} {
			if has(t, db, n) != want {
				t.Errorf("row %d is there: %v, want %v", n, !want, want)
			}
		}
		if heard != 1 {
			t.Errorf("the hook ran %d times, want once", heard)
		}
	})
}

// A transaction that is lost stays lost.
func TestTryLostTransaction(t *testing.T) {
	db := sqldbtest.SQLite(t)
	table(t, db)
	err := db.Write(t.Context(), func(tx *sqldb.Tx) error {
		_ = tx.Try(func() error {
			_, err := tx.SQL().Exec(`ROLLBACK`)
			return err
		})
		return insert(tx, 1)
	})
	if err == nil || has(t, db, 1) {
		t.Errorf("error %v, row kept %v: want an error and no row", err, has(t, db, 1))
	}
}
