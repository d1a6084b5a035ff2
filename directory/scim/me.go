package scim

import (
	"context"
	"net/http"

	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// myself serves /Me by method.
var myself = verbs{
	"GET": endpoint.read, "PUT": endpoint.changeUnless, "PATCH": endpoint.changeUnless, "DELETE": endpoint.changeUnless, "POST": endpoint.refuseSecond,
}

// me serves /Me (RFC 7644, section 3.11): the user behind the token. With the scope
// scim, or scim.read to read, it is another name for the path below /Users; with no more
// than scim.me the permissions SELF of the schema decide.
func (s *Server) me(w http.ResponseWriter, r *http.Request) {
	p := httpapi.Caller(r.Context())
	h, ok := myself[methodOf(r)]
	switch {
	case !ok:
		refuseMethod(w, r, allow(myself))
		return
	case p.UserID == "" && r.Method == http.MethodPost:
		writeStatus(w, r, http.StatusNotImplemented, "nobody can create a resource for themselves; POST to /Users")
		return
	case p.UserID == "":
		writeStatus(w, r, http.StatusNotFound, "no user stands behind the token")
		return
	}
	t, _ := s.Directory.Schemas().Type("User") // every schema has it
	e := endpoint{Server: s, kind: s.kinds.users, typ: t}
	if !p.Allows(scopesFor(r)...) {
		e.kind = s.kinds.own
	}
	if err := e.checkType(r.Context()); err != nil {
		s.writeError(w, r, err)
		return
	}
	w.Header().Set("Location", e.location(httpapi.PublicURL(r.Context()), p.UserID))
	r.SetPathValue("id", p.UserID)
	h(e, w, r)
}

// refuseSecond answers POST of /Me: there is a resource already.
func (e endpoint) refuseSecond(w http.ResponseWriter, _ *http.Request) {
	writeErrorBody(w, http.StatusConflict, schemas.Uniqueness, "the user behind the token is there already")
}

// own are users to themselves: they see and change what they are permitted to, and
// never delete themselves.
func (s *Server) own() *kind {
	d, users := s.Directory, s.users()
	k := *users
	k.member, k.extra, k.shown = "", nil, nil
	k.find = func(ctx context.Context, t *schemas.Type, id, _ string) (stored, error) {
		row, err := shownRow(d.ShownUser(ctx, id, ""))
		return ownRow(t, row, err)
	}
	k.put = func(ctx context.Context, o operation, res *schemas.Resource) (work, error) {
		do, err := users.put(ctx, o.asOwn(), res)
		return do.ownRow(o.typ), err
	}
	k.edit = func(ctx context.Context, o operation, ops []schemas.PatchOp) (work, error) {
		do, err := users.edit(ctx, o.asOwn(), ops)
		return do.ownRow(o.typ), err
	}
	k.remove = func(operation) work {
		return func(*sqldb.Tx) (stored, error) {
			return stored{}, &statusError{status: http.StatusForbidden, detail: "people cannot delete themselves"}
		}
	}
	return &k
}

// asOwn is the operation of a person with no more right than that it is their own. An
// external ID is the business of clients.
func (o operation) asOwn() operation {
	o.change.Own, o.change.Client = true, ""
	return o
}

// ownRow shows of a user what it sees of itself.
func ownRow(t *schemas.Type, row stored, err error) (stored, error) {
	if err != nil {
		return stored{}, err
	}
	r, err := t.Decode(row.doc)
	if err != nil {
		return stored{}, err
	}
	row.doc, row.related, row.fresh = r.OwnView().Doc(), false, true
	return row, nil
}

func (do work) ownRow(t *schemas.Type) work {
	return func(tx *sqldb.Tx) (stored, error) {
		row, err := do(tx)
		return ownRow(t, row, err)
	}
}
