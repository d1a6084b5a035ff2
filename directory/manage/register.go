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
	h.registerOthers(api)
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
	logs, schema, tokens := httpapi.Tagged("SystemLog"), httpapi.Tagged("Schema"), httpapi.Tagged("ApiToken")
	huma.Register(api, logs("listLogEvents", "GET", "/logs", "Read the system log"), h.listLogs)
	huma.Register(api, schema("getUserSchema", "GET", "/meta/schemas/user/default", "Read the user schema"), h.userSchema)
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
