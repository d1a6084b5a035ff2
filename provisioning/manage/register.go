// Package manage serves the apps of the management API: apps, their mappings, users
// and groups, imports with their plans, and the tasks that exports have left. It reads
// requests, asks directory and provisioning, and shapes what comes back; it decides
// nothing.
package manage

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/provisioning"
)

type handlers struct {
	dir *directory.Directory
	e   *provisioning.Engine
}

// Register adds the operations to the management API.
func Register(api huma.API, e *provisioning.Engine) {
	h := &handlers{dir: e.Dir, e: e}
	h.registerApps(api)
	h.registerAssignments(api)
	h.registerProvisioning(api)
}

func (h *handlers) registerApps(api huma.API) {
	op := httpapi.Tagged("Application")
	huma.Register(api, op("listApplications", "GET", "/apps", "List apps"), h.listApps)
	huma.Register(api, op("createApplication", "POST", "/apps", "Create an app"), h.createApp)
	huma.Register(api, op("getApplication", "GET", "/apps/{id}", "Read an app"), h.readApp)
	huma.Register(api, op("replaceApplication", "PUT", "/apps/{id}", "Replace an app"), h.replaceApp)
	huma.Register(api, op("deleteApplication", "DELETE", "/apps/{id}", "Delete an app that is inactive"), h.deleteApp)
	huma.Register(api, op("activateApplication", "POST", "/apps/{id}/lifecycle/activate", "Turn an app on"), h.setStatus(directory.AppActive))
	huma.Register(api, op("deactivateApplication", "POST", "/apps/{id}/lifecycle/deactivate", "Turn an app off"), h.setStatus(directory.AppInactive))
	mapping := httpapi.Tagged("ProfileMapping")
	huma.Register(api, mapping("listProfileMappings", "GET", "/mappings", "List mappings"), h.listMappings)
	huma.Register(api, mapping("getProfileMapping", "GET", "/mappings/{id}", "Read a mapping"), h.readMapping)
	huma.Register(api, mapping("updateProfileMapping", "POST", "/mappings/{id}", "Merge properties into a mapping"), h.updateMapping)
}

func (h *handlers) registerAssignments(api huma.API) {
	users, groups := httpapi.Tagged("ApplicationUsers"), httpapi.Tagged("ApplicationGroups")
	huma.Register(api, users("listApplicationUsers", "GET", "/apps/{id}/users", "List app users"), h.listUsers)
	huma.Register(api, users("assignUserToApplication", "POST", "/apps/{id}/users", "Assign a user"), h.assignUser)
	huma.Register(api, users("getApplicationUser", "GET", "/apps/{id}/users/{userId}", "Read an app user"), h.readUser)
	huma.Register(api, users("unassignUserFromApplication", "DELETE", "/apps/{id}/users/{userId}", "Unassign a user"), h.unassignUser)
	huma.Register(api, groups("listApplicationGroups", "GET", "/apps/{id}/groups", "List assigned groups"), h.listGroups)
	huma.Register(api, groups("assignGroupToApplication", "PUT", "/apps/{id}/groups/{groupId}", "Assign a group"), h.assignGroup)
	huma.Register(api, groups("unassignGroupFromApplication", "DELETE", "/apps/{id}/groups/{groupId}", "Unassign a group"), h.unassignGroup)
}

func (h *handlers) registerProvisioning(api huma.API) {
	op := httpapi.Tagged("Import")
	start := op("startImport", "POST", "/apps/{id}/imports", "Start an import, or plan one")
	start.DefaultStatus = http.StatusCreated
	huma.Register(api, start, h.startImport)
	huma.Register(api, op("listImports", "GET", "/apps/{id}/imports", "List imports, newest first"), h.listImports)
	huma.Register(api, op("getImport", "GET", "/apps/{id}/imports/{importId}", "Read an import"), h.readImport)
	huma.Register(api, op("listImportChanges", "GET", "/apps/{id}/imports/{importId}/changes", "List what an import changes"), h.listChanges)
	huma.Register(api, op("approveImport", "POST", "/apps/{id}/imports/{importId}/approve", "Let an import that waits go on"), h.approveImport)
	huma.Register(api, op("cancelImport", "POST", "/apps/{id}/imports/{importId}/cancel", "End an import"), h.cancelImport)
	tasks := httpapi.Tagged("Task")
	huma.Register(api, tasks("listTasks", "GET", "/apps/{id}/tasks", "List exports that have failed"), h.listTasks)
	huma.Register(api, tasks("retryTask", "POST", "/apps/{id}/tasks/{taskId}/retry", "Try an export again"), h.retryTask)
}

// change is the caller of a request. The scope manage is what lets it in to write.
func change(ctx context.Context) directory.Change {
	return directory.Change{
		Actor: httpapi.Caller(ctx).Actor(), Request: httpapi.RequestID(ctx),
		Source: directory.Source{Kind: directory.SourceManage}, Manage: true,
	}
}

// none is the answer of an operation without a body.
type none struct{}

// done is the answer {}.
type done struct {
	Body struct{}
}

const (
	pageSize = 50
	maxPage  = 200
)

// cut makes a page of limit out of one that was asked with one more, and says after
// what the next begins.
func cut[T any](all []T, limit int, key func(T) string) ([]T, string) {
	if len(all) <= limit {
		return all, ""
	}
	return all[:limit], key(all[limit-1])
}
