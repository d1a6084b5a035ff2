package directory

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/provost-id/provost/internal/events"
)

// ChangesQuery asks what has changed since a position.
type ChangesQuery struct {
	Types  []string // of resources
	Since  string   // a position from Changes; empty means from now
	Count  int      // how many resources at most
	Client string   // whose external IDs the rows hold
}

// Changes is one page of what has changed.
type Changes struct {
	// All are the resources that have changed, in the order of the last change of each
	// within the page. One that is not among Rows exists no longer.
	All  []events.Changed
	Rows map[string]*Page // by type, as they are now
	Next string           // the position to ask with next
	More bool             // there is more to read from Next at once
}

// PositionError says why a position is refused.
type PositionError struct {
	// Expired says that the position was a good one, from which it cannot be gone on.
	Expired bool
}

// Error names the reason.
func (e *PositionError) Error() string {
	if e.Expired {
		return "the changes since this position are no longer kept: read everything again, and go on from a new position"
	}
	return "the position is not one of this server"
}

// maxScan bounds the index entries that one page looks at: a page may hold fewer
// resources than there are, and even none, and says that there is more.
const maxScan = 2000

// Changes returns the resources that have changed since a position, as they are now. No
// change is lost: a resource is read after the events that speak of it, so that a
// later change of it has an event that is still to come.
func (d *Directory) Changes(ctx context.Context, q ChangesQuery) (*Changes, error) {
	log := events.Log{DB: d.DB}
	head, err := log.Head(ctx)
	if err != nil {
		return nil, err
	}
	if q.Since == "" {
		return &Changes{Next: d.sealPosition(head)}, nil
	}
	since, err := d.openPosition(ctx, q.Since)
	if err != nil {
		return nil, err
	}
	found, err := log.Changes(ctx, since.Seq, head.Seq, maxScan)
	if err != nil {
		return nil, err
	}
	c := &Changes{Rows: map[string]*Page{}, More: len(found) == maxScan}
	next := head
	if last := c.take(q, since.Seq, found); c.More {
		if next, err = log.Position(ctx, last); err != nil {
			return nil, err
		}
	}
	c.Next = d.sealPosition(next)
	return c, d.readChanged(ctx, q.Client, c)
}

// take puts into the page what fits, each resource once, and returns the number of the
// last event that the page tells of.
func (c *Changes) take(q ChangesQuery, since int64, found []events.Changed) (last int64) {
	wanted := map[string]bool{}
	for _, t := range q.Types {
		wanted[t] = true
	}
	latest := map[string]int64{} // by ID
	last = since
	for _, e := range found {
		if wanted[e.Type] {
			if latest[e.ID] == 0 && len(latest) == q.Count {
				c.More = true
				break
			}
			latest[e.ID] = e.Seq
		}
		last = e.Seq
	}
	for _, e := range found {
		if latest[e.ID] == e.Seq {
			c.All = append(c.All, e)
		}
	}
	return last
}

// readChanged reads the rows of the resources that still exist.
func (d *Directory) readChanged(ctx context.Context, client string, c *Changes) error {
	ids := map[string][]any{}
	for _, e := range c.All {
		ids[e.Type] = append(ids[e.Type], e.ID)
	}
	for typ, of := range ids {
		of = padded(of)
		rows, err := d.DB.Query(ctx, `SELECT `+columnsOf(typ)+` FROM resources r WHERE `+beside("r.type")+` = $2 AND r.id IN (`+list(3, len(of))+`)`,
			append([]any{client, typ}, of...)...)
		if err != nil {
			return fmt.Errorf("read changed %s: %w", typ, err)
		}
		p := &Page{Total: -1}
		if err := p.scan(typ, rows); err != nil {
			return fmt.Errorf("read changed %s: %w", typ, err)
		}
		c.Rows[typ] = p
	}
	return nil
}

// padded repeats the last ID until their number is a power of two, so that there are few
// statements to prepare.
func padded(ids []any) []any {
	for len(ids)&(len(ids)-1) != 0 {
		ids = append(ids, ids[len(ids)-1])
	}
	return ids
}

const positionPurpose = "change-position"

// sealPosition writes a position as a client gets it. It is sealed, since it would tell
// how much happens here, and a forged one must not open.
func (d *Directory) sealPosition(p events.Position) string {
	plain := binary.BigEndian.AppendUint64(nil, uint64(p.Seq))
	plain = append(plain, p.Mark[:]...)
	return base64.RawURLEncoding.EncodeToString(d.Keys.Seal(positionPurpose, "", plain))
}

func (d *Directory) openPosition(ctx context.Context, s string) (p events.Position, err error) {
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil {
		return p, &PositionError{}
	}
	plain, err := d.Keys.Unseal(positionPurpose, "", sealed)
	if err != nil || len(plain) != 8+len(p.Mark) {
		return p, &PositionError{}
	}
	p.Seq = int64(binary.BigEndian.Uint64(plain))
	copy(p.Mark[:], plain[8:])
	err = events.Log{DB: d.DB}.CheckPosition(ctx, p)
	if errors.Is(err, events.ErrPosition) {
		return p, &PositionError{Expired: true}
	}
	return p, err
}

// Subject is what there is to know of a resource beside the events of the log.
type Subject struct {
	ExternalID        string // that a client gave it
	Created, Modified time.Time
	Version           int64
}

// Subjects returns what is known of resources by their IDs, with the external IDs of a
// client. Those that exist no longer are left out.
func (d *Directory) Subjects(ctx context.Context, client string, ids []string) (map[string]Subject, error) {
	found := map[string]Subject{}
	for part := range slices.Chunk(ids, lookUpMax) {
		args := make([]any, len(part))
		for i, id := range part {
			args[i] = id
		}
		args = append([]any{client}, padded(args)...)
		rows, err := d.DB.Query(ctx, `SELECT r.id, r.created, r.modified, r.version, COALESCE(e.value, '')
			FROM resources r LEFT JOIN external_ids e ON e.rid = r.rid AND e.client = $1
			WHERE r.id IN (`+list(2, len(args)-1)+`)`, args...)
		if err != nil {
			return nil, fmt.Errorf("read subjects: %w", err)
		}
		if err := scanSubjects(rows, found); err != nil {
			return nil, fmt.Errorf("read subjects: %w", err)
		}
	}
	return found, nil
}

func scanSubjects(rows *sql.Rows, found map[string]Subject) error {
	defer func() { _ = rows.Close() }() // Err tells what matters
	for rows.Next() {
		var id string
		var s Subject
		var created, modified int64
		if err := rows.Scan(&id, &created, &modified, &s.Version, &s.ExternalID); err != nil {
			return err
		}
		s.Created, s.Modified = micros(created), micros(modified)
		found[id] = s
	}
	return rows.Err()
}
