package directory

import (
	"fmt"
	"strings"

	"github.com/provost-id/provost/schemas"
)

// compile compiles the definitions with what is under way.
func (s *schemaState) compile(version int64) (*schemas.Snapshot, error) {
	types, err := s.defs.ResourceTypes()
	if err != nil {
		return nil, err
	}
	for _, o := range s.open {
		for i := range types {
			if types[i].Name == o.Type {
				if err := o.mark(&types[i]); err != nil {
					return nil, err
				}
			}
		}
	}
	return schemas.Compile(version, types)
}

// mark says in a resource type what an operation makes of it while it is under way.
func (o *operation) mark(t *schemas.ResourceType) error {
	if o.Kind == OpRemove {
		t.Residue = true
		return nil
	}
	a := attributeOf(t, o.Schema, o.Attribute)
	switch {
	case a == nil:
	case o.Kind == OpUnique:
		a.Pending = true
	case o.Kind == OpIndex:
		a.Building = true
		if o.phase > 0 {
			return nil
		}
		// Nodes that have not heard of the change ask for the rows of before.
		former, err := o.formerAttribute()
		if err != nil {
			return err
		}
		a.Unindexed, a.CaseExact = former.Unindexed, former.CaseExact
	}
	return nil
}

// attributeOf finds an attribute, "badge" or "address.street", in a schema of a type. It
// has it changed in place, and in no other type that has the schema.
func attributeOf(t *schemas.ResourceType, urn, path string) *schemas.Attribute {
	s := &t.Core
	if !strings.EqualFold(s.ID, urn) {
		s = nil
		for i := range t.Extensions {
			if strings.EqualFold(t.Extensions[i].Schema.ID, urn) {
				s = &t.Extensions[i].Schema
			}
		}
	}
	if s == nil {
		return nil
	}
	name, sub, dotted := strings.Cut(path, ".")
	s.Attributes = append([]schemas.Attribute(nil), s.Attributes...)
	a := s.Attribute(name)
	if a == nil || !dotted {
		return a
	}
	a.SubAttributes = append([]schemas.Attribute(nil), a.SubAttributes...)
	for i := range a.SubAttributes {
		if strings.EqualFold(a.SubAttributes[i].Name, sub) {
			return &a.SubAttributes[i]
		}
	}
	return nil
}

// bound is a schema as a part of a resource type.
type bound struct {
	typ      string
	urn      string
	key      string // begins the paths of its attributes in the index, without the colon
	attrs    []schemas.Attribute
	core     bool
	profile  bool // its attributes are part of the flat profile
	required bool // a resource without it is none
}

type boundKey struct{ typ, urn string }

// boundsOf are the parts of all resource types that the organisation has defined.
func boundsOf(defs *schemas.Definitions) (map[boundKey]bound, error) {
	types, err := defs.ResourceTypes()
	if err != nil {
		return nil, err
	}
	all := map[boundKey]bound{}
	add := func(b bound) { all[boundKey{b.typ, strings.ToLower(b.urn)}] = b }
	for _, t := range types {
		own := t.Name != typeUser && t.Name != typeGroup
		if own {
			add(bound{typ: t.Name, urn: t.Core.ID, key: t.Name, attrs: t.Core.Attributes, core: true, required: true})
		}
		for _, x := range t.Extensions {
			s := defs.Schema(x.Schema.ID)
			if s == nil {
				continue // built in, and nothing is added to it
			}
			b := bound{typ: t.Name, urn: s.ID, key: x.Key, attrs: s.Attributes, profile: x.Profile, required: x.Required}
			if b.key == "" {
				b.key = s.ID
			}
			add(b)
		}
	}
	return all, nil
}

// path is the path of an attribute of the schema in the index.
func (b bound) path(attribute string) string {
	if attribute == "" {
		return b.key
	}
	return b.key + ":" + attribute
}

func (k definitionKey) compare(o definitionKey) int {
	return strings.Compare(k.kind+" "+k.id, o.kind+" "+o.id)
}

// String names a row of definitions.
func (k definitionKey) String() string { return fmt.Sprintf("%s %s", k.kind, k.id) }
