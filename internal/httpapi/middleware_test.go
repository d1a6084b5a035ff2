package httpapi_test

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/provost-id/provost/internal/httpapi"
)

func TestRequestID(t *testing.T) {
	var inside string
	var log strings.Builder
	h := httpapi.Middleware(httpapi.Options{Log: slog.New(slog.NewJSONHandler(&log, nil))})(
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			inside = httpapi.RequestID(r.Context())
			w.WriteHeader(http.StatusTeapot)
		}))
	rec := httptest.NewRecorder()
	req := httptest.NewRequest("GET", "/a?code=hunter2", nil)
	req.Header.Set("X-Request-Id", "chosen by the client")
	h.ServeHTTP(rec, req)
	if got := rec.Header().Get("X-Request-Id"); got == "" || got != inside || got != rec.Header().Get("X-Okta-Request-Id") {
		t.Errorf("headers say %q, the context %q", rec.Header(), inside)
	}
	var line map[string]any
	if err := json.Unmarshal([]byte(log.String()), &line); err != nil {
		t.Fatalf("access log %q: %v", log.String(), err)
	}
	if line["request_id"] != inside || line["status"] != float64(http.StatusTeapot) || line["path"] != "/a" {
		t.Errorf("access log says %v", line)
	}
	if strings.Contains(log.String(), "hunter2") {
		t.Error("the access log carries the query, where codes stand")
	}
}

// ADV-38: a client chooses neither its address nor the links it is given.
func TestADV38_ForwardedHeaders(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")}
	for name, c := range map[string]struct {
		trusted []netip.Prefix
		peer    string
		header  []string
		want    string
	}{
		"none trusted by default":       {nil, "10.0.0.1:1", []string{"1.2.3.4"}, "10.0.0.1"},
		"not a proxy":                   {proxies, "8.8.8.8:1", []string{"1.2.3.4"}, "8.8.8.8"},
		"one proxy":                     {proxies, "10.0.0.1:1", []string{"1.2.3.4"}, "1.2.3.4"},
		"forged on the left":            {proxies, "10.0.0.1:1", []string{"9.9.9.9, 1.2.3.4"}, "1.2.3.4"},
		"forged in a line of its own":   {proxies, "10.0.0.1:1", []string{"9.9.9.9", "1.2.3.4"}, "1.2.3.4"},
		"two proxies":                   {proxies, "10.0.0.1:1", []string{"9.9.9.9, 1.2.3.4, 10.9.9.9"}, "1.2.3.4"},
		"forged as a proxy":             {proxies, "10.0.0.1:1", []string{"10.1.1.1, 1.2.3.4"}, "1.2.3.4"},
		"all are proxies":               {proxies, "10.0.0.1:1", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		"no header":                     {proxies, "10.0.0.1:1", nil, "10.0.0.1"},
		"rubbish":                       {proxies, "10.0.0.1:1", []string{"unknown"}, "10.0.0.1"},
		"rubbish left of a client":      {proxies, "10.0.0.1:1", []string{"x, 1.2.3.4"}, "1.2.3.4"},
		"mapped peer":                   {proxies, "[::ffff:10.0.0.1]:1", []string{"::ffff:1.2.3.4"}, "1.2.3.4"},
		"IPv6 proxy":                    {proxies, "[2001:db8::1]:1", []string{"2a00::1"}, "2a00::1"},
		"mapped proxy does not hide it": {proxies, "[::ffff:8.8.8.8]:1", []string{"1.2.3.4"}, "8.8.8.8"},
	} {
		t.Run(name, func(t *testing.T) {
			var got string
			var links []string
			h := httpapi.Middleware(httpapi.Options{TrustedProxies: c.trusted, PublicURL: "https://id.example"})(
				http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					got, links = httpapi.ClientIP(r.Context()).String(), httpapi.Links(r.Context(), "x")
				}))
			req := httptest.NewRequest("GET", "http://evil.example/a", nil)
			req.RemoteAddr = c.peer
			req.Header["X-Forwarded-For"] = c.header
			req.Header.Set("X-Forwarded-Host", "evil.example")
			req.Header.Set("X-Forwarded-Proto", "gopher")
			req.Header.Set("Forwarded", "for=1.1.1.1;host=evil.example")
			h.ServeHTTP(httptest.NewRecorder(), req)
			if got != c.want {
				t.Errorf("client is %s, want %s", got, c.want)
			}
			for _, l := range links {
				if !strings.HasPrefix(l, "<https://id.example") || strings.Contains(l, "evil") {
					t.Errorf("link %s follows a header", l)
				}
			}
		})
	}
}

func TestPanicAfterTheAnswerBeganCutsTheConnection(t *testing.T) {
	s := httptest.NewServer(httpapi.Middleware(httpapi.Options{})(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("half", 10_000)) // the test client reads it
		panic("oh no")
	})))
	defer s.Close()
	res, err := http.Get(s.URL)
	if err == nil {
		_, err = io.ReadAll(res.Body)
		_ = res.Body.Close() // read as far as it goes
	}
	if err == nil {
		t.Error("half an answer passed for a whole one")
	}
}

func TestLimitBody(t *testing.T) {
	handler := func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			httpapi.WriteError(w, r, err)
			return
		}
		_, _ = w.Write(b) // the test client reads it
	}
	s := httptest.NewServer(httpapi.LimitBody(10)(http.HandlerFunc(handler)))
	defer s.Close()
	for name, c := range map[string]struct {
		body   io.Reader
		status int
	}{
		"none":              {nil, 200},
		"at the limit":      {strings.NewReader("0123456789"), 200},
		"announced":         {strings.NewReader("0123456789x"), 413},
		"announced large":   {strings.NewReader(strings.Repeat("x", 8<<20)), 413},
		"chunked":           {io.MultiReader(strings.NewReader("0123456789x")), 413},
		"chunked at limit":  {io.MultiReader(strings.NewReader("0123456789")), 200},
		"chunked and large": {io.MultiReader(strings.NewReader(strings.Repeat("x", 1<<20))), 413},
	} {
		t.Run(name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL, c.body)
			if err != nil {
				t.Fatal(err)
			}
			if req.ContentLength > 1<<20 {
				req.Header.Set("Expect", "100-continue") // one that sends on may lose the answer with the connection
			}
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = res.Body.Close() }() // read below
			b, err := io.ReadAll(res.Body)
			if err != nil || res.StatusCode != c.status {
				t.Errorf("got %d %s (%v), want %d", res.StatusCode, b, err, c.status)
			}
			if c.status == 413 && !strings.Contains(string(b), httpapi.EMalformed) {
				t.Errorf("the refusal has no body of the contract: %s", b)
			}
		})
	}
}

func TestAuthenticateOfOtherSurfaces(t *testing.T) {
	fail := func(w http.ResponseWriter, _ *http.Request, status int, detail string) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, detail) // the recorder takes it
	}
	h := httpapi.Authenticate(tokens{"good": {httpapi.ScopeSCIM}}, fail)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, httpapi.Caller(r.Context()).ID) // the recorder takes it
	}))
	for name, c := range map[string]struct {
		authorization []string
		status        int
		body          string
	}{
		"good":        {[]string{"Bearer good"}, 200, "good"},
		"none":        {nil, 401, "required"},
		"unknown":     {[]string{"Bearer bad"}, 401, "revoked"},
		"empty":       {[]string{"Bearer "}, 401, "revoked"},
		"only scheme": {[]string{"Bearer"}, 401, "revoked"},
		"two":         {[]string{"Bearer good", "Bearer bad"}, 401, "revoked"},
		"basic":       {[]string{"Basic good"}, 401, "revoked"},
		"database":    {[]string{"Bearer broken"}, 500, "internal"},
	} {
		t.Run(name, func(t *testing.T) {
			rec, req := httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)
			req.Header["Authorization"] = c.authorization
			h.ServeHTTP(rec, req)
			if rec.Code != c.status || !strings.Contains(rec.Body.String(), c.body) {
				t.Errorf("got %d %q, want %d %q", rec.Code, rec.Body, c.status, c.body)
			}
			if challenge := rec.Header().Get("WWW-Authenticate"); (challenge != "") != (c.status == 401) {
				t.Errorf("challenge %q beside status %d", challenge, c.status)
			}
		})
	}
}

func TestAuthenticators(t *testing.T) {
	both := httpapi.Authenticators{tokens{"a": nil}, tokens{"b": {"x"}}}
	if p, err := both.Authenticate(t.Context(), "b"); err != nil || !p.Allows("x") || p.Allows("y") {
		t.Errorf("second authenticator: %+v, %v", p, err)
	}
	if _, err := both.Authenticate(t.Context(), "c"); !errors.Is(err, httpapi.ErrUnauthenticated) {
		t.Errorf("unknown to both: %v", err)
	}
	if _, err := both.Authenticate(t.Context(), "broken"); err == nil || errors.Is(err, httpapi.ErrUnauthenticated) {
		t.Errorf("a fault of the first is hidden: %v", err)
	}
}

func TestMuxAnswersInTheFormOfTheSurface(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /scim/v2/Users", func(http.ResponseWriter, *http.Request) {})
	h := httpapi.Mux(mux, httpapi.Form{Prefix: "/scim/", Write: func(w http.ResponseWriter, _ *http.Request, status int) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "scim") // the recorder takes it
	}})
	for _, c := range []struct {
		method, path string
		status       int
		body         string
	}{
		{"GET", "/scim/v2/Users", 200, ""},
		{"GET", "/scim/v2/Nobody", 404, "scim"},
		{"DELETE", "/scim/v2/Users", 405, "scim"},
		{"GET", "/else", 404, httpapi.ENoPath},
		{"GET", "//scim/v2/Users", 307, ""},
	} {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequest(c.method, c.path, nil))
		if rec.Code != c.status || !strings.Contains(rec.Body.String(), c.body) {
			t.Errorf("%s %s: got %d %q, want %d %q", c.method, c.path, rec.Code, rec.Body, c.status, c.body)
		}
	}
}
