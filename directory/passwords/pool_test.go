package passwords

import (
	"context"
	"errors"
	"testing"
)

func TestPoolIsBounded(t *testing.T) {
	p, err := NewPool()
	if err != nil {
		t.Fatal(err)
	}
	for range cap(p.waiting) {
		p.waiting <- struct{}{}
	}
	if _, err := p.Hash(t.Context(), password); !errors.Is(err, ErrBusy) {
		t.Errorf("with a full queue: %v, want ErrBusy", err)
	}
	<-p.waiting
	for range cap(p.running) {
		p.running <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Hash(ctx, password); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller that gave up: %v", err)
	}
}
