package manage

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/directory/feed"
	"github.com/provost-id/provost/internal/apitoken"
	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/httpapi"
)

// Deps are what the routes work on.
type Deps struct {
	Directory *directory.Directory
	Tokens    *apitoken.Store
	Log       events.Log
	Feed      *feed.Service
}

type handlers struct {
	dir    *directory.Directory
	tokens *apitoken.Store
	log    events.Log
	feed   *feed.Service
}

// Register adds the operations to the management API.
func Register(api huma.API, deps Deps) {
	h := &handlers{dir: deps.Directory, tokens: deps.Tokens, log: deps.Log, feed: deps.Feed}
	h.registerUsers(api)
	h.registerGroups(api)
	h.registerRules(api)
	h.registerLinks(api)
	h.registerPolicies(api)
	h.registerStreams(api)
	h.registerSchemas(api)
	h.registerOthers(api)
}

func (h *handlers) registerSchemas(api huma.API) {
	op := httpapi.Tagged("Schema")
	huma.Register(api, op("getUserSchema", "GET", userSchema.path, "Read the user schema"), h.schemaOf(userSchema))
	huma.Register(api, op("updateUserSchema", "POST", userSchema.path, "Merge properties into the user schema; null removes one"), h.changeSchema(userSchema))
	huma.Register(api, op("getGroupSchema", "GET", groupSchema.path, "Read the group schema"), h.schemaOf(groupSchema))
	huma.Register(api, op("updateGroupSchema", "POST", groupSchema.path, "Merge properties into the group schema; null removes one"), h.changeSchema(groupSchema))
	const app = "/meta/schemas/apps/{appId}/default"
	huma.Register(api, op("getAppSchema", "GET", app, "Read the schema of the profile at an app"), h.appSchema)
	huma.Register(api, op("updateAppSchema", "POST", app, "Merge properties into the schema of the profile at an app"), h.changeAppSchema)
	huma.Register(api, op("listSchemaOperations", "GET", "/meta/schemas/operations", "List what changes of schemas make of the resources that are there, newest first"), h.listOperations)
	huma.Register(api, op("getSchemaOperation", "GET", "/meta/schemas/operations/{id}", "Read how far an operation has come"), h.readOperation)
	const types = "/meta/types/user"
	huma.Register(api, op("listUserTypes", "GET", types, "List user types"), h.listUserTypes)
	huma.Register(api, op("getUserType", "GET", types+"/{id}", "Read a user type"), h.readUserType)
	huma.Register(api, op("deleteUserType", "DELETE", types+"/{id}", "Refused for the default type"), h.deleteUserType)
	h.registerSCIMSchemas(api)
}

func (h *handlers) registerSCIMSchemas(api huma.API) {
	op := httpapi.Tagged("ScimSchema")
	const list, one = "/meta/schemas/scim/schemas", "/meta/schemas/scim/schemas/{urn}"
	huma.Register(api, op("listScimSchemas", "GET", list, "List SCIM schemas (RFC 7643, section 7)"), h.listSCIMSchemas)
	huma.Register(api, op("createScimSchema", "POST", list, "Add a SCIM schema, for a resource type to have as its core or as an extension"), h.createSCIMSchema)
	huma.Register(api, op("getScimSchema", "GET", one, "Read a SCIM schema"), h.readSCIMSchema)
	huma.Register(api, op("replaceScimSchema", "PUT", one, "Replace the attributes of a SCIM schema"), h.replaceSCIMSchema)
	huma.Register(api, op("deleteScimSchema", "DELETE", one, "Remove a SCIM schema that no resource type has"), h.deleteSCIMSchema)
	const types, typ = "/meta/schemas/scim/resourceTypes", "/meta/schemas/scim/resourceTypes/{name}"
	huma.Register(api, op("listScimResourceTypes", "GET", types, "List resource types (RFC 7643, section 6)"), h.listTypes)
	huma.Register(api, op("createScimResourceType", "POST", types, "Add a resource type"), h.createType)
	huma.Register(api, op("getScimResourceType", "GET", typ, "Read a resource type"), h.readType)
	huma.Register(api, op("replaceScimResourceType", "PUT", typ, "Replace the extensions and the description of a resource type"), h.replaceType)
	huma.Register(api, op("deleteScimResourceType", "DELETE", typ, "Remove a resource type that has no resources"), h.deleteType)
}

func (h *handlers) registerUsers(api huma.API) {
	op := httpapi.Tagged("User")
	huma.Register(api, op("listUsers", "GET", "/users", "List users"), h.listUsers)
	huma.Register(api, op("createUser", "POST", "/users", "Create a user"), h.createUser)
	huma.Register(api, op("getUser", "GET", "/users/{id}", "Read a user by ID, login or short name"), h.readUser)
	huma.Register(api, op("updateUser", "POST", "/users/{id}", "Merge into a user"), h.updateUser)
	huma.Register(api, op("replaceUser", "PUT", "/users/{id}", "Replace a user"), h.replaceUser)
	huma.Register(api, op("deleteUser", "DELETE", "/users/{id}", "Deactivate a user; delete one that is deactivated"), h.deleteUser)
	huma.Register(api, op("changeUserStatus", "POST", "/users/{id}/lifecycle/{operation}", "Run a lifecycle operation"), h.lifecycle)
	huma.Register(api, op("changePassword", "POST", "/users/{id}/credentials/change_password", "Change a password with the old one"), h.changePassword)
	huma.Register(api, op("listUserGroups", "GET", "/users/{id}/groups", "List the groups of a user"), h.listUserGroups)
	huma.Register(api, op("explainUserAttribute", "GET", "/users/{id}/why/{attribute}", "Say where a value comes from"), h.why)
}

func (h *handlers) registerGroups(api huma.API) {
	op := httpapi.Tagged("Group")
	huma.Register(api, op("listGroups", "GET", "/groups", "List groups"), h.listGroups)
	huma.Register(api, op("createGroup", "POST", "/groups", "Create a group"), h.createGroup)
	huma.Register(api, op("getGroup", "GET", "/groups/{id}", "Read a group"), h.readGroup)
	huma.Register(api, op("replaceGroup", "PUT", "/groups/{id}", "Replace a group's profile"), h.replaceGroup)
	huma.Register(api, op("deleteGroup", "DELETE", "/groups/{id}", "Delete a group"), h.deleteGroup)
	huma.Register(besideRules{api}, op("listGroupUsers", "GET", "/groups/{id}/users", "List the members of a group"), h.listGroupUsers)
	add := op("addGroupUser", "PUT", "/groups/{id}/users/{userId}", "Add a member")
	add.DefaultStatus = http.StatusNoContent
	huma.Register(api, add, h.addMember)
	huma.Register(api, op("removeGroupUser", "DELETE", "/groups/{id}/users/{userId}", "Remove a member"), h.removeMember)
}

func (h *handlers) registerOthers(api huma.API) {
	logs, tokens := httpapi.Tagged("SystemLog"), httpapi.Tagged("ApiToken")
	huma.Register(api, logs("listLogEvents", "GET", "/logs", "Read the system log"), h.listLogs)
	huma.Register(api, tokens("listApiTokens", "GET", "/api-tokens", "List API tokens"), h.listTokens)
	huma.Register(api, tokens("createApiToken", "POST", "/api-tokens", "Create an API token"), h.createToken)
	huma.Register(api, tokens("updateApiToken", "POST", "/api-tokens/{id}", "Change how the SCIM client of an API token is dealt with"), h.updateToken)
	huma.Register(api, tokens("revokeApiToken", "DELETE", "/api-tokens/{id}", "Revoke an API token"), h.revokeToken)
}

// change is the caller of a request. The scope manage is what lets it in to write.
func change(ctx context.Context) directory.Change {
	return directory.Change{
		Actor: httpapi.Caller(ctx).Actor(), Request: httpapi.RequestID(ctx),
		Source: directory.Source{Kind: directory.SourceManage}, Manage: true,
	}
}

// empty is the answer of an operation without a body.
type empty struct{}
