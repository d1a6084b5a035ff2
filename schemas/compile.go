package schemas

import (
	"fmt"
	"regexp"
	"strings"
)

// Snapshot is the compiled form of all resource types at one version. It is never
// changed after Compile and may be shared by any number of goroutines.
type Snapshot struct {
	Version int64

	types []*Type
}

// Type is a compiled resource type.
type Type struct {
	Name        string
	Endpoint    string // relative to the base of the SCIM service
	Description string
	Version     int64 // of the snapshot

	def   ResourceType
	root  *attr   // its subs are the top-level attributes and the extensions
	attrs []*attr // by attr.id
	urns  []urn

	slots   []*slot // the flat profile, in order
	profile map[string]*slot

	defaults   []node      // of a new resource
	everything *Projection // what is returned when nothing is asked for

	secrets bool            // some attributes of the document are never shown
	moving  map[string]bool // index paths whose rows are being written anew
	pending map[string]bool // index paths that are becoming unique
}

// urn is a schema and where its attributes begin.
type urn struct {
	id   string
	attr *attr
}

// place says where a top-level attribute is kept.
type place uint8

const (
	inDocument place = iota
	isSchemas
	isID
	isExternalID
	isMeta
	isActive
	isPassword
	isMembers
	isGroups
)

// attr is an attribute, or an extension as a whole, in the compiled table.
type attr struct {
	Attribute

	id     int // index in Type.attrs
	ord    int // position among the attributes of parent: canonical order
	parent *attr
	subs   []*attr
	byName map[string]*attr // by lower-case name

	path    string   // as errors and filters spell it: "emails.value"
	ref     *AttrRef // nil when no filter can speak of it
	place   place
	fold    folding
	pattern *regexp.Regexp // nil for none
	indexes bool           // its values are in the index, whether it may be asked or not
	secret  bool           // never shown, and not kept in the clear
	value   *attr          // the sub-attribute "value" of a complex attribute
	primary *attr          // the sub-attribute "primary" of a multi-valued one
	extends bool           // an extension
	// mandatory: an extension whose required attributes every resource must have, because
	// they are part of the flat profile.
	mandatory bool
}

const (
	maxAttributes = 500 // of one type, so that a schema stays a schema
	maxNameLength = 128
	maxPattern    = 500 // bytes
)

// Compile makes a snapshot of types, or says what is wrong with them.
func Compile(version int64, types []ResourceType) (*Snapshot, error) {
	s := &Snapshot{Version: version}
	for _, def := range types {
		if _, ok := s.Type(def.Name); ok || def.Name == "" {
			return nil, fmt.Errorf("resource type %q: empty or twice", def.Name)
		}
		t, err := compileType(def, version)
		if err == nil {
			err = s.checkEndpoint(def.Endpoint)
		}
		if err != nil {
			return nil, fmt.Errorf("resource type %s: %w", def.Name, err)
		}
		s.types = append(s.types, t)
	}
	return s, nil
}

// Type returns the resource type called name, as "User".
func (s *Snapshot) Type(name string) (*Type, bool) {
	for _, t := range s.types {
		if t.Name == name {
			return t, true
		}
	}
	return nil, false
}

// Types returns the resource types in the order they were given.
func (s *Snapshot) Types() []*Type { return append([]*Type(nil), s.types...) }

func compileType(def ResourceType, version int64) (*Type, error) {
	t := &Type{Name: def.Name, Endpoint: def.Endpoint, Description: def.Description, Version: version, def: def}
	t.root = &attr{Attribute: Attribute{Type: Complex}, byName: map[string]*attr{}}
	t.add(t.root)
	if err := t.addAll(t.root, commonAttributes(), "", ""); err != nil {
		return nil, err
	}
	if err := t.addSchema(def.Core, t.root, "", def.Key); err != nil {
		return nil, err
	}
	for _, x := range def.Extensions {
		if err := t.addExtension(x); err != nil {
			return nil, err
		}
	}
	if len(t.attrs) > maxAttributes {
		return nil, fmt.Errorf("%d attributes, more than %d", len(t.attrs), maxAttributes)
	}
	t.placeAll()
	t.everything = t.project(nil, nil)
	return t, t.compileProfile()
}

var urnForm = regexp.MustCompile(`^urn:[A-Za-z0-9][A-Za-z0-9-]{0,31}:[A-Za-z0-9._:-]+$`)

func (t *Type) addSchema(s Schema, parent *attr, path, index string) error {
	if !urnForm.MatchString(s.ID) || len(s.ID) > maxNameLength {
		return fmt.Errorf("schema %q: its id is no URN", s.ID)
	}
	if _, ok := t.schema(s.ID); ok {
		return fmt.Errorf("schema %s: twice", s.ID)
	}
	t.urns = append(t.urns, urn{id: s.ID, attr: parent})
	if err := t.addAll(parent, s.Attributes, path, index); err != nil {
		return fmt.Errorf("schema %s: %w", s.ID, err)
	}
	_, err := spell(s) // the discovery document must be possible
	return err
}

func (t *Type) addExtension(x Extension) error {
	key := x.Key
	if key == "" {
		key = x.Schema.ID
	}
	e := &attr{
		Attribute: Attribute{Name: x.Schema.ID, Type: Complex, Required: x.Required},
		parent:    t.root, ord: len(t.root.subs), path: x.Schema.ID, extends: true, mandatory: x.Profile,
		byName: map[string]*attr{},
	}
	t.add(e)
	t.root.subs = append(t.root.subs, e)
	t.root.byName[lower(x.Schema.ID)] = e
	return t.addSchema(x.Schema, e, x.Schema.ID+":", key+":")
}

func (t *Type) add(a *attr) {
	a.id = len(t.attrs)
	t.attrs = append(t.attrs, a)
}

func (t *Type) addAll(parent *attr, as []Attribute, path, index string) error {
	for _, a := range as {
		if err := checkAttribute(parent, a); err != nil {
			return fmt.Errorf("attribute %s: %w", path+a.Name, err)
		}
		c := &attr{Attribute: a, parent: parent, ord: len(parent.subs), path: path + a.Name}
		if err := c.setDefaults(index + a.Name); err != nil {
			return fmt.Errorf("attribute %s: %w", c.path, err)
		}
		t.note(c)
		if err := t.compileDefault(c); err != nil {
			return fmt.Errorf("attribute %s: default: %w", c.path, err)
		}
		parent.subs = append(parent.subs, c)
		parent.byName[lower(a.Name)] = c
		if a.Type == Complex {
			c.byName = map[string]*attr{}
			if err := t.addAll(c, a.SubAttributes, c.path+".", index+a.Name+"."); err != nil {
				return err
			}
			c.value, c.primary = c.byName["value"], c.primarySub()
		}
	}
	return nil
}

// note adds an attribute to the table, and what the type as a whole must know of it.
func (t *Type) note(a *attr) {
	t.add(a)
	if a.Building {
		t.move(a.ref.Path)
	}
	if a.Pending {
		if t.pending == nil {
			t.pending = map[string]bool{}
		}
		t.pending[a.ref.Path] = true
	}
}

// move says that the index rows of a path are being written anew.
func (t *Type) move(path string) {
	if t.moving == nil {
		t.moving = map[string]bool{}
	}
	t.moving[path] = true
}

func (a *attr) primarySub() *attr {
	if p := a.byName["primary"]; a.MultiValued && p != nil && p.Type == Boolean {
		return p
	}
	return nil
}

func (a *attr) setDefaults(index string) (err error) {
	if a.Mutability == "" {
		a.Mutability = ReadWrite
	}
	// RFC 7643, section 7: what is writeOnly is never returned.
	if a.Secret() || a.parent.Returned == ReturnedNever {
		a.Returned = ReturnedNever
	}
	if a.Returned == "" {
		a.Returned = ReturnedDefault
	}
	if a.Uniqueness == "" {
		a.Uniqueness = UniqueNone
	}
	if a.Type == Binary {
		a.Unindexed = true
	}
	a.secret = a.Returned == ReturnedNever && a.Type != Complex
	a.indexes = !a.Unindexed
	a.Unindexed = a.Unindexed || a.Building
	if a.Pattern != "" {
		if a.pattern, err = regexp.Compile(a.Pattern); err != nil {
			return fmt.Errorf("pattern: %w", err)
		}
	}
	if (a.Type == String || a.Type == Reference) && !a.CaseExact {
		a.fold = foldCase
	}
	multi := a.MultiValued || a.parent.MultiValued
	a.ref = &AttrRef{Path: index, Multi: multi, Type: a.Type, attr: a}
	return nil
}

var nameForm = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9_-]*|\$ref)$`)

// checkAttribute applies RFC 7643, sections 2.1 and 2.3.8, and what the index needs.
func checkAttribute(parent *attr, a Attribute) error {
	switch {
	case !nameForm.MatchString(a.Name) || len(a.Name) > maxNameLength:
		return fmt.Errorf("a name is letters, digits, - and _, at most %d", maxNameLength)
	case parent.byName[lower(a.Name)] != nil:
		return fmt.Errorf("twice")
	case a.Type == Complex && len(a.SubAttributes) == 0:
		return fmt.Errorf("complex without sub-attributes")
	case a.Type != Complex && len(a.SubAttributes) > 0:
		return fmt.Errorf("sub-attributes, and not complex")
	case a.Type == Complex && parent.parent != nil && !parent.extends:
		return fmt.Errorf("complex inside complex")
	case a.MultiValued && parent.MultiValued:
		return fmt.Errorf("multi-valued inside multi-valued")
	}
	return checkKeywords(a)
}

func checkKeywords(a Attribute) error {
	switch a.Type {
	case String, Boolean, Decimal, Integer, DateTime, Reference, Binary, Complex:
	default:
		return fmt.Errorf("unknown type %q", a.Type)
	}
	for _, k := range []struct{ name, value, known string }{
		{"mutability", a.Mutability, "readWrite readOnly immutable writeOnly"},
		{"returned", a.Returned, "always default request never"},
		{"uniqueness", a.Uniqueness, "none server global"},
	} {
		if k.value != "" && !strings.Contains(" "+k.known+" ", " "+k.value+" ") {
			return fmt.Errorf("unknown %s %q", k.name, k.value)
		}
	}
	return nil
}

func lower(s string) string { return strings.ToLower(s) }
