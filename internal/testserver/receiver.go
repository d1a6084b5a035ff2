package testserver

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Receiver is a running receiver of security event tokens, which verifies them by an
// implementation of JOSE that nobody here wrote.
type Receiver struct {
	URL  string // where pushes go
	proc *process
}

// ReceiverOptions say what a Receiver wants of a token. With a poll URL it polls, too.
type ReceiverOptions struct {
	Issuer, Audience, JWKS string
	PollURL, PollToken     string
}

// A Taken is the claims of a token that was verified. By is "push" or "poll".
type Taken struct {
	By      string                     `json:"by"`
	JTI     string                     `json:"jti"`
	Txn     string                     `json:"txn"`
	Subject map[string]string          `json:"sub_id"`
	Events  map[string]json.RawMessage `json:"events"`
}

// StartReceiver starts a receiver for a test.
func StartReceiver(t testing.TB, o ReceiverOptions) *Receiver {
	t.Helper()
	r, err := startReceiver(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.proc.stop)
	return r
}

func startReceiver(ctx context.Context, o ReceiverOptions) (*Receiver, error) {
	node, err := exec.LookPath("node")
	if err != nil {
		return nil, errors.New("node is not installed: run make deps")
	}
	dir := filepath.Join(repository(), ".ci", "npm")
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "jose")); err != nil {
		return nil, errors.New("jose is not installed in .ci/npm: run make deps")
	}
	cmd := exec.Command(node, "events.mjs")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "SET_ISSUER="+o.Issuer, "SET_AUDIENCE="+o.Audience, "SET_JWKS="+o.JWKS, "POLL_URL="+o.PollURL, "POLL_TOKEN="+o.PollToken)
	// It ends by itself when its standard input does.
	if _, err := cmd.StdinPipe(); err != nil {
		return nil, err
	}
	r := &Receiver{}
	if r.proc, err = startProcess(cmd); err != nil {
		return nil, err
	}
	err = r.proc.until(ctx, func() error {
		url, _, ok := strings.Cut(r.proc.out.String(), "\n")
		if !ok || !strings.HasPrefix(url, "http://127.0.0.1:") {
			return errors.New("no URL yet")
		}
		r.URL = url
		return nil
	})
	if err != nil {
		r.proc.stop()
	}
	return r, err
}

// Taken lists what the receiver has taken, in order, repetitions and all.
func (r *Receiver) Taken(t testing.TB) (all []Taken) {
	t.Helper()
	r.get(t, "/taken", &all)
	return all
}

// Faults lists what was wrong with what came.
func (r *Receiver) Faults(t testing.TB) (all []string) {
	t.Helper()
	r.get(t, "/faults", &all)
	return all
}

func (r *Receiver) get(t testing.TB, path string, into any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }() // read below
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		t.Fatal(err)
	}
}
