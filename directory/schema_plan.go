package directory

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// schemaPlan is what a change of definitions makes of the resources that are there.
type schemaPlan struct {
	ops       []*operation
	cancelled []*operation

	open []*operation // what is under way before the change
}

// SchemaBusyError is a change that has to wait until what an earlier one has begun is over.
type SchemaBusyError struct {
	Attr      string // "badge"; the URN or name for all of a schema or type
	Operation string // ID
	Kind      string
}

// Error names what is under way.
func (e *SchemaBusyError) Error() string {
	return fmt.Sprintf("%s: the operation %s of an earlier change (%s) is still under way", e.Attr, e.Operation, e.Kind)
}

// planSchema checks a change, and finds out what it makes of the resources.
func (d *Directory) planSchema(tx *sqldb.Tx, was *schemaState, next *schemas.Definitions) (*schemaPlan, error) {
	if err := checkCompiles(next); err != nil {
		return nil, err
	}
	before, err := boundsOf(was.defs)
	if err != nil {
		return nil, err
	}
	after, err := boundsOf(next)
	if err != nil {
		return nil, err
	}
	p := &schemaPlan{open: was.open}
	if err := p.types(tx, was.defs, next); err != nil {
		return nil, err
	}
	for _, key := range sortedBounds(before, after) {
		if err := p.bound(tx, before, after, key); err != nil {
			return nil, err
		}
	}
	return p, d.checkUses(tx, was.defs, next)
}

func sortedBounds(before, after map[boundKey]bound) []boundKey {
	var keys []boundKey
	for k := range before {
		keys = append(keys, k)
	}
	for k := range after {
		if _, there := before[k]; !there {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, func(a, b boundKey) int { return strings.Compare(a.typ+" "+a.urn, b.typ+" "+b.urn) })
	return keys
}

// types looks at resource types that come and go. One that goes has no resources, and one
// that comes has none of an earlier one of its name.
func (p *schemaPlan) types(tx *sqldb.Tx, was, next *schemas.Definitions) error {
	for _, t := range was.Types {
		is := next.Type(t.Name)
		switch {
		case t.Schema == "": // User or Group, which never go
		case is == nil:
			n, err := countResources(tx, t.Name)
			if err != nil {
				return err
			}
			if n > 0 {
				return &schemas.DefinitionError{Schema: t.Name, Reason: fmt.Sprintf("there are resources of this type; delete them first (%d are left)", n)}
			}
			former, err := json.Marshal(t)
			if err != nil {
				return fmt.Errorf("encode definition: %w", err)
			}
			p.ops = append(p.ops, &operation{SchemaOperation: SchemaOperation{Kind: OpDrop, Type: t.Name}, path: t.Name, former: string(former)})
		case !strings.EqualFold(is.Schema, t.Schema):
			return &schemas.DefinitionError{Schema: t.Name, Key: "schema", Reason: "the core schema of a resource type never changes"}
		}
	}
	for _, t := range next.Types {
		if was.Type(t.Name) != nil {
			continue
		}
		for _, o := range p.open {
			if o.Type == t.Name && t.Schema != "" {
				return &SchemaBusyError{Attr: t.Name, Operation: o.ID, Kind: o.Kind}
			}
		}
	}
	for _, s := range was.Schemas {
		for _, o := range p.open {
			if o.Kind == OpDrop && next.Schema(s.ID) == nil && strings.Contains(o.former, `"`+s.ID+`"`) {
				return &SchemaBusyError{Attr: s.ID, Operation: o.ID, Kind: o.Kind}
			}
		}
	}
	return nil
}

// countResources counts those of a type that clients have made.
func countResources(tx *sqldb.Tx, typ string) (n int64, err error) {
	err = tx.QueryRow(`SELECT count(*) FROM (SELECT 1 FROM resources WHERE type = $1 AND status <> $2 LIMIT 1000) r`, typ, string(BuiltInGroup)).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count %s: %w", typ, err)
	}
	return n, nil
}

// bound compares one schema as a part of one resource type.
func (p *schemaPlan) bound(tx *sqldb.Tx, before, after map[boundKey]bound, key boundKey) error {
	was, there := before[key]
	is, stays := after[key]
	switch {
	case !there:
		return p.attach(tx, is)
	case !stays:
		return p.detach(was)
	}
	if is.required && !was.required {
		if err := p.refuseRequired(tx, is, "", "schemaExtensions"); err != nil {
			return err
		}
	}
	c := comparison{plan: p, tx: tx, b: is}
	return c.attributes(was.attrs, is.attrs, "")
}

// attach adds an extension to a resource type.
func (p *schemaPlan) attach(tx *sqldb.Tx, b bound) error {
	if o := p.busy(b, ""); o != nil {
		return &SchemaBusyError{Attr: b.urn, Operation: o.ID, Kind: o.Kind}
	}
	if b.core || !b.required && !b.profile {
		return nil
	}
	if !b.profile {
		return p.refuseRequired(tx, b, "", "schemaExtensions")
	}
	c := comparison{plan: p, tx: tx, b: b}
	return c.attributes(nil, b.attrs, "") // the first custom attributes
}

// detach takes a schema with all of its values from a resource type. Of a type that goes
// there are none: OpDrop is for it.
func (p *schemaPlan) detach(b bound) error {
	if slices.ContainsFunc(p.ops, func(o *operation) bool { return o.Kind == OpDrop && o.Type == b.typ }) {
		return nil
	}
	c := comparison{plan: p, b: b}
	if b.profile { // the last custom attributes
		return c.attributes(b.attrs, nil, "")
	}
	return c.remove(schemas.Attribute{Name: b.urn, Type: schemas.Complex, SubAttributes: b.attrs}, "")
}

// busy is the operation under way that a new meaning of an attribute has to wait for.
func (p *schemaPlan) busy(b bound, attribute string) *operation {
	for _, o := range p.open {
		if o.Type == b.typ && strings.EqualFold(o.Schema, b.urn) && (overlaps(o.Attribute, attribute) || overlaps(attribute, o.Attribute)) {
			return o
		}
	}
	return nil
}

// overlaps says that one path is, or is part of, what another names.
func overlaps(whole, part string) bool {
	return whole == "" || strings.EqualFold(whole, part) || len(part) > len(whole) && strings.EqualFold(part[:len(whole)], whole) && part[len(whole)] == '.'
}

// checkValues refuses to take away what has values. Of a secret the index knows nothing.
func (p *schemaPlan) checkValues(tx *sqldb.Tx) error {
	for _, o := range p.ops {
		if o.Kind != OpRemove {
			continue
		}
		for _, r := range o.ranges() {
			var any bool
			err := tx.QueryRow(`SELECT EXISTS (SELECT 1 FROM attribute_values v JOIN resources r ON r.rid = v.rid AND r.type = $1
				WHERE v.path >= $2 AND v.path < $3)`, o.Type, r[0], r[1]).Scan(&any)
			if err != nil {
				return fmt.Errorf("look for values: %w", err)
			}
			if any {
				return &ValuesError{Type: o.Type, Path: o.spell()}
			}
		}
	}
	return nil
}

// refuseRequired refuses to require what the resources that are there cannot have.
func (p *schemaPlan) refuseRequired(tx *sqldb.Tx, b bound, attribute, key string) error {
	n, err := countResources(tx, b.typ)
	if err != nil || n == 0 {
		return err
	}
	return &schemas.DefinitionError{
		Schema: b.urn, Attr: attribute, Key: key,
		Reason: fmt.Sprintf("there are resources of the type %s without a value: add it, give it to all of them, and then require it", b.typ),
	}
}
