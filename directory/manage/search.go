package manage

import (
	"context"
	"encoding/json"
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
	Search    string `query:"search"`
	Filter    string `query:"filter"`
	Q         string `query:"q"`
	SortBy    string `query:"sortBy"`
	SortOrder string `query:"sortOrder"`
}

// query is the search, filter or prefix that a list asks for, in what order, and how
// many rows. search and filter are one language; all is what is listed without any.
func (h *handlers) query(ctx context.Context, in *listInput, typ, all string, prefixes []string) (q directory.ListQuery, err error) {
	t, _ := h.dir.Schemas().Type(typ)
	def := maxLimit
	switch {
	case in.Search != "" && in.Filter != "", in.Search+in.Filter != "" && in.Q != "":
		return q, httpapi.New(http.StatusBadRequest, httpapi.ESearchAndFilter, "Search and filter cannot be used in one request.")
	case in.Search+in.Filter != "":
		q.Filter, err = t.ParseSearch(in.Search + in.Filter)
	case in.Q != "":
		def = nameLimit
		q.Filter, err = t.ParseFilter(startsWith(prefixes, in.Q), schemas.Generic)
	case all != "":
		q.Filter, err = t.ParseSearch(all)
	}
	if err != nil {
		return q, badSearch(err.Error())
	}
	if err := sortOf(t, in, &q); err != nil {
		return q, err
	}
	q.UseCursor, q.Cursor, q.NoTotal = true, in.After, true
	q.Count, q.Client = in.Size(def, maxLimit), httpapi.Caller(ctx).ID
	return q, nil
}

func badSearch(cause string) error {
	return httpapi.New(http.StatusBadRequest, httpapi.ESearch, "Invalid search criteria.", cause)
}

// sortOf reads sortBy, which takes the names of a search, and sortOrder.
func sortOf(t *schemas.Type, in *listInput, q *directory.ListQuery) error {
	if in.SortBy != "" {
		path, ok := t.SearchPath(in.SortBy)
		if !ok {
			return badSearch("sortBy: a list cannot be sorted by " + in.SortBy)
		}
		q.SortBy = path
	}
	switch in.SortOrder {
	case "", "asc":
	case "desc":
		q.Descending = true
	default:
		return badSearch("sortOrder: want asc or desc")
	}
	return nil
}

// startsWith is a filter for what begins with prefix at one of the paths.
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
