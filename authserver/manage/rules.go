package manage

import (
	"context"

	"github.com/provost-id/provost/authserver"
	"github.com/provost-id/provost/internal/httpapi"
)

const ruleType = "PolicyRule"

type (
	// RulePath is what the path of a rule names.
	RulePath struct {
		PolicyPath
		RuleID string `path:"ruleId"`
	}
	ruleNew struct {
		PolicyPath
		Body authserver.Rule
	}
	ruleInput struct {
		RulePath
		Body authserver.Rule
	}
	ruleOutput struct{ Body authserver.Rule }
)

func (h *handlers) listRules(ctx context.Context, in *PolicyPath) (*httpapi.List[authserver.Rule], error) {
	all, err := h.s.Rules(ctx, in.ID, in.PolicyID)
	if err != nil {
		return nil, apiError(err, in.PolicyID, policyType)
	}
	return httpapi.NewList(ctx, all, ""), nil
}

func (h *handlers) createRule(ctx context.Context, in *ruleNew) (*ruleOutput, error) {
	v, err := h.s.CreateRule(ctx, change(ctx), in.ID, in.PolicyID, in.Body)
	return &ruleOutput{v}, apiError(err, in.PolicyID, policyType)
}

func (h *handlers) readRule(ctx context.Context, in *RulePath) (*ruleOutput, error) {
	v, err := h.s.Rule(ctx, in.ID, in.PolicyID, in.RuleID)
	return &ruleOutput{v}, apiError(err, in.RuleID, ruleType)
}

func (h *handlers) replaceRule(ctx context.Context, in *ruleInput) (*ruleOutput, error) {
	v, err := h.s.UpdateRule(ctx, change(ctx), in.ID, in.PolicyID, in.RuleID, in.Body)
	return &ruleOutput{v}, apiError(err, in.RuleID, ruleType)
}

func (h *handlers) deleteRule(ctx context.Context, in *RulePath) (*struct{}, error) {
	return nil, apiError(h.s.DeleteRule(ctx, change(ctx), in.ID, in.PolicyID, in.RuleID), in.RuleID, ruleType)
}

func (h *handlers) ruleStatus(status string) func(context.Context, *RulePath) (*struct{}, error) {
	return func(ctx context.Context, in *RulePath) (*struct{}, error) {
		return nil, apiError(h.s.SetRuleStatus(ctx, change(ctx), in.ID, in.PolicyID, in.RuleID, status), in.RuleID, ruleType)
	}
}
