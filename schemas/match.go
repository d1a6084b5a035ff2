package schemas

import (
	"slices"
	"strings"
)

// Decode reads a stored document as the filter was parsed, for Resource.Matches.
func (f *Filter) Decode(doc []byte) (*Resource, error) { return f.typ.Decode(doc) }

// Matches evaluates a node of a filter on the document of r, decoded by the filter's
// own Decode. What is kept apart from the document (id, externalId, meta, active,
// members and groups) has no value here.
func (r *Resource) Matches(f Node) bool {
	switch f := f.(type) {
	case *And:
		return !slices.ContainsFunc(f.Terms, func(t Node) bool { return !r.Matches(t) })
	case *Or:
		return slices.ContainsFunc(f.Terms, r.Matches)
	case *Not:
		return !r.Matches(f.Term)
	case *ValuePath:
		return r.some(f.Attr, func(e *node) bool { return e.isIndexed() && e.matches(f.Node) })
	}
	c := f.(*Compare)
	if c.Op == NE {
		eq := *c
		eq.Op = EQ
		return !r.Matches(&eq)
	}
	return r.some(c.Attr, func(n *node) bool { return c.holds(n.text) })
}

// some says whether f holds of one value of an attribute.
func (r *Resource) some(ref *AttrRef, f func(*node) bool) bool {
	if ref.Where == InSchemas {
		return r.someSchema(ref.attr, f)
	}
	return r.root.some(ref.attr, f)
}

// someSchema says whether f holds of one of the schemas that the resource lists.
func (r *Resource) someSchema(a *attr, f func(*node) bool) bool {
	if f(&node{attr: a, text: r.Type.def.Core.ID}) {
		return true
	}
	return slices.ContainsFunc(r.root.kids, func(k node) bool {
		return k.attr.extends && f(&node{attr: a, text: k.attr.Name})
	})
}

// some says whether f holds of one value of a below n, which is the resource.
func (n *node) some(a *attr, f func(*node) bool) bool {
	if a == n.attr {
		return f(n)
	}
	return n.some(a.parent, func(holder *node) bool {
		k := holder.kid(a)
		switch {
		case k == nil:
			return false
		case !a.MultiValued:
			return f(k)
		}
		for i := range k.kids {
			if f(&k.kids[i]) {
				return true
			}
		}
		return false
	})
}

// isIndexed says that the index knows of the element n: one of its values is not empty.
func (n *node) isIndexed() bool {
	if n.attr.Type != Complex {
		return n.text != "" && n.attr.ref != nil
	}
	return slices.ContainsFunc(n.kids, func(k node) bool { return k.isIndexed() })
}

// matches evaluates a value filter on one element of a multi-valued attribute.
func (n *node) matches(f Node) bool {
	switch f := f.(type) {
	case *And:
		for _, t := range f.Terms {
			if !n.matches(t) {
				return false
			}
		}
		return true
	case *Or:
		for _, t := range f.Terms {
			if n.matches(t) {
				return true
			}
		}
		return false
	case *Not:
		return !n.matches(f.Term)
	case *Compare:
		return f.holds(n.elementText(f.Attr.attr))
	default:
		return false
	}
}

// elementText is the value that a filter inside brackets means by a: a sub-attribute,
// or the element itself.
func (n *node) elementText(a *attr) string {
	if n.attr == a {
		return n.text
	}
	return n.textOf(a)
}

// holds compares a canonical text, empty for none, with the value of the filter.
func (c *Compare) holds(text string) bool {
	if text == "" && c.Op != PR && c.Attr.attr.isPrimary() {
		text = "false" // RFC 7643, section 2.4
	}
	if text == "" {
		return c.Op == NE
	}
	v := c.Attr.attr.encode(text)
	switch c.Op {
	case PR:
		return true
	case EQ:
		return v == c.Value
	case NE:
		return v != c.Value
	case CO:
		return strings.Contains(v, c.Value)
	case SW:
		return strings.HasPrefix(v, c.Value)
	case EW:
		return strings.HasSuffix(v, c.Value)
	case GT:
		return v > c.Value
	case GE:
		return v >= c.Value
	case LT:
		return v < c.Value
	default:
		return v <= c.Value
	}
}
