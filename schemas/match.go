package schemas

import "strings"

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
