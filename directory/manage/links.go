package manage

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/httpapi"
)

// registerLinks adds linked objects: relations between users.
func (h *handlers) registerLinks(api huma.API) {
	op := httpapi.Tagged("LinkedObject")
	const definitions, values = "/meta/schemas/user/linkedObjects", "/users/{id}/linkedObjects"
	huma.Register(api, op("listLinkedObjectDefinitions", "GET", definitions, "List relations between users"), h.listLinkDefinitions)
	create := op("createLinkedObjectDefinition", "POST", definitions, "Add a relation between users")
	create.DefaultStatus = http.StatusCreated
	huma.Register(api, create, h.createLinkDefinition)
	huma.Register(api, op("getLinkedObjectDefinition", "GET", definitions+"/{name}", "Read a relation by the name of either side"), h.readLinkDefinition)
	huma.Register(api, op("deleteLinkedObjectDefinition", "DELETE", definitions+"/{name}", "Remove a relation and all its links"), h.deleteLinkDefinition)
	set := op("setLinkedObject", "PUT", values+"/{name}/{primaryId}", "Make a user the primary one of another")
	set.DefaultStatus = http.StatusNoContent
	huma.Register(api, set, h.link)
	huma.Register(api, op("listLinkedObjects", "GET", values+"/{name}", "List the users at the other end"), h.listLinked)
	huma.Register(api, op("deleteLinkedObject", "DELETE", values+"/{name}", "Take the primary user away"), h.unlink)
}

// linkEnd is one side of a relation on the wire.
type linkEnd struct {
	Name        string `json:"name"`
	Title       string `json:"title"`
	Description string `json:"description"`
	Type        string `json:"type"`
}

// typeOfUser is the only type that a side can have.
const typeOfUser = "USER"

type linkBody struct {
	Primary    linkEnd        `json:"primary"`
	Associated linkEnd        `json:"associated"`
	Links      map[string]any `json:"_links,omitempty"`
}

func linkBodyOf(ctx context.Context, l directory.LinkDefinition) linkBody {
	end := func(e directory.LinkEnd) linkEnd { return linkEnd{e.Name, e.Title, e.Description, typeOfUser} }
	self := httpapi.PublicURL(ctx) + "/api/v1/meta/schemas/user/linkedObjects/" + l.Primary.Name
	return linkBody{Primary: end(l.Primary), Associated: end(l.Associated), Links: map[string]any{"self": map[string]any{"href": self}}}
}

type linkOutput struct{ Body linkBody }

func (h *handlers) createLinkDefinition(ctx context.Context, in *struct{ Body linkBody }) (*linkOutput, error) {
	for field, e := range map[string]linkEnd{"primary.type": in.Body.Primary, "associated.type": in.Body.Associated} {
		if e.Type != typeOfUser {
			return nil, httpapi.Invalid(field, field+": only "+typeOfUser+" can be linked")
		}
	}
	end := func(e linkEnd) directory.LinkEnd {
		return directory.LinkEnd{Name: e.Name, Title: e.Title, Description: e.Description}
	}
	l := directory.LinkDefinition{Primary: end(in.Body.Primary), Associated: end(in.Body.Associated)}
	if err := h.dir.CreateLinkDefinition(ctx, change(ctx), l); err != nil {
		if errors.Is(err, directory.ErrConflict) {
			return nil, httpapi.New(http.StatusConflict, httpapi.ELink, "Invalid linked object definition.", "name: another relation has this name")
		}
		return nil, apiError(err, "linkedObject", "", "LinkedObject")
	}
	return &linkOutput{linkBodyOf(ctx, l)}, nil
}

func (h *handlers) listLinkDefinitions(ctx context.Context, _ *struct{}) (*struct{ Body []linkBody }, error) {
	all, err := h.dir.LinkDefinitions(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]linkBody, len(all))
	for i, l := range all {
		out[i] = linkBodyOf(ctx, l)
	}
	return &struct{ Body []linkBody }{out}, nil
}

type byName struct {
	Name string `path:"name"`
}

func (h *handlers) readLinkDefinition(ctx context.Context, in *byName) (*linkOutput, error) {
	l, err := h.dir.LinkDefinition(ctx, in.Name)
	if err != nil {
		return nil, apiError(err, "", in.Name, "LinkedObject")
	}
	return &linkOutput{linkBodyOf(ctx, l)}, nil
}

func (h *handlers) deleteLinkDefinition(ctx context.Context, in *byName) (*empty, error) {
	return nil, apiError(h.dir.DeleteLinkDefinition(ctx, change(ctx), in.Name), "", in.Name, "LinkedObject")
}

type linkInput struct {
	httpapi.ByID
	Name string `path:"name" doc:"Of the relation's side."`
}

type setLinkInput struct {
	httpapi.ByID
	Name      string `path:"name" doc:"Of the primary side."`
	PrimaryID string `path:"primaryId"`
}

func (h *handlers) link(ctx context.Context, in *setLinkInput) (*empty, error) {
	associated, err := h.find(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	primary, err := h.find(ctx, in.PrimaryID)
	if err != nil {
		return nil, err
	}
	return nil, apiError(h.dir.Link(ctx, change(ctx), associated.ID, in.Name, primary.ID), "", in.Name, "LinkedObject")
}

func (h *handlers) unlink(ctx context.Context, in *linkInput) (*empty, error) {
	u, err := h.find(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return nil, apiError(h.dir.Unlink(ctx, change(ctx), u.ID, in.Name), "", in.Name, "LinkedObject")
}

// listLinked shows where to read each user at the other end.
func (h *handlers) listLinked(ctx context.Context, in *linkInput) (*anyOutput, error) {
	u, err := h.find(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	ids, err := h.dir.Linked(ctx, u.ID, in.Name)
	if err != nil {
		return nil, apiError(err, "", in.Name, "LinkedObject")
	}
	out := make([]any, len(ids))
	for i, id := range ids {
		out[i] = map[string]any{"_links": map[string]any{"self": map[string]any{"href": httpapi.PublicURL(ctx) + "/api/v1/users/" + id}}}
	}
	return &anyOutput{Body: out}, nil
}
