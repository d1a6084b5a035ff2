package manage

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/schemas"
	"github.com/provost-id/provost/schemas/scim"
)

// scimType is a resource type (RFC 7643, section 6).
type scimType struct {
	Schemas          []string        `json:"schemas,omitempty"`
	ID               string          `json:"id,omitempty"`
	Name             string          `json:"name"`
	Endpoint         string          `json:"endpoint"`
	Description      string          `json:"description"`
	Schema           string          `json:"schema"`
	SchemaExtensions []scimExtension `json:"schemaExtensions"`
	Meta             any             `json:"meta,omitempty"`
	BuiltIn          bool            `json:"builtIn,omitempty"`
	Progress         []progress      `json:"_progress,omitempty"`
}

type scimExtension struct {
	Schema   string `json:"schema"`
	Required bool   `json:"required"`
}

func (h *handlers) showType(ctx context.Context, t *schemas.Type, running []*directory.SchemaOperation) scimType {
	created, modified := h.dir.SchemaTimes(t.Name)
	shown := scimType{
		Schemas: []string{scim.ResourceType}, ID: t.Name, Name: t.Name, Endpoint: t.Endpoint, Description: t.Description,
		Schema: t.SchemaIDs()[0], SchemaExtensions: []scimExtension{}, BuiltIn: isBuiltIn(t.Name),
		Meta: map[string]any{
			"resourceType": "ResourceType", "created": httpapi.Stamp(created), "lastModified": httpapi.Stamp(modified),
			"location": httpapi.PublicURL(ctx) + "/api/v1/meta/schemas/scim/resourceTypes/" + t.Name,
		},
	}
	for _, id := range t.SchemaIDs()[1:] {
		shown.SchemaExtensions = append(shown.SchemaExtensions, scimExtension{Schema: id, Required: t.RequiresExtension(id)})
	}
	for _, o := range running {
		if o.Type == t.Name && o.Attribute == "" {
			shown.Progress = append(shown.Progress, progress{Operation: o.ID, Kind: o.Kind, Done: o.Done, Total: o.Total})
		}
	}
	return shown
}

func isBuiltIn(name string) bool { return name == "User" || name == "Group" }

func (h *handlers) listTypes(ctx context.Context, _ *struct{}) (*anyOutput, error) {
	running, err := h.dir.RunningOperations(ctx)
	if err != nil {
		return nil, err
	}
	all := []scimType{}
	for _, t := range h.dir.Schemas().Types() {
		all = append(all, h.showType(ctx, t, running))
	}
	return &anyOutput{Body: all}, nil
}

type typeName struct {
	Name string `path:"name"`
}

func (h *handlers) readType(ctx context.Context, in *typeName) (*anyOutput, error) {
	running, err := h.dir.RunningOperations(ctx)
	if err != nil {
		return nil, err
	}
	t, ok := h.dir.Schemas().Type(in.Name)
	if !ok {
		return nil, httpapi.NotFound(in.Name, "ResourceType")
	}
	return &anyOutput{Body: h.showType(ctx, t, running)}, nil
}

// definition is what a request defines. The extensions that are built in are left out: they
// are always there.
func (t scimType) definition() schemas.TypeDefinition {
	d := schemas.TypeDefinition{Name: t.Name, Endpoint: t.Endpoint, Description: t.Description, Schema: t.Schema}
	for _, x := range t.SchemaExtensions {
		if isBuiltIn(t.Name) && slices.Contains([]string{scim.EnterpriseUser, scim.OrgUser, scim.OrgGroup}, x.Schema) {
			continue
		}
		d.Extensions = append(d.Extensions, schemas.ExtensionRef{Schema: x.Schema, Required: x.Required})
	}
	return d
}

// createType adds a resource type, whose core schema and extensions are there.
func (h *handlers) createType(ctx context.Context, in *schemaInput) (*anyOutput, error) {
	var t scimType
	if err := strict(in.Body, &t); err != nil {
		return nil, err
	}
	if isBuiltIn(t.Name) {
		return nil, httpapi.Conflict("name", "name: another resource type has this name")
	}
	err := h.dir.ChangeSchema(ctx, change(ctx), directory.SchemaEdit{Edit: func(defs *schemas.Definitions) error {
		defs.Types = append(defs.Types, t.definition())
		return nil
	}})
	if err != nil {
		return nil, schemaError(err, "")
	}
	return h.readType(ctx, &typeName{t.Name})
}

type replaceTypeInput struct {
	Name         string `path:"name"`
	RemoveValues bool   `query:"removeValues" doc:"Delete the values of extensions that the type loses."`
	Body         httpapi.RawBody
}

// replaceType changes the description and the extensions of a resource type, and the
// endpoint of one of the organisation's own. Of users and groups only extensions change.
func (h *handlers) replaceType(ctx context.Context, in *replaceTypeInput) (*anyOutput, error) {
	var t scimType
	if err := strict(in.Body, &t); err != nil {
		return nil, err
	}
	if t.Name != "" && t.Name != in.Name {
		return nil, httpapi.Invalid("name", "name: the name of a resource type never changes")
	}
	t.Name = in.Name
	d := t.definition()
	if is, ok := h.dir.Schemas().Type(in.Name); ok && isBuiltIn(in.Name) {
		if d.Endpoint != is.Endpoint || !strings.EqualFold(d.Schema, is.SchemaIDs()[0]) {
			return nil, httpapi.Invalid("endpoint", "endpoint: only the extensions of a resource type that is built in can be changed")
		}
		d.Endpoint, d.Schema, d.Description = "", "", ""
	}
	err := h.dir.ChangeSchema(ctx, change(ctx), directory.SchemaEdit{KeepValues: !in.RemoveValues, Edit: func(defs *schemas.Definitions) error {
		own := defs.Type(in.Name)
		switch {
		case own != nil:
			*own = d
		case isBuiltIn(in.Name):
			defs.Types = append(defs.Types, d)
		default:
			return httpapi.NotFound(in.Name, "ResourceType")
		}
		if isBuiltIn(in.Name) && len(d.Extensions) == 0 {
			defs.Types = slices.DeleteFunc(defs.Types, func(x schemas.TypeDefinition) bool { return x.Name == in.Name })
		}
		return nil
	}})
	if err != nil {
		return nil, schemaError(err, "")
	}
	return h.readType(ctx, &typeName{in.Name})
}

// deleteType removes a resource type that has no resources.
func (h *handlers) deleteType(ctx context.Context, in *typeName) (*empty, error) {
	if isBuiltIn(in.Name) {
		return nil, httpapi.New(http.StatusForbidden, httpapi.EReadOnly, "You cannot modify this object because it is built in")
	}
	err := h.dir.ChangeSchema(ctx, change(ctx), directory.SchemaEdit{Edit: func(defs *schemas.Definitions) error {
		if defs.Type(in.Name) == nil {
			return httpapi.NotFound(in.Name, "ResourceType")
		}
		defs.Types = slices.DeleteFunc(defs.Types, func(x schemas.TypeDefinition) bool { return x.Name == in.Name })
		return nil
	}})
	return nil, schemaError(err, "")
}
