package schemas

// BaseAttribute is one of the 31 attributes that every user profile has. All are
// strings; the management API shows them as READ_WRITE with their profile master.
type BaseAttribute struct {
	Name, Title, Type string
	Required          bool
	Min, Max          int    // characters; 0 is no bound
	Format            string // as CheckFormat takes it
	// Pattern, of the login, takes the place of Format: ".+" for anything, "[...]+" for
	// the characters of a set. Then there is no Min.
	Pattern string
	Self    string // READ_WRITE, READ_ONLY or HIDE
	Default string
	Path    string // the SCIM path
}

// The permissions of a person on an attribute of their own profile.
const (
	SelfReadWrite = "READ_WRITE"
	SelfReadOnly  = "READ_ONLY"
	SelfHide      = "HIDE"
)

// BaseAttributes returns the 31 base attributes, in order.
func BaseAttributes() []BaseAttribute {
	bases := make([]BaseAttribute, len(baseAttributes))
	for i, b := range baseAttributes {
		b.Type = string(String)
		bases[i] = b
	}
	return bases
}

// enterprisePath marks the paths below the enterprise extension.
const enterprisePath = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:"

var baseAttributes = [...]BaseAttribute{
	{Name: "login", Title: "Username", Required: true, Min: 5, Max: 100, Format: "email", Self: SelfReadWrite, Path: "userName"},
	{Name: "firstName", Title: "First name", Required: true, Min: 1, Max: 50, Self: SelfReadWrite, Path: "name.givenName"},
	{Name: "lastName", Title: "Last name", Required: true, Min: 1, Max: 50, Self: SelfReadWrite, Path: "name.familyName"},
	{Name: "middleName", Title: "Middle name", Self: SelfReadOnly, Path: "name.middleName"},
	{Name: "honorificPrefix", Title: "Honorific prefix", Self: SelfReadOnly, Path: "name.honorificPrefix"},
	{Name: "honorificSuffix", Title: "Honorific suffix", Self: SelfReadOnly, Path: "name.honorificSuffix"},
	{Name: "email", Title: "Primary email", Required: true, Min: 5, Max: 100, Format: "email", Self: SelfReadWrite, Path: "emails[primary eq true].value"},
	{Name: "title", Title: "Title", Self: SelfReadOnly, Path: "title"},
	{Name: "displayName", Title: "Display name", Self: SelfReadOnly, Path: "displayName"},
	{Name: "nickName", Title: "Nickname", Self: SelfReadOnly, Path: "nickName"},
	{Name: "profileUrl", Title: "Profile Url", Format: "uri", Self: SelfReadOnly, Path: "profileUrl"},
	{Name: "secondEmail", Title: "Secondary email", Min: 5, Max: 100, Format: "email", Self: SelfReadWrite, Path: `emails[type eq "other"].value`},
	{Name: "mobilePhone", Title: "Mobile phone", Max: 100, Self: SelfReadWrite, Path: `phoneNumbers[type eq "mobile"].value`},
	{Name: "primaryPhone", Title: "Primary phone", Max: 100, Self: SelfHide, Path: "phoneNumbers[primary eq true].value"},
	{Name: "streetAddress", Title: "Street address", Max: 1024, Self: SelfHide, Path: "addresses[primary eq true].streetAddress"},
	{Name: "city", Title: "City", Max: 128, Self: SelfHide, Path: "addresses[primary eq true].locality"},
	{Name: "state", Title: "State", Max: 128, Self: SelfHide, Path: "addresses[primary eq true].region"},
	{Name: "zipCode", Title: "Zip code", Max: 50, Self: SelfHide, Path: "addresses[primary eq true].postalCode"},
	{Name: "countryCode", Title: "Country code", Max: 2, Format: "country-code", Self: SelfHide, Path: "addresses[primary eq true].country"},
	{Name: "postalAddress", Title: "Postal Address", Max: 4096, Self: SelfHide, Path: "addresses[primary eq true].formatted"},
	{Name: "preferredLanguage", Title: "Preferred language", Format: "language-code", Self: SelfReadOnly, Path: "preferredLanguage"},
	{Name: "locale", Title: "Locale", Format: "locale", Self: SelfReadOnly, Default: "en_US", Path: "locale"},
	{Name: "timezone", Title: "Time zone", Format: "timezone", Self: SelfReadOnly, Path: "timezone"},
	{Name: "userType", Title: "User type", Self: SelfReadOnly, Path: "userType"},
	{Name: "employeeNumber", Title: "Employee number", Self: SelfReadOnly, Path: enterprisePath + "employeeNumber"},
	{Name: "costCenter", Title: "Cost center", Self: SelfReadOnly, Path: enterprisePath + "costCenter"},
	{Name: "organization", Title: "Organization", Self: SelfReadOnly, Path: enterprisePath + "organization"},
	{Name: "division", Title: "Division", Self: SelfReadOnly, Path: enterprisePath + "division"},
	{Name: "department", Title: "Department", Self: SelfReadOnly, Path: enterprisePath + "department"},
	{Name: "managerId", Title: "ManagerId", Self: SelfReadOnly, Path: enterprisePath + "manager.value"},
	{Name: "manager", Title: "Manager", Self: SelfReadOnly, Path: enterprisePath + "manager.displayName"},
}

// groupAttributes are the base attributes of a group profile.
var groupAttributes = [...]BaseAttribute{
	{Name: "name", Title: "Name", Type: string(String), Required: true, Min: 1, Max: 255, Path: "displayName"},
}
