package directory

import (
	"encoding/base64"
	"encoding/binary"
	"sync"
	"time"
)

// CursorTime is how long a cursor may be used.
const CursorTime = time.Hour

// CursorError says why a cursor is refused.
type CursorError struct{ Expired bool }

// Error names the reason.
func (e *CursorError) Error() string {
	if e.Expired {
		return "the cursor has expired"
	}
	return "the cursor is not one of this server for this query"
}

// position is where a page begins: after a row, and past an offset of rows.
type position struct {
	after  int64
	offset int
}

const cursorPurpose = "list-cursor"

// scope binds a cursor to its query and its client: with any other it does not open.
func scope(typ string, q ListQuery) string {
	return typ + "\x00" + q.Client + "\x00" + q.Status + "\x00" + q.NotStatus + "\x00" + q.Filter.String()
}

// position opens the cursor, or finds the row before the start index.
func (d *Directory) position(typ string, q ListQuery) (position, error) {
	if !q.UseCursor {
		return d.indexPosition(typ, q), nil
	}
	if q.Cursor == "" {
		return position{}, nil
	}
	sealed, err := base64.RawURLEncoding.DecodeString(q.Cursor)
	if err != nil {
		return position{}, &CursorError{}
	}
	plain, err := d.Keys.Unseal(cursorPurpose, scope(typ, q), sealed)
	if err != nil || len(plain) != 16 {
		return position{}, &CursorError{}
	}
	if d.Now().UnixMicro() > int64(binary.BigEndian.Uint64(plain[8:])) {
		return position{}, &CursorError{Expired: true}
	}
	return position{after: int64(binary.BigEndian.Uint64(plain))}, nil
}

// nextCursor seals the last row of a page (RFC 9865, section 2).
func (d *Directory) nextCursor(typ string, q ListQuery, p *Page) string {
	plain := make([]byte, 16)
	binary.BigEndian.PutUint64(plain, uint64(p.last()))
	binary.BigEndian.PutUint64(plain[8:], uint64(d.Now().Add(CursorTime).UnixMicro()))
	return base64.RawURLEncoding.EncodeToString(d.Keys.Seal(cursorPurpose, scope(typ, q), plain))
}

// cut drops what was read beyond the page and reports whether there was something.
func (p *Page) cut(n int) bool {
	more := p.len() > n
	if len(p.Users) > n {
		p.Users = p.Users[:n]
	}
	if len(p.Groups) > n {
		p.Groups = p.Groups[:n]
	}
	if len(p.Resources) > n {
		p.Resources = p.Resources[:n]
	}
	return more
}

// A client that walks by startIndex asks next for the index after its last page. The
// row at which that page ended is remembered, so that the walk continues there, loses
// nobody when rows before it are deleted, and costs no offset.
const (
	checkpointTime = 5 * time.Minute
	maxCheckpoints = 4096
)

type checkpointKey struct {
	scope string
	start int
}

type checkpoint struct {
	after int64
	until time.Time
}

// checkpoints is bounded: when full, it starts again, and walks fall back to offsets.
type checkpoints struct {
	mu  sync.Mutex // guards all
	all map[checkpointKey]checkpoint
}

func (d *Directory) indexPosition(typ string, q ListQuery) position {
	if q.StartIndex <= 1 {
		return position{}
	}
	d.walks.mu.Lock()
	defer d.walks.mu.Unlock()
	c, ok := d.walks.all[checkpointKey{scope(typ, q), q.StartIndex}]
	if ok && d.Now().Before(c.until) {
		return position{after: c.after}
	}
	return position{offset: q.StartIndex - 1}
}

func (d *Directory) remember(typ string, q ListQuery, p *Page) {
	if p.len() < q.Count {
		return // the end of the walk
	}
	d.walks.mu.Lock()
	defer d.walks.mu.Unlock()
	if d.walks.all == nil || len(d.walks.all) >= maxCheckpoints {
		d.walks.all = map[checkpointKey]checkpoint{}
	}
	key := checkpointKey{scope(typ, q), max(q.StartIndex, 1) + p.len()}
	d.walks.all[key] = checkpoint{after: p.last(), until: d.Now().Add(checkpointTime)}
}
