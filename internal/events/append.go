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

// Append writes ev in the transaction of the change it tells of. ID, Time and
// Outcome are filled in when empty.
//
// SQLite has one writer and commits in the order of writing, so seq and hash are set
// here; on PostgreSQL the Sequencer sets them after commit.
func Append(tx *sqldb.Tx, ev Event) error {
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
	body, err := json.Marshal(ev)
	if err != nil {
		return fmt.Errorf("encode event %s: %w", ev.Type, err)
	}
	if err := insert(tx, ev, body); err != nil {
		return fmt.Errorf("append event %s: %w", ev.Type, err)
	}
	return nil
}

func insert(tx *sqldb.Tx, ev Event, body []byte) error {
	var seq *int64
	var hash []byte
	wake := unstamped
	if tx.Dialect() == sqldb.SQLite {
		last, err := chainHead(tx)
		if err != nil {
			return err
		}
		next := last.next(body)
		seq, hash, wake = &next.seq, next.hash, Channel
	}
	subject := ""
	if len(ev.Targets) > 0 {
		subject = ev.Targets[0].ID
	}
	_, err := tx.Exec(`INSERT INTO events (seq, id, time, type, subject, body, hash) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		seq, ev.ID, ev.Time.UnixMicro(), ev.Type, subject, string(body), hash)
	if err != nil {
		return err
	}
	tx.Wake(wake)
	return nil
}
