package manage

import (
	"context"

	"github.com/provost-id/provost/internal/httpapi"
)

type userPath struct {
	ID     string `path:"id"`
	UserID string `path:"userId"`
}

type userOutput struct{ Body *UserBody }

func (h *handlers) listUsers(ctx context.Context, in *struct {
	httpapi.Paging
	ID string `path:"id"`
}) (*httpapi.List[*UserBody], error) {
	if _, err := h.federation.IdP(ctx, in.ID); err != nil {
		return nil, apiError(err, in.ID)
	}
	size := in.Size(defaultPage, maxPage)
	links, err := h.federation.Links(ctx, in.ID, in.After, size+1)
	if err != nil {
		return nil, err
	}
	next := ""
	if len(links) > size {
		links = links[:size]
		next = links[size-1].UserID
	}
	page := make([]*UserBody, 0, len(links))
	for _, l := range links {
		page = append(page, userBody(ctx, l))
	}
	return httpapi.NewList(ctx, page, next), nil
}

func (h *handlers) readUser(ctx context.Context, in *userPath) (*userOutput, error) {
	l, err := h.federation.Link(ctx, in.ID, in.UserID)
	if err != nil {
		return nil, apiError(err, in.UserID)
	}
	return &userOutput{userBody(ctx, l)}, nil
}

func (h *handlers) linkUser(ctx context.Context, in *struct {
	ID     string `path:"id"`
	UserID string `path:"userId"`
	Body   struct {
		ExternalID string `json:"externalId" doc:"The subject at the provider, at most 512 characters."`
	}
}) (*userOutput, error) {
	l, err := h.federation.LinkUser(ctx, by(ctx), in.ID, in.UserID, in.Body.ExternalID)
	if err != nil {
		return nil, apiError(err, in.UserID)
	}
	return &userOutput{userBody(ctx, l)}, nil
}

func (h *handlers) unlinkUser(ctx context.Context, in *userPath) (*struct{}, error) {
	return nil, apiError(h.federation.UnlinkUser(ctx, by(ctx), in.ID, in.UserID), in.UserID)
}

// listOfUser lists the providers that a user is linked to.
func (h *handlers) listOfUser(ctx context.Context, in *struct {
	UserID string `path:"userId"`
}) (*httpapi.List[*Body], error) {
	if _, err := h.federation.Directory.User(ctx, in.UserID); err != nil {
		return nil, apiError(err, in.UserID)
	}
	links, err := h.federation.LinksOf(ctx, in.UserID)
	if err != nil {
		return nil, err
	}
	page := make([]*Body, 0, len(links))
	for _, l := range links {
		i, err := h.federation.IdP(ctx, l.IdPID)
		if err != nil {
			return nil, apiError(err, l.IdPID)
		}
		page = append(page, body(ctx, i))
	}
	return httpapi.NewList(ctx, page, ""), nil
}
