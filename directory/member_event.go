package directory

import (
	"iter"
	"slices"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/sqldb"
)

// eventsEach bounds how many members get an event of their own; beyond it one event
// tells of up to so many, since a whole new list is one thing that happened.
const eventsEach = 100

// tellMembers stamps whom a membership change concerns, appends its events and leaves
// its markers.
func (d *Directory) tellMembers(tx *sqldb.Tx, c Change, g *Group, m moved) error {
	if m.none() {
		return nil
	}
	for _, people := range [][]person{m.added, m.removed} {
		if err := d.stampGroupsChanged(tx, people); err != nil {
			return err
		}
	}
	if err := d.stampShown(tx, slices.Concat(m.groupsIn, m.groupsOut)); err != nil {
		return err
	}
	ch := changed{Kind: kindGroup, ID: g.ID, RID: g.RID, Op: opMembers, Added: idsOf(m.added), Removed: idsOf(m.removed), Version: g.Version}
	for e := range memberEvents(g, m, ch) {
		e.Resource = ch.resource(typeGroup)
		eventID, err := d.audit(tx, c, e)
		if err != nil {
			return err
		}
		ch.Event = eventID
	}
	return d.changedTx(tx, c, ch)
}

// memberEvents tell who has gone and who has come, people first.
func memberEvents(g *Group, m moved, ch changed) iter.Seq[events.Event] {
	size := 1
	if len(m.added)+len(m.removed)+len(m.groupsIn)+len(m.groupsOut) > eventsEach {
		size = eventsEach
	}
	return func(yield func(events.Event) bool) {
		for _, what := range []struct {
			typ, kind string
			ids       []string
		}{
			{"group.user_membership.remove", typeUser, ch.Removed},
			{"group.user_membership.add", typeUser, ch.Added},
			{"group.group_membership.remove", memberGroup, groupIDsOf(m.groupsOut)},
			{"group.group_membership.add", memberGroup, groupIDsOf(m.groupsIn)},
		} {
			for part := range slices.Chunk(what.ids, size) {
				if !yield(memberEvent(g, what.typ, what.kind, part, size > 1)) {
					return
				}
			}
		}
	}
}

// memberEvent names the group first where it tells of many: its log finds it then.
func memberEvent(g *Group, typ, kind string, ids []string, many bool) events.Event {
	ev := events.Event{Type: typ, Targets: make([]events.Target, 0, len(ids)+1)}
	for _, id := range ids {
		ev.Targets = append(ev.Targets, events.Target{ID: id, Type: kind})
	}
	ev.Targets = append(ev.Targets, groupTarget(g)...)
	if many {
		slices.Reverse(ev.Targets)
	}
	return ev
}

// memberGroup is the type of a target that is a group inside of the event's group.
const memberGroup = "MemberGroup"
