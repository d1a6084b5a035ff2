package directory

import (
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
	if err := d.stampGroupsChanged(tx, slices.Concat(m.added, m.removed)); err != nil {
		return err
	}
	if err := d.stampShown(tx, slices.Concat(m.groupsIn, m.groupsOut)); err != nil {
		return err
	}
	var last string
	for _, e := range memberEvents(g, m) {
		e.Resource = changed{ID: g.ID, Op: opMembers, Version: g.Version}.resource(typeGroup)
		eventID, err := d.audit(tx, c, e)
		if err != nil {
			return err
		}
		last = eventID
	}
	return d.changedTx(tx, c, changed{
		Kind: kindGroup, ID: g.ID, RID: g.RID, Op: opMembers,
		Added: idsOf(m.added), Removed: idsOf(m.removed), Version: g.Version, Event: last,
	})
}

// memberEvents tell who has gone and who has come, people first.
func memberEvents(g *Group, m moved) []events.Event {
	size := 1
	if len(m.added)+len(m.removed)+len(m.groupsIn)+len(m.groupsOut) > eventsEach {
		size = eventsEach
	}
	var all []events.Event
	say := func(typ, kind string, ids []string) {
		for part := range slices.Chunk(ids, size) {
			ev := events.Event{Type: typ}
			for _, id := range part {
				ev.Targets = append(ev.Targets, events.Target{ID: id, Type: kind})
			}
			ev.Targets = append(ev.Targets, groupTarget(g)...)
			if size > 1 { // the log of the group finds it
				slices.Reverse(ev.Targets)
			}
			all = append(all, ev)
		}
	}
	say("group.user_membership.remove", typeUser, idsOf(m.removed))
	say("group.user_membership.add", typeUser, idsOf(m.added))
	say("group.group_membership.remove", memberGroup, groupIDsOf(m.groupsOut))
	say("group.group_membership.add", memberGroup, groupIDsOf(m.groupsIn))
	return all
}

// memberGroup is the type of a target that is a group inside of the event's group.
const memberGroup = "MemberGroup"
