package feed

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/sqldb"
)

// acknowledge takes what the receiver has, and what it could not use, from the
// outstanding SETs. A jti that names none of them was acknowledged before, or never
// returned: that is no error (a receiver may repeat itself).
func (s *Service) acknowledge(ctx context.Context, streamID string, r PollRequest) error {
	named := map[string]refusal{} // by event
	for _, id := range r.Ack {
		if event, ok := eventOf(id, streamID); ok {
			named[event] = refusal{}
		}
	}
	for id, why := range r.SetErrs {
		if event, ok := eventOf(id, streamID); ok {
			if why.Err == "" {
				why.Err = "invalid_request"
			}
			named[event] = why
		}
	}
	if len(named) == 0 {
		return nil
	}
	return s.db().Write(ctx, func(tx *sqldb.Tx) error {
		for part := range slices.Chunk(slices.Sorted(maps.Keys(named)), acksAtOnce) {
			if err := s.acknowledgeTx(tx, streamID, part, named); err != nil {
				return err
			}
		}
		_, err := tx.Exec(`UPDATE event_streams SET delivered = $2 WHERE id = $1`, streamID, micros(s.Now()))
		if err != nil {
			return fmt.Errorf("acknowledge SETs: %w", err)
		}
		return nil
	})
}

// acksAtOnce bounds the parameters of one statement.
const acksAtOnce = 200

func (s *Service) acknowledgeTx(tx *sqldb.Tx, streamID string, part []string, named map[string]refusal) error {
	var in strings.Builder
	args := []any{streamID}
	for _, event := range part {
		args = append(args, event)
		in.WriteString(", $" + strconv.Itoa(len(args)))
	}
	rows, err := tx.Query(`DELETE FROM event_stream_outstanding WHERE stream_id = $1 AND seq IN
		(SELECT e.seq FROM events e WHERE e.id IN (`+in.String()[2:]+`)) RETURNING seq, (SELECT x.id FROM events x WHERE x.seq = event_stream_outstanding.seq)`, args...)
	if err != nil {
		return fmt.Errorf("acknowledge SETs: %w", err)
	}
	gone, err := scanGone(rows)
	if err != nil {
		return fmt.Errorf("acknowledge SETs: %w", err)
	}
	for seq, event := range gone {
		if why := named[event]; why.Err != "" {
			if err := buryTx(tx, streamID, seq, event, why, s.Now()); err != nil {
				return err
			}
		}
	}
	return nil
}

func scanGone(rows *sql.Rows) (map[int64]string, error) {
	defer func() { _ = rows.Close() }() // Err tells what matters
	gone := map[int64]string{}
	for rows.Next() {
		var seq int64
		var event string
		if err := rows.Scan(&seq, &event); err != nil {
			return nil, err
		}
		gone[seq] = event
	}
	return gone, rows.Err()
}

func forget(tx *sqldb.Tx, streamID string, seq int64) error {
	_, err := tx.Exec(`DELETE FROM event_stream_outstanding WHERE stream_id = $1 AND seq = $2`, streamID, seq)
	if err != nil {
		return fmt.Errorf("forget SET: %w", err)
	}
	return nil
}

// scanChanges reads numbers and resources, as events.Log.Changes does.
func scanChanges(rows *sql.Rows) ([]events.Changed, error) {
	defer func() { _ = rows.Close() }() // Err tells what matters
	var all []events.Changed
	for rows.Next() {
		var c events.Changed
		var resource string
		if err := rows.Scan(&c.Seq, &resource); err != nil {
			return nil, err
		}
		c.Type, c.ID, _ = strings.Cut(resource, "/")
		all = append(all, c)
	}
	return all, rows.Err()
}
