package sqldb

import (
	"database/sql"
	"database/sql/driver"
	"fmt"
	"reflect"
	"strconv"
)

// Row is what QueryRow finds: at most one row, read by its Scan. It holds nothing open
// before or after.
type Row struct {
	std   *sql.Row // of database/sql, or nil
	pool  *lookups
	query string
	args  []any
}

// Scan reads the row into dest, or returns sql.ErrNoRows. Destinations are pointers to
// strings, integers, booleans, floats and byte slices, or a sql.Scanner.
func (r Row) Scan(dest ...any) error {
	if r.std != nil {
		return r.std.Scan(dest...)
	}
	return r.pool.scan(r.query, r.args, dest)
}

// assign stores a value of the driver in a destination, as database/sql does.
func assign(dest any, v driver.Value) error {
	switch d := dest.(type) {
	case *string:
		if s, ok := v.(string); ok {
			*d = s
			return nil
		}
	case *int64:
		if n, ok := v.(int64); ok {
			*d = n
			return nil
		}
	case *int:
		if n, ok := v.(int64); ok {
			*d = int(n)
			return nil
		}
	case *[]byte:
		return assignBytes(d, v)
	case *any:
		*d = v
		return nil
	case sql.Scanner:
		return d.Scan(v)
	}
	return assignKind(reflect.ValueOf(dest).Elem(), v)
}

func assignBytes(d *[]byte, v driver.Value) error {
	switch v := v.(type) {
	case []byte:
		*d = v // a copy already
	case string:
		*d = []byte(v)
	case nil:
		*d = nil
	default:
		return fmt.Errorf("converting %T to bytes is not supported", v)
	}
	return nil
}

// assignKind is assign for named types, and for values that need converting.
func assignKind(d reflect.Value, v driver.Value) error {
	switch v := v.(type) {
	case string:
		return assignText(d, v)
	case []byte:
		return assignText(d, string(v))
	case int64:
		return assignInt(d, v)
	case bool:
		if d.Kind() == reflect.Bool {
			d.SetBool(v)
			return nil
		}
	case float64:
		if d.CanFloat() {
			d.SetFloat(v)
			return nil
		}
	}
	return fmt.Errorf("converting %T to %s is not supported", v, d.Type())
}

func assignText(d reflect.Value, s string) error {
	if d.Kind() != reflect.String {
		return fmt.Errorf("converting text to %s is not supported", d.Type())
	}
	d.SetString(s)
	return nil
}

func assignInt(d reflect.Value, n int64) error {
	switch {
	case d.CanInt() && !d.OverflowInt(n):
		d.SetInt(n)
	case d.Kind() == reflect.Bool:
		d.SetBool(n != 0)
	case d.CanFloat():
		d.SetFloat(float64(n))
	case d.Kind() == reflect.String:
		d.SetString(strconv.FormatInt(n, 10))
	default:
		return fmt.Errorf("converting %d to %s is not supported", n, d.Type())
	}
	return nil
}
