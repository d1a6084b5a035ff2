package schemas

import "strings"

// Dialect says which departures from the RFCs are accepted from a client. What is
// sent out is the same for all.
type Dialect struct {
	Name string
	// StringBooleans takes "True" and "False" for booleans, in bodies and filters.
	StringBooleans bool
	// CreateOnAdd and CreateOnReplace make an element out of the eq terms of a value
	// path that matches nothing, instead of answering noTarget.
	CreateOnAdd, CreateOnReplace bool
	// IgnoreMissedRemove takes a remove whose value path matches nothing as done.
	IgnoreMissedRemove bool
	// UnquotedFilterValues takes userName eq bob for userName eq "bob".
	UnquotedFilterValues bool
	// SubAfterValuePath takes emails[type eq "work"].value eq "x" in a filter for
	// emails[type eq "work" and value eq "x"].
	SubAfterValuePath bool
	// CoreUnderURN takes core attributes nested under the URN of the core schema.
	CoreUnderURN bool
	// LooseShapes takes a string for a complex value that has a value sub-attribute
	// (manager), a one-element array for a single value, and {"value": "x"} for "x".
	LooseShapes bool
	// ReadOnlyInValue ignores id, meta and schemas inside a PATCH value.
	ReadOnlyInValue bool
	// OptionalSchemas takes bodies whose schemas list is missing or incomplete.
	OptionalSchemas bool
	// UnknownAttributes drops attributes that no schema has.
	UnknownAttributes bool
}

// The dialects a client can be given. Generic is tolerant in what it takes and the
// default; Strict is exactly the RFCs; Entra and Okta are the two large clients.
var (
	Generic = Dialect{
		Name: "generic", StringBooleans: true, CreateOnAdd: true, CoreUnderURN: true,
		LooseShapes: true, ReadOnlyInValue: true, OptionalSchemas: true, UnknownAttributes: true,
	}
	Strict = Dialect{Name: "strict"}
	Entra  = Dialect{
		Name: "entra", StringBooleans: true, CreateOnAdd: true, CreateOnReplace: true,
		IgnoreMissedRemove: true, UnquotedFilterValues: true, SubAfterValuePath: true, CoreUnderURN: true,
		LooseShapes: true, ReadOnlyInValue: true, OptionalSchemas: true, UnknownAttributes: true,
	}
	Okta = Dialect{
		Name: "okta", CreateOnAdd: true, CoreUnderURN: true, LooseShapes: true,
		ReadOnlyInValue: true, OptionalSchemas: true, UnknownAttributes: true,
	}
)

// DialectByName returns the dialect called name, in any case. The empty name is
// Generic; an unknown one is Generic and false.
func DialectByName(name string) (Dialect, bool) {
	if name == "" {
		return Generic, true
	}
	for _, d := range []Dialect{Generic, Strict, Entra, Okta} {
		if strings.EqualFold(d.Name, name) {
			return d, true
		}
	}
	return Generic, false
}
