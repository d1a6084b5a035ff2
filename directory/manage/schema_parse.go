package manage

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/provost-id/provost/schemas"
)

// keyError is a key of a property that cannot be what it is. Code is the error code when
// it is not the one of any value.
type keyError struct{ key, reason, code string }

func (e *keyError) Error() string { return e.key + ": " + e.reason }

func wrongKey(key, format string, args ...any) error {
	return &keyError{key: key, reason: fmt.Sprintf(format, args...)}
}

// keys are the members of a property, as they came.
type keys map[string]json.RawMessage

// merge lays the keys of a request over those of a property as it is shown: null goes back
// to the default, and what is absent stays.
func merge(shown property, given keys) (keys, error) {
	b, err := json.Marshal(shown)
	if err != nil {
		return nil, fmt.Errorf("encode property: %w", err)
	}
	var merged keys
	if err := json.Unmarshal(b, &merged); err != nil {
		return nil, fmt.Errorf("decode property: %w", err)
	}
	for name, raw := range given {
		if string(raw) == "null" {
			delete(merged, name)
		} else {
			merged[name] = raw
		}
	}
	if given["permissions"] == nil && (shown.Permissions == nil || shown.Permissions[0].Action == schemas.SelfReadOnly) {
		delete(merged, "permissions") // what is so when nothing is said follows from the rest
	}
	if _, other := given["enum"]; other && given["oneOf"] == nil {
		delete(merged, "oneOf") // the titles were those of the values of before
	}
	return merged, nil
}

// decoders read the keys of a property into an attribute, in the order in which they are
// looked at: what others depend on comes first.
var decoders = []struct {
	key  string
	read func(a *schemas.Attribute, raw json.RawMessage) error
}{
	{"title", func(a *schemas.Attribute, raw json.RawMessage) error { return decodeString(raw, "title", &a.Title) }},
	{"description", func(a *schemas.Attribute, raw json.RawMessage) error {
		return decodeString(raw, "description", &a.Description)
	}},
	{"enum", func(a *schemas.Attribute, raw json.RawMessage) error { return ofItems(a, "enum", raw, decodeEnum) }},
	{"oneOf", func(a *schemas.Attribute, raw json.RawMessage) error { return ofItems(a, "oneOf", raw, decodeOneOf) }},
	{"required", func(a *schemas.Attribute, raw json.RawMessage) error { return decodeBool(raw, "required", &a.Required) }},
	{"minLength", func(a *schemas.Attribute, raw json.RawMessage) error {
		return decodeLength(raw, "minLength", &a.MinLength)
	}},
	{"maxLength", func(a *schemas.Attribute, raw json.RawMessage) error {
		return decodeLength(raw, "maxLength", &a.MaxLength)
	}},
	{"minimum", func(a *schemas.Attribute, raw json.RawMessage) error { return decodeNumber(raw, "minimum", &a.Minimum) }},
	{"maximum", func(a *schemas.Attribute, raw json.RawMessage) error { return decodeNumber(raw, "maximum", &a.Maximum) }},
	{"pattern", func(a *schemas.Attribute, raw json.RawMessage) error { return decodeString(raw, "pattern", &a.Pattern) }},
	{"index", decodeIndex},
	{"unique", decodeUnique},
	{"mutability", decodeMutability},
	{"scope", func(a *schemas.Attribute, raw json.RawMessage) error { return decodeString(raw, "scope", &a.Scope) }},
	{"permissions", decodePermissions},
	{"master", decodeMaster},
	{"union", func(a *schemas.Attribute, raw json.RawMessage) error { return decodeString(raw, "union", &a.Union) }},
	{"externalName", func(a *schemas.Attribute, raw json.RawMessage) error {
		return decodeString(raw, "externalName", &a.ExternalName)
	}},
	{"externalNamespace", func(a *schemas.Attribute, raw json.RawMessage) error {
		return decodeString(raw, "externalNamespace", &a.ExternalNamespace)
	}},
	{"default", func(a *schemas.Attribute, raw json.RawMessage) error {
		return orWrong(json.Unmarshal(raw, &a.Default), "default")
	}},
}

// readByOthers are the keys that no decoder is for.
var readByOthers = []string{"type", "items", "format", "_progress"}

// parseProperty reads a whole property. was is what the attribute is now, nil for a new
// one; what JSON Schema cannot say of it stays.
func parseProperty(name string, was *schemas.Attribute, from keys) (schemas.Attribute, error) {
	a := schemas.Attribute{Name: name}
	if was != nil {
		a = *was
		a.Description, a.Required, a.Mutability, a.Uniqueness, a.Unindexed = "", false, "", "", false
		a.Rules, a.View = schemas.Rules{}, schemas.View{}
	}
	if err := decodeType(&a, was, from); err != nil {
		return a, err
	}
	known := slices.Clone(readByOthers)
	for _, d := range decoders {
		known = append(known, d.key)
		if raw, ok := from[d.key]; ok {
			if err := d.read(&a, raw); err != nil {
				return a, err
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(from)) {
		if !slices.Contains(known, key) {
			return a, wrongKey(key, "a property has no such key")
		}
	}
	if _, said := from["index"]; !said && a.MaxLength > schemas.MaxIndexed {
		a.Unindexed = true
	}
	a.View = plain(a)
	return a, nil
}

// plain leaves out of a view what is so when nothing is said.
func plain(a schemas.Attribute) schemas.View {
	v := a.View
	for _, k := range []struct {
		value *string
		plain string
	}{{&v.Title, a.Name}, {&v.Scope, "NONE"}, {&v.Self, selfOf(schemas.Attribute{Mutability: a.Mutability, Rules: a.Rules})}} {
		if *k.value == k.plain {
			*k.value = ""
		}
	}
	return v
}

// decodeType reads type, items and format, which together are the type of SCIM.
func decodeType(a, was *schemas.Attribute, from keys) error {
	var typ, format string
	raw, ok := from["type"]
	if !ok {
		return wrongKey("type", "The field cannot be left blank")
	}
	if err := decodeString(raw, "type", &typ); err != nil {
		return err
	}
	if raw, ok := from["format"]; ok {
		if err := decodeString(raw, "format", &format); err != nil {
			return err
		}
	}
	a.MultiValued = typ == "array"
	if a.MultiValued {
		element, err := decodeItems(a, from["items"])
		if err != nil {
			return err
		}
		typ = element
	} else if from["items"] != nil {
		return wrongKey("items", "only an array has some")
	}
	scim, ok := map[string]schemas.DataType{
		"string": schemas.String, "boolean": schemas.Boolean, "number": schemas.Decimal, "integer": schemas.Integer,
	}[typ]
	if !ok {
		return wrongKey("type", "want string, boolean, number, integer or array, got %q", typ)
	}
	a.Type, a.Format = scim, format
	if scim == schemas.String && format == "date-time" {
		a.Type, a.Format = schemas.DateTime, ""
	}
	a.Int32 = scim == schemas.Integer
	if was == nil {
		return nil
	}
	if is, shown := jsonType(*was); is == typ && shown == format && was.MultiValued == a.MultiValued {
		a.Type = was.Type // a reference is a string, say
	}
	a.Int32 = a.Int32 && (was.Int32 || was.Type != schemas.Integer)
	return nil
}

// decodeItems reads what the elements of an array are.
func decodeItems(a *schemas.Attribute, raw json.RawMessage) (typ string, err error) {
	if raw == nil {
		return "", wrongKey("items", "an array wants its type")
	}
	var members keys
	if err := json.Unmarshal(raw, &members); err != nil || members == nil {
		return "", wrongKey("items", "want an object")
	}
	for _, key := range slices.Sorted(maps.Keys(members)) {
		switch key {
		case "type":
			err = decodeString(members[key], "items.type", &typ)
		case "enum", "oneOf":
		default:
			err = wrongKey("items."+key, "items have no such key")
		}
		if err != nil {
			return "", err
		}
	}
	if !slices.Contains([]string{"string", "boolean", "number", "integer"}, typ) {
		return "", wrongKey("items.type", "want string, boolean, number or integer, got %q", typ)
	}
	a.Type = map[string]schemas.DataType{"number": schemas.Decimal, "integer": schemas.Integer, "boolean": schemas.Boolean}[typ]
	if raw, ok := members["enum"]; ok {
		if err := decodeEnum(a, "items.enum", raw); err != nil {
			return "", err
		}
	}
	if raw, ok := members["oneOf"]; ok {
		return typ, decodeOneOf(a, "items.oneOf", raw)
	}
	return typ, nil
}

func orWrong(err error, key string) error {
	if err != nil {
		return wrongKey(key, "The value is of the wrong type")
	}
	return nil
}

func decodeString(raw json.RawMessage, key string, into *string) error {
	return orWrong(json.Unmarshal(raw, into), key)
}

func decodeBool(raw json.RawMessage, key string, into *bool) error {
	return orWrong(json.Unmarshal(raw, into), key)
}

func decodeLength(raw json.RawMessage, key string, into *int) error {
	var n float64
	if err := json.Unmarshal(raw, &n); err != nil || n != math.Trunc(n) || n < 0 || n > math.MaxInt32 {
		return wrongKey(key, "want a whole number that is not negative")
	}
	*into = int(n)
	return nil
}

func decodeNumber(raw json.RawMessage, key string, into **float64) error {
	var n float64
	if err := json.Unmarshal(raw, &n); err != nil {
		return wrongKey(key, "want a number")
	}
	*into = &n
	return nil
}

// ofItems reads what an array has in its items.
func ofItems(a *schemas.Attribute, key string, raw json.RawMessage, read func(*schemas.Attribute, string, json.RawMessage) error) error {
	if a.MultiValued {
		return wrongKey(key, "that of an array is part of its items")
	}
	return read(a, key, raw)
}

// decodeEnum reads the values of an enum, of the type that the attribute has.
func decodeEnum(a *schemas.Attribute, key string, raw json.RawMessage) error {
	values, err := decodeValues(raw)
	if err != nil {
		return wrongKey(key, "want an array of values")
	}
	a.Enum = make([]string, len(values))
	for i, v := range values {
		if a.Enum[i], err = enumText(a.Type, v); err != nil {
			return wrongKey(key, "%v", err)
		}
	}
	return nil
}

// decodeValues decodes an array, its numbers as they are written.
func decodeValues(raw json.RawMessage) (values []any, err error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	return values, d.Decode(&values)
}

// enumText is the canonical text of a value of an enum.
func enumText(typ schemas.DataType, v any) (string, error) {
	switch v := v.(type) {
	case string:
		if typ != schemas.Integer && typ != schemas.Decimal {
			return v, nil
		}
	case json.Number:
		if text, ok := schemas.CanonicalNumber(typ, v.String()); ok && (typ == schemas.Integer || typ == schemas.Decimal) {
			return text, nil
		}
	}
	return "", fmt.Errorf("%v is not of the type of the property", v)
}

// decodeOneOf reads the titles of an enum. Its values are those of enum, in its order.
func decodeOneOf(a *schemas.Attribute, key string, raw json.RawMessage) error {
	mismatch := &keyError{key: key, reason: "the const values must be those of enum, in the same order", code: "E0000123"}
	var choices []struct {
		Const json.RawMessage `json:"const"`
		Title string          `json:"title"`
	}
	if err := json.Unmarshal(raw, &choices); err != nil {
		return wrongKey(key, "want an array of const and title")
	}
	if len(choices) != len(a.Enum) {
		return mismatch
	}
	a.Titles = make([]string, len(choices))
	for i, c := range choices {
		values, err := decodeValues(slices.Concat(json.RawMessage("["), c.Const, json.RawMessage("]")))
		if err != nil || len(values) != 1 {
			return wrongKey(key, "want a const in each")
		}
		if v, err := enumText(a.Type, values[0]); err != nil || v != a.Enum[i] {
			return mismatch
		}
		a.Titles[i] = c.Title
	}
	return nil
}

// decodeIndex reads whether filters can look the attribute up.
func decodeIndex(a *schemas.Attribute, raw json.RawMessage) error {
	index := true
	err := decodeBool(raw, "index", &index)
	a.Unindexed = !index
	return err
}

func decodeUnique(a *schemas.Attribute, raw json.RawMessage) error {
	switch string(raw) {
	case "true", `"` + uniqueValidated + `"`, `"` + uniquePending + `"`:
		if a.Uniqueness = schemas.UniqueServer; a.MultiValued {
			return wrongKey("unique", "an array cannot be unique")
		}
	case "false":
	default:
		return wrongKey("unique", "want true or false")
	}
	return nil
}

func decodeMutability(a *schemas.Attribute, raw json.RawMessage) error {
	var word string
	if err := decodeString(raw, "mutability", &word); err != nil {
		return err
	}
	scim, ok := mutabilities[word]
	if !ok {
		return wrongKey("mutability", "want READ_WRITE, READ_ONLY, WRITE_ONLY or IMMUTABLE, got %q", word)
	}
	if a.Mutability = scim; scim == schemas.ReadWrite {
		a.Mutability = ""
	}
	return nil
}

func decodePermissions(a *schemas.Attribute, raw json.RawMessage) error {
	var list []permission
	if err := json.Unmarshal(raw, &list); err != nil {
		return wrongKey("permissions", "want an array of principal and action")
	}
	if len(list) == 0 {
		return nil
	}
	if len(list) != 1 || list[0].Principal != "SELF" {
		return wrongKey("permissions", "want one, of the principal SELF")
	}
	if a.Self = list[0].Action; a.Self == "" {
		return wrongKey("permissions", "want the action HIDE, READ_ONLY or READ_WRITE")
	}
	return nil
}

func decodeMaster(a *schemas.Attribute, raw json.RawMessage) error {
	var m master
	if err := json.Unmarshal(raw, &m); err != nil {
		return wrongKey("master", "want an object of type and priority")
	}
	a.Master = &schemas.Master{Type: m.Type}
	for _, p := range m.Priority {
		if p.Type != "APP" {
			return wrongKey("master", "want sources of the type APP, got %q", p.Type)
		}
		a.Master.Priority = append(a.Master.Priority, p.Value)
	}
	if m.Type == schemas.MasterProfile && len(m.Priority) == 0 {
		a.Master = nil // what it is when nothing is said
	}
	return nil
}
