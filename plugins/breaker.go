package plugins

import (
	"sync"
	"time"
)

// A hook that failed breakAfter times in a row is left alone for coolDown; then one
// call tries it again.
const (
	breakAfter = 5
	coolDown   = 30 * time.Second
)

// breaker keeps a flow from waiting for a hook that does not answer.
type breaker struct {
	mu       sync.Mutex // guards the rest
	failures int
	until    time.Time // open until then
	probing  bool
}

// allow reports whether a call may be made now. Each allowed call ends in done or abandon.
func (b *breaker) allow(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failures < breakAfter {
		return true
	}
	if b.probing || now.Before(b.until) {
		return false
	}
	b.probing = true
	return true
}

// done notes how a call ended.
func (b *breaker) done(ok bool, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.probing = false
	if ok {
		b.failures = 0
		return
	}
	if b.failures++; b.failures >= breakAfter {
		b.until = now.Add(coolDown)
	}
}

// abandon ends a call that says nothing about the hook: its caller went away.
func (b *breaker) abandon() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.probing = false
}
