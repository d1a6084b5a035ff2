package schemas

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// AttributeChange is an attribute, or a sub-attribute of a single-valued complex one,
// whose value is another.
type AttributeChange struct {
	Path  string          // as a PATCH names it
	Value json.RawMessage // nil when there is none any more
}

// Changes lists what of two documents, or of the parts of them that differ, is not the
// same, in the order of the paths. What p does not show is left out, as in a response;
// so is what stands in no document.
func (t *Type) Changes(before, after []byte, p *Projection) ([]AttributeChange, error) {
	d := differ{p: t.projection(p)}
	err := d.object(t.root, before, after)
	return d.changes, err
}

type differ struct {
	p       *Projection
	changes []AttributeChange
}

// object compares the members of two objects, either of which may be missing.
func (d *differ) object(of *attr, before, after []byte) error {
	was, is := map[string]json.RawMessage{}, map[string]json.RawMessage{}
	for raw, into := range map[*[]byte]*map[string]json.RawMessage{&before: &was, &after: &is} {
		if len(*raw) == 0 {
			continue
		}
		if err := json.Unmarshal(*raw, into); err != nil {
			return fmt.Errorf("document, at %s: %w", of.path, err)
		}
	}
	names := slices.Sorted(maps.Keys(was))
	for name := range is {
		if _, both := was[name]; !both {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		a := of.sub(name)
		if a == nil || a.place != inDocument || d.p.shows[a.id] == showNothing {
			continue // an attribute that the schema no longer has is shown nowhere
		}
		if err := d.member(a, was[name], is[name]); err != nil {
			return err
		}
	}
	return nil
}

func (d *differ) member(a *attr, was, is json.RawMessage) error {
	single := a.Type == Complex && !a.MultiValued
	switch {
	case string(was) == string(is):
		return nil
	case a.extends, single && (d.p.shows[a.id] == showPart || was != nil && is != nil):
		return d.object(a, was, is)
	case is != nil && d.p.shows[a.id] == showPart:
		return d.elements(a, is)
	}
	d.changes = append(d.changes, AttributeChange{Path: a.path, Value: is})
	return nil
}

// elements is the new value of a multi-valued attribute, without what is not shown of
// its elements.
func (d *differ) elements(a *attr, is json.RawMessage) error {
	var all []map[string]json.RawMessage
	if err := json.Unmarshal(is, &all); err != nil {
		return fmt.Errorf("document, at %s: %w", a.path, err)
	}
	for _, element := range all {
		for name := range element {
			if s := a.sub(name); s == nil || d.p.shows[s.id] == showNothing {
				delete(element, name)
			}
		}
	}
	value, err := json.Marshal(all)
	d.changes = append(d.changes, AttributeChange{Path: a.path, Value: value})
	return err
}
