package schemas

// node is a value in memory. What text and kids mean follows from attr and from
// where the node stands: as a member of an object, the node of a multi-valued
// attribute has its elements as kids; as an element, or of a single-valued attribute,
// a complex node has its sub-attributes as kids, in canonical order, and a simple one
// has its canonical text.
type node struct {
	attr *attr
	text string
	kids []node
}

// unset, as kids, marks a null inside a PATCH value: take the attribute away.
var unset = []node{}

func (n *node) isUnset() bool { return n.kids != nil && len(n.kids) == 0 }

// kid returns the member of n that is the attribute a, or nil.
func (n *node) kid(a *attr) *node {
	for i := range n.kids {
		if n.kids[i].attr == a {
			return &n.kids[i]
		}
	}
	return nil
}

// put sets a member, at its canonical place.
func (n *node) put(m node) {
	at := len(n.kids)
	for i := range n.kids {
		if n.kids[i].attr == m.attr {
			n.kids[i] = m
			return
		}
		if n.kids[i].attr.ord > m.attr.ord {
			at = i
			break
		}
	}
	n.kids = append(n.kids, node{})
	copy(n.kids[at+1:], n.kids[at:])
	n.kids[at] = m
}

// drop takes a member away.
func (n *node) drop(a *attr) {
	for i := range n.kids {
		if n.kids[i].attr == a {
			n.kids = append(n.kids[:i:i], n.kids[i+1:]...)
			return
		}
	}
}

func (n *node) setText(a *attr, text string) { n.put(node{attr: a, text: text}) }

// textOf returns the text of a simple member, empty when there is none.
func (n *node) textOf(a *attr) string {
	if a == nil {
		return ""
	}
	if k := n.kid(a); k != nil {
		return k.text
	}
	return ""
}

// clone copies n and everything below it.
func (n node) clone() node {
	if len(n.kids) > 0 {
		kids := make([]node, len(n.kids))
		for i, k := range n.kids {
			kids[i] = k.clone()
		}
		n.kids = kids
	}
	return n
}

func (n *node) equal(o *node) bool {
	if n.attr != o.attr || n.text != o.text || len(n.kids) != len(o.kids) {
		return false
	}
	for i := range n.kids {
		if !n.kids[i].equal(&o.kids[i]) {
			return false
		}
	}
	return true
}

// covers says that the element n already says all that m says: adding m to an
// attribute that has n changes nothing (RFC 7644, section 3.5.2.1).
func (n *node) covers(m *node) bool {
	if n.attr.Type != Complex {
		return n.attr.encode(n.text) == m.attr.encode(m.text)
	}
	for i := range m.kids {
		k := n.kid(m.kids[i].attr)
		if k == nil || k.attr.encode(k.text) != k.attr.encode(m.kids[i].text) {
			return false
		}
	}
	return true
}

// prune takes empty objects and arrays away: they are unassigned (RFC 7643,
// section 2.5).
func (n *node) prune() {
	kept := n.kids[:0]
	for i := range n.kids {
		k := &n.kids[i]
		if k.isContainer() {
			k.prune()
			if len(k.kids) == 0 {
				continue
			}
		}
		kept = append(kept, *k)
	}
	n.kids = kept
}

func (n *node) isContainer() bool { return n.attr.Type == Complex || n.kids != nil }
