package schemas

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// oracle applies operations to decoded JSON, slowly and by the letter of RFC 7644,
// section 3.5.2, for the attributes that draws speak of. It shares no code with the
// package: paths and filters come to it as drawn, never as text.
type oracle struct {
	doc      map[string]any
	tolerant bool // an absent element is made, and a missed remove ignored
}

// multi are the multi-valued attributes; those of simple values are false.
var multi = map[string]bool{"emails": true, "addresses": true, orgURN + ":tags": false}

// target is where an operation points: "" for the resource, "name", "name.givenName",
// an extension's URN, "urn:attribute" or "urn:attribute.sub"; of a multi-valued
// attribute also a filter and a sub-attribute.
type target struct {
	attr   string
	filter *term
	sub    string
}

// term is a filter on an element: a comparison, or "and", "or", "not" of others.
type term struct {
	op         string
	sub, value string
	terms      []term
}

func (t term) String() string {
	switch t.op {
	case "and", "or":
		return "(" + t.terms[0].String() + ") " + t.op + " (" + t.terms[1].String() + ")"
	case "not":
		return "not (" + t.terms[0].String() + ")"
	case "pr":
		return t.sub + " pr"
	}
	return fmt.Sprintf("%s %s %q", t.sub, t.op, t.value)
}

func (t term) holds(element any) bool {
	switch t.op {
	case "and":
		return t.terms[0].holds(element) && t.terms[1].holds(element)
	case "or":
		return t.terms[0].holds(element) || t.terms[1].holds(element)
	case "not":
		return !t.terms[0].holds(element)
	}
	have := element
	if m, ok := element.(map[string]any); ok {
		have = m[t.sub]
	}
	s, _ := have.(string)
	has, s, want := have != nil, strings.ToLower(s), strings.ToLower(t.value)
	switch t.op {
	case "pr":
		return has
	case "eq":
		return has && s == want
	case "ne":
		return !has || s != want
	case "co":
		return has && strings.Contains(s, want)
	}
	return has && strings.HasPrefix(s, want)
}

// equals collects the eq terms of a filter that is made of nothing else.
func (t term) equals(into map[string]any) bool {
	switch t.op {
	case "eq":
		into[t.sub] = t.value
		return true
	case "and":
		return t.terms[0].equals(into) && t.terms[1].equals(into)
	}
	return false
}

// operation is one drawn operation. A value of nil is absent for remove, else null.
type operation struct {
	op    string
	at    target
	value any
}

// apply returns the scimType of what is wrong, empty for nothing.
func (o *oracle) apply(op operation) string {
	if op.at.attr == "" {
		if op.op == "remove" {
			return NoTarget
		}
		return o.each(op, "", op.value.(map[string]any))
	}
	if op.at.attr == "groups" {
		return Mutability
	}
	name := op.at.attr
	if _, ok := multi[name]; ok {
		return o.multiValued(op)
	}
	if object, ok := op.value.(map[string]any); ok && op.op != "remove" {
		separator := "."
		if name == orgURN || name == enterpriseURN {
			separator = ":"
		}
		return o.each(op, name+separator, object)
	}
	holder, last := o.holder(name, op.op != "remove" && op.value != nil)
	switch {
	case holder == nil:
	case op.op == "remove", op.op == "replace" && op.value == nil:
		delete(holder, last)
	case op.value != nil:
		holder[last] = op.value
	}
	return ""
}

// each applies the members of an object as operations of their own.
func (o *oracle) each(op operation, prefix string, object map[string]any) string {
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if wrong := o.apply(operation{op.op, target{attr: prefix + name}, object[name]}); wrong != "" {
			return wrong
		}
	}
	return ""
}

// holder is the object that holds the attribute at path, made when it has to be.
func (o *oracle) holder(path string, make bool) (map[string]any, string) {
	holder := o.doc
	down := func(name string) bool {
		next, ok := holder[name].(map[string]any)
		if !ok && !make {
			return false
		}
		if !ok {
			next = map[string]any{}
			holder[name] = next
		}
		holder = next
		return true
	}
	for _, urn := range []string{orgURN, enterpriseURN} {
		if rest, ok := strings.CutPrefix(path, urn+":"); ok {
			if !down(urn) {
				return nil, ""
			}
			path = rest
		}
	}
	if head, tail, ok := strings.Cut(path, "."); ok && !strings.HasPrefix(path, "urn:") {
		if !down(head) {
			return nil, ""
		}
		path = tail
	}
	return holder, path
}

func (o *oracle) multiValued(op operation) string {
	holder, last := o.holder(op.at.attr, true)
	list, _ := holder[last].([]any)
	list = slices.Clone(list)
	wrong := ""
	switch {
	case op.at.filter != nil || op.at.sub != "":
		list, wrong = o.selected(op, list)
	case op.op == "remove" && op.value != nil:
		list, wrong = o.removeListed(op, list)
	case op.op == "remove", op.op == "replace" && op.value == nil:
		list = nil
	case op.op == "replace":
		list = copied(op.value)
	default:
		list = addAll(list, copied(op.value))
	}
	if wrong == "" {
		holder[last] = list
	}
	return wrong
}

func copied(value any) []any {
	list, _ := value.([]any)
	var all []any
	for _, e := range list {
		if m, ok := e.(map[string]any); ok {
			e = maps.Clone(m)
		}
		all = append(all, e)
	}
	return all
}

func addAll(list, more []any) []any {
	before := len(list)
	for _, e := range more {
		if !slices.ContainsFunc(list, func(have any) bool { return says(have, e) }) {
			list = append(list, e)
		}
	}
	onlyPrimary(list, func(i int) bool { return i >= before })
	return list
}

// says compares without regard to case, as the attributes are.
func says(have, e any) bool {
	m, ok := e.(map[string]any)
	if !ok {
		return strings.EqualFold(fmt.Sprint(have), fmt.Sprint(e))
	}
	h, _ := have.(map[string]any)
	for k, v := range m {
		if old, ok := h[k]; !ok || !strings.EqualFold(fmt.Sprint(old), fmt.Sprint(v)) {
			return false
		}
	}
	return true
}

// onlyPrimary takes primary from the others when a fresh element has it.
func onlyPrimary(list []any, fresh func(int) bool) {
	taken := false
	for i, e := range list {
		m, ok := e.(map[string]any)
		taken = taken || ok && fresh(i) && m["primary"] == true
	}
	for i, e := range list {
		if m, ok := e.(map[string]any); ok && taken && !fresh(i) && m["primary"] == true {
			m = maps.Clone(m)
			m["primary"] = false
			list[i] = m
		}
	}
}

func (o *oracle) removeListed(op operation, list []any) ([]any, string) {
	kept := slices.DeleteFunc(slices.Clone(list), func(have any) bool {
		return slices.ContainsFunc(op.value.([]any), func(e any) bool { return says(have, e) })
	})
	if len(kept) == len(list) && !o.tolerant {
		return nil, NoTarget
	}
	return kept, ""
}

// selected changes the elements that a filter selects, or all of them.
func (o *oracle) selected(op operation, list []any) ([]any, string) {
	var out []any
	hits := map[int]bool{}
	for _, e := range list {
		if op.at.filter != nil && !op.at.filter.holds(e) {
			out = append(out, e)
			continue
		}
		e, keep := changed(op, e)
		if keep {
			hits[len(out)] = true
			out = append(out, e)
		}
		hits[-1] = true
	}
	if !hits[-1] {
		return o.missed(op, list)
	}
	onlyPrimary(out, func(i int) bool { return hits[i] })
	return out, ""
}

func changed(op operation, e any) (any, bool) {
	m, complex := e.(map[string]any)
	if !complex || op.at.sub == "" && op.op == "replace" {
		return op.value, op.op != "remove" && op.value != nil
	}
	m = maps.Clone(m)
	switch {
	case op.at.sub == "" && op.op == "remove":
		return nil, false
	case op.at.sub == "":
		maps.Copy(m, op.value.(map[string]any))
	case op.op == "remove" || op.value == nil && op.op == "replace":
		delete(m, op.at.sub)
	default:
		m[op.at.sub] = op.value
	}
	return m, len(m) > 0
}

// missed is about a target without elements.
func (o *oracle) missed(op operation, list []any) ([]any, string) {
	removes := op.op == "remove" || op.value == nil
	switch {
	case op.at.filter == nil && removes:
		return list, ""
	case op.at.filter == nil:
		return append(list, map[string]any{op.at.sub: op.value}), ""
	case op.op == "remove" && o.tolerant:
		return list, ""
	}
	made := map[string]any{}
	if removes || !o.tolerant || !op.at.filter.equals(made) {
		return nil, NoTarget
	}
	if m, ok := op.value.(map[string]any); ok {
		maps.Copy(made, m)
	} else if op.at.sub != "" {
		made[op.at.sub] = op.value
	} else if !op.at.filter.holds(op.value) {
		return nil, NoTarget
	} else {
		return append(list, op.value), ""
	}
	list = append(list, any(made))
	onlyPrimary(list, func(i int) bool { return i == len(list)-1 })
	return list, ""
}

// withoutEmpty is what is left of a value without what is empty.
func withoutEmpty(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, e := range v {
			if e = withoutEmpty(e); e != nil {
				out[k] = e
			}
		}
		if len(out) > 0 {
			return out
		}
		return nil
	case []any:
		var out []any
		for _, e := range v {
			if e = withoutEmpty(e); e != nil {
				out = append(out, e)
			}
		}
		if len(out) > 0 {
			return out
		}
		return nil
	}
	return v
}
