package sqldb

import "sync"

// bus carries notifications inside one process.
type bus struct {
	mu   sync.Mutex // guards next and subs
	next int
	subs map[int]subscription
}

type subscription struct {
	channel string
	fn      func(payload string)
}

// subscribe returns the function that ends the subscription.
func (b *bus) subscribe(channel string, fn func(string)) func() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.subs == nil {
		b.subs = map[int]subscription{}
	}
	id := b.next
	b.next++
	b.subs[id] = subscription{channel, fn}
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.subs, id)
	}
}

func (b *bus) publish(channel, payload string) {
	b.each(func(s subscription) bool { return s.channel == channel }, payload)
}

// publishAll tells every subscriber that something may have been missed.
func (b *bus) publishAll() {
	b.each(func(subscription) bool { return true }, "")
}

func (b *bus) each(match func(subscription) bool, payload string) {
	b.mu.Lock()
	var fns []func(string)
	for _, s := range b.subs {
		if match(s) {
			fns = append(fns, s.fn)
		}
	}
	b.mu.Unlock()
	for _, fn := range fns {
		fn(payload)
	}
}
