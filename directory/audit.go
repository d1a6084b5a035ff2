package directory

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/id"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// audit appends the event of a change and returns its ID. Documents never hold a
// password, so before and after need no redaction.
func (d *Directory) audit(tx *sqldb.Tx, c Change, ev events.Event) (string, error) {
	ids, err := d.auditAll(tx, c, []events.Event{ev})
	if err != nil {
		return "", err
	}
	return ids[0], nil
}

// auditAll is audit for several events, in their order. Those that have no time get one.
func (d *Directory) auditAll(tx *sqldb.Tx, c Change, evs []events.Event) ([]string, error) {
	now := d.now()
	ids := make([]string, len(evs))
	for i := range evs {
		if evs[i].Time.IsZero() {
			evs[i].Time = now
		}
		ids[i] = id.NewAt(id.Event, evs[i].Time)
		evs[i].ID = ids[i]
		evs[i].Actor, evs[i].Request = c.Actor, c.Request
	}
	return ids, events.Append(tx, evs...)
}

// keepExternalIDs notes in the event of a deletion what each client called the
// resource: those rows go with it, and who follows deletions may know no other name.
func keepExternalIDs(tx *sqldb.Tx, ev *events.Event, rid int64) error {
	rows, err := tx.Query(`SELECT client, value FROM external_ids WHERE rid = $1`, rid)
	if err != nil {
		return fmt.Errorf("external IDs: %w", err)
	}
	defer func() { _ = rows.Close() }() // Err tells what matters
	ids := map[string]string{}
	for rows.Next() {
		var client, value string
		if err := rows.Scan(&client, &value); err != nil {
			return fmt.Errorf("external IDs: %w", err)
		}
		ids[client] = value
	}
	if len(ids) > 0 {
		ev.Detail = map[string]any{"externalIds": ids}
	}
	return rows.Err()
}

func userTarget(u *User, name string) []events.Target {
	return []events.Target{{ID: u.ID, Type: typeUser, Name: name}}
}

// shownDifference is difference of what may be shown of two documents.
func shownDifference(t *schemas.Type, old, new []byte) (before, after json.RawMessage, err error) {
	if old, err = t.Shown(old); err != nil {
		return nil, nil, err
	}
	if new, err = t.Shown(new); err != nil {
		return nil, nil, err
	}
	return difference(old, new)
}

// difference returns the members of two JSON objects that are not the same in both.
// Objects inside are compared by member, so that one attribute of an extension does
// not bring the whole extension.
func difference(old, new []byte) (before, after json.RawMessage, err error) {
	a, b := map[string]json.RawMessage{}, map[string]json.RawMessage{}
	if err := json.Unmarshal(old, &a); err != nil {
		return nil, nil, fmt.Errorf("stored document: %w", err)
	}
	if err := json.Unmarshal(new, &b); err != nil {
		return nil, nil, fmt.Errorf("new document: %w", err)
	}
	for name, was := range a {
		is, ok := b[name]
		switch {
		case ok && bytes.Equal(was, is):
			delete(a, name)
			delete(b, name)
		case ok && was[0] == '{' && is[0] == '{':
			if a[name], b[name], err = difference(was, is); err != nil {
				return nil, nil, err
			}
		}
	}
	if before, err = json.Marshal(a); err != nil {
		return nil, nil, err
	}
	after, err = json.Marshal(b)
	return before, after, err
}
