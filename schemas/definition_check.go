package schemas

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/provost-id/provost/schemas/scim"
)

// Bounds of what an organisation may define.
const (
	maxSchemas = 100
	maxTypes   = 50
	maxUnique  = 5 // attributes of one resource type, as in the contract
)

// Check says what is wrong with the definitions as a whole, as a *DefinitionError.
func (d *Definitions) Check() error {
	if len(d.Schemas) > maxSchemas || len(d.Types) > maxTypes {
		return &DefinitionError{Reason: fmt.Sprintf("an organisation has at most %d schemas and %d resource types of its own", maxSchemas, maxTypes)}
	}
	for i, s := range d.Schemas {
		if d.Schema(s.ID) != &d.Schemas[i] {
			return &DefinitionError{Schema: s.ID, Key: "id", Reason: "another schema has this URN"}
		}
		if err := checkSchema(s); err != nil {
			return err
		}
	}
	for i, t := range d.Types {
		if d.Type(t.Name) != &d.Types[i] {
			return &DefinitionError{Schema: t.Name, Key: "name", Reason: "another resource type has this name"}
		}
		if err := d.checkType(i); err != nil {
			return err
		}
	}
	for app, as := range d.Apps {
		if err := checkAll(as, app, nil, true); err != nil {
			return err
		}
	}
	return d.checkUnique()
}

// checkUnique bounds the unique attributes of each resource type: every one costs each
// write of a resource.
func (d *Definitions) checkUnique() error {
	of := map[string][]string{"User": {scim.OrgUser}, "Group": {scim.OrgGroup}}
	for _, t := range d.Types {
		if t.Schema != "" {
			of[t.Name] = append(of[t.Name], t.Schema)
		}
		for _, x := range t.Extensions {
			of[t.Name] = append(of[t.Name], x.Schema)
		}
	}
	for name, urns := range of {
		n := 0
		for _, urn := range urns {
			if s := d.Schema(urn); s != nil {
				for _, a := range uniqueOf(s.Attributes, "") {
					if n++; n > maxUnique {
						return &DefinitionError{Schema: s.ID, Attr: a, Key: "unique", Reason: fmt.Sprintf("the resource type %s has at most %d unique attributes", name, maxUnique)}
					}
				}
			}
		}
	}
	return nil
}

// uniqueOf returns the paths of unique attributes.
func uniqueOf(as []Attribute, within string) (paths []string) {
	for _, a := range as {
		if a.Unique() {
			paths = append(paths, within+a.Name)
		}
		paths = append(paths, uniqueOf(a.SubAttributes, within+a.Name+".")...)
	}
	return paths
}

func checkSchema(s Schema) error {
	switch {
	case !isDescription(s.Description):
		return &DefinitionError{Schema: s.ID, Key: "description", Reason: fmt.Sprintf("want at most %d bytes of text without NUL", maxText)}
	case len(s.Name) > maxNameLength || !isPlain(s.Name):
		return &DefinitionError{Schema: s.ID, Key: "name", Reason: fmt.Sprintf("want at most %d bytes of text without NUL", maxNameLength)}
	case isOrg(s.ID):
		return checkAll(s.Attributes, s.ID, nil, true)
	case !urnForm.MatchString(s.ID) || len(s.ID) > maxNameLength:
		return &DefinitionError{Schema: s.ID, Key: "id", Reason: fmt.Sprintf("want a URN of at most %d characters, as urn:example:Device", maxNameLength)}
	case isTaken(s.ID):
		return &DefinitionError{Schema: s.ID, Key: "id", Reason: "this URN has a meaning of its own"}
	case s.Name == "":
		return &DefinitionError{Schema: s.ID, Key: "name", Reason: "it is required and missing"}
	case len(s.Attributes) == 0:
		return &DefinitionError{Schema: s.ID, Key: "attributes", Reason: "a schema has at least one"} // RFC 7643, section 7
	}
	return checkAll(s.Attributes, s.ID, nil, false)
}

// isTaken says that a URN is a message, a schema that is built in, or in our own part of
// the name space.
func isTaken(urn string) bool {
	folded := lower(urn)
	if strings.HasPrefix(folded, "urn:ietf:params:scim:api:") || strings.HasPrefix(folded, "urn:provost:") || strings.HasPrefix(folded, "urn:scim:schemas:") {
		return true
	}
	for _, id := range []string{
		scim.User, scim.Group, scim.EnterpriseUser, scim.Schema, scim.ResourceType, scim.ServiceProviderSchema,
	} {
		if strings.EqualFold(urn, id) {
			return true
		}
	}
	return false
}

var typeForm = regexp.MustCompile(`^[A-Z][A-Za-z0-9]{0,63}$`)

// Names that the protocol or this server gives a meaning to, in lower case.
var (
	reservedTypes     = []string{"schema", "resourcetype", "serviceproviderconfig", "bulk", "me", "urn", "enterprise", "org", "linkedobject", "removedgroup"}
	reservedEndpoints = append([]string{
		"/Users", "/Groups", "/ServiceProviderConfigs", "/Events", "/SecurityEvents", "/Changes", "/V2", "/Search",
	}, reserved...)
)

func (d *Definitions) checkType(i int) error {
	t := d.Types[i]
	wrong := func(key, format string, args ...any) error {
		return &DefinitionError{Schema: t.Name, Key: key, Reason: fmt.Sprintf(format, args...)}
	}
	if t.Name == "User" || t.Name == "Group" {
		return d.checkExtensions(t)
	}
	switch {
	case !typeForm.MatchString(t.Name):
		return wrong("name", "want a capital letter and up to 63 letters or digits")
	case slices.Contains(reservedTypes, lower(t.Name)) || lower(t.Name) == "user" || lower(t.Name) == "group":
		return wrong("name", "this name is reserved")
	case !endpointForm.MatchString(t.Endpoint) || len(t.Endpoint) > maxNameLength:
		return wrong("endpoint", "want a slash, a letter, and up to %d letters, digits, - or _", maxNameLength-2)
	case containsFold(reservedEndpoints, t.Endpoint):
		return wrong("endpoint", "this endpoint is reserved")
	case !isDescription(t.Description):
		return wrong("description", "want at most %d bytes of text without NUL", maxText)
	case d.Schema(t.Schema) == nil || isOrg(t.Schema):
		return wrong("schema", "there is no schema %q", clip(t.Schema))
	}
	for _, o := range d.Types[:i] {
		switch {
		case strings.EqualFold(o.Name, t.Name):
			return wrong("name", "another resource type has this name")
		case strings.EqualFold(o.Endpoint, t.Endpoint):
			return wrong("endpoint", "the resource type %s has this endpoint", o.Name)
		}
	}
	return d.checkExtensions(t)
}

// checkExtensions also keeps a schema from being the core of one type and an extension
// of another, or the core of two: a URN has one meaning.
func (d *Definitions) checkExtensions(t TypeDefinition) error {
	seen := map[string]bool{}
	for _, x := range t.Extensions {
		wrong := func(format string, args ...any) error {
			return &DefinitionError{Schema: t.Name, Key: "schemaExtensions", Reason: fmt.Sprintf(format, args...)}
		}
		switch {
		case d.Schema(x.Schema) == nil || isOrg(x.Schema):
			return wrong("there is no schema %q", clip(x.Schema))
		case seen[lower(x.Schema)]:
			return wrong("%s is there twice", x.Schema)
		}
		seen[lower(x.Schema)] = true
	}
	for _, o := range d.Types {
		if o.Schema == "" {
			continue
		}
		if seen[lower(o.Schema)] {
			return &DefinitionError{Schema: t.Name, Key: "schemaExtensions", Reason: fmt.Sprintf("%s is the core schema of %s", o.Schema, o.Name)}
		}
		if o.Name != t.Name && strings.EqualFold(o.Schema, t.Schema) {
			return &DefinitionError{Schema: t.Name, Key: "schema", Reason: fmt.Sprintf("%s is the core schema of %s", o.Schema, o.Name)}
		}
	}
	return nil
}
