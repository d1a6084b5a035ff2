package scim

import (
	"net/http"
	"slices"
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
	return searchOf(body, dialect(r))
}

func (e endpoint) answer(w http.ResponseWriter, r *http.Request, q query) {
	p, err := e.page(r, q)
	if err != nil {
		e.writeError(w, r, err)
		return
	}
	e.stream(w, r, http.StatusOK, p.body, p.lists)
}

// page is a ListResponse, and the lists of members that belong into it.
type page struct {
	body  []byte
	lists []*memberStream
}

// page answers a query of one resource type.
func (e endpoint) page(r *http.Request, q query) (page, error) {
	p, err := e.part(r, q, []*schemas.Type{e.typ})
	if err != nil {
		return page{}, err
	}
	lq := listQuery(r, q)
	lq.Filter, lq.Groups = p.filter, p.includes(p.projection)
	found, err := e.Directory.List(r.Context(), e.typ.Name, lq)
	if err != nil {
		return page{}, err
	}
	return response(r, q, found, []part{p})
}

// part is a resource type in an answer.
type part struct {
	endpoint
	filter     *schemas.Filter
	projection *schemas.Projection
}

// part reads what a query means for a resource type, among the types of the query.
func (e endpoint) part(r *http.Request, q query, among []*schemas.Type) (p part, err error) {
	p.endpoint = e
	t := e.typ
	if p.projection, err = e.project(r.Context(), q.attributes, q.excludedAttributes); err != nil {
		return p, err
	}
	if err = e.checkSort(r.Context(), q.sortBy); err != nil || q.filter == "" {
		return p, err
	}
	if p.filter, err = t.ParseFilterAmong(q.filter, dialect(r), among); err != nil {
		return p, err
	}
	return p, e.checkFilter(r.Context(), p.filter)
}

func listQuery(r *http.Request, q query) directory.ListQuery {
	return directory.ListQuery{
		SortBy: q.sortBy, Descending: q.descending,
		StartIndex: q.startIndex, Count: q.count, UseCursor: q.useCursor, Cursor: q.cursor,
		Client: httpapi.Caller(r.Context()).ID, Base: baseURL(r),
		Bounds: bounds(r.Context()),
	}
}

// response is the ListResponse of a page, around resources that are bytes already.
func response(r *http.Request, q query, found *directory.Page, parts []part) (page, error) {
	rows := make(map[int64]row, len(found.Order))
	size := 256
	for _, p := range parts {
		stored := p.rows(found.Of(p.typ.Name))
		if err := p.complete(r, stored, p.projection); err != nil {
			return page{}, err
		}
		for i := range stored {
			rows[stored[i].rid] = row{&stored[i], p}
			size += len(stored[i].doc) + len(stored[i].volatile.Extra) + renderedBeside
		}
	}
	answer := page{body: appendHead(make([]byte, 0, size), q, found)}
	for i, rid := range found.Order {
		if i > 0 {
			answer.body = append(answer.body, ',')
		}
		row := rows[rid]
		answer.body = row.render(answer.body)
		if row.members != nil {
			answer.lists = append(answer.lists, row.members)
		}
	}
	answer.body = append(answer.body, `]}`...)
	return answer, nil
}

// renderedBeside is about what meta, id and schemas add to a document.
const renderedBeside = 512

// row is a stored resource and how it is shown.
type row struct {
	*stored
	part
}

func (r row) render(dst []byte) []byte {
	return r.typ.Render(dst, r.doc, r.volatile, r.projection)
}

func appendHead(b []byte, q query, found *directory.Page) []byte {
	b = append(b, `{"schemas":["`+wire.MessageList+`"],"totalResults":`...)
	b = strconv.AppendInt(b, int64(found.Total), 10)
	if !q.useCursor {
		b = append(b, `,"startIndex":`...)
		b = strconv.AppendInt(b, int64(q.startIndex), 10)
	}
	b = append(b, `,"itemsPerPage":`...)
	b = strconv.AppendInt(b, int64(len(found.Order)), 10)
	if found.Next != "" {
		b = append(b, `,"nextCursor":"`+found.Next+`"`...)
	}
	return append(b, `,"Resources":[`...)
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

func (s *Server) answerAll(w http.ResponseWriter, r *http.Request, q query, err error) {
	var p page
	if err == nil {
		p, err = s.pageOfAll(r, q)
	}
	if err != nil {
		s.writeError(w, r, err)
		return
	}
	s.stream(w, r, http.StatusOK, p.body, p.lists)
}

func typesOf(all []endpoint) []*schemas.Type {
	types := make([]*schemas.Type, len(all))
	for i, e := range all {
		types[i] = e.typ
	}
	return types
}

// pageOfAll answers a query over all resource types, as one list (RFC 7644, section
// 3.4.2.1).
func (s *Server) pageOfAll(r *http.Request, q query) (page, error) {
	var parts []part
	var of []directory.TypeQuery
	endpoints := s.endpointsFor(r)
	types := typesOf(endpoints)
	for _, e := range endpoints {
		p, err := e.part(r, q, types)
		if err != nil {
			return page{}, err
		}
		parts = append(parts, p)
		of = append(of, directory.TypeQuery{Type: e.typ.Name, Filter: p.filter})
	}
	lq := listQuery(r, q)
	lq.Groups = slices.ContainsFunc(parts, func(p part) bool { return p.includes(p.projection) })
	found, err := s.Directory.ListAll(r.Context(), of, lq)
	if err != nil {
		return page{}, err
	}
	return response(r, q, found, parts)
}
