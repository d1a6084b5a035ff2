package manage

import (
	"context"
	"net/http"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/httpapi"
)

// operationBody is what a change of the schema makes of the resources that are there.
type operationBody struct {
	ID           string         `json:"id"`
	Kind         string         `json:"kind"`
	Status       string         `json:"status"`
	Reason       string         `json:"reason,omitempty"`
	ResourceType string         `json:"resourceType"`
	Schema       string         `json:"schema,omitempty"`
	Attribute    string         `json:"attribute,omitempty"`
	Done         int64          `json:"done"`
	Total        int64          `json:"total"`
	Created      *string        `json:"created"`
	Finished     *string        `json:"finished"`
	Links        map[string]any `json:"_links"`
}

func showOperation(ctx context.Context, o *directory.SchemaOperation) operationBody {
	return operationBody{
		ID: o.ID, Kind: o.Kind, Status: o.Status, Reason: o.Reason, ResourceType: o.Type, Schema: o.Schema, Attribute: o.Attribute,
		Done: o.Done, Total: o.Total, Created: httpapi.Stamp(o.Created), Finished: httpapi.Stamp(o.Finished),
		Links: map[string]any{"self": map[string]any{"href": httpapi.PublicURL(ctx) + "/api/v1/meta/schemas/operations/" + o.ID}},
	}
}

// listOperations lists the newest first.
func (h *handlers) listOperations(ctx context.Context, in *httpapi.Paging) (*httpapi.List[operationBody], error) {
	limit := in.Size(maxLimit, maxLimit)
	all, err := h.dir.SchemaOperations(ctx, in.After, limit+1)
	if err != nil {
		return nil, err
	}
	next := ""
	if len(all) > limit {
		all = all[:limit]
		next = all[limit-1].ID
	}
	shown := make([]operationBody, len(all))
	for i, o := range all {
		shown[i] = showOperation(ctx, o)
	}
	return httpapi.NewList(ctx, shown, next), nil
}

type operationOutput struct{ Body operationBody }

func (h *handlers) readOperation(ctx context.Context, in *httpapi.ByID) (*operationOutput, error) {
	o, err := h.dir.SchemaOperation(ctx, in.ID)
	if err != nil {
		return nil, apiError(err, "", in.ID, "SchemaOperation")
	}
	return &operationOutput{showOperation(ctx, o)}, nil
}

// defaultType is the ID of the only user type there is.
const defaultType = "default"

// userType shows the user type that everybody has.
func userType(ctx context.Context) map[string]any {
	base := httpapi.PublicURL(ctx) + "/api/v1/meta/"
	return map[string]any{
		"id": defaultType, "name": "user", "displayName": "User", "description": "Everybody has this type.", "default": true,
		"_links": map[string]any{
			"self":   map[string]any{"href": base + "types/user/" + defaultType, "method": "GET", "rel": "self"},
			"schema": map[string]any{"href": base + "schemas/user/default", "method": "GET", "rel": "schema"},
		},
	}
}

func (h *handlers) listUserTypes(ctx context.Context, _ *struct{}) (*anyOutput, error) {
	return &anyOutput{Body: []map[string]any{userType(ctx)}}, nil
}

func (h *handlers) readUserType(ctx context.Context, in *httpapi.ByID) (*anyOutput, error) {
	if in.ID != defaultType {
		return nil, httpapi.NotFound(in.ID, "UserType")
	}
	return &anyOutput{Body: userType(ctx)}, nil
}

func (h *handlers) deleteUserType(_ context.Context, in *httpapi.ByID) (*empty, error) {
	if in.ID != defaultType {
		return nil, httpapi.NotFound(in.ID, "UserType")
	}
	return nil, httpapi.New(http.StatusForbidden, httpapi.EUserType, "User type cannot be deleted.", "it is the default user type")
}
