package expr

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// arrayLibrary declares Arrays.*. An array is a list, comma-separated text, or null
// for the empty one.
func arrayLibrary() []cel.EnvOption {
	d, list := cel.DynType, cel.ListType(cel.DynType)
	return []cel.EnvOption{
		array("Arrays.add", list, arrayAdd, d, d),
		array("Arrays.remove", list, arrayRemove, d, d),
		array("Arrays.clear", list, func([]ref.Val, ...ref.Val) ref.Val { return listOf(nil) }, d),
		array("Arrays.get", d, arrayGet, d, cel.IntType),
		array("Arrays.contains", cel.BoolType, arrayContains, d, d),
		array("Arrays.size", cel.IntType, func(l []ref.Val, _ ...ref.Val) ref.Val { return types.Int(len(l)) }, d),
		array("Arrays.isEmpty", cel.BoolType, func(l []ref.Val, _ ...ref.Val) ref.Val { return types.Bool(len(l) == 0) }, d),
		array("Arrays.toCsvString", cel.StringType, arrayCSV, d),
		flatten(),
	}
}

// array declares a function whose first argument is an array.
func array(name string, result *cel.Type, f func([]ref.Val, ...ref.Val) ref.Val, params ...*cel.Type) cel.EnvOption {
	return cel.Function(name,
		cel.Overload(fmt.Sprintf("%s_%d", name, len(params)), params, result),
		cel.SingletonFunctionBinding(func(args ...ref.Val) ref.Val {
			l, bad := elements(args[0])
			if bad != nil {
				return bad
			}
			return f(l, args[1:]...)
		}))
}

// elements reads an array in any of its forms.
func elements(v ref.Val) ([]ref.Val, ref.Val) {
	switch v := v.(type) {
	case types.Null:
		return nil, nil
	case types.String:
		return fromCSV(string(v)), nil
	case traits.Lister:
		var out []ref.Val
		for it := v.Iterator(); it.HasNext() == types.True; {
			if len(out) == maxResult {
				return nil, types.NewErr("the array has more than %d elements", maxResult)
			}
			out = append(out, it.Next())
		}
		return out, nil
	}
	return nil, types.NewErr("the argument is of type %s, want an array", v.Type().TypeName())
}

func fromCSV(s string) []ref.Val {
	if strings.TrimSpace(s) == "" {
		return nil
	}
	var out []ref.Val
	for part := range strings.SplitSeq(s, ",") {
		out = append(out, types.String(strings.TrimSpace(part)))
	}
	return out
}

func listOf(l []ref.Val) ref.Val { return types.NewRefValList(types.DefaultTypeAdapter, l) }

func arrayAdd(l []ref.Val, args ...ref.Val) ref.Val {
	return listOf(append(l[:len(l):len(l)], args[0]))
}

func arrayRemove(l []ref.Val, args ...ref.Val) ref.Val {
	var out []ref.Val
	for _, e := range l {
		if e.Equal(args[0]) != types.True {
			out = append(out, e)
		}
	}
	return listOf(out)
}

// arrayGet gives null outside the array.
func arrayGet(l []ref.Val, args ...ref.Val) ref.Val {
	i, ok := args[0].(types.Int)
	if !ok || i < 0 || int(i) >= len(l) {
		return types.NullValue
	}
	return l[i]
}

func arrayContains(l []ref.Val, args ...ref.Val) ref.Val {
	for _, e := range l {
		if e.Equal(args[0]) == types.True {
			return types.True
		}
	}
	return types.False
}

func arrayCSV(l []ref.Val, _ ...ref.Val) ref.Val {
	parts := make([]string, len(l))
	for i, e := range l {
		s, ok := e.ConvertToType(types.StringType).(types.String)
		if !ok {
			return types.NewErr("an element of type %s has no text", e.Type().TypeName())
		}
		parts[i] = string(s)
	}
	return types.String(strings.Join(parts, ","))
}

func flatten() cel.EnvOption {
	var opts []cel.FunctionOpt
	for n := 1; n <= maxJoin; n++ {
		params := make([]*cel.Type, n)
		for i := range params {
			params[i] = cel.DynType
		}
		opts = append(opts, cel.Overload(fmt.Sprintf("Arrays.flatten_%d", n), params, cel.ListType(cel.DynType)))
	}
	return cel.Function("Arrays.flatten", append(opts, cel.SingletonFunctionBinding(func(args ...ref.Val) ref.Val {
		var out []ref.Val
		for _, a := range args {
			l, bad := elements(a)
			if bad != nil {
				return bad
			}
			out = append(out, l...)
		}
		return listOf(out)
	}))...)
}

// convertLibrary declares Convert.*; null stays null.
func convertLibrary() []cel.EnvOption {
	return []cel.EnvOption{
		convert("Convert.toInt", cel.NullableType(cel.IntType), func(f float64) ref.Val {
			if r := math.Round(f); math.Abs(r) <= math.MaxInt32 {
				return types.Int(r)
			}
			return types.NewErr("%v is out of the range of an integer", f)
		}),
		convert("Convert.toNum", cel.NullableType(cel.DoubleType), func(f float64) ref.Val { return types.Double(f) }),
	}
}

func convert(name string, result *cel.Type, f func(float64) ref.Val) cel.EnvOption {
	return cel.Function(name, cel.Overload(name+"_1", []*cel.Type{cel.DynType}, result),
		cel.SingletonUnaryBinding(func(v ref.Val) ref.Val {
			switch v := v.(type) {
			case types.Null:
				return v
			case types.Int:
				return f(float64(v))
			case types.Double:
				return f(float64(v))
			case types.String:
				n, err := strconv.ParseFloat(strings.TrimSpace(string(v)), 64)
				if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
					return types.NewErr("%q is no number", string(v))
				}
				return f(n)
			}
			return types.NewErr("%s cannot be made a number", v.Type().TypeName())
		}))
}
