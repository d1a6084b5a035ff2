package schemas

import "strings"

// field reads the value of the attribute a; false means that it is unassigned.
func (p *parser) field(a *attr) (node, bool, error) {
	switch c := p.peek(); {
	case c == 'n':
		return node{attr: a, kids: unset}, p.patching, p.literal("null")
	case a.MultiValued:
		return p.elements(a)
	case c == '[' && p.d.LooseShapes:
		return p.unwrap(a)
	default:
		n, err := p.element(a)
		return n, err == nil && !(a.Type == Complex && len(n.kids) == 0), err
	}
}

// elements reads the array of a multi-valued attribute. A client may send a single
// element without the array.
func (p *parser) elements(a *attr) (node, bool, error) {
	start := len(p.stack)
	add := func() error {
		if p.peek() == 'n' {
			return p.literal("null")
		}
		n, err := p.element(a)
		if err != nil || a.Type == Complex && len(n.kids) == 0 {
			return err
		}
		p.stack = append(p.stack, n)
		return checkElements(a, len(p.stack)-start)
	}
	var err error
	switch {
	case p.peek() == '[':
		err = p.array(add)
	case p.patching || p.d.LooseShapes:
		err = add()
	default:
		err = p.mismatch(a, "array")
	}
	if err != nil {
		return node{}, false, err
	}
	n := node{attr: a, kids: p.take(start)}
	if n.kids == nil && p.patching {
		n.kids = unset
	}
	return n, n.kids != nil, checkPrimary(&n)
}

// maxElements bounds the elements of a document attribute. Members are rows, and as
// many as the body holds.
const maxElements = 1000

func checkElements(a *attr, n int) error {
	if n > maxElements && a.place != isMembers {
		return errorf(InvalidValue, a.path, "more than %d values", maxElements)
	}
	return nil
}

// unwrap reads [x] for x: an old client of Entra ID sends even name.givenName so.
func (p *parser) unwrap(a *attr) (node, bool, error) {
	n, count := node{attr: a, kids: unset}, 0
	err := p.array(func() error {
		var err error
		if count++; count > 1 {
			return errorf(InvalidValue, a.path, "it is single-valued; got more than one value")
		}
		n, err = p.element(a)
		return err
	})
	return n, p.patching || !n.isUnset(), err
}

// element reads one value: an element of a multi-valued attribute, or the value of a
// single-valued one.
func (p *parser) element(a *attr) (node, error) {
	c := p.peek()
	if a.Type == Complex {
		return p.complexElement(a, c)
	}
	if c == '{' && p.d.LooseShapes {
		return p.wrapped(a)
	}
	text, err := p.scalar(a, c)
	return node{attr: a, text: text}, err
}

func (p *parser) complexElement(a *attr, c byte) (node, error) {
	switch {
	case c == '{':
		return p.complex(a)
	case c == '"' && a.value != nil && (p.d.LooseShapes || a.place == isMembers):
		text, err := p.scalar(a.value, c)
		if err != nil {
			return node{}, err
		}
		start := len(p.stack)
		p.stack = append(p.stack, node{attr: a.value, text: text})
		return node{attr: a, kids: p.take(start)}, nil
	default:
		return node{}, p.mismatch(a, "object")
	}
}

// wrapped reads {"value": x} for x.
func (p *parser) wrapped(a *attr) (node, error) {
	n, found := node{attr: a}, false
	err := p.object(func(name string) error {
		if !strings.EqualFold(name, "value") || p.peek() == 'n' {
			return p.skip()
		}
		var err error
		n.text, err = p.scalar(a, p.peek())
		found = true
		return err
	})
	if err == nil && !found {
		err = errorf(InvalidValue, a.path, "want %s, got object", a.Type)
	}
	return n, err
}

func (p *parser) mismatch(a *attr, want string) error {
	return errorf(InvalidValue, a.path, "want %s, got %s", want, p.found())
}
