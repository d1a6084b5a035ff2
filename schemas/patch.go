package schemas

import (
	"errors"
	"slices"
	"strings"

	"github.com/provost-id/provost/schemas/scim"
)

// maxOperations is what a PATCH request may hold. One operation may carry any number
// of values that the size of the body allows.
const maxOperations = 1000

// PatchOp is one operation of a PATCH request, resolved and with its value parsed. An
// operation without a path has become one for each attribute of its value.
type PatchOp struct {
	Op    string // "add", "replace" or "remove"
	Path  string // as the client wrote it
	Index int    // which operation of the request, from 1

	attr   *attr // the attribute; multi-valued if filter or each is set
	filter Node  // of a value path: which elements
	each   bool  // all elements: emails.value without a filter
	sub    *attr // the sub-attribute of those elements, or nil for the element
	value  node  // what to add or set; of a remove, which values
	has    bool  // a value that is not null
	// partial says that the path means elements that are there: none is made.
	partial bool
}

// SetPassword says whether ops give the resource a password.
func SetPassword(ops []PatchOp) bool {
	return slices.ContainsFunc(ops, func(o PatchOp) bool { return o.attr.place == isPassword && o.Op != "remove" })
}

// target is the attribute that the value belongs to.
func (o *PatchOp) target() *attr {
	if o.sub != nil {
		return o.sub
	}
	return o.attr
}

// ParsePatch reads the body of a PATCH (RFC 7644, section 3.5.2), checks paths,
// mutability and values, and resolves operations without a path.
func (t *Type) ParsePatch(body []byte, d Dialect) ([]PatchOp, error) {
	p := newParser(t, string(body), d)
	defer p.free()
	p.patching = true
	if err := p.start(); err != nil {
		return nil, err
	}
	q := patchParser{parser: p}
	if err := q.request(); err != nil {
		return nil, err
	}
	return q.ops, nil
}

// patchParser reads the message around the values.
type patchParser struct {
	*parser
	ops   []PatchOp
	count int
	named bool // schemas has the URN of the message
}

func (q *patchParser) request() error {
	if c := q.peek(); c != '{' {
		return errorf(InvalidSyntax, "", "the body is no JSON object but %s", q.found())
	}
	operations := false
	err := q.object(func(name string) error {
		switch lower(name) {
		case "schemas":
			return q.message()
		case "operations":
			operations = true
			return q.array(q.operation)
		default:
			return q.skip()
		}
	})
	if err != nil {
		return err
	}
	if !operations || q.count == 0 {
		return errorf(InvalidSyntax, "Operations", "want at least one")
	}
	if !q.named && !q.d.OptionalSchemas {
		return errorf(InvalidSyntax, "schemas", "want %q", scim.MessagePatch)
	}
	return q.end()
}

func (q *patchParser) message() error {
	return q.array(func() error {
		s, err := q.str()
		q.named = q.named || strings.EqualFold(s, scim.MessagePatch)
		return err
	})
}

// rawOp is an operation whose value is not parsed yet.
type rawOp struct {
	op, path string
	hasPath  bool
	value    int // position in the source; -1 for none
}

// operation reads one operation twice: what it says, and then, knowing the path, its
// value.
func (q *patchParser) operation() error {
	if q.count++; q.count > maxOperations {
		return errorf(InvalidSyntax, "Operations", "more than %d", maxOperations)
	}
	raw := rawOp{value: -1}
	if q.peek() != '{' {
		return q.inOperation(errorf(InvalidSyntax, "", "want object, got %s", q.found()))
	}
	if err := q.object(func(name string) error { return q.rawMember(&raw, name) }); err != nil {
		return q.inOperation(err)
	}
	raw.op = lower(raw.op)
	if raw.op != "add" && raw.op != "replace" && raw.op != "remove" {
		return q.inOperation(errorf(InvalidSyntax, "", "op is %q; want add, replace or remove", clip(raw.op)))
	}
	end := q.pos
	err := q.resolve(raw)
	q.pos = end
	return q.inOperation(err)
}

func (q *patchParser) rawMember(raw *rawOp, name string) error {
	var err error
	switch lower(name) {
	case "op":
		raw.op, err = q.text("op")
	case "path":
		if q.peek() == 'n' {
			return q.literal("null")
		}
		raw.hasPath = true
		raw.path, err = q.text("path")
	case "value":
		q.peek()
		raw.value = q.pos
		err = q.skip()
	default:
		err = q.skip()
	}
	return err
}

func (q *patchParser) text(name string) (string, error) {
	if q.peek() != '"' {
		return "", errorf(InvalidSyntax, "", "%s: want string, got %s", name, q.found())
	}
	return q.str()
}

// inOperation says in an error which operation it is about.
func (q *patchParser) inOperation(err error) error {
	if e, ok := errors.AsType[*Error](err); ok {
		e.Operation = q.count
		return e
	}
	return err
}

// resolve turns what an operation says into operations on attributes.
func (q *patchParser) resolve(raw rawOp) error {
	if !raw.hasPath || raw.path == "" {
		if raw.op == "remove" {
			// RFC 7644, section 3.5.2.2.
			return errorf(NoTarget, "", "remove wants a path")
		}
		return q.pathless(raw)
	}
	op, err := q.t.parsePath(raw.path, q.d)
	if err != nil {
		return err
	}
	if op.attr == q.t.root {
		if raw.op == "remove" {
			return errorf(InvalidPath, clip(raw.path), "it is the whole resource")
		}
		return q.pathless(raw)
	}
	op.Op, op.Index = raw.op, q.count
	if err := op.checkMutable(); err != nil {
		return err
	}
	return q.valued(op, raw.value)
}

// pathless reads the value as an object of attributes, each a path of its own: names,
// dotted names, names under a URN, or a URN with an object (RFC 7644, section
// 3.5.2.1; Entra ID sends all of them).
func (q *patchParser) pathless(raw rawOp) error {
	if raw.value < 0 {
		return errorf(InvalidValue, "", "%s without a path wants a value", raw.op)
	}
	q.pos = raw.value
	if q.peek() == '[' && q.d.LooseShapes {
		return q.wrappedMembers(raw.op)
	}
	return q.members(raw.op)
}

// wrappedMembers reads [{...}] for {...}: the client of SCIM-SDK puts every value of a
// PATCH into an array.
func (q *patchParser) wrappedMembers(op string) error {
	count := 0
	err := q.array(func() error {
		if count++; count > 1 {
			return errorf(InvalidValue, "", "%s without a path wants one object, got several", op)
		}
		return q.members(op)
	})
	if err == nil && count == 0 {
		return errorf(InvalidValue, "", "%s without a path wants an object, got an empty array", op)
	}
	return err
}

func (q *patchParser) members(op string) error {
	if q.peek() != '{' {
		return errorf(InvalidValue, "", "%s without a path wants an object, got %s", op, q.found())
	}
	return q.object(func(name string) error { return q.pathlessMember(op, name) })
}

func (q *patchParser) pathlessMember(op, name string) error {
	o, err := q.t.parsePath(name, q.d)
	if err != nil {
		return err
	}
	o.Op, o.Index = op, q.count
	if o.attr == q.t.root {
		if !q.d.CoreUnderURN || q.peek() != '{' {
			return errorf(InvalidPath, name, "it is a schema and no attribute")
		}
		return q.object(func(name string) error { return q.pathlessMember(op, name) })
	}
	switch o.attr.place {
	case isID, isMeta, isSchemas:
		if q.d.ReadOnlyInValue {
			return q.skip() // Okta repeats the id
		}
	}
	if err := o.checkMutable(); err != nil {
		return err
	}
	return q.valued(o, q.pos)
}

// valued reads the value of an operation, at a position of the source, and keeps the
// operation.
func (q *patchParser) valued(op PatchOp, at int) error {
	switch {
	case at < 0 && op.Op != "remove":
		return errorf(InvalidValue, op.Path, "%s wants a value", op.Op)
	case at < 0 || op.Op == "remove" && (op.filter != nil || op.each || !op.attr.MultiValued):
		q.ops = append(q.ops, op)
		return nil
	}
	q.pos = at
	first := q.peek()
	null := first == 'n'
	n, err := q.target(&op)
	if err != nil {
		return err
	}
	if a := op.target(); first == '{' && n.isUnset() && a.Type == Complex && !a.MultiValued {
		return nil // no sub-attribute is named, and the others stay
	}
	op.value, op.has = n, !null
	if null && op.Op == "add" {
		return nil // nothing is added
	}
	q.ops = append(q.ops, op)
	return nil
}

// target reads a value of what the operation is about: an element of a multi-valued
// attribute if there is a filter, else the attribute as a whole.
func (q *patchParser) target(op *PatchOp) (node, error) {
	a := op.target()
	if op.filter != nil && op.sub == nil && q.peek() != 'n' {
		n, _, err := q.elements(a)
		if err == nil && len(n.kids) != 1 {
			err = errorf(InvalidValue, a.path, "a value filter wants one value, got %d", len(n.kids))
		}
		if err != nil {
			return node{}, err
		}
		return n.kids[0], nil
	}
	n, ok, err := q.field(a)
	if err == nil && !ok {
		n = node{attr: a, kids: unset}
	}
	return n, err
}

// checkMutable refuses what a client may not change (RFC 7644, section 3.5.2).
func (o *PatchOp) checkMutable() error {
	for a := o.target(); a != nil; a = a.parent {
		if a.Mutability == ReadOnly {
			return errorf(Mutability, o.target().path, "it is readOnly")
		}
	}
	return nil
}
