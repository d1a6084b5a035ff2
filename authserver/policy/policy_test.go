package policy_test

import (
	"fmt"
	"testing"

	"github.com/provost-id/provost/authserver/policy"
)

// rule is one that matches everything, for a test to narrow.
func rule(id string, priority int, change ...func(*policy.Rule)) policy.Rule {
	r := policy.Rule{
		ID: id, Priority: priority, Status: policy.Active, GrantTypes: []string{"authorization_code", "client_credentials"},
		Groups: policy.Set{Include: []string{policy.Everyone}}, Scopes: []string{policy.AllScopes},
	}
	for _, fn := range change {
		fn(&r)
	}
	return r
}

func forAll(id string, priority int, rules ...policy.Rule) policy.Policy {
	return policy.Policy{ID: id, Priority: priority, Status: policy.Active, Clients: []string{policy.AllClients}, Rules: rules}
}

func TestEvaluate(t *testing.T) {
	person := policy.Request{ClientID: "0oa1", GrantType: "authorization_code", UserID: "00u1", Groups: []string{"00g1"}, Scopes: []string{"a", "b"}}
	service := policy.Request{ClientID: "0oa1", GrantType: "client_credentials", Scopes: []string{"a"}}
	scopes := func(s ...string) func(*policy.Rule) { return func(r *policy.Rule) { r.Scopes = s } }
	inactive := func(r *policy.Rule) { r.Status = policy.Inactive }
	for _, tc := range []struct {
		name string
		ps   []policy.Policy
		ask  policy.Request
		want string // ID of the rule, empty for none
	}{
		{"nothing configured", nil, person, ""},
		{"no rule", []policy.Policy{forAll("p", 1)}, person, ""},
		{"first rule by priority", []policy.Policy{forAll("p", 1, rule("late", 2), rule("early", 1))}, person, "early"},
		{"first policy by priority", []policy.Policy{forAll("p2", 2, rule("r2", 1)), forAll("p1", 1, rule("r1", 1))}, person, "r1"},
		{"a rule that lacks one scope is skipped", []policy.Policy{forAll("p", 1, rule("less", 1, scopes("a")), rule("all", 2, scopes("b", "a")))}, person, "all"},
		{"no rule in a policy: the next policy", []policy.Policy{forAll("p1", 1, rule("r1", 1, scopes("a"))), forAll("p2", 2, rule("r2", 1))}, person, "r2"},
		{"inactive rule", []policy.Policy{forAll("p", 1, rule("off", 1, inactive), rule("on", 2))}, person, "on"},
		{"inactive policy", []policy.Policy{{ID: "p", Status: policy.Inactive, Clients: []string{policy.AllClients}, Rules: []policy.Rule{rule("r", 1)}}}, person, ""},
		{"policy of another client", []policy.Policy{{ID: "p", Status: policy.Active, Clients: []string{"0oa2"}, Rules: []policy.Rule{rule("r", 1)}}}, person, ""},
		{"policy of this client", []policy.Policy{{ID: "p", Status: policy.Active, Clients: []string{"0oa1"}, Rules: []policy.Rule{rule("r", 1)}}}, person, "r"},
		{"grant type", []policy.Policy{forAll("p", 1, rule("r", 1, func(r *policy.Rule) { r.GrantTypes = []string{"client_credentials"} }))}, person, ""},
		{"no person: people do not matter", []policy.Policy{forAll("p", 1, rule("r", 1, func(r *policy.Rule) { r.Groups = policy.Set{} }))}, service, "r"},
		{"nobody named", []policy.Policy{forAll("p", 1, rule("r", 1, func(r *policy.Rule) { r.Groups = policy.Set{} }))}, person, ""},
		{"named user", []policy.Policy{forAll("p", 1, rule("r", 1, func(r *policy.Rule) { r.Groups, r.Users.Include = policy.Set{}, []string{"00u1"} }))}, person, "r"},
		{"named group", []policy.Policy{forAll("p", 1, rule("r", 1, func(r *policy.Rule) { r.Groups.Include = []string{"00g1"} }))}, person, "r"},
		{"other group", []policy.Policy{forAll("p", 1, rule("r", 1, func(r *policy.Rule) { r.Groups.Include = []string{"00g2"} }))}, person, ""},
		{"excluded user", []policy.Policy{forAll("p", 1, rule("r", 1, func(r *policy.Rule) { r.Users.Exclude = []string{"00u1"} }))}, person, ""},
		{"excluded group wins", []policy.Policy{forAll("p", 1, rule("r", 1, func(r *policy.Rule) { r.Users.Include, r.Groups.Exclude = []string{"00u1"}, []string{"00g1"} }))}, person, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ps := policy.Compile(tc.ps)
			m, ok := ps.Evaluate(tc.ask)
			got := ""
			if ok {
				got = m.Rule.ID
			}
			if got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
			em, eok, steps := ps.Explain(tc.ask)
			if eok != ok || em != m {
				t.Error("Explain decides otherwise than Evaluate")
			}
			if eok && !steps[len(steps)-1].Matched {
				t.Errorf("steps: %+v", steps)
			}
		})
	}
}

func TestAdmits(t *testing.T) {
	ps := policy.Compile([]policy.Policy{{ID: "p", Status: policy.Active, Clients: []string{"0oa1"}}})
	if !ps.Admits("0oa1") || ps.Admits("0oa2") {
		t.Error("a policy admits the clients that it names, and no other")
	}
}

// BenchmarkEvaluate is the last of 100 rules.
func BenchmarkEvaluate(b *testing.B) {
	var rules []policy.Rule
	for i := range 100 {
		rules = append(rules, rule(fmt.Sprint(i), i, func(r *policy.Rule) { r.Groups.Include = []string{fmt.Sprint("00g", i)} }))
	}
	ps := policy.Compile([]policy.Policy{forAll("p", 1, rules...)})
	ask := policy.Request{ClientID: "0oa1", GrantType: "authorization_code", UserID: "00u1", Groups: []string{"00g99"}, Scopes: []string{"openid", "email"}}
	for b.Loop() {
		if _, ok := ps.Evaluate(ask); !ok {
			b.Fatal("no match")
		}
	}
}
