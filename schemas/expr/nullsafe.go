package expr

import (
	"regexp"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// text is a string that may be null.
var text = cel.NullableType(cel.StringType)

// nullSafe declares the standard functions that are declared anew. CEL's own plus is
// a singleton that takes no further overloads, so it is excluded and made again.
func nullSafe() []cel.EnvOption {
	return []cel.EnvOption{
		plus(),
		cel.Function("size", sizeOverloads(sizeOf)...),
		receiver("contains", overloads.ContainsString, on(strings.Contains)),
		receiver("startsWith", overloads.StartsWithString, on(strings.HasPrefix)),
		receiver("endsWith", overloads.EndsWithString, on(strings.HasSuffix)),
		receiver("matches", overloads.MatchesString, matches),
	}
}

// plus adds and concatenates; null is the empty text.
func plus() cel.EnvOption {
	a := cel.TypeParamType("A")
	list := cel.ListType(a)
	same := func(id string, t *cel.Type) cel.FunctionOpt { return cel.Overload(id, []*cel.Type{t, t}, t) }
	return cel.Function("_+_",
		same(overloads.AddInt64, cel.IntType),
		same(overloads.AddUint64, cel.UintType),
		same(overloads.AddDouble, cel.DoubleType),
		same(overloads.AddString, cel.StringType),
		same(overloads.AddBytes, cel.BytesType),
		same(overloads.AddList, list),
		same(overloads.AddDurationDuration, cel.DurationType),
		cel.Overload(overloads.AddTimestampDuration, []*cel.Type{cel.TimestampType, cel.DurationType}, cel.TimestampType),
		cel.Overload(overloads.AddDurationTimestamp, []*cel.Type{cel.DurationType, cel.TimestampType}, cel.TimestampType),
		cel.Overload("add_string_null", []*cel.Type{cel.StringType, cel.NullType}, cel.StringType),
		cel.Overload("add_null_string", []*cel.Type{cel.NullType, cel.StringType}, cel.StringType),
		cel.SingletonBinaryBinding(add))
}

func add(x, y ref.Val) ref.Val {
	x, y = emptyText(x, y), emptyText(y, x)
	if a, ok := x.(traits.Adder); ok {
		return a.Add(y)
	}
	return types.MaybeNoSuchOverloadErr(x)
}

// emptyText makes a null beside a text, or beside another null, the empty text.
func emptyText(v, beside ref.Val) ref.Val {
	if v.Type() == types.NullType && (beside.Type() == types.StringType || beside.Type() == types.NullType) {
		return types.String("")
	}
	return v
}

func sizeOverloads(fn func(ref.Val) ref.Val) []cel.FunctionOpt {
	a, b := cel.TypeParamType("A"), cel.TypeParamType("B")
	var out []cel.FunctionOpt
	for id, t := range map[string]*cel.Type{"string": cel.StringType, "bytes": cel.BytesType, "list": cel.ListType(a), "map": cel.MapType(a, b), "null": cel.NullType} {
		out = append(out,
			cel.Overload("size_"+id, []*cel.Type{t}, cel.IntType),
			cel.MemberOverload(id+"_size", []*cel.Type{t}, cel.IntType))
	}
	return append(out, cel.SingletonUnaryBinding(fn))
}

func sizeOf(v ref.Val) ref.Val {
	if v.Type() == types.NullType {
		return types.IntZero
	}
	if s, ok := v.(traits.Sizer); ok {
		return s.Size()
	}
	return types.MaybeNoSuchOverloadErr(v)
}

// on lifts a test of two texts.
func on(test func(s, arg string) bool) func(s, arg types.String) ref.Val {
	return func(s, arg types.String) ref.Val { return types.Bool(test(string(s), string(arg))) }
}

// receiver declares a method of texts that is false on null.
func receiver(name, overload string, fn func(s, arg types.String) ref.Val) cel.EnvOption {
	return cel.Function(name,
		cel.MemberOverload(overload, []*cel.Type{text, cel.StringType}, cel.BoolType),
		cel.SingletonBinaryBinding(func(x, y ref.Val) ref.Val {
			if x.Type() == types.NullType {
				return types.False
			}
			s, ok1 := x.(types.String)
			arg, ok2 := y.(types.String)
			if !ok1 || !ok2 {
				return types.MaybeNoSuchOverloadErr(x)
			}
			return fn(s, arg)
		}))
}

// maxPattern bounds a regular expression: RE2 needs memory in proportion to it.
const maxPattern = 512

// matches is linear in the text (RE2), whatever the pattern.
func matches(s, pattern types.String) ref.Val {
	if len(pattern) > maxPattern {
		return types.NewErr("the pattern is longer than %d bytes", maxPattern)
	}
	re, err := regexp.Compile(string(pattern))
	if err != nil {
		return types.NewErr("%v", err)
	}
	return types.Bool(re.MatchString(string(s)))
}
