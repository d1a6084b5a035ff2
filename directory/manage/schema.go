package manage

import (
	"context"
	"slices"

	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/schemas"
)

// property is an attribute as JSON Schema draft-04 with the keys of section 3.1 of the
// contract shows it.
type property struct {
	Title       string         `json:"title"`
	Type        string         `json:"type"`
	Required    bool           `json:"required,omitempty"`
	MinLength   int            `json:"minLength,omitempty"`
	MaxLength   int            `json:"maxLength,omitempty"`
	Format      string         `json:"format,omitempty"`
	Mutability  string         `json:"mutability"`
	Scope       string         `json:"scope"`
	Permissions []permission   `json:"permissions,omitempty"`
	Master      map[string]any `json:"master"`
}

type permission struct {
	Principal string `json:"principal"`
	Action    string `json:"action"`
}

// userSchema serves the base attributes, and the names that the organisation has added.
func (h *handlers) userSchema(ctx context.Context, _ *struct{}) (*anyOutput, error) {
	base, required := map[string]property{}, []string{}
	for _, a := range schemas.BaseAttributes() {
		base[a.Name] = property{
			Title: a.Title, Type: a.Type, Required: a.Required, MinLength: a.Min, MaxLength: a.Max, Format: a.Format,
			Mutability: "READ_WRITE", Scope: "NONE", Permissions: []permission{{"SELF", a.Self}},
			Master: map[string]any{"type": "PROFILE_MASTER"},
		}
		if a.Required {
			required = append(required, a.Name)
		}
	}
	self := httpapi.PublicURL(ctx) + "/api/v1/meta/schemas/user/default"
	return &anyOutput{Body: map[string]any{
		"id": self, "$schema": "http://json-schema.org/draft-04/schema#", "name": "user", "title": "User", "type": "object",
		"definitions": map[string]any{
			"base":   map[string]any{"id": "#base", "type": "object", "properties": base, "required": required},
			"custom": map[string]any{"id": "#custom", "type": "object", "properties": h.customProperties(base), "required": []string{}},
		},
		"properties": map[string]any{"profile": map[string]any{"allOf": []any{
			map[string]any{"$ref": "#/definitions/custom"}, map[string]any{"$ref": "#/definitions/base"},
		}}},
		"_links": map[string]any{"self": map[string]any{"href": self, "method": "GET", "rel": "self"}},
	}}, nil
}

func (h *handlers) customProperties(base map[string]property) map[string]property {
	custom := map[string]property{}
	t, _ := h.dir.Schemas().Type("User")
	for _, name := range slices.Sorted(slices.Values(t.ProfileNames())) {
		if _, ok := base[name]; !ok {
			custom[name] = property{Title: name, Type: "string", Mutability: "READ_WRITE", Scope: "NONE", Master: map[string]any{"type": "OKTA"}}
		}
	}
	return custom
}
