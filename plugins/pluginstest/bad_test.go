package pluginstest_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/provost-id/provost/plugins"
	"github.com/provost-id/provost/plugins/pluginstest"
)

// badEnv names the bad hook that TestBadHook runs the suite on.
const badEnv = "PLUGINSTEST_BAD_HOOK"

// callerFunc is a function as a caller.
type callerFunc func(ctx context.Context, payload []byte) ([]byte, error)

func (f callerFunc) Call(ctx context.Context, payload []byte) ([]byte, error) { return f(ctx, payload) }

func answers(resp *plugins.TokenResponse, err error) plugins.Caller {
	return plugins.Hooks{Token: plugins.TokenHookFunc(func(context.Context, *plugins.TokenRequest) (*plugins.TokenResponse, error) {
		return resp, err
	})}
}

// badHooks are hooks with one fault each, and what the suite says of it.
func badHooks() map[string]struct {
	hook plugins.Caller
	says string
} {
	var mu sync.Mutex // guards busy
	busy := false
	reserved := plugins.Respond(plugins.PatchAccess(plugins.Add("iss", "x")))
	both := &plugins.TokenResponse{Error: &plugins.Error{ErrorSummary: "no"}, Commands: reserved.Commands}
	return map[string]struct {
		hook plugins.Caller
		says string
	}{
		"fails":           {answers(nil, errors.New("database is away")), "database is away"},
		"reserved":        {answers(reserved, nil), "is reserved"},
		"error too":       {answers(both, nil), "with an error no command runs"},
		"ID token always": {answers(plugins.Respond(plugins.PatchIdentity(plugins.Add("x", 1))), nil), "not being minted"},
		"rubbish":         {callerFunc(func(context.Context, []byte) ([]byte, error) { return []byte("<html>"), nil }), "does not fit the contract"},
		"strict": {callerFunc(func(_ context.Context, b []byte) ([]byte, error) {
			if bytes.Contains(b, []byte("later")) {
				return nil, errors.New("unknown member")
			}
			return []byte("{}"), nil
		}), "unknown member"},
		"one at a time": {callerFunc(func(context.Context, []byte) ([]byte, error) {
			mu.Lock()
			was := busy
			busy = true
			mu.Unlock()
			if was {
				return nil, errors.New("busy")
			}
			time.Sleep(20 * time.Millisecond)
			mu.Lock()
			busy = false
			mu.Unlock()
			return []byte("{}"), nil
		}), "calls at once one fails"},
		"deaf": {callerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
			if ctx.Err() != nil {
				time.Sleep(plugins.DefaultTimeout + time.Second)
			}
			return []byte("{}"), nil
		}), "after its caller has gone"},
	}
}

// TestBadHook is run by TestSuiteCatches in a process of its own.
func TestBadHook(t *testing.T) {
	if bad, ok := badHooks()[os.Getenv(badEnv)]; ok {
		pluginstest.Run(t, bad.hook)
	}
}

// TestSuiteCatches: the suite fails on each bad hook, for its fault.
func TestSuiteCatches(t *testing.T) {
	for name, bad := range badHooks() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestBadHook$")
			cmd.Env = append(os.Environ(), badEnv+"="+name)
			out, err := cmd.CombinedOutput()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || !strings.Contains(string(out), bad.says) {
				t.Errorf("%v, want %q in\n%s", err, bad.says, out)
			}
		})
	}
}
