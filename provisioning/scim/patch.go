package scim

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/provost-id/provost/provisioning"
	wire "github.com/provost-id/provost/schemas/scim"
)

// mustJSON encodes what cannot fail: strings, booleans, maps of them. Characters of HTML stay as they are.
func mustJSON(v any) json.RawMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("scim: " + err.Error())
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}

// operations are the smallest PATCH (RFC 7644, section 3.5.2) that makes a resource have the values of a delta.
func operations(now tree, d provisioning.Delta, stringBooleans bool) ([]wire.PatchOperation, error) {
	var ops []wire.PatchOperation
	fresh := map[string][]any{} // new elements by attribute: several parts of an address are one element
	var order []string
	for _, remote := range sortedKeys(d.Set) {
		p, err := parsePath(remote)
		if err != nil {
			return nil, &provisioning.Error{Kind: provisioning.ErrInvalid, Op: "patch", Attr: remote, Err: err}
		}
		to := nonEmpty(d.Set[remote].To)
		if slices.Equal(p.values(now), to) {
			continue
		}
		if e, _ := p.element(lookup(p.holder(now), p.attr)); p.typ != "" && e == nil {
			if !slices.Contains(order, p.head()) {
				order = append(order, p.head())
			}
			fresh[p.head()] = addElement(fresh[p.head()], p, now, to)
			continue
		}
		ops = append(ops, p.operation(now, to))
	}
	for _, head := range order {
		ops = append(ops, wire.PatchOperation{Op: "add", Path: head, Value: mustJSON(fresh[head])})
	}
	if d.Active != nil && active(now) != *d.Active {
		ops = append(ops, wire.PatchOperation{Op: "replace", Path: "active", Value: mustJSON(boolean(*d.Active, stringBooleans))})
	}
	return ops, nil
}

// addElement puts a value into a new element, the one of the same type if there is one already.
func addElement(list []any, p attrPath, now tree, to []string) []any {
	all := tree{p.attr: list}
	if e, _ := p.element(list); e == nil {
		existing, _ := lookup(p.holder(now), p.attr).([]any)
		all[p.attr] = append(list, p.newElement(existing))
	}
	p.set(all, to)
	return all[p.attr].([]any)
}

// operation changes one value that is no new element.
func (p attrPath) operation(now tree, to []string) wire.PatchOperation {
	where := p.String()
	if p.typ != "" {
		_, selector := p.element(lookup(p.holder(now), p.attr))
		where = p.head() + selector
		if len(to) > 0 || p.sub != "value" {
			where += "." + p.sub
		}
	}
	switch {
	case len(to) == 0:
		return wire.PatchOperation{Op: "remove", Path: where}
	case len(p.values(now)) == 0:
		return wire.PatchOperation{Op: "add", Path: where, Value: mustJSON(to[0])}
	}
	return wire.PatchOperation{Op: "replace", Path: where, Value: mustJSON(to[0])}
}

func boolean(b, asString bool) any {
	switch {
	case asString && b:
		return "True"
	case asString:
		return "False"
	}
	return b
}

// active reads the attribute as targets write it: true, "True", or not at all.
func active(t tree) bool {
	switch v := lookup(t, "active").(type) {
	case bool:
		return v
	case string:
		return v != "False" && v != "false"
	}
	return true
}

func nonEmpty(values []string) []string {
	var out []string
	for _, v := range values {
		if v != "" {
			out = append(out, v)
		}
	}
	return out
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
