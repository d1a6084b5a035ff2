package manage

import (
	"context"

	"github.com/provost-id/provost/authserver"
	"github.com/provost-id/provost/internal/httpapi"
)

const scopeType = "OAuth2Scope"

type (
	// ScopePath is what the path of a scope names. It is exported because huma passes
	// over embedded fields that are not.
	ScopePath struct {
		ID      string `path:"id"`
		ScopeID string `path:"scopeId"`
	}
	scopeNew struct {
		ID   string `path:"id"`
		Body authserver.Scope
	}
	scopeInput struct {
		ScopePath
		Body authserver.Scope
	}
	scopeOutput struct{ Body authserver.Scope }
)

func (h *handlers) listScopes(ctx context.Context, in *serverID) (*httpapi.List[authserver.Scope], error) {
	all, err := h.s.Scopes(ctx, in.ID)
	if err != nil {
		return nil, apiError(err, in.ID, serverType)
	}
	return httpapi.NewList(ctx, all, ""), nil
}

func (h *handlers) createScope(ctx context.Context, in *scopeNew) (*scopeOutput, error) {
	v, err := h.s.CreateScope(ctx, change(ctx), in.ID, in.Body)
	return &scopeOutput{v}, apiError(err, in.ID, serverType)
}

func (h *handlers) readScope(ctx context.Context, in *ScopePath) (*scopeOutput, error) {
	v, err := h.s.Scope(ctx, in.ID, in.ScopeID)
	return &scopeOutput{v}, apiError(err, in.ScopeID, scopeType)
}

func (h *handlers) replaceScope(ctx context.Context, in *scopeInput) (*scopeOutput, error) {
	v, err := h.s.UpdateScope(ctx, change(ctx), in.ID, in.ScopeID, in.Body)
	return &scopeOutput{v}, apiError(err, in.ScopeID, scopeType)
}

func (h *handlers) deleteScope(ctx context.Context, in *ScopePath) (*struct{}, error) {
	return nil, apiError(h.s.DeleteScope(ctx, change(ctx), in.ID, in.ScopeID), in.ScopeID, scopeType)
}
