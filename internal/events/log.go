package events

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/provost-id/provost/internal/sqldb"
)

// maxLimit bounds one page of the log.
const maxLimit = 1000

// Log reads the system log. It shows stamped events only, so that whoever follows
// the sequence misses none.
type Log struct{ DB *sqldb.DB }

// After returns at most limit events whose number is above seq, in order. A consumer
// calls it again with the number of the last one.
func (l Log) After(ctx context.Context, seq int64, limit int) ([]Event, error) {
	return l.Query(ctx, Query{After: seq, Limit: limit})
}

// Query says which events to read. The zero value means the first page of all.
type Query struct {
	Since, Until time.Time // Since is part of the range, Until is not
	Type         string    // exactly this event type
	Subject      string    // identifier of the first target
	After        int64     // number of the last event of the page before
	Limit        int       // at most and by default 1000
	Descending   bool      // the newest first; After then means below
}

// Query returns one page of events in the order of their numbers.
func (l Log) Query(ctx context.Context, q Query) ([]Event, error) {
	text, args := q.sql()
	rows, err := l.DB.Query(ctx, text, args...)
	if err != nil {
		return nil, fmt.Errorf("query events: %w", err)
	}
	return scanAll(rows, nil)
}

// scanAll appends what the rows hold to evs, and closes them.
func scanAll(rows *sql.Rows, evs []Event) ([]Event, error) {
	defer func() { _ = rows.Close() }() // its error is that of Err
	for rows.Next() {
		ev, err := scan(rows)
		if err != nil {
			return nil, err
		}
		evs = append(evs, ev)
	}
	return evs, rows.Err()
}

func scan(rows *sql.Rows) (Event, error) {
	var seq int64
	var body []byte
	if err := rows.Scan(&seq, &body); err != nil {
		return Event{}, fmt.Errorf("read event: %w", err)
	}
	var ev Event
	if err := json.Unmarshal(body, &ev); err != nil {
		return Event{}, fmt.Errorf("decode event %d: %w", seq, err)
	}
	ev.Seq = seq
	return ev, nil
}

// disorder is how far the times of events may stand out of the order of their
// numbers: more than the longest transaction.
const disorder = 5 * time.Minute

func (q Query) sql() (string, []any) {
	var where []string
	var args []any
	add := func(format string, arg any) {
		args = append(args, arg)
		where = append(where, fmt.Sprintf(format, len(args)))
	}
	switch {
	case !q.Descending:
		add("seq > $%d", q.After)
	case q.After > 0:
		add("seq < $%d", q.After)
	default:
		add("seq < $%d", int64(math.MaxInt64))
	}
	if !q.Since.IsZero() {
		add("time >= $%d", q.Since.UnixMicro())
		// Start where that time begins, instead of reading the log from its start.
		add("seq >= (SELECT e.seq FROM events e WHERE e.time >= $%d AND e.seq IS NOT NULL ORDER BY e.time LIMIT 1)",
			q.Since.Add(-disorder).UnixMicro())
	}
	if !q.Until.IsZero() {
		add("time < $%d", q.Until.UnixMicro())
	}
	if q.Type != "" {
		add("type = $%d", q.Type)
	}
	if q.Subject != "" {
		add("subject = $%d", q.Subject)
	}
	order := "seq"
	if q.Descending {
		order = "seq DESC"
	}
	args = append(args, q.limit())
	return fmt.Sprintf("SELECT seq, body FROM events WHERE %s ORDER BY %s LIMIT $%d",
		strings.Join(where, " AND "), order, len(args)), args
}

func (q Query) limit() int {
	if q.Limit <= 0 || q.Limit > maxLimit {
		return maxLimit
	}
	return q.Limit
}

// Cursor is the number up to which a consumer has come, zero at its start.
func (l Log) Cursor(ctx context.Context, consumer string) (int64, error) {
	var seq int64
	err := l.DB.QueryRow(ctx, `SELECT seq FROM event_cursors WHERE consumer = $1`, consumer).Scan(&seq)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("read cursor of %s: %w", consumer, err)
	}
	return seq, nil
}

// Advance moves the cursor of a consumer to seq, in the transaction of what it did
// with the events up to there. It never moves back.
func Advance(tx *sqldb.Tx, consumer string, seq int64) error {
	_, err := tx.Exec(`INSERT INTO event_cursors (consumer, seq) VALUES ($1, $2)
		ON CONFLICT (consumer) DO UPDATE SET seq = excluded.seq WHERE event_cursors.seq < excluded.seq`, consumer, seq)
	if err != nil {
		return fmt.Errorf("advance cursor of %s: %w", consumer, err)
	}
	return nil
}
