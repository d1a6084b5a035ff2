package directory

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// comparison compares the attributes of one schema, as a part of one resource type.
type comparison struct {
	plan *schemaPlan
	tx   *sqldb.Tx
	b    bound
}

func (c comparison) wrong(path, key, format string, args ...any) error {
	return &schemas.DefinitionError{Schema: c.b.urn, Attr: path, Key: key, Reason: fmt.Sprintf(format, args...)}
}

// attributes compares two lists, of the schema or of one complex attribute.
func (c comparison) attributes(was, is []schemas.Attribute, within string) error {
	for _, old := range was {
		if named(is, old.Name) == nil {
			if err := c.remove(old, within); err != nil {
				return err
			}
		}
	}
	for _, a := range is {
		old := named(was, a.Name)
		var err error
		if old == nil {
			err = c.add(a, within)
		} else {
			err = c.change(*old, a, within)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func named(as []schemas.Attribute, name string) *schemas.Attribute {
	for i := range as {
		if strings.EqualFold(as[i].Name, name) {
			return &as[i]
		}
	}
	return nil
}

// add: an attribute that is new has no values, so that its index and its uniqueness are
// complete from the beginning.
func (c comparison) add(a schemas.Attribute, within string) error {
	path := within + a.Name
	if o := c.plan.busy(c.b, path); o != nil {
		return &SchemaBusyError{Attr: path, Operation: o.ID, Kind: o.Kind}
	}
	if !a.Required || a.Mutability == schemas.ReadOnly {
		return nil
	}
	return c.plan.refuseRequired(c.tx, c.b, path, "required")
}

// remove takes the values of an attribute away, and cancels whatever is under way for it.
func (c comparison) remove(a schemas.Attribute, within string) error {
	path := within + a.Name
	if strings.EqualFold(a.Name, c.b.urn) {
		path = ""
	}
	for _, o := range c.plan.open {
		if o.Type == c.b.typ && strings.EqualFold(o.Schema, c.b.urn) && overlaps(path, o.Attribute) && o.Kind != OpRemove {
			c.plan.cancelled = append(c.plan.cancelled, o)
		}
	}
	return c.begin(OpRemove, path, a, 0)
}

func (c comparison) begin(kind, path string, former schemas.Attribute, phase int) error {
	text, err := json.Marshal(former)
	if err != nil {
		return fmt.Errorf("encode definition: %w", err)
	}
	c.plan.ops = append(c.plan.ops, &operation{
		SchemaOperation: SchemaOperation{Kind: kind, Type: c.b.typ, Schema: c.b.urn, Attribute: path},
		path:            c.b.path(path), former: string(text), phase: phase,
	})
	return nil
}

// change compares the two definitions of an attribute that stays.
func (c comparison) change(old, a schemas.Attribute, within string) error {
	path := within + old.Name
	if err := c.checkShape(old, a, path); err != nil {
		return err
	}
	if a.Type == schemas.Complex {
		if a.Required && !old.Required {
			return c.plan.refuseRequired(c.tx, c.b, path, "required")
		}
		return c.attributes(old.SubAttributes, a.SubAttributes, path+".")
	}
	todo := c.todo(old, a)
	if len(todo) == 0 {
		return nil
	}
	for _, o := range c.plan.open {
		if o.Type != c.b.typ || !strings.EqualFold(o.Schema, c.b.urn) || !strings.EqualFold(o.Attribute, path) {
			continue
		}
		if o.Kind != OpUnique || !slices.Contains(todo, OpRelease) {
			return &SchemaBusyError{Attr: path, Operation: o.ID, Kind: o.Kind}
		}
		c.plan.cancelled = append(c.plan.cancelled, o) // unique no longer, before it ever was
	}
	for _, kind := range todo {
		phase := 0
		if old.Unindexed {
			phase = 1 // nobody asks for the rows of before
		}
		if err := c.begin(kind, path, old, phase); err != nil {
			return err
		}
	}
	return nil
}

// checkShape refuses what would make the stored values mean something else.
func (c comparison) checkShape(old, a schemas.Attribute, path string) error {
	switch {
	case old.Name != a.Name:
		return c.wrong(path, "name", "the name of an attribute never changes, not even its case")
	case old.Type != a.Type:
		return c.wrong(path, "type", "the type of an attribute never changes: it is %s", old.Type)
	case old.MultiValued != a.MultiValued:
		return c.wrong(path, "type", "an attribute that has one value never has several, nor the other way round")
	case old.Secret() != a.Secret() || a.Secret() && old.Format != a.Format:
		key := "mutability"
		if old.Format != a.Format {
			key = "format"
		}
		return c.wrong(path, key, "whether and how an attribute is kept secret never changes")
	case old.Unique() && a.Unique() && old.CaseExact != a.CaseExact:
		return c.wrong(path, "caseExact", "it cannot change while the attribute is unique")
	}
	return nil
}

// todo are the kinds of operations that a change needs, in their order.
func (c comparison) todo(old, a schemas.Attribute) []string {
	var kinds []string
	if old.Unique() && !a.Unique() {
		kinds = append(kinds, OpRelease)
	}
	if !a.Secret() && (old.Unindexed != a.Unindexed || old.CaseExact != a.CaseExact) {
		kinds = append(kinds, OpIndex)
	}
	if narrows(old, a) {
		kinds = append(kinds, OpCheck)
	}
	if a.Unique() && !old.Unique() {
		kinds = append(kinds, OpUnique)
	}
	return kinds
}

// narrows says that values may be there which the new definition refuses. Secrets are not
// held against it: what is kept of them is another text.
func narrows(old, a schemas.Attribute) bool {
	if a.Secret() {
		return false
	}
	was, is := old.Rules, a.Rules
	return a.Required && !old.Required ||
		is.MinLength > was.MinLength ||
		is.MaxLength > 0 && (was.MaxLength == 0 || is.MaxLength < was.MaxLength) ||
		is.Minimum != nil && (was.Minimum == nil || *is.Minimum > *was.Minimum) ||
		is.Maximum != nil && (was.Maximum == nil || *is.Maximum < *was.Maximum) ||
		is.Pattern != "" && is.Pattern != was.Pattern ||
		is.Format != "" && is.Format != was.Format ||
		is.Int32 && !was.Int32 ||
		narrowsEnum(was.Enum, is.Enum)
}

func narrowsEnum(was, is []string) bool {
	if is == nil || reflect.DeepEqual(was, is) {
		return false
	}
	if was == nil {
		return true
	}
	return slices.ContainsFunc(was, func(v string) bool { return !slices.Contains(is, v) })
}
