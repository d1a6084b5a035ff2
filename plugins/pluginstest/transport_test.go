package pluginstest_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-id/provost/plugins"
	"github.com/provost-id/provost/plugins/pluginstest"
	"github.com/provost-id/provost/plugins/process"
	"github.com/provost-id/provost/plugins/webhook"
)

// build builds a program of this repository and returns its path and checksum.
func build(t testing.TB, source string) (path, sum string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "plugin")
	if out, err := exec.Command("go", "build", "-o", path, source).CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", source, err, out)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s := sha256.Sum256(b)
	return path, hex.EncodeToString(s[:])
}

// processCaller runs a program as a plugin.
func processCaller(t testing.TB, source string, args ...string) plugins.Caller {
	t.Helper()
	path, sum := build(t, source)
	c, err := process.Transport(process.Options{Dir: t.TempDir()})(plugins.Hook{Channel: plugins.Channel{
		Type: plugins.ChannelPlugin, Plugin: plugins.PluginChannel{Path: path, SHA256: sum, Args: args},
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.(io.Closer).Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// webhookCaller calls a web service.
func webhookCaller(t testing.TB, uri string, secret plugins.Secret) plugins.Caller {
	t.Helper()
	c, err := webhook.Transport(&http.Client{})(plugins.Hook{Channel: plugins.Channel{
		Type: plugins.ChannelHTTP, HTTP: plugins.HTTPChannel{URI: uri, SigningSecret: secret},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// golden reads a file of testdata/hooks.
func golden(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(goldenDir, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// answering is a hook that answers with the golden response and tells the request it saw.
func answering(t testing.TB) plugins.Hooks {
	body := golden(t, "token-code.response.json")
	return plugins.Hooks{Token: plugins.TokenHookFunc(func(_ context.Context, r *plugins.TokenRequest) (*plugins.TokenResponse, error) {
		resp, err := plugins.DecodeTokenResponse(body)
		if err == nil {
			resp.DebugContext = map[string]any{"request": r}
		}
		return resp, err
	})}
}

// transports are the golden hook behind each transport.
func transports(t testing.TB) map[string]plugins.Caller {
	t.Helper()
	secret := webhook.NewSecret()
	handler, err := webhook.Handler(string(secret), answering(t))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	file, err := filepath.Abs(filepath.Join(goldenDir, "token-code.response.json"))
	if err != nil {
		t.Fatal(err)
	}
	return map[string]plugins.Caller{
		"webhook": webhookCaller(t, server.URL, secret),
		"process": processCaller(t, "../process/testdata/faulty", "answer", file),
	}
}

// TestOneGoldenPayloadOverBothTransports: the same payload gives the same tokens, and
// the hooks saw the same request.
func TestOneGoldenPayloadOverBothTransports(t *testing.T) {
	var r plugins.TokenRequest
	if err := json.Unmarshal(golden(t, "token-code.json"), &r); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(goldenDir, "token-code.tokens.json")
	for name, c := range transports(t) {
		t.Run(name, func(t *testing.T) {
			answer, err := c.Call(t.Context(), golden(t, "token-code.json"))
			if err != nil {
				t.Fatal(err)
			}
			resp, err := plugins.DecodeTokenResponse(answer)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := indented(t, resp.DebugContext["request"]), indented(t, anyOf(t, golden(t, "token-code.json"))); got != want {
				t.Errorf("the hook saw another request:\n%s", cmp.Diff(want, got))
			}
			identity, access, problems := plugins.ApplyToken(&r, resp)
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			got := indented(t, map[string]any{"identity": identity, "access": access})
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(string(golden(t, "token-code.tokens.json")), got); diff != "" {
				t.Errorf("-file +tokens\n%s", diff)
			}
		})
	}
}

func anyOf(t testing.TB, b []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func indented(t testing.TB, v any) string {
	t.Helper()
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b) + "\n"
}

// TestExampleAsProcess and TestExampleAsWebService run the suite on the example as
// its documentation says to run it.
func TestExampleAsProcess(t *testing.T) {
	c := processCaller(t, "./example")
	pluginstest.Run(t, c)
	testDepartment(t, c)
}

func TestExampleAsWebService(t *testing.T) {
	path, _ := build(t, "./example")
	secret := webhook.NewSecret()
	address := freeAddress(t)
	cmd := exec.Command(path, "-listen", address)
	cmd.Env, cmd.Stderr = []string{"HOOK_SECRET=" + string(secret)}, os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it ends in no other way
		_ = cmd.Wait()
	})
	awaitListener(t, address)
	c := webhookCaller(t, "http://"+address, secret)
	pluginstest.Run(t, c)
	testDepartment(t, c)
}

func testDepartment(t *testing.T, c plugins.Caller) {
	t.Helper()
	answer, err := c.Call(t.Context(), golden(t, "token-code.json"))
	if err != nil {
		t.Fatal(err)
	}
	if want := []byte(`"value":"engineering"`); !bytes.Contains(answer, want) {
		t.Errorf("answer %s, want %s in it", answer, want)
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }() // only its port is wanted
	return l.Addr().String()
}

func awaitListener(t *testing.T, address string) {
	t.Helper()
	for range 100 {
		if c, err := net.DialTimeout("tcp", address, time.Second); err == nil {
			_ = c.Close() // only that it opened counts
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("nobody listens at %s", address)
}

// BenchmarkRoundTrip is one call of a hook, beside an HTTP exchange of the same sizes
// that nobody signs, decodes or encrypts.
func BenchmarkRoundTrip(b *testing.B) {
	payload, answer := golden(b, "token-code.json"), golden(b, "token-code.response.json")
	callers := transports(b)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // the client shows what fails
		_, _ = w.Write(answer)
	}))
	defer server.Close()
	callers["floor"] = plain(server.URL)
	for _, name := range []string{"floor", "webhook", "process"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := callers[name].Call(b.Context(), payload); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// plain is a POST and nothing else.
type plain string

func (uri plain) Call(ctx context.Context, payload []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, string(uri), bytes.NewReader(payload))
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }() // it was read
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d", resp.StatusCode)
	}
	return io.ReadAll(resp.Body)
}
