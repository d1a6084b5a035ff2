package schemas

import (
	"errors"
	"strconv"
	"strings"
)

// present makes attr pr. Of a complex attribute it means that one of its
// sub-attributes has a value.
func (p *filterParser) present(a *attr) (Node, error) {
	if a.Type != Complex {
		return p.leaf(a, PR)
	}
	var terms []Node
	for _, s := range a.subs {
		if s.ref == nil && !p.inMemory {
			continue
		}
		n, err := p.present(s)
		if err != nil {
			return nil, err
		}
		terms = append(terms, n)
		if a.place == isMembers || a.place == isGroups {
			break // value is always there
		}
	}
	switch len(terms) {
	case 0:
		return nil, errorf(InvalidFilter, a.path, "it cannot be part of a filter")
	case 1:
		return terms[0], nil
	default:
		o := &Or{}
		for _, t := range terms {
			o.add(t)
		}
		return o, nil
	}
}

// leaf makes a comparison of a simple attribute, still without its value.
func (p *filterParser) leaf(a *attr, op Op) (*Compare, error) {
	if a.ref == nil && !p.inMemory {
		return nil, errorf(InvalidFilter, a.path, "it cannot be part of a filter")
	}
	if a.Unindexed && op != PR && !p.inMemory {
		return nil, errorf(InvalidFilter, a.path, "it has no index: only pr can be evaluated")
	}
	if p.terms++; p.terms > maxFilterTerms {
		return nil, p.errorf("more than %d comparisons", maxFilterTerms)
	}
	name := a.path
	if p.within != nil {
		name = a.Name
		if a == p.within {
			name = "value"
		}
	}
	ref := a.ref
	if ref == nil {
		ref = &AttrRef{attr: a}
	}
	return &Compare{Attr: ref, Op: op, name: name}, nil
}

// compare makes attr op value.
func (p *filterParser) compare(a *attr, op Op, v literal) (Node, error) {
	if v.kind == 'n' {
		return p.compareNull(a, op)
	}
	if a.Type == Complex {
		// RFC 7644, section 3.4.2.2, says nothing of a complex attribute without a
		// sub-attribute; clients mean its value.
		if a.value == nil {
			return nil, errorf(InvalidFilter, a.path, "it is complex: name a sub-attribute")
		}
		a = a.value
	}
	if !a.allows(op) {
		return nil, errorf(InvalidFilter, a.path, "%s cannot be evaluated on a %s", op, a.Type)
	}
	c, err := p.leaf(a, op)
	if err != nil {
		return nil, err
	}
	text, err := p.value(a, v)
	if err != nil {
		return nil, err
	}
	if text == "" && (op == EQ || op == NE || op == CO || op == SW || op == EW) {
		return p.compareEmpty(a, op)
	}
	return c, c.resolve(a, text)
}

// compareNull: null is unassigned (RFC 7643, section 2.5), so eq null is the
// opposite of pr.
func (p *filterParser) compareNull(a *attr, op Op) (Node, error) {
	if op != EQ && op != NE {
		return nil, errorf(InvalidFilter, a.path, "%s null has no meaning", op)
	}
	n, err := p.present(a)
	if op == NE || err != nil {
		return n, err
	}
	return &Not{Term: n}, nil
}

// compareEmpty: an empty string is as good as none (pr wants a value that is not
// empty), and every string contains it.
func (p *filterParser) compareEmpty(a *attr, op Op) (Node, error) {
	n, err := p.present(a)
	if op != EQ || err != nil {
		return n, err
	}
	return &Not{Term: n}, nil
}

// allows says whether op can be evaluated on the type (RFC 7644, table 3).
func (a *attr) allows(op Op) bool {
	substring := op == CO || op == SW || op == EW
	ordered := op == GT || op == GE || op == LT || op == LE
	if a.ref != nil {
		switch a.ref.Where {
		case InVersion, InResourceType:
			return !substring && !ordered
		}
	}
	switch a.Type {
	case Boolean, Binary:
		return !substring && !ordered
	case Integer, Decimal, DateTime:
		return !substring
	default:
		return true
	}
}

// value returns the canonical text of a literal that is compared with a.
func (p *filterParser) value(a *attr, v literal) (string, error) {
	switch a.Type {
	case Boolean:
		if v.kind == '"' && p.d.StringBooleans {
			if b, ok := stringBoolean(v.text); ok {
				return b, nil
			}
		}
		if v.kind == 't' || v.kind == 'f' {
			return v.text, nil
		}
	case Integer, Decimal:
		if v.kind == '0' {
			text, err := a.number(v.text)
			return text, asFilterError(err)
		}
	default:
		if v.kind == '"' && a.Type == DateTime {
			return v.text, asFilterError(a.check(v.text))
		}
		if v.kind == '"' || p.d.UnquotedFilterValues {
			return v.text, nil
		}
	}
	return "", errorf(InvalidFilter, a.path, "want %s, got %s", a.Type, v.typeName())
}

func asFilterError(err error) error {
	if e, ok := errors.AsType[*Error](err); ok {
		e.ScimType = InvalidFilter
		return e
	}
	return err
}

func (v literal) typeName() string {
	switch v.kind {
	case '"':
		return "string"
	case '0':
		return "number"
	default:
		return "boolean"
	}
}

// resolve sets the value as the place of the attribute holds it.
func (c *Compare) resolve(a *attr, text string) error {
	switch c.Attr.Where {
	case InCreated, InModified:
		t, err := parseDateTime(text)
		if err != nil {
			return errorf(InvalidFilter, a.path, "want dateTime")
		}
		c.Micros = t.UnixMicro()
	case InVersion:
		n, err := strconv.ParseInt(strings.Trim(strings.TrimPrefix(text, "W/"), `"`), 10, 64)
		if err != nil {
			n = -1 // no version of ours: it matches nothing
		}
		c.Micros = n
	}
	c.text, c.Value = text, a.encode(text)
	return nil
}
