package provisioning

import (
	"slices"
	"strings"
)

// A Schema says what a target holds.
type Schema struct {
	Types []ObjectType
}

// Type returns an object type by its name.
func (s Schema) Type(name string) (ObjectType, bool) {
	for _, t := range s.Types {
		if t.Name == name {
			return t, true
		}
	}
	return ObjectType{}, false
}

// An ObjectType is TypeUser or TypeGroup with its attributes.
type ObjectType struct {
	Name       string
	Attributes []Attribute
}

// An Attribute of a target, and how an app's profile shows it.
type Attribute struct {
	Name     string // in the app's profile and in expressions: an identifier
	Remote   string // at the target: "mail", "name.givenName"; "" means Name
	Type     string // "string", "boolean", "integer", "reference" (the Name of another object)
	List     bool   // the profile shows all values as a list; otherwise the first one
	Required bool   // the target refuses objects without it
	ReadOnly bool   // never written
	Match    Match  // when two values are the same
	Title    string // for people
}

// Match is the rule by which two values of an attribute are the same.
type Match int

// Matching rules.
const (
	MatchFold  Match = iota // letter case and the number of inner spaces do not count (caseIgnoreMatch)
	MatchExact              // every byte counts
)

// RemoteName is the name at the target.
func (a Attribute) RemoteName() string {
	if a.Remote != "" {
		return a.Remote
	}
	return a.Name
}

// Profile shows an object as expressions see it: a string or a boolean for an attribute, a []any for one that is a list.
// Attributes without a value are absent.
func (t ObjectType) Profile(attributes map[string][]string) map[string]any {
	p := make(map[string]any, len(attributes))
	for _, a := range t.Attributes {
		values := attributes[a.RemoteName()]
		if len(values) == 0 {
			continue
		}
		if !a.List {
			p[a.Name] = a.decode(values[0])
			continue
		}
		list := make([]any, len(values))
		for i, v := range values {
			list[i] = a.decode(v)
		}
		p[a.Name] = list
	}
	return p
}

// decode turns a value into what expressions see.
func (a Attribute) decode(v string) any {
	if a.Type == "boolean" {
		return strings.EqualFold(v, "true")
	}
	return v
}

// Values turns a profile into attributes by their remote names, for Create. It leaves out what is empty, unknown or read-only.
func (t ObjectType) Values(profile map[string]any) map[string][]string {
	out := make(map[string][]string, len(profile))
	for _, a := range t.Attributes {
		if v := encode(profile[a.Name]); len(v) > 0 && !a.ReadOnly {
			out[a.RemoteName()] = v
		}
	}
	return out
}

// Diff is the delta that makes an object with the observed attributes show the wanted profile. A name that is absent from the
// profile is left alone, nil or empty removes. Where the profile shows only the first of several values, the others stay.
// Letter case counts, whatever the matching rule: people want their names spelt as they changed them.
func (t ObjectType) Diff(observed map[string][]string, profile map[string]any) Delta {
	d := Delta{Set: map[string]Change{}}
	for _, a := range t.Attributes {
		v, named := profile[a.Name]
		if !named || a.ReadOnly {
			continue
		}
		from, to := observed[a.RemoteName()], encode(v)
		if !a.List && len(from) > 1 {
			to = a.first(from, to)
		}
		exact := a
		exact.Match = MatchExact
		if !exact.Same(from, to) {
			d.Set[a.RemoteName()] = Change{From: from, To: to}
		}
	}
	return d
}

// first puts the wanted first value before the further values that the target has.
func (a Attribute) first(from, to []string) []string {
	if len(to) == 0 {
		return nil
	}
	out := slices.Clone(to)
	for _, v := range from[1:] {
		if a.fold(v) != a.fold(to[0]) {
			out = append(out, v)
		}
	}
	return out
}

// Same compares all values of an attribute by its matching rule: as sets, but for the first one when the profile shows only that.
func (a Attribute) Same(x, y []string) bool {
	if len(x) != len(y) {
		return false
	}
	fx, fy := a.folded(x), a.folded(y)
	if !a.List && len(fx) > 0 && fx[0] != fy[0] {
		return false
	}
	slices.Sort(fx)
	slices.Sort(fy)
	return slices.Equal(fx, fy)
}

func (a Attribute) folded(values []string) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = a.fold(v)
	}
	return out
}

func (a Attribute) fold(v string) string {
	if a.Match == MatchExact {
		return v
	}
	return strings.ToLower(strings.Join(strings.Fields(v), " "))
}
