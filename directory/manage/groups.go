package manage

import (
	"context"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/schemas"
)

// groupBody is a group as the contract shows it.
type groupBody struct {
	ID                    string         `json:"id"`
	Created               *string        `json:"created"`
	LastUpdated           *string        `json:"lastUpdated"`
	LastMembershipUpdated *string        `json:"lastMembershipUpdated"`
	ObjectClass           []string       `json:"objectClass"`
	Type                  string         `json:"type"`
	Profile               map[string]any `json:"profile"`
	Links                 map[string]any `json:"_links"`
}

func (h *handlers) groupBody(ctx context.Context, g *directory.Group) (groupBody, error) {
	profile, err := h.dir.GroupProfile(g)
	if err != nil {
		return groupBody{}, err
	}
	if _, ok := profile["description"]; !ok {
		profile["description"] = nil
	}
	changed := g.MembersChanged
	if changed.IsZero() {
		changed = g.Created
	}
	self := httpapi.PublicURL(ctx) + "/api/v1/groups/" + g.ID
	return groupBody{
		ID: g.ID, Created: httpapi.Stamp(g.Created), LastUpdated: httpapi.Stamp(g.Modified), LastMembershipUpdated: httpapi.Stamp(changed),
		ObjectClass: []string{"okta:user_group"}, Type: string(g.Type), Profile: profile,
		Links: map[string]any{"self": map[string]any{"href": self}, "users": map[string]any{"href": self + "/users"}},
	}, nil
}

type groupOutput struct{ Body groupBody }

func (h *handlers) showGroup(ctx context.Context, g *directory.Group) (*groupOutput, error) {
	b, err := h.groupBody(ctx, g)
	return &groupOutput{Body: b}, err
}

func (h *handlers) listGroups(ctx context.Context, in *listInput) (*httpapi.List[groupBody], error) {
	q, err := h.query(ctx, in, "Group", "", []string{"displayName"})
	if err != nil {
		return nil, err
	}
	p, err := h.dir.List(ctx, "Group", q)
	if err != nil {
		return nil, pagingError(err)
	}
	groups := make([]groupBody, len(p.Groups))
	for i, g := range p.Groups {
		if groups[i], err = h.groupBody(ctx, g); err != nil {
			return nil, err
		}
	}
	return httpapi.NewList(ctx, groups, p.Next), nil
}

type groupInput struct {
	Profile map[string]any `json:"profile"`
}

type createGroupInput struct{ Body groupInput }

func (h *handlers) createGroup(ctx context.Context, in *createGroupInput) (*groupOutput, error) {
	if err := h.checkNames("Group", "newGroup", in.Body.Profile); err != nil {
		return nil, err
	}
	if err := h.dir.CheckWritable(change(ctx), "Group", in.Body.Profile); err != nil {
		return nil, apiError(err, "newGroup", "", "UserGroup")
	}
	r, err := h.dir.NewGroup(in.Body.Profile)
	if err != nil {
		return nil, apiError(err, "newGroup", "", "UserGroup")
	}
	g, err := h.dir.CreateGroup(ctx, change(ctx), r, directory.GroupOptions{})
	if err != nil {
		return nil, apiError(err, "newGroup", "", "UserGroup")
	}
	return h.showGroup(ctx, g)
}

func (h *handlers) readGroup(ctx context.Context, in *httpapi.ByID) (*groupOutput, error) {
	g, err := h.dir.Group(ctx, in.ID)
	if err != nil {
		return nil, apiError(err, "", in.ID, "UserGroup")
	}
	return h.showGroup(ctx, g)
}

type editGroupInput struct {
	httpapi.ByID
	Body groupInput
}

func (h *handlers) replaceGroup(ctx context.Context, in *editGroupInput) (*groupOutput, error) {
	if in.Body.Profile == nil {
		return nil, httpapi.Invalid("profile", "profile: The field cannot be left blank")
	}
	if err := h.checkNames("Group", "updateGroup", in.Body.Profile); err != nil {
		return nil, err
	}
	g, err := h.dir.EditGroup(ctx, change(ctx), in.ID, nil, directory.ProfileEdit{Profile: in.Body.Profile, Replace: true})
	if err != nil {
		return nil, apiError(err, "updateGroup", in.ID, "UserGroup")
	}
	return h.showGroup(ctx, g)
}

func (h *handlers) deleteGroup(ctx context.Context, in *httpapi.ByID) (*empty, error) {
	return nil, apiError(h.dir.DeleteGroup(ctx, change(ctx), in.ID, nil), "", in.ID, "UserGroup")
}

type groupUsersInput struct {
	httpapi.ByID
	httpapi.Paging
}

// listGroupUsers lists members as users: a list of those whose groups hold this one.
func (h *handlers) listGroupUsers(ctx context.Context, in *groupUsersInput) (*httpapi.List[userBody], error) {
	g, err := h.dir.Group(ctx, in.ID)
	if err != nil {
		return nil, apiError(err, "", in.ID, "UserGroup")
	}
	q := directory.ListQuery{
		UseCursor: true, Cursor: in.After, NoTotal: true,
		Count: in.Size(maxLimit, maxLimit), Client: httpapi.Caller(ctx).ID,
	}
	if g.ID != h.dir.EveryoneID() {
		t, _ := h.dir.Schemas().Type("User")
		if q.Filter, err = t.ParseFilter("groups[value eq "+quote(g.ID)+` and type eq "direct"]`, schemas.Generic); err != nil {
			return nil, err
		}
	}
	return h.userPage(ctx, q)
}

type memberInput struct {
	httpapi.ByID
	UserID string `path:"userId"`
}

func (h *handlers) addMember(ctx context.Context, in *memberInput) (*empty, error) {
	u, err := h.find(ctx, in.UserID)
	if err != nil {
		return nil, err
	}
	return nil, apiError(h.dir.AddMember(ctx, change(ctx), in.ID, u.ID), "", in.ID, "UserGroup")
}

func (h *handlers) removeMember(ctx context.Context, in *memberInput) (*empty, error) {
	u, err := h.find(ctx, in.UserID)
	if err != nil {
		return nil, err
	}
	return nil, apiError(h.dir.RemoveMember(ctx, change(ctx), in.ID, u.ID), "", in.ID, "UserGroup")
}

type groupList struct{ Body []groupBody }

func (h *handlers) listUserGroups(ctx context.Context, in *httpapi.ByID) (*groupList, error) {
	u, err := h.find(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	refs, err := h.dir.GroupsOf(ctx, u.ID)
	if err != nil {
		return nil, apiError(err, "", in.ID, "User")
	}
	out := &groupList{Body: []groupBody{}}
	for _, ref := range refs {
		if ref.Indirect { // whoever keeps memberships in step by this list must not find it here
			continue
		}
		g, err := h.dir.Group(ctx, ref.ID)
		if err != nil {
			return nil, apiError(err, "", ref.ID, "UserGroup")
		}
		b, err := h.groupBody(ctx, g)
		if err != nil {
			return nil, err
		}
		out.Body = append(out.Body, b)
	}
	return out, nil
}
