package schemas

// Attr resolves a path to a simple attribute whose values have an order, as sortBy
// names one (RFC 7644, section 3.4.2.3). A complex attribute stands for its value.
func (t *Type) Attr(path string) (*AttrRef, error) {
	a := t.find(path)
	if a == nil {
		return nil, errorf(InvalidValue, clip(path), "%s has no such attribute to sort by", t.Name)
	}
	if a.Type == Complex && a.value != nil {
		a = a.value
	}
	switch {
	case a.Type == Complex:
		return nil, errorf(InvalidValue, a.path, "it is complex: name the sub-attribute to sort by")
	case a.ref == nil || a.Unindexed || !a.ref.ordered():
		return nil, errorf(InvalidValue, a.path, "its values have no order to sort by")
	}
	return a.ref, nil
}

// ordered: versions are only equal or not, and schemas, members and groups are sets.
func (r *AttrRef) ordered() bool {
	switch r.Where {
	case InVersion, InSchemas, InMembers, InGroups:
		return false
	}
	return true
}

// Primary is the path in the index of the sub-attribute that marks the primary element
// of the multi-valued attribute that r is part of; empty when it has none.
func (r *AttrRef) Primary() string {
	if p := r.attr.parent; p != nil && p.primary != nil && p.primary.ref != nil {
		return p.primary.ref.Path
	}
	return ""
}

// SortValue is the value, as the index has it, that stands for a resource in a list
// sorted by an attribute of the index: of the primary element, or else of the first.
// It is false for a resource without one.
func (r *Resource) SortValue(by *AttrRef) (string, bool) {
	entries, elem := r.Index(), 0
	primary := by.Primary()
	for _, e := range entries {
		if primary != "" && e.Path == primary && e.Value == "true" {
			elem = e.Elem
		}
	}
	for _, e := range entries {
		if e.Path == by.Path && e.Elem == elem {
			return e.Value, true
		}
	}
	return "", false
}

// Indexes says whether values of the type stand in the index under a path.
func (t *Type) Indexes(path string) bool {
	for _, a := range t.attrs {
		if a.ref != nil && a.ref.Where == InIndex && a.ref.Path == path {
			return true
		}
	}
	return false
}
