package ldap

import (
	"context"
	"sync"
	"time"

	goldap "github.com/go-ldap/ldap/v3"
)

const (
	// poolSize is the number of connections for single requests. More buy nothing: the server's disk is the limit.
	poolSize = 4
	// maxIdle is how long a connection is kept unused, shorter than the idle timeouts of servers.
	maxIdle = 30 * time.Second
)

// pool lends signed-in connections for single requests. Streams have connections of their own: an unread
// stream stops everything else on its connection.
type pool struct {
	connect func(context.Context) (*goldap.Conn, error)
	slots   chan struct{} // a token for each connection that is lent

	mu     sync.Mutex // guards idle and closed
	idle   []idleConn
	closed bool
}

type idleConn struct {
	conn  *goldap.Conn
	since time.Time
}

func newPool(connect func(context.Context) (*goldap.Conn, error)) *pool {
	return &pool{connect: connect, slots: make(chan struct{}, poolSize)}
}

// do lends a connection to fn. When the context ends, the connection is closed under fn.
func (p *pool) do(ctx context.Context, fn func(*goldap.Conn) error) error {
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-ctx.Done():
		return fail("wait for a connection", ctx.Err())
	}
	conn := p.take()
	if conn == nil {
		var err error
		if conn, err = p.connect(ctx); err != nil {
			return err
		}
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	err := fn(conn)
	if !stop() || broken(err) {
		_ = conn.Close() // it is of no use, whatever it says
		return err
	}
	p.put(conn)
	return err
}

// take returns an idle connection that lives, or nil.
func (p *pool) take() *goldap.Conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.idle) > 0 {
		c := p.idle[len(p.idle)-1]
		p.idle = p.idle[:len(p.idle)-1]
		if !c.conn.IsClosing() && time.Since(c.since) < maxIdle {
			return c.conn
		}
		go c.conn.Close() // it may wait for the server
	}
	return nil
}

func (p *pool) put(conn *goldap.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || conn.IsClosing() {
		go conn.Close() // it may wait for the server
		return
	}
	p.idle = append(p.idle, idleConn{conn, time.Now()})
}

func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, c := range p.idle {
		_ = c.conn.Close() // nothing is under way on it
	}
	p.idle = nil
}
