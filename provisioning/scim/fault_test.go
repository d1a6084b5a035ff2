package scim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/provost-id/provost/provisioning"
)

// double is a SCIM server that does as a test tells it, for what no real server does on demand. It knows one user, one group and no rules.
type double struct {
	*httptest.Server
	mu    sync.Mutex // guards asked
	asked []string   // "METHOD /path?query body"
	// answer is asked first; false leaves the answer to the double.
	answer func(w http.ResponseWriter, r *http.Request, body string) bool
	spc    string // ServiceProviderConfig, "" for a target that has PATCH and ETags
}

const user = `{"id":"u1","userName":"ada","externalId":"00u1","active":true,"title":"T","meta":{"version":"W/\"1\""}}`

func newDouble(t *testing.T, answer func(http.ResponseWriter, *http.Request, string) bool) *double {
	t.Helper()
	d := &double{answer: answer}
	d.Server = httptest.NewServer(d)
	t.Cleanup(d.Close)
	return d
}

func (d *double) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20)) // what the client sent until it gave up
	d.mu.Lock()
	d.asked = append(d.asked, strings.TrimSpace(r.Method+" "+r.URL.String()+" "+string(b)))
	d.mu.Unlock()
	if d.answer != nil && d.answer(w, r, string(b)) {
		return
	}
	switch r.Method + " " + r.URL.Path {
	case "GET /ServiceProviderConfig":
		if d.spc == "" {
			d.spc = `{"patch":{"supported":true},"etag":{"supported":true},"changePassword":{"supported":true}}`
		}
		fmt.Fprint(w, d.spc)
	case "GET /Users":
		fmt.Fprintf(w, `{"totalResults":1,"Resources":[%s]}`, user)
	case "GET /Groups":
		fmt.Fprint(w, `{"totalResults":1,"Resources":[{"id":"g1","displayName":"g"}]}`)
	case "GET /Groups/g1":
		fmt.Fprint(w, `{"id":"g1","displayName":"g"}`)
	case "GET /Users/u1", "PATCH /Users/u1", "PUT /Users/u1":
		fmt.Fprint(w, user)
	case "PATCH /Groups/g1", "PUT /Groups/g1", "DELETE /Users/u1":
		w.WriteHeader(http.StatusNoContent)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// writes lists the requests that change something.
func (d *double) writes() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []string
	for _, a := range d.asked {
		if !strings.HasPrefix(a, "GET ") {
			out = append(out, a)
		}
	}
	return out
}

func (d *double) connector(t *testing.T, settings ...map[string]any) *Connector {
	t.Helper()
	c := provisioning.Config{"baseUrl": d.URL, "token": "very-secret"}
	if len(settings) > 0 {
		c["profileSettings"] = settings[0]
	}
	return open(t, c)
}

// says answers one kind of request with a status and a body.
func says(method string, status int, body string, header ...string) func(http.ResponseWriter, *http.Request, string) bool {
	return func(w http.ResponseWriter, r *http.Request, _ string) bool {
		if r.Method != method {
			return false
		}
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body) // the client may have gone
		return true
	}
}

var (
	u1       = provisioning.Ref{Type: provisioning.TypeUser, ID: "u1"}
	g1       = provisioning.Ref{Type: provisioning.TypeGroup, ID: "g1"}
	newTitle = provisioning.Delta{Set: map[string]provisioning.Change{"title": {From: []string{"T"}, To: []string{"New"}}}}
	newUser  = provisioning.Object{Ref: provisioning.Ref{Type: provisioning.TypeUser}, Active: true, Attributes: map[string][]string{"userName": {"new"}}}
)

// TestADV76_Answers: what each answer means for a create and for an update.
func TestADV76_Answers(t *testing.T) {
	for _, test := range []struct {
		name           string
		status         int
		body           string
		header         []string
		create, update error
		retry          time.Duration
	}{
		{"429", 429, `{"detail":"slow down"}`, []string{"Retry-After", "7"}, provisioning.ErrRateLimited, provisioning.ErrRateLimited, 7 * time.Second},
		{"503", 503, "maintenance", []string{"Retry-After", "60"}, provisioning.ErrTransient, provisioning.ErrTransient, time.Minute},
		{"500", 500, "oops", nil, provisioning.ErrUnknown, provisioning.ErrTransient, 0},
		{"502", 502, "<html>bad gateway</html>", nil, provisioning.ErrUnknown, provisioning.ErrTransient, 0},
		{"409", 409, `{"scimType":"uniqueness","detail":"taken"}`, nil, provisioning.ErrConflict, provisioning.ErrConflict, 0},
		{"400 uniqueness", 400, `{"scimType":"uniqueness","detail":"taken"}`, nil, provisioning.ErrConflict, provisioning.ErrConflict, 0},
		{"400", 400, `{"detail":"attribute 'title' is too long"}`, nil, provisioning.ErrInvalid, provisioning.ErrInvalid, 0},
		{"403", 403, "no", nil, provisioning.ErrDenied, provisioning.ErrDenied, 0},
		{"412", 412, "", nil, provisioning.ErrConflict, provisioning.ErrConflict, 0},
		{"200 and nothing", 200, "", nil, provisioning.ErrUnknown, nil, 0},
		{"200 and garbage", 200, "<html>welcome</html>", nil, provisioning.ErrUnknown, nil, 0},
		{"201 without an id", 201, `{"userName":"new"}`, nil, provisioning.ErrUnknown, nil, 0},
		{"redirect", 307, "", []string{"Location", "/elsewhere"}, provisioning.ErrInvalid, provisioning.ErrInvalid, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := newDouble(t, func(w http.ResponseWriter, r *http.Request, body string) bool {
				return r.Method != http.MethodGet && says(r.Method, test.status, test.body, test.header...)(w, r, body)
			})
			c := d.connector(t)
			_, err := c.Create(t.Context(), newUser, "00u9")
			check(t, err, test.create, test.status, test.retry)
			_, err = c.Update(t.Context(), u1, newTitle, `W/"1"`)
			check(t, err, test.update, test.status, test.retry)
			if n := len(d.writes()); n != 2 {
				t.Errorf("%d requests: the connector repeats nothing by itself", n)
			}
		})
	}
}

func check(t *testing.T, err, kind error, status int, retry time.Duration) {
	t.Helper()
	if kind == nil {
		if err != nil {
			t.Errorf("got %v", err)
		}
		return
	}
	var e *provisioning.Error
	if !errors.As(err, &e) || !errors.Is(err, kind) || e.Status != status || e.RetryAfter != retry {
		t.Errorf("got %v after %v, want %v", err, e, kind)
	}
}

// TestADV76_RedirectGetsNoToken: whoever a target points at sees neither token nor body.
func TestADV76_RedirectGetsNoToken(t *testing.T) {
	elsewhere := newDouble(t, nil)
	d := newDouble(t, func(w http.ResponseWriter, r *http.Request, _ string) bool {
		http.Redirect(w, r, elsewhere.URL+r.URL.Path, http.StatusTemporaryRedirect)
		return true
	})
	c := d.connector(t)
	if _, err := c.Create(t.Context(), newUser, ""); !errors.Is(err, provisioning.ErrInvalid) {
		t.Errorf("create: %v", err)
	}
	if _, err := c.Describe(t.Context()); err == nil {
		t.Error("describe followed")
	}
	if len(elsewhere.asked) != 0 {
		t.Errorf("followed: %v", elsewhere.asked)
	}
}

// TestADV76_Endless: 10 GB are not read, and a drip is not waited for.
func TestADV76_Endless(t *testing.T) {
	var sent atomic.Int64
	endless := func(pause time.Duration) func(http.ResponseWriter, *http.Request, string) bool {
		return func(w http.ResponseWriter, r *http.Request, _ string) bool {
			if r.URL.Path != "/Users/u1" {
				return false
			}
			chunk := []byte(`{"x":"` + strings.Repeat("x", 64<<10))
			for n := 0; n < 10<<30 && r.Context().Err() == nil; n += len(chunk) {
				if _, err := w.Write(chunk); err != nil {
					return true
				}
				sent.Add(int64(len(chunk)))
				w.(http.Flusher).Flush()
				time.Sleep(pause)
			}
			return true
		}
	}
	if _, err := newDouble(t, endless(0)).connector(t).Get(t.Context(), u1); !errors.Is(err, provisioning.ErrTooLarge) {
		t.Errorf("10 GB: %v, want ErrTooLarge", err)
	}
	if n := sent.Load(); n > 2*maxBody { // with what the sockets buffer
		t.Errorf("%d bytes were read", n)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := newDouble(t, endless(100*time.Millisecond)).connector(t).Get(ctx, u1); !errors.Is(err, provisioning.ErrTransient) {
		t.Errorf("drip: %v, want ErrTransient", err)
	}
}

// TestADV76_CreateWithoutAnAnswer: the connection breaks after the request; without any connection nothing can have happened.
func TestADV76_CreateWithoutAnAnswer(t *testing.T) {
	d := newDouble(t, func(_ http.ResponseWriter, r *http.Request, _ string) bool {
		if r.Method == http.MethodPost {
			panic(http.ErrAbortHandler)
		}
		return false
	})
	c := d.connector(t)
	if _, err := c.Create(t.Context(), newUser, ""); !errors.Is(err, provisioning.ErrUnknown) {
		t.Errorf("broken: %v, want ErrUnknown", err)
	}
	d.Close()
	if _, err := c.Create(t.Context(), newUser, ""); !errors.Is(err, provisioning.ErrTransient) {
		t.Errorf("nobody there: %v, want ErrTransient", err)
	}
}

// TestNotFoundIsVerified: 404 means gone only where the list of all answers.
func TestNotFoundIsVerified(t *testing.T) {
	gone := newDouble(t, nil)
	ghost := provisioning.Ref{Type: provisioning.TypeUser, ID: "ghost"}
	if _, err := gone.connector(t).Get(t.Context(), ghost); !errors.Is(err, provisioning.ErrNotFound) {
		t.Errorf("gone: %v, want ErrNotFound", err)
	}
	away := newDouble(t, func(w http.ResponseWriter, r *http.Request, _ string) bool {
		if strings.HasPrefix(r.URL.Path, "/Users") {
			http.NotFound(w, r)
			return true
		}
		return false
	})
	c := away.connector(t)
	if _, err := c.Get(t.Context(), ghost); !errors.Is(err, provisioning.ErrTransient) {
		t.Errorf("away: %v, want ErrTransient", err)
	}
	if err := c.Delete(t.Context(), ghost); !errors.Is(err, provisioning.ErrTransient) {
		t.Errorf("delete: %v, want ErrTransient", err)
	}
	if _, err := c.Update(t.Context(), ghost, newTitle, ""); !errors.Is(err, provisioning.ErrTransient) {
		t.Errorf("update: %v, want ErrTransient", err)
	}
}

// TestIfMatch: the version goes out with the change, and a stale one is a conflict.
func TestIfMatch(t *testing.T) {
	var match string
	d := newDouble(t, func(w http.ResponseWriter, r *http.Request, _ string) bool {
		if r.Method != http.MethodPatch {
			return false
		}
		match = r.Header.Get("If-Match")
		w.Header().Set("ETag", `W/"2"`)
		w.WriteHeader(http.StatusNoContent)
		return true
	})
	v, err := d.connector(t).Update(t.Context(), u1, newTitle, `W/"1"`)
	if err != nil || match != `W/"1"` || v != `W/"2"` {
		t.Errorf("If-Match %s, new version %s, %v", match, v, err)
	}
	if w := d.writes(); len(w) != 1 || !strings.Contains(w[0], `{"op":"replace","path":"title","value":"New"}`) {
		t.Errorf("sent %v", w)
	}
}

// TestElementWithoutAType: the only address of a user is changed where it stands, although nothing calls it "work".
func TestElementWithoutAType(t *testing.T) {
	d := newDouble(t, func(w http.ResponseWriter, r *http.Request, _ string) bool {
		if r.Method != http.MethodGet || r.URL.Path != "/Users/u1" {
			return false
		}
		fmt.Fprint(w, `{"id":"u1","userName":"ada","emails":[{"value":"old@x"}],"meta":{"version":"W/\"1\""}}`)
		return true
	})
	delta := provisioning.Delta{Set: map[string]provisioning.Change{`emails[type eq "work"].value`: {From: []string{"old@x"}, To: []string{"new@x"}}}}
	if _, err := d.connector(t).Update(t.Context(), u1, delta, `W/"1"`); err != nil {
		t.Fatal(err)
	}
	if w := d.writes(); len(w) != 1 || !strings.Contains(w[0], `{"op":"replace","path":"emails[value eq \"old@x\"].value","value":"new@x"}`) {
		t.Errorf("sent %v", w)
	}
}

// TestFallsBackToPUT where PATCH is missing, however the target says so.
func TestFallsBackToPUT(t *testing.T) {
	for name, answer := range map[string]func(http.ResponseWriter, *http.Request, string) bool{
		"405": says("PATCH", 405, ""), "501": says("PATCH", 501, ""), "404 of someone who is there": says("PATCH", 404, ""),
		"ServiceProviderConfig": nil,
	} {
		t.Run(name, func(t *testing.T) {
			d := newDouble(t, answer)
			if answer == nil {
				d.spc = `{"patch":{"supported":false}}`
			}
			if _, err := d.connector(t).Update(t.Context(), u1, newTitle, ""); err != nil {
				t.Fatal(err)
			}
			w := d.writes()
			var body map[string]any
			if err := json.Unmarshal([]byte(strings.TrimPrefix(w[len(w)-1], "PUT /Users/u1 ")), &body); err != nil {
				t.Fatalf("%v: %v", w, err)
			}
			if body["title"] != "New" || body["userName"] != "ada" || body["externalId"] != "00u1" || body["meta"] != nil {
				t.Errorf("put %v", body)
			}
		})
	}
}

// TestDiscoveryIsNotGuessed: rubbish for an answer is a fault, no answer is the RFC's default.
func TestDiscoveryIsNotGuessed(t *testing.T) {
	d := newDouble(t, nil)
	d.spc = "<html>login</html>"
	if _, err := d.connector(t).Describe(t.Context()); !errors.Is(err, provisioning.ErrTransient) || !strings.Contains(err.Error(), "<html>login") {
		t.Errorf("rubbish: %v", err)
	}
	none := newDouble(t, says("GET", 404, ""))
	if can, err := none.connector(t).Describe(t.Context()); err != nil || !can.Members {
		t.Errorf("none: %+v, %v", can, err)
	}
}

// TestSecretsAreLeftOut of what a target repeats.
func TestSecretsAreLeftOut(t *testing.T) {
	d := newDouble(t, func(w http.ResponseWriter, r *http.Request, body string) bool {
		if r.Method == http.MethodGet {
			return false
		}
		http.Error(w, r.Header.Get("Authorization")+" sent "+body, http.StatusBadRequest)
		return true
	})
	c := d.connector(t)
	for _, err := range []error{
		c.SetPassword(t.Context(), u1, "correct horse"),
		func() error { _, err := c.Create(t.Context(), newUser, ""); return err }(),
	} {
		if err == nil || strings.Contains(err.Error(), "very-secret") || strings.Contains(err.Error(), "correct horse") || !strings.Contains(err.Error(), "***") {
			t.Errorf("got %v", err)
		}
	}
}

// TestFilterThatIsIgnored: everybody is no answer to a question for one.
func TestFilterThatIsIgnored(t *testing.T) {
	c := newDouble(t, nil).connector(t)
	if o, err := c.Get(t.Context(), provisioning.Ref{Type: provisioning.TypeUser, ExternalID: "00u9"}); !errors.Is(err, provisioning.ErrTruncated) {
		t.Errorf("got %+v, %v, want ErrTruncated", o, err)
	}
	if o, err := c.Get(t.Context(), provisioning.Ref{Type: provisioning.TypeUser, ExternalID: "00u1"}); err != nil || o.ID != "u1" {
		t.Errorf("got %+v, %v", o, err)
	}
}

// TestADV73_PagesThatShift are no complete read, and lower-case resources are read all the same.
func TestADV73_PagesThatShift(t *testing.T) {
	for name, test := range map[string]struct {
		pages    []string
		complete bool
	}{
		"lower case":     {[]string{`{"totalResults":2,"resources":[{"id":"a"},{"id":"b"}]}`}, true},
		"two pages":      {[]string{`{"totalResults":3,"Resources":[{"id":"a"},{"id":"b"}]}`, `{"totalResults":3,"Resources":[{"id":"c"}]}`}, true},
		"one went":       {[]string{`{"totalResults":3,"Resources":[{"id":"a"},{"id":"b"}]}`, `{"totalResults":2,"Resources":[]}`}, false},
		"one came twice": {[]string{`{"totalResults":3,"Resources":[{"id":"a"},{"id":"b"}]}`, `{"totalResults":3,"Resources":[{"id":"b"}]}`}, false},
		"cut":            {[]string{`{"totalResults":300,"Resources":[{"id":"a"},{"id":"b"}]}`, `{"totalResults":300}`}, false},
		"empty":          {[]string{`{"totalResults":0}`}, true},
	} {
		t.Run(name, func(t *testing.T) {
			n := 0
			d := newDouble(t, func(w http.ResponseWriter, r *http.Request, _ string) bool {
				if r.URL.Path != "/Users" {
					return false
				}
				fmt.Fprint(w, test.pages[min(n, len(test.pages)-1)])
				n++
				return true
			})
			end, err := d.connector(t).Read(t.Context(), provisioning.ReadRequest{Type: provisioning.TypeUser}, func(provisioning.Batch) error { return nil })
			if err != nil || end.Complete != test.complete {
				t.Errorf("got %+v, %v", end, err)
			}
		})
	}
}
