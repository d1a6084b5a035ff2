package schemas

// ParseFilterAmong is ParseFilter for a query over several resource types: an attribute
// that another of them has, and this one has not, or has of another type than it is
// compared with, is one without a value (RFC 7644, section 3.4.2.1).
func (t *Type) ParseFilterAmong(src string, d Dialect, types []*Type) (*Filter, error) {
	return t.parseFilter(src, filterParser{scanner: scanner{src: src}, t: t, d: d, among: types})
}

// reading reads what follows the name of an attribute.
type reading func(p *filterParser, name string) (Node, error)

// orAbsent reads by own, or, where that cannot be and another type of the query can read
// the same, by absent. An attribute that only others have is for them to complain of.
func (p *filterParser) orAbsent(name string, own, absent reading) (Node, error) {
	start := *p
	n, err := own(p, name)
	if err == nil || p.within != nil {
		return n, err
	}
	isOurs := p.t.findSpoken(name, p.d) != nil
	for _, t := range p.among {
		other := start
		other.t, other.among = t, nil
		_, theirs := own(&other, name)
		if theirs == nil {
			*p = start
			return absent(p, name)
		}
		if !isOurs && t.findSpoken(name, p.d) != nil {
			err = theirs
		}
	}
	return nil, err
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
func (p *filterParser) absentPath(string) (Node, error) {
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
