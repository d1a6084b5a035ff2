package scim

import (
	"net/http"
	"strconv"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/schemas"
	wire "github.com/provost-id/provost/schemas/scim"
)

// list serves GET of an endpoint, as /Users (RFC 7644, section 3.4.2).
func (e endpoint) list(w http.ResponseWriter, r *http.Request) {
	q, err := queryOf(r.URL.Query())
	if err != nil {
		e.writeError(w, r, err)
		return
	}
	e.answer(w, r, q)
}

// search serves POST /.search below an endpoint (RFC 7644, section 3.4.3).
func (e endpoint) search(w http.ResponseWriter, r *http.Request) {
	q, err := readSearch(w, r)
	if err != nil {
		e.writeError(w, r, err)
		return
	}
	e.answer(w, r, q)
}

func readSearch(w http.ResponseWriter, r *http.Request) (query, error) {
	body, err := readBody(w, r, maxSearchBody)
	if err != nil {
		return query{}, err
	}
	return searchOf(body)
}

func (e endpoint) answer(w http.ResponseWriter, r *http.Request, q query) {
	p, err := e.page(r, q)
	if err != nil {
		e.writeError(w, r, err)
		return
	}
	e.stream(w, r, http.StatusOK, p.response(q), p.lists)
}

// page is a page of rendered resources.
type page struct {
	total     int
	count     int
	resources []byte // rendered, separated by commas
	lists     []*memberStream
	next      string
}

func (e endpoint) page(r *http.Request, q query) (page, error) {
	t := e.typ
	projection, err := t.ParseProjection(q.attributes, q.excludedAttributes)
	if err != nil {
		return page{}, err
	}
	lq := directory.ListQuery{
		StartIndex: q.startIndex, Count: q.count, UseCursor: q.useCursor, Cursor: q.cursor,
		Client: httpapi.Caller(r.Context()).ID, Base: baseURL(r),
	}
	if q.filter != "" {
		if lq.Filter, err = t.ParseFilter(q.filter, dialect(r)); err != nil {
			return page{}, err
		}
	}
	found, err := e.Directory.List(r.Context(), t.Name, lq)
	if err != nil {
		return page{}, err
	}
	rows := e.rows(found)
	if err := e.complete(r, rows, projection); err != nil {
		return page{}, err
	}
	p := page{total: found.Total, count: len(rows), next: found.Next, lists: streamsOf(rows)}
	for i := range rows {
		if i > 0 {
			p.resources = append(p.resources, ',')
		}
		p.resources = t.Render(p.resources, rows[i].doc, rows[i].volatile, projection)
	}
	return p, nil
}

// response is the ListResponse of a page, around resources that are bytes already. Its
// lists are moved to where they stand in the whole.
func (p page) response(q query) []byte {
	b := make([]byte, 0, len(p.resources)+256)
	b = append(b, `{"schemas":["`+wire.MessageList+`"],"totalResults":`...)
	b = strconv.AppendInt(b, int64(p.total), 10)
	if !q.useCursor {
		b = append(b, `,"startIndex":`...)
		b = strconv.AppendInt(b, int64(q.startIndex), 10)
	}
	b = append(b, `,"itemsPerPage":`...)
	b = strconv.AppendInt(b, int64(p.count), 10)
	if p.next != "" {
		b = append(b, `,"nextCursor":"`+p.next+`"`...)
	}
	b = append(b, `,"Resources":[`...)
	for _, l := range p.lists {
		l.at += len(b)
	}
	b = append(b, p.resources...)
	return append(b, `]}`...)
}

// listAll serves GET of the root (RFC 7644, section 3.4.2.1).
func (s *Server) listAll(w http.ResponseWriter, r *http.Request) {
	q, err := queryOf(r.URL.Query())
	s.answerAll(w, r, q, err)
}

// searchAll serves POST /.search (RFC 7644, section 3.4.3).
func (s *Server) searchAll(w http.ResponseWriter, r *http.Request) {
	q, err := readSearch(w, r)
	s.answerAll(w, r, q, err)
}

// answerAll answers a query over all resource types, one after the other. A type that does not have the attributes of the filter has no matches; when none has them,
// the filter is invalid.
func (s *Server) answerAll(w http.ResponseWriter, r *http.Request, q query, err error) {
	if err == nil && q.useCursor {
		err = badRequest("invalidCursor", "cursors are of one resource type: search below its endpoint")
	}
	if err != nil {
		s.writeError(w, r, err)
		return
	}
	all, err := s.pageOfAll(r, q)
	if err != nil {
		s.writeError(w, r, err)
		return
	}
	s.stream(w, r, http.StatusOK, all.response(q), all.lists)
}

func (s *Server) pageOfAll(r *http.Request, q query) (page, error) {
	var all page
	var failed error
	answered := false
	for _, e := range s.endpoints() {
		part := q
		part.startIndex = max(q.startIndex-all.total, 1)
		part.count = q.count - all.count
		p, err := e.page(r, part)
		if isFilterError(err) {
			failed = err
			continue
		}
		if err != nil {
			return page{}, err
		}
		answered = true
		all.add(p)
	}
	if !answered {
		return page{}, failed
	}
	return all, nil
}

func (p *page) add(more page) {
	if len(p.resources) > 0 && len(more.resources) > 0 {
		p.resources = append(p.resources, ',')
	}
	for _, l := range more.lists {
		l.at += len(p.resources)
	}
	p.lists = append(p.lists, more.lists...)
	p.resources = append(p.resources, more.resources...)
	p.total += more.total
	p.count += more.count
}

func isFilterError(err error) bool {
	_, scimType, _ := describe(err)
	return err != nil && (scimType == schemas.InvalidFilter || scimType == schemas.InvalidPath)
}
