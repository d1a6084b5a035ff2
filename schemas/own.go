package schemas

import "strings"

// The permission SELF of a profile attribute says what people may do with it in their
// own resource: nothing (HIDE), see it, or change it. What is no part of the profile has
// no such permission, so it is neither shown nor changed.

// self is the permission; an attribute of the organisation's own may be seen unless it
// says otherwise.
func (s *slot) self() string {
	switch {
	case s.attr.secret || s.attr.Mutability == WriteOnly:
		return SelfHide
	case s.Self != "":
		return s.Self
	case s.attr.Self != "":
		return s.attr.Self
	}
	return SelfReadOnly
}

func (s *slot) changeable() bool {
	return s.self() == SelfReadWrite && s.attr.Mutability != ReadOnly
}

// OwnView returns what people see of r when it is their own.
func (r *Resource) OwnView() *Resource {
	view := &Resource{Type: r.Type, Active: r.Active, root: node{attr: r.Type.root}}
	for _, s := range r.Type.slots {
		if n := s.node(&r.root); n != nil && s.self() != SelfHide {
			c := n.clone()
			s.store(&view.root, &c)
		}
	}
	return view
}

// OwnReplacement is what a PUT of body by the person whose resource r is makes of r: what
// they may not change is to them as good as readOnly, and ignored (RFC 7644, section
// 3.5.1).
func (r *Resource) OwnReplacement(body *Resource) (*Resource, error) {
	if body.Password != "" {
		return nil, errorf(Mutability, "password", notOwn)
	}
	body, err := r.Type.Adopt(body)
	if err != nil {
		return nil, err
	}
	next, err := r.withOwn(body)
	if err != nil {
		return nil, err
	}
	return next, r.Type.CheckImmutable(r, next)
}

const notOwn = "people may not change it in their own resource"

// CheckOwn refuses a next resource in which more has changed than the person whose
// resource r is may change.
func (r *Resource) CheckOwn(next *Resource) error {
	allowed, err := r.withOwn(next)
	if err != nil {
		return err
	}
	if path := r.beyond(allowed, next); path != "" {
		return errorf(Mutability, path, notOwn)
	}
	return nil
}

// beyond is the path of an attribute that next has otherwise than allowed, which is r
// with all that may be changed of it; empty for none.
func (r *Resource) beyond(allowed, next *Resource) string {
	switch {
	case next.Password != "":
		return "password"
	case r.ExternalID != next.ExternalID:
		return "externalId"
	case r.Active != nil && (next.Active == nil || *r.Active != *next.Active):
		return "active"
	}
	for _, a := range r.Type.root.subs {
		was, is := allowed.root.kid(a), next.root.kid(a)
		if was == nil && is == nil || was != nil && is != nil && was.equal(is) {
			continue
		}
		for _, s := range r.Type.slots { // the most exact name there is
			if !s.changeable() && strings.HasPrefix(s.attr.path, a.path) && !sameValue(s.node(&r.root), s.node(&next.root)) {
				return s.attr.path
			}
		}
		return a.path
	}
	return ""
}

// withOwn is r with what a person may change of it as other has it.
func (r *Resource) withOwn(other *Resource) (*Resource, error) {
	changes := map[string]any{}
	for _, s := range r.Type.slots {
		if !s.changeable() {
			continue
		}
		changes[s.Name] = nil
		if n := s.node(&other.root); n != nil {
			changes[s.Name] = n.value()
		}
	}
	next := r.Clone()
	next.Password = ""
	if err := next.SetProfile(changes); err != nil {
		return nil, err
	}
	return next, checkRequired(&next.root, Mutability)
}
