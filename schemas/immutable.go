package schemas

// CheckImmutable compares a resource with what it replaces: an immutable attribute
// that had a value keeps it (RFC 7643, section 2.2).
func (t *Type) CheckImmutable(old, replacement *Resource) error {
	return checkImmutable(&old.root, &replacement.root)
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
