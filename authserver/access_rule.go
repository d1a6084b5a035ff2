package authserver

import (
	"context"
	"slices"
	"unicode/utf8"

	"github.com/provost-id/provost/authserver/policy"
	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/id"
	"github.com/provost-id/provost/internal/sqldb"
)

const ruleType = "RESOURCE_ACCESS"

// Limits and defaults of a rule's lifetimes, in minutes.
const (
	minAccess, maxAccess, defaultAccess = 5, 1440, 60
	minWindow, maxWindow, defaultWindow = 10, 2628000, 10080
)

// Rule is a rule of an access policy as the management API shows it.
type Rule struct {
	ID          string         `json:"id"`
	Type        string         `json:"type"`
	Name        string         `json:"name"`
	Priority    int            `json:"priority"`
	Status      string         `json:"status"`
	System      bool           `json:"system"`
	Conditions  RuleConditions `json:"conditions"`
	Actions     RuleActions    `json:"actions"`
	Created     Time           `json:"created"`
	LastUpdated Time           `json:"lastUpdated"`
}

// RuleConditions say for which requests a rule is.
type RuleConditions struct {
	People     RulePeople `json:"people"`
	GrantTypes Include    `json:"grantTypes"`
	Scopes     Include    `json:"scopes"`
}

// RulePeople say for whom a rule is.
type RulePeople struct {
	Users  policy.Set `json:"users"`
	Groups policy.Set `json:"groups"`
}

// RuleActions say what a rule grants.
type RuleActions struct {
	Token TokenAction `json:"token"`
}

// TokenAction are the lifetimes of the tokens that a rule grants, and its hook.
type TokenAction struct {
	AccessTokenLifetimeMinutes  int      `json:"accessTokenLifetimeMinutes"`
	RefreshTokenLifetimeMinutes int      `json:"refreshTokenLifetimeMinutes"` // 0 is unlimited
	RefreshTokenWindowMinutes   int      `json:"refreshTokenWindowMinutes"`
	InlineHook                  *HookRef `json:"inlineHook,omitempty"`
}

// HookRef names an inline hook.
type HookRef struct {
	ID string `json:"id"`
}

// GrantTypes that a rule may allow: those that the token endpoint serves.
var ruleGrantTypes = []string{grantCode, grantRefresh, grantClientCredentials}

func (v *Rule) normalize() error {
	v.fill()
	t := v.Actions.Token
	switch {
	case v.Type != ruleType:
		return invalid("type", "must be "+ruleType)
	case v.Name == "" || utf8.RuneCountInString(v.Name) > 100:
		return invalid("name", "must have 1 to 100 characters")
	case v.Status != Active && v.Status != Inactive:
		return invalid("status", "must be ACTIVE or INACTIVE")
	case len(v.Conditions.GrantTypes.Include) == 0:
		return invalid("conditions.grantTypes.include", "at least one grant type is needed")
	case len(v.Conditions.Scopes.Include) == 0:
		return invalid("conditions.scopes.include", "at least one scope is needed")
	case t.AccessTokenLifetimeMinutes < minAccess || t.AccessTokenLifetimeMinutes > maxAccess:
		return invalid("accessTokenLifetimeMinutes", "must be %d to %d", minAccess, maxAccess)
	case t.RefreshTokenLifetimeMinutes != 0 && t.RefreshTokenLifetimeMinutes < t.AccessTokenLifetimeMinutes:
		return invalid("refreshTokenLifetimeMinutes", "must be 0 or at least the lifetime of the access token")
	case t.RefreshTokenWindowMinutes < minWindow || t.RefreshTokenWindowMinutes > maxWindow:
		return invalid("refreshTokenWindowMinutes", "must be %d to %d", minWindow, maxWindow)
	}
	for _, g := range v.Conditions.GrantTypes.Include {
		if !slices.Contains(ruleGrantTypes, g) {
			return invalid("conditions.grantTypes.include", "%q is not a grant type of this server", g)
		}
	}
	return nil
}

func (v *Rule) fill() {
	if v.Type == "" {
		v.Type = ruleType
	}
	if v.Status == "" {
		v.Status = Active
	}
	t := &v.Actions.Token
	if t.AccessTokenLifetimeMinutes == 0 {
		t.AccessTokenLifetimeMinutes = defaultAccess
	}
	if t.RefreshTokenWindowMinutes == 0 {
		t.RefreshTokenWindowMinutes = defaultWindow
	}
	if t.InlineHook != nil && t.InlineHook.ID == "" {
		t.InlineHook = nil
	}
}

func (v *Rule) object(policyID string) object {
	return object{ID: v.ID, Kind: kindRule, Parent: policyID, Name: v.Name, Rank: int64(v.Priority)}
}

func (v *Rule) target() events.Target { return events.Target{ID: v.ID, Type: "Rule", Name: v.Name} }

// compiled is the rule as the evaluator takes it.
func (v *Rule) compiled() policy.Rule {
	t := v.Actions.Token
	out := policy.Rule{
		ID: v.ID, Name: v.Name, Priority: v.Priority, Status: v.Status,
		GrantTypes: v.Conditions.GrantTypes.Include, Scopes: v.Conditions.Scopes.Include,
		Users: v.Conditions.People.Users, Groups: v.Conditions.People.Groups,
		Token: policy.Token{
			AccessMinutes: t.AccessTokenLifetimeMinutes, RefreshMinutes: t.RefreshTokenLifetimeMinutes,
			RefreshWindowMinutes: t.RefreshTokenWindowMinutes,
		},
	}
	if t.InlineHook != nil {
		out.Token.HookID = t.InlineHook.ID
	}
	return out
}

// Rules lists the rules of a policy by priority.
func (s *Service) Rules(ctx context.Context, serverID, policyID string) ([]Rule, error) {
	srv, err := s.custom(ctx, serverID)
	if err != nil {
		return nil, err
	}
	if _, err := s.Policy(ctx, serverID, policyID); err != nil {
		return nil, err
	}
	return srv.rules[policyID], nil
}

// Rule returns one rule, or ErrNotFound.
func (s *Service) Rule(ctx context.Context, serverID, policyID, ruleID string) (Rule, error) {
	all, err := s.Rules(ctx, serverID, policyID)
	return find(all, err, func(v Rule) bool { return v.ID == ruleID })
}

// CreateRule adds a rule to a policy: last, unless it says at which priority.
func (s *Service) CreateRule(ctx context.Context, c Change, serverID, policyID string, v Rule) (Rule, error) {
	if err := v.normalize(); err != nil {
		return Rule{}, err
	}
	if err := s.checkHook(ctx, &v); err != nil {
		return Rule{}, err
	}
	if _, err := s.Policy(ctx, serverID, policyID); err != nil {
		return Rule{}, err
	}
	now := s.now()
	v.ID, v.System, v.Created, v.LastUpdated = id.NewAt(id.Rule, now), false, Time{now}, Time{now}
	wanted := v.Priority
	err := s.change(ctx, c, "policy.rule.add", v.target(), func(tx *sqldb.Tx) error {
		v.Priority = wanted
		return placed(tx, kindRule, policyID, v.ID, &v.Priority, func() error {
			return insertObject(tx, v.object(policyID), v)
		})
	})
	return v, err
}

// UpdateRule replaces a rule, and moves it when its priority is another.
func (s *Service) UpdateRule(ctx context.Context, c Change, serverID, policyID, ruleID string, v Rule) (Rule, error) {
	if err := v.normalize(); err != nil {
		return Rule{}, err
	}
	if err := s.checkHook(ctx, &v); err != nil {
		return Rule{}, err
	}
	if _, err := s.Policy(ctx, serverID, policyID); err != nil {
		return Rule{}, err
	}
	wanted := v.Priority
	v.ID = ruleID
	err := s.change(ctx, c, "policy.rule.update", v.target(), func(tx *sqldb.Tx) error {
		old, _, err := objectTx[Rule](tx, kindRule, policyID, ruleID)
		if err != nil {
			return err
		}
		v.Priority, v.System, v.Created, v.LastUpdated = wanted, old.System, old.Created, Time{s.now()}
		if v.Priority == 0 {
			v.Priority = old.Priority
		}
		return placed(tx, kindRule, policyID, ruleID, &v.Priority, func() error {
			return updateObject(tx, v.object(policyID), v)
		})
	})
	return v, err
}

// SetRuleStatus activates or deactivates a rule.
func (s *Service) SetRuleStatus(ctx context.Context, c Change, serverID, policyID, ruleID, status string) error {
	if _, err := s.Policy(ctx, serverID, policyID); err != nil {
		return err
	}
	target := events.Target{ID: ruleID, Type: "Rule"}
	return s.change(ctx, c, "policy.rule."+verb(status), target, func(tx *sqldb.Tx) error {
		v, o, err := objectTx[Rule](tx, kindRule, policyID, ruleID)
		if err != nil {
			return err
		}
		v.Status, v.LastUpdated = status, Time{s.now()}
		return updateObject(tx, o, v)
	})
}

// DeleteRule removes a rule.
func (s *Service) DeleteRule(ctx context.Context, c Change, serverID, policyID, ruleID string) error {
	if _, err := s.Policy(ctx, serverID, policyID); err != nil {
		return err
	}
	return s.change(ctx, c, "policy.rule.delete", events.Target{ID: ruleID, Type: "Rule"}, func(tx *sqldb.Tx) error {
		if _, _, err := objectTx[Rule](tx, kindRule, policyID, ruleID); err != nil {
			return err
		}
		return deleteObject(tx, kindRule, ruleID)
	})
}
