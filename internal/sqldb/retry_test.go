package sqldb_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
)

// The loser of a conflict runs again, on the state that the winner left.
func TestSerializationFailureIsRetried(t *testing.T) {
	db := sqldbtest.PostgreSQL(t)
	table(t, db)
	write(t, db, func(tx *sqldb.Tx) error { return insert(tx, 1) })
	runs := 0
	write(t, db, func(tx *sqldb.Tx) error {
		runs++
		if _, err := tx.Exec(`SET TRANSACTION ISOLATION LEVEL REPEATABLE READ`); err != nil {
			return err
		}
		var n int
		if err := tx.QueryRow(`SELECT n FROM t`).Scan(&n); err != nil {
			return err
		}
		if runs == 1 {
			write(t, db, func(tx *sqldb.Tx) error { _, err := tx.Exec(`UPDATE t SET n = n + 10`); return err })
		}
		_, err := tx.Exec(`UPDATE t SET n = $1`, n*2)
		return err
	})
	if runs != 2 || !has(t, db, 22) {
		t.Errorf("ran %d times, 22 there: %v; want 2 and true", runs, has(t, db, 22))
	}
}

// A connection that goes away before COMMIT has committed nothing.
func TestLostConnectionIsRetried(t *testing.T) {
	db := sqldbtest.PostgreSQL(t)
	table(t, db)
	runs := 0
	write(t, db, func(tx *sqldb.Tx) error {
		runs++
		if err := insert(tx, 1); err != nil || runs > 1 {
			return err
		}
		_, err := tx.Exec(`SELECT pg_terminate_backend(pg_backend_pid())`)
		return err
	})
	if runs != 2 || !has(t, db, 1) {
		t.Errorf("ran %d times, row there: %v; want 2 and true", runs, has(t, db, 1))
	}
}

func TestOtherErrorsAreNotRetried(t *testing.T) {
	db := sqldbtest.PostgreSQL(t)
	runs := 0
	err := db.Write(t.Context(), func(tx *sqldb.Tx) error {
		runs++
		_, err := tx.Exec(`SELECT 1/0`)
		return err
	})
	if err == nil || runs != 1 {
		t.Errorf("ran %d times with %v, want once with an error", runs, err)
	}
}

// A closure over its time gets an error and keeps nothing; the writer goes on.
func TestBudget(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		table(t, db)
		sqldb.SetBudget(db, 50*time.Millisecond)
		err := db.Write(t.Context(), func(tx *sqldb.Tx) error {
			if err := insert(tx, 1); err != nil {
				return err
			}
			for {
				if err := slow(tx); err != nil {
					return err
				}
				if _, err := tx.Exec(`UPDATE t SET n = n`); err != nil {
					return err
				}
			}
		})
		if err == nil || !strings.Contains(err.Error(), "too long") {
			t.Errorf("got %v, want the budget error", err)
		}
		sqldb.SetBudget(db, time.Minute)
		if has(t, db, 1) {
			t.Error("a row of the closure over its time was kept")
		}
		write(t, db, func(tx *sqldb.Tx) error { return insert(tx, 2) })
	})
}

func TestConstraintErrors(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		table(t, db)
		write(t, db, func(tx *sqldb.Tx) error {
			if _, err := tx.Exec(`CREATE TABLE child (n BIGINT REFERENCES t (n))`); err != nil {
				return err
			}
			return insert(tx, 1)
		})
		unique := db.Write(t.Context(), func(tx *sqldb.Tx) error { return insert(tx, 1) })
		if !sqldb.IsUnique(unique) || sqldb.IsForeignKey(unique) {
			t.Errorf("duplicate key: %v is not told apart", unique)
		}
		foreign := db.Write(t.Context(), func(tx *sqldb.Tx) error {
			_, err := tx.Exec(`INSERT INTO child (n) VALUES (7)`)
			return err
		})
		if !sqldb.IsForeignKey(foreign) || sqldb.IsUnique(foreign) {
			t.Errorf("missing parent: %v is not told apart", foreign)
		}
		if sqldb.IsUnique(errors.New("x")) || sqldb.IsForeignKey(errors.New("x")) {
			t.Error("any error counts as a constraint")
		}
	})
}
