package manage

import (
	"context"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/httpapi"
)

// appUserBody is a person's account at an app (the contract).
type appUserBody struct {
	ID            string         `json:"id"`
	ExternalID    *string        `json:"externalId"`
	Status        string         `json:"status"`
	SyncState     string         `json:"syncState"`
	Scope         string         `json:"scope"`
	Credentials   credentials    `json:"credentials"`
	Profile       map[string]any `json:"profile"`
	Created       *string        `json:"created"`
	LastUpdated   *string        `json:"lastUpdated"`
	StatusChanged *string        `json:"statusChanged"`
	LastSync      *string        `json:"lastSync"`
}

type credentials struct {
	UserName string `json:"userName"`
}

func showUser(u *directory.AppUser) appUserBody {
	b := appUserBody{
		ID: u.UserID, Status: u.Status, SyncState: u.SyncState, Scope: u.Scope, Profile: u.Profile,
		Credentials: credentials{UserName: u.RemoteName},
		Created:     httpapi.Stamp(u.Created), LastUpdated: httpapi.Stamp(u.Modified), StatusChanged: httpapi.Stamp(u.StatusChanged), LastSync: httpapi.Stamp(u.LastSync),
	}
	if u.ExternalID != "" {
		b.ExternalID = &u.ExternalID
	}
	if u.Scope == directory.ScopeImport {
		b.Scope = directory.ScopeUser
	}
	for _, name := range []string{"userName", "uid"} {
		if s, ok := u.Profile[name].(string); ok {
			b.Credentials.UserName = s
			break
		}
	}
	return b
}

type pageByID struct {
	httpapi.ByID
	httpapi.Paging
}

// app answers 404 for an app that is not there, where a list of it would be empty.
func (h *handlers) app(ctx context.Context, id string) (*directory.App, error) {
	a, err := h.dir.App(ctx, id)
	return a, apiError(err, id, "AppInstance")
}

func (h *handlers) listUsers(ctx context.Context, in *pageByID) (*httpapi.List[appUserBody], error) {
	if _, err := h.app(ctx, in.ID); err != nil {
		return nil, err
	}
	limit := in.Size(pageSize, 500)
	users, err := h.dir.AppUsers(ctx, in.ID, in.After, limit+1)
	if err != nil {
		return nil, err
	}
	users, next := cut(users, limit, func(u *directory.AppUser) string { return u.UserID })
	out := make([]appUserBody, len(users))
	for i, u := range users {
		out[i] = showUser(u)
	}
	return httpapi.NewList(ctx, out, next), nil
}

type assignUserInput struct {
	httpapi.ByID
	Body struct {
		ID    string `json:"id"`
		Scope string `json:"scope"`
	}
}

type appUserOutput struct{ Body appUserBody }

func (h *handlers) assignUser(ctx context.Context, in *assignUserInput) (*appUserOutput, error) {
	if _, err := h.app(ctx, in.ID); err != nil {
		return nil, err
	}
	if in.Body.ID == "" {
		return nil, httpapi.Invalid("id", "id: The field cannot be left blank")
	}
	if in.Body.Scope != "" && in.Body.Scope != directory.ScopeUser {
		return nil, httpapi.Invalid("scope", "scope: must be USER; a group is assigned at /groups/{groupId}")
	}
	u, err := h.dir.AssignUser(ctx, change(ctx), in.ID, in.Body.ID)
	if err != nil {
		return nil, apiError(err, in.Body.ID, "User")
	}
	return &appUserOutput{showUser(u)}, nil
}

type appUserInput struct {
	httpapi.ByID
	UserID string `path:"userId"`
}

func (h *handlers) readUser(ctx context.Context, in *appUserInput) (*appUserOutput, error) {
	if _, err := h.app(ctx, in.ID); err != nil {
		return nil, err
	}
	u, err := h.dir.AppUser(ctx, in.ID, in.UserID)
	if err != nil {
		return nil, apiError(err, in.UserID, "AppUser")
	}
	return &appUserOutput{showUser(u)}, nil
}

func (h *handlers) unassignUser(ctx context.Context, in *appUserInput) (*none, error) {
	return nil, apiError(h.dir.UnassignUser(ctx, change(ctx), in.ID, in.UserID), in.UserID, "AppUser")
}

// groupBody is the assignment of a group.
type groupBody struct {
	ID       string `json:"id"`
	Priority int    `json:"priority"`
}

func (h *handlers) listGroups(ctx context.Context, in *pageByID) (*httpapi.List[groupBody], error) {
	if _, err := h.app(ctx, in.ID); err != nil {
		return nil, err
	}
	limit := in.Size(pageSize, maxPage)
	groups, err := h.dir.GroupAssignments(ctx, in.ID, in.After, limit+1)
	if err != nil {
		return nil, err
	}
	groups, next := cut(groups, limit, func(g *directory.GroupAssignment) string { return g.GroupID })
	out := make([]groupBody, len(groups))
	for i, g := range groups {
		out[i] = groupBody{ID: g.GroupID, Priority: g.Priority}
	}
	return httpapi.NewList(ctx, out, next), nil
}

type assignGroupInput struct {
	httpapi.ByID
	GroupID string `path:"groupId"`
	Body    *struct {
		Priority int `json:"priority"`
	}
}

type groupOutput struct{ Body groupBody }

func (h *handlers) assignGroup(ctx context.Context, in *assignGroupInput) (*groupOutput, error) {
	if _, err := h.app(ctx, in.ID); err != nil {
		return nil, err
	}
	g := directory.GroupAssignment{AppID: in.ID, GroupID: in.GroupID}
	if in.Body != nil {
		g.Priority = in.Body.Priority
	}
	if err := h.dir.AssignGroup(ctx, change(ctx), g); err != nil {
		return nil, apiError(err, in.GroupID, "UserGroup")
	}
	return &groupOutput{groupBody{ID: g.GroupID, Priority: g.Priority}}, nil
}

type unassignGroupInput struct {
	httpapi.ByID
	GroupID string `path:"groupId"`
}

func (h *handlers) unassignGroup(ctx context.Context, in *unassignGroupInput) (*none, error) {
	return nil, apiError(h.dir.UnassignGroup(ctx, change(ctx), in.ID, in.GroupID), in.GroupID, "ApplicationGroupAssignment")
}
