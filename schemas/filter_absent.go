package schemas

import "slices"

// ParseFilterAmong is ParseFilter for a query over several resource types: an attribute
// that another of them has, and this one has not, is one without a value (RFC 7644,
// section 3.4.2.1).
func (t *Type) ParseFilterAmong(src string, d Dialect, types []*Type) (*Filter, error) {
	return t.parseFilter(src, filterParser{scanner: scanner{src: src}, t: t, d: d, among: types})
}

// isElsewhere says that another type of the query has what is called name.
func (p *filterParser) isElsewhere(name string) bool {
	return p.within == nil && slices.ContainsFunc(p.among, func(t *Type) bool {
		a := t.findSpoken(name, p.d)
		return a != nil && a != t.root
	})
}

// compareAbsent reads op value, of an attribute without a value.
func (p *filterParser) compareAbsent(name string) (Node, error) {
	word := p.word()
	op, ok := operators[lower(word)]
	if !ok {
		return nil, errorf(InvalidFilter, name, "unknown operator %q", clip(word))
	}
	if op == PR {
		return p.constant(false)
	}
	value, err := p.literal(p.d.UnquotedFilterValues)
	if err != nil {
		return nil, errorf(InvalidFilter, name, "operator %s: %s", op, err)
	}
	isEmpty := value.kind == 'n' || value.kind == '"' && value.text == ""
	return p.constant(op == EQ && isEmpty || op == NE && !isEmpty)
}

// absentPath reads [filter], of an attribute without an element.
func (p *filterParser) absentPath() (Node, error) {
	p.absent = true
	n, err := p.nested('[', ']')
	if err == nil {
		_, err = p.afterBracket(n)
	}
	p.absent = false
	if err != nil {
		return nil, err
	}
	return p.constant(false)
}

// constant is a filter that holds of every resource, or of none.
func (p *filterParser) constant(holds bool) (Node, error) {
	n, err := p.leaf(p.t.root.byName["id"], PR)
	if err != nil || holds {
		return n, err
	}
	return &Not{Term: n}, nil
}
