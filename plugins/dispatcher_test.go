package plugins_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/provost-id/provost/plugins"
)

// hookID is the hook of most tests.
const hookID = "cal1"

// fake is a transport whose calls are answered by answer.
type fake struct {
	answer func(ctx context.Context, payload []byte) ([]byte, error)
	calls  atomic.Int64
	closed atomic.Int64
}

func (f *fake) Call(ctx context.Context, payload []byte) ([]byte, error) {
	f.calls.Add(1)
	return f.answer(ctx, payload)
}

func (f *fake) Close() error {
	f.closed.Add(1)
	return nil
}

// says answers with a body.
func says(body string) func(context.Context, []byte) ([]byte, error) {
	return func(context.Context, []byte) ([]byte, error) { return []byte(body), nil }
}

// fails answers with an error.
func fails(err error) func(context.Context, []byte) ([]byte, error) {
	return func(context.Context, []byte) ([]byte, error) { return nil, err }
}

// hangs answers never.
func hangs(ctx context.Context, _ []byte) ([]byte, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

const addsClaim = `{"commands":[{"type":"com.okta.access.patch","value":[{"op":"add","path":"/claims/x","value":1}]}]}`

// bench is a dispatcher with its configuration and what it reported.
type bench struct {
	*plugins.Dispatcher
	mu       sync.Mutex // guards the rest
	hooks    map[string]plugins.Hook
	outcomes []plugins.Outcome
}

// newBench returns a dispatcher of fakes, by hook ID.
func newBench(fakes map[string]*fake) *bench {
	b := &bench{hooks: map[string]plugins.Hook{}}
	for id := range fakes {
		b.hooks[id] = plugins.Hook{ID: id, Type: plugins.TypeToken, Active: true, Revision: 1, Channel: plugins.Channel{Type: "FAKE"}}
	}
	b.Dispatcher = &plugins.Dispatcher{
		Lookup: func(_ context.Context, id string) (plugins.Hook, error) {
			b.mu.Lock()
			defer b.mu.Unlock()
			h, ok := b.hooks[id]
			if !ok {
				return h, plugins.ErrUnknownHook
			}
			return h, nil
		},
		Transports: map[string]plugins.Transport{"FAKE": func(h plugins.Hook) (plugins.Caller, error) { return fakes[h.ID], nil }},
		Report: func(_ context.Context, o plugins.Outcome) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.outcomes = append(b.outcomes, o)
		},
	}
	return b
}

// configure changes one hook.
func (b *bench) configure(id string, change func(h *plugins.Hook)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	h := b.hooks[id]
	change(&h)
	h.Revision++
	b.hooks[id] = h
}

func (b *bench) last() plugins.Outcome {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.outcomes) == 0 {
		return plugins.Outcome{}
	}
	return b.outcomes[len(b.outcomes)-1]
}

func (b *bench) token(ctx context.Context, id string) (*plugins.TokenResponse, error) {
	r := request()
	r.HookID, r.Envelope = id, plugins.Envelope{Source: "https://id.example.com/oauth2/default/v1/token"}
	return b.Token(ctx, r)
}

func TestTokenEnvelope(t *testing.T) {
	var sent []map[string]any
	f := &fake{answer: func(_ context.Context, payload []byte) ([]byte, error) {
		var m map[string]any
		err := json.Unmarshal(payload, &m)
		sent = append(sent, m)
		return []byte(addsClaim), err
	}}
	b := newBench(map[string]*fake{hookID: f})
	defer b.Close()
	for range 2 {
		resp, err := b.token(t.Context(), hookID)
		if err != nil || len(resp.Commands) != 1 {
			t.Fatalf("%v %v", resp, err)
		}
	}
	want := map[string]string{
		"eventType": "com.okta.oauth2.tokens.transform", "eventTypeVersion": "1.0", "cloudEventVersion": "0.1",
		"contentType": "application/json", "source": "https://id.example.com/oauth2/default/v1/token",
	}
	for member, value := range want {
		if sent[0][member] != value {
			t.Errorf("%s is %v, want %q", member, sent[0][member], value)
		}
	}
	if _, err := time.Parse(plugins.TimeFormat, fmt.Sprint(sent[0]["eventTime"])); err != nil {
		t.Error(err)
	}
	if sent[0]["eventId"] == "" || sent[0]["eventId"] == sent[1]["eventId"] {
		t.Errorf("two events have the ID %v", sent[0]["eventId"])
	}
	for member := range sent[0] {
		if strings.EqualFold(member, "hookId") {
			t.Error("the payload names our hook")
		}
	}
}

// TestFailureModes: what the flow sees for each way to fail, in both modes.
func TestFailureModes(t *testing.T) {
	tests := map[string]struct {
		answer func(context.Context, []byte) ([]byte, error)
		err    error // of the closed mode; nil when nothing failed
		always bool  // also in the open mode
	}{
		"answers":         {answer: says(addsClaim)},
		"default action":  {answer: says("")},
		"no connection":   {answer: fails(errors.New("connection refused")), err: plugins.ErrCommunication},
		"status 500":      {answer: fails(plugins.ErrTemporary), err: plugins.ErrCommunication},
		"no JSON":         {answer: says("<html>"), err: plugins.ErrAnswer},
		"too large":       {answer: says(strings.Repeat(" ", 1<<20)), err: plugins.ErrAnswer},
		"no answer":       {answer: hangs, err: plugins.ErrTimeout},
		"its own refusal": {answer: says(`{"error":{"errorSummary":"no"}}`), err: &plugins.Error{}, always: true},
	}
	for name, tt := range tests {
		for _, mode := range []plugins.FailureMode{"", plugins.Open, plugins.Closed} {
			t.Run(name+" "+string(mode), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b := newBench(map[string]*fake{hookID: {answer: tt.answer}})
					defer b.Close()
					b.configure(hookID, func(h *plugins.Hook) { h.FailureMode = mode })
					resp, err := b.token(t.Context(), hookID)
					wantErr := tt.err != nil && (mode == plugins.Closed || tt.always)
					var refusal *plugins.Error
					switch {
					case !wantErr && err != nil:
						t.Errorf("the flow fails: %v", err)
					case wantErr && !errors.Is(err, tt.err) && !errors.As(err, &refusal):
						t.Errorf("error %v, want %v", err, tt.err)
					case tt.err != nil && err == nil && len(resp.Commands) > 0:
						t.Error("a failed hook has commands")
					}
					if o := b.last(); (tt.err != nil) != (o.Err != nil) || o.Open != (tt.err != nil && !wantErr) || o.HookID != hookID {
						t.Errorf("reported %+v", o)
					}
				})
			})
		}
	}
}

// TestADV78_HangingHook: a hook that hangs costs its own flow its time-out, bounds
// the calls under way, and is left alone after five failures; another hook is as fast
// as ever; the hook comes back when it answers again.
func TestADV78_HangingHook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad, good := &fake{answer: hangs}, &fake{answer: says(addsClaim)}
		b := newBench(map[string]*fake{"bad": bad, "good": good})
		b.Concurrency = 8
		defer b.Close()
		var wg sync.WaitGroup
		began := time.Now()
		for range 100 {
			wg.Go(func() {
				if resp, err := b.token(t.Context(), "bad"); err != nil || len(resp.Commands) > 0 {
					t.Errorf("%v %v, want the open mode", resp, err)
				}
			})
		}
		synctest.Wait()
		if n := bad.calls.Load(); n != 8 {
			t.Errorf("%d calls under way, want 8", n)
		}
		if resp, err := b.token(t.Context(), "good"); err != nil || len(resp.Commands) != 1 || !time.Now().Equal(began) {
			t.Errorf("the good hook: %v %v after %v", resp, err, time.Since(began))
		}
		wg.Wait()
		if waited := time.Since(began); waited != plugins.DefaultTimeout {
			t.Errorf("100 flows waited %v, want %v", waited, plugins.DefaultTimeout)
		}
		calls := bad.calls.Load()
		before := time.Now()
		if _, err := b.token(t.Context(), "bad"); err != nil || bad.calls.Load() != calls || !time.Now().Equal(before) {
			t.Errorf("the breaker is not open: %v, %d calls more", err, bad.calls.Load()-calls)
		}
		testRecovery(t, b, bad)
	})
}

// testRecovery waits for the breaker to let one call through.
func testRecovery(t *testing.T, b *bench, bad *fake) {
	t.Helper()
	time.Sleep(31 * time.Second)
	calls := bad.calls.Load()
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() { _, _ = b.token(t.Context(), "bad") }) // open mode: nothing to see
	}
	wg.Wait()
	if n := bad.calls.Load() - calls; n != 1 {
		t.Errorf("%d calls try a hook that failed, want 1", n)
	}
	bad.answer = says(addsClaim)
	time.Sleep(31 * time.Second)
	for range 2 {
		if resp, err := b.token(t.Context(), "bad"); err != nil || len(resp.Commands) != 1 {
			t.Errorf("after recovery: %v %v", resp, err)
		}
	}
}

// TestADV78_BadAnswersOpenTheBreaker: rubbish counts like silence.
func TestADV78_BadAnswersOpenTheBreaker(t *testing.T) {
	for _, answer := range []func(context.Context, []byte) ([]byte, error){fails(plugins.ErrTemporary), says("rubbish")} {
		f := &fake{answer: answer}
		b := newBench(map[string]*fake{hookID: f})
		for range 20 {
			if _, err := b.token(t.Context(), hookID); err != nil {
				t.Fatal(err)
			}
		}
		if n := f.calls.Load(); n != 5 {
			t.Errorf("%d calls before the breaker opened, want 5", n)
		}
		b.Close()
	}
}

// TestADV78_UnknownCommand: the answer is skipped and the system log says why.
func TestADV78_UnknownCommand(t *testing.T) {
	f := &fake{answer: says(`{"commands":[{"type":"com.okta.nothing","value":[]}],"debugContext":{"a":1}}`)}
	b := newBench(map[string]*fake{hookID: f})
	defer b.Close()
	for range 10 {
		if _, err := b.token(t.Context(), hookID); err != nil {
			t.Fatal(err)
		}
	}
	o := b.last()
	if o.Err != nil || len(o.Problems) != 1 || o.Problems[0].Reason != "unknown command" || o.Debug["a"] == nil {
		t.Errorf("reported %+v", o)
	}
	if n := f.calls.Load(); n != 10 {
		t.Errorf("%d of 10 calls: a bad command is no failure of the connection", n)
	}
}

func TestTimeoutOfTheHook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(map[string]*fake{hookID: {answer: hangs}})
		defer b.Close()
		b.configure(hookID, func(h *plugins.Hook) { h.Timeout, h.Retries = 200*time.Millisecond, 3 })
		began := time.Now()
		if _, err := b.token(t.Context(), hookID); err != nil {
			t.Fatal(err)
		}
		if waited := time.Since(began); waited != 200*time.Millisecond {
			t.Errorf("waited %v; the time-out is 200ms and token hooks never retry", waited)
		}
		if o := b.last(); !errors.Is(o.Err, plugins.ErrTimeout) || o.Duration != 200*time.Millisecond {
			t.Errorf("reported %+v", o)
		}
	})
}

// TestCallerGone: a flow that was given up says nothing about the hook.
func TestCallerGone(t *testing.T) {
	f := &fake{answer: hangs}
	b := newBench(map[string]*fake{hookID: f})
	defer b.Close()
	for range 10 {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := b.token(ctx, hookID); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	f.answer = says(addsClaim)
	if resp, err := b.token(t.Context(), hookID); err != nil || len(resp.Commands) != 1 {
		t.Errorf("%v %v: the breaker opened for nothing", resp, err)
	}
}

func TestExecuteRetriesOnce(t *testing.T) {
	tests := map[string]struct {
		err   error
		calls int64
	}{
		"temporary": {plugins.ErrTemporary, 2},
		"final":     {errors.New("status 404"), 1},
	}
	for name, tt := range tests {
		f := &fake{answer: fails(tt.err)}
		b := newBench(map[string]*fake{hookID: f})
		b.configure(hookID, func(h *plugins.Hook) { h.Active = false })
		if _, err := b.Execute(t.Context(), hookID, []byte(`{}`)); !errors.Is(err, plugins.ErrCommunication) {
			t.Errorf("%s: %v", name, err)
		}
		if n := f.calls.Load(); n != tt.calls {
			t.Errorf("%s: %d calls, want %d", name, n, tt.calls)
		}
		b.Close()
	}
	f := &fake{answer: says(`{"error":{"errorSummary":"no"}}`)}
	b := newBench(map[string]*fake{hookID: f})
	defer b.Close()
	if answer, err := b.Execute(t.Context(), hookID, []byte(`{}`)); err != nil || len(answer) == 0 {
		t.Errorf("a refusal fits the contract: %s %v", answer, err)
	}
}

func TestInactiveAndUnknownHooks(t *testing.T) {
	f := &fake{answer: says(addsClaim)}
	b := newBench(map[string]*fake{hookID: f})
	defer b.Close()
	b.configure(hookID, func(h *plugins.Hook) { h.Active, h.FailureMode = false, plugins.Closed })
	if resp, err := b.token(t.Context(), hookID); err != nil || len(resp.Commands) > 0 || f.calls.Load() > 0 {
		t.Errorf("an inactive hook: %v %v, %d calls", resp, err, f.calls.Load())
	}
	if _, err := b.token(t.Context(), "cal9"); !errors.Is(err, plugins.ErrUnknownHook) {
		t.Errorf("an unknown hook: %v", err)
	}
	b.configure(hookID, func(h *plugins.Hook) { h.Active, h.Type = true, "com.okta.import.transform" })
	if _, err := b.token(t.Context(), hookID); !errors.Is(err, plugins.ErrUnknownHook) {
		t.Errorf("a hook of another type: %v", err)
	}
	b.configure(hookID, func(h *plugins.Hook) { h.Type, h.Channel.Type = plugins.TypeToken, "SMOKE" })
	b.configure(hookID, func(h *plugins.Hook) { h.FailureMode = plugins.Closed })
	if _, err := b.token(t.Context(), hookID); !errors.Is(err, plugins.ErrCommunication) {
		t.Errorf("an unknown channel: %v", err)
	}
}

// TestCallersEnd: a caller is closed when its hook changes, is deactivated or
// deleted, and when the dispatcher ends, but never while it is called.
func TestCallersEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{answer: says(addsClaim)}
		b := newBench(map[string]*fake{hookID: f})
		ctx, cancel := context.WithCancel(t.Context())
		ran := make(chan error, 1)
		go func() { ran <- b.Run(ctx) }()
		use := func() {
			t.Helper()
			if _, err := b.token(t.Context(), hookID); err != nil {
				t.Fatal(err)
			}
		}
		closed := func(want int64, when string) {
			t.Helper()
			if n := f.closed.Load(); n != want {
				t.Errorf("%s: closed %d times, want %d", when, n, want)
			}
		}
		use()
		use()
		time.Sleep(time.Minute)
		closed(0, "nothing changed")
		b.configure(hookID, func(*plugins.Hook) {})
		use()
		closed(1, "changed and called")
		b.configure(hookID, func(h *plugins.Hook) { h.Active = false })
		time.Sleep(time.Minute)
		closed(2, "deactivated")
		b.configure(hookID, func(h *plugins.Hook) { h.Active = true })
		f.answer = func(ctx context.Context, p []byte) ([]byte, error) {
			time.Sleep(time.Second)
			return []byte(addsClaim), nil
		}
		var wg sync.WaitGroup
		wg.Go(use)
		synctest.Wait()
		cancel()
		synctest.Wait()
		closed(2, "ended while called")
		wg.Wait()
		if err := <-ran; err != nil {
			t.Error(err)
		}
		closed(3, "ended")
		b.configure(hookID, func(h *plugins.Hook) { h.FailureMode = plugins.Closed })
		if _, err := b.token(t.Context(), hookID); !errors.Is(err, plugins.ErrCommunication) {
			t.Errorf("after the end: %v", err)
		}
	})
}

// TestOldLookup: a look-up that is older than the caller does not bring it back.
func TestOldLookup(t *testing.T) {
	f := &fake{answer: says(addsClaim)}
	b := newBench(map[string]*fake{hookID: f})
	defer b.Close()
	for _, revision := range []int64{5, 4, 5} {
		b.mu.Lock()
		h := b.hooks[hookID]
		h.Revision = revision
		b.hooks[hookID] = h
		b.mu.Unlock()
		if _, err := b.token(t.Context(), hookID); err != nil {
			t.Fatal(err)
		}
	}
	if n := f.closed.Load(); n != 0 {
		t.Errorf("closed %d times", n)
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	h := plugins.Hook{Channel: plugins.Channel{HTTP: plugins.HTTPChannel{AuthValue: "hush-hush", SigningSecret: "hush-hush"}}}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if text := fmt.Sprintf(verb, h); strings.Contains(text, "hush") {
			t.Errorf("%s prints %s", verb, text)
		}
	}
	if text, err := json.Marshal(h); err != nil || strings.Contains(string(text), "hush") {
		t.Errorf("JSON is %s, %v", text, err)
	}
}
