package directory

import (
	"context"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// Member is one member of a group.
type Member struct {
	ID   string
	Name string // display name, or the login of somebody without one
}

// AddMember makes a user, or another group, a member of a group; that it is one already
// is no error.
func (d *Directory) AddMember(ctx context.Context, c Change, groupID, memberID string) error {
	return d.DB.Write(ctx, func(tx *sqldb.Tx) error { return d.AddMemberTx(tx, c, groupID, memberID) })
}

// AddMemberTx is AddMember inside a transaction.
func (d *Directory) AddMemberTx(tx *sqldb.Tx, c Change, groupID, memberID string) error {
	return d.changeMembersTx(tx, c, groupID, schemas.MemberChange{Add: []string{memberID}})
}

// AddMembersTx makes users and groups members of a group, and returns the group.
func (d *Directory) AddMembersTx(tx *sqldb.Tx, c Change, groupID string, memberIDs []string) (*Group, error) {
	return d.changeGroupTx(tx, c, groupID, nil, groupChange{members: schemas.MemberChange{Add: memberIDs}})
}

// RemoveMember takes a user or a group out of a group; that it is not in it is no error.
func (d *Directory) RemoveMember(ctx context.Context, c Change, groupID, memberID string) error {
	return d.DB.Write(ctx, func(tx *sqldb.Tx) error { return d.RemoveMemberTx(tx, c, groupID, memberID) })
}

// RemoveMemberTx is RemoveMember inside a transaction.
func (d *Directory) RemoveMemberTx(tx *sqldb.Tx, c Change, groupID, memberID string) error {
	return d.changeMembersTx(tx, c, groupID, schemas.MemberChange{Remove: []string{memberID}})
}

// SetMembersTx makes these, and nobody else, the members of a group.
func (d *Directory) SetMembersTx(tx *sqldb.Tx, c Change, groupID string, memberIDs []string) error {
	return d.changeMembersTx(tx, c, groupID, schemas.MemberChange{Replace: true, Set: memberIDs})
}

func (d *Directory) changeMembersTx(tx *sqldb.Tx, c Change, groupID string, m schemas.MemberChange) error {
	_, err := d.changeGroupTx(tx, c, groupID, nil, groupChange{members: m})
	return err
}

// moved is who has come into a group and who has gone.
type moved struct {
	added, removed      []person
	groupsIn, groupsOut []target
}

func (m *moved) none() bool {
	return len(m.added)+len(m.removed)+len(m.groupsIn)+len(m.groupsOut) == 0
}

// then is what two moves come to: who came and went again was never there.
func (m moved) then(next moved) moved {
	return moved{
		added:     append(minus(m.added, next.removed), minus(next.added, m.removed)...),
		removed:   append(minus(m.removed, next.added), minus(next.removed, m.added)...),
		groupsIn:  append(minus(m.groupsIn, next.groupsOut), minus(next.groupsIn, m.groupsOut)...),
		groupsOut: append(minus(m.groupsOut, next.groupsIn), minus(next.groupsOut, m.groupsIn)...),
	}
}

// minus lists what is in a and not in b.
func minus[T comparable](a, b []T) []T {
	in := make(map[T]bool, len(b))
	for _, v := range b {
		in[v] = true
	}
	var rest []T
	for _, v := range a {
		if !in[v] {
			rest = append(rest, v)
		}
	}
	return rest
}

// moveMembers carries out a change of the members of a group, which is locked.
func (d *Directory) moveMembers(tx *sqldb.Tx, c Change, g *Group, m schemas.MemberChange) (moved, error) {
	var all moved
	for step := &m; step != nil; step = step.Then {
		if step.Empty() {
			break
		}
		next, err := d.moveStep(tx, c, g, *step)
		if err != nil {
			return moved{}, err
		}
		if step == &m {
			all = next
		} else {
			all = all.then(next)
		}
	}
	return all, nil
}

func (d *Directory) moveStep(tx *sqldb.Tx, c Change, g *Group, m schemas.MemberChange) (n moved, err error) {
	people, groups := byKind(m)
	if n.groupsIn, n.groupsOut, err = d.moveGroups(tx, c, g, groups); err != nil {
		return n, err
	}
	come, gone, err := d.whoMoves(tx, c, g, people)
	if err != nil {
		return n, err
	}
	found, err := peopleTx(tx, come, idsOf(gone))
	if err != nil {
		return n, err
	}
	if err := deleteMembers(tx, g.RID, gone); err != nil {
		return n, err
	}
	if n.added, err = insertMembers(tx, g.RID, found); err != nil {
		return n, err
	}
	n.removed = gone
	return n, d.noteHandTx(tx, c, g, people, found, n)
}

// byKind splits a step of a change into what it says of people and of groups.
func byKind(m schemas.MemberChange) (people, groups schemas.MemberChange) {
	people = schemas.MemberChange{Replace: m.Replace, Where: m.Where}
	groups = people
	people.Set, groups.Set = splitIDs(m.Set)
	people.Add, groups.Add = splitIDs(m.Add)
	people.Remove, groups.Remove = splitIDs(m.Remove)
	return people, groups
}

// whoMoves finds who has to come, by ID, and who has to go. Of a whole new list those
// who are in it already do neither: nothing of them is touched.
func (d *Directory) whoMoves(tx *sqldb.Tx, c Change, g *Group, m schemas.MemberChange) (come []string, gone []person, err error) {
	if m.Replace {
		return compareMembers(tx, g.RID, m.Set)
	}
	if gone, err = membersAmong(tx, g.RID, m.Remove); err != nil {
		return nil, nil, err
	}
	for _, f := range m.Where {
		more, err := d.membersWhere(tx, c, g, f)
		if err != nil {
			return nil, nil, err
		}
		gone = append(gone, minus(more, gone)...)
	}
	return m.Add, gone, nil
}

// stampGroupsChanged tells users that their groups are others now. Their versions
// stay: the groups of a user are read-only (RFC 7643, section 4.1.2), and an If-Match
// must not fail for what the client could not have changed.
func (d *Directory) stampGroupsChanged(tx *sqldb.Tx, people []person) error {
	return d.stamp(tx, "members_changed", ridsOf(people))
}

func ridsOf(people []person) []int64 {
	rids := make([]int64, len(people))
	for i, p := range people {
		rids[i] = p.rid
	}
	return rids
}
