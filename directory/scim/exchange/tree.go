package exchange

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// object is a JSON object in the order, and with the repetitions, of its text.
type object []member

type member struct {
	name  string
	value any // object, []any, string, json.Number, bool, or nil
}

// maxDepth bounds the nesting of a body that is kept.
const maxDepth = 100

var errNoJSON = errors.New("the body is no JSON")

// parse reads a body; nil for an empty one.
func parse(body []byte) (any, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, nil
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	v, err := parseValue(d, 0)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoJSON, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errNoJSON
	}
	return v, nil
}

func parseValue(d *json.Decoder, depth int) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	delim, ok := token.(json.Delim)
	switch {
	case !ok:
		return token, nil
	case depth > maxDepth:
		return nil, errors.New("it is nested too deep")
	case delim == '[':
		return parseArray(d, depth)
	}
	return parseObject(d, depth)
}

func parseArray(d *json.Decoder, depth int) (any, error) {
	list := []any{}
	for d.More() {
		v, err := parseValue(d, depth+1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	_, err := d.Token()
	return list, err
}

func parseObject(d *json.Decoder, depth int) (any, error) {
	o := object{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		v, err := parseValue(d, depth+1)
		if err != nil {
			return nil, err
		}
		o = append(o, member{name.(string), v}) // of an object's member nothing else
	}
	_, err := d.Token()
	return o, err
}

// MarshalJSON implements json.Marshaler.
func (o object) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, m := range o {
		if i > 0 {
			b = append(b, ',')
		}
		name, err := marshal(m.name)
		if err != nil {
			return nil, err
		}
		value, err := marshal(m.value)
		if err != nil {
			return nil, err
		}
		b = append(append(append(b, name...), ':'), value...)
	}
	return append(b, '}'), nil
}

// at returns the member called name, or nil.
func (o object) at(name string) any {
	for _, m := range o {
		if m.name == name {
			return m.value
		}
	}
	return nil
}

func (o object) text(name string) string {
	s, _ := o.at(name).(string)
	return s
}

// each calls fn with every object in v, the outer ones first.
func each(v any, fn func(object)) {
	switch v := v.(type) {
	case object:
		fn(v)
		for _, m := range v {
			each(m.value, fn)
		}
	case []any:
		for _, e := range v {
			each(e, fn)
		}
	}
}

// mapStrings replaces every string in v; name is that of the member it is the value of.
func mapStrings(v any, name string, fn func(name, s string) string) any {
	switch v := v.(type) {
	case object:
		for i := range v {
			v[i].value = mapStrings(v[i].value, v[i].name, fn)
		}
	case []any:
		for i := range v {
			v[i] = mapStrings(v[i], name, fn)
		}
	case string:
		return fn(name, v)
	}
	return v
}
