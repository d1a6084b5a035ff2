package directory

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strings"
	"time"

	"github.com/provost-id/provost/schemas"
)

// CursorTime is how long a cursor may be used, and how long a walk by start index may
// rest between two pages.
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

const cursorPurpose = "list-cursor"

// scope binds a cursor to its query and its client: with any other it does not open.
func scope(endpoint string, of []stream, q ListQuery) string {
	parts := []string{endpoint, q.Client, strings.ToLower(q.SortBy), "ascending"}
	if q.Descending {
		parts[3] = "descending"
	}
	parts = append(parts, q.Bounds.groups()...)
	for _, s := range of {
		parts = append(parts, s.typ.Name, s.filter.String())
	}
	return strings.Join(parts, "\x00")
}

// locate finds where the page begins: where the cursor says, where the page before
// ended, or past an offset.
func (l *lister) locate(ctx context.Context) (err error) {
	switch {
	case l.q.UseCursor:
		return l.openCursor()
	case l.q.StartIndex > 1:
		return l.locateIndex(ctx)
	}
	return nil
}

// cursor seals a position (RFC 9865, section 2), with what the total was on the first
// page of a filtered walk: to count the matches again for each page would cost more
// than the pages.
func (l *lister) cursor(at position) string {
	total := int64(-1)
	if l.filtered() {
		total = int64(l.total)
	}
	plain := binary.BigEndian.AppendUint64(nil, uint64(l.d.Now().Add(CursorTime).UnixMicro()))
	plain = binary.BigEndian.AppendUint64(plain, uint64(total))
	plain = at.append(plain)
	return base64.RawURLEncoding.EncodeToString(l.d.Keys.Seal(cursorPurpose, l.scope, plain))
}

func (l *lister) openCursor() error {
	if l.q.Cursor == "" {
		return nil
	}
	sealed, err := base64.RawURLEncoding.DecodeString(l.q.Cursor)
	if err != nil {
		return &CursorError{}
	}
	plain, err := l.d.Keys.Unseal(cursorPurpose, l.scope, sealed)
	if err != nil || len(plain) < 16 {
		return &CursorError{}
	}
	if l.d.Now().UnixMicro() > int64(binary.BigEndian.Uint64(plain)) {
		return &CursorError{Expired: true}
	}
	l.total = int(int64(binary.BigEndian.Uint64(plain[8:])))
	if l.from, err = readPosition(plain[16:]); err != nil || !l.has(l.from) {
		return &CursorError{}
	}
	return nil
}

// has says whether a position is one of this order. A change of the schema may have made
// it another.
func (l *lister) has(at position) bool {
	if at.segment >= len(l.segments) {
		return false
	}
	_, isText := at.value.(string)
	return !at.inside || isText == l.isText(l.segments[at.segment])
}

// isText says whether the values of a segment are text; otherwise they are numbers.
func (l *lister) isText(s segment) bool {
	switch {
	case s == inOrder:
		return !l.sortedBy(schemas.InCreated) && !l.sortedBy(schemas.InModified)
	case s >= ofType:
		return l.sortedBy(schemas.InLocation)
	}
	return false
}

// What a position's value is.
const (
	valueNone byte = iota
	valueNumber
	valueText
)

// append writes a position: segment, kind of value, row number, value.
func (at position) append(b []byte) []byte {
	kind := valueNone
	if at.inside {
		kind = valueNumber
		if _, ok := at.value.(string); ok {
			kind = valueText
		}
	}
	b = append(binary.BigEndian.AppendUint16(b, uint16(at.segment)), kind)
	b = binary.BigEndian.AppendUint64(b, uint64(at.rid))
	switch v := at.value.(type) {
	case string:
		return append(b, v...)
	case int64:
		return binary.BigEndian.AppendUint64(b, uint64(v))
	}
	return b
}

var errPosition = errors.New("malformed position of a list")

func readPosition(b []byte) (at position, err error) {
	const head = 11
	if len(b) < head {
		return at, errPosition
	}
	at.segment, at.rid = int(binary.BigEndian.Uint16(b)), int64(binary.BigEndian.Uint64(b[3:]))
	at.inside = b[2] != valueNone
	switch value := b[head:]; {
	case b[2] == valueText:
		at.value = string(value)
	case b[2] == valueNumber && len(value) == 8:
		at.value = int64(binary.BigEndian.Uint64(value))
	case b[2] != valueNone || len(value) > 0:
		return at, errPosition
	}
	return at, nil
}
