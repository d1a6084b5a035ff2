package expr

import (
	"maps"
	"slices"

	"cel.dev/cel-go/common/ast"
)

// collector gathers the attributes and values that an expression names.
type collector struct {
	env   Env
	seen  map[string]bool
	reads map[string][]string
}

func (c *collector) sorted() []string { return slices.Sorted(maps.Keys(c.seen)) }

func (c *collector) walk(e ast.Expr) {
	switch e.Kind() {
	case ast.IdentKind:
		c.ident(e.AsIdent())
	case ast.SelectKind:
		c.selection(e.AsSelect())
	case ast.CallKind:
		call := e.AsCall()
		if call.IsMemberFunction() {
			c.walk(call.Target())
		}
		c.all(call.Args())
	case ast.ListKind:
		c.all(e.AsList().Elements())
	case ast.MapKind:
		for _, entry := range e.AsMap().Entries() {
			c.walk(entry.AsMapEntry().Key())
			c.walk(entry.AsMapEntry().Value())
		}
	case ast.ComprehensionKind:
		k := e.AsComprehension()
		c.all([]ast.Expr{k.IterRange(), k.AccuInit(), k.LoopCondition(), k.LoopStep(), k.Result()})
	}
}

func (c *collector) all(es []ast.Expr) {
	for _, e := range es {
		c.walk(e)
	}
}

// ident notes a variable that is used as a whole; those of comprehensions are none of ours.
func (c *collector) ident(name string) {
	_, object := c.env.Objects[name]
	_, value := c.env.Values[name]
	if object || value {
		c.seen[name] = true
	}
}

func (c *collector) selection(s ast.SelectExpr) {
	object, ok := c.env.objectName(s.Operand())
	if !ok {
		c.walk(s.Operand())
		return
	}
	path := object + "." + s.FieldName()
	if !c.seen[path] {
		c.seen[path] = true
		c.reads[object] = append(c.reads[object], s.FieldName())
	}
}

// objectName tells whether e is the variable of an object.
func (e Env) objectName(x ast.Expr) (string, bool) {
	if x.Kind() != ast.IdentKind {
		return "", false
	}
	_, ok := e.Objects[x.AsIdent()]
	return x.AsIdent(), ok
}
