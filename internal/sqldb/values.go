package sqldb

import (
	"fmt"
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
// The values of a column are nil or of one type: string, int64, int, bool or []byte.
func (tx *Tx) InsertMany(into string, width int, tail string, values []any) (inserted int64, err error) {
	if tx.db.dialect == PostgreSQL && len(values) > fewRows*width {
		return tx.insertColumns(into, width, tail, values)
	}
	for len(values) > 0 {
		rows := min(len(values)/width, fewRows)
		if len(values) >= bulkRows*width {
			rows = bulkRows
		}
		n, err := tx.affected(into+ValueRows(rows, width)+tail, values[:rows*width]...)
		if err != nil {
			return 0, err
		}
		inserted, values = inserted+n, values[rows*width:]
	}
	return inserted, nil
}

func (tx *Tx) affected(query string, args ...any) (int64, error) {
	res, err := tx.Exec(query, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// insertColumns inserts many rows as one array for each column: a parameter costs pgx
// and database/sql more than the value in an array (a third of the whole at 20 index
// rows for each of 1,000 users).
func (tx *Tx) insertColumns(into string, width int, tail string, values []any) (int64, error) {
	var selected, arrays strings.Builder
	var args []any
	for c := range width {
		if c > 0 {
			selected.WriteString(", ")
		}
		typ, array, err := columnArray(values, c, width)
		switch {
		case err != nil:
			return 0, err
		case array == nil:
			selected.WriteString("NULL")
			continue
		}
		if args != nil {
			arrays.WriteString(", ")
		}
		args = append(args, array)
		fmt.Fprintf(&selected, "v.c%d", len(args))
		fmt.Fprintf(&arrays, "$%d::%s[]", len(args), typ)
	}
	names := make([]string, len(args))
	for i := range names {
		names[i] = "c" + strconv.Itoa(i+1)
	}
	return tx.affected(into+" SELECT "+selected.String()+" FROM unnest("+arrays.String()+") AS v ("+strings.Join(names, ", ")+")"+tail, args...)
}

// columnArray gathers one column, with its PostgreSQL type. It is nil when all values are.
func columnArray(values []any, column, width int) (typ string, array any, err error) {
	for i := column; i < len(values); i += width {
		switch v := values[i].(type) {
		case nil:
		case string:
			array, err = gather[string](values, column, width)
			return "text", array, err
		case int64:
			array, err = gather[int64](values, column, width)
			return "bigint", array, err
		case int:
			array, err = gather[int](values, column, width)
			return "bigint", array, err
		case bool:
			array, err = gather[bool](values, column, width)
			return "boolean", array, err
		case []byte:
			array, err = gather[[]byte](values, column, width)
			return "bytea", array, err
		default:
			return "", nil, fmt.Errorf("insert many: a value of type %T", v)
		}
	}
	return "", nil, nil
}

// gather is a column as a slice, of pointers when some values are nil.
func gather[T any](values []any, column, width int) (any, error) {
	plain, null := make([]T, 0, len(values)/width), false
	for i := column; i < len(values); i += width {
		v, ok := values[i].(T)
		if !ok && values[i] != nil {
			return nil, fmt.Errorf("insert many: a value of type %T beside one of type %T", values[i], v)
		}
		plain, null = append(plain, v), null || !ok
	}
	if !null {
		return plain, nil
	}
	pointers := make([]*T, len(plain))
	for i := range plain {
		if values[i*width+column] != nil {
			pointers[i] = &plain[i]
		}
	}
	return pointers, nil
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
