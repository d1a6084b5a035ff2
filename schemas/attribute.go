package schemas

// DataType is a SCIM data type (RFC 7643, section 2.3).
type DataType string

// The data types.
const (
	String    DataType = "string"
	Boolean   DataType = "boolean"
	Decimal   DataType = "decimal"
	Integer   DataType = "integer"
	DateTime  DataType = "dateTime"
	Reference DataType = "reference"
	Binary    DataType = "binary"
	Complex   DataType = "complex"
)

// Mutability, returned and uniqueness keywords of RFC 7643, section 7.
const (
	ReadWrite = "readWrite"
	ReadOnly  = "readOnly"
	Immutable = "immutable"
	WriteOnly = "writeOnly"

	ReturnedAlways  = "always"
	ReturnedDefault = "default"
	ReturnedRequest = "request"
	ReturnedNever   = "never"

	UniqueNone   = "none"
	UniqueServer = "server"
	UniqueGlobal = "global"
)

// Attribute is an attribute definition (RFC 7643, section 7) and what provost adds
// to it. The zero values of Mutability, Returned and Uniqueness are the defaults
// readWrite, default and none.
type Attribute struct {
	Name            string      `json:"name"`
	Type            DataType    `json:"type"`
	MultiValued     bool        `json:"multiValued"`
	Description     string      `json:"description"`
	Required        bool        `json:"required"`
	CaseExact       bool        `json:"caseExact"`
	Mutability      string      `json:"mutability,omitempty"`
	Returned        string      `json:"returned,omitempty"`
	Uniqueness      string      `json:"uniqueness,omitempty"`
	CanonicalValues []string    `json:"canonicalValues,omitempty"`
	ReferenceTypes  []string    `json:"referenceTypes,omitempty"`
	SubAttributes   []Attribute `json:"subAttributes,omitempty"`

	// Unindexed attributes can be tested for presence in a filter, and for nothing
	// else: their values are too long for an index.
	Unindexed bool `json:"-"`
	// MinLength and MaxLength bound a string in characters; 0 is no bound.
	MinLength, MaxLength int `json:"-"`
	// Title, Enum, Format and Self are those of the management API's user schema.
	Title  string   `json:"-"`
	Enum   []string `json:"-"`
	Format string   `json:"-"`
	Self   string   `json:"-"`
}

// Schema is a set of attributes under a URN (RFC 7643, section 7).
type Schema struct {
	ID          string      `json:"id"`
	Name        string      `json:"name"`
	Description string      `json:"description"`
	Attributes  []Attribute `json:"attributes"`
}

// Extension is a schema that extends a resource type. Key is the prefix of its
// paths in the index; it must never change, and is the URN when empty.
type Extension struct {
	Schema   Schema
	Required bool
	Key      string
	// Profile makes the attributes part of the flat profile by their own names.
	Profile bool
}

// ResourceType is a kind of resource (RFC 7643, section 6). Endpoint is relative to
// the base of the SCIM service: "/Users".
type ResourceType struct {
	Name        string
	Endpoint    string
	Description string
	Core        Schema
	Extensions  []Extension
}
