package expr

import (
	"slices"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
)

// whenTrue lists what is not null where condition e holds.
func (c *nullChecker) whenTrue(e ast.Expr) facts {
	if e.Kind() != ast.CallKind {
		return nil
	}
	call := e.AsCall()
	args := call.Args()
	switch call.FunctionName() {
	case operators.LogicalAnd:
		return c.whenTrue(args[0]).with(c.whenTrue(args[1]))
	case operators.LogicalNot:
		return c.whenFalse(args[0])
	case operators.NotEquals:
		return c.compared(args, isNull)
	case operators.Equals:
		return c.compared(args, isValue)
	case "startsWith", "endsWith", "contains", "matches": // false on null
		if call.IsMemberFunction() {
			return c.fact(call.Target())
		}
	}
	return nil
}

// whenFalse lists what is not null where condition e does not hold.
func (c *nullChecker) whenFalse(e ast.Expr) facts {
	if e.Kind() != ast.CallKind {
		return nil
	}
	call := e.AsCall()
	args := call.Args()
	switch call.FunctionName() {
	case operators.LogicalOr:
		return c.whenFalse(args[0]).with(c.whenFalse(args[1]))
	case operators.LogicalNot:
		return c.whenTrue(args[0])
	case operators.Equals:
		return c.compared(args, isNull)
	case "Arrays.isEmpty":
		return c.fact(args[0])
	}
	return nil
}

// compared gives the fact about one side when the other is a literal of the kind asked for.
func (c *nullChecker) compared(args []ast.Expr, kind func(ast.Expr) bool) facts {
	switch {
	case kind(args[1]):
		return c.fact(args[0])
	case kind(args[0]):
		return c.fact(args[1])
	}
	return nil
}

func (c *nullChecker) fact(e ast.Expr) facts {
	if p := c.path(e); p != "" {
		return facts{p: true}
	}
	return nil
}

func isNull(e ast.Expr) bool {
	return e.Kind() == ast.LiteralKind && e.AsLiteral().Type() == types.NullType
}

func isValue(e ast.Expr) bool {
	kinds := []ast.ExprKind{ast.LiteralKind, ast.ListKind, ast.MapKind}
	return slices.Contains(kinds, e.Kind()) && !isNull(e)
}
