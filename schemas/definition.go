package schemas

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/provost-id/provost/schemas/scim"
)

// Definitions are all that an organisation has defined beyond Default.
type Definitions struct {
	// Schemas are extensions and core schemas. Those of scim.OrgUser and scim.OrgGroup
	// are the custom attributes of users and groups, without the built-in ones.
	Schemas []Schema
	// Types are the resource types of its own. User and Group may be among them, for the
	// extensions they have beyond the built-in ones, and for nothing else.
	Types []TypeDefinition
	// Base are changes of base attributes, by "User.login".
	Base map[string]BaseChange
	// Apps are the attributes that the profile at an app has beside those of its kind, by
	// the ID of the app.
	Apps map[string][]Attribute
}

// TypeDefinition defines a resource type (RFC 7643, section 6).
type TypeDefinition struct {
	Name        string         `json:"name"`
	Endpoint    string         `json:"endpoint"`
	Description string         `json:"description,omitempty"`
	Schema      string         `json:"schema"` // URN of the core schema
	Extensions  []ExtensionRef `json:"extensions,omitempty"`
}

// ExtensionRef names a schema that extends a resource type.
type ExtensionRef struct {
	Schema   string `json:"schema"`
	Required bool   `json:"required"`
}

// BaseChange is what an organisation may change of a base attribute.
type BaseChange struct {
	Self     string `json:"self,omitempty"`
	Nullable bool   `json:"nullable,omitempty"` // of firstName and lastName
	Pattern  string `json:"pattern,omitempty"`  // of login
}

// DefinitionError is a definition that cannot be.
type DefinitionError struct {
	Schema string // URN, or the name of a resource type; empty when it is known
	Attr   string // "badge", "address.street"; empty for the schema or type itself
	Key    string // "minLength"; empty for the whole
	Reason string
}

// Error names what is wrong, and where.
func (e *DefinitionError) Error() string {
	parts := make([]string, 0, 3)
	for _, p := range []string{e.Schema, e.Attr, e.Key} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	return strings.Join(parts, " ") + ": " + e.Reason
}

// Clone returns a copy that shares nothing that can be set through it but the values of
// defaults.
func (d *Definitions) Clone() *Definitions {
	c := &Definitions{Base: maps.Clone(d.Base), Apps: map[string][]Attribute{}}
	for _, s := range d.Schemas {
		s.Attributes = cloneAttributes(s.Attributes)
		c.Schemas = append(c.Schemas, s)
	}
	for _, t := range d.Types {
		t.Extensions = slices.Clone(t.Extensions)
		c.Types = append(c.Types, t)
	}
	for app, as := range d.Apps {
		c.Apps[app] = cloneAttributes(as)
	}
	if c.Base == nil {
		c.Base = map[string]BaseChange{}
	}
	return c
}

func cloneAttributes(as []Attribute) []Attribute {
	c := slices.Clone(as)
	for i := range c {
		c[i].SubAttributes = cloneAttributes(c[i].SubAttributes)
	}
	return c
}

// Schema returns the schema with a URN, in any case, or nil.
func (d *Definitions) Schema(urn string) *Schema {
	for i := range d.Schemas {
		if strings.EqualFold(d.Schemas[i].ID, urn) {
			return &d.Schemas[i]
		}
	}
	return nil
}

// Type returns the definition of a resource type, or nil.
func (d *Definitions) Type(name string) *TypeDefinition {
	for i := range d.Types {
		if d.Types[i].Name == name {
			return &d.Types[i]
		}
	}
	return nil
}

// Attribute returns the attribute with a name, in any case, or nil.
func (s *Schema) Attribute(name string) *Attribute { return attributeIn(s.Attributes, name) }

func attributeIn(as []Attribute, name string) *Attribute {
	for i := range as {
		if strings.EqualFold(as[i].Name, name) {
			return &as[i]
		}
	}
	return nil
}

// ResourceTypes returns what Compile takes: Default with all that d adds.
func (d *Definitions) ResourceTypes() ([]ResourceType, error) {
	types := Default()
	for i := range types {
		d.extendBuiltIn(&types[i])
	}
	for _, def := range d.Types {
		i := slices.IndexFunc(types, func(t ResourceType) bool { return t.Name == def.Name })
		if i < 0 {
			core := d.Schema(def.Schema)
			if core == nil {
				return nil, &DefinitionError{Schema: def.Name, Key: "schema", Reason: fmt.Sprintf("there is no schema %q", def.Schema)}
			}
			types = append(types, ResourceType{
				Name: def.Name, Endpoint: def.Endpoint, Description: def.Description, Core: *core, Key: def.Name + ":",
			})
			i = len(types) - 1
		}
		for _, ref := range def.Extensions {
			s := d.Schema(ref.Schema)
			if s == nil {
				return nil, &DefinitionError{Schema: def.Name, Key: "schemaExtensions", Reason: fmt.Sprintf("there is no schema %q", ref.Schema)}
			}
			types[i].Extensions = append(types[i].Extensions, Extension{Schema: *s, Required: ref.Required})
		}
	}
	return types, nil
}

// extendBuiltIn adds the custom attributes of users or groups, and the changes of their
// base attributes.
func (d *Definitions) extendBuiltIn(t *ResourceType) {
	for i := range t.Extensions {
		x := &t.Extensions[i]
		if s := d.Schema(x.Schema.ID); s != nil && isOrg(x.Schema.ID) {
			x.Schema.Attributes = slices.Concat(x.Schema.Attributes, s.Attributes)
		}
	}
	for i := range t.Base {
		b := &t.Base[i]
		c, changed := d.Base[t.Name+"."+b.Name]
		if !changed {
			continue
		}
		if c.Self != "" {
			b.Self = c.Self
		}
		b.Required = b.Required && !c.Nullable
		b.Pattern = c.Pattern
	}
}

// isOrg says whether a URN is that of the organisation's own extension of a built-in type.
func isOrg(urn string) bool {
	return strings.EqualFold(urn, scim.OrgUser) || strings.EqualFold(urn, scim.OrgGroup)
}
