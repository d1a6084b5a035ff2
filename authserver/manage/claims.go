package manage

import (
	"context"

	"github.com/provost-id/provost/authserver"
	"github.com/provost-id/provost/internal/httpapi"
)

const claimType = "OAuth2Claim"

type (
	// ClaimPath is what the path of a claim names.
	ClaimPath struct {
		ID      string `path:"id"`
		ClaimID string `path:"claimId"`
	}
	claimNew struct {
		ID   string `path:"id"`
		Body authserver.Claim
	}
	claimInput struct {
		ClaimPath
		Body authserver.Claim
	}
	claimOutput struct{ Body authserver.Claim }
)

func (h *handlers) listClaims(ctx context.Context, in *serverID) (*httpapi.List[authserver.Claim], error) {
	all, err := h.s.Claims(ctx, in.ID)
	if err != nil {
		return nil, apiError(err, in.ID, serverType)
	}
	return httpapi.NewList(ctx, all, ""), nil
}

func (h *handlers) createClaim(ctx context.Context, in *claimNew) (*claimOutput, error) {
	v, err := h.s.CreateClaim(ctx, change(ctx), in.ID, in.Body)
	return &claimOutput{v}, apiError(err, in.ID, serverType)
}

func (h *handlers) readClaim(ctx context.Context, in *ClaimPath) (*claimOutput, error) {
	v, err := h.s.Claim(ctx, in.ID, in.ClaimID)
	return &claimOutput{v}, apiError(err, in.ClaimID, claimType)
}

func (h *handlers) replaceClaim(ctx context.Context, in *claimInput) (*claimOutput, error) {
	v, err := h.s.UpdateClaim(ctx, change(ctx), in.ID, in.ClaimID, in.Body)
	return &claimOutput{v}, apiError(err, in.ClaimID, claimType)
}

func (h *handlers) deleteClaim(ctx context.Context, in *ClaimPath) (*struct{}, error) {
	return nil, apiError(h.s.DeleteClaim(ctx, change(ctx), in.ID, in.ClaimID), in.ClaimID, claimType)
}
