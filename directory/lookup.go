package directory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/provost-id/provost/schemas"
)

// UserByLogin returns the user who has a login, compared without case and
// diacritics; without an @, also the only user whose login begins with it before
// the @. ErrNotFound for none and for several.
func (d *Directory) UserByLogin(ctx context.Context, login string) (*User, error) {
	folded := schemas.FoldLogin(login)
	if folded == "" {
		return nil, ErrNotFound
	}
	rid, err := d.oneRID(ctx, `SELECT rid FROM resources WHERE user_name = $1 AND type = 'User' LIMIT 2`, folded)
	if errors.Is(err, ErrNotFound) && !strings.Contains(folded, "@") {
		// 'A' follows '@': the range of all logins that begin with the name and an @.
		rid, err = d.oneRID(ctx, `SELECT rid FROM resources
			WHERE user_name >= $1 AND user_name < $2 AND type = 'User' LIMIT 2`, folded+"@", folded+"A")
	}
	if err != nil {
		return nil, err
	}
	return scanUser(d.DB.QueryRow(ctx, `SELECT `+userColumns+` FROM resources r WHERE r.rid = $2`, "", rid))
}

// oneRID returns the row number that a query finds, ErrNotFound unless it is one.
func (d *Directory) oneRID(ctx context.Context, query string, args ...any) (int64, error) {
	rids, err := ints(d.DB.Query(ctx, query, args...))
	if err != nil {
		return 0, err
	}
	if len(rids) != 1 {
		return 0, ErrNotFound
	}
	return rids[0], nil
}

// ints reads a column of numbers.
func ints(rows *sql.Rows, err error) ([]int64, error) {
	return column[int64](rows, err)
}

// column reads the only column of a result.
func column[T any](rows *sql.Rows, err error) ([]T, error) {
	if err != nil {
		return nil, fmt.Errorf("query: %w", err)
	}
	defer func() { _ = rows.Close() }() // Err tells what matters
	var all []T
	for rows.Next() {
		var v T
		if err := rows.Scan(&v); err != nil {
			return nil, fmt.Errorf("scan: %w", err)
		}
		all = append(all, v)
	}
	return all, rows.Err()
}
