package testserver

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// SCIM is a running scimmy: a SCIM 2.0 server that nobody here wrote, with Users and Groups in memory.
type SCIM struct {
	URL   string // the base URL, with /scim/v2
	Token string // the bearer token that it asks for; "" when it asks for none
	proc  *process
}

// Scimmy starts a scimmy for a test. With a token it answers 401 to requests without it.
func Scimmy(t testing.TB, token string) *SCIM {
	t.Helper()
	s, err := StartScimmy(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

// StartScimmy starts a scimmy; the caller stops it.
func StartScimmy(ctx context.Context, token string) (*SCIM, error) {
	proc, url, err := startNode(ctx, "scimmy.mjs", "scimmy-routers", "SCIM_TOKEN="+token)
	if err != nil {
		return nil, err
	}
	return &SCIM{URL: url, Token: token, proc: proc}, nil
}

// Stop ends the server.
func (s *SCIM) Stop() { s.proc.stop() }

// A SCIMRequest is a request that scimmy has answered.
type SCIMRequest struct {
	Method string          `json:"method"`
	URL    string          `json:"url"`
	Status int             `json:"status"`
	Body   json.RawMessage `json:"body"`
}

// Requests lists what scimmy was asked, in order.
func (s *SCIM) Requests(t testing.TB) []SCIMRequest {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, strings.TrimSuffix(s.URL, "/scim/v2")+"/requests", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var out []SCIMRequest
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

// String is for the messages of tests.
func (r SCIMRequest) String() string {
	return fmt.Sprintf("%s %s %d %s", r.Method, r.URL, r.Status, r.Body)
}
