package mapping_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/directory/mapping"
	"github.com/provost-id/provost/schemas/expr"
)

var env = expr.Env{Objects: map[string]expr.Object{"user": {Attributes: map[string]expr.Type{
	"login": expr.String, "nick": expr.String, "age": expr.Any,
}, NonNull: []string{"login"}}}}

func of(properties map[string]directory.Property) *directory.Mapping {
	return &directory.Mapping{ID: "prm1", Properties: properties}
}

func TestApply(t *testing.T) {
	t.Parallel()
	m := of(map[string]directory.Property{
		"name":   {Expression: `user.login`, PushStatus: directory.Push},
		"once":   {Expression: `"made " + user.login`, PushStatus: directory.DontPush},
		"nick":   {Expression: `user.nick`, PushStatus: directory.Push},
		"empty":  {Expression: `user.nick + ""`, PushStatus: directory.Push},
		"list":   {Expression: `[user.login, user.nick]`, PushStatus: directory.Push},
		"number": {Expression: `user.age != null ? string(int(user.age) * 2) : null`, PushStatus: directory.Push},
	})
	vars := map[string]any{"user": map[string]any{"login": "ada", "age": "no number"}}
	existing := map[string]any{"number": "42", "once": "kept by others"}
	for name, c := range map[string]struct {
		create bool
		want   map[string]any
	}{
		"create": {true, map[string]any{"name": "ada", "once": "made ada", "nick": nil, "empty": nil, "list": []any{"ada"}, "number": "42"}},
		"update": {false, map[string]any{"name": "ada", "nick": nil, "empty": nil, "list": []any{"ada"}, "number": "42"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, problems, err := mapping.Evaluate(t.Context(), m, env, vars, existing, c.create)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("result (-want +got):\n%s", d)
			}
			if len(problems) != 1 || problems[0].Attribute != "number" || problems[0].Reason == "" {
				t.Errorf("problems %v, want the number alone", problems)
			}
		})
	}
}

func TestFailedPropertyIsAbsentWhenNothingExists(t *testing.T) {
	t.Parallel()
	m := of(map[string]directory.Property{"number": {Expression: `user.age != null ? int(user.age) : 0`, PushStatus: directory.Push}})
	got, problems, err := mapping.Evaluate(t.Context(), m, env, map[string]any{"user": map[string]any{"age": "x"}}, nil, true)
	if err != nil || len(got) != 0 || len(problems) != 1 {
		t.Errorf("got %v, problems %v, %v", got, problems, err)
	}
}

func TestCompileNamesThePropertyThatIsWrong(t *testing.T) {
	t.Parallel()
	_, err := mapping.Compile(of(map[string]directory.Property{"title": {Expression: `user.wage`}}), env)
	if err == nil || err.Error() != "mapping prm1: title: 1:5: undefined field 'wage'" {
		t.Errorf("got %v", err)
	}
}
