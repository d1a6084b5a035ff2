package ldap

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"
)

// source is a connection that a server's bytes come from, a few at a time.
type source struct {
	net.Conn
	data  *bytes.Reader
	piece int
}

func (s *source) Read(p []byte) (int, error) { return s.data.Read(p[:min(len(p), s.piece)]) }

func TestBoundedConn(t *testing.T) {
	message := func(n int) []byte {
		return append([]byte{0x30, 0x83, byte(n >> 16), byte(n >> 8), byte(n)}, make([]byte, n)...)
	}
	for _, test := range []struct {
		name string
		data []byte
		want error
	}{
		{"short ones", []byte{0x30, 0x01, 0xff, 0x30, 0x00, 0x30, 0x81, 0x02, 0x30, 0x84}, nil},
		{"a large one", message(1 << 20), nil},
		{"the largest", append([]byte{0x30, 0x84, 0x01, 0x00, 0x00, 0x00}, make([]byte, 100)...), nil},
		{"too large", []byte{0x30, 0x84, 0x01, 0x00, 0x00, 0x01}, errMessage},
		{"too long a length", []byte{0x30, 0x85, 0, 0, 0, 0, 1}, errMessage},
		{"indefinite", []byte{0x30, 0x80}, errMessage},
		{"the second is bad", []byte{0x30, 0x00, 0x31}, errMessage},
	} {
		for _, piece := range []int{1, 3, 1 << 16} {
			c := &boundedConn{Conn: &source{data: bytes.NewReader(test.data), piece: piece}}
			got, err := io.ReadAll(c)
			if !errors.Is(err, test.want) || test.want == nil && !bytes.Equal(got, test.data) {
				t.Errorf("%s in pieces of %d: %d bytes, %v", test.name, piece, len(got), err)
			}
		}
	}
}

// FuzzBoundedConn: how the bytes are cut into reads changes nothing, and what passes is what came.
func FuzzBoundedConn(f *testing.F) {
	f.Add([]byte{0x30, 0x03, 1, 2, 3, 0x30, 0x81, 0x01, 9}, 2)
	f.Add([]byte{0x30, 0x84, 0x7f, 0xff, 0xff, 0xff}, 1)
	f.Fuzz(func(t *testing.T, data []byte, piece int) {
		if piece < 1 || piece > 1<<16 {
			return
		}
		whole, wholeErr := io.ReadAll(&boundedConn{Conn: &source{data: bytes.NewReader(data), piece: 1 << 16}})
		cut, cutErr := io.ReadAll(&boundedConn{Conn: &source{data: bytes.NewReader(data), piece: piece}})
		if (wholeErr == nil) != (cutErr == nil) {
			t.Errorf("whole: %v, in pieces: %v", wholeErr, cutErr)
		}
		if wholeErr == nil && !(bytes.Equal(whole, data) && bytes.Equal(cut, data)) {
			t.Error("bytes were lost")
		}
	})
}
