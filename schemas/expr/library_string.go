package expr

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// CEL functions have a fixed number of arguments: the variadic ones of the library
// have an overload for each number up to these.
const (
	maxJoin   = 10 // texts of String.join, arrays of Arrays.flatten
	maxSwitch = 10 // pairs of String.stringSwitch
)

// stringLibrary declares String.*. A null text is the empty one.
func stringLibrary() []cel.EnvOption {
	t, i := text, cel.IntType
	return []cel.EnvOption{
		fn("String.append", cel.StringType, func(a []string) ref.Val { return types.String(a[0] + a[1]) }, t, t),
		fn("String.len", i, func(a []string) ref.Val { return types.Int(utf8.RuneCountInString(a[0])) }, t),
		fn("String.removeSpaces", cel.StringType, func(a []string) ref.Val { return types.String(strings.ReplaceAll(a[0], " ", "")) }, t),
		fn("String.replace", cel.StringType, func(a []string) ref.Val { return replace(a, -1) }, t, t, t),
		fn("String.replaceFirst", cel.StringType, func(a []string) ref.Val { return replace(a, 1) }, t, t, t),
		fn("String.startsWith", cel.BoolType, func(a []string) ref.Val { return types.Bool(strings.HasPrefix(a[0], a[1])) }, t, t),
		fn("String.stringContains", cel.BoolType, func(a []string) ref.Val { return types.Bool(strings.Contains(a[0], a[1])) }, t, t),
		fn("String.substringAfter", cel.StringType, substringAfter, t, t),
		fn("String.substringBefore", cel.StringType, substringBefore, t, t),
		fn("String.toUpperCase", cel.StringType, func(a []string) ref.Val { return types.String(strings.ToUpper(a[0])) }, t),
		fn("String.toLowerCase", cel.StringType, func(a []string) ref.Val { return types.String(strings.ToLower(a[0])) }, t),
		cel.Function("String.substring",
			cel.Overload("String.substring_3", []*cel.Type{t, i, i}, cel.StringType),
			cel.SingletonFunctionBinding(substring)),
		variadic("String.join", cel.StringType, 2, 1+maxJoin, 1, func(a []string) ref.Val { return types.String(strings.Join(a[1:], a[0])) }),
		variadic("String.stringSwitch", cel.StringType, 4, 2+2*maxSwitch, 2, stringSwitch),
	}
}

// fn declares a function of texts.
func fn(name string, result *cel.Type, f func([]string) ref.Val, params ...*cel.Type) cel.EnvOption {
	return cel.Function(name, cel.Overload(fmt.Sprintf("%s_%d", name, len(params)), params, result), cel.SingletonFunctionBinding(onTexts(f)))
}

// variadic declares overloads of min to max texts in steps.
func variadic(name string, result *cel.Type, least, most, step int, f func([]string) ref.Val) cel.EnvOption {
	var opts []cel.FunctionOpt
	for n := least; n <= most; n += step {
		params := make([]*cel.Type, n)
		for i := range params {
			params[i] = text
		}
		opts = append(opts, cel.Overload(fmt.Sprintf("%s_%d", name, n), params, result))
	}
	return cel.Function(name, append(opts, cel.SingletonFunctionBinding(onTexts(f)))...)
}

// onTexts calls f with texts, empty for null.
func onTexts(f func([]string) ref.Val) func(...ref.Val) ref.Val {
	return func(args ...ref.Val) ref.Val {
		texts := make([]string, len(args))
		for i, a := range args {
			s, err := textOf(a)
			if err != nil {
				return err
			}
			texts[i] = s
		}
		return f(texts)
	}
}

func textOf(v ref.Val) (string, ref.Val) {
	switch v := v.(type) {
	case types.String:
		return string(v), nil
	case types.Null:
		return "", nil
	}
	return "", types.NewErr("the argument is of type %s, want string", v.Type().TypeName())
}

// maxText bounds what replace can blow a text up to, in bytes.
const maxText = 64 << 10

func replace(a []string, n int) ref.Val {
	count := strings.Count(a[0], a[1])
	if n > 0 {
		count = min(count, n)
	}
	if len(a[0])+count*len(a[2]) > maxText {
		return types.NewErr("the text is longer than %d bytes", maxText)
	}
	return types.String(strings.Replace(a[0], a[1], a[2], n))
}

func substringAfter(a []string) ref.Val {
	_, after, _ := strings.Cut(a[0], a[1])
	return types.String(after)
}

// substringBefore gives the whole text when the separator is not in it, as Okta does.
func substringBefore(a []string) ref.Val {
	before, _, _ := strings.Cut(a[0], a[1])
	return types.String(before)
}

// substring counts characters; the end is exclusive and both are cut to the text.
func substring(args ...ref.Val) ref.Val {
	s, bad := textOf(args[0])
	from, ok1 := args[1].(types.Int)
	to, ok2 := args[2].(types.Int)
	if bad != nil || !ok1 || !ok2 {
		return types.NewErr("String.substring wants a text and two numbers")
	}
	r := []rune(s)
	last := types.Int(len(r))
	from, to = max(0, min(from, last)), max(0, min(to, last))
	return types.String(string(r[from:max(from, to)]))
}

// stringSwitch gives the value of the first key that is part of the input.
func stringSwitch(a []string) ref.Val {
	for i := 2; i+1 < len(a); i += 2 {
		if strings.Contains(a[0], a[i]) {
			return types.String(a[i+1])
		}
	}
	return types.String(a[1])
}
