package schemas

import "strings"

// Projection says which attributes a response holds (RFC 7644, section 3.9). The nil
// Projection is that of a request that asks for nothing in particular.
type Projection struct {
	t *Type
	// whole: nothing that a document can hold is left out.
	whole    bool
	shows    []show // by attr.id
	elements *Elements
}

// show says how much of an attribute is returned.
type show uint8

const (
	showNothing show = iota
	showPart         // some of the sub-attributes
	showAll
)

// ParseProjection reads the parameters attributes and excludedAttributes, lists of
// attribute paths separated by commas. A name that no schema has is ignored; of a
// path with a value filter the whole attribute is returned, but for members: of them
// those are that Elements says.
func (t *Type) ParseProjection(attributes, excludedAttributes string) (*Projection, error) {
	if attributes == "" && excludedAttributes == "" {
		return t.everything, nil
	}
	if len(attributes)+len(excludedAttributes) > maxFilterLength {
		return nil, errorf(InvalidValue, "attributes", "longer than %d bytes", maxFilterLength)
	}
	wanted, elements, err := t.findAll(attributes)
	if err != nil {
		return nil, err
	}
	unwanted, _, err := t.findAll(excludedAttributes)
	if err != nil {
		return nil, err
	}
	p := t.project(wanted, unwanted)
	p.elements = elements
	return p, nil
}

// findAll resolves a list; nil when it is empty.
func (t *Type) findAll(list string) (found map[*attr]bool, elements *Elements, err error) {
	if strings.TrimSpace(list) == "" {
		return nil, nil, nil
	}
	found = map[*attr]bool{}
	for path := range splitOutside(list, ',') {
		name, rest, brackets := strings.Cut(strings.TrimSpace(path), "[")
		a := t.find(name)
		if a == nil {
			continue
		}
		if brackets && a.place == isMembers {
			end := strings.LastIndexByte(rest, ']')
			if end < 0 {
				return nil, nil, errorf(InvalidFilter, a.path, "the bracket is not closed")
			}
			if sub := a.sub(strings.TrimPrefix(rest[end+1:], ".")); sub != nil {
				a = sub
			}
			if elements, err = t.parseElements(t.root.byName["members"], rest[:end]); err != nil {
				return nil, nil, err
			}
		}
		found[a] = true
	}
	return found, elements, nil
}

// project computes how much of each attribute is shown, parents before their
// sub-attributes.
func (t *Type) project(wanted, unwanted map[*attr]bool) *Projection {
	p := &Projection{t: t, whole: true, shows: make([]show, len(t.attrs))}
	p.fill(t.root, wanted, unwanted, wanted == nil || wanted[t.root])
	p.whole = p.whole && !t.def.Residue
	return p
}

// fill sets what is shown of a's sub-attributes, when a is asked for as a whole or by
// them only; it returns how much that is.
func (p *Projection) fill(a *attr, wanted, unwanted map[*attr]bool, asked bool) show {
	some, all := false, true
	for _, s := range a.subs {
		sh := p.choose(s, wanted, unwanted, asked)
		p.shows[s.id] = sh
		some = some || sh != showNothing
		if sh != showAll && s.place != isPassword {
			all = false
			p.whole = p.whole && (s.place != inDocument || a.place != inDocument)
		}
	}
	switch {
	case all:
		return showAll
	case some:
		return showPart
	default:
		return showNothing
	}
}

// choose decides about one attribute (RFC 7643, section 7, returned; RFC 7644,
// section 3.9).
func (p *Projection) choose(s *attr, wanted, unwanted map[*attr]bool, asked bool) show {
	named := wanted[s]
	switch {
	case s.Returned == ReturnedNever, s.Mutability == WriteOnly:
		return showNothing
	case s.Returned == ReturnedAlways && (asked || s.parent.parent == nil):
		named, unwanted = true, nil
	case unwanted[s]:
		return showNothing
	case s.Returned == ReturnedRequest && !named && s.Type != Complex:
		return showNothing
	}
	whole := named || asked && s.Returned != ReturnedRequest
	if s.Type == Complex {
		return p.fill(s, wanted, unwanted, whole)
	}
	if whole {
		return showAll
	}
	return showNothing
}

// Includes says whether the top-level attribute called name can be part of the
// response, at least in part. Ask before loading groups or members.
func (p *Projection) Includes(name string) bool {
	if p == nil {
		return true
	}
	a := p.t.root.sub(name)
	return a != nil && p.shows[a.id] != showNothing
}

// IncludesSub is Includes for a sub-attribute of a top-level attribute.
func (p *Projection) IncludesSub(name, sub string) bool {
	a := p.t.root.sub(name)
	if a == nil {
		return false
	}
	s := a.sub(sub)
	return s != nil && p.shows[s.id] != showNothing
}

// Elements says which members are asked for; nil for all.
func (p *Projection) Elements() *Elements { return p.elements }

func (t *Type) projection(p *Projection) *Projection {
	if p == nil {
		return t.everything
	}
	return p
}
