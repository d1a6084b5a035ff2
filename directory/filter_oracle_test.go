package directory

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"strings"
	"time"

	"github.com/provost-id/provost/schemas"
)

// The oracle evaluates filters on the JSON that a client sees. It shares nothing with
// the parser, the index and the compiler but how text is folded.

// oracleAttr is a simple attribute, or a complex one of which only the presence and
// the value are asked.
type oracleAttr struct {
	name string   // as a filter spells it
	keys []string // the way to it in the JSON
	def  schemas.Attribute
	subs []oracleAttr // of a complex attribute, as they are called inside brackets
	pool []any        // values to compare with
}

// condition is a part of a filter.
type condition interface {
	String() string
	holds(doc any) bool
}

// oracleTerm is attr op literal; inside brackets the attribute is found from the element.
type oracleTerm struct {
	attr    oracleAttr
	op      string
	literal string
}

func (t oracleTerm) String() string {
	if t.op == "pr" {
		return t.attr.name + " pr"
	}
	return t.attr.name + " " + t.op + " " + t.literal
}

// oracleList is the terms of an "and" or an "or".
type oracleList struct {
	op    string
	terms []condition
}

func (l oracleList) String() string {
	parts := make([]string, len(l.terms))
	for i, t := range l.terms {
		parts[i] = t.String()
	}
	return "(" + strings.Join(parts, " "+l.op+" ") + ")"
}

func (l oracleList) holds(doc any) bool {
	for _, t := range l.terms {
		if t.holds(doc) != (l.op == "and") {
			return l.op == "or"
		}
	}
	return l.op == "and"
}

type oracleNot struct{ term condition }

func (n oracleNot) String() string     { return "not (" + n.term.String() + ")" }
func (n oracleNot) holds(doc any) bool { return !n.term.holds(doc) }

// oracleElement is attr[inner].
type oracleElement struct {
	attr  oracleAttr
	inner condition
}

func (e oracleElement) String() string { return e.attr.name + "[" + e.inner.String() + "]" }

func (e oracleElement) holds(doc any) bool {
	for _, element := range valuesAt(doc, e.attr.keys) {
		if isPresent([]any{element}) && e.inner.holds(element) {
			return true
		}
	}
	return false
}

// valuesAt follows names through objects, and into every element of arrays.
func valuesAt(v any, keys []string) []any {
	if list, ok := v.([]any); ok {
		var all []any
		for _, element := range list {
			all = append(all, valuesAt(element, keys)...)
		}
		return all
	}
	if len(keys) == 0 {
		if v == nil {
			return nil
		}
		return []any{v}
	}
	if object, ok := v.(map[string]any); ok {
		return valuesAt(object[keys[0]], keys[1:])
	}
	return nil
}

// isPresent: there is a value that is not empty (RFC 7644, table 3).
func isPresent(values []any) bool {
	for _, v := range values {
		switch v := v.(type) {
		case map[string]any:
			for _, sub := range v {
				if isPresent(valuesAt(sub, nil)) {
					return true
				}
			}
		case string:
			if v != "" {
				return true
			}
		default:
			return true
		}
	}
	return false
}

func (t oracleTerm) holds(doc any) bool {
	values := valuesAt(doc, t.attr.keys)
	var want any
	if t.op != "pr" {
		decoder := json.NewDecoder(strings.NewReader(t.literal))
		decoder.UseNumber()
		if err := decoder.Decode(&want); err != nil {
			panic(t.literal)
		}
	}
	if want != nil {
		values = append(values, t.unsaid(doc)...)
	}
	switch {
	case t.op == "pr":
		return isPresent(values)
	case want == nil, want == "" && t.op == "eq", want == "" && t.op == "ne":
		return isPresent(t.simple(values)) == (t.op == "ne")
	case t.op == "ne":
		return !t.any(values, "eq", want)
	}
	return t.any(values, t.op, want)
}

// unsaid are what elements mean that do not say whether they are primary (RFC 7643,
// section 2.4): they are not.
func (t oracleTerm) unsaid(doc any) (all []any) {
	own := len(t.attr.keys) - 1
	if own < 0 || t.attr.keys[own] != "primary" || t.attr.def.Type != schemas.Boolean {
		return nil
	}
	for _, element := range valuesAt(doc, t.attr.keys[:own]) {
		if isPresent([]any{element}) && len(valuesAt(element, []string{"primary"})) == 0 {
			all = append(all, false)
		}
	}
	return all
}

// simple are the values themselves: of a complex attribute without sub-attribute, what
// it is asked to be null as a whole.
func (t oracleTerm) simple(values []any) []any {
	if t.attr.def.Type != schemas.Complex || t.literal == "null" {
		return values
	}
	return valuesAt(values, []string{"value"})
}

func (t oracleTerm) any(values []any, op string, want any) bool {
	def := t.attr.def
	if def.Type == schemas.Complex { // a client means its value
		values = valuesAt(values, []string{"value"})
		for _, s := range def.SubAttributes {
			if s.Name == "value" {
				def = s
			}
		}
	}
	for _, v := range values {
		if v != "" && compareJSON(def, op, v, want) {
			return true
		}
	}
	return false
}

// compareJSON compares two JSON values of the type of an attribute.
func compareJSON(def schemas.Attribute, op string, have, want any) bool {
	switch def.Type {
	case schemas.Boolean:
		return have == want
	case schemas.Integer, schemas.Decimal:
		return ordered(op, number(have).Cmp(number(want)))
	case schemas.DateTime:
		return ordered(op, moment(have).Compare(moment(want)))
	case schemas.Binary:
		return compareBinary(op, have.(string), want.(string))
	}
	fold := schemas.Fold
	switch {
	case def.CaseExact:
		fold = func(s string) string { return s }
	case def.Name == "userName":
		fold = schemas.FoldLogin
	}
	return compareStrings(op, fold(have.(string)), fold(want.(string)))
}

func compareStrings(op, have, want string) bool {
	switch op {
	case "co":
		return strings.Contains(have, want)
	case "sw":
		return strings.HasPrefix(have, want)
	case "ew":
		return strings.HasSuffix(have, want)
	}
	return ordered(op, strings.Compare(have, want))
}

func ordered(op string, c int) bool {
	switch op {
	case "eq":
		return c == 0
	case "gt":
		return c > 0
	case "ge":
		return c >= 0
	case "lt":
		return c < 0
	case "le":
		return c <= 0
	}
	panic(op)
}

func number(v any) *big.Float {
	f, _, err := big.ParseFloat(v.(json.Number).String(), 10, 200, big.ToNearestEven)
	if err != nil {
		panic(err)
	}
	return f
}

func moment(v any) time.Time {
	for _, form := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999"} {
		if t, err := time.Parse(form, v.(string)); err == nil {
			return t
		}
	}
	panic(v)
}

// compareBinary: equal are the bytes; parts are those of the text without padding.
func compareBinary(op, have, want string) bool {
	plain := strings.NewReplacer("-", "+", "_", "/", "=", "")
	have, want = plain.Replace(have), plain.Replace(want)
	if op != "eq" {
		return compareStrings(op, have, want)
	}
	a, err := base64.RawStdEncoding.DecodeString(have)
	if err != nil {
		panic(err)
	}
	b, err := base64.RawStdEncoding.DecodeString(want)
	if err != nil {
		panic(err)
	}
	return bytes.Equal(a, b)
}
