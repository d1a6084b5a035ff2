package testserver

import (
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// Proxy passes a TCP connection on to a server, and can lose or swallow what the server answers.
type Proxy struct {
	Addr string // 127.0.0.1:PORT

	target  string
	lose    atomic.Bool
	silent  atomic.Bool
	listen  net.Listener
	pending sync.WaitGroup

	mu    sync.Mutex // guards conns
	conns []net.Conn
}

// NewProxy starts a proxy before a server's address for a test.
func NewProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{Addr: l.Addr().String(), target: target, listen: l}
	p.pending.Go(p.accept)
	t.Cleanup(func() {
		_ = l.Close() // it ends accept
		p.closeAll()
		p.pending.Wait()
	})
	return p
}

// LoseReplies says whether answers are lost: the server gets what it is sent, and the connection breaks at its answer.
func (p *Proxy) LoseReplies(yes bool) { p.lose.Store(yes) }

// SilenceReplies says whether answers are swallowed while the connections stay open.
func (p *Proxy) SilenceReplies(yes bool) { p.silent.Store(yes) }

func (p *Proxy) accept() {
	for {
		in, err := p.listen.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", p.target)
		if err != nil {
			_ = in.Close() // the client sees that nobody is there
			continue
		}
		p.mu.Lock()
		p.conns = append(p.conns, in, out)
		p.mu.Unlock()
		p.pending.Go(func() { p.pass(out, in, false) })
		p.pending.Go(func() { p.pass(in, out, true) })
	}
}

// pass copies one direction until it ends, and then ends the other one.
func (p *Proxy) pass(to, from net.Conn, reply bool) {
	defer to.Close()
	defer from.Close()
	b := make([]byte, 32<<10)
	for {
		n, err := from.Read(b)
		if reply && p.lose.Load() && n > 0 {
			return
		}
		if n > 0 && !(reply && p.silent.Load()) {
			if _, e := to.Write(b[:n]); e != nil {
				return
			}
		}
		if err != nil {
			return // io.EOF, or closed from the other side
		}
	}
}

func (p *Proxy) closeAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		_ = c.Close() // it may be closed already
	}
}
