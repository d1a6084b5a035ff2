package directory

import (
	"encoding/base64"
	"encoding/binary"
	"strconv"
)

// memberPage is where a page of members begins, and what is left to be read of it.
type memberPage struct {
	counts bool
	total  int
	skip   int
	left   int
	kind   int   // of members, as in memberKinds, where a cursor stands
	row    int64 // after which it goes on
}

// after is the row after which the members of a kind are on the page.
func (p *memberPage) after(kind int) int64 {
	if kind == p.kind {
		return p.row
	}
	return 0
}

func (d *Directory) memberPage(group int64, q MemberQuery) (*memberPage, error) {
	switch {
	case !q.Paged:
		return &memberPage{left: everything}, nil
	case !q.UseCursor:
		return &memberPage{counts: true, skip: max(q.StartIndex, 1) - 1, left: max(q.Count, 0)}, nil
	}
	p := &memberPage{left: max(q.Count, 0)}
	if q.Cursor == "" {
		return p, nil
	}
	sealed, err := base64.RawURLEncoding.DecodeString(q.Cursor)
	if err != nil {
		return nil, &CursorError{}
	}
	plain, err := d.Keys.Unseal(memberCursor, memberScope(group, q), sealed)
	if err != nil || len(plain) != 17 {
		return nil, &CursorError{}
	}
	if d.Now().UnixMicro() > int64(binary.BigEndian.Uint64(plain[9:])) {
		return nil, &CursorError{Expired: true}
	}
	p.kind, p.row = int(plain[0]), int64(binary.BigEndian.Uint64(plain[1:]))
	return p, nil
}

const memberCursor = "member-cursor"

// memberScope binds a cursor to its group, its filter and its client.
func memberScope(group int64, q MemberQuery) string {
	text := ""
	if q.Filter != nil {
		text = q.Filter.String()
	}
	return strconv.FormatInt(group, 10) + "\x00" + q.Client + "\x00" + text
}

// finishPage notes the total, or seals where the next page begins: a page that is full
// may be followed by an empty one.
func (d *Directory) finishPage(s *MemberSet, p *memberPage, group int64, q MemberQuery) {
	if p.counts {
		s.Total = p.total
	}
	if !q.UseCursor || p.left > 0 || s.Len() == 0 {
		return
	}
	plain := make([]byte, 17)
	for kind, rows := range s.rows {
		if rows.n > 0 {
			plain[0] = byte(kind)
			binary.BigEndian.PutUint64(plain[1:], uint64(rows.last))
		}
	}
	binary.BigEndian.PutUint64(plain[9:], uint64(d.Now().Add(CursorTime).UnixMicro()))
	s.Next = base64.RawURLEncoding.EncodeToString(d.Keys.Seal(memberCursor, memberScope(group, q), plain))
}
