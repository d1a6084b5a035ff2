package manage

import (
	"encoding/json"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/schemas"
)

// property is an attribute as JSON Schema draft-04 with the keys of section 3.1 of the
// contract shows it, and two keys of our own: index, and _progress.
type property struct {
	Title             string       `json:"title"`
	Description       string       `json:"description,omitempty"`
	Type              string       `json:"type"`
	Items             *items       `json:"items,omitempty"`
	Enum              []any        `json:"enum,omitempty"`
	OneOf             []choice     `json:"oneOf,omitempty"`
	Format            string       `json:"format,omitempty"`
	Required          bool         `json:"required,omitempty"`
	MinLength         int          `json:"minLength,omitempty"`
	MaxLength         int          `json:"maxLength,omitempty"`
	Minimum           *float64     `json:"minimum,omitempty"`
	Maximum           *float64     `json:"maximum,omitempty"`
	Pattern           *string      `json:"pattern,omitempty"`
	Unique            string       `json:"unique,omitempty"`
	Default           any          `json:"default,omitempty"`
	Mutability        string       `json:"mutability"`
	Scope             string       `json:"scope"`
	Permissions       []permission `json:"permissions,omitempty"`
	Master            *master      `json:"master,omitempty"`
	Union             string       `json:"union,omitempty"`
	ExternalName      string       `json:"externalName,omitempty"`
	ExternalNamespace string       `json:"externalNamespace,omitempty"`
	Index             *bool        `json:"index,omitempty"`
	Progress          []progress   `json:"_progress,omitempty"`
}

type items struct {
	Type  string   `json:"type"`
	Enum  []any    `json:"enum,omitempty"`
	OneOf []choice `json:"oneOf,omitempty"`
}

// choice is a value of an enum with its title.
type choice struct {
	Const any    `json:"const"`
	Title string `json:"title"`
}

type permission struct {
	Principal string `json:"principal"`
	Action    string `json:"action"`
}

type master struct {
	Type     string           `json:"type"`
	Priority []masterPriority `json:"priority,omitempty"`
}

type masterPriority struct {
	Type  string `json:"type"`
	Value string `json:"value"`
}

// progress is an operation that is under way for an attribute.
type progress struct {
	Operation string `json:"operation"`
	Kind      string `json:"kind"`
	Done      int64  `json:"done"`
	Total     int64  `json:"total"`
}

// The words of the contract for those of SCIM.
var (
	mutabilities = map[string]string{
		"READ_WRITE": schemas.ReadWrite, "READ_ONLY": schemas.ReadOnly, "WRITE_ONLY": schemas.WriteOnly, "IMMUTABLE": schemas.Immutable,
	}
	shownMutability = map[string]string{
		"": "READ_WRITE", schemas.ReadWrite: "READ_WRITE", schemas.ReadOnly: "READ_ONLY",
		schemas.WriteOnly: "WRITE_ONLY", schemas.Immutable: "IMMUTABLE",
	}
)

// States of uniqueness.
const (
	uniqueValidated = "UNIQUE_VALIDATED"
	uniquePending   = "PENDING_UNIQUENESS"
)

// jsonType is the type of JSON Schema for that of SCIM, and the format that says the rest.
func jsonType(a schemas.Attribute) (typ, format string) {
	switch a.Type {
	case schemas.Boolean:
		return "boolean", ""
	case schemas.Integer:
		return "integer", ""
	case schemas.Decimal:
		return "number", ""
	case schemas.DateTime:
		return "string", "date-time"
	default:
		return "string", a.Format
	}
}

// showProperty shows an attribute of the organisation's own. ops are those under way for it.
func showProperty(a schemas.Attribute, ops []*directory.SchemaOperation) property {
	p := property{
		Title: a.Title, Description: a.Description, Required: a.Required, MinLength: a.MinLength, MaxLength: a.MaxLength,
		Minimum: a.Minimum, Maximum: a.Maximum, Default: a.Default, Mutability: shownMutability[a.Mutability],
		Scope: orElse(a.Scope, "NONE"), Permissions: []permission{{"SELF", selfOf(a)}}, Master: showMaster(a.Master), Union: a.Union,
		ExternalName: a.ExternalName, ExternalNamespace: a.ExternalNamespace,
	}
	if p.Title == "" {
		p.Title = a.Name
	}
	if a.Pattern != "" {
		p.Pattern = &a.Pattern
	}
	p.Type, p.Format = jsonType(a)
	enum, oneOf := showEnum(a)
	if a.MultiValued {
		p.Items = &items{Type: p.Type, Enum: enum, OneOf: oneOf}
		p.Type = "array"
	} else {
		p.Enum, p.OneOf = enum, oneOf
	}
	if a.Unindexed && !a.Secret() {
		p.Index = new(bool)
	}
	if a.Unique() {
		p.Unique = uniqueValidated
	}
	for _, o := range ops {
		if o.Kind == directory.OpUnique && a.Unique() {
			p.Unique = uniquePending
		}
		p.Progress = append(p.Progress, progress{Operation: o.ID, Kind: o.Kind, Done: o.Done, Total: o.Total})
	}
	return p
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// selfOf is what people may do with an attribute that nobody has said anything about.
func selfOf(a schemas.Attribute) string {
	if a.Secret() {
		return schemas.SelfHide
	}
	return orElse(a.Self, schemas.SelfReadOnly)
}

func showMaster(m *schemas.Master) *master {
	if m == nil {
		return &master{Type: schemas.MasterProfile}
	}
	shown := &master{Type: m.Type}
	for _, id := range m.Priority {
		shown.Priority = append(shown.Priority, masterPriority{Type: "APP", Value: id})
	}
	return shown
}

func showEnum(a schemas.Attribute) (enum []any, oneOf []choice) {
	for i, text := range a.Enum {
		v := enumValue(a.Type, text)
		enum = append(enum, v)
		if a.Titles != nil {
			oneOf = append(oneOf, choice{Const: v, Title: a.Titles[i]})
		}
	}
	return enum, oneOf
}

// enumValue is a value of an enum as JSON has it.
func enumValue(typ schemas.DataType, text string) any {
	if typ == schemas.Integer || typ == schemas.Decimal {
		return json.Number(text)
	}
	return text
}

// showBase shows a base attribute.
func showBase(b schemas.BaseAttribute) property {
	p := property{
		Title: b.Title, Type: b.Type, Required: b.Required, MinLength: b.Min, MaxLength: b.Max, Format: b.Format,
		Mutability: "READ_WRITE", Scope: "NONE", Master: &master{Type: schemas.MasterProfile},
	}
	if b.Self != "" {
		p.Permissions = []permission{{"SELF", b.Self}}
	}
	if b.Default != "" {
		p.Default = b.Default
	}
	if b.Pattern != "" {
		p.Pattern, p.Format, p.MinLength = &b.Pattern, "", 0
	}
	return p
}
