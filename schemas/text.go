package schemas

import (
	"encoding/json"
	"strings"
)

// Text is an attribute as a table of texts speaks of it, a CSV file or an LDIF entry: by
// its profile name ("firstName") or its SCIM path ("name.givenName",
// `emails[type eq "work"].value`, "emails.value" for the values of all).
type Text struct {
	Name string

	slot *slot // nil for a path
	op   PatchOp
}

// TextValue is what an attribute shall have; no texts take its value away.
type TextValue struct {
	*Text
	Texts []string
}

// texts is how the operations of SetTexts are meant: what a path names is made.
// Quotes in a path may be left out, since CSV would have to double them.
var texts = Dialect{Leniency: Leniency{UnquotedFilterValues: true, CreateOnAdd: true, CreateOnReplace: true, IgnoreMissedRemove: true}}

// Text finds an attribute that can be given as text: one that has a value of its own
// and may be written. A profile name is found before a path, both in any case.
func (t *Type) Text(name string) (*Text, error) {
	for _, s := range t.slots {
		if strings.EqualFold(s.Name, name) {
			return &Text{Name: s.Name, slot: s}, nil
		}
	}
	op, err := t.parsePath(name, texts)
	if err != nil {
		return nil, err
	}
	if err := op.checkMutable(); err != nil {
		return nil, err
	}
	if op.attr.place == isMembers || op.attr.place == isGroups || op.attr.place == isSchemas {
		return nil, errorf(InvalidPath, clip(name), "it is no attribute with a text of its own")
	}
	if a := op.target(); a.Type == Complex {
		if !op.attr.MultiValued || a.value == nil {
			return nil, errorf(InvalidPath, clip(name), "it is complex; name a part of it")
		}
		op.sub, op.each = a.value, op.filter == nil
	}
	if op.each && op.sub != op.attr.value {
		return nil, errorf(InvalidPath, clip(name), "it is part of several values; say of which, as in emails[type eq \"work\"].display")
	}
	return &Text{Name: name, op: op}, nil
}

// Multi reports whether the attribute takes several texts.
func (x *Text) Multi() bool {
	if x.slot != nil {
		return x.slot.attr.MultiValued && x.slot.list == nil
	}
	return x.op.each || x.op.attr.MultiValued && x.op.filter == nil
}

// Same reports whether both speak of the same values.
func (x *Text) Same(o *Text) bool {
	if x.slot != nil || o.slot != nil {
		return x.slot == o.slot
	}
	return strings.EqualFold(x.Name, o.Name)
}

// Of returns the texts that a resource has: none for an attribute without a value, or one
// that is never shown.
func (x *Text) Of(r *Resource) []string {
	if x.target().secret {
		return nil
	}
	if x.slot != nil {
		return x.slot.node(&r.root).texts()
	}
	switch x.op.attr.place {
	case isExternalID:
		return one(r.ExternalID)
	case isPassword:
		return nil
	case isActive:
		if r.Active == nil {
			return nil
		}
		return one(boolText(*r.Active))
	}
	holder := &r.root
	for _, a := range x.op.attr.ancestors() {
		if holder = holder.kid(a); holder == nil {
			return nil
		}
	}
	n := holder.kid(x.op.attr)
	if n == nil || x.op.sub == nil {
		return n.texts()
	}
	var all []string
	for i := range n.kids {
		e := &n.kids[i]
		if x.op.filter == nil || e.matches(x.op.filter) {
			all = append(all, one(e.textOf(x.op.sub))...)
			if x.op.filter != nil {
				break
			}
		}
	}
	return all
}

// target is the attribute whose texts they are.
func (x *Text) target() *attr {
	if x.slot != nil {
		return x.slot.attr
	}
	return x.op.target()
}

func one(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

// texts are the texts of a simple attribute.
func (n *node) texts() []string {
	switch {
	case n == nil:
		return nil
	case n.attr.MultiValued && n.kids != nil:
		all := make([]string, len(n.kids))
		for i := range n.kids {
			all[i] = n.kids[i].text
		}
		return all
	}
	return one(n.text)
}

// Empty returns a resource of the type without any attribute.
func (t *Type) Empty() *Resource { return &Resource{Type: t, root: node{attr: t.root}} }

// SetTexts returns a copy of r with the values set, validated as any other. It sets all
// or nothing; an *Error has the name of the attribute as its Path.
func (t *Type) SetTexts(r *Resource, values []TextValue) (*Resource, error) {
	next := r.Clone()
	profile := make(map[string]any, len(values))
	var ops []PatchOp
	for _, v := range values {
		if v.slot != nil {
			profile[v.slot.Name] = v.value()
			continue
		}
		op, err := v.patch()
		if err != nil {
			return nil, err
		}
		ops = append(ops, op)
	}
	if err := next.SetProfile(profile); err != nil {
		return nil, err
	}
	return t.Patch(next, ops, texts)
}

// value is the Go value that SetProfile takes.
func (v TextValue) value() any {
	switch {
	case len(v.Texts) == 0:
		return nil
	case !v.Multi():
		return goValue(v.slot.attr.Type, v.Texts[0])
	}
	list := make([]any, len(v.Texts))
	for i, text := range v.Texts {
		list[i] = goValue(v.slot.attr.Type, text)
	}
	return list
}

// goValue is a text as a value of the type; what does not fit stays a text, and is
// refused where it is set.
func goValue(t DataType, text string) any {
	switch t {
	case Boolean:
		if b, ok := stringBoolean(text); ok {
			return b == "true"
		}
	case Integer, Decimal:
		if _, ok := canonicalDecimal(text); ok {
			return json.Number(text)
		}
	}
	return text
}

// patch is the operation that sets the value.
func (v TextValue) patch() (PatchOp, error) {
	op := v.op
	op.Op, op.Path, op.Index = "replace", v.Name, 0
	if len(v.Texts) == 0 {
		op.Op, op.each = "remove", false
		if op.filter != nil || v.op.each { // the whole element, not its type without a value
			op.sub = nil
		}
		return op, nil
	}
	op.has = true
	s := slot{BaseAttribute: BaseAttribute{Name: v.Name}, attr: op.target()}
	kids := make([]node, len(v.Texts))
	for i, raw := range v.Texts {
		text, err := s.text(goValue(s.attr.Type, raw))
		if err == nil {
			err = s.validateText(text)
		}
		if err != nil {
			return op, err
		}
		kids[i] = node{attr: s.attr, text: text}
		if op.each {
			kids[i] = node{attr: op.attr, kids: []node{kids[i]}}
		}
	}
	if err := checkElements(op.attr, len(kids)); err != nil {
		return op, err
	}
	switch {
	case op.each:
		op.value, op.sub, op.each = node{attr: op.attr, kids: kids}, nil, false
	case v.Multi():
		op.value = node{attr: op.attr, kids: kids}
	default:
		op.value = kids[0]
	}
	return op, nil
}
