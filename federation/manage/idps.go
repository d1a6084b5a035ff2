package manage

import (
	"context"
	"strings"

	"github.com/provost-id/provost/federation"
	"github.com/provost-id/provost/internal/httpapi"
)

type idpPath struct {
	ID string `path:"id"`
}

type idpOutput struct{ Body *Body }

type listInput struct {
	httpapi.Paging
	Q    string `query:"q" doc:"Only providers whose name begins with this."`
	Type string `query:"type" doc:"Only providers of this type."`
}

const (
	defaultPage = 20
	maxPage     = 200
)

// list pages by position in the order of names: providers are few.
func (h *handlers) list(ctx context.Context, in *listInput) (*httpapi.List[*Body], error) {
	all, err := h.federation.IdPs(ctx)
	if err != nil {
		return nil, err
	}
	var page []*Body
	size, next, past := in.Size(defaultPage, maxPage), "", in.After == ""
	for _, i := range all {
		fits := strings.HasPrefix(strings.ToLower(i.Name), strings.ToLower(in.Q)) && (in.Type == "" || i.Type == in.Type)
		switch {
		case !past:
			past = i.ID == in.After
		case !fits:
		case len(page) == size:
			next = page[size-1].ID
		default:
			page = append(page, body(ctx, i))
		}
	}
	return httpapi.NewList(ctx, page, next), nil
}

func (h *handlers) create(ctx context.Context, in *struct{ Body Input }) (*idpOutput, error) {
	i, err := h.federation.CreateIdP(ctx, by(ctx), in.Body.idp(""))
	if err != nil {
		return nil, apiError(err, "")
	}
	return &idpOutput{body(ctx, i)}, nil
}

func (h *handlers) read(ctx context.Context, in *idpPath) (*idpOutput, error) {
	i, err := h.federation.IdP(ctx, in.ID)
	if err != nil {
		return nil, apiError(err, in.ID)
	}
	return &idpOutput{body(ctx, i)}, nil
}

func (h *handlers) replace(ctx context.Context, in *struct {
	ID   string `path:"id"`
	Body Input
}) (*idpOutput, error) {
	i, err := h.federation.ReplaceIdP(ctx, by(ctx), in.Body.idp(in.ID))
	if err != nil {
		return nil, apiError(err, in.ID)
	}
	return &idpOutput{body(ctx, i)}, nil
}

func (h *handlers) remove(ctx context.Context, in *idpPath) (*struct{}, error) {
	return nil, apiError(h.federation.DeleteIdP(ctx, by(ctx), in.ID), in.ID)
}

func (h *handlers) lifecycle(status string) func(context.Context, *idpPath) (*idpOutput, error) {
	return func(ctx context.Context, in *idpPath) (*idpOutput, error) {
		i, err := h.federation.SetStatus(ctx, by(ctx), in.ID, status)
		if err != nil {
			return nil, apiError(err, in.ID)
		}
		return &idpOutput{body(ctx, i)}, nil
	}
}

// by is the caller as the author of a change.
func by(ctx context.Context) federation.By {
	return federation.By{Actor: httpapi.Caller(ctx).Actor(), Request: httpapi.RequestID(ctx)}
}
