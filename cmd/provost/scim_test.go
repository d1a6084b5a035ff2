package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/provost-id/provost/directory/scim/exchange"
)

// echo is a service of a kind: it has nobody, and counts who asks with which credential.
func echo(t *testing.T, credentials map[string]int) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		credentials[r.Header.Get("Authorization")]++
		w.Header().Set("Content-Type", "application/scim+json")
		_, _ = io.WriteString(w, `{"totalResults":0,"Resources":[]}`)
	}))
	t.Cleanup(s.Close)
	return s.URL + "/scim/v2"
}

// runCommand runs a command until it ends or ctx does; the lines of its standard output go to
// line.
func runCommand(ctx context.Context, t *testing.T, line func(string), args ...string) (stderr string, err error) {
	t.Helper()
	r, w := io.Pipe()
	var errs bytes.Buffer
	cmd := rootCommand()
	cmd.SetArgs(args)
	cmd.SetOut(w)
	cmd.SetErr(&errs)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for lines := bufio.NewScanner(r); lines.Scan(); {
			line(lines.Text())
		}
	}()
	err = cmd.ExecuteContext(ctx)
	_ = w.Close()
	<-done
	return errs.String(), err
}

func TestScimRecordAndReplay(t *testing.T) {
	credentials := map[string]int{}
	upstream := echo(t, credentials)
	file := filepath.Join(t.TempDir(), "session.json")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stderr, err := runCommand(ctx, t, func(line string) {
		base, ok := strings.CutPrefix(line, "ready ")
		if !ok {
			t.Errorf("said %q", line)
			cancel()
			return
		}
		for _, token := range []string{"00secret-one", "00secret-two"} {
			req, _ := http.NewRequestWithContext(ctx, "GET", base+"/Users?filter=userName+eq+%22x%22&", nil)
			req.Header.Set("Authorization", "Bearer "+token)
			if resp, err := http.DefaultClient.Do(req); err != nil || resp.StatusCode != http.StatusOK {
				t.Errorf("%v, %v", resp, err)
			}
		}
		cancel()
	}, "scim", "record", "--upstream", upstream, "--listen", "127.0.0.1:0", "--out", file, "--client", "a test")
	if err != nil || stderr != "" {
		t.Fatalf("%v, %s", err, stderr)
	}
	text, err := os.ReadFile(file)
	if err != nil || bytes.Contains(text, []byte("secret")) {
		t.Errorf("file %s, %v", text, err)
	}
	if f, err := exchange.Parse(text); err != nil || len(f.Exchanges) != 2 || f.Client != "a test" || !strings.HasSuffix(f.Exchanges[0].Request.Path, "&") {
		t.Errorf("file %s, %v", text, err)
	}

	t.Setenv("SCIM_TOKEN", "00secret-three")
	var said string
	keep := func(line string) { said += line }
	if _, err := runCommand(t.Context(), t, keep, "scim", "replay", file, "--url", upstream+"/", "--token", "env:SCIM_TOKEN"); err != nil || !strings.Contains(said, "2 exchanges, answered as in") {
		t.Errorf("%v, said %q", err, said)
	}
	if credentials["Bearer 00secret-one"] != 1 || credentials["Bearer 00secret-three"] != 2 {
		t.Errorf("credentials %v", credentials)
	}
	other := bytes.Replace(text, []byte(`"totalResults":0`), []byte(`"totalResults":7`), 1)
	if err := os.WriteFile(file, other, 0o600); err != nil {
		t.Fatal(err)
	}
	stderr, err = runCommand(t.Context(), t, keep, "scim", "replay", file, "--url", upstream, "--token", "env:SCIM_TOKEN")
	if err == nil || !strings.Contains(stderr, "/totalResults: got 0, want 7") {
		t.Errorf("%v, %s", err, stderr)
	}
	for _, args := range [][]string{
		{"scim", "record", "--upstream", upstream, "--listen", "127.0.0.1:0", "--out", file}, // it exists
		{"scim", "record", "--upstream", "ftp://x", "--out", file + "2"},
		{"scim", "replay", file, "--url", upstream, "--token", "00secret-on-the-command-line"},
		{"scim", "replay", file + "3", "--url", upstream, "--token", "env:SCIM_TOKEN"},
	} {
		if _, err := runCommand(t.Context(), t, keep, args...); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
}
