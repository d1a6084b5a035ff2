package testserver

import (
	"encoding/json"
	"net/http"
	"testing"
)

// Receiver is a running receiver of security event tokens, which verifies them by an
// implementation of JOSE that nobody here wrote.
type Receiver struct {
	URL string // where pushes go
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
	proc, url, err := startNode(t.Context(), "events.mjs", "jose", "SET_ISSUER="+o.Issuer, "SET_AUDIENCE="+o.Audience, "SET_JWKS="+o.JWKS,
		"POLL_URL="+o.PollURL, "POLL_TOKEN="+o.PollToken)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proc.stop)
	return &Receiver{URL: url}
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
