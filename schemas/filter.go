package schemas

import "math"

// Op is a comparison operator (RFC 7644, section 3.4.2.2, table 3).
type Op string

// The operators.
const (
	EQ Op = "eq"
	NE Op = "ne"
	CO Op = "co"
	SW Op = "sw"
	EW Op = "ew"
	GT Op = "gt"
	GE Op = "ge"
	LT Op = "lt"
	LE Op = "le"
	PR Op = "pr"
)

// Filter is a parsed filter whose attributes and values are resolved against a
// resource type, so that whoever executes it needs no schema.
type Filter struct {
	Root Node

	typ *Type
}

// Node is a part of a filter: *And, *Or, *Not, *Compare or *ValuePath.
type Node interface{ appendTo(dst []byte) []byte }

// And holds when all of its terms do. There are at least two.
type And struct{ Terms []Node }

// Or holds when one of its terms does. There are at least two.
type Or struct{ Terms []Node }

// Not holds when its term does not.
type Not struct{ Term Node }

// NoMicros is a time, and a version, that no resource has.
const NoMicros = math.MinInt64

// Compare holds when the attribute has a value that compares so, and, of a
// multi-valued attribute, when one of its values does. NE is the complement of EQ:
// it also holds when there is no value. PR holds when there is one that is not
// empty; it has no Value.
type Compare struct {
	Attr *AttrRef
	Op   Op
	// Value is folded and order-encoded exactly as Entry.Value of the same path.
	Value string
	// Micros is the value of a comparison with InCreated or InModified, in
	// microseconds since 1970 UTC, rounded so that Op holds of the same times; of EQ with
	// InVersion the version number. It is NoMicros when nothing can equal the value.
	Micros int64

	name string // as String prints it
	text string // the canonical value, before it was folded
}

// ValuePath holds when a single element of the multi-valued attribute Attr satisfies
// Node. The attributes inside Node are those of the element.
type ValuePath struct {
	Attr *AttrRef
	Node Node
}

// Where says where the value of an attribute lives.
type Where uint8

// The places. Values of InIndex are rows (Path, value, element) of the attribute
// index; all others are columns or tables of their own.
const (
	InIndex          Where = iota
	InActive               // the hot column active; Value is "true" or "false"
	InUserName             // the hot column user_name, folded as Hot.UserName
	InDisplayName          // the hot column display_name, folded as Hot.DisplayName
	InFamilyName           // the hot column family_name
	InGivenName            // the hot column given_name
	InID                   // exact
	InExternalID           // exact, in the namespace of the client
	InCreated              // microseconds
	InModified             // microseconds
	InVersion              // a number; Value is compared with the text W/"number"
	InResourceType         // Value is compared with Type.Name, exactly
	InLocation             // exact: the URL of the resource, which ends in its ID
	InSchemas              // multi-valued: the core schema, and Path in the index for extensions
	InStatus               // exact: the lifecycle status of a user, the type of a group
	InStatusChanged        // microseconds
	InActivated            // microseconds; some have none
	InMembersChanged       // microseconds
	InUserType             // Value is compared with UserType
	InMembers              // of a group; Sub is "value", "$ref", "type" or "display"
	InGroups               // of a user; Sub is one of the same
)

// UserType is the type of all users in the management API.
const UserType = "default"

// AttrRef is an attribute that a filter speaks of.
type AttrRef struct {
	Where Where
	// Path is the key of the index: "title", "emails.value", "enterprise:department".
	Path string
	// Sub is the folded sub-attribute, of InMembers and InGroups.
	Sub string
	// Multi says that the attribute, or the one it is part of, is multi-valued.
	Multi bool
	Type  DataType

	attr *attr
}

// Unindexed says that the index tells at most whether there is a value: a comparison is
// evaluated on the document, by Resource.Matches.
func (r *AttrRef) Unindexed() bool { return r.attr.Unindexed }

// Building says that the index does not even tell whether there is a value.
func (r *AttrRef) Building() bool { return r.attr.Building }

// Name is the attribute as errors and filters spell it.
func (r *AttrRef) Name() string { return r.attr.path }

// Unique says that no two resources have the same value.
func (r *AttrRef) Unique() bool { return r.attr.Uniqueness != UniqueNone }
