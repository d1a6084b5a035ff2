package provisioning

import (
	"strings"
	"testing"

	"github.com/provost-id/provost/schemas/expr"
)

func TestSafeguards(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		facts planFacts
		want  string // part of the reason; "" for none
	}{
		"nothing":             {planFacts{read: 10, linked: 10}, ""},
		"first import":        {planFacts{read: 300}, ""},
		"first and empty":     {planFacts{emptyRead: true}, ""},
		"exactly the share":   {planFacts{read: 80, linked: 100, gone: 20}, ""},
		"above the share":     {planFacts{read: 79, linked: 100, gone: 21}, "21 of 100"},
		"above the most":      {planFacts{read: 9499, linked: 10000, gone: 501}, "more than 500"},
		"empty":               {planFacts{emptyRead: true, linked: 3, gone: 3}, "the source is empty"},
		"administrators":      {planFacts{read: 1, linked: 1, admins: []string{"root"}}, "administrators would be changed: root"},
		"logins":              {planFacts{read: 1, linked: 1, logins: []string{"a", "b", "c", "d", "e", "f", "g"}}, "a, b, c, d, e and 2 more"},
		"the last one leaves": {planFacts{read: 0, linked: 1, gone: 1}, "1 of 1"},
	} {
		t.Run(name, func(t *testing.T) {
			got := DefaultSafeguards.stop(c.facts)
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestTemplate(t *testing.T) {
	t.Parallel()
	user := expr.Object{Attributes: map[string]expr.Type{"login": expr.String, "department": expr.String}, NonNull: []string{"login"}}
	dn, err := Template(`"uid=" + String.substringBefore(user.login, "@") + ",ou=" + (user.department != null ? user.department : "people")`, user)
	if err != nil {
		t.Fatal(err)
	}
	ctx := WithUserVars(t.Context(), map[string]any{"login": "ada@example.com"})
	if got, err := dn(ctx, nil); err != nil || got != "uid=ada,ou=people" {
		t.Errorf("got %q, %v", got, err)
	}
	byAccount, err := Template(`"uid=" + appuser.uid`, user)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := byAccount(t.Context(), map[string]any{"uid": "ada"}); err != nil || got != "uid=ada" {
		t.Errorf("got %q, %v", got, err)
	}
	for source, want := range map[string]string{`user.wage`: "undefined field", `user.department`: "may be null", `5`: "gives int"} {
		if _, err := Template(source, user); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", source, err, want)
		}
	}
}
