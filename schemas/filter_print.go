package schemas

// String prints the filter in one canonical spelling; parsing it gives the same
// filter.
func (f *Filter) String() string {
	if f == nil || f.Root == nil {
		return ""
	}
	return string(f.Root.appendTo(nil))
}

func (n *And) appendTo(dst []byte) []byte {
	for i, t := range n.Terms {
		if i > 0 {
			dst = append(dst, " and "...)
		}
		if _, ok := t.(*Or); ok {
			dst = append(dst, '(')
			dst = append(t.appendTo(dst), ')')
			continue
		}
		dst = t.appendTo(dst)
	}
	return dst
}

func (n *Or) appendTo(dst []byte) []byte {
	for i, t := range n.Terms {
		if i > 0 {
			dst = append(dst, " or "...)
		}
		dst = t.appendTo(dst)
	}
	return dst
}

func (n *Not) appendTo(dst []byte) []byte {
	dst = append(dst, "not ("...)
	return append(n.Term.appendTo(dst), ')')
}

func (c *Compare) appendTo(dst []byte) []byte {
	dst = append(dst, c.name...)
	dst = append(dst, ' ')
	dst = append(dst, c.Op...)
	if c.Op != PR {
		dst = append(dst, ' ')
		dst = c.appendLiteral(dst)
	}
	return dst
}

func (c *Compare) appendLiteral(dst []byte) []byte {
	switch c.Attr.Type {
	case Boolean, Integer, Decimal:
		return append(dst, c.text...)
	default:
		return AppendString(dst, c.text)
	}
}

func (n *ValuePath) appendTo(dst []byte) []byte {
	dst = append(dst, n.Attr.attr.path...)
	dst = append(dst, '[')
	return append(n.Node.appendTo(dst), ']')
}
