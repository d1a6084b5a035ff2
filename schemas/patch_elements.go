package schemas

import "slices"

// elements applies an operation to the elements that its value path selects.
func (p *patcher) elements(holder *node) error {
	n := holder.kid(p.op.attr)
	var hits []int
	if n != nil {
		if err := p.compares(len(n.kids) * termsOf(p.op.filter)); err != nil {
			return err
		}
		hits = p.selected(n)
	}
	if err := p.checkSub(n, hits); err != nil {
		return err
	}
	switch {
	case len(hits) > 0 && !p.op.has:
		p.removeFrom(n, hits)
		return nil
	case len(hits) > 0:
		return p.setIn(n, hits)
	case !p.op.has:
		return p.missed()
	default:
		return p.create(holder)
	}
}

// termsOf counts the comparisons of a value filter.
func termsOf(f Node) int {
	switch f := f.(type) {
	case *And:
		return termsOfAll(f.Terms)
	case *Or:
		return termsOfAll(f.Terms)
	case *Not:
		return termsOf(f.Term)
	}
	return 1
}

func termsOfAll(terms []Node) (n int) {
	for _, t := range terms {
		n += termsOf(t)
	}
	return n
}

// checkSub refuses another value for an immutable sub-attribute of an element that has
// one (RFC 7643, section 2.2).
func (p *patcher) checkSub(n *node, hits []int) error {
	if p.op.sub == nil || p.op.sub.Mutability != Immutable {
		return nil
	}
	for _, i := range hits {
		old := n.kids[i].kid(p.op.sub)
		if old != nil && (!p.op.has || !old.equal(&p.op.value)) {
			return errorf(Mutability, p.op.sub.path, "it is immutable and has a value")
		}
	}
	return nil
}

// selected returns the elements that the filter matches.
func (p *patcher) selected(n *node) []int {
	var hits []int
	for i := range n.kids {
		if p.op.filter == nil || n.kids[i].matches(p.op.filter) {
			hits = append(hits, i)
		}
	}
	return hits
}

// removeFrom takes the elements, or one sub-attribute of each, away.
func (p *patcher) removeFrom(n *node, hits []int) {
	kept := make([]node, 0, len(n.kids))
	for i := range n.kids {
		if len(hits) > 0 && hits[0] == i {
			hits = hits[1:]
			if p.op.sub == nil {
				continue
			}
			// An element without anything left is none for the next operation.
			if n.kids[i].drop(p.op.sub); len(n.kids[i].kids) == 0 {
				continue
			}
		}
		kept = append(kept, n.kids[i])
	}
	n.kids = kept
}

// setIn changes the selected elements: their sub-attribute; or, of the whole element,
// replace puts the value in its place and add merges it in.
func (p *patcher) setIn(n *node, hits []int) error {
	v := p.op.value
	for _, i := range hits {
		switch e := &n.kids[i]; {
		case p.op.sub != nil:
			e.put(v)
		case p.op.Op == "replace" || n.attr.Type != Complex:
			*e = v.stripped().clone()
		default:
			for _, k := range v.kids {
				if !k.isUnset() {
					e.put(k)
				}
			}
		}
	}
	primaries := 0
	for _, i := range hits {
		if n.kids[i].isPrimary() {
			primaries++
		}
	}
	if primaries > 1 && p.setsPrimary() {
		return errorf(InvalidValue, n.attr.primary.path, "the filter selects %d values; one can be primary", len(hits))
	}
	n.onePrimary(func(i int) bool { return slices.Contains(hits, i) })
	return nil
}

// setsPrimary says that the value makes elements primary.
func (p *patcher) setsPrimary() bool {
	a := p.op.attr
	return a.primary != nil && (p.op.sub == a.primary && p.op.value.text == "true" ||
		p.op.sub == nil && p.op.value.isPrimary())
}

// create makes the element that a value path did not find out of the eq terms of its
// filter, where the dialect says so. The next operation with the same filter finds
// it, so that three operations make one element.
func (p *patcher) create(holder *node) error {
	e, ok := p.created()
	if !ok {
		return errorf(NoTarget, p.op.Path, "no value matches the filter")
	}
	n := holder.kid(e.attr)
	if n == nil {
		holder.put(node{attr: e.attr})
		n = holder.kid(e.attr)
	}
	n.kids = append(n.kids, e)
	last := len(n.kids) - 1
	n.onePrimary(func(i int) bool { return i == last })
	return checkElements(n.attr, len(n.kids))
}

// created is the element that create appends. Without a filter the path means an
// attribute that is not there, which add and replace make (RFC 7644, section 3.5.2.3).
func (p *patcher) created() (e node, ok bool) {
	e.attr = p.op.attr
	if p.op.partial {
		return e, false
	}
	if p.op.filter != nil {
		allowed := p.op.Op == "add" && p.d.CreateOnAdd || p.op.Op == "replace" && p.d.CreateOnReplace
		if !allowed || !e.satisfy(p.op.filter) {
			return e, false
		}
	}
	switch v := p.op.value; {
	case p.op.sub != nil:
		e.put(v)
	case e.attr.Type != Complex:
		return v, v.matches(p.op.filter)
	default:
		for _, k := range v.stripped().kids {
			e.put(k)
		}
	}
	return e, true
}

// satisfy fills the element from a filter of eq terms joined by and; false for any
// other filter.
func (n *node) satisfy(f Node) bool {
	switch f := f.(type) {
	case *And:
		for _, t := range f.Terms {
			if !n.satisfy(t) {
				return false
			}
		}
		return true
	case *Compare:
		if f.Op != EQ {
			return false
		}
		if a := f.Attr.attr; a != n.attr {
			n.setText(a, f.text)
		}
		return true
	default:
		return false
	}
}

// removeValues takes the listed values out of a multi-valued attribute: Entra ID
// removes members and others so, where RFC 7644 has a value filter.
func (p *patcher) removeValues(holder *node) error {
	listed := p.op.value.stripped()
	n := holder.kid(p.op.attr)
	if n == nil {
		n = &node{attr: p.op.attr}
	}
	if err := p.compares(len(n.kids) * len(listed.kids)); err != nil {
		return err
	}
	kept := make([]node, 0, len(n.kids))
	for _, e := range n.kids {
		if !listed.selects(&e) {
			kept = append(kept, e)
		}
	}
	if len(kept) == len(n.kids) && len(listed.kids) > 0 && !p.d.IgnoreMissedRemove {
		return errorf(NoTarget, p.op.Path, "none of the values is there")
	}
	n.kids = kept
	return nil
}

// selects says that one of the listed elements is e.
func (n *node) selects(e *node) bool {
	for i := range n.kids {
		if l := &n.kids[i]; (l.attr.Type != Complex || len(l.kids) > 0) && e.covers(l) {
			return true
		}
	}
	return false
}
