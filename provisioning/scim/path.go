package scim

import (
	"fmt"
	"regexp"
	"strings"
)

// tree is a resource as JSON.
type tree = map[string]any

// attrPath is where a value stands in a resource: "title", "name.givenName", `emails[type eq "work"].value`, all of them also in an extension.
type attrPath struct {
	urn  string // of the extension, "" for core
	attr string
	typ  string // the element of this type of a multi-valued attribute
	sub  string
}

var pathPattern = regexp.MustCompile(`^(?:(urn:[A-Za-z0-9:._-]+):)?([A-Za-z][\w$-]*)(?:\[type eq "([A-Za-z]+)"\])?(?:\.([A-Za-z][\w$-]*))?$`)

func parsePath(s string) (attrPath, error) {
	m := pathPattern.FindStringSubmatch(s)
	if m == nil || m[3] != "" && m[4] == "" {
		return attrPath{}, fmt.Errorf("%q is no path that a connector writes", s)
	}
	return attrPath{urn: m[1], attr: m[2], typ: m[3], sub: m[4]}, nil
}

// head is the path of the whole attribute.
func (p attrPath) head() string {
	if p.urn == "" {
		return p.attr
	}
	return p.urn + ":" + p.attr
}

// String is the path with the sub-attribute, without a value filter.
func (p attrPath) String() string {
	if p.sub == "" {
		return p.head()
	}
	return p.head() + "." + p.sub
}

// lookup finds a member of an object whatever its case: attribute names are case-insensitive (RFC 7643, section 2.1).
func lookup(t tree, name string) any {
	if v, ok := t[name]; ok {
		return v
	}
	for k, v := range t {
		if strings.EqualFold(k, name) {
			return v
		}
	}
	return nil
}

// holder is the object that has the attribute: the resource or an extension of it.
func (p attrPath) holder(t tree) tree {
	if p.urn == "" {
		return t
	}
	ext, _ := lookup(t, p.urn).(tree)
	return ext
}

// values reads a path. A multi-valued attribute without a filter gives the value of every element.
func (p attrPath) values(t tree) []string {
	v := lookup(p.holder(t), p.attr)
	if p.typ != "" {
		e, _ := p.element(v)
		return text(lookup(e, p.sub))
	}
	if list, ok := v.([]any); ok {
		var out []string
		for _, e := range list {
			if m, ok := e.(tree); ok {
				e = lookup(m, "value")
			}
			out = append(out, text(e)...)
		}
		return out
	}
	if m, ok := v.(tree); ok {
		if p.sub == "" {
			return text(lookup(m, "value"))
		}
		return text(lookup(m, p.sub))
	}
	if p.sub != "" {
		if p.sub == "value" {
			return text(v) // manager as a bare ID, as some targets have it
		}
		return nil
	}
	return text(v)
}

// element finds the element of the type, and the filter that selects it. An element without a type stands for "work"
// when it is the only one: many targets keep one address and no type.
func (p attrPath) element(v any) (tree, string) {
	list, _ := v.([]any)
	for _, e := range list {
		m, _ := e.(tree)
		if t, _ := lookup(m, "type").(string); strings.EqualFold(t, p.typ) {
			return m, fmt.Sprintf("[type eq %s]", quote(t))
		}
	}
	if len(list) == 1 && p.typ == "work" {
		m, _ := list[0].(tree)
		if value, ok := lookup(m, "value").(string); ok && lookup(m, "type") == nil {
			return m, fmt.Sprintf("[value eq %s]", quote(value))
		}
	}
	return nil, ""
}

// text makes a JSON value what attributes hold.
func text(v any) []string {
	switch v := v.(type) {
	case nil, tree, []any:
		return nil
	case string:
		if v == "" {
			return nil
		}
		return []string{v}
	}
	return []string{fmt.Sprint(v)}
}

// set writes a value into a resource that is to be sent whole; no value removes.
func (p attrPath) set(t tree, to []string) {
	h := t
	if p.urn != "" {
		if h = p.holder(t); h == nil {
			h = tree{}
			t[p.urn] = h
		}
	}
	switch {
	case p.typ != "":
		p.setElement(h, to)
	case p.sub != "":
		m, _ := lookup(h, p.attr).(tree)
		if m == nil {
			m = tree{}
		}
		put(m, p.sub, to)
		h[p.attr] = m
		if len(m) == 0 {
			delete(h, p.attr)
		}
	default:
		put(h, p.attr, to)
	}
}

func (p attrPath) setElement(h tree, to []string) {
	v := lookup(h, p.attr)
	e, _ := p.element(v)
	list, _ := v.([]any)
	if e == nil {
		if len(to) == 0 {
			return
		}
		e = p.newElement(list)
		h[p.attr] = append(list, e)
	}
	put(e, p.sub, to)
	if p.sub == "value" && len(to) == 0 {
		h[p.attr] = withValue(list)
	}
}

// newElement is of the path's type; the first work address of a resource is its primary one.
func (p attrPath) newElement(list []any) tree {
	e := tree{"type": p.typ}
	for _, other := range list {
		if m, ok := other.(tree); ok && lookup(m, "primary") == true {
			return e
		}
	}
	if p.typ == "work" {
		e["primary"] = true
	}
	return e
}

// withValue leaves out elements that have lost their value.
func withValue(list []any) []any {
	out := []any{}
	for _, other := range list {
		if m, ok := other.(tree); !ok || lookup(m, "value") != nil {
			out = append(out, other)
		}
	}
	return out
}

func put(t tree, name string, to []string) {
	for k := range t {
		if strings.EqualFold(k, name) {
			delete(t, k)
		}
	}
	if len(to) > 0 {
		t[name] = to[0]
	}
}

// quote writes a string for a filter, as JSON does (RFC 7644, section 3.4.2.2).
func quote(s string) string { return string(mustJSON(s)) }
