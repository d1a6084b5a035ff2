package archtest

import "slices"

// allowed says which of our packages each package may import. A new row, or a new
// arrow in one, is a decision that its commit explains. Tests are free of it.
//
// What it keeps apart: provisioning, federation and authserver know nothing of each
// other, except that the sign-in pages hand people to federation; directory knows
// none of the three; connectors do not know each other; what a plugin author links
// knows no database; only cmd names implementations.
var allowed = map[string][]string{
	"schemas":      {"schemas/scim"},
	"schemas/scim": {},
	"schemas/expr": {"schemas"},

	"directory":               with(ground, "directory/passwords", "schemas", "schemas/scim", "schemas/expr"),
	"directory/passwords":     {"schemas"},
	"directory/mapping":       with(ground, "directory", "schemas", "schemas/expr"),
	"directory/feed":          with(ground, "directory", "schemas", "schemas/scim"),
	"directory/transfer":      with(ground, "directory", "directory/passwords", "schemas"),
	"directory/seed":          with(ground, "directory", "schemas"),
	"directory/scim":          with(edge, "directory", "directory/feed", "directory/passwords", "schemas", "schemas/scim"),
	"directory/scim/exchange": {}, // a file and two HTTP clients of it: it knows no directory
	"directory/manage":        with(edge, "directory", "directory/feed", "directory/mapping", "directory/passwords", "schemas", "schemas/expr", "schemas/scim"),

	"provisioning":                  with(ground, "directory", "directory/mapping", "schemas", "schemas/expr"),
	"provisioning/ldap":             {"provisioning", "schemas"},
	"provisioning/scim":             {"provisioning", "schemas", "schemas/scim"},
	"provisioning/manage":           with(edge, "provisioning", "directory", "directory/mapping", "schemas", "schemas/expr"),
	"provisioning/provisioningtest": {"provisioning", "schemas", "schemas/scim"},

	"federation":               with(ground, "directory", "directory/mapping", "schemas", "schemas/expr"),
	"federation/oidc":          {"federation"},
	"federation/oidc/oidctest": {},
	"federation/manage":        with(edge, "federation", "directory", "directory/mapping", "schemas", "schemas/expr"),

	"authserver":               with(edge, "authserver/layout", "authserver/policy", "authserver/session", "directory", "plugins", "schemas", "schemas/expr"),
	"authserver/layout":        {}, // the look of the pages of both
	"authserver/policy":        {"schemas", "schemas/expr"},
	"authserver/session":       ground,
	"authserver/signin":        with(edge, "authserver/layout", "authserver/session", "authserver/policy", "directory", "directory/passwords", "federation", "federation/oidc"),
	"authserver/signin/widget": {},
	"authserver/manage":        with(edge, "authserver", "authserver/policy", "authserver/session", "directory", "plugins", "schemas", "schemas/expr"),

	"plugins":                     {},
	"plugins/webhook":             {"plugins"},
	"plugins/process":             {"plugins"},
	"plugins/manage":              with(edge, "plugins", "plugins/webhook"), // it makes secrets in the form that webhook signs with
	"plugins/pluginstest":         {"plugins"},
	"plugins/pluginstest/example": {"plugins", "plugins/process", "plugins/webhook"}, // a plugin to start from

	"internal/id":              {},
	"internal/sqldb":           {},
	"internal/sqldb/sqldbtest": {"internal/sqldb"},
	"internal/lease":           {"internal/sqldb"},
	"internal/events":          {"internal/id", "internal/lease", "internal/sqldb"},
	"internal/keyring":         {"internal/sqldb"},
	"internal/snapshot":        {"internal/sqldb"},
	"internal/jobs":            {"internal/lease", "internal/sqldb"},
	"internal/httpapi":         {"internal/events", "internal/id"},
	"internal/apitoken":        {"internal/events", "internal/httpapi", "internal/id", "internal/keyring", "internal/snapshot", "internal/sqldb"},
	"internal/archtest":        {},
	"internal/testserver":      {},
	"internal/story":           {"internal/testserver"},
}

// ground is the plumbing of every domain; edge is what a surface needs beside it.
var (
	ground = []string{"internal/events", "internal/id", "internal/jobs", "internal/keyring", "internal/lease", "internal/snapshot", "internal/sqldb"}
	edge   = with(ground, "internal/httpapi", "internal/apitoken")
)

func with(base []string, more ...string) []string { return slices.Concat(base, more) }

// helpers are for tests and tools: cmd/provost must not link them.
var helpers = []string{
	"internal/sqldb/sqldbtest", "internal/testserver", "internal/story", "internal/archtest",
	"provisioning/provisioningtest", "plugins/pluginstest", "federation/oidc/oidctest", "cmd/bench", "cmd/demo",
}
