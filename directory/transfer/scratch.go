package transfer

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/provost-id/provost/internal/sqldb"
)

// openScratch opens a database that a dry run remembers in what it has seen: the file
// may have more records than memory. remove takes it away.
func openScratch(ctx context.Context) (db *sqldb.DB, remove func() error, err error) {
	dir, err := os.MkdirTemp("", "provost-dry-run-")
	if err != nil {
		return nil, nil, err
	}
	if db, err = sqldb.Open(ctx, sqldb.Config{Path: filepath.Join(dir, "scratch.db")}); err != nil {
		return nil, nil, errors.Join(err, os.RemoveAll(dir))
	}
	return db, func() error { return errors.Join(db.Close(), os.RemoveAll(dir)) }, nil
}
