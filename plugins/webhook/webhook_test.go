package webhook_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-id/provost/plugins"
	"github.com/provost-id/provost/plugins/pluginstest"
	"github.com/provost-id/provost/plugins/webhook"
)

const secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

// channel is a channel to a test server.
func channel(uri string) plugins.HTTPChannel {
	return plugins.HTTPChannel{URI: uri, SigningSecret: secret}
}

func caller(t *testing.T, c plugins.HTTPChannel) plugins.Caller {
	t.Helper()
	made, err := webhook.Transport(http.DefaultClient)(plugins.Hook{Channel: plugins.Channel{Type: plugins.ChannelHTTP, HTTP: c}})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// serve serves h. The body is read first: net/http sees that a client has gone only then.
func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		h(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// TestADV82_RequestHeaders: exactly the headers of the contract, the configured ones
// and the signature go out, whatever the request in hand carries.
func TestADV82_RequestHeaders(t *testing.T) {
	var got http.Header
	uri := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got = r.Header.Clone()
		_, _ = io.WriteString(w, `{}`)
	})
	c := channel(uri)
	c.Headers = []plugins.Header{{Key: "x-team", Value: "blue"}}
	c.AuthKey, c.AuthValue = "Authorization", "Basic YTpi"
	hook := caller(t, c)
	var callErr error
	front := serve(t, func(w http.ResponseWriter, r *http.Request) { // the flow, with credentials of its own
		_, callErr = hook.Call(r.Context(), []byte(`{"a":1}`))
	})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, front, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer 00administrator")
	req.AddCookie(&http.Cookie{Name: "__Host-provost", Value: "session"})
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if callErr != nil {
		t.Fatal(callErr)
	}
	want := []string{
		"Accept", "Accept-Encoding", "Authorization", "Content-Length", "Content-Type", "User-Agent",
		"Webhook-Id", "Webhook-Signature", "Webhook-Timestamp", "X-Team",
	}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(got))); diff != "" {
		t.Errorf("headers, -want +got:\n%s", diff)
	}
	for name, value := range map[string]string{
		"Accept": "application/json", "Content-Type": "application/json", "Authorization": "Basic YTpi", "X-Team": "blue",
	} {
		if got.Get(name) != value {
			t.Errorf("%s is %q, want %q", name, got.Get(name), value)
		}
	}
	for name, values := range got {
		if text := strings.Join(values, " "); strings.Contains(text, "administrator") || strings.Contains(text, "session") {
			t.Errorf("%s carries a credential of ours: %s", name, text)
		}
	}
}

// endless is a body of a gigabyte that notes how much of it was taken.
type endless struct{ taken int }

func (e *endless) serve(w http.ResponseWriter, r *http.Request) {
	block := bytes.Repeat([]byte(" "), 1<<20)
	for e.taken < 1<<30 {
		n, err := w.Write(block)
		e.taken += n
		if err != nil {
			return
		}
	}
}

// TestADV78_Faults: everything that a service can do wrong ends the call soon and in
// the right kind of error.
func TestADV78_Faults(t *testing.T) {
	big := &endless{}
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(code)
			_, _ = io.WriteString(w, `{"commands":[]}`)
		}
	}
	temporary, other := plugins.ErrTemporary, error(nil)
	tests := map[string]struct {
		serve http.HandlerFunc
		want  error // nil for any that is not temporary
	}{
		"500": {status(500), temporary},
		"503": {status(503), temporary},
		"404": {status(404), other},
		"429": {status(429), other},
		"redirect": {func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/elsewhere" {
				_, _ = io.WriteString(w, `{"commands":[]}`) // what a caller that follows would take
				return
			}
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		}, other},
		"hangs": {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, context.DeadlineExceeded},
		"hangs half way": {func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "{")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}, context.DeadlineExceeded},
		"1 GB":    {big.serve, plugins.ErrAnswer},
		"empty":   {func(http.ResponseWriter, *http.Request) {}, plugins.ErrAnswer},
		"cut off": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, other},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			hook := caller(t, channel(serve(t, tt.serve)))
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			if tt.want == plugins.ErrAnswer {
				ctx = t.Context()
			}
			answer, err := hook.Call(ctx, []byte(`{}`))
			if err == nil {
				t.Fatalf("answer %.100s", answer)
			}
			if tt.want != nil && !errors.Is(err, tt.want) || tt.want == nil && errors.Is(err, temporary) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
		})
	}
	if big.taken > 32<<20 { // what buffers on the way hold
		t.Errorf("%d bytes of the gigabyte were taken", big.taken)
	}
}

func TestAnswers(t *testing.T) {
	tests := map[string]struct {
		serve http.HandlerFunc
		want  string
	}{
		"200": {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"commands":[]}`) }, `{"commands":[]}`},
		"204": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }, ""},
		"largest": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(bytes.Repeat([]byte(" "), plugins.MaxResponse-1))
		}, strings.Repeat(" ", plugins.MaxResponse-1)},
	}
	for name, tt := range tests {
		got, err := caller(t, channel(serve(t, tt.serve))).Call(t.Context(), []byte(`{}`))
		if err != nil || string(got) != tt.want {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
}

func TestConfigurationFaults(t *testing.T) {
	tests := map[string]struct {
		change func(c *plugins.HTTPChannel)
		field  string
	}{
		"no URI":            {func(c *plugins.HTTPChannel) { c.URI = "" }, "uri"},
		"long URI":          {func(c *plugins.HTTPChannel) { c.URI = "https://x/" + strings.Repeat("x", 1015) }, "uri"},
		"relative URI":      {func(c *plugins.HTTPChannel) { c.URI = "/hook" }, "uri"},
		"URI with a space":  {func(c *plugins.HTTPChannel) { c.URI = "https://example.com/a b" }, "uri"},
		"another scheme":    {func(c *plugins.HTTPChannel) { c.URI = "file:///etc/passwd" }, "uri"},
		"gopher":            {func(c *plugins.HTTPChannel) { c.URI = "gopher://example.com/" }, "uri"},
		"URI with password": {func(c *plugins.HTTPChannel) { c.URI = "https://a:b@example.com/" }, "uri"},
		"URI with fragment": {func(c *plugins.HTTPChannel) { c.URI = "https://example.com/#x" }, "uri"},
		"header injection":  {func(c *plugins.HTTPChannel) { c.Headers = []plugins.Header{{Key: "X", Value: "a\r\nHost: b"}} }, "headers"},
		"header name":       {func(c *plugins.HTTPChannel) { c.Headers = []plugins.Header{{Key: "X Y", Value: "a"}} }, "headers"},
		"Host":              {func(c *plugins.HTTPChannel) { c.Headers = []plugins.Header{{Key: "HOST", Value: "a"}} }, "headers"},
		"forged signature":  {func(c *plugins.HTTPChannel) { c.Headers = []plugins.Header{{Key: "webhook-id", Value: "a"}} }, "headers"},
		"auth injection":    {func(c *plugins.HTTPChannel) { c.AuthKey, c.AuthValue = "Authorization", "a\nb" }, "authScheme"},
		"auth as Host":      {func(c *plugins.HTTPChannel) { c.AuthKey, c.AuthValue = "Host", "a" }, "authScheme"},
		"no secret":         {func(c *plugins.HTTPChannel) { c.SigningSecret = "" }, "signingSecret"},
		"short secret":      {func(c *plugins.HTTPChannel) { c.SigningSecret = "whsec_c2hvcnQ=" }, "signingSecret"},
	}
	for name, tt := range tests {
		c := channel("https://example.com/hook")
		tt.change(&c)
		_, err := webhook.Transport(http.DefaultClient)(plugins.Hook{Channel: plugins.Channel{HTTP: c}})
		var fault *plugins.ConfigError
		if !errors.As(err, &fault) || fault.Field != "channel.config."+tt.field {
			t.Errorf("%s: %v, want a fault of %s", name, err, tt.field)
		}
	}
}

// TestHandler runs the suite on a hook behind the real transport.
func TestHandler(t *testing.T) {
	h, err := webhook.Handler(secret, plugins.Hooks{Token: plugins.TokenHookFunc(
		func(context.Context, *plugins.TokenRequest) (*plugins.TokenResponse, error) {
			return plugins.Respond(plugins.PatchAccess(plugins.Add("x", 1))), nil
		})})
	if err != nil {
		t.Fatal(err)
	}
	pluginstest.Run(t, caller(t, channel(serve(t, h.ServeHTTP))))
}

func TestHandlerRefuses(t *testing.T) {
	h, err := webhook.Handler(secret, plugins.Hooks{Token: plugins.TokenHookFunc(
		func(context.Context, *plugins.TokenRequest) (*plugins.TokenResponse, error) { panic("out of order") })})
	if err != nil {
		t.Fatal(err)
	}
	uri := serve(t, h.ServeHTTP)
	payload, err := json.Marshal(pluginstest.TokenRequests()[pluginstest.CodeFlow])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := caller(t, channel(uri)).Call(t.Context(), payload); !errors.Is(err, plugins.ErrTemporary) {
		t.Errorf("a panic: %v, want status 500", err)
	}
	other := channel(uri)
	other.SigningSecret = webhook.NewSecret()
	if _, err := caller(t, other).Call(t.Context(), payload); err == nil || !strings.Contains(err.Error(), "401") {
		t.Errorf("another secret: %v, want status 401", err)
	}
	for method, want := range map[string]int{http.MethodGet: http.StatusMethodNotAllowed, http.MethodPost: http.StatusUnauthorized} {
		req, err := http.NewRequestWithContext(t.Context(), method, uri, strings.NewReader(`{}`))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s without signature: status %d, want %d", method, resp.StatusCode, want)
		}
	}
	if _, err := webhook.Handler("password", plugins.Hooks{}); err == nil {
		t.Error("any text is taken for a secret")
	}
}
