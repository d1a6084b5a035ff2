package ldap

import (
	"errors"
	"net"
	"time"
)

// maxMessage bounds one LDAP message, in bytes: a group of 100,000 members fits, and nothing that would exhaust memory.
const maxMessage = 16 << 20

// errMessage ends a connection whose server sends what is too large or no LDAP.
var errMessage = errors.New("the server's message is too large or malformed")

// boundedConn watches the messages that a server sends: go-ldap believes any length up to 2 GB.
// It guards writes by a deadline, since go-ldap's have none.
type boundedConn struct {
	net.Conn
	writeTimeout time.Duration
	head         header // of the message that is being read
	body         int    // bytes of it that are still to come
}

func (c *boundedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	for rest := p[:n]; len(rest) > 0; {
		if c.body > 0 {
			skip := min(c.body, len(rest))
			c.body -= skip
			rest = rest[skip:]
			continue
		}
		if e := c.head.feed(rest[0]); e != nil {
			return 0, e
		}
		rest = rest[1:]
		if c.head.done {
			c.body, c.head = c.head.length, header{}
		}
	}
	return n, err
}

func (c *boundedConn) Write(p []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(c.writeTimeout)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

// header reads tag and length of an LDAPMessage, byte by byte: a SEQUENCE with a definite length (RFC 4511, section 5.1).
type header struct {
	seen   int // bytes so far
	long   int // bytes of the length that are still to come
	length int
	done   bool
}

func (h *header) feed(b byte) error {
	h.seen++
	switch {
	case h.seen == 1:
		if b != 0x30 {
			return errMessage
		}
	case h.seen == 2 && b < 0x80:
		h.length, h.done = int(b), true
	case h.seen == 2:
		h.long = int(b & 0x7f)
		if h.long == 0 || h.long > 4 {
			return errMessage
		}
	default:
		h.length = h.length<<8 | int(b)
		h.long--
		h.done = h.long == 0
	}
	if h.length > maxMessage {
		return errMessage
	}
	return nil
}
