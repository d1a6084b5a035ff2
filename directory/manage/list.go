package manage

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/schemas"
)

// maxLimit is the default and the largest page (the contract);
// nameLimit the default of q.
const (
	maxLimit  = 200
	nameLimit = 10
)

type listInput struct {
	httpapi.Paging
	Search string `query:"search"`
	Filter string `query:"filter"`
	Q      string `query:"q"`
}

// query is the expression or prefix that a list asks for, and how many rows.
func (h *handlers) query(ctx context.Context, in *listInput, typ string, paths map[string]string, states string, prefixes []string) (directory.ListQuery, error) {
	expr := in.Search
	if expr == "" {
		expr = in.Filter
	}
	if in.Search != "" && in.Filter != "" || expr != "" && in.Q != "" {
		return directory.ListQuery{}, httpapi.New(http.StatusBadRequest, httpapi.ESearchAndFilter, "Search and filter cannot be used in one request.")
	}
	q, err := h.rewrite(typ, expr, paths, states)
	if err != nil {
		return q, err
	}
	def := maxLimit
	if in.Q != "" {
		def = nameLimit
		t, _ := h.dir.Schemas().Type(typ)
		if q.Filter, err = t.ParseFilter(startsWith(prefixes, in.Q), schemas.Generic); err != nil {
			return q, badSearch(err.Error())
		}
	}
	q.UseCursor, q.Cursor, q.NoTotal = true, in.After, true
	q.Count, q.Client = in.Size(def, maxLimit), httpapi.Caller(ctx).ID
	return q, nil
}

func startsWith(paths []string, prefix string) string {
	filter := ""
	for _, p := range paths {
		if filter != "" {
			filter += " or "
		}
		filter += p + " sw " + quote(prefix)
	}
	return filter
}

// quote writes a string literal of a filter, which is one of JSON.
func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil { // a string always encodes
		panic(err)
	}
	return string(b)
}

// userPaths are the names of users that can be searched by.
var userPaths = func() map[string]string {
	paths := map[string]string{"id": "id", "created": "meta.created", "lastUpdated": "meta.lastModified"}
	for _, a := range schemas.BaseAttributes() {
		paths["profile."+a.Name] = a.Path
	}
	return paths
}()

var groupPaths = map[string]string{
	"id": "id", "created": "meta.created", "lastUpdated": "meta.lastModified",
	"profile.name": "displayName", "profile.description": "description",
}

func (h *handlers) listUsers(ctx context.Context, in *listInput) (*httpapi.List[userBody], error) {
	q, err := h.query(ctx, in, "User", userPaths, "status", []string{"name.givenName", "name.familyName", "emails.value"})
	if err != nil {
		return nil, err
	}
	if in.Search == "" && in.Filter == "" && in.Q == "" {
		q.NotStatus = string(directory.Deprovisioned)
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
