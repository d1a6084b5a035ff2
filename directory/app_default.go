package directory

import "maps"

// defaultMappings are the properties that a new app begins with.
func defaultMappings(kind string) MappingDefaults {
	switch kind {
	case "ldap":
		return MappingDefaults{In: pushAll(ldapIn, "login"), Out: pushAll(ldapOut, "uid")}
	case "scim2":
		return MappingDefaults{In: pushAll(withSame(scimIn, "appuser"), "login"), Out: pushAll(withSame(scimOut, "user"))}
	}
	return MappingDefaults{In: map[string]Property{}, Out: map[string]Property{}}
}

// pushAll makes properties that are pushed on every change, but for those that are
// set once, on create.
func pushAll(expressions map[string]string, once ...string) map[string]Property {
	out := make(map[string]Property, len(expressions))
	for name, e := range expressions {
		out[name] = Property{Expression: e, PushStatus: Push}
	}
	for _, name := range once {
		out[name] = Property{Expression: expressions[name], PushStatus: DontPush}
	}
	return out
}

// ldapIn fills our profile from inetOrgPerson (RFC 2798). The login of a person without
// an address is its user ID in the domain that the DN names (RFC 2247).
var ldapIn = map[string]string{
	"login":             `appuser.mail != null ? appuser.mail : (appuser.uid != null ? appuser.uid + "@" + String.replace(String.substringAfter(appuser.dn, ",dc="), ",dc=", ".") : null)`,
	"email":             `appuser.mail`,
	"secondEmail":       `Arrays.get(appuser.mails, 1)`,
	"firstName":         `appuser.givenName`,
	"lastName":          `appuser.sn`,
	"displayName":       `appuser.displayName != null ? appuser.displayName : appuser.cn`,
	"title":             `appuser.title`,
	"employeeNumber":    `appuser.employeeNumber`,
	"userType":          `appuser.employeeType`,
	"department":        `appuser.departmentNumber != null ? appuser.departmentNumber : appuser.ou`,
	"organization":      `appuser.o`,
	"primaryPhone":      `appuser.telephoneNumber`,
	"mobilePhone":       `appuser.mobile`,
	"streetAddress":     `appuser.street`,
	"city":              `appuser.l`,
	"state":             `appuser.st`,
	"zipCode":           `appuser.postalCode`,
	"preferredLanguage": `appuser.preferredLanguage`,
	"managerId":         `appuser.manager`,
}

// ldapOut fills an inetOrgPerson, which demands cn and sn, from our profile.
var ldapOut = map[string]string{
	"uid":               `String.substringBefore(user.login, "@")`,
	"cn":                `user.displayName != null ? user.displayName : (user.firstName != null || user.lastName != null ? String.join(" ", user.firstName, user.lastName) : user.login)`,
	"sn":                `user.lastName != null ? user.lastName : user.login`,
	"givenName":         `user.firstName`,
	"displayName":       `user.displayName`,
	"mail":              `user.email`,
	"title":             `user.title`,
	"employeeNumber":    `user.employeeNumber`,
	"employeeType":      `user.userType`,
	"departmentNumber":  `user.department`,
	"o":                 `user.organization`,
	"telephoneNumber":   `user.primaryPhone`,
	"mobile":            `user.mobilePhone`,
	"street":            `user.streetAddress`,
	"l":                 `user.city`,
	"st":                `user.state`,
	"postalCode":        `user.zipCode`,
	"preferredLanguage": `user.preferredLanguage`,
	"manager":           `user.managerId`,
}

// scimIn fills our profile from a core User with the enterprise extension (RFC 7643,
// sections 4.1 and 4.3).
var scimIn = map[string]string{
	"login":       `appuser.userName`,
	"email":       `appuser.email != null ? appuser.email : Arrays.get(appuser.emails, 0)`,
	"firstName":   `appuser.givenName`,
	"lastName":    `appuser.familyName`,
	"displayName": `appuser.displayName`,
	"managerId":   `appuser.managerId`,
}

// scimOut fills a core User with the enterprise extension from our profile.
var scimOut = map[string]string{
	"userName":    `user.login`,
	"givenName":   `user.firstName`,
	"familyName":  `user.lastName`,
	"email":       `user.email`,
	"displayName": `user.displayName != null ? user.displayName : String.join(" ", user.firstName, user.lastName)`,
	"managerId":   `user.managerId`,
}

// scimSame are the attributes that have one name at both ends.
var scimSame = []string{
	"middleName", "honorificPrefix", "honorificSuffix", "nickName", "profileUrl", "title", "userType", "preferredLanguage", "locale", "timezone",
	"secondEmail", "primaryPhone", "mobilePhone", "streetAddress", "city", "state", "zipCode", "countryCode", "postalAddress",
	"employeeNumber", "costCenter", "organization", "division", "department",
}

// withSame adds the attributes that have one name at both ends.
func withSame(expressions map[string]string, variable string) map[string]string {
	out := maps.Clone(expressions)
	for _, name := range scimSame {
		out[name] = variable + "." + name
	}
	return out
}
