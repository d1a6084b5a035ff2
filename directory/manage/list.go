package manage

import (
	"context"
	"errors"
	"net/http"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/schemas"
)

// notDeprovisioned finds the users whom a list without any search has.
const notDeprovisioned = `not (status eq "` + string(directory.Deprovisioned) + `")`

func (h *handlers) listUsers(ctx context.Context, in *listInput) (*httpapi.List[userBody], error) {
	q, err := h.query(ctx, in, "User", notDeprovisioned, []string{"name.givenName", "name.familyName", "emails.value"})
	if err != nil {
		return nil, err
	}
	return h.userPage(ctx, q)
}

func (h *handlers) userPage(ctx context.Context, q directory.ListQuery) (*httpapi.List[userBody], error) {
	p, err := h.dir.List(ctx, "User", q)
	if err != nil {
		return nil, pagingError(err)
	}
	users := make([]userBody, len(p.Users))
	for i, u := range p.Users {
		if users[i], err = h.userBody(ctx, u, false); err != nil {
			return nil, err
		}
	}
	return httpapi.NewList(ctx, users, p.Next), nil
}

func pagingError(err error) error {
	var cursor *directory.CursorError
	var invalid *schemas.Error
	switch {
	case errors.As(err, &cursor):
		return httpapi.New(http.StatusBadRequest, httpapi.EPaging, "Invalid paging request", "after: "+cursor.Error())
	case errors.As(err, &invalid):
		return badSearch(invalid.Error())
	}
	return err
}
