package expr

import (
	"context"
	"errors"
	"maps"
	"strings"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// maxResult bounds the elements of a list or map that an evaluation gives.
const maxResult = 10_000

var errResult = errors.New("the result has too many elements")

// Eval evaluates with the values of the variables: a map[string]any for an object
// (nil for a null one), strings, booleans, numbers, []any or []string. Attributes
// that are absent are null. The result is nil, a string, bool, int64, float64, []any
// or map[string]any. It fails with an *Error, also at the cost limit or when ctx ends.
func (p *Program) Eval(ctx context.Context, vars map[string]any) (any, error) {
	out, _, err := p.prog.ContextEval(ctx, p.activation(vars))
	if err != nil {
		return nil, &Error{Source: p.source, Reason: err.Error()}
	}
	v, err := native(out)
	if err != nil {
		return nil, &Error{Source: p.source, Reason: err.Error()}
	}
	return v, nil
}

// activation gives every attribute that the expression reads a value, null for those
// that are absent: CEL fails on a missing key. An absent object that is not declared
// Nullable has no attribute set.
func (p *Program) activation(vars map[string]any) map[string]any {
	out := maps.Clone(vars)
	if out == nil {
		out = map[string]any{}
	}
	for _, name := range p.inputs {
		if _, ok := out[name]; !ok && !strings.Contains(name, ".") {
			out[name] = nil
		}
	}
	for object, names := range p.reads {
		have, _ := out[object].(map[string]any)
		if have == nil && p.nullable[object] {
			out[object] = nil
			continue
		}
		out[object] = complete(have, names)
	}
	return out
}

func complete(have map[string]any, names []string) map[string]any {
	copied := false
	for _, n := range names {
		if _, ok := have[n]; ok {
			continue
		}
		if !copied {
			have, copied = maps.Clone(have), true
			if have == nil {
				have = map[string]any{}
			}
		}
		have[n] = nil
	}
	return have
}

// native turns a CEL value into plain Go.
func native(v ref.Val) (any, error) {
	switch v := v.(type) {
	case types.Null:
		return nil, nil
	case types.String:
		return string(v), nil
	case types.Bool:
		return bool(v), nil
	case types.Int:
		return int64(v), nil
	case types.Uint:
		return int64(v), nil
	case types.Double:
		return float64(v), nil
	case traits.Mapper:
		return nativeMap(v)
	case traits.Lister:
		return nativeList(v)
	}
	s := v.ConvertToType(types.StringType) // timestamps, durations, bytes
	if types.IsError(s) {
		return nil, errors.New("the result has the type " + typeName(v.Type().(*types.Type)) + ", which is no value of a profile")
	}
	return s.Value(), nil
}

func nativeList(l traits.Lister) (any, error) {
	out := []any{}
	for it := l.Iterator(); it.HasNext() == types.True; {
		if len(out) == maxResult {
			return nil, errResult
		}
		e, err := native(it.Next())
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

func nativeMap(m traits.Mapper) (any, error) {
	out := map[string]any{}
	for it := m.Iterator(); it.HasNext() == types.True; {
		if len(out) == maxResult {
			return nil, errResult
		}
		k := it.Next()
		e, err := native(m.Get(k))
		if err != nil {
			return nil, err
		}
		key, ok := k.(types.String)
		if !ok {
			return nil, errors.New("the result is a map whose keys are no strings")
		}
		out[string(key)] = e
	}
	return out, nil
}
