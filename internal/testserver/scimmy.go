package testserver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
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
	node, err := exec.LookPath("node")
	if err != nil {
		return nil, errors.New("node is not installed: run make deps")
	}
	dir := filepath.Join(repository(), ".ci", "npm")
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "scimmy-routers")); err != nil {
		return nil, errors.New("scimmy-routers is not installed in .ci/npm: run make deps")
	}
	cmd := exec.Command(node, "scimmy.mjs")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "SCIM_TOKEN="+token)
	// It ends by itself when its standard input does.
	if _, err := cmd.StdinPipe(); err != nil {
		return nil, err
	}
	s := &SCIM{Token: token}
	if s.proc, err = startProcess(cmd); err != nil {
		return nil, err
	}
	err = s.proc.until(ctx, func() error {
		url, _, ok := strings.Cut(s.proc.out.String(), "\n")
		if !ok || !strings.HasPrefix(url, "http://127.0.0.1:") {
			return errors.New("no URL yet")
		}
		s.URL = url
		return nil
	})
	if err != nil {
		s.Stop()
	}
	return s, err
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
