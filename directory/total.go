package directory

import (
	"context"
	"fmt"

	"github.com/provost-id/provost/internal/sqldb"
)

// Resources are counted by type and by block of row numbers, in signed rows: one
// counter row would make every change wait for the one before. The sum is the total of
// a list, and the sums of the blocks tell where its n-th resource is.

// blockSize is how many row numbers are in a block. An offset passes over less than so
// many entries of an index.
const blockSize = 4096

func blockOf(rid int64) int64 { return rid / blockSize }

// addTotal counts resources of a block that are made or, below zero, deleted.
func addTotal(tx *sqldb.Tx, typ string, block int64, delta int) error {
	if _, err := tx.Exec(`INSERT INTO totals (type, block, delta) VALUES ($1, $2, $3)`, typ, block, delta); err != nil {
		return fmt.Errorf("count %s: %w", typ, err)
	}
	return nil
}

func total(ctx context.Context, r sqldb.Reader, types ...string) (n int, err error) {
	err = r.QueryRow(ctx, `SELECT CAST(COALESCE(SUM(delta), 0) AS BIGINT) FROM totals WHERE type IN (`+list(1, len(types))+`)`, anys(types)...).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("total of %v: %w", types, err)
	}
	return n, nil
}

// blockAt finds the block that the resource after offset others is in, and how many
// of the offset are left inside it. It is false while a node of an older version
// counts without blocks.
func blockAt(ctx context.Context, r sqldb.Reader, offset int, types []string) (block int64, left int, ok bool, err error) {
	rows, err := r.Query(ctx, `SELECT COALESCE(block, -1), CAST(SUM(delta) AS BIGINT) FROM totals WHERE type IN (`+list(1, len(types))+`)
		GROUP BY block ORDER BY 1`, anys(types)...)
	if err != nil {
		return 0, 0, false, fmt.Errorf("blocks of %v: %w", types, err)
	}
	defer func() { _ = rows.Close() }() // Err tells what matters
	for rows.Next() {
		var n int
		if err := rows.Scan(&block, &n); err != nil {
			return 0, 0, false, fmt.Errorf("blocks of %v: %w", types, err)
		}
		switch {
		case block < 0:
			return 0, 0, false, nil
		case offset < n:
			return block, offset, true, nil
		}
		offset -= n
	}
	return block + 1, offset, true, rows.Err()
}

// locateOffset finds the position past an offset. In the order of creation of whole
// types the blocks lead there; any other order is passed over entry by entry.
func (l *lister) locateOffset(ctx context.Context, offset int) error {
	if l.filtered() || l.q.SortBy != "" {
		l.from.offset = offset
		return nil
	}
	block, left, ok, err := blockAt(ctx, l.d.DB, offset, l.types())
	if !ok || err != nil {
		l.from.offset = offset
		return err
	}
	before := block*blockSize - 1
	l.from = position{inside: true, value: before, rid: before, offset: left}
	return nil
}

func (l *lister) types() []string {
	all := make([]string, len(l.streams))
	for i, s := range l.streams {
		all[i] = s.typ.Name
	}
	return all
}

// setTotal counts the matches, without a query when the page shows them all.
func (l *lister) setTotal(ctx context.Context, p *Page, more bool) (err error) {
	if l.q.NoTotal {
		return nil
	}
	shown := len(p.Order)
	whole := l.q.Count > 0 && !more && l.from == position{}
	switch {
	case whole:
		l.total = shown
	case l.total < 0:
		if l.total, err = l.count(ctx); err != nil {
			return err
		}
	}
	p.Total = l.total
	if !l.q.UseCursor && shown > 0 {
		last := l.nextIndex(shown) - 1
		if more {
			last++
		}
		p.Total = max(p.Total, last)
	}
	return nil
}

// count counts the matches.
func (l *lister) count(ctx context.Context) (n int, err error) {
	if !l.filtered() {
		return total(ctx, l.d.DB, l.types()...)
	}
	for _, s := range l.streams {
		query, args := l.counted(s)
		if query == "" {
			// $1 is of the columns; counting names it too, or PostgreSQL could not tell its type.
			query, args = "(SELECT count(*) FROM resources r WHERE $1 = $1 AND "+s.sel.where+")", s.sel.args
		}
		some, err := l.d.DB.Count(ctx, "SELECT "+query, args...)
		if err != nil {
			return 0, fmt.Errorf("count %s: %w", s.typ.Name, err)
		}
		n += some
	}
	return n, nil
}
