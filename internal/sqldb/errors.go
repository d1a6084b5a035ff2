package sqldb

import (
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
