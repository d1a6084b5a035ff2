package directory

import (
	"bytes"
	"encoding/base64"
	"errors"
	"testing"
	"time"

	"github.com/provost-id/provost/internal/keyring"
	"github.com/provost-id/provost/schemas"
)

// FuzzCursor: whatever a client sends as a cursor is refused, unless it was sealed here;
// and a position that is read is the one that was written.
func FuzzCursor(f *testing.F) {
	snapshot, err := schemas.Compile(1, schemas.Default())
	if err != nil {
		f.Fatal(err)
	}
	keys, err := keyring.New(make([]byte, keyring.KeySize))
	if err != nil {
		f.Fatal(err)
	}
	d := &Directory{Keys: keys, Now: time.Now, Schemas: func() *schemas.Snapshot { return snapshot }}
	f.Add("", []byte{})
	f.Add("AAAA", position{segment: 1}.append(nil))
	f.Add("x", position{inside: true, value: "a", rid: 7}.append(nil))
	f.Add("x", position{inside: true, value: int64(-7), rid: 7}.append(nil))
	f.Fuzz(func(t *testing.T, cursor string, plain []byte) {
		q := ListQuery{UseCursor: true, Cursor: cursor, SortBy: "userName"}
		l, err := d.newLister(typeUser, []TypeQuery{{Type: typeUser}}, q)
		if err != nil {
			t.Fatal(err)
		}
		var refused *CursorError
		if err := l.openCursor(); cursor != "" && !errors.As(err, &refused) {
			t.Errorf("cursor %q: %v", cursor, err)
		}
		if at, err := readPosition(plain); err == nil && !bytes.Equal(at.append(nil), plain) {
			t.Errorf("%x is read as %+v, which is %x", plain, at, at.append(nil))
		}
		// Even what is sealed here is no position of another order.
		sealed := keys.Seal(cursorPurpose, l.scope, append(bytes.Repeat([]byte{0x7f}, 16), plain...))
		l.q.Cursor = base64.RawURLEncoding.EncodeToString(sealed)
		if err := l.openCursor(); err == nil && !l.has(l.from) {
			t.Errorf("position %+v is none of %v", l.from, l.segments)
		}
	})
}
