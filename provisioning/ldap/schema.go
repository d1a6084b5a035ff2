package ldap

import "github.com/provost-id/provost/provisioning"

// schema is what the connector knows of inetOrgPerson (RFC 2798), its superclasses (RFC 4519) and groupOfNames.
// A profile shows one value of each attribute; where people have several, a second name shows them all, read-only.
var schema = provisioning.Schema{Types: []provisioning.ObjectType{
	{Name: provisioning.TypeUser, Attributes: append(userAttributes(), listAttributes()...)},
	{Name: provisioning.TypeGroup, Attributes: []provisioning.Attribute{
		{Name: "dn", ReadOnly: true, Title: "Distinguished name"},
		{Name: "cn", Required: true, Title: "Name"},
		{Name: "description", Title: "Description"},
		{Name: "businessCategory", Title: "Business category"},
		{Name: "owner", Type: "reference", Title: "Owner"},
	}},
}}

func userAttributes() []provisioning.Attribute {
	a := []provisioning.Attribute{
		{Name: "dn", ReadOnly: true, Title: "Distinguished name"},
		{Name: "uid", Title: "User ID"},
		{Name: "cn", Required: true, Title: "Common name"},
		{Name: "sn", Required: true, Title: "Surname"},
		{Name: "manager", Type: "reference", Title: "Manager"},
		{Name: "secretary", Type: "reference", Title: "Secretary"},
	}
	for _, n := range []string{
		"givenName", "displayName", "initials", "mail", "title", "employeeNumber", "employeeType", "departmentNumber", "ou", "o",
		"telephoneNumber", "mobile", "homePhone", "pager", "facsimileTelephoneNumber", "street", "l", "st", "postalCode", "postalAddress",
		"physicalDeliveryOfficeName", "roomNumber", "preferredLanguage", "businessCategory", "carLicense", "labeledURI", "description",
	} {
		a = append(a, provisioning.Attribute{Name: n, Title: n})
	}
	for i := range a {
		if a[i].Type == "" {
			a[i].Type = "string"
		}
	}
	return a
}

func listAttributes() []provisioning.Attribute {
	var a []provisioning.Attribute
	for _, l := range [][2]string{{"mails", "mail"}, {"telephoneNumbers", "telephoneNumber"}, {"mobiles", "mobile"}, {"objectClasses", "objectClass"}} {
		a = append(a, provisioning.Attribute{Name: l[0], Remote: l[1], Type: "string", List: true, ReadOnly: true, Title: "All values of " + l[1]})
	}
	return a
}

// isReference says whether an attribute holds DNs.
func isReference(remote string) bool {
	switch remote {
	case "manager", "secretary", "owner", "seeAlso":
		return true
	}
	return false
}

// Schema is what every connector of this package answers, for checking mappings without a directory.
func Schema() provisioning.Schema { return schema }
