package schemas

import (
	"strings"
	"unicode/utf8"
)

// parsePath reads the path of a PATCH operation (RFC 7644, figure 7): an attribute
// path, a value path, a value path with a sub-attribute, or the URN of a schema.
func (t *Type) parsePath(src string, d Dialect) (PatchOp, error) {
	op := PatchOp{Path: src}
	if len(src) > maxFilterLength || !utf8.ValidString(src) {
		return op, errorf(InvalidPath, clip(src), "longer than %d bytes, or not valid UTF-8", maxFilterLength)
	}
	p := filterParser{scanner: scanner{src: src}, t: t, d: d, inMemory: true}
	name := p.word()
	a := t.findSpoken(name, d)
	if a == nil {
		return op, errorf(InvalidPath, clip(src), "no schema of %s has it", t.Name)
	}
	op.attr = a
	if p.next() == '[' {
		return op, p.valueFilter(&op)
	}
	if p.next() != 0 || p.pos < len(src) {
		return op, errorf(InvalidPath, clip(src), "malformed at byte %d", p.pos)
	}
	if a.parent != nil && a.parent.MultiValued {
		op.attr, op.sub, op.each = a.parent, a, true
	}
	return op, nil
}

// valueFilter reads [filter] and what may follow it.
func (p *filterParser) valueFilter(op *PatchOp) error {
	if !op.attr.MultiValued {
		return errorf(InvalidPath, clip(p.src), "%s is single-valued and takes no value filter", op.attr.path)
	}
	p.within = op.attr
	n, err := p.nested('[', ']')
	if err != nil {
		return err
	}
	op.filter = n
	rest := p.src[p.pos:]
	if rest == "" {
		return nil
	}
	sub, ok := strings.CutPrefix(rest, ".")
	if ok {
		op.sub = op.attr.sub(sub)
	}
	if op.sub == nil {
		return errorf(InvalidPath, clip(p.src), "%q names no sub-attribute of %s", clip(rest), op.attr.path)
	}
	return nil
}
