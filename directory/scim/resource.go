package scim

import (
	"net/http"
	"slices"

	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/schemas"
)

// read serves GET and HEAD of one resource (RFC 7644, sections 3.4.1 and 3.14).
func (e endpoint) read(w http.ResponseWriter, r *http.Request) {
	p, err := e.projection(r)
	if err != nil {
		e.writeError(w, r, err)
		return
	}
	row, err := e.lookup(r)
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

// changeUnless is change, but for what If-None-Match names (RFC 9110, section 13.1.2).
func (e endpoint) changeUnless(w http.ResponseWriter, r *http.Request) {
	if versions, ok := tags(r, "If-None-Match"); ok {
		row, err := e.lookup(r)
		if err == nil && (versions == nil || slices.Contains(versions, row.volatile.Version)) {
			err = &statusError{status: http.StatusPreconditionFailed, detail: "the resource is one that If-None-Match names"}
		}
		if err != nil {
			e.writeError(w, r, err)
			return
		}
	}
	e.change(w, r)
}

func (e endpoint) projection(r *http.Request) (*schemas.Projection, error) {
	if r.URL.RawQuery == "" {
		return e.project(r.Context(), "", "")
	}
	q := r.URL.Query()
	return e.project(r.Context(), listed(q, "attributes"), listed(q, "excludedAttributes"))
}

// write answers with one resource.
func (e endpoint) write(w http.ResponseWriter, r *http.Request, status int, row stored, p *schemas.Projection) {
	answer := struct { // in one piece of memory: every GET comes here
		rows [1]stored
		both [2]string
	}{rows: [1]stored{row}}
	rows := answer.rows[:]
	if err := e.complete(r, rows, p); err != nil {
		e.writeError(w, r, err)
		return
	}
	answer.both = [2]string{etag(row.volatile.Version), rows[0].volatile.Location}
	both := answer.both[:]
	h := w.Header()
	h["Etag"], h["Location"] = both[:1:1], both[1:]
	h["Content-Location"] = both[1:] // that of meta.location (RFC 7643, section 3.1)
	e.stream(w, r, status, e.typ.Render(nil, row.doc, rows[0].volatile, p), streamsOf(rows))
}

// includes says whether a response shows what extra makes.
func (e endpoint) includes(p *schemas.Projection) bool { return e.member != "" && p.Includes(e.member) }

// complete fills in what is not stored with the rows: locations, and the groups or
// members when the projection wants them.
func (e endpoint) complete(r *http.Request, rows []stored, p *schemas.Projection) error {
	public := httpapi.PublicURL(r.Context())
	for i := range rows {
		rows[i].volatile.Location = e.location(public, rows[i].volatile.ID)
	}
	if !e.includes(p) {
		return nil
	}
	return e.extra(r.Context(), rows, asked{public: public, client: caller(r), projection: p})
}
