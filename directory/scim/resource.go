package scim

import (
	"net/http"
	"slices"

	"github.com/provost-id/provost/schemas"
)

// create serves POST of an endpoint, as /Users (RFC 7644, section 3.3).
func (e endpoint) create(w http.ResponseWriter, r *http.Request) {
	p, res, err := e.decode(w, r)
	if err != nil {
		e.writeError(w, r, err)
		return
	}
	do, err := e.add(r.Context(), e.operation(r), res)
	row, err := e.do(r, do, err)
	if err != nil {
		e.writeError(w, r, err)
		return
	}
	e.write(w, r, http.StatusCreated, row, p)
}

// read serves GET and HEAD of one resource (RFC 7644, sections 3.4.1 and 3.14).
func (e endpoint) read(w http.ResponseWriter, r *http.Request) {
	p, err := e.projection(r)
	if err != nil {
		e.writeError(w, r, err)
		return
	}
	row, err := e.find(r.Context(), e.typ, r.PathValue("id"), caller(r))
	if err != nil {
		e.writeError(w, r, err)
		return
	}
	same, err := e.unchanged(r, row, p)
	if err != nil {
		e.writeError(w, r, err)
		return
	}
	if same {
		w.Header().Set("ETag", etag(row.volatile.Version))
		w.WriteHeader(http.StatusNotModified)
		return
	}
	e.write(w, r, http.StatusOK, row, p)
}

// unchanged says whether If-None-Match names what the client would get. What stands
// outside of the version is looked at only then.
func (e endpoint) unchanged(r *http.Request, row stored, p *schemas.Projection) (bool, error) {
	versions, ok := tags(r, "If-None-Match")
	switch {
	case !ok || versions != nil && !slices.Contains(versions, row.volatile.Version):
		return false, nil
	case !e.includes(p):
		return true, nil
	case e.shown == nil && p.IncludesSub(e.member, "display"):
		return false, nil // a name is its owner's: the version does not tell of it
	case !row.fresh || e.shown == nil || !row.related:
		return row.fresh, nil
	}
	changed, err := e.shown(r.Context(), row.rid)
	return changed.Before(row.volatile.Modified), err
}

// unlessMatch keeps a handler from writing to what If-None-Match names (RFC 9110,
// section 13.1.2).
func unlessMatch(write func(endpoint, http.ResponseWriter, *http.Request)) func(endpoint, http.ResponseWriter, *http.Request) {
	return func(e endpoint, w http.ResponseWriter, r *http.Request) {
		versions, ok := tags(r, "If-None-Match")
		if !ok {
			write(e, w, r)
			return
		}
		row, err := e.find(r.Context(), e.typ, r.PathValue("id"), caller(r))
		if err == nil && (versions == nil || slices.Contains(versions, row.volatile.Version)) {
			err = &statusError{status: http.StatusPreconditionFailed, detail: "the resource is one that If-None-Match names"}
		}
		if err != nil {
			e.writeError(w, r, err)
			return
		}
		write(e, w, r)
	}
}

// replace serves PUT (RFC 7644, section 3.5.1).
func (e endpoint) replace(w http.ResponseWriter, r *http.Request) {
	p, res, err := e.decode(w, r)
	if err != nil {
		e.writeError(w, r, err)
		return
	}
	do, err := e.put(r.Context(), e.operation(r), res)
	row, err := e.do(r, do, err)
	if err != nil {
		e.writeError(w, r, err)
		return
	}
	e.write(w, r, http.StatusOK, row, p)
}

// patch serves PATCH (RFC 7644, section 3.5.2). A change of members is answered 204
// unless the client says which attributes it wants: the list may be long.
func (e endpoint) patch(w http.ResponseWriter, r *http.Request) {
	p, ops, err := e.decodePatch(w, r)
	if err != nil {
		e.writeError(w, r, err)
		return
	}
	do, err := e.edit(r.Context(), e.operation(r), ops)
	row, err := e.do(r, do, err)
	if err != nil {
		e.writeError(w, r, inOperation(err, ops))
		return
	}
	if touchesMembers(ops) && !asksForBody(r) {
		w.Header().Set("ETag", etag(row.volatile.Version))
		w.WriteHeader(http.StatusNoContent)
		return
	}
	e.write(w, r, http.StatusOK, row, p)
}

func touchesMembers(ops []schemas.PatchOp) bool {
	_, m, err := schemas.SplitMembers(ops)
	return err == nil && !m.Empty()
}

func asksForBody(r *http.Request) bool {
	q := r.URL.Query()
	return q.Has("attributes") || q.Has("excludedAttributes")
}

// delete serves DELETE (RFC 7644, section 3.6).
func (e endpoint) delete(w http.ResponseWriter, r *http.Request) {
	if _, err := e.do(r, e.remove(e.operation(r)), nil); err != nil {
		e.writeError(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (e endpoint) projection(r *http.Request) (*schemas.Projection, error) {
	if r.URL.RawQuery == "" {
		return e.typ.ParseProjection("", "")
	}
	q := r.URL.Query()
	return e.typ.ParseProjection(listed(q, "attributes"), listed(q, "excludedAttributes"))
}

func (e endpoint) decode(w http.ResponseWriter, r *http.Request) (*schemas.Projection, *schemas.Resource, error) {
	p, err := e.projection(r)
	if err != nil {
		return nil, nil, err
	}
	body, err := readBody(w, r, e.maxBody)
	if err != nil {
		return nil, nil, err
	}
	res, err := e.typ.Parse(body, dialect(r))
	return p, res, err
}

func (e endpoint) decodePatch(w http.ResponseWriter, r *http.Request) (*schemas.Projection, []schemas.PatchOp, error) {
	p, err := e.projection(r)
	if err != nil {
		return nil, nil, err
	}
	body, err := readBody(w, r, e.maxBody)
	if err != nil {
		return nil, nil, err
	}
	ops, err := e.typ.ParsePatch(body, dialect(r))
	return p, ops, err
}

// write answers with one resource.
func (e endpoint) write(w http.ResponseWriter, r *http.Request, status int, row stored, p *schemas.Projection) {
	rows := []stored{row}
	if err := e.complete(r, rows, p); err != nil {
		e.writeError(w, r, err)
		return
	}
	both := []string{etag(row.volatile.Version), rows[0].volatile.Location}
	w.Header()["Etag"], w.Header()["Location"] = both[:1:1], both[1:]
	e.stream(w, r, status, e.typ.Render(nil, row.doc, rows[0].volatile, p), streamsOf(rows))
}

// includes says whether a response shows what extra makes.
func (e endpoint) includes(p *schemas.Projection) bool { return e.member != "" && p.Includes(e.member) }

// complete fills in what is not stored with the rows: locations, and the groups or
// members when the projection wants them.
func (e endpoint) complete(r *http.Request, rows []stored, p *schemas.Projection) error {
	base := baseURL(r)
	for i := range rows {
		rows[i].volatile.Location = e.location(base, rows[i].volatile.ID)
	}
	if !e.includes(p) {
		return nil
	}
	return e.extra(r.Context(), rows, asked{base: base, client: caller(r), projection: p})
}
