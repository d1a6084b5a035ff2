package schemas

import "slices"

// store puts a value where the slot means it, or takes it away when n is nil. All
// other values stay.
func (s *slot) store(root, n *node) {
	a := s.attr
	if s.list != nil {
		a = s.list
	}
	holder := root
	for _, up := range a.ancestors() {
		k := holder.kid(up)
		if k == nil {
			if n == nil {
				return
			}
			holder.put(node{attr: up})
			k = holder.kid(up)
		}
		holder = k
	}
	switch {
	case s.list != nil:
		s.storeElement(holder, n)
	case n == nil:
		holder.drop(a)
	default:
		holder.put(*n)
	}
}

// storeElement changes one element of a multi-valued attribute.
func (s *slot) storeElement(holder, n *node) {
	list := holder.kid(s.list)
	if list == nil {
		if n == nil {
			return
		}
		holder.put(node{attr: s.list})
		list = holder.kid(s.list)
	}
	i := s.element(list)
	if i >= 0 && s.shared(&list.kids[i]) {
		s.part(&list.kids[i])
		i = -1
	}
	switch {
	case i < 0 && n == nil:
	case i < 0:
		list.kids = append(list.kids, s.fresh(n))
	case n == nil:
		list.kids[i].drop(s.attr)
		if list.kids[i].isEmptyElement() {
			list.kids = slices.Delete(list.kids, i, i+1)
		}
	default:
		list.kids[i].put(*n)
	}
}

// shared says that the element is also what another slot means: a mobile telephone
// that is the primary one.
func (s *slot) shared(e *node) bool {
	kind := e.textOf(s.list.sub("type"))
	if s.primary {
		return e.isPrimary() && s.reserved(kind)
	}
	return e.isPrimary()
}

// part leaves a shared element to the other slot.
func (s *slot) part(e *node) {
	if s.primary {
		e.drop(s.list.primary)
		return
	}
	e.setText(s.list.sub("type"), "work")
}

// fresh makes an element with the value n.
func (s *slot) fresh(n *node) node {
	e := node{attr: s.list}
	e.put(*n)
	e.setText(s.list.sub("type"), s.kind)
	if s.primary {
		e.setText(s.list.primary, "true")
	}
	return e
}

// isEmptyElement says that nothing is left but type, primary and display.
func (n *node) isEmptyElement() bool {
	for i := range n.kids {
		switch lower(n.kids[i].attr.Name) {
		case "type", "primary", "display":
		default:
			return false
		}
	}
	return true
}
