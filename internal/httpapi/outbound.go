package httpapi

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// Errors of the outbound client.
var (
	ErrRefused     = errors.New("address is not allowed")
	ErrBodyTooLong = errors.New("response body is too long")
)

const (
	outboundTimeout = 30 * time.Second
	outboundMaxBody = 10 << 20
	dialTimeout     = 10 * time.Second
)

// OutboundOptions of the client for every address that an administrator, a document
// or a plugin chose.
type OutboundOptions struct {
	Allow   []netip.Prefix // private addresses that may be reached, and by http:// at all
	Timeout time.Duration  // of the whole exchange; 30 s when zero
	MaxBody int64          // of a response in bytes; 10 MiB when zero
}

// Outbound returns a client that refuses loopback, private and link-local addresses
// unless they are allowed, with ErrRefused. The check is made on the resolved address
// at dial time, so that a name that resolves differently the second time is caught
// (ADV-77). It speaks http:// to allowed addresses only, follows no redirect (the
// caller gets it as the response), uses no proxy, and bounds response bodies: reading
// past MaxBody gives ErrBodyTooLong.
func Outbound(o OutboundOptions) *http.Client { return outbound(o, nil) }

func outbound(o OutboundOptions, resolver *net.Resolver) *http.Client {
	if o.Timeout == 0 {
		o.Timeout = outboundTimeout
	}
	if o.MaxBody == 0 {
		o.MaxBody = outboundMaxBody
	}
	return &http.Client{
		Timeout: o.Timeout,
		Transport: guarded{
			maxBody: o.MaxBody,
			https:   o.transport(resolver, func(ip netip.Addr) bool { return isPublic(ip) || isIn(ip, o.Allow) }),
			http:    o.transport(resolver, func(ip netip.Addr) bool { return isIn(ip, o.Allow) }),
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func (o OutboundOptions) transport(resolver *net.Resolver, allowed func(netip.Addr) bool) *http.Transport {
	dialer := &net.Dialer{Timeout: dialTimeout, Resolver: resolver,
		Control: func(_, address string, _ syscall.RawConn) error {
			ip, err := netip.ParseAddrPort(address)
			if err != nil {
				return fmt.Errorf("%s: %w", address, ErrRefused)
			}
			if a := ip.Addr().WithZone("").Unmap(); !allowed(a) {
				return fmt.Errorf("%s: %w", a, ErrRefused)
			}
			return nil
		}}
	return &http.Transport{
		DialContext:            dialer.DialContext,
		TLSHandshakeTimeout:    dialTimeout,
		ForceAttemptHTTP2:      true,
		MaxIdleConnsPerHost:    8, // as many as one target is worked with at once
		MaxIdleConns:           100,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// guarded picks the transport by scheme and bounds what comes back.
type guarded struct {
	https, http *http.Transport
	maxBody     int64
}

// RoundTrip implements http.RoundTripper.
func (g guarded) RoundTrip(r *http.Request) (*http.Response, error) {
	t := g.https
	if r.URL.Scheme == "http" {
		t = g.http
	}
	res, err := t.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	res.Body = &bounded{ReadCloser: res.Body, left: g.maxBody}
	return res, nil
}

// CloseIdleConnections is for http.Client.
func (g guarded) CloseIdleConnections() {
	g.https.CloseIdleConnections()
	g.http.CloseIdleConnections()
}

// bounded gives an error, not an end, when more comes than is allowed: half a
// document must not pass for a whole one.
type bounded struct {
	io.ReadCloser
	left int64
}

// Read implements io.Reader.
func (b *bounded) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, ErrBodyTooLong
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return n - 1, ErrBodyTooLong
	}
	return n, err
}
