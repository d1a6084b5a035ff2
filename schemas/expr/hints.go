package expr

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
)

// hints name the CEL spelling of constructs of Okta's language that CEL does not
// know. They are looked for only in an expression that was refused.
var hints = []struct {
	pattern *regexp.Regexp
	say     string
}{
	{regexp.MustCompile(`(?i)\bAND\b`), "write && for AND"},
	{regexp.MustCompile(`(?i)\bOR\b`), "write || for OR"},
	{regexp.MustCompile(`(?i)\bNOT\b`), "write !(…) for NOT"},
	{regexp.MustCompile(`\?\s*:`), `write a != null && a != "" ? a : b for a ?: b`},
	{regexp.MustCompile(`\.!\[`), "write list.map(g, g.name) for list.![name]"},
	{regexp.MustCompile(`\bNULL\b`), "write null for NULL"},
	{regexp.MustCompile(`\bfn:`), "write String.toLowerCase(x) for fn:toLowerCase(x)"},
	{regexp.MustCompile(`\S\s+matches\s`), `write x.matches("…") for x matches "…"`},
	{regexp.MustCompile(`\bhas\(`), "write x != null for has(x)"},
	{regexp.MustCompile(`\$\{`), "write user.login for ${source.login}"},
	{regexp.MustCompile(`\{[^:}]+\}`), "write [1, 2] for the list {1, 2}"},
}

// texts matches string literals, which hints do not look into.
var texts = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'`)

// undeclared finds the name in the checker's message.
var undeclared = regexp.MustCompile(`undeclared reference to '([^']+)'`)

// refused turns the first issue into an Error with the CEL spelling beside it.
func refused(src string, e Env, issues *cel.Issues) *Error {
	first := issues.Errors()[0]
	out := &Error{Source: src, Line: first.Location.Line(), Column: first.Location.Column() + 1, Reason: tidy(first.Message)}
	if h := hint(src, e, first.Message); h != "" {
		out.Reason += "; " + h
	}
	return out
}

func tidy(message string) string {
	message = strings.ReplaceAll(message, typePrefix, "")
	message = strings.ReplaceAll(message, " (in container '')", "")
	if i := strings.Index(message, ": "); i > 0 && strings.HasPrefix(message, "Syntax error") {
		return "syntax error" + message[i:]
	}
	return message
}

func hint(src string, e Env, message string) string {
	bare := texts.ReplaceAllString(src, `""`)
	for _, h := range hints {
		if h.pattern.MatchString(bare) {
			return h.say
		}
	}
	if m := undeclared.FindStringSubmatch(message); m != nil {
		for _, object := range slices.Sorted(maps.Keys(e.Objects)) {
			if _, ok := e.Objects[object].Attributes[m[1]]; ok {
				return "write " + object + "." + m[1]
			}
		}
	}
	switch {
	case strings.Contains(message, "token recognition error"):
		return `a backslash begins an escape: write "\\" for one`
	case strings.Contains(message, "no matching overload for '_+_'"):
		return `write string(x) to join another type to a text: "a" + string(5)`
	}
	return ""
}
