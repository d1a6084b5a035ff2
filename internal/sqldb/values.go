package sqldb

import (
	"strconv"
	"strings"
	"sync"
)

// The rows of one statement of InsertMany. Few lengths stay prepared: bulkRows carries
// most of a batch, and what is left goes by fewRows and then by one statement of its
// own length.
const (
	bulkRows = 256
	fewRows  = 32
)

// InsertMany runs "INSERT INTO into VALUES (...), (...) tail" for rows of width values
// each, in as many statements as it takes, and returns how many rows were inserted.
func (tx *Tx) InsertMany(into string, width int, tail string, values []any) (inserted int64, err error) {
	for len(values) > 0 {
		rows := min(len(values)/width, fewRows)
		if len(values) >= bulkRows*width {
			rows = bulkRows
		}
		res, err := tx.Exec(into+ValueRows(rows, width)+tail, values[:rows*width]...)
		if err != nil {
			return 0, err
		}
		n, err := res.RowsAffected()
		if err != nil {
			return 0, err
		}
		inserted, values = inserted+n, values[rows*width:]
	}
	return inserted, nil
}

var valueRowCache sync.Map // [2]int{rows, width} -> string

// ValueRows returns " VALUES ($1, $2), ($3, $4)" for rows of width parameters each.
func ValueRows(rows, width int) string {
	key := [2]int{rows, width}
	if s, ok := valueRowCache.Load(key); ok {
		return s.(string)
	}
	var b strings.Builder
	b.WriteString(" VALUES ")
	for i := range rows * width {
		switch {
		case i == 0:
			b.WriteString("($1")
			continue
		case i%width == 0:
			b.WriteString("), (")
		default:
			b.WriteString(", ")
		}
		b.WriteString("$" + strconv.Itoa(i+1))
	}
	b.WriteString(")")
	s := b.String()
	valueRowCache.Store(key, s)
	return s
}
