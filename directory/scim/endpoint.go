package scim

import (
	"net/http"

	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/schemas"
)

// endpoint serves one resource type as the schema in force at the request has it: types
// come and go while the server runs.
type endpoint struct {
	*Server
	*kind
	typ *schemas.Type
}

// kinds are made once for a Server.
type kinds struct{ users, groups, others, own *kind }

func (k kinds) of(t *schemas.Type) *kind {
	switch t.Name {
	case "User":
		return k.users
	case "Group":
		return k.groups
	}
	return k.others
}

// endpoints returns those of all resource types.
func (s *Server) endpoints() []endpoint {
	types := s.Directory.Schemas().Types()
	all := make([]endpoint, len(types))
	for i, t := range types {
		all[i] = endpoint{Server: s, kind: s.kinds.of(t), typ: t}
	}
	return all
}

// endpoint returns the one with a name, as "Users".
func (s *Server) endpoint(name string) (endpoint, bool) {
	t, ok := s.Directory.Schemas().TypeAt(name)
	if !ok {
		return endpoint{}, false
	}
	return endpoint{Server: s, kind: s.kinds.of(t), typ: t}, true
}

// verbs serves one path of a resource type by method.
type verbs map[string]func(endpoint, http.ResponseWriter, *http.Request)

var (
	collection = verbs{"GET": endpoint.listOrChanges, "POST": endpoint.change}
	single     = verbs{
		"GET": endpoint.read, "PUT": endpoint.changeUnless, "PATCH": endpoint.changeUnless, "DELETE": endpoint.changeUnless,
	}
	searched = verbs{"POST": endpoint.search}
)

// serveCollection serves the path of an endpoint.
func (s *Server) serveCollection(w http.ResponseWriter, r *http.Request) { s.serve(w, r, collection) }

// serveSingle serves the paths one level below: resources, and .search.
func (s *Server) serveSingle(w http.ResponseWriter, r *http.Request) {
	if r.PathValue("id") == ".search" {
		s.serve(w, r, searched)
		return
	}
	s.serve(w, r, single)
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request, v verbs) {
	e, ok := s.endpoint(r.PathValue("endpoint"))
	if !ok {
		s.noPath(w, r)
		return
	}
	if err := e.checkType(r.Context()); err != nil {
		s.writeError(w, r, err)
		return
	}
	if h, ok := v[methodOf(r)]; ok {
		end, err := s.awaitLarge(r)
		if err != nil {
			s.writeError(w, r, err)
			return
		}
		defer end()
		h(e, w, r)
		return
	}
	refuseMethod(w, r, allow(v))
}

// operation is what a request asks for.
func (e endpoint) operation(r *http.Request) operation {
	return operation{change: change(r), dialect: dialect(r), typ: e.typ, id: r.PathValue("id"), match: ifMatch(r)}
}

// caller is the namespace of external IDs.
func caller(r *http.Request) string { return httpapi.Caller(r.Context()).ID }

// location is the URL of a resource; public is that of the server.
func (e endpoint) location(public, id string) string {
	return public + Base + e.typ.Endpoint + "/" + id
}
