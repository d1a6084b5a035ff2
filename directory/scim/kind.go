package scim

import (
	"context"
	"time"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// kind is what differs between users, groups, and the resources of all other types.
// Its writing functions prepare a change and leave the transaction to their caller.
type kind struct {
	maxBody int64

	find   func(ctx context.Context, t *schemas.Type, id, client string) (stored, error)
	add    func(ctx context.Context, o operation, res *schemas.Resource) (work, error)
	put    func(ctx context.Context, o operation, res *schemas.Resource) (work, error)
	edit   func(ctx context.Context, o operation, ops []schemas.PatchOp) (work, error)
	remove func(o operation) work
	rows   func(*directory.Page) []stored
	extra  func(ctx context.Context, rows []stored, q asked) error
	// member is the attribute that extra makes; empty for none.
	member string
	// shown is when what extra makes was last another, though the row was not changed;
	// nil where that cannot be.
	shown func(ctx context.Context, rid int64) (time.Time, error)
}

// asked is what a request wants to see of what extra makes, and who it is.
type asked struct {
	public, client string // public is the URL of the server
	projection     *schemas.Projection
}

// operation is who changes which resource on what condition.
type operation struct {
	change  directory.Change
	dialect schemas.Dialect
	typ     *schemas.Type
	id      string            // of a resource that is there
	newID   string            // of one that is created, when it has been given out before
	match   directory.IfMatch // of one that is there
}

// origin gives what is created the ID that was given out for it.
func (o operation) origin() *directory.Origin {
	if o.newID == "" {
		return nil
	}
	return &directory.Origin{ID: o.newID}
}

// work is a change that only a transaction is missing. That of a delete returns no row.
type work func(*sqldb.Tx) (stored, error)

// works turns what the directory has prepared into work.
func works[T any](row func(T, error) (stored, error), do func(*sqldb.Tx) (T, error), err error) (work, error) {
	return func(tx *sqldb.Tx) (stored, error) { return row(do(tx)) }, err
}

// stored is a row as a response needs it.
type stored struct {
	rid      int64
	doc      []byte
	volatile schemas.Volatile
	// related says that extra has something to look for, or to make of groups.
	related bool
	// groups are those of a user, where they were read with it.
	groups directory.GroupsText
	// members are those that are written after the rest is made; nil for none.
	members *memberStream
	// fresh says that by the row nothing outside the version has changed since the
	// version did, so that the version stands for the whole response.
	fresh bool
}

func (s *Server) users() *kind {
	d := s.Directory
	return &kind{
		maxBody: maxUserBody, member: "groups", extra: s.addGroups, shown: d.GroupsShown,
		find: func(ctx context.Context, _ *schemas.Type, id, client string) (stored, error) {
			return shownRow(d.ShownUser(ctx, id, client))
		},
		add: func(ctx context.Context, o operation, res *schemas.Resource) (work, error) {
			do, err := d.PrepareUsers(ctx, o.change, []directory.UserToCreate{{Resource: res, Options: directory.CreateOptions{Origin: o.origin()}}})
			return works(onlyRow, do, err)
		},
		put: func(ctx context.Context, o operation, res *schemas.Resource) (work, error) {
			do, err := d.PrepareUserReplace(ctx, o.change, o.id, o.match, res)
			return works(userRow, do, err)
		},
		edit: func(ctx context.Context, o operation, ops []schemas.PatchOp) (work, error) {
			do, err := d.PrepareUserPatch(ctx, o.change, o.id, o.match, ops, o.dialect)
			return works(userRow, do, err)
		},
		remove: func(o operation) work {
			return func(tx *sqldb.Tx) (stored, error) {
				return stored{}, d.DeleteUserTx(tx, o.change, o.id, o.match)
			}
		},
		rows: func(p *directory.Page) []stored { return rowsOf(p.Users, userRow) },
	}
}

// onlyRow is the row of a batch of one.
func onlyRow(made []directory.UserResult, err error) (stored, error) {
	if err != nil {
		return stored{}, err
	}
	return userRow(made[0].User, made[0].Err)
}

func userRow(u *directory.User, err error) (stored, error) {
	if err != nil {
		return stored{}, err
	}
	return shownRow(&directory.ShownUser{
		ID: u.ID, RID: u.RID, Version: u.Version, Active: u.Status.Active(), Created: u.Created, Modified: u.Modified,
		GroupsChanged: u.GroupsChanged, ExternalID: u.ExternalID, Doc: u.Doc, Groups: u.Groups,
	}, nil)
}

func shownRow(u *directory.ShownUser, err error) (stored, error) {
	if err != nil {
		return stored{}, err
	}
	return stored{
		rid: u.RID, doc: u.Doc, related: !u.GroupsChanged.IsZero(), groups: u.Groups, fresh: u.GroupsChanged.Before(u.Modified),
		volatile: schemas.Volatile{
			ID: u.ID, ExternalID: u.ExternalID, Created: u.Created, Modified: u.Modified, Version: u.Version, Active: &u.Active,
		},
	}, nil
}

func (s *Server) groups() *kind {
	d := s.Directory
	return &kind{
		maxBody: maxGroupBody, member: "members", extra: s.addMembers,
		find: func(ctx context.Context, _ *schemas.Type, id, client string) (stored, error) {
			return s.groupRow(d.GroupFor(ctx, id, client))
		},
		add: func(_ context.Context, o operation, res *schemas.Resource) (work, error) {
			return func(tx *sqldb.Tx) (stored, error) {
				return s.groupRow(d.CreateGroupTx(tx, o.change, res, directory.GroupOptions{Origin: o.origin()}))
			}, nil
		},
		put: func(_ context.Context, o operation, res *schemas.Resource) (work, error) {
			return func(tx *sqldb.Tx) (stored, error) {
				return s.groupRow(d.ReplaceGroupTx(tx, o.change, o.id, o.match, res))
			}, nil
		},
		edit: func(_ context.Context, o operation, ops []schemas.PatchOp) (work, error) {
			do, err := d.PrepareGroupPatch(o.change, o.id, o.match, ops, o.dialect)
			return works(s.groupRow, do, err)
		},
		remove: func(o operation) work {
			return func(tx *sqldb.Tx) (stored, error) {
				return stored{}, d.DeleteGroupTx(tx, o.change, o.id, o.match)
			}
		},
		rows: func(p *directory.Page) []stored { return rowsOf(p.Groups, s.groupRow) },
	}
}

// groupRow leaves the members of Everyone out: they are all users.
func (s *Server) groupRow(g *directory.Group, err error) (stored, error) {
	if err != nil {
		return stored{}, err
	}
	return stored{
		rid: g.RID, doc: g.Doc, related: g.ID != s.Directory.EveryoneID(), fresh: true,
		volatile: schemas.Volatile{ID: g.ID, ExternalID: g.ExternalID, Created: g.Created, Modified: g.Modified, Version: g.Version},
	}, nil
}

// others are the resources of every type beside User and Group.
func (s *Server) others() *kind {
	d := s.Directory
	return &kind{
		maxBody: maxUserBody,
		find: func(ctx context.Context, t *schemas.Type, id, client string) (stored, error) {
			return resourceRow(d.ResourceFor(ctx, t.Name, id, client))
		},
		add: func(_ context.Context, o operation, res *schemas.Resource) (work, error) {
			return func(tx *sqldb.Tx) (stored, error) {
				return resourceRow(d.CreateResourceTx(tx, o.change, res, o.origin()))
			}, nil
		},
		put: func(_ context.Context, o operation, res *schemas.Resource) (work, error) {
			return func(tx *sqldb.Tx) (stored, error) {
				return resourceRow(d.ReplaceResourceTx(tx, o.change, o.id, o.match, res))
			}, nil
		},
		edit: func(_ context.Context, o operation, ops []schemas.PatchOp) (work, error) {
			return func(tx *sqldb.Tx) (stored, error) {
				return resourceRow(d.PatchResourceTx(tx, o.change, o.typ, o.id, o.match, ops, o.dialect))
			}, nil
		},
		remove: func(o operation) work {
			return func(tx *sqldb.Tx) (stored, error) {
				return stored{}, d.DeleteResourceTx(tx, o.change, o.typ, o.id, o.match)
			}
		},
		rows: func(p *directory.Page) []stored { return rowsOf(p.Resources, resourceRow) },
	}
}

func resourceRow(x *directory.Resource, err error) (stored, error) {
	if err != nil {
		return stored{}, err
	}
	return stored{
		rid: x.RID, doc: x.Doc, fresh: true,
		volatile: schemas.Volatile{ID: x.ID, ExternalID: x.ExternalID, Created: x.Created, Modified: x.Modified, Version: x.Version},
	}, nil
}

func rowsOf[T any](all []T, row func(T, error) (stored, error)) []stored {
	rows := make([]stored, len(all))
	for i, x := range all {
		rows[i], _ = row(x, nil) // which fails for an error alone
	}
	return rows
}
