package scim

import (
	"github.com/provost-id/provost/provisioning"
	wire "github.com/provost-id/provost/schemas/scim"
)

// schema is core User, core Group and the enterprise extension (RFC 7643, section 4) as an app's profile shows them.
// Remote names are paths as PATCH has them (RFC 7644, section 3.5.2).
var schema = provisioning.Schema{Types: []provisioning.ObjectType{
	{Name: provisioning.TypeUser, Attributes: userAttributes()},
	{Name: provisioning.TypeGroup, Attributes: []provisioning.Attribute{
		{Name: "displayName", Type: "string", Required: true, Title: "Name"},
	}},
}}

func userAttributes() []provisioning.Attribute {
	enterprise := wire.EnterpriseUser + ":"
	a := []provisioning.Attribute{
		{Name: "userName", Required: true},
		{Name: "givenName", Remote: "name.givenName"},
		{Name: "familyName", Remote: "name.familyName"},
		{Name: "middleName", Remote: "name.middleName"},
		{Name: "honorificPrefix", Remote: "name.honorificPrefix"},
		{Name: "honorificSuffix", Remote: "name.honorificSuffix"},
		{Name: "displayName"}, {Name: "nickName"}, {Name: "profileUrl"}, {Name: "title"}, {Name: "userType"},
		{Name: "preferredLanguage"}, {Name: "locale"}, {Name: "timezone"},
		{Name: "email", Remote: `emails[type eq "work"].value`},
		{Name: "secondEmail", Remote: `emails[type eq "other"].value`},
		{Name: "emails", Remote: "emails", List: true, ReadOnly: true},
		{Name: "primaryPhone", Remote: `phoneNumbers[type eq "work"].value`},
		{Name: "mobilePhone", Remote: `phoneNumbers[type eq "mobile"].value`},
		{Name: "streetAddress", Remote: `addresses[type eq "work"].streetAddress`},
		{Name: "city", Remote: `addresses[type eq "work"].locality`},
		{Name: "state", Remote: `addresses[type eq "work"].region`},
		{Name: "zipCode", Remote: `addresses[type eq "work"].postalCode`},
		{Name: "countryCode", Remote: `addresses[type eq "work"].country`},
		{Name: "postalAddress", Remote: `addresses[type eq "work"].formatted`},
		{Name: "managerId", Remote: enterprise + "manager.value", Type: "reference", Match: provisioning.MatchExact},
	}
	for _, n := range []string{"employeeNumber", "costCenter", "organization", "division", "department"} {
		a = append(a, provisioning.Attribute{Name: n, Remote: enterprise + n})
	}
	for i := range a {
		if a[i].Type == "" {
			a[i].Type = "string"
		}
		a[i].Title = a[i].Name
	}
	return a
}

// Schema is what every connector of this package answers, for checking mappings without an application.
func Schema() provisioning.Schema { return schema }
