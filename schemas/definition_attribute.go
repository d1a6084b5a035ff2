package schemas

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/provost-id/provost/schemas/scim"
)

// Bounds of one attribute.
const (
	maxText = 1024 // bytes of a title or description
	maxLen  = 100_000
	maxEnum = 1000
	// maxPriority bounds the apps of a master: each costs a look-up when the schema changes.
	maxPriority = 20
	maxSchema   = 200 // attributes of one schema, sub-attributes not counted
)

// reservedNames are what expressions and events call other things than profile
// attributes, and the words of the expression language.
var reservedNames = strings.Fields(`id status password groups type schemas meta externalid
	as break const continue else false for function if import in let loop namespace null package return true var void while`)

var profileName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,63}$`)

// checkAll checks the attributes of a schema. Those of the flat profile have names that
// expressions can spell and that no base attribute has.
func checkAll(as []Attribute, schema string, within *Attribute, profile bool) error {
	prefix := ""
	if within != nil {
		prefix = within.Name + "."
	}
	if len(as) > maxSchema {
		return &DefinitionError{Schema: schema, Attr: strings.TrimSuffix(prefix, "."), Key: "attributes", Reason: fmt.Sprintf("more than %d", maxSchema)}
	}
	for i, a := range as {
		c := attributeCheck{a: a, within: within, schema: schema, path: prefix + a.Name}
		if attributeIn(as, a.Name) != &as[i] {
			return c.wrong("name", "another attribute has this name")
		}
		if profile {
			if err := c.profileName(); err != nil {
				return err
			}
		}
		if err := c.all(); err != nil {
			return err
		}
		if err := checkAll(a.SubAttributes, schema, &as[i], false); err != nil {
			return err
		}
	}
	return nil
}

// attributeCheck looks at one definition.
type attributeCheck struct {
	a            Attribute
	within       *Attribute // the complex attribute that it is part of, or nil
	schema, path string
}

func (c attributeCheck) wrong(key, format string, args ...any) error {
	return &DefinitionError{Schema: c.schema, Attr: c.path, Key: key, Reason: fmt.Sprintf(format, args...)}
}

func (c attributeCheck) profileName() error {
	if !profileName.MatchString(c.a.Name) {
		return c.wrong("name", "want a letter and up to 63 letters, digits or _")
	}
	if slices.Contains(reservedNames, lower(c.a.Name)) {
		return c.wrong("name", "this name is reserved")
	}
	if containsFold(builtInNames(c.schema), c.a.Name) {
		return c.wrong("name", "every profile already has an attribute of this name")
	}
	return nil
}

// builtInNames are the names that the flat profile of a type has without any definition.
func builtInNames(schema string) (names []string) {
	var base []BaseAttribute
	switch {
	case strings.EqualFold(schema, scim.OrgUser):
		base = BaseAttributes()
	case strings.EqualFold(schema, scim.OrgGroup):
		base, names = groupAttributes[:], []string{"description"}
	}
	for _, b := range base {
		names = append(names, b.Name)
	}
	return names
}

func (c attributeCheck) all() error {
	for _, check := range []func() error{c.form, c.texts, c.bounds, c.format, c.secrecy, c.uniqueness, c.view, c.values} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// form leaves what Compile refuses as well to it, but says which key is wrong.
func (c attributeCheck) form() error {
	switch a := c.a; {
	case !nameForm.MatchString(a.Name) || a.Name == "$ref" && c.within == nil || len(a.Name) > maxNameLength:
		return c.wrong("name", "want a letter and up to %d letters, digits, - or _", maxNameLength-1)
	case !slices.Contains([]DataType{String, Boolean, Decimal, Integer, DateTime, Reference, Binary, Complex}, a.Type):
		return c.wrong("type", "there is no type %q", clip(string(a.Type)))
	case a.Type == Complex && len(a.SubAttributes) == 0:
		return c.wrong("subAttributes", "a complex attribute has some")
	case a.Type != Complex && len(a.SubAttributes) > 0:
		return c.wrong("subAttributes", "only a complex attribute has some")
	case a.Type == Complex && c.within != nil:
		return c.wrong("type", "there is no complex attribute inside of a complex one")
	case a.MultiValued && c.within != nil && c.within.MultiValued:
		return c.wrong("multiValued", "the attribute that it is part of is multi-valued")
	}
	for _, k := range []struct{ key, value, known string }{
		{"mutability", c.a.Mutability, "readWrite readOnly immutable writeOnly"},
		{"returned", c.a.Returned, "always default request never"},
		{"uniqueness", c.a.Uniqueness, "none server global"},
	} {
		if k.value != "" && !slices.Contains(strings.Fields(k.known), k.value) {
			return c.wrong(k.key, "want one of %s, got %q", k.known, clip(k.value))
		}
	}
	return nil
}

func (c attributeCheck) texts() error {
	for _, k := range []struct{ key, value string }{
		{"title", c.a.Title}, {"description", c.a.Description}, {"externalName", c.a.ExternalName}, {"externalNamespace", c.a.ExternalNamespace},
	} {
		if !isDescription(k.value) {
			return c.wrong(k.key, "want at most %d bytes of text without NUL", maxText)
		}
	}
	for _, title := range c.a.Titles {
		if !isDescription(title) {
			return c.wrong("oneOf", "want titles of at most %d bytes without NUL", maxText)
		}
	}
	return nil
}

// isDescription says whether a text can be shown, and kept in every database.
func isDescription(s string) bool { return len(s) <= maxText && isPlain(s) }

func isPlain(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

func (c attributeCheck) isText() bool { return c.a.Type == String || c.a.Type == Reference }
func (c attributeCheck) isNumber() bool {
	return c.a.Type == Integer || c.a.Type == Decimal
}

func (c attributeCheck) bounds() error {
	switch r := c.a.Rules; {
	case !c.isText() && r.MinLength != 0:
		return c.wrong("minLength", "only a string has a length")
	case !c.isText() && r.MaxLength != 0:
		return c.wrong("maxLength", "only a string has a length")
	case r.MinLength < 0 || r.MinLength > maxLen:
		return c.wrong("minLength", "want 0 to %d", maxLen)
	case r.MaxLength < 0 || r.MaxLength > maxLen:
		return c.wrong("maxLength", "want 1 to %d", maxLen)
	case r.MaxLength > 0 && r.MinLength > r.MaxLength:
		return c.wrong("minLength", "it is more than maxLength")
	case r.MaxLength > MaxIndexed && !c.a.Unindexed:
		return c.wrong("maxLength", "an attribute with an index holds at most %d", MaxIndexed)
	case !c.isNumber() && r.Minimum != nil:
		return c.wrong("minimum", "only a number has one")
	case !c.isNumber() && r.Maximum != nil:
		return c.wrong("maximum", "only a number has one")
	case r.Minimum != nil && r.Maximum != nil && *r.Minimum > *r.Maximum:
		return c.wrong("minimum", "it is more than maximum")
	case r.Pattern != "" && !c.isText():
		return c.wrong("pattern", "only a string has one")
	case len(r.Pattern) > maxPattern:
		return c.wrong("pattern", "want at most %d bytes", maxPattern)
	}
	if _, err := regexp.Compile(c.a.Pattern); err != nil {
		return c.wrong("pattern", "%v", err)
	}
	return nil
}

func (c attributeCheck) format() error {
	switch {
	case c.a.Format == "":
		return nil
	case !IsFormat(c.a.Format):
		return c.wrong("format", "there is no format %q", clip(c.a.Format))
	case !c.isText():
		return c.wrong("format", "only a string has one")
	}
	return nil
}

// secrecy: who replaces a resource cannot have read a secret to send it back.
func (c attributeCheck) secrecy() error {
	switch {
	case !c.a.Secret():
		return nil
	case c.a.Required:
		return c.wrong("required", "nobody can read the attribute to send it back")
	case c.a.Default != nil:
		return c.wrong("default", "an attribute that nobody can read has none")
	case c.a.Mutability == ReadOnly:
		return c.wrong("mutability", "nobody could read or write the attribute")
	}
	return nil
}

func (c attributeCheck) uniqueness() error {
	if !c.a.Unique() {
		return nil
	}
	switch {
	case c.a.Type == Boolean || c.a.Type == Complex || c.a.Type == Binary:
		return c.wrong("unique", "an attribute of type %s cannot be unique", c.a.Type)
	case c.a.Secret():
		return c.wrong("unique", "an attribute that nobody can read cannot be unique")
	case c.a.Unindexed:
		return c.wrong("unique", "a unique attribute has an index")
	case c.a.Default != nil:
		return c.wrong("default", "a unique attribute has none")
	}
	return nil
}

func (c attributeCheck) view() error {
	if self := c.a.Self; self != "" && !slices.Contains([]string{SelfHide, SelfReadOnly, SelfReadWrite}, self) {
		return c.wrong("permissions", "want one of HIDE, READ_ONLY and READ_WRITE, got %q", clip(self))
	}
	// Who is given an app, and by which group, says nothing about the profile there: there
	// is nothing to set by hand, and nothing to combine.
	if c.a.Scope != "" && c.a.Scope != "NONE" {
		return c.wrong("scope", "want NONE: profiles at apps are filled by mappings alone, got %q", clip(c.a.Scope))
	}
	if c.a.Union != "" && c.a.Union != "DISABLE" {
		return c.wrong("union", "want DISABLE: groups give profiles at apps no values that could be combined, got %q", clip(c.a.Union))
	}
	if c.a.Secret() && c.a.Self != "" && c.a.Self != SelfHide {
		return c.wrong("permissions", "an attribute that nobody can read is hidden")
	}
	if c.a.Union != "" && !c.a.MultiValued {
		return c.wrong("union", "only an array has one")
	}
	m := c.a.Master
	switch {
	case m == nil:
	case !slices.Contains([]string{MasterLocal, MasterProfile, MasterOverride}, m.Type):
		return c.wrong("master", "want the type OKTA, PROFILE_MASTER or OVERRIDE, got %q", clip(m.Type))
	case m.Type == MasterOverride && len(m.Priority) == 0:
		return c.wrong("master", "OVERRIDE wants a priority")
	case m.Type != MasterOverride && len(m.Priority) > 0:
		return c.wrong("master", "only OVERRIDE has a priority")
	case len(m.Priority) > maxPriority || slices.ContainsFunc(m.Priority, func(id string) bool { return !isPlain(id) }):
		return c.wrong("master", "want at most %d IDs of apps", maxPriority)
	}
	return nil
}

// values checks the enum and the default by the attribute itself.
func (c attributeCheck) values() error {
	a := &attr{Attribute: c.a, path: c.path, parent: &attr{}}
	if err := a.setDefaults(c.path); err != nil {
		return c.wrong("pattern", "%v", err)
	}
	if c.a.Enum != nil && !c.isText() && !c.isNumber() {
		return c.wrong("enum", "an attribute of type %s has none", c.a.Type)
	}
	if c.a.Enum != nil && (len(c.a.Enum) == 0 || len(c.a.Enum) > maxEnum) {
		return c.wrong("enum", "want 1 to %d values", maxEnum)
	}
	if c.a.Titles != nil && len(c.a.Titles) != len(c.a.Enum) {
		return c.wrong("oneOf", "want a title for each value of enum")
	}
	for i, v := range c.a.Enum {
		if !isPlain(v) {
			return c.wrong("enum", "want text without NUL")
		}
		if slices.Index(c.a.Enum, v) < i {
			return c.wrong("enum", "%q is there twice", clip(v))
		}
		if canonical, ok := CanonicalNumber(c.a.Type, v); c.isNumber() && (!ok || canonical != v) {
			return c.wrong("enum", "%q: want %s", clip(v), c.a.Type)
		}
		if err := a.check(v); err != nil || v == "" {
			return c.wrong("enum", "%q: %s", clip(v), orEmpty(err))
		}
	}
	if c.a.Type == Complex && c.a.Default != nil {
		return c.wrong("default", "a complex attribute has none")
	}
	if err := new(Type).compileDefault(a); err != nil {
		return c.wrong("default", "%s", reason(err))
	}
	return nil
}

func orEmpty(err error) string {
	if err == nil {
		return "it is empty"
	}
	e, _ := errors.AsType[*Error](err)
	return e.Reason
}
