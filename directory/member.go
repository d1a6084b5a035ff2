package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// Member is one member of a group.
type Member struct {
	ID   string
	Name string // display name, or the login of somebody without one
}

// AddMember makes a user a member of a group; that it is one already is no error.
func (d *Directory) AddMember(ctx context.Context, c Change, groupID, userID string) error {
	return d.DB.Write(ctx, func(tx *sqldb.Tx) error { return d.AddMemberTx(tx, c, groupID, userID) })
}

// AddMemberTx is AddMember inside a transaction.
func (d *Directory) AddMemberTx(tx *sqldb.Tx, c Change, groupID, userID string) error {
	return d.changeMembersTx(tx, c, groupID, schemas.MemberChange{Add: []string{userID}})
}

// RemoveMember takes a user out of a group; that it is not in it is no error.
func (d *Directory) RemoveMember(ctx context.Context, c Change, groupID, userID string) error {
	return d.DB.Write(ctx, func(tx *sqldb.Tx) error { return d.RemoveMemberTx(tx, c, groupID, userID) })
}

// RemoveMemberTx is RemoveMember inside a transaction.
func (d *Directory) RemoveMemberTx(tx *sqldb.Tx, c Change, groupID, userID string) error {
	return d.changeMembersTx(tx, c, groupID, schemas.MemberChange{Remove: []string{userID}})
}

// SetMembersTx makes the users, and nobody else, the members of a group.
func (d *Directory) SetMembersTx(tx *sqldb.Tx, c Change, groupID string, userIDs []string) error {
	return d.changeMembersTx(tx, c, groupID, schemas.MemberChange{Replace: true, Set: userIDs})
}

func (d *Directory) changeMembersTx(tx *sqldb.Tx, c Change, groupID string, m schemas.MemberChange) error {
	_, err := d.changeGroupTx(tx, c, groupID, nil, groupChange{members: m})
	return err
}

// applyMembers writes a change of membership and returns who came and who went.
// people are those of m.Add and m.Set; they are locked, and so is who goes.
func applyMembers(tx *sqldb.Tx, group int64, m schemas.MemberChange, people []person) (added, removed []string, err error) {
	gone := m.Remove
	if m.Replace {
		if gone, err = notAmong(tx, group, people); err != nil {
			return nil, nil, err
		}
	}
	if removed, err = deleteMembers(tx, group, gone); err != nil {
		return nil, nil, err
	}
	if added, err = insertMembers(tx, group, people); err != nil {
		return nil, nil, err
	}
	return added, removed, nil
}

// stampGroupsChanged tells the users that their groups are others now. Their versions
// stay: the groups of a user are read-only (RFC 7643, section 4.1.2), and an If-Match
// must not fail for what the client could not have changed.
func (d *Directory) stampGroupsChanged(tx *sqldb.Tx, userIDs []string) error {
	now := d.now().UnixMicro()
	for part := range slices.Chunk(userIDs, lookUpMax) {
		args := []any{now}
		for _, id := range part {
			args = append(args, id)
		}
		if _, err := tx.Exec(`UPDATE resources SET members_changed = $1 WHERE id IN (`+list(2, len(part))+`)`, args...); err != nil {
			return fmt.Errorf("stamp members: %w", err)
		}
	}
	return nil
}

// notAmong returns the present members that are not among people.
func notAmong(tx *sqldb.Tx, group int64, people []person) ([]string, error) {
	present, err := memberIDs(tx, group)
	if err != nil {
		return nil, err
	}
	stay := make(map[string]bool, len(people))
	for _, p := range people {
		stay[p.id] = true
	}
	return slices.DeleteFunc(present, func(id string) bool { return stay[id] }), nil
}

// eventsEach bounds how many members get an event of their own; beyond it one event
// tells of up to so many, since a whole new list is one thing that happened.
const eventsEach = 100

// tellMembers appends the events of a membership change and leaves its markers.
func (d *Directory) tellMembers(tx *sqldb.Tx, c Change, g *Group, added, removed []string) error {
	if len(added)+len(removed) == 0 {
		return nil
	}
	if err := d.stampGroupsChanged(tx, slices.Concat(added, removed)); err != nil {
		return err
	}
	var last string
	for _, e := range memberEvents(g, added, removed) {
		eventID, err := d.audit(tx, c, e)
		if err != nil {
			return err
		}
		last = eventID
	}
	return d.changedTx(tx, c, changed{
		Kind: kindGroup, ID: g.ID, RID: g.RID, Op: opMembers,
		Added: added, Removed: removed, Version: g.Version, Event: last,
	})
}

func memberEvents(g *Group, added, removed []string) []events.Event {
	size := 1
	if len(added)+len(removed) > eventsEach {
		size = eventsEach
	}
	var all []events.Event
	for typ, ids := range map[string][]string{"group.user_membership.add": added, "group.user_membership.remove": removed} {
		for part := range slices.Chunk(ids, size) {
			ev := events.Event{Type: typ}
			for _, id := range part {
				ev.Targets = append(ev.Targets, events.Target{ID: id, Type: typeUser})
			}
			ev.Targets = append(ev.Targets, events.Target{ID: g.ID, Type: "UserGroup", Name: g.Name()})
			if size > 1 { // the log of the group finds it
				slices.Reverse(ev.Targets)
			}
			all = append(all, ev)
		}
	}
	return all
}

// lockGroupsOf locks the groups that a user is in, before the user (see peopleTx).
func (d *Directory) lockGroupsOf(tx *sqldb.Tx, userID string) error {
	if tx.ForUpdate() == "" {
		return nil
	}
	_, err := ints(tx.Query(`SELECT rid FROM resources WHERE rid IN (SELECT m.group_rid FROM members m JOIN resources u ON u.rid = m.member_rid
		WHERE u.id = $1 AND m.group_rid <> $2) ORDER BY rid`+tx.ForUpdate(), userID, d.everyone.rid))
	if err != nil {
		return fmt.Errorf("lock groups of user: %w", err)
	}
	return nil
}

// leaveGroups takes a user that is deleted out of every group.
func (d *Directory) leaveGroups(tx *sqldb.Tx, c Change, u *User) error {
	groups, err := column[string](tx.Query(`SELECT r.id FROM members m JOIN resources r ON r.rid = m.group_rid
		WHERE m.member_rid = $1 AND m.group_rid <> $2 ORDER BY m.group_rid`, u.RID, d.everyone.rid))
	if err != nil {
		return fmt.Errorf("groups of user: %w", err)
	}
	for _, id := range groups {
		if err := d.RemoveMemberTx(tx, c, id, u.ID); err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	if _, err := tx.Exec(`DELETE FROM members WHERE group_rid = $1 AND member_rid = $2`, d.everyone.rid, u.RID); err != nil {
		return fmt.Errorf("leave %s: %w", Everyone, err)
	}
	return nil
}
