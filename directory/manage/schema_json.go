package manage

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/schemas"
	"github.com/provost-id/provost/schemas/scim"
)

// profileSchema is the schema of a kind of profile, as JSON Schema shows it.
type profileSchema struct {
	typ         string // resource type; empty of an app's
	urn         string // of the custom attributes; the ID of an app
	name, title string
	path        string // below /api/v1
}

var (
	userSchema  = profileSchema{typ: "User", urn: scim.OrgUser, name: "user", title: "User", path: "/meta/schemas/user/default"}
	groupSchema = profileSchema{typ: "Group", urn: scim.OrgGroup, name: "group", title: "Okta group", path: "/meta/schemas/group/default"}
)

// builtInGroup are the attributes of the group profile that are no custom ones.
var builtInGroup = []string{"description"}

// base shows the attributes that every organisation has.
func (h *handlers) base(s profileSchema) (map[string]property, []string) {
	shown, required := map[string]property{}, []string{}
	t, _ := h.dir.Schemas().Type(s.typ)
	for _, b := range t.Base() {
		shown[b.Name] = showBase(b)
		if b.Required {
			required = append(required, b.Name)
		}
	}
	if s.typ == "Group" {
		for _, name := range builtInGroup {
			shown[name] = property{
				Title: "Description", Type: "string", MaxLength: 1024, Mutability: "READ_WRITE", Scope: "NONE",
				Master: &master{Type: schemas.MasterProfile},
			}
		}
	}
	return shown, required
}

// custom shows the attributes that the organisation has added, but for those that JSON
// Schema has no form for.
func custom(as []schemas.Attribute, running []*directory.SchemaOperation, s profileSchema) (map[string]property, []string) {
	shown, required := map[string]property{}, []string{}
	for _, a := range as {
		if a.Type == schemas.Complex {
			continue
		}
		shown[a.Name] = showProperty(a, operationsOf(running, s.typ, s.urn, a.Name))
		if a.Required {
			required = append(required, a.Name)
		}
	}
	slices.Sort(required)
	return shown, required
}

func operationsOf(running []*directory.SchemaOperation, typ, urn, attribute string) (of []*directory.SchemaOperation) {
	for _, o := range running {
		if o.Type == typ && strings.EqualFold(o.Schema, urn) && strings.EqualFold(o.Attribute, attribute) {
			of = append(of, o)
		}
	}
	return of
}

// document is the JSON Schema of a profile.
func (h *handlers) document(ctx context.Context, s profileSchema) (*anyOutput, error) {
	running, err := h.dir.RunningOperations(ctx)
	if err != nil {
		return nil, err
	}
	defs := h.dir.Definitions()
	title, description, own := s.title, "", []schemas.Attribute(nil)
	if d := defs.Schema(s.urn); d != nil {
		title, description, own = orElse(d.Name, title), d.Description, d.Attributes
	}
	base, required := h.base(s)
	properties, customRequired := custom(own, running, s)
	return h.showSchema(ctx, s, title, description, definitions{base, required, properties, customRequired}), nil
}

// definitions are the two parts of a schema.
type definitions struct {
	base           map[string]property
	baseRequired   []string
	custom         map[string]property
	customRequired []string
}

func (h *handlers) showSchema(ctx context.Context, s profileSchema, title, description string, d definitions) *anyOutput {
	created, modified := h.dir.SchemaTimes(s.urn)
	self := httpapi.PublicURL(ctx) + "/api/v1" + s.path
	links := map[string]any{"self": map[string]any{"href": self, "method": "GET", "rel": "self"}}
	if s.typ == "User" {
		links["type"] = map[string]any{"href": httpapi.PublicURL(ctx) + "/api/v1/meta/types/user/default", "method": "GET", "rel": "type"}
	}
	return &anyOutput{Body: map[string]any{
		"id": self, "$schema": "http://json-schema.org/draft-04/schema#", "name": s.name, "title": title, "description": description, "type": "object",
		"created": httpapi.Stamp(created), "lastUpdated": httpapi.Stamp(modified),
		"definitions": map[string]any{
			"base":   map[string]any{"id": "#base", "type": "object", "properties": d.base, "required": d.baseRequired},
			"custom": map[string]any{"id": "#custom", "type": "object", "properties": d.custom, "required": d.customRequired},
		},
		"properties": map[string]any{"profile": map[string]any{"allOf": []any{
			map[string]any{"$ref": "#/definitions/custom"}, map[string]any{"$ref": "#/definitions/base"},
		}}},
		"_links": links,
	}}
}

// schemaOf serves a GET of a schema.
func (h *handlers) schemaOf(s profileSchema) func(context.Context, *struct{}) (*anyOutput, error) {
	return func(ctx context.Context, _ *struct{}) (*anyOutput, error) { return h.document(ctx, s) }
}

type schemaInput struct{ Body httpapi.RawBody }

// changeSchema serves a POST of a schema: it merges the properties that are given, and null
// removes one.
func (h *handlers) changeSchema(s profileSchema) func(context.Context, *schemaInput) (*anyOutput, error) {
	return func(ctx context.Context, in *schemaInput) (*anyOutput, error) {
		req, err := readSchemaRequest(in.Body)
		if err != nil {
			return nil, err
		}
		err = h.dir.ChangeSchema(ctx, change(ctx), directory.SchemaEdit{Edit: func(defs *schemas.Definitions) error {
			if err := h.editBase(defs, s, req.base); err != nil {
				return err
			}
			return editCustom(defs, s, req)
		}})
		if err != nil {
			return nil, schemaError(err, "definitions.custom.properties.")
		}
		return h.document(ctx, s)
	}
}

// schemaRequest is what a POST wants.
type schemaRequest struct {
	title, description *string
	base, custom       part
}

// part is one of the definitions of a request.
type part struct {
	properties map[string]json.RawMessage
	required   []string // nil when nothing is said
}

// readSchemaRequest reads the body of a POST. Whoever sends back what was read changes
// nothing.
func readSchemaRequest(body httpapi.RawBody) (req schemaRequest, err error) {
	for name, into := range map[string]**string{"title": &req.title, "description": &req.description} {
		if raw, ok := body[name]; ok && string(raw) != "null" {
			*into = new(string)
			if err := json.Unmarshal(raw, *into); err != nil {
				return req, httpapi.Invalid(name, name+": The value is of the wrong type")
			}
		}
	}
	var parts map[string]json.RawMessage
	if _, err := body.Field("definitions", &parts); err != nil {
		return req, err
	}
	for _, name := range slices.Sorted(maps.Keys(parts)) {
		into := map[string]*part{"base": &req.base, "custom": &req.custom}[name]
		if into == nil {
			return req, httpapi.Invalid("definitions", "definitions."+name+": there are only base and custom")
		}
		if err := into.read("definitions."+name, parts[name]); err != nil {
			return req, err
		}
	}
	return req, nil
}

func (p *part) read(at string, raw json.RawMessage) error {
	var in struct {
		Properties map[string]json.RawMessage `json:"properties"`
		Required   []string                   `json:"required"`
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		field := at
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) && wrong.Field != "" {
			field += "." + wrong.Field
		}
		return httpapi.Invalid(field, field+": The value is of the wrong type")
	}
	p.properties, p.required = in.Properties, in.Required
	return nil
}

// editCustom changes the custom attributes of a profile.
func editCustom(defs *schemas.Definitions, s profileSchema, req schemaRequest) error {
	d := defs.Schema(s.urn)
	if d == nil {
		defs.Schemas = append(defs.Schemas, schemas.Schema{ID: s.urn, Name: s.title})
		d = &defs.Schemas[len(defs.Schemas)-1]
	}
	if req.title != nil {
		d.Name = *req.title
	}
	if req.description != nil {
		d.Description = *req.description
	}
	var err error
	d.Attributes, err = editAttributes(d.Attributes, req.custom)
	if err == nil && len(d.Attributes) == 0 && req.title == nil && req.description == nil && len(req.custom.properties) == 0 {
		defs.Schemas = slices.DeleteFunc(defs.Schemas, func(x schemas.Schema) bool { return x.ID == s.urn })
	}
	return err
}

const customAt = "definitions.custom.properties."

// editAttributes merges properties into attributes. All that is wrong is told at once.
func editAttributes(as []schemas.Attribute, p part) ([]schemas.Attribute, error) {
	var causes []string
	code, first := "", ""
	for _, name := range slices.Sorted(maps.Keys(p.properties)) {
		next, err := editAttribute(as, name, p.properties[name])
		if err == nil {
			as = next
			continue
		}
		wrong, ok := errors.AsType[*keyError](err)
		if !ok {
			return nil, err
		}
		at := customAt + name
		if wrong.key != "" {
			at += "." + wrong.key
		}
		first, code = orElse(first, at), orElse(code, wrong.code)
		causes = append(causes, at+": "+wrong.reason)
	}
	if code != "" {
		return nil, httpapi.New(http.StatusBadRequest, code, "The enum and oneOf of a property must have the same values in the same order.", causes...)
	}
	if causes != nil {
		return nil, httpapi.Invalid(first, causes...)
	}
	return as, p.require(as)
}

func editAttribute(as []schemas.Attribute, name string, raw json.RawMessage) ([]schemas.Attribute, error) {
	i := slices.IndexFunc(as, func(a schemas.Attribute) bool { return a.Name == name })
	if string(raw) == "null" {
		if i < 0 {
			return as, nil // it is gone already
		}
		return slices.Delete(as, i, i+1), nil
	}
	var given keys
	if err := json.Unmarshal(raw, &given); err != nil || given == nil {
		return nil, wrongKey("", "want an object")
	}
	if i < 0 {
		for key, raw := range given {
			if string(raw) == "null" {
				delete(given, key)
			}
		}
		a, err := parseProperty(name, nil, given)
		return append(as, a), err
	}
	if as[i].Type == schemas.Complex {
		return nil, wrongKey("", "it is a complex attribute: change it at /api/v1/meta/schemas/scim/schemas")
	}
	merged, err := merge(showProperty(as[i], nil), given)
	if err != nil {
		return nil, err
	}
	as[i], err = parseProperty(name, &as[i], merged)
	return as, err
}

// require makes required what the list of the definition names; what is not in it is as its
// property says.
func (p part) require(as []schemas.Attribute) error {
	for _, name := range p.required {
		if string(p.properties[name]) == "null" {
			continue
		}
		i := slices.IndexFunc(as, func(a schemas.Attribute) bool { return a.Name == name })
		if i < 0 {
			return httpapi.Invalid("definitions.custom.required", "definitions.custom.required: there is no property "+name)
		}
		var given struct {
			Required *bool `json:"required"`
		}
		if raw, ok := p.properties[name]; ok && json.Unmarshal(raw, &given) == nil && given.Required != nil {
			continue // the property says it itself
		}
		as[i].Required = true
	}
	return nil
}
