package manage

import (
	"context"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/httpapi"
)

// mappingBody is a mapping (the contract).
type mappingBody struct {
	ID         string                        `json:"id"`
	Source     partnerBody                   `json:"source"`
	Target     partnerBody                   `json:"target"`
	Properties map[string]directory.Property `json:"properties"`
}

type partnerBody struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Type string `json:"type"`
}

func showMapping(m *directory.Mapping) mappingBody {
	return mappingBody{
		ID: m.ID, Properties: m.Properties,
		Source: partnerBody{m.Source.ID, m.Source.Name, m.Source.Type},
		Target: partnerBody{m.Target.ID, m.Target.Name, m.Target.Type},
	}
}

type listMappingsInput struct {
	httpapi.Paging
	SourceID string `query:"sourceId"`
	TargetID string `query:"targetId"`
}

func (h *handlers) listMappings(ctx context.Context, in *listMappingsInput) (*httpapi.List[mappingBody], error) {
	limit := in.Size(20, maxPage)
	all, err := h.dir.Mappings(ctx, in.SourceID, in.TargetID, in.After, limit+1)
	if err != nil {
		return nil, err
	}
	all, next := cut(all, limit, func(m *directory.Mapping) string { return m.ID })
	out := make([]mappingBody, len(all))
	for i, m := range all {
		out[i] = showMapping(m)
	}
	return httpapi.NewList(ctx, out, next), nil
}

type mappingOutput struct{ Body mappingBody }

func (h *handlers) readMapping(ctx context.Context, in *httpapi.ByID) (*mappingOutput, error) {
	m, err := h.dir.Mapping(ctx, in.ID)
	if err != nil {
		return nil, mappingError(err, in.ID)
	}
	return &mappingOutput{showMapping(m)}, nil
}

type updateMappingInput struct {
	httpapi.ByID
	Body struct {
		Properties map[string]*directory.Property `json:"properties"`
	}
}

// updateMapping merges: a property that is null is removed.
func (h *handlers) updateMapping(ctx context.Context, in *updateMappingInput) (*mappingOutput, error) {
	m, err := h.dir.UpdateMapping(ctx, change(ctx), in.ID, in.Body.Properties)
	if err != nil {
		return nil, mappingError(err, in.ID)
	}
	return &mappingOutput{showMapping(m)}, nil
}
