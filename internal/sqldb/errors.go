package sqldb

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
	sqlite3 "github.com/mattn/go-sqlite3"
)

// IsUnique reports whether err is a violated primary key or unique constraint.
func IsUnique(err error) bool {
	var serr sqlite3.Error
	if errors.As(err, &serr) {
		return serr.ExtendedCode == sqlite3.ErrConstraintUnique || serr.ExtendedCode == sqlite3.ErrConstraintPrimaryKey
	}
	const uniqueViolation = "23505"
	var perr *pgconn.PgError
	return errors.As(err, &perr) && perr.Code == uniqueViolation
}

// IsForeignKey reports whether err is a violated foreign key.
func IsForeignKey(err error) bool {
	var serr sqlite3.Error
	if errors.As(err, &serr) {
		return serr.ExtendedCode == sqlite3.ErrConstraintForeignKey
	}
	const foreignKeyViolation = "23503"
	var perr *pgconn.PgError
	return errors.As(err, &perr) && perr.Code == foreignKeyViolation
}

// againTries is how often a closure is run that asks to be run again.
const againTries = 20

// Again is returned by a closure that has found that what it was made from, and holds in
// memory, is out of date: Write undoes the transaction, calls Prepare outside of it, and
// runs the closure once more. After againTries the error is the caller's.
type Again struct {
	Prepare func(context.Context) error
	Reason  string
}

// Error gives the reason.
func (e *Again) Error() string { return e.Reason }
