package plugins

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
)

// errTrailing is returned for bytes after a JSON value.
var errTrailing = errors.New("more than one JSON value")

// decodeNumbers decodes exactly one JSON value and keeps numbers as they are written.
func decodeNumbers(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errTrailing
	}
	return nil
}

// canonical is a deep copy of a JSON value: objects are map[string]any, arrays
// []any, whole numbers int64 and other numbers float64. A whole number beyond int64
// stays a json.Number, so that it loses no digit.
func canonical(v any) (any, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("value is no JSON: %w", err)
	}
	var copied any
	if err := decodeNumbers(b, &copied); err != nil {
		return nil, fmt.Errorf("value is no JSON: %w", err)
	}
	return numbers(copied)
}

func numbers(v any) (any, error) {
	var err error
	switch v := v.(type) {
	case json.Number:
		return number(v)
	case map[string]any:
		for k, e := range v {
			if v[k], err = numbers(e); err != nil {
				return nil, err
			}
		}
	case []any:
		for i, e := range v {
			if v[i], err = numbers(e); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}

func number(n json.Number) (any, error) {
	if i, err := n.Int64(); err == nil {
		return i, nil
	}
	f, err := n.Float64()
	if err != nil || math.IsInf(f, 0) {
		return nil, fmt.Errorf("number %.20s is out of range", n)
	}
	if !strings.ContainsAny(n.String(), ".eE") {
		return n, nil
	}
	return f, nil
}
