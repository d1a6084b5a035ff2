package directory

import (
	"context"
	"fmt"

	"github.com/provost-id/provost/internal/sqldb"
)

// addTotal counts a resource that is made (1) or deleted (-1), as a row of its own:
// one counter row would make every change wait for the one before.
func addTotal(tx *sqldb.Tx, typ string, delta int) error {
	if _, err := tx.Exec(`INSERT INTO totals (type, delta) VALUES ($1, $2)`, typ, delta); err != nil {
		return fmt.Errorf("count %s: %w", typ, err)
	}
	return nil
}

func total(ctx context.Context, r sqldb.Reader, typ string) (n int, err error) {
	err = r.QueryRow(ctx, `SELECT COALESCE(SUM(delta), 0) FROM totals WHERE type = $1`, typ).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("total of %s: %w", typ, err)
	}
	return n, nil
}

// FoldTotals replaces the rows that count resources by one row per type. Housekeeping
// calls it every minute; several nodes may do so at once.
func (d *Directory) FoldTotals(ctx context.Context) error {
	return d.DB.Write(ctx, func(tx *sqldb.Tx) error {
		types, err := column[string](tx.Query(`SELECT DISTINCT type FROM totals`))
		if err != nil {
			return fmt.Errorf("types of totals: %w", err)
		}
		for _, typ := range types {
			deltas, err := ints(tx.Query(`DELETE FROM totals WHERE type = $1 RETURNING delta`, typ))
			if err != nil {
				return fmt.Errorf("fold totals of %s: %w", typ, err)
			}
			var sum int64
			for _, n := range deltas {
				sum += n
			}
			if err := addTotal(tx, typ, int(sum)); err != nil {
				return err
			}
		}
		return nil
	})
}
