package scim

import (
	"context"
	"net/http"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// content is the body of a change, understood.
type content struct {
	method string
	res    *schemas.Resource // of POST and PUT
	ops    []schemas.PatchOp // of PATCH
}

// parse reads the body of a change by its method.
func (e endpoint) parse(method string, body []byte, d schemas.Dialect) (content, error) {
	c := content{method: method}
	var err error
	switch method {
	case http.MethodPost, http.MethodPut:
		c.res, err = e.typ.Parse(body, d)
	case http.MethodPatch:
		c.ops, err = e.typ.ParsePatch(body, d)
	}
	return c, err
}

// prepare makes a change ready for its transaction.
func (e endpoint) prepare(ctx context.Context, o operation, c content) (work, error) {
	switch c.method {
	case http.MethodPost:
		return e.add(ctx, o, c.res)
	case http.MethodPut:
		return e.put(ctx, o, c.res)
	case http.MethodPatch:
		do, err := e.edit(ctx, o, c.ops)
		return do.inOperation(c.ops), inOperation(err, c.ops)
	}
	return e.remove(o), nil
}

// inOperation says of an error which operation of the PATCH it is about.
func (do work) inOperation(ops []schemas.PatchOp) work {
	return func(tx *sqldb.Tx) (stored, error) {
		row, err := do(tx)
		return row, inOperation(err, ops)
	}
}

// status tells of success. A change of members is answered 204: the list may be long.
func (c content) status() int {
	switch {
	case c.method == http.MethodPost:
		return http.StatusCreated
	case c.method == http.MethodDelete, c.method == http.MethodPatch && touchesMembers(c.ops):
		return http.StatusNoContent
	}
	return http.StatusOK
}

func touchesMembers(ops []schemas.PatchOp) bool {
	_, m, err := schemas.SplitMembers(ops)
	return err == nil && !m.Empty()
}

// change serves POST of an endpoint, and PUT, PATCH and DELETE of a resource (RFC 7644,
// sections 3.3, 3.5.1, 3.5.2 and 3.6).
func (e endpoint) change(w http.ResponseWriter, r *http.Request) {
	p, c, err := e.decode(w, r)
	if err != nil {
		e.writeError(w, r, err)
		return
	}
	row, err := e.make(r, c)
	if err != nil {
		e.writeError(w, r, err)
		return
	}
	e.writeChange(w, r, c, row, p)
}

func (e endpoint) decode(w http.ResponseWriter, r *http.Request) (p *schemas.Projection, c content, err error) {
	if p, err = e.projection(r); err != nil || r.Method == http.MethodDelete {
		return p, content{method: r.Method}, err
	}
	body, err := readBody(w, r, e.maxBody)
	if err != nil {
		return nil, c, err
	}
	c, err = e.parse(r.Method, body, dialect(r))
	return p, c, err
}

// make makes one change in a transaction of its own.
func (e endpoint) make(r *http.Request, c content) (row stored, _ error) {
	do, err := e.prepare(r.Context(), e.operation(r), c)
	if err != nil {
		return stored{}, err
	}
	return row, e.Directory.DB.Write(r.Context(), func(tx *sqldb.Tx) (err error) {
		row, err = do(tx)
		return err
	})
}

// writeChange answers a change with the resource that came of it, or with 204 unless
// the client says which attributes it wants to see.
func (e endpoint) writeChange(w http.ResponseWriter, r *http.Request, c content, row stored, p *schemas.Projection) {
	status := c.status()
	switch {
	case c.method == http.MethodDelete:
		w.WriteHeader(status)
	case status == http.StatusNoContent && !asksForBody(r):
		w.Header().Set("ETag", etag(row.volatile.Version))
		w.WriteHeader(status)
	case status == http.StatusNoContent:
		e.write(w, r, http.StatusOK, row, p)
	default:
		e.write(w, r, status, row, p)
	}
}

func asksForBody(r *http.Request) bool {
	q := r.URL.Query()
	return q.Has("attributes") || q.Has("excludedAttributes")
}
