package httpapi

import (
	"context"
	"net/url"
	"strconv"
)

// Paging are the query parameters of a collection, to be embedded in the input of a
// huma operation.
type Paging struct {
	After string `query:"after" doc:"Opaque position to continue from: the after of the next link."`
	Limit int    `query:"limit" minimum:"1" doc:"How many to return."`
}

// Size is the limit asked for, def when none was, and at most most.
func (p Paging) Size(def, most int) int {
	if p.Limit <= 0 {
		return def
	}
	return min(p.Limit, most)
}

// List is the output of a huma operation that answers one page of a collection: a
// bare array, with its links in separate Link header lines. One joined line makes
// okta-sdk-golang read the first page for ever.
type List[T any] struct {
	Link []string `header:"Link"`
	Body []T
}

// NewList returns a page. next is the position to continue after, empty at the end.
func NewList[T any](ctx context.Context, items []T, next string) *List[T] {
	if items == nil {
		items = []T{} // an empty page is [], never null
	}
	return &List[T]{Link: Links(ctx, next), Body: items}
}

// Links returns the values of the Link header lines of a page: self, and next when
// next is not empty. They keep the other parameters of the request and are built on
// the public URL.
func Links(ctx context.Context, next string) []string {
	u := urlOf(ctx)
	base := PublicURL(ctx) + u.EscapedPath()
	links := []string{link(base, u.Query(), "self")}
	if next != "" {
		q := u.Query()
		q.Set("after", next)
		links = append(links, link(base, q, "next"))
	}
	return links
}

func link(base string, q url.Values, rel string) string {
	if e := q.Encode(); e != "" {
		base += "?" + e
	}
	return "<" + base + ">; rel=" + strconv.Quote(rel)
}
