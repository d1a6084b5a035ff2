package schemas

// CheckImmutable compares a resource with what it replaces: an immutable attribute
// that had a value keeps it (RFC 7643, section 2.2).
func (t *Type) CheckImmutable(old, replacement *Resource) error {
	return checkImmutable(&old.root, &replacement.root)
}

// Replacement is what a PUT of r makes of the resource that is there (RFC 7644, section
// 3.5.1): r with the readOnly attributes of old, which no client gives, and with the
// secrets of old that the client cannot have read to send them back. A change of an
// immutable attribute is an *Error.
func (t *Type) Replacement(old, r *Resource) (*Resource, error) {
	next, err := t.Adopt(r)
	if err != nil {
		return nil, err
	}
	next = next.Clone()
	next.root.retain(&old.root, func(a *attr, given bool) bool { return a.Mutability == ReadOnly || a.secret && !given })
	next.ApplyDefaults(true)
	return next, t.CheckImmutable(old, next)
}

func checkImmutable(old, replacement *node) error {
	for i := range old.kids {
		k := &old.kids[i]
		r := replacement.kid(k.attr)
		switch {
		case k.attr.Mutability == Immutable && (r == nil || !k.equal(r)):
			return errorf(Mutability, k.attr.path, "it is immutable and has a value")
		case k.attr.Type == Complex && !k.attr.MultiValued:
			if r == nil {
				r = &node{attr: k.attr}
			}
			if err := checkImmutable(k, r); err != nil {
				return err
			}
		}
	}
	return nil
}

// retain puts back what old has of the attributes that keep chooses: those that the
// client could not, or may not, change.
func (n *node) retain(old *node, keep func(a *attr, given bool) bool) {
	for i := range old.kids {
		k := &old.kids[i]
		switch {
		case keep(k.attr, n.kid(k.attr) != nil):
			n.put(k.clone())
		case k.attr.Type == Complex && !k.attr.MultiValued:
			kept := node{attr: k.attr}
			if have := n.kid(k.attr); have != nil {
				kept = *have
			}
			before := len(kept.kids)
			if kept.retain(k, keep); len(kept.kids) > before {
				n.put(kept)
			}
		}
	}
}
