package directory

import (
	"context"
	"fmt"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/id"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// groupNamePath is the unique value of a group's name. Imported groups may share
// names; those made here may not, since claims and policies speak of them by name.
const groupNamePath = "displayName"

// CreateGroup stores a new group with the members that r holds.
func (d *Directory) CreateGroup(ctx context.Context, c Change, r *schemas.Resource, o GroupOptions) (g *Group, err error) {
	err = d.DB.Write(ctx, func(tx *sqldb.Tx) error {
		g, err = d.CreateGroupTx(tx, c, r, o)
		return err
	})
	if err != nil {
		return nil, err
	}
	return g, nil
}

// CreateGroupTx is CreateGroup inside a transaction.
func (d *Directory) CreateGroupTx(tx *sqldb.Tx, c Change, r *schemas.Resource, o GroupOptions) (*Group, error) {
	if err := c.Bounds.checkNewGroup(r); err != nil {
		return nil, err
	}
	if o.Type == "" {
		o.Type = OrdinaryGroup
	}
	r, err := d.complete(d.groupType(), r)
	if err != nil {
		return nil, err
	}
	m := schemas.MemberChange{Replace: true, Set: memberValues(r)}
	if err := lockNesting(tx, "", m); err != nil {
		return nil, err
	}
	if err := o.Origin.admit(tx, typeGroup, id.Group); err != nil {
		return nil, err
	}
	now := d.now()
	g := &Group{ID: o.Origin.idOr(id.Group, now), Version: 1, Type: o.Type, Created: o.Origin.created(now), Modified: now, Doc: r.Doc()}
	if err := d.insertGroupRow(tx, g, r, len(m.Set) > 0); err != nil {
		return nil, err
	}
	if c.Client != "" {
		g.ExternalID = r.ExternalID
	}
	if err := o.Origin.setExternalIDs(tx, g.RID, c.Client, g.ExternalID); err != nil {
		return nil, err
	}
	shown, err := r.Type.Shown(g.Doc)
	if err != nil {
		return nil, err
	}
	ev := events.Event{Type: "group.lifecycle.create", Time: now, Targets: groupTarget(g), After: shown}
	if err := d.tell(tx, c, ev, changed{Kind: kindGroup, ID: g.ID, RID: g.RID, Op: opCreate, Version: 1}); err != nil {
		return nil, err
	}
	moves, err := d.moveMembers(tx, c, g, m)
	if err != nil {
		return nil, err
	}
	return g, d.tellMembers(tx, c, g, moves)
}

// groupChange is what a change makes of a group.
type groupChange struct {
	// next makes the new resource from the stored one; nil keeps the document.
	next    func(was *schemas.Resource) (*schemas.Resource, error)
	members schemas.MemberChange
	// same are the members that the caller, who may not change them, believes there are:
	// none says nothing.
	same []string
}

// ReplaceGroup makes the group what r says, members included (RFC 7644, section 3.5.1).
func (d *Directory) ReplaceGroup(ctx context.Context, c Change, id string, v IfMatch, r *schemas.Resource) (g *Group, err error) {
	err = d.DB.Write(ctx, func(tx *sqldb.Tx) error {
		g, err = d.ReplaceGroupTx(tx, c, id, v, r)
		return err
	})
	if err != nil {
		return nil, err
	}
	return g, nil
}

// ReplaceGroupTx is ReplaceGroup inside a transaction.
func (d *Directory) ReplaceGroupTx(tx *sqldb.Tx, c Change, id string, v IfMatch, r *schemas.Resource) (*Group, error) {
	c.put = true
	n := groupChange{members: schemas.MemberChange{Replace: true, Set: memberValues(r)}}
	n.next = func(was *schemas.Resource) (*schemas.Resource, error) { return c.Bounds.replacement(was, r) }
	if !c.Bounds.write(r.Type).Has("members", r.Type) {
		n.same, n.members = n.members.Set, schemas.MemberChange{}
	}
	return d.changeGroupTx(tx, c, id, v, n)
}

// PatchGroup applies ops all or not at all. Operations on members touch member rows
// only, so their cost does not grow with the group.
func (d *Directory) PatchGroup(ctx context.Context, c Change, id string, v IfMatch, ops []schemas.PatchOp, dialect schemas.Dialect) (*Group, error) {
	do, err := d.PrepareGroupPatch(c, id, v, ops, dialect)
	return prepared(ctx, d, do, err)
}

// UpdateGroupTx makes the group's document what r says and leaves its members.
func (d *Directory) UpdateGroupTx(tx *sqldb.Tx, c Change, id string, r *schemas.Resource) (*Group, error) {
	return d.changeGroupTx(tx, c, id, nil, groupChange{next: func(*schemas.Resource) (*schemas.Resource, error) { return r, nil }})
}

// changeGroupTx locks the group and then the people, checks, changes and stores.
func (d *Directory) changeGroupTx(tx *sqldb.Tx, c Change, id string, v IfMatch, n groupChange) (*Group, error) {
	if err := lockNesting(tx, id, n.members); err != nil {
		return nil, err
	}
	old, err := d.lockGroupTx(tx, id, c.Client)
	if err != nil {
		return nil, err
	}
	if err := c.Bounds.checkGroup(id); err != nil {
		return nil, err
	}
	if !v.accepts(old.Version) {
		return nil, ErrVersion
	}
	if err := d.checkSameMembersTx(tx, old, n.same); err != nil {
		return nil, err
	}
	if err := d.checkMembersTx(tx, c.Bounds, n.members); err != nil {
		return nil, err
	}
	if err := d.guardGroup(c, old, n.next == nil); err != nil {
		return nil, err
	}
	if err := d.checkGroupOwnedTx(tx, c, old); err != nil {
		return nil, err
	}
	var was, next *schemas.Resource
	if n.next != nil {
		if was, err = d.storedGroup(old); err != nil {
			return nil, err
		}
		if next, err = n.next(was); err != nil {
			return nil, err
		}
		if next, err = d.renew(was, next); err != nil {
			return nil, err
		}
		if err := checkMutable(c, was, next, schemas.ChangedProfile(was, next)); err != nil {
			return nil, err
		}
	}
	moves, err := d.moveMembers(tx, c, old, n.members)
	if err != nil {
		return nil, err
	}
	return d.storeGroup(tx, c, old, was, next, moves)
}

func (d *Directory) storedGroup(g *Group) (*schemas.Resource, error) {
	r, err := d.groupType().Decode(g.Doc)
	if err != nil {
		return nil, fmt.Errorf("document of %s: %w", g.ID, err)
	}
	r.ExternalID = g.ExternalID
	return r, nil
}
