package schemas

import (
	"errors"
	"strings"
)

// A search of the management API is a filter whose attributes have the names of that
// API: "status", "lastUpdated", "profile.department", in this case alone. Some are no
// attributes of SCIM at all.

// searched are the names that are not of the profile, by resource type.
var searched = map[string]map[string]*attr{
	"User": {
		"status": searchedColumn("status", String, InStatus), "activated": searchedColumn("activated", DateTime, InActivated),
		"statusChanged": searchedColumn("statusChanged", DateTime, InStatusChanged), "type.id": searchedColumn("type.id", String, InUserType),
	},
	"Group": {
		"type": searchedColumn("type", String, InStatus), "lastMembershipUpdated": searchedColumn("lastMembershipUpdated", DateTime, InMembersChanged),
	},
}

func searchedColumn(name string, typ DataType, w Where) *attr {
	a := &attr{Attribute: Attribute{Name: name, Type: typ, CaseExact: true}, path: name}
	a.ref = &AttrRef{Where: w, Path: name, Type: typ, attr: a}
	return a
}

// searchedPaths are names of what SCIM has under another name.
var searchedPaths = map[string]string{"id": "id", "created": "meta.created", "lastUpdated": "meta.lastModified"}

// ParseSearch parses a search of the management API. An error names attributes as the
// search does.
func (t *Type) ParseSearch(src string) (*Filter, error) {
	return t.parseFilter(src, filterParser{scanner: scanner{src: src}, t: t, d: Generic, search: true})
}

// SearchPath is the SCIM path of what a search calls name, to sort by; ok is false for
// what SCIM has not.
func (t *Type) SearchPath(name string) (path string, ok bool) {
	if path, ok := searchedPaths[name]; ok {
		return path, true
	}
	profile, ok := strings.CutPrefix(name, "profile.")
	if !ok || t.profile[profile] == nil {
		return "", false
	}
	return t.profile[profile].attr.path, true
}

// searchTerm reads the rest of name op value.
func (p *filterParser) searchTerm(name string) (Node, error) {
	n, err := p.searchNamed(name)
	if e, ok := errors.AsType[*Error](err); ok && e.Path != "" {
		e.Path = name
	}
	return n, err
}

func (p *filterParser) searchNamed(name string) (Node, error) {
	if a := searched[p.t.Name][name]; a != nil {
		return p.compareTo(a)
	}
	if path, ok := searchedPaths[name]; ok {
		return p.compareTo(p.t.find(path))
	}
	profile, ok := strings.CutPrefix(name, "profile.")
	if s := p.t.profile[profile]; ok && s != nil {
		return p.compareToSlot(s)
	}
	return nil, errorf(InvalidFilter, name, "a search of %s has no such name", p.t.Name)
}

// compareToSlot reads a comparison with an attribute of the flat profile.
func (p *filterParser) compareToSlot(s *slot) (Node, error) {
	if s.list == nil {
		return p.compareTo(s.attr)
	}
	p.within = s.list
	n, err := p.compareTo(s.attr)
	p.within = nil
	if err != nil {
		return nil, err
	}
	if not, ok := n.(*Not); ok { // eq null
		return &Not{Term: s.holds(not.Term)}, nil
	}
	return s.holds(n), nil
}

// holds says, as a filter, that a term holds of the element that the slot means: see
// element. Where that is the first of several, it says so of one of them.
func (s *slot) holds(term Node) Node {
	if !s.primary {
		return s.one(s.is("type", s.kind), term)
	}
	primary, work := s.is("primary", "true"), s.is("type", s.kind)
	return &Or{Terms: []Node{
		s.one(primary, term),
		&And{Terms: []Node{&Not{Term: s.one(primary)}, s.one(work, term)}},
		&And{Terms: []Node{&Not{Term: s.one(primary)}, &Not{Term: s.one(work)}, s.one(append(s.others(), term)...)}},
	}}
}

// one says that one element satisfies all terms.
func (s *slot) one(terms ...Node) Node {
	n := terms[0]
	if len(terms) > 1 {
		n = &And{Terms: terms}
	}
	return &ValuePath{Attr: s.list.ref, Node: n}
}

// is compares a sub-attribute of the element.
func (s *slot) is(sub, text string) Node {
	a := s.list.sub(sub)
	return &Compare{Attr: a.ref, Op: EQ, name: a.Name, text: text, Value: a.encode(text)}
}

// others says that the element is not one that never stands in for the primary one.
func (s *slot) others() (terms []Node) {
	for _, kind := range []string{"other", "mobile", "fax", "pager"} {
		if s.reserved(kind) {
			terms = append(terms, &Not{Term: s.is("type", kind)})
		}
	}
	return terms
}
