package ldap

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	goldap "github.com/go-ldap/ldap/v3"

	"github.com/provost-id/provost/provisioning"
)

// connect opens a connection and signs in as the app does.
func (c *Connector) connect(ctx context.Context) (*goldap.Conn, error) {
	conn, err := c.dial(ctx)
	if err != nil {
		return nil, err
	}
	// A bind does not listen to the context: a server that never answers would hold up whoever stops.
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	err = c.bind(conn, c.settings.bindDN, c.settings.password)
	if !stop() {
		err = fail("bind "+c.settings.bindDN, context.Cause(ctx))
	}
	if err != nil {
		_ = conn.Close() // the bind's error is the one that tells
		return nil, err
	}
	return conn, nil
}

// dial opens an encrypted connection, or a plain one where the settings allow it. Nothing secret is sent before that is settled.
func (c *Connector) dial(ctx context.Context) (*goldap.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	op := "connect to " + c.settings.address
	raw, err := (&net.Dialer{}).DialContext(ctx, "tcp", c.settings.address)
	if err != nil {
		return nil, &provisioning.Error{Kind: provisioning.ErrTransient, Op: op, Err: err}
	}
	conn, err := c.encrypt(ctx, raw)
	if err != nil {
		_ = raw.Close() // the other error is the one that tells
		return nil, &provisioning.Error{Kind: provisioning.ErrTransient, Op: op, Err: err}
	}
	l := goldap.NewConn(&boundedConn{Conn: conn, writeTimeout: c.timeout}, c.settings.secure >= startTLS)
	l.SetTimeout(c.timeout)
	l.Start()
	return l, nil
}

func (c *Connector) encrypt(ctx context.Context, raw net.Conn) (net.Conn, error) {
	switch c.settings.secure {
	case plain:
		return raw, nil
	case plainLoopback:
		// localhost is a name like any other: what it resolved to counts.
		if a, ok := raw.RemoteAddr().(*net.TCPAddr); !ok || !a.IP.IsLoopback() {
			return nil, errors.New("not a loopback address: a plain connection is refused")
		}
		return raw, nil
	case startTLS:
		if err := requestTLS(ctx, raw); err != nil {
			return nil, err
		}
	}
	t := tls.Client(raw, c.settings.tls)
	return t, t.HandshakeContext(ctx)
}

// requestTLS asks for TLS (RFC 4511, section 4.14.1) on the bare socket and reads exactly one answer, so that nothing
// which was sent in clear can be taken for a later, protected answer. Anything but success ends the connection: there is no fallback.
func requestTLS(ctx context.Context, conn net.Conn) error {
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return err
	}
	msg := ber.NewSequence("LDAPMessage")
	msg.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, 1, "messageID"))
	req := ber.Encode(ber.ClassApplication, ber.TypeConstructed, goldap.ApplicationExtendedRequest, nil, "extendedReq")
	req.AppendChild(ber.NewString(ber.ClassContext, ber.TypePrimitive, 0, "1.3.6.1.4.1.1466.20037", "StartTLS"))
	msg.AppendChild(req)
	if _, err := conn.Write(msg.Bytes()); err != nil {
		return err
	}
	answer, err := readMessage(conn)
	if err != nil {
		return fmt.Errorf("StartTLS: %w", err)
	}
	packet, err := ber.DecodePacketErr(answer)
	if err != nil {
		return fmt.Errorf("StartTLS: %w", err)
	}
	if err := goldap.GetLDAPError(packet); err != nil {
		return fmt.Errorf("StartTLS: %w", err)
	}
	return conn.SetDeadline(time.Time{})
}

// readMessage reads one short message, and not a byte beyond it.
func readMessage(r io.Reader) ([]byte, error) {
	var h header
	var msg []byte
	b := make([]byte, 1)
	for !h.done {
		if _, err := io.ReadFull(r, b); err != nil {
			return nil, err
		}
		if err := h.feed(b[0]); err != nil {
			return nil, err
		}
		msg = append(msg, b[0])
	}
	if h.length > 4096 {
		return nil, errors.New("the answer is too long")
	}
	body := make([]byte, h.length)
	_, err := io.ReadFull(r, body)
	return append(msg, body...), err
}

// bind signs in by name and password. An empty password would be an unauthenticated bind, which servers answer with success
// (RFC 4513, section 5.1.2), and a NUL is where some servers stop reading: neither is ever sent.
func (c *Connector) bind(conn *goldap.Conn, dn, password string) error {
	if dn == "" || !sendable(password) {
		return &provisioning.Error{Kind: provisioning.ErrDenied, Op: "bind " + dn, Body: "empty or unusable password"}
	}
	if _, err := conn.SimpleBind(goldap.NewSimpleBindRequest(dn, password, nil)); err != nil {
		return fail("bind "+dn, err)
	}
	return nil
}

func sendable(password string) bool {
	for i := range len(password) {
		if password[i] == 0 {
			return false
		}
	}
	return password != ""
}
