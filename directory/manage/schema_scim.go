package manage

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/schemas"
	"github.com/provost-id/provost/schemas/scim"
)

// Schemas in the words of SCIM (RFC 7643, section 7), for what JSON Schema has no form for:
// extensions, core schemas of resource types, complex attributes.

// scimAttribute is an attribute definition with what provost adds to it.
type scimAttribute struct {
	Name            string          `json:"name"`
	Type            string          `json:"type"`
	SubAttributes   []scimAttribute `json:"subAttributes,omitempty"`
	MultiValued     bool            `json:"multiValued"`
	Description     string          `json:"description"`
	Required        bool            `json:"required"`
	CanonicalValues []string        `json:"canonicalValues,omitempty"`
	CaseExact       bool            `json:"caseExact"`
	Mutability      string          `json:"mutability"`
	Returned        string          `json:"returned"`
	Uniqueness      string          `json:"uniqueness"`
	ReferenceTypes  []string        `json:"referenceTypes,omitempty"`

	Title     string     `json:"title,omitempty"`
	MinLength int        `json:"minLength,omitempty"`
	MaxLength int        `json:"maxLength,omitempty"`
	Minimum   *float64   `json:"minimum,omitempty"`
	Maximum   *float64   `json:"maximum,omitempty"`
	Pattern   string     `json:"pattern,omitempty"`
	Enum      []string   `json:"enum,omitempty"`
	Format    string     `json:"format,omitempty"`
	Default   any        `json:"default,omitempty"`
	Indexed   *bool      `json:"indexed,omitempty"`
	Progress  []progress `json:"_progress,omitempty"`
}

type scimSchema struct {
	Schemas     []string        `json:"schemas,omitempty"`
	ID          string          `json:"id"`
	Name        string          `json:"name"`
	Description string          `json:"description"`
	Attributes  []scimAttribute `json:"attributes"`
	Meta        any             `json:"meta,omitempty"`
	BuiltIn     bool            `json:"builtIn,omitempty"`
	// ResourceTypes are those that have the schema.
	ResourceTypes []string `json:"resourceTypes,omitempty"`
}

// attribute is the definition that a request gives. What a schema of the organisation's
// own says beside it, as permissions, stays as it was.
func (s scimAttribute) attribute(was *schemas.Attribute) schemas.Attribute {
	a := schemas.Attribute{}
	if was != nil {
		a.View, a.Int32 = was.View, was.Int32
	}
	a.Name, a.Type, a.MultiValued, a.Description, a.Required = s.Name, schemas.DataType(s.Type), s.MultiValued, s.Description, s.Required
	a.CaseExact, a.Mutability, a.Returned, a.Uniqueness = s.CaseExact, s.Mutability, s.Returned, s.Uniqueness
	a.CanonicalValues, a.ReferenceTypes, a.Unindexed = s.CanonicalValues, s.ReferenceTypes, s.Indexed != nil && !*s.Indexed
	a.Rules = schemas.Rules{
		MinLength: s.MinLength, MaxLength: s.MaxLength, Minimum: s.Minimum, Maximum: s.Maximum, Pattern: s.Pattern, Enum: s.Enum,
		Format: s.Format, Default: s.Default, Int32: a.Int32,
	}
	if a.Title = s.Title; len(a.Titles) != len(a.Enum) {
		a.Titles = nil
	}
	var subs []schemas.Attribute
	if was != nil {
		subs = was.SubAttributes
	}
	a.SubAttributes = attributesOf(s.SubAttributes, subs)
	return a
}

func attributesOf(given []scimAttribute, was []schemas.Attribute) []schemas.Attribute {
	if given == nil {
		return nil
	}
	as := make([]schemas.Attribute, len(given))
	for i, s := range given {
		old := (&schemas.Schema{Attributes: was}).Attribute(s.Name)
		as[i] = s.attribute(old)
	}
	return as
}

func showSCIM(a schemas.Attribute, path string, progressOf func(path string) []progress) scimAttribute {
	s := scimAttribute{
		Name: a.Name, Type: string(a.Type), MultiValued: a.MultiValued, Description: a.Description, Required: a.Required,
		CanonicalValues: a.CanonicalValues, CaseExact: a.CaseExact, Mutability: orElse(a.Mutability, schemas.ReadWrite),
		Returned: orElse(a.Returned, schemas.ReturnedDefault), Uniqueness: orElse(a.Uniqueness, schemas.UniqueNone),
		ReferenceTypes: a.ReferenceTypes, Title: a.Title, MinLength: a.MinLength, MaxLength: a.MaxLength, Minimum: a.Minimum,
		Maximum: a.Maximum, Pattern: a.Pattern, Enum: a.Enum, Format: a.Format, Default: a.Default, Progress: progressOf(path + a.Name),
	}
	if a.Unindexed {
		s.Indexed = new(bool)
	}
	for _, sub := range a.SubAttributes {
		s.SubAttributes = append(s.SubAttributes, showSCIM(sub, path+a.Name+".", progressOf))
	}
	return s
}

// showSchemaOf shows a schema, with what is under way for its attributes.
func (h *handlers) showSchemaOf(ctx context.Context, s schemas.Schema, builtIn bool, running []*directory.SchemaOperation) scimSchema {
	progressOf := func(path string) (all []progress) {
		for _, o := range running {
			if strings.EqualFold(o.Schema, s.ID) && strings.EqualFold(o.Attribute, path) {
				all = append(all, progress{Operation: o.ID, Kind: o.Kind, Done: o.Done, Total: o.Total})
			}
		}
		return all
	}
	created, modified := h.dir.SchemaTimes(s.ID)
	shown := scimSchema{
		Schemas: []string{scim.Schema}, ID: s.ID, Name: s.Name, Description: s.Description, Attributes: []scimAttribute{}, BuiltIn: builtIn,
		Meta: map[string]any{
			"resourceType": "Schema", "created": httpapi.Stamp(created), "lastModified": httpapi.Stamp(modified),
			"location": httpapi.PublicURL(ctx) + "/api/v1/meta/schemas/scim/schemas/" + s.ID,
		},
	}
	for _, a := range s.Attributes {
		shown.Attributes = append(shown.Attributes, showSCIM(a, "", progressOf))
	}
	for _, t := range h.dir.Schemas().Types() {
		if slices.ContainsFunc(t.SchemaIDs(), func(id string) bool { return strings.EqualFold(id, s.ID) }) {
			shown.ResourceTypes = append(shown.ResourceTypes, t.Name)
		}
	}
	return shown
}

// allSchemas are the built-in schemas, and those of the organisation.
func (h *handlers) allSchemas() (builtIn, own []schemas.Schema) {
	for _, t := range schemas.Default() {
		builtIn = append(builtIn, t.Core)
		for _, x := range t.Extensions {
			if x.Schema.ID != scim.OrgUser && x.Schema.ID != scim.OrgGroup {
				builtIn = append(builtIn, x.Schema)
			}
		}
	}
	return builtIn, h.dir.Definitions().Schemas
}

func (h *handlers) listSCIMSchemas(ctx context.Context, _ *struct{}) (*anyOutput, error) {
	running, err := h.dir.RunningOperations(ctx)
	if err != nil {
		return nil, err
	}
	builtIn, own := h.allSchemas()
	all := []scimSchema{}
	for _, s := range builtIn {
		all = append(all, h.showSchemaOf(ctx, s, true, running))
	}
	for _, s := range own {
		all = append(all, h.showSchemaOf(ctx, s, false, running))
	}
	return &anyOutput{Body: all}, nil
}

type scimSchemaID struct {
	URN string `path:"urn"`
}

func (h *handlers) readSCIMSchema(ctx context.Context, in *scimSchemaID) (*anyOutput, error) {
	running, err := h.dir.RunningOperations(ctx)
	if err != nil {
		return nil, err
	}
	builtIn, own := h.allSchemas()
	for i, list := range [][]schemas.Schema{builtIn, own} {
		for _, s := range list {
			if strings.EqualFold(s.ID, in.URN) {
				return &anyOutput{Body: h.showSchemaOf(ctx, s, i == 0, running)}, nil
			}
		}
	}
	return nil, httpapi.NotFound(in.URN, "Schema")
}

// createSCIMSchema adds a schema. It is in no resource type yet.
func (h *handlers) createSCIMSchema(ctx context.Context, in *schemaInput) (*anyOutput, error) {
	var s scimSchema
	if err := strict(in.Body, &s); err != nil {
		return nil, err
	}
	err := h.dir.ChangeSchema(ctx, change(ctx), directory.SchemaEdit{Edit: func(defs *schemas.Definitions) error {
		defs.Schemas = append(defs.Schemas, schemas.Schema{
			ID: s.ID, Name: s.Name, Description: s.Description, Attributes: attributesOf(s.Attributes, nil),
		})
		return nil
	}})
	if err != nil {
		return nil, schemaError(err, "attributes.")
	}
	return h.readSCIMSchema(ctx, &scimSchemaID{URN: s.ID})
}

type replaceSCIMSchemaInput struct {
	URN          string `path:"urn"`
	RemoveValues bool   `query:"removeValues" doc:"Delete the values of attributes that the new definition does not have."`
	Body         httpapi.RawBody
}

// replaceSCIMSchema makes the attributes of a schema what the body says.
func (h *handlers) replaceSCIMSchema(ctx context.Context, in *replaceSCIMSchemaInput) (*anyOutput, error) {
	var s scimSchema
	if err := strict(in.Body, &s); err != nil {
		return nil, err
	}
	if s.ID != "" && !strings.EqualFold(s.ID, in.URN) {
		return nil, httpapi.Invalid("id", "id: the URN of a schema never changes")
	}
	err := h.dir.ChangeSchema(ctx, change(ctx), directory.SchemaEdit{KeepValues: !in.RemoveValues, Edit: func(defs *schemas.Definitions) error {
		own := defs.Schema(in.URN)
		if own == nil {
			return h.notOwn(in.URN)
		}
		own.Name, own.Description, own.Attributes = s.Name, s.Description, attributesOf(s.Attributes, own.Attributes)
		return nil
	}})
	if err != nil {
		return nil, schemaError(err, "attributes.")
	}
	return h.readSCIMSchema(ctx, &scimSchemaID{URN: in.URN})
}

// notOwn is the error for a schema that the organisation has not defined: one that is built
// in, or none.
func (h *handlers) notOwn(urn string) error {
	builtIn, _ := h.allSchemas()
	for _, s := range builtIn {
		if strings.EqualFold(s.ID, urn) {
			return httpapi.New(http.StatusForbidden, httpapi.EReadOnly, "You cannot modify this object because it is built in")
		}
	}
	return httpapi.NotFound(urn, "Schema")
}

// deleteSCIMSchema removes a schema that no resource type has.
func (h *handlers) deleteSCIMSchema(ctx context.Context, in *scimSchemaID) (*empty, error) {
	err := h.dir.ChangeSchema(ctx, change(ctx), directory.SchemaEdit{Edit: func(defs *schemas.Definitions) error {
		s := defs.Schema(in.URN)
		if s == nil {
			return h.notOwn(in.URN)
		}
		if s.ID == scim.OrgUser || s.ID == scim.OrgGroup {
			return httpapi.New(http.StatusForbidden, httpapi.EReadOnly, "You cannot modify this object because it is built in", "its attributes can be removed")
		}
		for _, t := range defs.Types {
			uses := func(x schemas.ExtensionRef) bool { return strings.EqualFold(x.Schema, s.ID) }
			if strings.EqualFold(t.Schema, s.ID) || slices.ContainsFunc(t.Extensions, uses) {
				return httpapi.Conflict(s.ID, s.ID+": the resource type "+t.Name+" has this schema")
			}
		}
		defs.Schemas = slices.DeleteFunc(defs.Schemas, func(x schemas.Schema) bool { return x.ID == s.ID })
		return nil
	}})
	return nil, schemaError(err, "attributes.")
}

// strict decodes a body. A member that is not known is refused: to accept it would promise
// what nothing does.
func strict(body httpapi.RawBody, into any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return httpapi.Malformed()
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	err = d.Decode(into)
	var wrong *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &wrong):
		return httpapi.Invalid(wrong.Field, wrong.Field+": The value is of the wrong type")
	}
	reason := strings.TrimPrefix(err.Error(), "json: ")
	return httpapi.Invalid("body", reason)
}
