package manage

import (
	"context"
	"errors"

	"github.com/danielgtaylor/huma/v2"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/httpapi"
)

// registerRules adds the group rules (the contract).
func (h *handlers) registerRules(api huma.API) {
	op := httpapi.Tagged("GroupRule")
	huma.Register(api, op("listGroupRules", "GET", "/groups/rules", "List group rules"), h.listRules)
	huma.Register(api, op("createGroupRule", "POST", "/groups/rules", "Create a group rule; it is INACTIVE"), h.createRule)
	huma.Register(api, op("getGroupRule", "GET", "/groups/rules/{id}", "Read a group rule"), h.readRule)
	huma.Register(api, op("replaceGroupRule", "PUT", "/groups/rules/{id}", "Replace an INACTIVE group rule, but for its actions"), h.replaceRule)
	huma.Register(api, op("deleteGroupRule", "DELETE", "/groups/rules/{id}", "Delete a group rule"), h.deleteRule)
	lifecycle := op("changeGroupRuleStatus", "POST", "/groups/rules/{id}/lifecycle/{operation}", "Activate or deactivate a group rule")
	lifecycle.DefaultStatus = 204
	huma.Register(api, lifecycle, h.ruleLifecycle)
}

const (
	ruleType       = "group_rule"
	expressionType = "urn:okta:expression:1.0"
)

type ruleConditions struct {
	Expression ruleExpression `json:"expression"`
	People     rulePeople     `json:"people"`
}

type ruleExpression struct {
	Type  string `json:"type"`
	Value string `json:"value"`
}

type rulePeople struct {
	Users  ruleExclude `json:"users"`
	Groups ruleExclude `json:"groups"`
}

type ruleExclude struct {
	Exclude []string `json:"exclude"`
}

type ruleActions struct {
	Assign ruleAssign `json:"assignUserToGroups"`
}

type ruleAssign struct {
	GroupIDs []string `json:"groupIds"`
}

// ruleBody is a rule as the contract shows it. Progress is ours: the
// work on the whole directory that is under way.
type ruleBody struct {
	Type        string         `json:"type"`
	ID          string         `json:"id"`
	Status      string         `json:"status"`
	Name        string         `json:"name"`
	Created     *string        `json:"created"`
	LastUpdated *string        `json:"lastUpdated"`
	Conditions  ruleConditions `json:"conditions"`
	Actions     ruleActions    `json:"actions"`
	AllValid    bool           `json:"allGroupsValid"`
	Progress    *ruleProgress  `json:"progress,omitempty"`
}

type ruleProgress struct {
	Operation string  `json:"operation"`
	Done      int64   `json:"done"`
	Total     int64   `json:"total"`
	Started   *string `json:"started"`
}

func showRule(r *directory.GroupRule) ruleBody {
	b := ruleBody{
		Type: ruleType, ID: r.ID, Status: string(r.Status), Name: r.Name, Created: httpapi.Stamp(r.Created), LastUpdated: httpapi.Stamp(r.Modified),
		Conditions: ruleConditions{
			Expression: ruleExpression{Type: expressionType, Value: r.Condition},
			People:     rulePeople{Users: ruleExclude{r.Exclude}, Groups: ruleExclude{[]string{}}},
		},
		Actions: ruleActions{ruleAssign{r.Groups}}, AllValid: r.Valid(),
	}
	if r.Pass != nil {
		b.Progress = &ruleProgress{Operation: r.Pass.Operation, Done: r.Pass.Done, Total: r.Pass.Total, Started: httpapi.Stamp(r.Pass.Started)}
	}
	return b
}

type ruleInput struct {
	Type       string         `json:"type"`
	Name       string         `json:"name"`
	Conditions ruleConditions `json:"conditions"`
	Actions    ruleActions    `json:"actions"`
}

// rule is what a body asks for.
func (in ruleInput) rule() (directory.GroupRule, error) {
	r := directory.GroupRule{
		Name: in.Name, Condition: in.Conditions.Expression.Value,
		Groups: in.Actions.Assign.GroupIDs, Exclude: in.Conditions.People.Users.Exclude,
	}
	switch {
	case in.Type != "" && in.Type != ruleType:
		return r, httpapi.Invalid("type", "type: must be "+ruleType)
	case in.Conditions.Expression.Type != "" && in.Conditions.Expression.Type != expressionType:
		return r, httpapi.Invalid("conditions.expression.type", "conditions.expression.type: must be "+expressionType)
	case len(in.Conditions.People.Groups.Exclude) > 0:
		return r, httpapi.Invalid("conditions.people.groups.exclude",
			"conditions.people.groups.exclude: groups cannot be excluded: a condition reads the profile and no memberships")
	}
	return r, nil
}

// ruleError maps what the directory says of rules.
func ruleError(err error, id string) error {
	var invalid *directory.InvalidError
	switch {
	case errors.As(err, &invalid):
		return httpapi.Invalid(invalid.Field, invalid.Error())
	case errors.Is(err, directory.ErrRuleActive):
		return httpapi.Invalid("status", "status: "+directory.ErrRuleActive.Error())
	case errors.Is(err, directory.ErrTooManyRules):
		return httpapi.Invalid("groupRule", directory.ErrTooManyRules.Error())
	}
	return apiError(err, "groupRule", id, "GroupRule")
}

const (
	rulePage    = 50
	maxRulePage = 200
)

type listRulesInput struct {
	httpapi.Paging
	Search string `query:"search" doc:"Part of a name."`
}

func (h *handlers) listRules(ctx context.Context, in *listRulesInput) (*httpapi.List[ruleBody], error) {
	limit := in.Size(rulePage, maxRulePage)
	rules, err := h.dir.Rules(ctx, in.Search, in.After, limit+1)
	if err != nil {
		return nil, err
	}
	next := ""
	if len(rules) > limit {
		rules = rules[:limit]
		next = rules[limit-1].ID
	}
	out := make([]ruleBody, len(rules))
	for i, r := range rules {
		out[i] = showRule(r)
	}
	return httpapi.NewList(ctx, out, next), nil
}

type ruleOutput struct{ Body ruleBody }

type createRuleInput struct{ Body ruleInput }

func (h *handlers) createRule(ctx context.Context, in *createRuleInput) (*ruleOutput, error) {
	want, err := in.Body.rule()
	if err != nil {
		return nil, err
	}
	r, err := h.dir.CreateRule(ctx, change(ctx), want)
	if err != nil {
		return nil, ruleError(err, "")
	}
	return &ruleOutput{showRule(r)}, nil
}

func (h *handlers) readRule(ctx context.Context, in *httpapi.ByID) (*ruleOutput, error) {
	r, err := h.dir.Rule(ctx, in.ID)
	if err != nil {
		return nil, ruleError(err, in.ID)
	}
	return &ruleOutput{showRule(r)}, nil
}

type replaceRuleInput struct {
	httpapi.ByID
	Body ruleInput
}

func (h *handlers) replaceRule(ctx context.Context, in *replaceRuleInput) (*ruleOutput, error) {
	want, err := in.Body.rule()
	if err != nil {
		return nil, err
	}
	r, err := h.dir.UpdateRule(ctx, change(ctx), in.ID, want)
	if err != nil {
		return nil, ruleError(err, in.ID)
	}
	return &ruleOutput{showRule(r)}, nil
}

type endRuleInput struct {
	httpapi.ByID
	RemoveUsers bool `query:"removeUsers" doc:"Take back the memberships that the rule granted."`
}

func (h *handlers) deleteRule(ctx context.Context, in *endRuleInput) (*empty, error) {
	return nil, ruleError(h.dir.DeleteRule(ctx, change(ctx), in.ID, in.RemoveUsers), in.ID)
}

type ruleLifecycleInput struct {
	httpapi.ByID
	RemoveUsers bool   `query:"removeUsers" doc:"Of deactivate: take back the memberships that the rule granted."`
	Operation   string `path:"operation"`
}

func (h *handlers) ruleLifecycle(ctx context.Context, in *ruleLifecycleInput) (*empty, error) {
	switch in.Operation {
	case "activate":
		return nil, ruleError(h.dir.ActivateRule(ctx, change(ctx), in.ID), in.ID)
	case "deactivate":
		return nil, ruleError(h.dir.DeactivateRule(ctx, change(ctx), in.ID, in.RemoveUsers), in.ID)
	}
	return nil, huma.Error404NotFound("no such operation")
}
