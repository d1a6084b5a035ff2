package schemas

import (
	"slices"

	vocabulary "github.com/elimity-com/scim/schema"

	"github.com/provost-id/provost/schemas/scim"
)

// Keys of the built-in extensions in the index (Extension.Key).
const (
	enterpriseKey = "enterprise"
	orgKey        = "org"
)

// Default returns the resource types of a new organisation: the core User with the
// enterprise extension and the organisation's own, still empty, extension; and the
// core Group with an extension for what the management API knows of a group and the
// core schema does not. The result may be changed and given to Compile.
func Default() []ResourceType {
	return []ResourceType{
		{
			Name: "User", Endpoint: "/Users", Description: "User Account",
			Core: fromVocabulary(vocabulary.CoreUserSchema(), ""),
			Base: BaseAttributes(),
			Extensions: []Extension{
				{Schema: fromVocabulary(vocabulary.ExtensionEnterpriseUser(), enterpriseKey+":"), Key: enterpriseKey},
				{Schema: Schema{
					ID: scim.OrgUser, Name: "Organisation User",
					Description: "Attributes of users that this organisation has added",
				}, Key: orgKey, Profile: true},
			},
		},
		{
			Name: "Group", Endpoint: "/Groups", Description: "Group",
			Core: fromVocabulary(vocabulary.CoreGroupSchema(), ""),
			Base: slices.Clone(groupAttributes[:]),
			Extensions: []Extension{{Schema: Schema{
				ID: scim.OrgGroup, Name: "Organisation Group",
				Description: "Attributes of groups that this organisation has added",
				Attributes: []Attribute{{
					Name: "description", Type: String, Description: "What the group is for.",
					Rules: Rules{MaxLength: 1024}, View: View{Title: "Description"},
				}},
			}, Key: orgKey, Profile: true}},
		},
	}
}

// adjustments are what provost adds to the definitions of RFC 7643: the lengths of
// the base attributes (base.go), and values too long for an index. A manager's
// displayName is readOnly in the RFC; here it is a base attribute that a source
// sets. The display of a member is its own name and shown to whoever asks for it: RFC
// 7643, section 8.7.1, does not list it, and its section 2.4 and many clients know it.
var adjustments = map[string]func(*Attribute){
	"userName":                       maxLength(100),
	"name.givenName":                 maxLength(50),
	"name.familyName":                maxLength(50),
	"emails.value":                   maxLength(100),
	"phoneNumbers.value":             maxLength(100),
	"addresses.streetAddress":        maxLength(1024),
	"addresses.locality":             maxLength(128),
	"addresses.region":               maxLength(128),
	"addresses.postalCode":           maxLength(50),
	"addresses.formatted":            func(a *Attribute) { a.MaxLength, a.Unindexed = 4096, true },
	"photos.value":                   func(a *Attribute) { a.Unindexed = true },
	"members":                        func(a *Attribute) { a.Description += pagedMembers },
	"members.display":                func(a *Attribute) { a.Mutability, a.Returned = ReadOnly, ReturnedRequest },
	"enterprise:manager.displayName": func(a *Attribute) { a.Mutability = ReadWrite },
}

// pagedMembers is how a client learns that it need not take all of them.
const pagedMembers = " Some of them are returned for attributes=members[FILTER], a page for" +
	" attributes=members[startIndex=1&count=100] or attributes=members[cursor=&count=100]."

func maxLength(n int) func(*Attribute) {
	return func(a *Attribute) { a.MaxLength = n }
}

// fromVocabulary takes over a schema of elimity-com/scim.
func fromVocabulary(v vocabulary.Schema, prefix string) Schema {
	return Schema{
		ID: v.ID, Name: v.Name.Value(), Description: v.Description.Value(),
		Attributes: attributesFrom(v.Attributes, prefix),
	}
}

func attributesFrom(vs vocabulary.Attributes, prefix string) []Attribute {
	if len(vs) == 0 {
		return nil
	}
	as := make([]Attribute, len(vs))
	for i, v := range vs {
		as[i] = attributeFrom(v, prefix+v.Name())
	}
	return as
}

func attributeFrom(v vocabulary.CoreAttribute, path string) Attribute {
	a := Attribute{
		Name: v.Name(), Type: DataType(v.AttributeType()), MultiValued: v.MultiValued(),
		Description: v.Description(), Required: v.Required(), CaseExact: v.CaseExact(),
		Mutability: v.Mutability(), Returned: v.Returned(), Uniqueness: v.Uniqueness(),
		CanonicalValues: v.CanonicalValues(),
		SubAttributes:   attributesFrom(v.SubAttributes(), path+"."),
	}
	for _, t := range v.ReferenceTypes() {
		a.ReferenceTypes = append(a.ReferenceTypes, string(t))
	}
	if adjust, ok := adjustments[path]; ok {
		adjust(&a)
	}
	return a
}

// commonAttributes are the attributes of every resource (RFC 7643, section 3.1). To
// a client schemas is as good as readOnly: it follows from what the resource holds.
func commonAttributes() []Attribute {
	as := attributesFrom(vocabulary.CommonAttributes(), "")
	for i := range as {
		if as[i].Name == "schemas" {
			as[i].Mutability, as[i].Returned = ReadOnly, ReturnedAlways
		}
	}
	return as
}
