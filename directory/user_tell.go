package directory

import (
	"encoding/json"
	"fmt"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// tellUser appends the events of a change, leaves the markers, and signs the user out
// when the change demands it.
func (d *Directory) tellUser(tx *sqldb.Tx, c Change, n userChange, u *User, profile bool, attrs []string) error {
	say := func(ev events.Event, op string, attrs []string) error {
		ev.Time, ev.Targets = u.Modified, userTarget(u, schemas.NameIn(u.Doc))
		ch := changed{Kind: kindUser, ID: u.ID, RID: u.RID, Op: op, Attrs: attrs, Version: u.Version}
		if c.put && ev.After != nil && op == opUpdate {
			active := u.Status.Active()
			ch.Active = &active
			var err error
			if ch.Doc, err = d.userType().Shown(u.Doc); err != nil {
				return err
			}
		}
		return d.tell(tx, c, ev, ch)
	}
	if profile {
		before, after, err := shownDifference(d.userType(), n.old.Doc, u.Doc)
		if err != nil {
			return err
		}
		ev := events.Event{Type: "user.account.update_profile", Before: before, After: after}
		if u.ExternalID != n.old.ExternalID {
			ev.Detail = externalIDDetail(c.Client, n.old.ExternalID, u.ExternalID)
		}
		if err := say(ev, opUpdate, attrs); err != nil {
			return err
		}
	}
	if n.password.hash != "" {
		if err := say(events.Event{Type: "user.account.update_password"}, opUpdate, []string{"password"}); err != nil {
			return err
		}
	}
	if n.lifecycle != "" {
		ev := events.Event{Type: n.lifecycle, Before: statusJSON(n.old.Status), After: statusJSON(u.Status)}
		if err := say(ev, opStatus, nil); err != nil {
			return err
		}
	}
	stopped := n.old.Status.Active() && !u.Status.Active() || u.Status == Recovery && n.old.Status != Recovery
	if stopped || n.password.hash != "" {
		return d.signOut(tx, u.ID)
	}
	return nil
}

// externalIDDetail is what an event says of an external ID that has changed.
func externalIDDetail(client, from, to string) map[string]any {
	return map[string]any{"externalId": map[string]any{"client": client, "from": from, "to": to}}
}

func (d *Directory) tell(tx *sqldb.Tx, c Change, ev events.Event, ch changed) error {
	ev.Resource = ch.resource(typeOf[ch.Kind])
	if ch.Op == opDelete {
		if err := keepExternalIDs(tx, &ev, ch.RID); err != nil {
			return err
		}
	}
	eventID, err := d.audit(tx, c, ev)
	if err != nil {
		return err
	}
	ch.Event = eventID
	return d.changedTx(tx, c, ch)
}

func statusJSON(s Status) json.RawMessage { return json.RawMessage(`{"status":"` + string(s) + `"}`) }

func (d *Directory) signOut(tx *sqldb.Tx, userID string) error {
	for _, fn := range d.OnSignOut {
		if err := fn(tx, userID); err != nil {
			return fmt.Errorf("sign out %s: %w", userID, err)
		}
	}
	return nil
}
