package plugins

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// errBroken is why a call fails at once while the breaker is open.
var errBroken = errors.New("it failed several times in a row and is left alone for a while")

// line is what the dispatcher keeps per hook: the caller, the calls under way and
// the breaker.
type line struct {
	revision int64
	caller   Caller
	slots    chan struct{} // one per call under way
	breaker  breaker

	users   int  // guarded by Dispatcher.mu
	retired bool // guarded by Dispatcher.mu
}

// attempt is one call and what is to become of its answer.
type attempt struct {
	payload []byte
	timeout time.Duration
	force   bool // call even when the breaker is open
	decode  func(answer []byte) error
	now     func() time.Time
}

// call makes one attempt. Its error is the context's when the caller went away,
// otherwise ErrTimeout or ErrCommunication.
func (l *line) call(ctx context.Context, a attempt) error {
	limited, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	select {
	case l.slots <- struct{}{}:
		defer func() { <-l.slots }()
	case <-limited.Done():
		return failure(ctx, limited, errors.New("too many calls are under way"))
	}
	if !l.breaker.allow(a.now()) && !a.force {
		return fmt.Errorf("%w: %w", ErrCommunication, errBroken)
	}
	answer, err := l.caller.Call(limited, a.payload)
	if err == nil {
		err = a.decode(answer)
	}
	if gone(ctx) {
		l.breaker.abandon()
		return ctx.Err()
	}
	l.breaker.done(err == nil, a.now())
	return failure(ctx, limited, err)
}

// failure sorts the error of an attempt.
func failure(ctx, limited context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case gone(ctx):
		return ctx.Err()
	case limited.Err() != nil:
		return fmt.Errorf("%w: %w", ErrTimeout, err)
	default:
		return fmt.Errorf("%w: %w", ErrCommunication, err)
	}
}

// gone reports whether nobody waits for the answer any more.
func gone(ctx context.Context) bool { return errors.Is(ctx.Err(), context.Canceled) }

// retryable reports whether an attempt may be repeated: on timeout or 5xx.
func retryable(err error) bool {
	return errors.Is(err, ErrTimeout) || errors.Is(err, ErrTemporary)
}
