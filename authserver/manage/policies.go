package manage

import (
	"context"

	"github.com/provost-id/provost/authserver"
	"github.com/provost-id/provost/internal/httpapi"
)

const policyType = "Policy"

type (
	// PolicyPath is what the path of a policy names.
	PolicyPath struct {
		ID       string `path:"id"`
		PolicyID string `path:"policyId"`
	}
	policyNew struct {
		ID   string `path:"id"`
		Body authserver.Policy
	}
	policyInput struct {
		PolicyPath
		Body authserver.Policy
	}
	policyOutput struct{ Body authserver.Policy }
)

func (h *handlers) listPolicies(ctx context.Context, in *serverID) (*httpapi.List[authserver.Policy], error) {
	all, err := h.s.Policies(ctx, in.ID)
	if err != nil {
		return nil, apiError(err, in.ID, serverType)
	}
	return httpapi.NewList(ctx, all, ""), nil
}

func (h *handlers) createPolicy(ctx context.Context, in *policyNew) (*policyOutput, error) {
	v, err := h.s.CreatePolicy(ctx, change(ctx), in.ID, in.Body)
	return &policyOutput{v}, apiError(err, in.ID, serverType)
}

func (h *handlers) readPolicy(ctx context.Context, in *PolicyPath) (*policyOutput, error) {
	v, err := h.s.Policy(ctx, in.ID, in.PolicyID)
	return &policyOutput{v}, apiError(err, in.PolicyID, policyType)
}

func (h *handlers) replacePolicy(ctx context.Context, in *policyInput) (*policyOutput, error) {
	v, err := h.s.UpdatePolicy(ctx, change(ctx), in.ID, in.PolicyID, in.Body)
	return &policyOutput{v}, apiError(err, in.PolicyID, policyType)
}

func (h *handlers) deletePolicy(ctx context.Context, in *PolicyPath) (*struct{}, error) {
	return nil, apiError(h.s.DeletePolicy(ctx, change(ctx), in.ID, in.PolicyID), in.PolicyID, policyType)
}

func (h *handlers) policyStatus(status string) func(context.Context, *PolicyPath) (*struct{}, error) {
	return func(ctx context.Context, in *PolicyPath) (*struct{}, error) {
		return nil, apiError(h.s.SetPolicyStatus(ctx, change(ctx), in.ID, in.PolicyID, status), in.PolicyID, policyType)
	}
}
