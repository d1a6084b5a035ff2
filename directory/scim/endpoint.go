package scim

import (
	"context"
	"net/http"
	"time"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/schemas"
)

// endpoint serves one resource type. Its functions are what differs between users and
// groups.
type endpoint struct {
	*Server
	name    string // of the resource type
	path    string // "/Users"
	maxBody int64

	find   func(ctx context.Context, id, client string) (stored, error)
	add    func(r *http.Request, res *schemas.Resource) (stored, error)
	put    func(r *http.Request, id string, res *schemas.Resource) (stored, error)
	edit   func(r *http.Request, id string, ops []schemas.PatchOp) (stored, error)
	remove func(r *http.Request, id string) error
	rows   func(*directory.Page) []stored
	extra  func(ctx context.Context, rows []stored, base string) error
	// member is the attribute that extra makes.
	member string
	// shown is when what extra makes was last another, though the row was not changed;
	// nil where that cannot be.
	shown func(ctx context.Context, rid int64) (time.Time, error)
}

// stored is a row as a response needs it.
type stored struct {
	rid      int64
	doc      []byte
	volatile schemas.Volatile
	// related says that extra has something to look for.
	related bool
	// fresh says that by the row nothing outside the version has changed since the
	// version did, so that the version stands for the whole response.
	fresh bool
}

func (e *endpoint) typ() *schemas.Type {
	t, ok := e.Directory.Schemas().Type(e.name)
	if !ok { // every schema has both
		panic("schema has no resource type " + e.name)
	}
	return t
}

func (s *Server) users() *endpoint {
	e := &endpoint{Server: s, name: "User", path: "/Users", maxBody: maxUserBody, member: "groups"}
	d := s.Directory
	e.find = func(ctx context.Context, id, client string) (stored, error) {
		return userRow(d.UserFor(ctx, id, client))
	}
	e.add = func(r *http.Request, res *schemas.Resource) (stored, error) {
		return userRow(d.CreateUser(r.Context(), change(r), res, directory.CreateOptions{}))
	}
	e.put = func(r *http.Request, id string, res *schemas.Resource) (stored, error) {
		return userRow(d.ReplaceUser(r.Context(), change(r), id, ifMatch(r), res))
	}
	e.edit = func(r *http.Request, id string, ops []schemas.PatchOp) (stored, error) {
		return userRow(d.PatchUser(r.Context(), change(r), id, ifMatch(r), ops, dialect(r)))
	}
	e.remove = func(r *http.Request, id string) error { return d.DeleteUser(r.Context(), change(r), id, ifMatch(r)) }
	e.rows = func(p *directory.Page) []stored {
		rows := make([]stored, len(p.Users))
		for i, u := range p.Users {
			rows[i], _ = userRow(u, nil)
		}
		return rows
	}
	e.extra = s.addGroups
	e.shown = d.GroupsShown
	return e
}

func userRow(u *directory.User, err error) (stored, error) {
	if err != nil {
		return stored{}, err
	}
	active := u.Status.Active()
	return stored{
		rid: u.RID, doc: u.Doc, related: !u.GroupsChanged.IsZero(), fresh: u.GroupsChanged.Before(u.Modified),
		volatile: schemas.Volatile{
			ID: u.ID, ExternalID: u.ExternalID, Created: u.Created, Modified: u.Modified, Version: u.Version, Active: &active,
		},
	}, nil
}

func (s *Server) groups() *endpoint {
	e := &endpoint{Server: s, name: "Group", path: "/Groups", maxBody: maxGroupBody, member: "members"}
	d := s.Directory
	e.find = func(ctx context.Context, id, client string) (stored, error) {
		return e.groupRow(d.GroupFor(ctx, id, client))
	}
	e.add = func(r *http.Request, res *schemas.Resource) (stored, error) {
		return e.groupRow(d.CreateGroup(r.Context(), change(r), res, directory.GroupOptions{}))
	}
	e.put = func(r *http.Request, id string, res *schemas.Resource) (stored, error) {
		return e.groupRow(d.ReplaceGroup(r.Context(), change(r), id, ifMatch(r), res))
	}
	e.edit = func(r *http.Request, id string, ops []schemas.PatchOp) (stored, error) {
		return e.groupRow(d.PatchGroup(r.Context(), change(r), id, ifMatch(r), ops, dialect(r)))
	}
	e.remove = func(r *http.Request, id string) error { return d.DeleteGroup(r.Context(), change(r), id, ifMatch(r)) }
	e.rows = func(p *directory.Page) []stored {
		rows := make([]stored, len(p.Groups))
		for i, g := range p.Groups {
			rows[i], _ = e.groupRow(g, nil)
		}
		return rows
	}
	e.extra = s.addMembers
	return e
}

// groupRow leaves the members of Everyone out: they are all users.
func (e *endpoint) groupRow(g *directory.Group, err error) (stored, error) {
	if err != nil {
		return stored{}, err
	}
	return stored{
		rid: g.RID, doc: g.Doc, related: g.ID != e.Directory.EveryoneID(), fresh: true,
		volatile: schemas.Volatile{ID: g.ID, ExternalID: g.ExternalID, Created: g.Created, Modified: g.Modified, Version: g.Version},
	}, nil
}
