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
// readWrite, default and none. Its JSON is how a definition is stored.
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

	// Unindexed attributes can be tested for presence by the index, and for nothing
	// else: nobody asks for them, or their values are too long.
	Unindexed bool `json:"unindexed,omitempty"`
	// Building says that the index rows of the attribute are being written anew. Until
	// they all are, the attribute is Unindexed to whoever asks, and not to who writes.
	Building bool `json:"-"`
	// Pending says that values from before the attribute was made unique are still being
	// looked at. New values are held to it already.
	Pending bool `json:"-"`
	Rules
	View
}

// Secret says that the attribute is never shown to anybody.
func (a Attribute) Secret() bool {
	return a.Mutability == WriteOnly || a.Returned == ReturnedNever || a.Format == FormatEncrypted || a.Format == FormatHashed
}

// Unique says that no two resources of a type have the same value.
func (a Attribute) Unique() bool { return a.Uniqueness == UniqueServer || a.Uniqueness == UniqueGlobal }

// Rules narrow what an attribute may hold.
type Rules struct {
	// MinLength and MaxLength bound a string in characters; 0 is no bound.
	MinLength int `json:"minLength,omitempty"`
	MaxLength int `json:"maxLength,omitempty"`
	// Minimum and Maximum bound an integer or decimal; nil is no bound.
	Minimum *float64 `json:"minimum,omitempty"`
	Maximum *float64 `json:"maximum,omitempty"`
	// Pattern is a regular expression (RE2) that a string matches somewhere.
	Pattern string `json:"pattern,omitempty"`
	// Enum lists the only values there are, as canonical text.
	Enum []string `json:"enum,omitempty"`
	// Format is one that CheckFormat knows.
	Format string `json:"format,omitempty"`
	// Int32 bounds an integer to 32 bits with a sign.
	Int32 bool `json:"int32,omitempty"`
	// Default is the value of a new resource that is given none, as in the flat profile.
	Default any `json:"default,omitempty"`
}

// View is what the management API shows of an attribute, beside what it may hold.
type View struct {
	Title string `json:"title,omitempty"`
	// Titles are those of the values of Enum, in its order; nil for none.
	Titles []string `json:"titles,omitempty"`
	// Self is what people may do with the attribute in their own profile.
	Self   string  `json:"self,omitempty"`
	Scope  string  `json:"scope,omitempty"` // NONE
	Union  string  `json:"union,omitempty"` // DISABLE, of an array
	Master *Master `json:"master,omitempty"`
	// ExternalName and ExternalNamespace are what an app calls the attribute.
	ExternalName      string `json:"externalName,omitempty"`
	ExternalNamespace string `json:"externalNamespace,omitempty"`
}

// The types of a Master.
const (
	MasterLocal    = "OKTA"           // the directory, always
	MasterProfile  = "PROFILE_MASTER" // the first profile source of the user
	MasterOverride = "OVERRIDE"       // the first of Priority that the user has
)

// Master says which source owns an attribute of a user; nil is MasterProfile.
type Master struct {
	Type     string   `json:"type"`
	Priority []string `json:"priority,omitempty"` // IDs of apps, of MasterOverride
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
	// Key begins the paths of the core attributes in the index; it must never change.
	Key string
	// Base are the attributes of the flat profile that every organisation has.
	Base []BaseAttribute
	// Residue says that documents may still hold values of attributes that are gone.
	Residue bool
}
