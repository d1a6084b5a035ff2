package schemas

import (
	"strings"
	"sync"
)

// parser turns JSON into nodes, walking the compiled table.
type parser struct {
	reader
	t *Type
	d Dialect

	stack []node // members and elements of what is being read
	high  int    // how much of stack was ever used
	slab  []node // where finished kids go
	// patching keeps nulls, as unset, and refuses attributes that no schema has.
	patching bool
	named    []string // the schemas list of the body
	listed   bool
}

// pool holds the scratch space of parsers.
var pool = sync.Pool{New: func() any { return &parser{stack: make([]node, 0, 64)} }}

func newParser(t *Type, src string, d Dialect) *parser {
	p := pool.Get().(*parser)
	p.t, p.d, p.src = t, d, src
	return p
}

// free gives the scratch space back. Nothing of it is part of a result.
func (p *parser) free() {
	stack, keys := p.stack, p.keys[:cap(p.keys)]
	if cap(stack) > 4096 || len(keys) > 4096 {
		return
	}
	clear(stack[:max(p.high, len(stack))])
	clear(keys)
	*p = parser{stack: stack[:0]}
	p.keys = keys[:0]
	pool.Put(p)
}

// Parse reads the body of a POST or PUT: it validates every value, drops what is
// readOnly, and splits off what is not part of the document. All errors are *Error.
func (t *Type) Parse(body []byte, d Dialect) (*Resource, error) {
	p := newParser(t, string(body), d)
	defer p.free()
	if err := p.start(); err != nil {
		return nil, err
	}
	root, err := p.resource()
	if err != nil {
		return nil, err
	}
	if err := p.checkSchemas(&root); err != nil {
		return nil, err
	}
	if err := checkRequired(&root, InvalidValue); err != nil {
		return nil, err
	}
	return t.resource(root)
}

// Decode reads a document that Doc made. It skips the checks that Parse has done;
// an attribute that the schema no longer has is left out.
func (t *Type) Decode(doc []byte) (*Resource, error) {
	p := newParser(t, string(doc), Dialect{Leniency: Leniency{UnknownAttributes: true}})
	defer p.free()
	p.trusted = true
	root, err := p.resource()
	if err != nil {
		return nil, err
	}
	return &Resource{Type: t, root: root}, nil
}

// resource reads the whole body.
func (p *parser) resource() (node, error) {
	if c := p.peek(); c != '{' {
		return node{}, errorf(InvalidSyntax, "", "the body is no JSON object but %s", p.found())
	}
	root, err := p.complex(p.t.root)
	if err != nil {
		return node{}, err
	}
	return root, p.end()
}

// complex reads an object as the sub-attributes of a.
func (p *parser) complex(a *attr) (node, error) {
	start := len(p.stack)
	err := p.object(func(name string) error { return p.member(a, name) })
	if err != nil {
		return node{}, err
	}
	kids := p.take(start)
	if err := order(a, kids); err != nil {
		return node{}, err
	}
	return node{attr: a, kids: kids}, nil
}

// member reads one member of an object that holds the attributes of parent.
func (p *parser) member(parent *attr, name string) error {
	a := parent.sub(name)
	if a == nil && parent == p.t.root && p.d.FormerURNs {
		if now := p.t.urnOfToday(name); now != "" {
			name, a = now, parent.sub(now)
		}
	}
	if a == nil {
		return p.unknown(parent, name)
	}
	switch {
	case p.trusted && a.place != inDocument:
		return p.skip()
	case p.trusted:
	case a.place == isSchemas:
		return p.schemas()
	case a.Mutability == ReadOnly && parent.place == isMembers:
		// The name of a member comes along with many additions, and is not kept.
	case a.Mutability == ReadOnly && !p.patching:
		return p.skip()
	case a.Mutability == ReadOnly:
		return errorf(Mutability, a.path, "it is readOnly")
	}
	n, ok, err := p.field(a)
	if err != nil || !ok {
		return err
	}
	p.stack = append(p.stack, n)
	return nil
}

// unknown passes over what no schema has, except the core attributes nested under
// the URN of their schema.
func (p *parser) unknown(parent *attr, name string) error {
	if parent == p.t.root && p.d.CoreUnderURN && strings.EqualFold(name, p.t.def.Core.ID) && p.peek() == '{' {
		return p.object(func(name string) error { return p.member(parent, name) })
	}
	if !p.d.UnknownAttributes {
		return errorf(InvalidSyntax, joinPath(parent, name), "no schema of %s has it", p.t.Name)
	}
	return p.skip()
}

func joinPath(parent *attr, name string) string {
	switch {
	case parent.path == "":
		return name
	case parent.extends:
		return parent.path + ":" + name
	default:
		return parent.path + "." + name
	}
}

// take moves the nodes from start on from the stack to the slab.
func (p *parser) take(start int) []node {
	n := len(p.stack) - start
	if n == 0 {
		return nil
	}
	p.high = max(p.high, len(p.stack))
	if cap(p.slab)-len(p.slab) < n {
		p.slab = make([]node, 0, max(n, 64, min(2*cap(p.slab), 1024)))
	}
	at := len(p.slab)
	p.slab = append(p.slab, p.stack[start:]...)
	p.stack = p.stack[:start]
	return p.slab[at:len(p.slab):len(p.slab)]
}

// order brings the members of an object into canonical order. Two of one attribute
// can only come from a core attribute that also stood under its URN.
func order(a *attr, kids []node) error {
	for i := 1; i < len(kids); i++ {
		for j := i; j > 0 && kids[j-1].attr.ord >= kids[j].attr.ord; j-- {
			if kids[j-1].attr == kids[j].attr {
				return errorf(InvalidSyntax, kids[j].attr.path, "given twice")
			}
			kids[j-1], kids[j] = kids[j], kids[j-1]
		}
	}
	return nil
}
