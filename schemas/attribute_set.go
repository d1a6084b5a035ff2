package schemas

// AttributeSet is a list of attributes of a type, with all that is part of them. The nil
// set holds every attribute.
type AttributeSet struct {
	in   []bool // by attr.id: it is listed, or part of what is
	some []bool // by attr.id: only parts of it are listed
}

// Knows says that the type has the attribute, or the schema, at path.
func (t *Type) Knows(path string) bool { return t.find(path) != nil }

// Readable says that somebody can read the attribute at path: it is neither writeOnly nor
// never returned.
func (t *Type) Readable(path string) bool {
	a := t.find(path)
	return a != nil && a.Mutability != WriteOnly && a.Returned != ReturnedNever
}

// AttributeSet returns the set of the attributes at paths. A path that the type does not
// have is passed over: a list may be meant for several types. Nil paths make the nil set.
func (t *Type) AttributeSet(paths []string) *AttributeSet {
	if paths == nil {
		return nil
	}
	s := &AttributeSet{in: make([]bool, len(t.attrs)), some: make([]bool, len(t.attrs))}
	for _, path := range paths {
		if a := t.find(path); a != nil {
			s.add(a)
			for p := a.parent; p != nil; p = p.parent {
				s.some[p.id] = true
			}
		}
	}
	return s
}

func (s *AttributeSet) add(a *attr) {
	s.in[a.id] = true
	for _, sub := range a.subs {
		s.add(sub)
	}
}

// Without returns the set without the attribute at path, of the type t.
func (s *AttributeSet) Without(path string, t *Type) *AttributeSet {
	less := &AttributeSet{in: make([]bool, len(t.attrs)), some: make([]bool, len(t.attrs))}
	if s != nil {
		copy(less.in, s.in)
		copy(less.some, s.some)
	} else {
		less.add(t.root)
	}
	if a := t.find(path); a != nil {
		less.drop(a)
	}
	return less
}

func (s *AttributeSet) drop(a *attr) {
	s.in[a.id], s.some[a.id] = false, false
	for _, sub := range a.subs {
		s.drop(sub)
	}
}

// Has says that the attribute at path, of the type t, is in the set.
func (s *AttributeSet) Has(path string, t *Type) bool {
	a := t.find(path)
	return a != nil && s.has(a)
}

// HasRef says that the attribute that by refers to is in the set.
func (s *AttributeSet) HasRef(by *AttrRef) bool { return s.has(by.attr) }

func (s *AttributeSet) has(a *attr) bool { return s == nil || s.in[a.id] }

// touches says that some of a can be in the set: a complex value may be changed in part.
func (s *AttributeSet) touches(a *attr) bool {
	return s.has(a) || s.some[a.id] && a.Type == Complex && !a.MultiValued
}

// Restrict returns the projection without what is not in the set.
func (s *AttributeSet) Restrict(p *Projection) *Projection {
	if s == nil {
		return p
	}
	r := &Projection{t: p.t, shows: make([]show, len(p.shows)), elements: p.elements}
	for _, a := range p.t.attrs {
		switch sh := p.shows[a.id]; {
		case s.in[a.id]:
			r.shows[a.id] = sh
		case s.some[a.id]:
			r.shows[a.id] = min(sh, showPart)
		}
	}
	return r
}

// Hidden returns the path of the first attribute in a filter that is not in the set,
// empty for none.
func (s *AttributeSet) Hidden(f *Filter) string {
	if f == nil || f.Root == nil {
		return ""
	}
	return s.hidden(f.Root)
}

// HiddenIn returns the path of the first attribute by which a projection chooses elements
// and that is not in the set, empty for none.
func (s *AttributeSet) HiddenIn(p *Projection) string {
	if p.elements == nil {
		return ""
	}
	return s.Hidden(p.elements.Filter)
}

func (s *AttributeSet) hidden(n Node) string {
	var terms []Node
	switch n := n.(type) {
	case *And:
		terms = n.Terms
	case *Or:
		terms = n.Terms
	case *Not:
		terms = []Node{n.Term}
	case *ValuePath:
		terms = []Node{n.Node}
	case *Compare:
		if !s.has(n.Attr.attr) {
			return n.Attr.attr.path
		}
	}
	for _, t := range terms {
		if path := s.hidden(t); path != "" {
			return path
		}
	}
	return ""
}

// HiddenInOps returns the path of the first attribute by which ops choose what they change
// and that is not in the set, and the operation: whether they find something tells the
// value.
func (s *AttributeSet) HiddenInOps(ops []PatchOp) (path string, operation int) {
	for i := range ops {
		o := &ops[i]
		switch {
		case o.filter != nil:
			path = s.hidden(o.filter)
		case o.Op == "remove" && o.has && !s.has(o.attr):
			path = o.attr.path
		}
		if path != "" {
			return path, o.Index
		}
	}
	return "", 0
}

// Outside returns the path of the first attribute that r gives and that is not in the
// set, empty for none.
func (s *AttributeSet) Outside(r *Resource) string {
	if s == nil {
		return ""
	}
	if path := s.outside(&r.root); path != "" {
		return path
	}
	for _, a := range r.Type.root.subs {
		if r.gives(a.place) && !s.has(a) {
			return a.path
		}
	}
	return ""
}

// gives says that a resource has a value that is kept apart from its document.
func (r *Resource) gives(p place) bool {
	switch p {
	case isExternalID:
		return r.ExternalID != ""
	case isPassword:
		return r.Password != ""
	case isActive:
		return r.Active != nil
	case isMembers:
		return len(r.Members) > 0
	}
	return false
}

func (s *AttributeSet) outside(n *node) string {
	for i := range n.kids {
		k := &n.kids[i]
		switch {
		case s.has(k.attr):
		case !s.touches(k.attr) && !k.attr.extends: // of an extension, what it is about is named
			return k.attr.path
		default:
			if path := s.outside(k); path != "" {
				return path
			}
		}
	}
	return ""
}

// OutsideOps returns the path of the first attribute that ops change and that is not in
// the set, and the operation; empty for none. An operation on a part of an element then
// makes no new one, which would have other parts.
func (s *AttributeSet) OutsideOps(ops []PatchOp) (path string, operation int) {
	for i := range ops {
		o := &ops[i]
		a := o.target()
		o.partial = o.sub != nil && !s.has(o.attr)
		switch {
		case s.has(a), o.sub != nil && s.has(o.attr):
		case o.Op != "remove" && o.has && (s.touches(a) || a.extends): // it sets what the value names, and leaves the rest
			path = s.outside(&o.value)
		default:
			path = a.path
		}
		if path != "" {
			return path, o.Index
		}
	}
	return "", 0
}

// Keep is what a PUT of r makes of old for whoever may change only what is in the set:
// r with the rest of old. It also returns the path of the first attribute outside of the
// set for which r says otherwise than old; a password always does. Members are left to
// the caller.
func (s *AttributeSet) Keep(old, r *Resource) (next *Resource, outside string) {
	next = r.Clone()
	if s == nil {
		return next, ""
	}
	for i := range r.root.kids {
		if k := &r.root.kids[i]; outside == "" {
			outside = s.differs(k, old.root.kid(k.attr))
		}
	}
	next.root.retain(&old.root, func(a *attr, _ bool) bool { return !s.touches(a) })
	for _, a := range r.Type.root.subs {
		if s.has(a) {
			continue
		}
		wrong := false
		switch a.place {
		case isExternalID:
			wrong = r.ExternalID != "" && r.ExternalID != old.ExternalID
			next.ExternalID = old.ExternalID
		case isActive:
			wrong = r.Active != nil && (old.Active == nil || *r.Active != *old.Active)
			next.Active = old.Clone().Active
		case isPassword:
			wrong = r.Password != ""
			next.Password = ""
		}
		if wrong && outside == "" {
			outside = a.path
		}
	}
	return next, outside
}

// differs returns the path of what k says outside of the set and old does not.
func (s *AttributeSet) differs(k, old *node) string {
	switch {
	case s.has(k.attr), old != nil && k.equal(old):
		return ""
	case !s.touches(k.attr) && !k.attr.extends:
		return k.attr.path
	}
	for i := range k.kids {
		var was *node
		if old != nil {
			was = old.kid(k.kids[i].attr)
		}
		if path := s.differs(&k.kids[i], was); path != "" {
			return path
		}
	}
	return ""
}
