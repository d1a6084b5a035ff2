package directory

import (
	"strings"

	"pgregory.net/rapid"

	"github.com/provost-id/provost/schemas"
)

// oracleAttrs lists every attribute of users that a filter can name, by each of its
// names, with the values that somebody has.
func oracleAttrs(typ schemas.ResourceType, docs []map[string]any) (all []oracleAttr) {
	exact := func(name string, t schemas.DataType) schemas.Attribute {
		return schemas.Attribute{Name: name, Type: t, CaseExact: true}
	}
	common := []schemas.Attribute{
		exact("id", schemas.String), exact("externalId", schemas.String), {Name: "schemas", Type: schemas.String, MultiValued: true},
		{Name: "meta", Type: schemas.Complex, SubAttributes: []schemas.Attribute{
			exact("resourceType", schemas.String), exact("created", schemas.DateTime), exact("lastModified", schemas.DateTime),
			exact("location", schemas.Reference), exact("version", schemas.String),
		}},
	}
	for _, def := range common {
		all = addAttr(all, docs, "", nil, def)
	}
	for _, def := range typ.Core.Attributes {
		if def.Name == "groups" { // the two that are ids and names
			def.SubAttributes = []schemas.Attribute{exact("value", schemas.String), {Name: "display", Type: schemas.String}}
		}
		if def.Name != "password" {
			all = addAttr(all, docs, "", nil, def)
			all = addAttr(all, docs, typ.Core.ID+":", nil, def)
		}
	}
	for _, x := range typ.Extensions {
		for _, def := range x.Schema.Attributes {
			all = addAttr(all, docs, "", []string{x.Schema.ID}, def)
			all = addAttr(all, docs, x.Schema.ID+":", []string{x.Schema.ID}, def)
		}
	}
	return all
}

func addAttr(all []oracleAttr, docs []map[string]any, prefix string, keys []string, def schemas.Attribute) []oracleAttr {
	a := oracleAttr{name: prefix + def.Name, keys: append(keys[:len(keys):len(keys)], def.Name), def: def}
	valueKeys := a.keys
	for _, sub := range def.SubAttributes {
		s := oracleAttr{name: a.name + "." + sub.Name, keys: append(a.keys[:len(a.keys):len(a.keys)], sub.Name), def: sub}
		s.fill(docs, s.keys)
		all = append(all, s)
		inner := s
		inner.name, inner.keys = sub.Name, []string{sub.Name}
		a.subs = append(a.subs, inner)
		if sub.Name == "value" {
			valueKeys = s.keys
		}
	}
	a.fill(docs, valueKeys)
	if def.MultiValued && def.Type != schemas.Complex {
		inner := a
		inner.name, inner.keys = "value", nil
		a.subs = []oracleAttr{inner}
	}
	return append(all, a)
}

// fill gives an attribute values to compare with: those that somebody has, and others
// of its type.
func (a *oracleAttr) fill(docs []map[string]any, keys []string) {
	a.pool = append(a.pool, literals[a.compared()]...)
	for _, doc := range docs {
		for _, v := range valuesAt(any(doc), keys) {
			if _, isObject := v.(map[string]any); !isObject {
				a.pool = append(a.pool, v)
			}
		}
	}
}

// compared is the type of the values that are compared.
func (a *oracleAttr) compared() schemas.DataType {
	for _, s := range a.def.SubAttributes {
		if s.Name == "value" {
			return s.Type
		}
	}
	return a.def.Type
}

// operators of each type (RFC 7644, table 3).
var operatorsOf = map[schemas.DataType][]string{
	schemas.String:    {"eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le", "pr"},
	schemas.Reference: {"eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le", "pr"},
	schemas.Integer:   {"eq", "ne", "gt", "ge", "lt", "le", "pr"},
	schemas.Decimal:   {"eq", "ne", "gt", "ge", "lt", "le", "pr"},
	schemas.DateTime:  {"eq", "ne", "gt", "ge", "lt", "le", "pr"},
	schemas.Binary:    {"eq", "ne", "co", "sw", "ew", "pr"},
	schemas.Boolean:   {"eq", "ne", "pr"},
	schemas.Complex:   {"pr"}, // without a value
}

// drawCondition draws a filter, nested up to depth.
func drawCondition(t *rapid.T, attrs []oracleAttr, depth int) condition {
	kind := "term"
	if depth > 0 {
		kind = rapid.SampledFrom([]string{"term", "term", "and", "or", "not", "element"}).Draw(t, "kind")
	}
	switch kind {
	case "and", "or":
		terms := []condition{drawCondition(t, attrs, depth-1), drawCondition(t, attrs, depth-1)}
		return oracleList{op: kind, terms: terms}
	case "not":
		return oracleNot{drawCondition(t, attrs, depth-1)}
	case "element":
		a := rapid.SampledFrom(attrs).Filter(func(a oracleAttr) bool { return a.def.MultiValued }).Draw(t, "list")
		return oracleElement{attr: a, inner: drawInside(t, a.subs, 2)}
	}
	return drawTerm(t, attrs)
}

// drawInside draws what stands in brackets, where no other brackets may.
func drawInside(t *rapid.T, attrs []oracleAttr, depth int) condition {
	kind := "term"
	if depth > 0 {
		kind = rapid.SampledFrom([]string{"term", "and", "or", "not"}).Draw(t, "kind inside")
	}
	switch kind {
	case "and", "or":
		return oracleList{op: kind, terms: []condition{drawInside(t, attrs, depth-1), drawInside(t, attrs, depth-1)}}
	case "not":
		return oracleNot{drawInside(t, attrs, depth-1)}
	}
	return drawTerm(t, attrs)
}

func drawTerm(t *rapid.T, attrs []oracleAttr) condition {
	a := rapid.SampledFrom(attrs).Draw(t, "attribute")
	op := rapid.SampledFrom(operatorsOf[a.compared()]).Draw(t, "operator")
	if op == "pr" {
		return oracleTerm{attr: a, op: op}
	}
	if (op == "eq" || op == "ne") && rapid.IntRange(0, 9).Draw(t, "null") == 0 {
		return oracleTerm{attr: a, op: op, literal: "null"}
	}
	v := rapid.SampledFrom(a.pool).Draw(t, "value")
	if s, ok := v.(string); ok {
		v = vary(t, a.compared(), op, s)
	}
	return oracleTerm{attr: a, op: op, literal: toJSON(v)}
}

// vary changes a string into another that the type has: a part of it, or another case.
func vary(t *rapid.T, typ schemas.DataType, op, s string) string {
	if typ == schemas.DateTime || typ == schemas.Binary && (op == "eq" || op == "ne") {
		return s
	}
	if typ != schemas.Binary {
		switch rapid.IntRange(0, 5).Draw(t, "case") {
		case 0:
			s = strings.ToUpper(s)
		case 1:
			s = strings.ToLower(s)
		}
	}
	if op == "eq" || op == "ne" || rapid.Bool().Draw(t, "whole") {
		return s
	}
	runes := []rune(s)
	from := rapid.IntRange(0, len(runes)).Draw(t, "from")
	return string(runes[from:rapid.IntRange(from, len(runes)).Draw(t, "to")])
}
