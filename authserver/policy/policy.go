// Package policy decides whether an authorization server grants a request, and with
// what lifetimes: access policies and their rules, by priority, first match wins,
// deny by default. It is pure: who asks, and which groups they are in, is told to it,
// and what is stored and shown belongs to authserver and its manage package.
package policy

import "slices"

// What conditions name beside identifiers.
const (
	AllClients = "ALL_CLIENTS"
	Everyone   = "EVERYONE"
	AllScopes  = "*"
)

// Statuses of a policy or rule.
const (
	Active   = "ACTIVE"
	Inactive = "INACTIVE"
)

// Policy is an access policy: for which clients its rules are asked.
type Policy struct {
	ID       string
	Name     string
	Priority int
	Status   string
	Clients  []string // client IDs, or AllClients
	Rules    []Rule   // any order
}

// Rule says for which requests of its policy's clients tokens are granted.
type Rule struct {
	ID         string
	Name       string
	Priority   int
	Status     string
	GrantTypes []string
	Users      Set // of user IDs
	Groups     Set // of group IDs, or Everyone
	Scopes     []string
	Token      Token
}

// Set is a condition on people.
type Set struct {
	Include []string `json:"include,omitempty"`
	Exclude []string `json:"exclude,omitempty"`
}

// Token is what a rule says about the tokens that it grants.
type Token struct {
	AccessMinutes        int
	RefreshMinutes       int // of the whole family; 0 is unlimited
	RefreshWindowMinutes int // between two uses
	HookID               string
}

// Request is what is asked for. UserID is empty when no person is behind it.
type Request struct {
	ClientID  string
	GrantType string
	UserID    string
	Groups    []string
	Scopes    []string
}

// Policies are those of one server, active ones only, in the order in which they are asked.
type Policies []Policy

// Compile orders policies and rules by priority and drops the inactive ones.
func Compile(ps []Policy) Policies {
	out := make(Policies, 0, len(ps))
	for _, p := range ps {
		if p.Status != Active {
			continue
		}
		rules := make([]Rule, 0, len(p.Rules))
		for _, r := range p.Rules {
			if r.Status == Active {
				rules = append(rules, r)
			}
		}
		slices.SortStableFunc(rules, func(a, b Rule) int { return a.Priority - b.Priority })
		p.Rules = rules
		out = append(out, p)
	}
	slices.SortStableFunc(out, func(a, b Policy) int { return a.Priority - b.Priority })
	return out
}

// Admits reports whether any policy is for the client.
func (ps Policies) Admits(clientID string) bool {
	return slices.ContainsFunc(ps, func(p Policy) bool { return p.admits(clientID) })
}

func (p *Policy) admits(clientID string) bool {
	return slices.Contains(p.Clients, clientID) || slices.Contains(p.Clients, AllClients)
}
