package scim

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/schemas"
	wire "github.com/provost-id/provost/schemas/scim"
)

// changedSince is the parameter that turns a list into a page of changes.
const changedSince = "changedSince"

// listOrChanges serves GET of an endpoint: the list, or what changed since a position.
func (e endpoint) listOrChanges(w http.ResponseWriter, r *http.Request) {
	if asksForChanges(r) {
		e.answerChanges(w, r, []endpoint{e})
		return
	}
	e.list(w, r)
}

// listAllOrChanges is listOrChanges of the root: of all resource types.
func (s *Server) listAllOrChanges(w http.ResponseWriter, r *http.Request) {
	if asksForChanges(r) {
		s.answerChanges(w, r, s.endpointsFor(r))
		return
	}
	s.listAll(w, r)
}

func asksForChanges(r *http.Request) bool {
	return strings.Contains(r.URL.RawQuery, changedSince) && r.URL.Query().Has(changedSince)
}

func (s *Server) answerChanges(w http.ResponseWriter, r *http.Request, of []endpoint) {
	body, lists, err := s.changes(r, of)
	if err != nil {
		s.writeError(w, r, err)
		return
	}
	s.stream(w, r, http.StatusOK, body, lists)
}

// notWithChanges are the parameters of a list that have no meaning for changes: what
// leaves a filter has changed too, and the order is that of the changes.
var notWithChanges = []string{"filter", "sortBy", "sortOrder", "startIndex", "cursor"}

func changesQueryOf(r *http.Request) (q directory.ChangesQuery, err error) {
	v := r.URL.Query()
	for _, name := range notWithChanges {
		if v.Has(name) {
			return q, badRequest(schemas.InvalidValue, name+": cannot be combined with "+changedSince)
		}
	}
	count, err := number(v, "count", defaultCount)
	if err != nil {
		return q, err
	}
	return directory.ChangesQuery{
		Since: v.Get(changedSince), Count: min(max(count, 0), maxCount), Client: caller(r),
	}, nil
}

// changes is the answer: the resources of the endpoints' types that have changed, and
// tombstones for those that are deleted, in the order of their last changes.
func (s *Server) changes(r *http.Request, of []endpoint) (body []byte, lists []*memberStream, err error) {
	if err := checkChangesFor(r.Context()); err != nil {
		return nil, nil, err
	}
	q, err := changesQueryOf(r)
	if err != nil {
		return nil, nil, err
	}
	byType := map[string]endpoint{}
	for _, e := range of {
		q.Types = append(q.Types, e.typ.Name)
		byType[e.typ.Name] = e
	}
	found, err := s.Directory.Changes(r.Context(), q)
	if err != nil {
		return nil, nil, err
	}
	present := map[string]rendered{}
	for typ, page := range found.Rows {
		if err := byType[typ].renderChanged(r, page, present); err != nil {
			return nil, nil, err
		}
	}
	resources := make([]rendered, len(found.All))
	for i, c := range found.All {
		if resources[i] = present[c.ID]; resources[i].body == nil {
			if resources[i].body, err = tombstone(byType[c.Type].location(httpapi.PublicURL(r.Context()), c.ID), c); err != nil {
				return nil, nil, err
			}
		}
	}
	body, lists = changesResponse(found, resources)
	return body, lists, nil
}

// rendered is one resource as it is shown, and the list that belongs into it.
type rendered struct {
	body []byte
	list *memberStream
}

// renderChanged renders a page of rows into present, by ID.
func (e endpoint) renderChanged(r *http.Request, page *directory.Page, present map[string]rendered) error {
	v := r.URL.Query()
	t := e.typ
	p, err := e.project(r.Context(), listed(v, "attributes"), listed(v, "excludedAttributes"))
	if err != nil {
		return err
	}
	rows := e.rows(page)
	if err := e.complete(r, rows, p); err != nil {
		return err
	}
	for _, row := range rows {
		present[row.volatile.ID] = rendered{body: t.Render(nil, row.doc, row.volatile, p), list: row.members}
	}
	return nil
}

// tombstone stands for a resource that is deleted.
func tombstone(location string, c events.Changed) ([]byte, error) {
	return json.Marshal(wire.Tombstone{
		Schemas: []string{wire.MessageTombstone}, ID: c.ID,
		Meta: wire.TombstoneMeta{ResourceType: c.Type, Location: location, Deleted: true},
	})
}

func changesResponse(c *directory.Changes, resources []rendered) (body []byte, lists []*memberStream) {
	b := append([]byte(nil), `{"schemas":["`+wire.MessageChanges+`"],"itemsPerPage":`...)
	b = strconv.AppendInt(b, int64(len(resources)), 10)
	b = append(b, `,"nextChangedSince":"`+c.Next+`","moreAvailable":`...)
	b = strconv.AppendBool(b, c.More)
	b = append(b, `,"Resources":[`...)
	for i, res := range resources {
		if i > 0 {
			b = append(b, ',')
		}
		if res.list != nil {
			res.list.at += len(b)
			lists = append(lists, res.list)
		}
		b = append(b, res.body...)
	}
	return append(b, `]}`...), lists
}
