package schemas

// Hot returns the values of the hot columns, folded.
func (r *Resource) Hot() Hot {
	h := Hot{Active: r.Active}
	r.root.leaves(0, func(n *node, _ int) {
		if n.attr.ref == nil {
			return
		}
		switch n.attr.ref.Where {
		case InUserName:
			h.UserName = n.attr.encode(n.text)
		case InDisplayName:
			h.DisplayName = n.attr.encode(n.text)
		case InFamilyName:
			h.FamilyName = n.attr.encode(n.text)
		case InGivenName:
			h.GivenName = n.attr.encode(n.text)
		}
	})
	return h
}

// Index returns the rows of the attribute index: one for each value that is not
// empty, of each attribute that is not in a hot column, and one for each extension.
func (r *Resource) Index() []Entry {
	entries := make([]Entry, 0, 48)
	for i := range r.root.kids {
		if a := r.root.kids[i].attr; a.extends {
			entries = append(entries, r.Type.listed(a))
		}
	}
	r.root.leaves(0, func(n *node, elem int) {
		a := n.attr
		if a.ref == nil || a.ref.Where != InIndex || n.text == "" {
			return
		}
		e := Entry{Path: a.ref.Path, Elem: elem}
		if a.indexes {
			e.Value = a.encode(n.text)
		}
		entries = append(entries, e)
	})
	return entries
}

// listed is the index row that tells of an extension. Its element is always the first:
// another extension may come or go.
func (t *Type) listed(extension *attr) Entry {
	a := t.root.byName["schemas"]
	return Entry{Path: a.ref.Path, Value: a.encode(extension.Name)}
}

// Former returns the index rows that a resource may have beside those of Index, while
// rows are being written anew: those of every other form that its values can have had;
// and while attributes are being removed, of extensions that had no others.
func (r *Resource) Former() []Entry {
	if r == nil || r.Type.moving == nil && !r.Type.def.Residue {
		return nil
	}
	var entries []Entry
	for _, a := range r.Type.root.subs {
		if a.extends && r.root.kid(a) == nil {
			entries = append(entries, r.Type.listed(a))
		}
	}
	r.root.leaves(0, func(n *node, elem int) {
		a := n.attr
		if !a.Building || a.ref == nil || a.ref.Where != InIndex || n.text == "" {
			return
		}
		is := ""
		if a.indexes {
			is = a.encode(n.text)
		}
		for _, form := range a.forms(n.text) {
			if form != is {
				entries = append(entries, Entry{Path: a.ref.Path, Value: form, Elem: elem})
			}
		}
	})
	return entries
}

// Building says whether the index rows of a path are being written anew.
func (t *Type) Building(path string) bool { return t.moving[path] }

// Pending says whether the attribute with a path in the index is becoming unique.
func (t *Type) Pending(path string) bool { return t.pending[path] }

// AnyPending says whether an attribute of the type is becoming unique.
func (t *Type) AnyPending() bool { return t.pending != nil }

// Spell returns the SCIM path of an attribute by its path in the index.
func (t *Type) Spell(path string) string {
	for _, a := range t.attrs {
		if a.ref != nil && a.ref.Path == path {
			return a.path
		}
	}
	return path
}

// forms are all that can stand in the index for a value: nothing but its presence, and
// its text, folded or not.
func (a *attr) forms(text string) []string {
	switch a.Type {
	case String, Reference:
		folded := Fold(text)
		if folded == text {
			return []string{"", text}
		}
		return []string{"", text, folded}
	default:
		return []string{"", a.encode(text)}
	}
}

// Unique returns the values that no other resource of the type may have (RFC 7643,
// section 7, uniqueness server and global), userName first.
func (r *Resource) Unique() []Entry {
	var entries []Entry
	r.root.leaves(0, func(n *node, elem int) {
		a := n.attr
		if a.Uniqueness == UniqueNone || a.ref == nil || n.text == "" {
			return
		}
		e := Entry{Path: a.ref.Path, Value: a.encode(n.text), Elem: elem}
		for _, o := range entries {
			if o.Path == e.Path && o.Value == e.Value {
				return
			}
		}
		entries = append(entries, e)
	})
	return entries
}

// leaves calls f for each simple value below n, with the ordinal of the element it
// is, or is part of.
func (n *node) leaves(elem int, f func(leaf *node, elem int)) {
	for i := range n.kids {
		k := &n.kids[i]
		switch {
		case k.attr.MultiValued && k.attr.Type == Complex:
			for j := range k.kids {
				k.kids[j].leaves(j, f)
			}
		case k.attr.MultiValued:
			for j := range k.kids {
				f(&k.kids[j], j)
			}
		case k.attr.Type == Complex:
			k.leaves(elem, f)
		default:
			f(k, elem)
		}
	}
}

// UserName returns userName as it was written, and empty for a type without one.
func (r *Resource) UserName() string { return r.root.textOf(r.Type.root.sub("userName")) }

// DisplayName returns displayName as it was written.
func (r *Resource) DisplayName() string { return r.root.textOf(r.Type.root.sub("displayName")) }

// Same says that r and o have the same value of the attribute at the top called name.
func (r *Resource) Same(o *Resource, name string) bool {
	a := r.Type.root.sub(name)
	if a == nil {
		return true
	}
	x, y := r.root.kid(a), o.root.kid(a)
	if x == nil || y == nil {
		return x == y
	}
	return x.equal(y)
}

// Clone returns a copy that shares nothing that can change.
func (r *Resource) Clone() *Resource {
	c := *r
	c.root = r.root.clone()
	c.Members = append([]Member(nil), r.Members...)
	if r.Active != nil {
		active := *r.Active
		c.Active = &active
	}
	return &c
}
