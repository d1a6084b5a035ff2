package policy

import (
	"fmt"
	"slices"
)

// Match is the policy and rule that grant a request.
type Match struct {
	Policy *Policy
	Rule   *Rule
}

// Step tells what became of one policy or rule, for simulate.
type Step struct {
	PolicyID string `json:"policyId"`
	RuleID   string `json:"ruleId,omitempty"`
	Matched  bool   `json:"matched"`
	Reason   string `json:"reason"`
}

// Evaluate returns the first rule that grants the request. ok is false when none does.
func (ps Policies) Evaluate(r Request) (m Match, ok bool) {
	return ps.evaluate(r, func(Step) {})
}

// Explain is Evaluate that also tells why each policy and rule before the match was
// passed over.
func (ps Policies) Explain(r Request) (m Match, ok bool, steps []Step) {
	m, ok = ps.evaluate(r, func(s Step) { steps = append(steps, s) })
	return m, ok, steps
}

func (ps Policies) evaluate(r Request, tell func(Step)) (Match, bool) {
	for i := range ps {
		p := &ps[i]
		if !p.admits(r.ClientID) {
			tell(Step{PolicyID: p.ID, Reason: "the policy is not for this client"})
			continue
		}
		for j := range p.Rules {
			rule := &p.Rules[j]
			if reason := rule.refuses(r); reason != "" {
				tell(Step{PolicyID: p.ID, RuleID: rule.ID, Reason: reason})
				continue
			}
			tell(Step{PolicyID: p.ID, RuleID: rule.ID, Matched: true, Reason: "grant type, people and all requested scopes match"})
			return Match{Policy: p, Rule: rule}, true
		}
	}
	return Match{}, false
}

// refuses returns why the rule does not match, empty when it does. A rule that does
// not cover every requested scope is skipped; scopes are never thinned out.
func (r *Rule) refuses(q Request) string {
	if !slices.Contains(r.GrantTypes, q.GrantType) {
		return fmt.Sprintf("the rule is not for grant type %s", q.GrantType)
	}
	if q.UserID != "" {
		if reason := r.refusesPerson(q); reason != "" {
			return reason
		}
	}
	if slices.Contains(r.Scopes, AllScopes) {
		return ""
	}
	for _, s := range q.Scopes {
		if !slices.Contains(r.Scopes, s) {
			return fmt.Sprintf("the rule does not grant scope %s", s)
		}
	}
	return ""
}

// refusesPerson: an exclusion wins over everything; otherwise being named, or being
// in a named group, is enough. A rule that names nobody is for nobody.
func (r *Rule) refusesPerson(q Request) string {
	if slices.Contains(r.Users.Exclude, q.UserID) || intersects(r.Groups.Exclude, q.Groups) {
		return "the rule excludes the user"
	}
	if slices.Contains(r.Users.Include, q.UserID) || slices.Contains(r.Groups.Include, Everyone) ||
		intersects(r.Groups.Include, q.Groups) {
		return ""
	}
	return "the rule is not for the user"
}

func intersects(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}
