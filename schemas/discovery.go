package schemas

import (
	"encoding/json"
	"fmt"
	"slices"

	vocabulary "github.com/elimity-com/scim/schema"

	"github.com/provost-id/provost/schemas/scim"
)

// The discovery documents of RFC 7643, section 7 and 6, as RFC 7644, section 4, serves
// them. Schemas are spelled by the vocabulary of elimity-com/scim; everything else is
// ours, because its documents have empty strings where a URI is unset.

// SchemasJSON is the body of GET /Schemas; base is the URL of the SCIM service.
func (s *Snapshot) SchemasJSON(base string) []byte {
	var all []json.RawMessage
	for _, sc := range s.schemas() {
		all = append(all, schemaJSON(base, sc))
	}
	return listJSON(all)
}

// SchemaJSON is the body of GET /Schemas/{id}.
func (s *Snapshot) SchemaJSON(base, id string) ([]byte, bool) {
	for _, sc := range s.schemas() {
		if lower(sc.ID) == lower(id) {
			return schemaJSON(base, sc), true
		}
	}
	return nil, false
}

// schemas returns every schema once: two resource types may share an extension.
func (s *Snapshot) schemas() []Schema {
	var all []Schema
	seen := map[string]bool{}
	add := func(sc Schema) {
		if !seen[lower(sc.ID)] {
			seen[lower(sc.ID)] = true
			all = append(all, sc)
		}
	}
	for _, t := range s.types {
		add(t.def.Core)
		for _, x := range t.def.shownExtensions() {
			add(x.Schema)
		}
	}
	return all
}

// shownExtensions are those with attributes: RFC 7643, section 7, requires some of a
// schema, so that one without is not there yet.
func (rt ResourceType) shownExtensions() []Extension {
	return slices.DeleteFunc(slices.Clone(rt.Extensions), func(x Extension) bool { return len(x.Schema.Attributes) == 0 })
}

// spell turns a schema into the vocabulary's and back into JSON members.
func spell(sc Schema) (map[string]any, error) {
	sc.Attributes = listed(sc.Attributes)
	b, err := json.Marshal(sc)
	if err != nil {
		return nil, err
	}
	var v vocabulary.Schema
	if err := json.Unmarshal(b, &v); err != nil {
		return nil, fmt.Errorf("schema %s: %w", sc.ID, err)
	}
	return v.ToMap(), nil
}

// listed returns the attributes that discovery shows; an empty list for none.
func listed(as []Attribute) []Attribute {
	shown := make([]Attribute, 0, len(as))
	for _, a := range as {
		if len(a.SubAttributes) > 0 {
			a.SubAttributes = listed(a.SubAttributes)
		}
		shown = append(shown, a)
	}
	return shown
}

func schemaJSON(base string, sc Schema) []byte {
	m, err := spell(sc)
	if err != nil {
		panic(err) // Compile has spelled it before
	}
	m["meta"] = scim.Meta{ResourceType: "Schema", Location: base + "/Schemas/" + sc.ID}
	return mustMarshal(m)
}

// resourceType is the wire form of a resource type (RFC 7643, section 6).
type resourceType struct {
	Schemas     []string          `json:"schemas"`
	ID          string            `json:"id"`
	Name        string            `json:"name"`
	Endpoint    string            `json:"endpoint"`
	Description string            `json:"description,omitempty"`
	Schema      string            `json:"schema"`
	Extensions  []schemaExtension `json:"schemaExtensions,omitempty"`
	Meta        scim.Meta         `json:"meta"`
}

type schemaExtension struct {
	Schema   string `json:"schema"`
	Required bool   `json:"required"`
}

// ResourceTypesJSON is the body of GET /ResourceTypes.
func (s *Snapshot) ResourceTypesJSON(base string) []byte {
	var all []json.RawMessage
	for _, t := range s.types {
		all = append(all, t.typeJSON(base))
	}
	return listJSON(all)
}

// ResourceTypeJSON is the body of GET /ResourceTypes/{name}.
func (s *Snapshot) ResourceTypeJSON(base, name string) ([]byte, bool) {
	t, ok := s.Type(name)
	if !ok {
		return nil, false
	}
	return t.typeJSON(base), true
}

// SchemaIDs returns the URNs of the schemas of the type, that of its core first.
func (t *Type) SchemaIDs() []string {
	ids := []string{t.def.Core.ID}
	for _, x := range t.def.Extensions {
		ids = append(ids, x.Schema.ID)
	}
	return ids
}

// RequiresExtension says whether every resource of the type has the extension.
func (t *Type) RequiresExtension(id string) bool {
	return slices.ContainsFunc(t.def.Extensions, func(x Extension) bool { return x.Required && lower(x.Schema.ID) == lower(id) })
}

func (t *Type) typeJSON(base string) []byte {
	rt := resourceType{
		Schemas: []string{scim.ResourceType}, ID: t.Name, Name: t.Name, Endpoint: t.Endpoint,
		Description: t.Description, Schema: t.def.Core.ID,
		Meta: scim.Meta{ResourceType: "ResourceType", Location: base + "/ResourceTypes/" + t.Name},
	}
	for _, x := range t.def.shownExtensions() {
		rt.Extensions = append(rt.Extensions, schemaExtension{Schema: x.Schema.ID, Required: x.Required})
	}
	return mustMarshal(rt)
}

func listJSON(all []json.RawMessage) []byte {
	return mustMarshal(scim.ListResponse{
		Schemas: []string{scim.MessageList}, TotalResults: len(all), StartIndex: 1,
		ItemsPerPage: len(all), Resources: all,
	})
}

// mustMarshal marshals what always can be.
func mustMarshal(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}
