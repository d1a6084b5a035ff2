package schemas

import (
	"slices"
	"strconv"
)

// Profile returns the flat view of the resource: the base attributes and those of
// the organisation's extension that have a value. Strings are string, booleans bool,
// integers int64, decimals float64, multi-valued attributes []any. What the flat
// view has no name for stays in the resource, and so do secrets.
func (r *Resource) Profile() map[string]any {
	p := make(map[string]any, len(r.Type.slots))
	for _, s := range r.Type.slots {
		if n := s.node(&r.root); n != nil && !s.attr.secret {
			p[s.Name] = n.value()
		}
	}
	return p
}

// value is the Go value of a simple attribute.
func (n *node) value() any {
	if n.attr.MultiValued && n.kids != nil {
		list := make([]any, len(n.kids))
		for i := range n.kids {
			list[i] = n.kids[i].scalar()
		}
		return list
	}
	return n.scalar()
}

func (n *node) scalar() any {
	switch n.attr.Type {
	case Boolean:
		return n.text == "true"
	case Integer:
		i, _ := strconv.ParseInt(n.text, 10, 64)
		return i
	case Decimal:
		f, _ := strconv.ParseFloat(n.text, 64)
		return f
	default:
		return n.text
	}
}

// ProfileNames returns the names that the flat profile of the type has, in order.
func (t *Type) ProfileNames() []string {
	names := make([]string, len(t.slots))
	for i, s := range t.slots {
		names[i] = s.Name
	}
	return names
}

// ProfileType returns the type of a profile attribute and whether it is multi-valued;
// ok is false for a name that the profile does not have, and for a secret.
func (t *Type) ProfileType(name string) (typ DataType, multi, ok bool) {
	s, ok := t.profile[name]
	if !ok || s.attr.secret {
		return "", false, false
	}
	return s.attr.Type, s.attr.MultiValued && s.list == nil, true
}

// ProfileMutability returns what may be done with a profile attribute, ReadWrite for a name
// that the profile does not have.
func (t *Type) ProfileMutability(name string) string {
	if s, ok := t.profile[name]; ok {
		return s.attr.Mutability
	}
	return ReadWrite
}

// ProfileMaster returns which source owns a profile attribute: the profile source, unless
// a custom attribute says otherwise.
func (t *Type) ProfileMaster(name string) Master {
	if s, ok := t.profile[name]; ok && s.attr.Master != nil {
		return *s.attr.Master
	}
	return Master{Type: MasterProfile}
}

// Base returns the attributes of the flat profile that every organisation has, as they
// are under this version.
func (t *Type) Base() []BaseAttribute { return slices.Clone(t.def.Base) }

// HasProfile says whether a profile attribute has a value, a secret one included.
func (r *Resource) HasProfile(name string) bool { return r.profileNode(name) != nil }

// ChangedProfile returns the profile attributes whose values differ, sorted. Either
// resource may be nil, for one that is created or deleted.
func ChangedProfile(old, new *Resource) []string {
	r := new
	if r == nil {
		r = old
	}
	if r == nil {
		return nil
	}
	var names []string
	for _, s := range r.Type.slots {
		if !sameValue(old.profileNode(s.Name), new.profileNode(s.Name)) {
			names = append(names, s.Name)
		}
	}
	slices.Sort(names)
	return names
}

// profileNode returns the value of a profile attribute, or nil.
func (r *Resource) profileNode(name string) *node {
	if r == nil {
		return nil
	}
	s, ok := r.Type.profile[name]
	if !ok {
		return nil
	}
	return s.node(&r.root)
}

// sameValue compares by name and text: the resources may be of two schema versions.
func sameValue(a, b *node) bool {
	if a == nil || b == nil {
		return a == b
	}
	if a.text != b.text || len(a.kids) != len(b.kids) {
		return false
	}
	for i := range a.kids {
		if a.kids[i].text != b.kids[i].text {
			return false
		}
	}
	return true
}
