package schemas

// CheckPath holds the values of the attribute with a path in the index against its
// definition, as if they came in now.
func (r *Resource) CheckPath(path string) error {
	var a *attr
	for _, x := range r.Type.attrs {
		if x.ref != nil && x.ref.Path == path {
			a = x
		}
	}
	if a == nil {
		return nil
	}
	if a.isMissing(&r.root) {
		return errorf(InvalidValue, a.path, "it is required and missing")
	}
	var err error
	r.root.leaves(0, func(n *node, _ int) {
		if n.attr == a && err == nil {
			err = a.check(n.text)
		}
	})
	return err
}

// isMissing says that the attribute is required, and that a value below n that must have it
// does not.
func (a *attr) isMissing(n *node) bool {
	if !a.Required || a.Mutability == ReadOnly {
		return false
	}
	return a.isMissingIn(n, append(a.ancestors(), a))
}

func (a *attr) isMissingIn(n *node, chain []*attr) bool {
	k := n.kid(chain[0])
	switch {
	case len(chain) == 1:
		return k == nil
	case k == nil:
		return chain[0].mandatory
	case chain[0].MultiValued:
		for i := range k.kids {
			if a.isMissingIn(&k.kids[i], chain[1:]) {
				return true
			}
		}
		return false
	default:
		return a.isMissingIn(k, chain[1:])
	}
}
