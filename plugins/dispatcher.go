package plugins

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"sync"
	"time"
)

// maxPayload bounds a payload; claims larger than this are a fault of ours.
const maxPayload = 1 << 20

// defaultConcurrency is how many calls of one hook run at once; more wait within
// their timeout. A hook that hangs holds no more than these.
const defaultConcurrency = 32

// Dispatcher calls the configured hooks: it applies timeout, retries, failure mode
// and breaker, bounds the calls of each hook, and reports every outcome. It
// implements TokenHook by the HookID of the request. Set Lookup and Transports
// before the first call; run Run beside it.
type Dispatcher struct {
	Lookup      Lookup
	Transports  map[string]Transport                 // by channel type
	Report      func(ctx context.Context, o Outcome) // nil for nobody
	Now         func() time.Time                     // nil for time.Now
	Concurrency int                                  // calls of one hook at once, zero for 32

	mu     sync.Mutex       // guards lines, closed, and users and retired of each line
	lines  map[string]*line // by hook ID
	closed bool
	open   sync.WaitGroup // lines whose caller is not closed yet
}

var _ TokenHook = (*Dispatcher)(nil)

// Token calls the hook that r names. An inactive hook is not called. When the hook
// fails and its failure mode is open, the answer is empty; otherwise the error is
// ErrTimeout, ErrCommunication or ErrUnknownHook. A hook's own refusal is an *Error
// in either mode. Commands that ApplyToken would skip are reported here.
func (d *Dispatcher) Token(ctx context.Context, r *TokenRequest) (*TokenResponse, error) {
	h, err := d.Lookup(ctx, r.HookID)
	if err != nil {
		return nil, d.unknown(ctx, r.HookID, err)
	}
	if h.Type != TypeToken {
		return nil, d.unknown(ctx, r.HookID, fmt.Errorf("%w: it is of type %s", ErrUnknownHook, h.Type))
	}
	if !h.Active {
		return &TokenResponse{}, nil
	}
	sent := *r
	sent.fill(h.Type, rand.Text(), d.now())
	payload, err := json.Marshal(sent)
	if err != nil {
		return nil, fmt.Errorf("write token hook payload: %w", err)
	}
	var resp *TokenResponse
	started := d.now()
	err = d.call(ctx, h, h.retries(), attempt{payload: payload, decode: func(answer []byte) (err error) {
		resp, err = DecodeTokenResponse(answer)
		return err
	}})
	o := Outcome{HookID: h.ID, Name: h.Name, Type: h.Type, EventID: sent.EventID, Duration: d.now().Sub(started), Err: err}
	return d.settle(ctx, h, &sent, resp, o)
}

// settle decides what the flow sees, and reports it.
func (d *Dispatcher) settle(ctx context.Context, h Hook, r *TokenRequest, resp *TokenResponse, o Outcome) (*TokenResponse, error) {
	switch {
	case o.Err != nil && gone(ctx):
		return nil, o.Err // nobody waits for the tokens any more
	case o.Err != nil:
		o.Open = h.open()
		resp = &TokenResponse{}
	case resp.Error != nil:
		o.Err, o.Debug = resp.Error, resp.DebugContext
	default:
		_, _, o.Problems = ApplyToken(r, resp)
		o.Debug = resp.DebugContext
	}
	d.report(ctx, o)
	if o.Err != nil && !o.Open {
		return nil, fmt.Errorf("token hook %s: %w", h.ID, o.Err)
	}
	return resp, nil
}

// unknown reports a hook that cannot be called at all. It is closed: a rule names a
// hook that nobody can answer for.
func (d *Dispatcher) unknown(ctx context.Context, id string, err error) error {
	d.report(ctx, Outcome{HookID: id, Err: err})
	return fmt.Errorf("look up hook %s: %w", id, err)
}

// Execute calls a hook with a payload made by hand, active or not, and returns its
// answer: a dry run for whoever configures it. It retries once, whatever the type,
// and neither failure mode nor an open breaker hide the outcome. An answer that does
// not fit the contract is ErrAnswer.
func (d *Dispatcher) Execute(ctx context.Context, id string, payload []byte) ([]byte, error) {
	h, err := d.Lookup(ctx, id)
	if err != nil {
		return nil, err
	}
	var answer []byte
	err = d.call(ctx, h, 1, attempt{payload: payload, force: true, decode: func(b []byte) error {
		answer = b
		_, err := DecodeTokenResponse(b)
		return err
	}})
	return answer, err
}

// call makes the attempts of one call.
func (d *Dispatcher) call(ctx context.Context, h Hook, retries int, a attempt) error {
	if len(a.payload) > maxPayload {
		return fmt.Errorf("%w: payload of %d bytes is too large", ErrCommunication, len(a.payload))
	}
	l, err := d.acquire(h)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrCommunication, err)
	}
	defer d.release(l)
	a.timeout, a.now = h.timeout(), d.now
	for ; ; retries-- {
		err = l.call(ctx, a)
		if err == nil || retries <= 0 || !retryable(err) {
			return err
		}
	}
}

func (d *Dispatcher) now() time.Time {
	if d.Now == nil {
		return time.Now()
	}
	return d.Now()
}
