// Package mapping evaluates the mappings between our profile and the profile of an
// app or an identity provider. Which mappings exist is kept by package directory;
// what is done with the result is left to provisioning and federation.
package mapping

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/schemas/expr"
)

// Problem is an attribute that could not be evaluated and was left unchanged.
type Problem struct {
	Attribute  string
	Expression string
	Reason     string
}

// String names the attribute and the reason.
func (p Problem) String() string { return p.Attribute + ": " + p.Reason }

// Compiled is a mapping ready to be applied. It is safe for concurrent use.
type Compiled struct {
	ID         string
	properties []property
}

type property struct {
	name    string
	push    bool
	program *expr.Program
}

// Compile compiles every property of m, whose expressions may name what env declares.
func Compile(m *directory.Mapping, env expr.Env) (*Compiled, error) {
	c := &Compiled{ID: m.ID}
	for _, name := range slices.Sorted(maps.Keys(m.Properties)) {
		p := m.Properties[name]
		prog, err := expr.Compile(p.Expression, env)
		if err != nil {
			return nil, fmt.Errorf("mapping %s: %s: %w", m.ID, name, err)
		}
		c.properties = append(c.properties, property{name: name, push: p.PushStatus != directory.DontPush, program: prog})
	}
	return c, nil
}

// Apply evaluates the mapping with the values of its variables. existing is what the
// target has now; create says that the target is being made, so that DONT_PUSH
// properties count. The result holds the properties that apply by their target
// names; nil means no value, and so does the empty text. A property that fails keeps
// what existing has and is reported as a Problem.
func (c *Compiled) Apply(ctx context.Context, vars, existing map[string]any, create bool) (map[string]any, []Problem) {
	out := make(map[string]any, len(c.properties))
	var problems []Problem
	for _, p := range c.properties {
		if !p.push && !create {
			continue
		}
		v, err := p.program.Eval(ctx, vars)
		if err != nil {
			problems = append(problems, Problem{Attribute: p.name, Expression: p.program.Source(), Reason: err.Error()})
			if old, ok := existing[p.name]; ok {
				out[p.name] = old
			}
			continue
		}
		out[p.name] = value(v)
	}
	return out, problems
}

// value makes the empty text and the empty list no value, and leaves both out of lists:
// neither an LDAP attribute nor a SCIM one can hold them.
func value(v any) any {
	switch v := v.(type) {
	case string:
		if v == "" {
			return nil
		}
	case []any:
		v = slices.DeleteFunc(v, func(e any) bool { return value(e) == nil })
		if len(v) == 0 {
			return nil
		}
		return v
	}
	return v
}

// Evaluate compiles m and applies it once.
func Evaluate(ctx context.Context, m *directory.Mapping, env expr.Env, vars, existing map[string]any, create bool) (map[string]any, []Problem, error) {
	c, err := Compile(m, env)
	if err != nil {
		return nil, nil, err
	}
	out, problems := c.Apply(ctx, vars, existing, create)
	return out, problems, nil
}
