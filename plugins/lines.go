package plugins

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// sweepEvery is how soon a hook that was changed, deactivated or deleted, perhaps
// on another node, loses its process.
const sweepEvery = 5 * time.Second

var errClosed = errors.New("the dispatcher is closed")

// acquire returns the line of the hook as it is configured now, for one call.
func (d *Dispatcher) acquire(h Hook) (*line, error) {
	var old *line
	defer func() { d.closeLine(old) }() // after the lock is released
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, errClosed
	}
	l := d.lines[h.ID]
	if l == nil || l.revision < h.Revision { // a look-up older than the line does not bring the past back
		made, err := d.newLine(h)
		if err != nil {
			return nil, err
		}
		old = d.retire(h.ID)
		d.lines[h.ID], l = made, made
		d.open.Add(1)
	}
	l.users++
	return l, nil
}

func (d *Dispatcher) newLine(h Hook) (*line, error) {
	transport := d.Transports[h.Channel.Type]
	if transport == nil {
		return nil, &ConfigError{Field: "channel.type", Reason: fmt.Sprintf("%q is not supported", h.Channel.Type)}
	}
	c, err := transport(h)
	if err != nil {
		return nil, err
	}
	if d.lines == nil {
		d.lines = map[string]*line{}
	}
	n := d.Concurrency
	if n <= 0 {
		n = defaultConcurrency
	}
	return &line{revision: h.Revision, caller: c, slots: make(chan struct{}, n)}, nil
}

// release ends one call; the last one closes a line that was retired meanwhile.
func (d *Dispatcher) release(l *line) {
	d.mu.Lock()
	l.users--
	last := l.retired && l.users == 0
	d.mu.Unlock()
	if last {
		d.closeLine(l)
	}
}

// retire takes a line out of service and returns it when it is to be closed now;
// otherwise the last call under way closes it. The caller holds d.mu.
func (d *Dispatcher) retire(id string) *line {
	l := d.lines[id]
	if l == nil {
		return nil
	}
	delete(d.lines, id)
	l.retired = true
	if l.users > 0 {
		return nil
	}
	return l
}

// closeLine ends the caller of a retired line, once. It may take seconds and is
// called without d.mu.
func (d *Dispatcher) closeLine(l *line) {
	if l == nil {
		return
	}
	defer d.open.Done()
	if c, ok := l.caller.(io.Closer); ok {
		_ = c.Close() // the hook is gone: nobody is left to tell
	}
}

// Run ends the processes of hooks that were changed, deactivated or deleted, until
// ctx is done; then it closes the dispatcher.
func (d *Dispatcher) Run(ctx context.Context) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			d.Close()
			return nil
		case <-tick.C:
			d.sweep(ctx)
		}
	}
}

// sweep retires every line whose hook is no longer configured as it was.
func (d *Dispatcher) sweep(ctx context.Context) {
	d.mu.Lock()
	known := map[string]int64{}
	for id, l := range d.lines {
		known[id] = l.revision
	}
	d.mu.Unlock()
	for id, revision := range known {
		h, err := d.Lookup(ctx, id)
		if err != nil && !errors.Is(err, ErrUnknownHook) {
			continue // the database is away: keep what works
		}
		if err != nil || !h.Active || h.Revision != revision {
			d.mu.Lock()
			l := d.retire(id)
			d.mu.Unlock()
			d.closeLine(l)
		}
	}
}

// Close ends every hook: new calls fail, those under way are waited for.
func (d *Dispatcher) Close() {
	d.mu.Lock()
	d.closed = true
	var idle []*line
	for id := range d.lines {
		idle = append(idle, d.retire(id))
	}
	d.mu.Unlock()
	for _, l := range idle {
		d.closeLine(l)
	}
	d.open.Wait()
}
