package expr

import (
	"fmt"
	"strings"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/env"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
)

const (
	// costLimit bounds one evaluation. A mapping over all base attributes costs some
	// hundreds; a quadratic walk over a few hundred list elements reaches it.
	costLimit = 100_000
	// interruptEvery is how many steps of a comprehension run between two looks at the context.
	interruptEvery = 64
	// maxDepth bounds the nesting of an expression.
	maxDepth = 64
)

// Program is a compiled expression. It is safe for concurrent use.
type Program struct {
	source string
	inputs []string
	reads  map[string][]string // attributes read, by object
	prog   cel.Program

	nullable map[string]bool // objects that may be null as a whole
}

// Source is the text of the expression.
func (p *Program) Source() string { return p.source }

// Inputs lists what the expression reads, sorted: "user.department" for an
// attribute, "user" for an object used as a whole, "groups" for a value.
func (p *Program) Inputs() []string { return p.inputs }

// Compile checks src against e and returns a program, or an *Error.
func Compile(src string, e Env) (*Program, error) {
	if len(src) > MaxSource {
		return nil, &Error{Source: src[:MaxSource], Reason: fmt.Sprintf("the expression is longer than %d bytes", MaxSource)}
	}
	if strings.TrimSpace(src) == "" {
		return nil, &Error{Source: src, Reason: "the expression is empty"}
	}
	ce, err := celEnv(e)
	if err != nil {
		return nil, fmt.Errorf("expression environment: %w", err)
	}
	parsed, issues := ce.Parse(src)
	if issues.Err() != nil {
		return nil, refused(src, e, issues)
	}
	looseNulls(parsed.NativeRep())
	checked, issues := ce.Check(parsed)
	if issues.Err() != nil {
		return nil, refused(src, e, issues)
	}
	rep := checked.NativeRep()
	if err := checkResult(src, e.Result, checked.OutputType()); err != nil {
		return nil, err
	}
	if err := checkNulls(src, e, rep); err != nil {
		return nil, err
	}
	prog, err := ce.Program(checked, cel.CostLimit(costLimit), cel.InterruptCheckFrequency(interruptEvery))
	if err != nil {
		return nil, &Error{Source: src, Reason: err.Error()}
	}
	p := &Program{source: src, prog: prog}
	p.inputs, p.reads = inputs(e, rep)
	p.nullable = map[string]bool{}
	for name, o := range e.Objects {
		p.nullable[name] = o.Nullable
	}
	return p, nil
}

// excluded are the standard functions that are declared anew, null-safe.
var excluded = []string{"_+_", "size", "contains", "startsWith", "endsWith", "matches"}

// base is the environment without variables: made once, it costs a millisecond.
var base = sync.OnceValues(func() (*cel.Env, error) {
	subset := env.NewLibrarySubset().AddExcludedMacros("has")
	for _, name := range excluded {
		subset.AddExcludedFunctions(&env.Function{Name: name})
	}
	opts := []cel.EnvOption{
		cel.StdLib(cel.StdLibSubset(subset)),
		cel.ParserRecursionLimit(maxDepth),
		cel.ParserExpressionSizeLimit(MaxSource),
		cel.CrossTypeNumericComparisons(true),
	}
	for _, lib := range [][]cel.EnvOption{nullSafe(), stringLibrary(), arrayLibrary(), convertLibrary()} {
		opts = append(opts, lib...)
	}
	return cel.NewCustomEnv(opts...)
})

func celEnv(e Env) (*cel.Env, error) {
	b, err := base()
	if err != nil {
		return nil, err
	}
	reg, err := types.NewRegistry()
	if err != nil {
		return nil, err
	}
	opts := []cel.EnvOption{cel.CustomTypeProvider(&provider{Registry: reg, objects: e.Objects})}
	for name := range e.Objects {
		opts = append(opts, cel.Variable(name, cel.ObjectType(typePrefix+name)))
	}
	for name, t := range e.Values {
		opts = append(opts, cel.Variable(name, t.plain()))
	}
	return b.Extend(opts...)
}

// checkResult refuses an expression whose type cannot be the demanded one.
func checkResult(src string, want Type, got *cel.Type) error {
	if want == Any || got.Kind() == types.DynKind {
		return nil
	}
	if want == Number && Int.nullable().IsAssignableType(got) || want.nullable().IsAssignableType(got) || want.plain().IsAssignableType(got) {
		return nil
	}
	return &Error{Source: src, Reason: fmt.Sprintf("the expression gives %s, want %s", typeName(got), typeName(want.plain()))}
}

// typeName writes a type for people, without CEL's wrappers and our prefix.
func typeName(t *cel.Type) string {
	s := strings.ReplaceAll(t.String(), typePrefix, "")
	if inner, ok := strings.CutPrefix(s, "wrapper("); ok {
		return strings.TrimSuffix(inner, ")")
	}
	return s
}

// looseNulls lets null stand as one branch of a choice whose other branch is a text or
// a number: CEL's checker wants one type of both, and dyn is every type.
func looseNulls(rep *ast.AST) {
	factory := ast.NewExprFactory()
	next := ast.MaxID(rep)
	ast.PostOrderVisit(rep.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() != ast.CallKind || e.AsCall().FunctionName() != operators.Conditional {
			return
		}
		for _, branch := range e.AsCall().Args()[1:] {
			if isNull(branch) {
				null := factory.NewLiteral(next, types.NullValue)
				branch.SetKindCase(factory.NewCall(branch.ID(), "dyn", null))
				next++
			}
		}
	}))
}

// inputs collects what an expression reads.
func inputs(e Env, rep *ast.AST) ([]string, map[string][]string) {
	c := collector{env: e, seen: map[string]bool{}, reads: map[string][]string{}}
	c.walk(rep.Expr())
	return c.sorted(), c.reads
}
