package expr

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// testEnv has a person of every type of attribute.
func testEnv() Env {
	return Env{
		Objects: map[string]Object{
			"user": {Attributes: map[string]Type{
				"login": String, "firstName": String, "nick": String, "age": Int, "score": Number,
				"contractor": Bool, "tags": Strings,
			}, NonNull: []string{"login"}},
			"appuser": {Open: true, Nullable: true},
		},
		Values: map[string]Type{"groups": Strings},
	}
}

func testVars() map[string]any {
	return map[string]any{
		"user": map[string]any{
			"login": "ada@example.com", "firstName": "Ada", "age": int64(36), "tags": []string{"a", "b"},
		},
		"appuser": map[string]any{"mail": []any{"x@y.z", "second@y.z"}, "cn": "Ada L"},
		"groups":  []string{"Everyone", "Staff"},
	}
}

func TestEval(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, src string
		want      any
	}{
		{"attribute", `user.firstName`, "Ada"},
		{"unset attribute is null", `user.nick`, nil},
		{"text and null", `"x" + user.nick`, "x"},
		{"null and text", `user.nick + "x"`, "x"},
		{"null and null", `user.nick + user.nick`, ""},
		{"chain", `user.firstName + " " + user.nick + "!"`, "Ada !"},
		{"two open attributes", `appuser != null ? appuser.givenName + appuser.cn : ""`, "Ada L"},
		{"receiver on null is false", `user.nick.startsWith("a") || user.nick.contains("a") || user.nick.endsWith("a") || user.nick.matches("a")`, false},
		{"size of null is 0", `size(user.nick) + user.tags.size()`, int64(2)},
		{"receiver", `user.login.endsWith("@example.com")`, true},
		{"matches", `user.login.matches("^[a-z]+@")`, true},
		{"guarded number", `user.age != null ? user.age + 1 : 0`, int64(37)},
		{"guarded by and", `user.age != null && user.age > 18`, true},
		{"guarded by or", `user.age == null || user.age > 18`, true},
		{"negated guard", `!(user.age == null) && user.age < 18`, false},
		{"guarded by value", `user.firstName == "Ada" ? user.firstName < "B" : false`, true},
		{"list exists", `user.tags != null && user.tags.exists(x, x == "b")`, true},
		{"in a value", `"Staff" in groups`, true},
		{"list", `[user.firstName, user.nick]`, []any{"Ada", nil}},
		{"map", `{"a": user.firstName}`, map[string]any{"a": "Ada"}},
		{"nested ternary in the last branch", `user.nick != null ? "n" : user.age != null ? "a" : "x"`, "a"},
		{"null in a branch", `user.age != null ? "x" + string(user.age) : null`, "x36"},
		{"null in the first branch", `user.age != null ? null : user.login`, nil},
		{"null in nested branches", `user.nick != null ? user.nick : (user.age != null ? user.firstName + "!" : null)`, "Ada!"},
		{"substring", `String.substring(user.firstName, 0, 1)`, "A"},
		{"substring beyond", `String.substring(user.nick, 0, 9)`, ""},
		{"substringBefore", `String.substringBefore(user.login, "@")`, "ada"},
		{"substringAfter", `String.substringAfter(user.login, "@")`, "example.com"},
		{"join", `String.join("-", "a", user.nick, "c")`, "a--c"},
		{"append", `String.append(user.firstName, "!")`, "Ada!"},
		{"len counts characters", `String.len("Zoë")`, int64(3)},
		{"replace", `String.replace("aXbX", "X", "-") + String.replaceFirst("aXbX", "X", "-")`, "a-b-a-bX"},
		{"removeSpaces", `String.removeSpaces(" a b ")`, "ab"},
		{"case", `String.toUpperCase(user.firstName) + String.toLowerCase(user.firstName)`, "ADAada"},
		{"stringSwitch", `String.stringSwitch(user.login, "none", "bob", "B", "example", "E")`, "E"},
		{"stringSwitch default", `String.stringSwitch(user.nick, "none", "bob", "B")`, "none"},
		{"arrays on null", `Arrays.isEmpty(user.nick) && Arrays.size(user.nick) == 0`, true},
		{"arrays on CSV", `Arrays.contains("10, 20, 30", "20")`, true},
		{"arrays get", `Arrays.get(appuser != null ? appuser.mail : null, 1)`, "second@y.z"},
		{"arrays get outside", `Arrays.get(user.tags, 7)`, nil},
		{"arrays add and remove", `Arrays.toCsvString(Arrays.remove(Arrays.add(user.tags, "c"), "a"))`, "b,c"},
		{"arrays flatten", `Arrays.flatten(user.tags, "c, d")`, []any{"a", "b", "c", "d"}},
		{"arrays clear", `Arrays.clear(user.tags)`, []any{}},
		{"toInt rounds", `Convert.toInt("2.6")`, int64(3)},
		{"toNum", `Convert.toNum("2.5")`, 2.5},
		{"toInt of null", `Convert.toInt(user.nick)`, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := Compile(tt.src, testEnv())
			if err != nil {
				t.Fatalf("Compile: %v", err)
			}
			got, err := p.Eval(t.Context(), testVars())
			if err != nil {
				t.Fatalf("Eval: %v", err)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("Eval (-want +got):\n%s", d)
			}
		})
	}
}

// TestRefusedWhenSaved holds the sentences of the table of Okta constructs: each
// refusal names the CEL spelling, and each unguarded null names its guard.
func TestRefusedWhenSaved(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, src, want string }{
		{"unknown attribute", `user.missing`, "undefined field 'missing'"},
		{"unknown variable", `nobody.x`, "undeclared reference"},
		{"unknown function", `user.firstName.foo()`, "undeclared reference"},
		{"bare attribute", `firstName + " "`, "write user.firstName"},
		{"argument type", `String.toUpperCase(5)`, "no matching overload"},
		{"text and number", `"a" + 5`, "string(5)"},
		{"AND", `user.firstName == "x" AND user.nick != null`, "write &&"},
		{"or", `user.firstName == "x" or user.nick != null`, "write ||"},
		{"not", `not (user.firstName == "x")`, "write !("},
		{"Elvis", `user.nick ?: user.firstName`, `a != null && a != "" ? a : b`},
		{"projection", `groups.![name]`, "list.map(g, g.name)"},
		{"braces", `{1, 2}`, "write [1, 2]"},
		{"NULL", `Arrays.size(NULL)`, "write null"},
		{"fn:", `fn:toLowerCase(user.login)`, "String.toLowerCase"},
		{"infix matches", `user.login matches ".*@x"`, "x.matches("},
		{"backslash", `"XDOMAIN\" + user.firstName`, `write "\\"`},
		{"has", `has(user.nick)`, "write x != null"},
		{"template", `${source.login}`, "write user.login"},
		{"null number", `user.age + 1`, "user.age may be null here; guard it: user.age != null ?"},
		{"null comparison", `user.age > 18`, "user.age may be null"},
		{"null list", `user.tags.exists(x, x == "b")`, "user.tags may be null"},
		{"null condition", `user.contractor ? 1 : 2`, "user.contractor may be null"},
		{"null argument of a receiver", `user.login.startsWith(user.nick)`, "user.nick may be null"},
		{"null conversion", `int(user.nick)`, "user.nick may be null"},
		{"null object", `appuser.cn`, "appuser may be null"},
		{"guard of the other branch", `user.age == null ? user.age + 1 : 0`, "user.age may be null"},
		{"guard of another attribute", `user.nick != null ? user.age + 1 : 0`, "user.age may be null"},
		{"empty", ` `, "empty"},
		{"too long", `"` + strings.Repeat("a", MaxSource) + `"`, "longer than"},
		{"too deep", strings.Repeat("(", 200) + "1" + strings.Repeat(")", 200), "recursion"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Compile(tt.src, testEnv())
			if err == nil {
				t.Fatal("compiled, want an error")
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %q, want it to contain %q", err, tt.want)
			}
		})
	}
}

func TestErrorNamesThePlace(t *testing.T) {
	t.Parallel()
	_, err := Compile("user.login == \"x\" &&\n  user.age > 18", testEnv())
	e, ok := err.(*Error)
	if !ok || e.Line != 2 || e.Column == 0 {
		t.Errorf("got %#v, want an Error at line 2", err)
	}
}

func TestResult(t *testing.T) {
	t.Parallel()
	e := testEnv()
	e.Result = Bool
	if _, err := Compile(`user.login == "x"`, e); err != nil {
		t.Errorf("a condition: %v", err)
	}
	for src, want := range map[string]string{
		`user.login`:      "gives string, want bool",
		`user.contractor`: "may be null",
	} {
		if _, err := Compile(src, e); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", src, err, want)
		}
	}
}

func TestInputs(t *testing.T) {
	t.Parallel()
	p, err := Compile(`user.age != null && groups.exists(user2, user2 == user.nick) && user.login != "" ? appuser : null`, testEnv())
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"appuser", "groups", "user.age", "user.login", "user.nick"}
	if d := cmp.Diff(want, p.Inputs()); d != "" {
		t.Errorf("Inputs (-want +got):\n%s", d)
	}
}

func TestEvalLeavesVariablesAlone(t *testing.T) {
	t.Parallel()
	p, err := Compile(`user.nick`, testEnv())
	if err != nil {
		t.Fatal(err)
	}
	vars := testVars()
	if _, err := p.Eval(t.Context(), vars); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(testVars(), vars); d != "" {
		t.Errorf("variables changed:\n%s", d)
	}
}

func TestNullObject(t *testing.T) {
	t.Parallel()
	p, err := Compile(`appuser != null ? appuser.cn : "none"`, testEnv())
	if err != nil {
		t.Fatal(err)
	}
	for _, vars := range []map[string]any{{"appuser": nil}, {}, {"appuser": map[string]any(nil)}} {
		got, err := p.Eval(t.Context(), vars)
		if err != nil || got != "none" {
			t.Errorf("with %v: got %v, %v", vars, got, err)
		}
	}
}

func TestCostLimit(t *testing.T) {
	t.Parallel()
	p, err := Compile(`groups.all(a, groups.all(b, groups.all(c, a + b + c != "")))`, testEnv())
	if err != nil {
		t.Fatal(err)
	}
	many := make([]string, 200)
	for i := range many {
		many[i] = "g"
	}
	if _, err := p.Eval(t.Context(), map[string]any{"groups": many}); err == nil || !strings.Contains(err.Error(), "cost") {
		t.Errorf("got %v, want the cost limit", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	<-ctx.Done()
	if _, err := p.Eval(ctx, map[string]any{"groups": many}); err == nil {
		t.Error("an ended context did not stop the evaluation")
	}
}

// FuzzCompile states that whatever compiles gives the same answer twice and never
// fails on an absent attribute.
func FuzzCompile(f *testing.F) {
	for _, s := range []string{`user.nick`, `user.age != null ? user.age : 0`, `String.join(",", "a", user.nick)`,
		`user.nick.startsWith("x") && true`, `Arrays.get(user.tags, 0)`, `user.tags == null ? [] : user.tags`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		p, err := Compile(src, testEnv())
		if err != nil {
			if err.Error() == "" {
				t.Error("an error without a reason")
			}
			return
		}
		a, errA := p.Eval(t.Context(), nil)
		b, errB := p.Eval(t.Context(), nil)
		if (errA == nil) != (errB == nil) || errA == nil && !cmp.Equal(a, b) && !strings.Contains(src, "0.0") {
			t.Errorf("%q: %v, %v then %v, %v", src, a, errA, b, errB)
		}
		if errA != nil && (strings.Contains(errA.Error(), "no such key") || strings.Contains(errA.Error(), "no such attribute")) && !strings.Contains(src, "{") {
			t.Errorf("%q: %v", src, errA)
		}
	})
}
