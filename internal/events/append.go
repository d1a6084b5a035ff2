package events

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/provost-id/provost/internal/id"
	"github.com/provost-id/provost/internal/sqldb"
)

// Channels for sqldb's Listen. Channel wakes when events have become visible to
// Log.After; unstamped wakes the sequencer.
const (
	Channel   = "events"
	unstamped = "events.unstamped"
)

// Append writes events in the transaction of the change they tell of, in their order.
// ID, Time and Outcome are filled in when empty.
//
// SQLite has one writer and commits in the order of writing, so seq and hash are set
// here; on PostgreSQL the Sequencer sets them after commit.
func Append(tx *sqldb.Tx, evs ...Event) error {
	if len(evs) == 0 {
		return nil
	}
	bodies := make([][]byte, len(evs))
	for i := range evs {
		evs[i].complete()
		var err error
		if bodies[i], err = json.Marshal(&evs[i]); err != nil {
			return fmt.Errorf("encode event %s: %w", evs[i].Type, err)
		}
	}
	if err := insert(tx, evs, bodies); err != nil {
		return fmt.Errorf("append event %s: %w", evs[0].Type, err)
	}
	return nil
}

func (ev *Event) complete() {
	if ev.Time.IsZero() {
		ev.Time = time.Now()
	}
	ev.Time = ev.Time.UTC().Truncate(time.Microsecond) // as the column holds it
	if ev.ID == "" {
		ev.ID = id.NewAt(id.Event, ev.Time)
	}
	if ev.Outcome == "" {
		ev.Outcome = Success
	}
}

func insert(tx *sqldb.Tx, evs []Event, bodies [][]byte) error {
	stamped := tx.Dialect() == sqldb.SQLite
	wake := unstamped
	var last link
	if stamped {
		var err error
		if last, err = chainHead(tx); err != nil {
			return err
		}
		wake = Channel
	}
	values := make([]any, 0, 8*len(evs))
	for i, ev := range evs {
		var seq, hash any
		if stamped {
			last = last.next(bodies[i])
			seq, hash = last.seq, last.hash
		}
		subject := ""
		if len(ev.Targets) > 0 {
			subject = ev.Targets[0].ID
		}
		values = append(values, seq, ev.ID, ev.Time.UnixMicro(), ev.Type, subject, ev.Resource.key(), string(bodies[i]), hash)
	}
	if _, err := tx.InsertMany(`INSERT INTO events (seq, id, time, type, subject, resource, body, hash)`, 8, "", values); err != nil {
		return err
	}
	tx.Wake(wake)
	return nil
}
