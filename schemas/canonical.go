package schemas

// Doc returns the canonical stored document: the schemas list of what is present,
// then the document attributes in schema order, without white space. Two resources
// with the same document attributes have the same bytes, and Decode reverses it.
func (r *Resource) Doc() []byte {
	dst := make([]byte, 0, r.root.size()+128)
	dst = append(dst, `{"schemas":[`...)
	dst = AppendString(dst, r.Type.def.Core.ID)
	for i := range r.root.kids {
		if a := r.root.kids[i].attr; a.extends {
			dst = append(dst, ',')
			dst = AppendString(dst, a.Name)
		}
	}
	dst = append(dst, ']')
	for i := range r.root.kids {
		dst = append(dst, ',')
		dst = r.root.kids[i].appendMember(dst)
	}
	return append(dst, '}')
}

// size is about how long the JSON of n is.
func (n *node) size() int {
	size := len(n.attr.Name) + len(n.text) + 8
	for i := range n.kids {
		size += n.kids[i].size()
	}
	return size
}

// appendMember appends "name":value.
func (n *node) appendMember(dst []byte) []byte {
	dst = append(dst, '"')
	dst = append(dst, n.attr.Name...)
	dst = append(dst, '"', ':')
	if !n.attr.MultiValued {
		return n.appendValue(dst)
	}
	dst = append(dst, '[')
	for i := range n.kids {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = n.kids[i].appendValue(dst)
	}
	return append(dst, ']')
}

// appendValue appends a single value, or one element.
func (n *node) appendValue(dst []byte) []byte {
	if n.attr.secret {
		return AppendString(dst, n.text)
	}
	switch n.attr.Type {
	case Complex:
		dst = append(dst, '{')
		for i := range n.kids {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = n.kids[i].appendMember(dst)
		}
		return append(dst, '}')
	case Boolean, Integer, Decimal:
		return append(dst, n.text...)
	default:
		return AppendString(dst, n.text)
	}
}
