package schemas

import (
	"unicode/utf8"
)

// What a filter may cost: a longer one is no question a person asked.
const (
	maxFilterLength = 8 << 10 // bytes
	maxFilterDepth  = 32      // of parentheses, brackets and not
	maxFilterTerms  = 100     // comparisons
)

// filterParser is a parser by recursive descent of RFC 7644, figure 1.
type filterParser struct {
	scanner
	t *Type
	d Dialect
	// within is the multi-valued attribute whose element is spoken of, inside [].
	within *attr
	// inMemory allows attributes that no index has: a PATCH path is evaluated on the
	// resource itself.
	inMemory bool
	// search takes the names of the management API; see search.go.
	search bool
	// among are the types of the query, where there are several; absent says that the
	// attribute whose brackets are read is one of another type. See filter_absent.go.
	among  []*Type
	absent bool
	depth  int
	terms  int
}

// ParseFilter parses a filter and resolves it against the type (RFC 7644, section
// 3.4.2.2). An attribute that the type does not have, or a comparison that cannot be
// evaluated on its type, is an *Error of type invalidFilter.
func (t *Type) ParseFilter(src string, d Dialect) (*Filter, error) {
	return t.parseFilter(src, filterParser{scanner: scanner{src: src}, t: t, d: d})
}

func (t *Type) parseFilter(src string, p filterParser) (*Filter, error) {
	if len(src) > maxFilterLength {
		return nil, p.errorf("longer than %d bytes", maxFilterLength)
	}
	if !utf8.ValidString(src) {
		return nil, p.errorf("not valid UTF-8")
	}
	root, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.next() != 0 || p.pos < len(p.src) {
		return nil, p.errorf("want and, or, or the end; got %q", clip(p.src[p.pos:]))
	}
	return &Filter{Root: root, typ: t}, nil
}

func (p *filterParser) or() (Node, error) {
	first, err := p.and()
	if err != nil || !p.keyword("or") {
		return first, err
	}
	n := &Or{}
	n.add(first)
	for more := true; more; more = p.keyword("or") {
		term, err := p.and()
		if err != nil {
			return nil, err
		}
		n.add(term)
	}
	return n, nil
}

// add flattens: an Or inside of an Or is the same Or.
func (n *Or) add(t Node) {
	if o, ok := t.(*Or); ok {
		n.Terms = append(n.Terms, o.Terms...)
		return
	}
	n.Terms = append(n.Terms, t)
}

func (p *filterParser) and() (Node, error) {
	first, err := p.unary()
	if err != nil || !p.keyword("and") {
		return first, err
	}
	n := &And{}
	n.add(first)
	for more := true; more; more = p.keyword("and") {
		term, err := p.unary()
		if err != nil {
			return nil, err
		}
		n.add(term)
	}
	return n, nil
}

func (n *And) add(t Node) {
	if a, ok := t.(*And); ok {
		n.Terms = append(n.Terms, a.Terms...)
		return
	}
	n.Terms = append(n.Terms, t)
}

func (p *filterParser) unary() (Node, error) {
	if p.next() == '(' {
		return p.nested('(', ')')
	}
	from := p.pos
	word := p.word()
	if len(word) == 3 && lower(word) == "not" && p.next() == '(' {
		term, err := p.nested('(', ')')
		if err != nil {
			return nil, err
		}
		return &Not{Term: term}, nil
	}
	if word == "" {
		return nil, p.errorf("want an attribute, got %q", clip(p.src[from:]))
	}
	if rest := p.rest(); rest != "" {
		return nil, errorf(InvalidFilter, clip(word+rest), "no attribute has such a name")
	}
	switch {
	case p.search:
		return p.searchTerm(word)
	case p.next() == '[':
		return p.valuePath(word)
	}
	return p.comparison(word)
}

// nested reads a filter in parentheses or brackets.
func (p *filterParser) nested(open, shut byte) (Node, error) {
	if p.depth++; p.depth > maxFilterDepth {
		return nil, p.errorf("nested deeper than %d", maxFilterDepth)
	}
	if !p.accept(open) {
		return nil, p.errorf("want %q", string(open))
	}
	n, err := p.or()
	if err != nil {
		return nil, err
	}
	if !p.accept(shut) {
		return nil, p.errorf("want %q", string(shut))
	}
	p.depth--
	return n, nil
}

// valuePath reads attr[filter].
func (p *filterParser) valuePath(name string) (Node, error) {
	if p.absent {
		return nil, errorf(InvalidFilter, name, "it takes no value filter")
	}
	return p.orAbsent(name, (*filterParser).ownValuePath, (*filterParser).absentPath)
}

func (p *filterParser) ownValuePath(name string) (Node, error) {
	a, err := p.attribute(name)
	if err != nil {
		return nil, err
	}
	if p.within != nil || !a.MultiValued || !p.inMemory && a.ref == nil {
		return nil, errorf(InvalidFilter, a.path, "it takes no value filter")
	}
	p.within = a
	n, err := p.nested('[', ']')
	if err == nil {
		n, err = p.afterBracket(n)
	}
	p.within = nil
	if err != nil {
		return nil, err
	}
	return &ValuePath{Attr: a.ref, Node: n}, nil
}

// afterBracket reads what may follow a value filter: nothing by RFC 7644, figure 1, or
// where the dialect has it one more term on the same element.
func (p *filterParser) afterBracket(n Node) (Node, error) {
	if p.pos == len(p.src) || p.src[p.pos] != '.' {
		return n, nil
	}
	if !p.d.SubAfterValuePath {
		return nil, p.errorf("a sub-attribute after a value filter; put it inside the brackets")
	}
	p.pos++
	term, err := p.comparison(p.word())
	if err != nil {
		return nil, err
	}
	both := &And{}
	both.add(n)
	both.add(term)
	return both, nil
}

// attribute resolves a name, within the element that is spoken of.
func (p *filterParser) attribute(name string) (*attr, error) {
	if p.within == nil {
		if a := p.t.findSpoken(name, p.d); a != nil && a != p.t.root {
			return a, nil
		}
		return nil, errorf(InvalidFilter, name, "no schema of %s has it", p.t.Name)
	}
	if p.within.Type != Complex {
		if lower(name) == "value" {
			return p.within, nil
		}
	} else if a := p.within.sub(name); a != nil {
		return a, nil
	}
	return nil, errorf(InvalidFilter, p.within.path+"."+name, "no schema of %s has it", p.t.Name)
}

var operators = map[string]Op{
	"eq": EQ, "ne": NE, "co": CO, "sw": SW, "ew": EW,
	"gt": GT, "ge": GE, "lt": LT, "le": LE, "pr": PR,
}

// comparison reads the rest of attr op value.
func (p *filterParser) comparison(name string) (Node, error) {
	if p.absent {
		return p.compareAbsent(name)
	}
	return p.orAbsent(name, (*filterParser).ownComparison, (*filterParser).compareAbsent)
}

func (p *filterParser) ownComparison(name string) (Node, error) {
	a, err := p.attribute(name)
	if err != nil {
		return nil, err
	}
	return p.compareTo(a)
}

// compareTo reads op value.
func (p *filterParser) compareTo(a *attr) (Node, error) {
	word := p.word()
	op, ok := operators[lower(word)]
	if !ok {
		return nil, errorf(InvalidFilter, a.path, "unknown operator %q", clip(word))
	}
	if op == NE && p.search { // the contract has none
		return nil, errorf(InvalidFilter, a.path, "ne is no operator of a search: write not (... eq ...)")
	}
	if op == PR {
		return p.present(a)
	}
	value, err := p.literal(p.d.UnquotedFilterValues)
	if err != nil {
		return nil, operatorError(a, op, err)
	}
	return p.compare(a, op, value)
}
