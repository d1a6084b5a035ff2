package schemas

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// present makes attr pr. Of a complex attribute it means that one of its
// sub-attributes has a value.
func (p *filterParser) present(a *attr) (Node, error) {
	switch {
	case a.Type != Complex:
		return p.leaf(a, PR)
	case a.extends: // a resource lists the schemas whose attributes it has (RFC 7643, section 3)
		return p.compare(p.t.root.byName["schemas"], EQ, literal{kind: '"', text: a.Name})
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
	text, err := p.value(a, op, v)
	if err != nil {
		return nil, operatorError(a, op, err)
	}
	if text == "false" && a.isPrimary() && !p.inMemory {
		return p.notPrimary(a, op)
	}
	if text == "" && (op == EQ || op == NE || op == CO || op == SW || op == EW) {
		return p.compareEmpty(a, op)
	}
	c.resolve(a, text)
	return c, nil
}

// operatorError says of what is wrong with a value what it was compared with, and how.
func operatorError(a *attr, op Op, err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return err
	}
	return errorf(InvalidFilter, a.path, "operator %s: %s", op, e.Reason)
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

// notPrimary makes primary op false. An element that does not say whether it is primary is
// not (RFC 7643, section 2.4), and nothing of it stands in the index: so the opposite of
// true is asked for.
func (p *filterParser) notPrimary(a *attr, op Op) (Node, error) {
	if p.within != nil {
		return p.isPrimaryTerm(a, opposite[op])
	}
	p.within = a.parent
	c, err := p.isPrimaryTerm(a, NE)
	p.within = nil
	if err != nil {
		return nil, err
	}
	n := Node(&ValuePath{Attr: a.parent.ref, Node: c})
	if op == NE { // no element is: as ne means it of every attribute with several values
		n = &Not{Term: n}
	}
	return n, nil
}

var opposite = map[Op]Op{EQ: NE, NE: EQ}

func (p *filterParser) isPrimaryTerm(a *attr, op Op) (Node, error) {
	c, err := p.leaf(a, op)
	if err != nil {
		return nil, err
	}
	c.resolve(a, "true")
	return c, nil
}

// isPrimary says that a is the sub-attribute primary of a multi-valued one.
func (a *attr) isPrimary() bool { return a.parent != nil && a.parent.primary == a }

// allows says whether op can be evaluated on the type. Booleans and binaries have no
// order (RFC 7644, table 3); what is no text has no substrings.
func (a *attr) allows(op Op) bool {
	substring := op == CO || op == SW || op == EW
	ordered := op == GT || op == GE || op == LT || op == LE
	switch a.Type {
	case Boolean:
		return !substring && !ordered
	case Binary:
		return !ordered
	case Integer, Decimal, DateTime:
		return !substring
	default:
		return true
	}
}

// value returns the canonical text of a literal that a is compared with by op.
func (p *filterParser) value(a *attr, op Op, v literal) (string, error) {
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
			return a.number(v.text)
		}
	default:
		if v.kind == '"' || p.d.UnquotedFilterValues {
			return v.text, a.checkOperand(op, v.text)
		}
	}
	return "", errorf(InvalidFilter, a.path, "want %s, got %s", a.Type, v.typeName())
}

// checkOperand refuses a string that no value of a can be compared with. A part of a
// binary is any text of its alphabet.
func (a *attr) checkOperand(op Op, s string) error {
	switch {
	case a.Type == DateTime, a.Type == Binary && (op == EQ || op == NE):
		return a.check(s)
	case a.Type == Binary && strings.ContainsFunc(s, notBase64):
		return errorf(InvalidFilter, a.path, "want binary in base64")
	}
	return nil
}

func notBase64(r rune) bool {
	return !(r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune("+/-_=", r))
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
func (c *Compare) resolve(a *attr, text string) {
	switch c.Attr.Where {
	case InCreated, InModified, InStatusChanged, InActivated, InMembersChanged:
		t, _ := parseDateTime(text) // check has parsed it
		c.Micros = c.Op.micros(t)
	case InVersion:
		c.Micros = versionNumber(text)
	}
	c.text, c.Value = text, a.encode(text)
}

// micros rounds a time to what is stored, so that op holds of the same times.
func (op Op) micros(t time.Time) int64 {
	us := t.UnixMicro()
	switch {
	case t.Nanosecond()%1000 == 0:
		return us
	case op == EQ, op == NE:
		return NoMicros
	case op == GE, op == LT:
		return us + 1
	default:
		return us
	}
}

// versionNumber is the number in W/"number", as meta.version shows it.
func versionNumber(text string) int64 {
	n, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimPrefix(text, `W/"`), `"`), 10, 64)
	if err != nil || text != `W/"`+strconv.FormatInt(n, 10)+`"` {
		return NoMicros
	}
	return n
}
