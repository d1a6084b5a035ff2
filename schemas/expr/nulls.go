package expr

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
)

// facts are the paths that are known not to be null at a place of an expression.
type facts map[string]bool

func (f facts) with(more facts) facts {
	if len(more) == 0 {
		return f
	}
	out := maps.Clone(f)
	if out == nil {
		out = facts{}
	}
	maps.Copy(out, more)
	return out
}

// nullChecker follows where null may come to stand and refuses the first place that
// would fail on it.
type nullChecker struct {
	env Env
	src string
	rep *ast.AST
	err *Error
}

// checkNulls refuses an expression that can meet null unguarded.
func checkNulls(src string, e Env, rep *ast.AST) error {
	c := &nullChecker{env: e, src: src, rep: rep}
	if e.Result == Any || e.ResultNull {
		c.visit(rep.Expr(), nil)
	} else {
		c.demand(rep.Expr(), nil)
	}
	if c.err != nil {
		return c.err
	}
	return nil
}

// demand visits e at a place that fails on null.
func (c *nullChecker) demand(e ast.Expr, f facts) {
	if !c.visit(e, f) || c.err != nil {
		return
	}
	what := "this value"
	guard := "guard it with != null"
	if p := c.path(e); p != "" {
		what = p
		guard = fmt.Sprintf("guard it: %s != null ? … : …", p)
	}
	loc := c.rep.SourceInfo().GetStartLocation(e.ID())
	c.err = &Error{Source: c.src, Line: loc.Line(), Column: loc.Column() + 1, Reason: what + " may be null here; " + guard}
}

// visit checks everything within e and tells whether e itself may be null.
func (c *nullChecker) visit(e ast.Expr, f facts) bool {
	switch e.Kind() {
	case ast.LiteralKind:
		return e.AsLiteral().Type() == types.NullType
	case ast.IdentKind:
		return c.env.Objects[e.AsIdent()].Nullable && !f[e.AsIdent()]
	case ast.SelectKind:
		return c.selection(e, f)
	case ast.CallKind:
		return c.call(e, f)
	case ast.ListKind:
		for _, x := range e.AsList().Elements() {
			c.visit(x, f)
		}
	case ast.MapKind:
		for _, entry := range e.AsMap().Entries() {
			c.demand(entry.AsMapEntry().Key(), f)
			c.visit(entry.AsMapEntry().Value(), f)
		}
	case ast.ComprehensionKind:
		k := e.AsComprehension()
		c.demand(k.IterRange(), f)
		for _, x := range []ast.Expr{k.AccuInit(), k.LoopCondition(), k.LoopStep(), k.Result()} {
			c.visit(x, f)
		}
	}
	return false
}

func (c *nullChecker) selection(e ast.Expr, f facts) bool {
	s := e.AsSelect()
	c.demand(s.Operand(), f)
	if f[c.path(e)] {
		return false
	}
	object, ok := c.env.objectName(s.Operand())
	return !ok || !slices.Contains(c.env.Objects[object].NonNull, s.FieldName())
}

func (c *nullChecker) call(e ast.Expr, f facts) bool {
	call := e.AsCall()
	args := call.Args()
	switch call.FunctionName() {
	case operators.Conditional:
		c.demand(args[0], f)
		yes := c.visit(args[1], f.with(c.whenTrue(args[0])))
		no := c.visit(args[2], f.with(c.whenFalse(args[0])))
		return yes || no
	case operators.LogicalAnd:
		c.demand(args[0], f)
		c.demand(args[1], f.with(c.whenTrue(args[0])))
		return false
	case operators.LogicalOr:
		c.demand(args[0], f)
		c.demand(args[1], f.with(c.whenFalse(args[0])))
		return false
	case operators.Equals, operators.NotEquals:
		c.visit(args[0], f)
		c.visit(args[1], f)
		return false
	case operators.In:
		c.visit(args[0], f)
		c.demand(args[1], f)
		return false
	case operators.Add:
		c.add(args, f)
		return false
	case operators.NotStrictlyFalse, "dyn": // the first within a comprehension
		return c.visit(args[0], f)
	}
	return c.function(call, f)
}

// add lets null stand in a concatenation, where it is the empty text, and nowhere else.
func (c *nullChecker) add(args []ast.Expr, f facts) {
	concat := !slices.ContainsFunc(args, func(a ast.Expr) bool {
		switch typeName(c.rep.GetType(a.ID())) {
		case "string", "dyn", "null_type", "null":
			return false
		}
		return true
	})
	for _, a := range args {
		if concat {
			c.visit(a, f)
		} else {
			c.demand(a, f)
		}
	}
}

// function checks an ordinary call. The receivers of the text functions and size may
// be null, and so may the arguments of our library that are no numbers.
func (c *nullChecker) function(call ast.CallExpr, f facts) bool {
	name := call.FunctionName()
	args := call.Args()
	safe := slices.Contains(excluded, name)
	if call.IsMemberFunction() {
		if safe {
			c.visit(call.Target(), f)
		} else {
			c.demand(call.Target(), f)
		}
	}
	null := false
	for i, a := range args {
		if library(name) || safe && i == 0 && !call.IsMemberFunction() {
			null = c.visit(a, f) || null
		} else {
			c.demand(a, f)
		}
	}
	switch name {
	case "Convert.toInt", "Convert.toNum":
		return null
	case "Arrays.get":
		return true
	}
	return false
}

func library(name string) bool {
	return strings.HasPrefix(name, "String.") || strings.HasPrefix(name, "Arrays.") || strings.HasPrefix(name, "Convert.")
}

// path names an attribute or variable: "user.department"; "" for anything else.
func (c *nullChecker) path(e ast.Expr) string {
	switch e.Kind() {
	case ast.IdentKind:
		return e.AsIdent()
	case ast.SelectKind:
		if p := c.path(e.AsSelect().Operand()); p != "" {
			return p + "." + e.AsSelect().FieldName()
		}
	}
	return ""
}
