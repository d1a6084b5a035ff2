package pluginstest

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/provost-id/provost/plugins"
)

// together is how many calls the suite makes at once.
const together = 8

// Run runs the suite on a hook.
func Run(t *testing.T, hook plugins.Caller) {
	t.Helper()
	requests := TokenRequests()
	for _, flow := range slices.Sorted(maps.Keys(requests)) {
		t.Run(flow, func(t *testing.T) { testFlow(t, hook, requests[flow]) })
	}
	t.Run("unknown members", func(t *testing.T) { testUnknownMembers(t, hook) })
	t.Run("calls at once", func(t *testing.T) { testTogether(t, hook) })
	t.Run("caller gone", func(t *testing.T) { testGone(t, hook) })
}

// testFlow checks that an answer comes in time and that provost would apply it.
func testFlow(t *testing.T, hook plugins.Caller, r *plugins.TokenRequest) {
	t.Helper()
	checkApplies(t, r, decode(t, call(t, hook, marshal(t, r))))
}

// checkApplies checks that provost would do what the answer says.
func checkApplies(t *testing.T, r *plugins.TokenRequest, resp *plugins.TokenResponse) {
	t.Helper()
	if resp.Error != nil {
		if len(resp.Commands) > 0 {
			t.Errorf("the answer has an error and %d commands: with an error no command runs", len(resp.Commands))
		}
		return
	}
	_, _, problems := plugins.ApplyToken(r, resp)
	for _, p := range problems {
		t.Errorf("provost would skip the whole answer: %s", p)
	}
}

// testUnknownMembers adds what a later version of the contract may add.
func testUnknownMembers(t *testing.T, hook plugins.Caller) {
	t.Helper()
	r := TokenRequests()[CodeFlow]
	var members map[string]any
	if err := json.Unmarshal(marshal(t, r), &members); err != nil {
		t.Fatal(err)
	}
	members["later"] = map[string]any{"version": 2}
	checkApplies(t, r, decode(t, call(t, hook, marshal(t, members))))
}

// testTogether makes several calls at once: the hook keeps them apart.
func testTogether(t *testing.T, hook plugins.Caller) {
	t.Helper()
	payload := marshal(t, TokenRequests()[CodeFlow])
	want := decode(t, call(t, hook, payload))
	var wg sync.WaitGroup
	for range together {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), plugins.DefaultTimeout)
			defer cancel()
			answer, err := hook.Call(ctx, payload)
			if err != nil {
				t.Errorf("of %d calls at once one fails: %v", together, err)
				return
			}
			got, err := plugins.DecodeTokenResponse(answer)
			if err != nil {
				t.Error(err)
				return
			}
			if len(got.Commands) != len(want.Commands) {
				t.Errorf("of %d calls at once one has %d commands, alone it has %d", together, len(got.Commands), len(want.Commands))
			}
		})
	}
	wg.Wait()
}

// testGone calls when nobody waits any more: the call ends, with whatever answer.
func testGone(t *testing.T, hook plugins.Caller) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = hook.Call(ctx, marshal(t, TokenRequests()[CodeFlow])) // only its end counts
	}()
	waiting, stop := context.WithTimeout(t.Context(), plugins.DefaultTimeout)
	defer stop()
	select {
	case <-done:
	case <-waiting.Done():
		t.Errorf("the hook goes on for %v after its caller has gone", plugins.DefaultTimeout)
	}
}

// call is one call within the time that a hook has.
func call(t *testing.T, hook plugins.Caller, payload []byte) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), plugins.DefaultTimeout)
	defer cancel()
	answer, err := hook.Call(ctx, payload)
	if err != nil {
		t.Fatalf("call: %v", err)
	}
	if ctx.Err() != nil {
		t.Fatalf("the answer came after %v", plugins.DefaultTimeout)
	}
	return answer
}

func decode(t *testing.T, answer []byte) *plugins.TokenResponse {
	t.Helper()
	resp, err := plugins.DecodeTokenResponse(answer)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
