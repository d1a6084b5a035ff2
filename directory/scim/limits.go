package scim

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/schemas"
)

// What a token is limited to holds for every verb: which types there are, here; what
// may be read, wherever a projection or a filter is made (project, checkFilter, lookup);
// what may be changed, in the transaction that changes it (directory.Bounds, which each
// Change carries).

// limits are those of the credential of a request; nil for none.
func limits(ctx context.Context) *httpapi.Limits { return httpapi.Caller(ctx).Limits }

// bounds are the limits as the directory knows them.
func bounds(ctx context.Context) *directory.Bounds { return boundsOf(limits(ctx)) }

func boundsOf(l *httpapi.Limits) *directory.Bounds {
	if l == nil {
		return nil
	}
	return &directory.Bounds{
		Types: allowedTypes(l), Read: l.Readable(), Write: l.Writable(), Groups: l.Within(),
	}
}

// allowedTypes are the types that a token may speak of; nil for all. One that is confined
// to groups speaks of people and groups alone, unless it is told otherwise.
func allowedTypes(l *httpapi.Limits) []string {
	if len(l.ResourceTypes) == 0 && len(l.Groups) > 0 {
		return []string{"User", "Group"}
	}
	return l.ResourceTypes
}

// checkType refuses a resource type that the token may not speak of.
func (e endpoint) checkType(ctx context.Context) error {
	if bounds(ctx).Type(e.typ.Name) {
		return nil
	}
	return forbidden("the token is limited to the resource types " + strings.Join(allowedTypes(limits(ctx)), ", "))
}

// endpointsFor are the endpoints of the types that a request may speak of.
func (s *Server) endpointsFor(r *http.Request) []endpoint {
	return slices.DeleteFunc(s.endpoints(), func(e endpoint) bool { return e.checkType(r.Context()) != nil })
}

// project is what a response shows, of what the token may read.
func (e endpoint) project(ctx context.Context, attributes, excludedAttributes string) (*schemas.Projection, error) {
	p, err := e.typ.ParseProjection(attributes, excludedAttributes)
	if err != nil {
		return nil, err
	}
	readable := bounds(ctx).Readable(e.typ)
	if attr := readable.HiddenIn(p); attr != "" {
		return nil, unreadable(attr)
	}
	return readable.Restrict(p), nil
}

// checkFilter refuses a filter on what the token may not read: what it finds would tell.
func (e endpoint) checkFilter(ctx context.Context, f *schemas.Filter) error {
	if attr := bounds(ctx).Readable(e.typ).Hidden(f); attr != "" {
		return unreadable(attr)
	}
	return nil
}

// checkSort refuses to sort by what the token may not read: the order would tell.
func (e endpoint) checkSort(ctx context.Context, sortBy string) error {
	readable := bounds(ctx).Readable(e.typ)
	if sortBy == "" || readable == nil {
		return nil
	}
	by, err := e.typ.Attr(sortBy)
	if err == nil && !readable.HasRef(by) {
		return unreadable(sortBy)
	}
	return nil // what cannot be sorted by is refused where the list is made
}

func unreadable(attr string) error {
	return forbidden(fmt.Sprintf("attribute %q: the token may not read it", attr))
}

// lookup finds the resource of a request. One that the token does not see is not there.
func (e endpoint) lookup(r *http.Request) (stored, error) {
	id := r.PathValue("id")
	if err := e.Directory.Sees(r.Context(), bounds(r.Context()), e.typ.Name, id); err != nil {
		return stored{}, err
	}
	return e.find(r.Context(), e.typ, id, caller(r))
}

// checkChangesFor refuses the feed of changes to a token that is confined to groups: it
// would tell of people outside of them.
func checkChangesFor(ctx context.Context) error {
	if limits(ctx).Within() == nil {
		return nil
	}
	return forbidden("the token is limited to groups: it may list, and not follow changes")
}

// checkEventsFor refuses event streams to a token with any limit: they tell of everything.
func checkEventsFor(ctx context.Context) error {
	if limits(ctx) == nil {
		return nil
	}
	return forbidden("the token is limited: event streams tell of everything")
}

func forbidden(detail string) error {
	return &statusError{status: http.StatusForbidden, detail: detail}
}

// CheckLimits says what is wrong with the limits that a token is to have.
func CheckLimits(d *directory.Directory) func(context.Context, *httpapi.Limits) error {
	return func(ctx context.Context, l *httpapi.Limits) error { return d.CheckBounds(ctx, boundsOf(l)) }
}
