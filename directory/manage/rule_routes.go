package manage

import (
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// besideRules registers a collection of a group, /groups/{id}/users, beside
// /groups/rules/{id}. ServeMux finds the two in conflict, for both match
// /groups/rules/users; with a second wildcard the path of the rules is the narrower
// one. The OpenAPI document shows the path as it is.
type besideRules struct{ huma.API }

// Adapter implements huma.API.
func (a besideRules) Adapter() huma.Adapter { return collections{a.API.Adapter(), a.API} }

type collections struct {
	huma.Adapter
	api huma.API
}

// Handle implements huma.Adapter.
func (c collections) Handle(op *huma.Operation, handler func(huma.Context)) {
	base, collection := op.Path[:strings.LastIndex(op.Path, "/")], op.Path[strings.LastIndex(op.Path, "/")+1:]
	wide := *op
	wide.Path = base + "/{collection}"
	c.Adapter.Handle(&wide, func(ctx huma.Context) {
		if ctx.Param("collection") != collection {
			_ = huma.WriteErr(c.api, ctx, http.StatusNotFound, "no such path") // the client has gone
			return
		}
		handler(ctx)
	})
}
