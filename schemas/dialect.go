package schemas

import "strings"

// Dialect is how one kind of client speaks SCIM: which departures from the RFCs are
// accepted from it, and what gives it away. What is sent out is the same for all.
type Dialect struct {
	Name   string
	Client string // who speaks so, for people
	Leniency
	// Signs tell the client by its requests; one is enough.
	Signs []Sign
}

// Leniency lists departures from the RFCs that are accepted.
type Leniency struct {
	// StringBooleans takes "True" and "False" for booleans, in bodies and filters.
	StringBooleans bool
	// CreateOnAdd and CreateOnReplace make an element out of the eq terms of a value
	// path that matches nothing, instead of answering noTarget.
	CreateOnAdd, CreateOnReplace bool
	// IgnoreMissedRemove takes a remove whose target matches nothing as done.
	IgnoreMissedRemove bool
	// UnquotedFilterValues takes userName eq bob for userName eq "bob".
	UnquotedFilterValues bool
	// SubAfterValuePath takes emails[type eq "work"].value eq "x" in a filter for
	// emails[type eq "work" and value eq "x"].
	SubAfterValuePath bool
	// CoreUnderURN takes core attributes nested under the URN of the core schema.
	CoreUnderURN bool
	// FormerURNs takes the URNs of SCIM 1.1 and of the drafts of 2.0 for those of today.
	FormerURNs bool
	// LooseShapes takes a string for a complex value that has a value sub-attribute
	// (manager), a one-element array for a single value, and {"value": "x"} for "x".
	LooseShapes bool
	// ReadOnlyInValue ignores id, meta and schemas inside a PATCH value.
	ReadOnlyInValue bool
	// OptionalSchemas takes bodies whose schemas list is missing or incomplete.
	OptionalSchemas bool
	// UnknownAttributes drops attributes that no schema has.
	UnknownAttributes bool
	// LoosePaths takes a path with the version of the protocol missing, or twice.
	LoosePaths bool
}

// tolerant does no harm whoever sends so; the others are what one client needs beside
// it, or must not have.
var (
	tolerant = Leniency{
		StringBooleans: true, CreateOnAdd: true, CoreUnderURN: true, FormerURNs: true, LooseShapes: true,
		ReadOnlyInValue: true, OptionalSchemas: true, UnknownAttributes: true, LoosePaths: true,
	}
	tolerantOfMisses = Leniency{
		StringBooleans: true, CreateOnAdd: true, CoreUnderURN: true, FormerURNs: true, LooseShapes: true,
		ReadOnlyInValue: true, OptionalSchemas: true, UnknownAttributes: true, LoosePaths: true, IgnoreMissedRemove: true,
	}
	tolerantOfEntra = Leniency{
		StringBooleans: true, CreateOnAdd: true, CoreUnderURN: true, FormerURNs: true, LooseShapes: true,
		ReadOnlyInValue: true, OptionalSchemas: true, UnknownAttributes: true, LoosePaths: true, IgnoreMissedRemove: true,
		CreateOnReplace: true, UnquotedFilterValues: true, SubAfterValuePath: true,
	}
	tolerantOfOkta = Leniency{
		CreateOnAdd: true, CoreUnderURN: true, FormerURNs: true, LooseShapes: true,
		ReadOnlyInValue: true, OptionalSchemas: true, UnknownAttributes: true, LoosePaths: true,
	}
)

// dialects is the table: a client is a row. docs/scim-clients.md says for people what
// each is known to do; testdata/scim has their exchanges.
var dialects = []Dialect{
	{Name: "generic", Client: "any client", Leniency: tolerant},
	{Name: "strict", Client: "a client that is held to the RFCs"},
	{
		Name: "entra", Client: "Microsoft Entra ID", Leniency: tolerantOfEntra,
		Signs: []Sign{
			{InUserAgent, "azure ad scim"}, {InQuery, "aadoptscim062020"}, {InBody, "/resourcemanagement/adscim/"},
			{InFirstOp, "Add"}, {InFirstOp, "Replace"}, {InFirstOp, "Remove"},
		},
	},
	{
		Name: "okta", Client: "Okta", Leniency: tolerantOfOkta,
		Signs: []Sign{{InUserAgent, "okta scim client"}, {InBody, `"urn:okta:`}},
	},
	{
		Name: "onelogin", Client: "OneLogin", Leniency: tolerant,
		Signs: []Sign{{InBody, `"urn:scim:schemas:core:2.0"`}, {AtEndOfQuery, "&"}},
	},
	{
		Name: "google", Client: "Google Workspace", Leniency: tolerant,
		Signs: []Sign{{InUserAgent, "google-auto-provisioning"}},
	},
	{
		Name: "jumpcloud", Client: "JumpCloud", Leniency: tolerantOfMisses,
		Signs: []Sign{{InUserAgent, "jumpcloud"}},
	},
	{
		Name: "authentik", Client: "authentik", Leniency: tolerantOfMisses,
		Signs: []Sign{{InUserAgent, "authentik@"}},
	},
	{Name: "aws", Client: "a client made for AWS IAM Identity Center", Leniency: tolerantOfMisses},
}

// The dialects that code speaks of: Generic is tolerant and the one to fall back to;
// Strict is exactly the RFCs; Entra and Okta are the two large clients.
var (
	Generic = mustDialect("generic")
	Strict  = mustDialect("strict")
	Entra   = mustDialect("entra")
	Okta    = mustDialect("okta")
)

func mustDialect(name string) Dialect {
	d, ok := DialectByName(name)
	if !ok {
		panic(name)
	}
	return d
}

// AutoDialect is the name that stands for telling the client by its requests. So does
// the empty name.
const AutoDialect = "auto"

// DialectByName returns the dialect called name, in any case. The empty name and
// AutoDialect are Generic; an unknown one is Generic and false.
func DialectByName(name string) (Dialect, bool) {
	for _, d := range dialects {
		if strings.EqualFold(d.Name, name) {
			return d, true
		}
	}
	return dialects[0], name == "" || strings.EqualFold(name, AutoDialect)
}

// PinnedDialect returns the name of a dialect as it is kept: empty for AutoDialect. It is
// false for a name that no dialect has.
func PinnedDialect(name string) (string, bool) {
	d, ok := DialectByName(name)
	if !ok || name == "" || strings.EqualFold(name, AutoDialect) {
		return "", ok
	}
	return d.Name, true
}

// DialectNames are the names that a client can be given, AutoDialect first.
func DialectNames() []string {
	names := []string{AutoDialect}
	for _, d := range dialects {
		names = append(names, d.Name)
	}
	return names
}
