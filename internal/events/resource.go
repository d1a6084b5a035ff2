package events

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Resource is the resource of SCIM that an event changed, what was done to it, and the
// version that it came to have. Each event changes at most one.
type Resource struct {
	Type    string `json:"type"` // the name of the resource type: "User", "Group", ...
	ID      string `json:"id"`
	Op      string `json:"op"` // Create, Patch, Put or Delete
	Version int64  `json:"version,omitempty"`
	// Active is the view that SCIM has of a user's status, after a Create or Put.
	Active *bool `json:"active,omitempty"`
	// Doc is the document after a Put, which Before and After of the event do not tell.
	Doc json.RawMessage `json:"doc,omitempty"`
}

// What was done to a resource. Patch is every change of a part, whoever made it by
// whichever interface; Put is a SCIM client's replacement of the whole.
const (
	Create = "create"
	Patch  = "patch"
	Put    = "put"
	Delete = "delete"
)

// key is the value of the column resource.
func (r *Resource) key() any {
	if r == nil {
		return nil
	}
	return r.Type + "/" + r.ID
}

// Changed says that the event with number Seq changed a resource.
type Changed struct {
	Seq      int64
	Type, ID string // of the resource
}

const selectChanges = `SELECT seq, resource FROM events WHERE seq > $1 AND seq <= $2 AND resource IS NOT NULL ORDER BY seq LIMIT $3`

// Changes returns at most limit changes of resources with numbers above after and not
// above until, in order. It reads one range of one index and no bodies.
func (l Log) Changes(ctx context.Context, after, until int64, limit int) ([]Changed, error) {
	rows, err := l.DB.Query(ctx, selectChanges, after, until, limit)
	if err != nil {
		return nil, fmt.Errorf("query changes: %w", err)
	}
	defer func() { _ = rows.Close() }() // its error is that of Err
	var all []Changed
	for rows.Next() {
		var c Changed
		var resource string
		if err := rows.Scan(&c.Seq, &resource); err != nil {
			return nil, fmt.Errorf("read change: %w", err)
		}
		c.Type, c.ID, _ = strings.Cut(resource, "/")
		all = append(all, c)
	}
	return all, rows.Err()
}

// LastChange is the number of the last event that changed a resource, zero for none.
func (l Log) LastChange(ctx context.Context) (seq int64, err error) {
	err = l.DB.QueryRow(ctx, `SELECT seq FROM events WHERE resource IS NOT NULL AND seq IS NOT NULL ORDER BY seq DESC LIMIT 1`).Scan(&seq)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("read last change: %w", err)
	}
	return seq, nil
}

// numbersAtOnce bounds one statement of Numbered: bodies may be large.
const numbersAtOnce = 64

var selectNumbered = func() string {
	var in strings.Builder
	for i := range numbersAtOnce {
		fmt.Fprintf(&in, ", $%d", i+1)
	}
	return `SELECT seq, body FROM events WHERE seq IN (` + in.String()[2:] + `) ORDER BY seq`
}()

// Numbered returns the events with these numbers, which stand in order.
func (l Log) Numbered(ctx context.Context, seqs []int64) ([]Event, error) {
	evs := make([]Event, 0, len(seqs))
	for part := range slices.Chunk(seqs, numbersAtOnce) {
		args := make([]any, numbersAtOnce)
		for i := range args { // one statement for any number of events
			args[i] = part[min(i, len(part)-1)]
		}
		rows, err := l.DB.Query(ctx, selectNumbered, args...)
		if err != nil {
			return nil, fmt.Errorf("query events: %w", err)
		}
		if evs, err = scanAll(rows, evs); err != nil {
			return nil, err
		}
	}
	return evs, nil
}
