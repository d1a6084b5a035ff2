package directory

import (
	"context"
	"fmt"
	"strconv"

	"github.com/provost-id/provost/internal/sqldb"
)

// FoldTotals replaces the rows that count resources by one row per type and block.
// Housekeeping calls it every minute; several nodes may do so at once.
func (d *Directory) FoldTotals(ctx context.Context) error {
	return d.DB.Write(ctx, func(tx *sqldb.Tx) error {
		if err := recountTotals(tx); err != nil {
			return err
		}
		return foldTotals(tx)
	})
}

// countKey is what resources are counted by.
type countKey struct {
	typ   string
	block int64
}

func foldTotals(tx *sqldb.Tx) error {
	sums := map[countKey]int64{}
	err := eachRow("fold totals", func(row scanner) error {
		var k countKey
		var delta int64
		if err := row.Scan(&k.typ, &k.block, &delta); err != nil {
			return err
		}
		sums[k] += delta
		return nil
	})(tx.Query(`DELETE FROM totals WHERE (type, block) IN (SELECT type, block FROM totals GROUP BY type, block HAVING count(*) > 1)
		RETURNING type, block, delta`))
	if err != nil {
		return err
	}
	var folded []any
	for k, sum := range sums {
		if sum != 0 {
			folded = append(folded, k.typ, k.block, sum)
		}
	}
	if _, err := tx.InsertMany(`INSERT INTO totals (type, block, delta)`, 3, "", folded); err != nil {
		return fmt.Errorf("fold totals: %w", err)
	}
	return nil
}

// recountTotals counts everything anew when a node of an older version has counted
// without blocks. Its rows and the resources they stand for are committed together, so
// what is counted under the lock is exact.
func recountTotals(tx *sqldb.Tx) error {
	var unknown bool
	if err := tx.QueryRow(`SELECT EXISTS (SELECT 1 FROM totals WHERE block IS NULL)`).Scan(&unknown); err != nil || !unknown {
		return err
	}
	if tx.Dialect() == sqldb.PostgreSQL {
		if _, err := tx.Exec(`LOCK TABLE totals IN EXCLUSIVE MODE`); err != nil {
			return fmt.Errorf("recount: %w", err)
		}
	}
	for _, q := range []string{
		`DELETE FROM totals`,
		`INSERT INTO totals (type, block, delta) SELECT type, rid / ` + strconv.Itoa(blockSize) + `, count(*) FROM resources GROUP BY 1, 2`,
	} {
		if _, err := tx.Exec(q); err != nil {
			return fmt.Errorf("recount: %w", err)
		}
	}
	return nil
}
