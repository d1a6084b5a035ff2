package schemas

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	library "github.com/scim2/filter-parser/v2"
	"pgregory.net/rapid"
)

// scim2/filter-parser reads the grammar of RFC 7644, figure 1, and knows no schema. It
// is an oracle for what we make of a filter: how its terms bind, and what its values are.

// TestFilter_Library: random filters of the grammar.
func TestFilter_Library(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		src := drawSource(rt, 3, false)
		if _, err := typ("User").ParseFilter(src, Strict); err != nil {
			rt.Fatalf("%s: %v", src, err)
		}
		compareWithLibrary(rt, src)
	})
}

func FuzzFilter_Library(f *testing.F) {
	for _, s := range []string{
		`userName eq "x"`, `emails[type eq "work" and value co "@"] or not (title pr)`, `title pr or title pr and title pr`, `a.b.c pr`,
		`(title pr and nickName pr) or not (active eq false)`, `level ge -1 and score lt 1e3`, `emails[not (type eq "x")].value pr`,
		`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value ne "x"`, `title eq null`, `level eq 99999999999999999999`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		if len(src) <= 200 { // the time of the library grows faster than the filter
			compareWithLibrary(t, src)
		}
	})
}

type fatal interface{ Fatalf(string, ...any) }

// compareWithLibrary: what the library can read we read the same, or refuse for what
// it means; and what we can read, the library reads the same in our spelling.
func compareWithLibrary(t fatal, src string) {
	if strings.Contains(src, `\`) { // it leaves escapes as they are
		return
	}
	ours, err := typ("User").ParseFilter(src, Strict)
	if theirs, ok := fromLibrary(src); ok {
		switch {
		case err == nil:
			wantSame(t, src, ours, theirs)
		case !isMeaning(err):
			t.Fatalf("%s: malformed to us (%v), and the library reads %s", src, err, theirs)
		}
	}
	if err != nil {
		return
	}
	printed := ours.String()
	if strings.Contains(printed, `\`) || len(printed) > 2000 {
		return
	}
	theirs, ok := fromLibrary(printed)
	if !ok && strings.Contains(printed, "[") {
		return // inside brackets it knows no "a and not (b)", which is a logExp of figure 1
	}
	if !ok {
		t.Fatalf("%s: the library cannot read our spelling %s", src, printed)
	}
	wantSame(t, printed, ours, theirs)
}

// wantSame parses what the library has read, with all parentheses written.
func wantSame(t fatal, src string, ours *Filter, theirs string) {
	again, err := typ("User").ParseFilter(theirs, Strict)
	if err != nil {
		if strings.Contains(err.Error(), "nested deeper") {
			return
		}
		t.Fatalf("%s: the library reads %s: %v", src, theirs, err)
	}
	if got, want := shape(ours.Root), shape(again.Root); got != want {
		t.Fatalf("%s\n  ours %s\ntheirs %s", src, got, want)
	}
}

// isMeaning: the filter is well formed, and it asks for what cannot be evaluated, or for
// too much. Its numbers may be beyond us, which are not always beyond the library.
func isMeaning(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && (e.Path != "" || strings.Contains(e.Reason, "deeper than") || strings.Contains(e.Reason, "more than") || strings.Contains(e.Reason, "UTF-8"))
}

// fromLibrary writes what the library reads with all parentheses.
func fromLibrary(src string) (s string, ok bool) {
	defer func() { ok = ok && recover() == nil }() // it panics on some input
	e, err := library.ParseFilterNumber([]byte(src))
	if err != nil {
		return "", false
	}
	return parenthesised(e), true
}

func parenthesised(e library.Expression) string {
	switch e := e.(type) {
	case *library.LogicalExpression:
		return "(" + parenthesised(e.Left) + " " + string(e.Operator) + " " + parenthesised(e.Right) + ")"
	case *library.NotExpression:
		return "not (" + parenthesised(e.Expression) + ")"
	case *library.ValuePath:
		return e.AttributePath.String() + "[" + parenthesised(e.ValueFilter) + "]"
	}
	a := e.(*library.AttributeExpression)
	if a.Operator == library.PR {
		return a.AttributePath.String() + " pr"
	}
	value, err := json.Marshal(a.CompareValue)
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf("%s %s %s", a.AttributePath, a.Operator, value)
}

// drawSource draws a filter that both parsers can read: single spaces, and no escapes
// but those of quotes and backslashes.
func drawSource(t *rapid.T, depth int, inside bool) string {
	kinds := []string{"term", "term", "and", "or", "not", "group", "element"}
	kind := "term"
	if depth > 0 {
		kind = rapid.SampledFrom(kinds).Draw(t, "kind")
	}
	switch kind {
	case "and", "or":
		word := rapid.SampledFrom([]string{kind, strings.ToUpper(kind)}).Draw(t, "word")
		return drawSource(t, depth-1, inside) + " " + word + " " + drawSource(t, depth-1, inside)
	case "not":
		return "not (" + drawSource(t, depth-1, inside) + ")"
	case "group":
		return "(" + drawSource(t, depth-1, inside) + ")"
	case "element":
		if !inside {
			return "emails[" + drawSource(t, depth-1, true) + "]"
		}
	}
	return drawComparison(t, inside)
}

func drawComparison(t *rapid.T, inside bool) string {
	names := []string{"title", "userName", "USERNAME", "name.familyName", userURN + ":nickName", enterpriseURN + ":manager.value", "emails.value", "schemas"}
	if inside {
		names = []string{"value", "type", "Display"}
	}
	op := rapid.SampledFrom([]string{"eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le", "Eq", "pr"}).Draw(t, "op")
	kind := rapid.IntRange(0, 5).Draw(t, "type")
	switch {
	case kind == 0 && !inside && strings.EqualFold(op, "eq"):
		return "active " + op + " " + rapid.SampledFrom([]string{"true", "false"}).Draw(t, "bool")
	case kind == 1 && !inside && op == "ge":
		return "level ge " + rapid.SampledFrom([]string{"0", "-7", "12"}).Draw(t, "int")
	case kind == 2 && !inside && op == "lt":
		return "score lt " + rapid.SampledFrom([]string{"0.5", "-1.25", "3"}).Draw(t, "decimal")
	}
	name := rapid.SampledFrom(names).Draw(t, "name")
	if op == "pr" {
		return name + " pr"
	}
	return name + " " + op + " " + rapid.SampledFrom([]string{`"x"`, `""`, `"a b"`, `"(x) and y"`, `"é日"`, `"it's"`, `"[1]"`}).Draw(t, "string")
}
