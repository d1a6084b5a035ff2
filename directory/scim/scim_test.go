package scim_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/directory/feed"
	"github.com/provost-id/provost/directory/scim"
	"github.com/provost-id/provost/internal/apitoken"
	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/internal/keyring"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
	"github.com/provost-id/provost/schemas"
)

const publicURL = "https://id.example"

// service is a SCIM service on a real port.
type service struct {
	t      testing.TB
	dir    *directory.Directory
	tokens *apitoken.Store
	feed   *feed.Service
	url    string
	log    *logBuffer
	schema atomic.Pointer[schemas.Snapshot] // in force
	stored func() *schemas.Snapshot         // what is in force by the database
	people accessTokens
}

// accessTokens knows the access tokens of people, as the org authorization server does.
type accessTokens struct{ sync.Map } // token -> httpapi.Principal

func (a *accessTokens) Authenticate(_ context.Context, token string) (httpapi.Principal, error) {
	p, ok := a.Load(token)
	if !ok {
		return httpapi.Principal{}, httpapi.ErrUnauthenticated
	}
	return p.(httpapi.Principal), nil
}

func newService(t testing.TB, db *sqldb.DB) *service {
	t.Helper()
	keys, err := keyring.New(make([]byte, keyring.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	log := &logBuffer{}
	logger := slog.New(slog.NewJSONHandler(log, nil))
	dir, err := directory.New(context.Background(), db, keys, logger)
	if err != nil {
		t.Fatal(err)
	}
	tokens := &apitoken.Store{DB: db, Keys: keys}
	dir.OnSignOut = append(dir.OnSignOut, tokens.RevokeUser)
	streams := feed.New(feed.Options{Dir: dir, Issuer: publicURL + scim.Base, Log: logger, PollWait: time.Second})
	s := &service{t: t, dir: dir, tokens: tokens, feed: streams, log: log}
	auth := httpapi.Authenticators{tokens, &s.people}
	h := (&scim.Server{Directory: dir, Auth: auth, NoteDialect: tokens.NoteDialect, Feed: streams}).Handler()
	srv := httptest.NewServer(httpapi.Middleware(httpapi.Options{PublicURL: publicURL, Log: logger})(h))
	t.Cleanup(srv.Close)
	s.url = srv.URL + scim.Base
	s.schema.Store(dir.Schemas())
	s.stored, dir.Schemas = dir.Schemas, s.schema.Load
	return s
}

// logBuffer is written by the server while a test reads it.
type logBuffer struct {
	mu  sync.Mutex // guards buf
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// each runs fn against a service on both engines, with a client that may write.
func each(t *testing.T, fn func(t *testing.T, s *service, c *client)) {
	t.Helper()
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := newService(t, db)
		fn(t, s, s.client("", httpapi.ScopeSCIM))
	})
}

// client is a SCIM client with a token of its own.
type client struct {
	t     testing.TB
	s     *service
	token string
	id    string
}

func (s *service) client(dialect string, scopes ...string) *client {
	s.t.Helper()
	secret, token, err := s.tokens.Create(context.Background(), events.System, apitoken.NewToken{
		Name: "test", Scopes: scopes, TTL: time.Hour, Settings: apitoken.Settings{Dialect: dialect},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return &client{t: s.t, s: s, token: secret, id: token.ID}
}

// reply is an answer with its body, decoded when it is JSON.
type reply struct {
	status int
	header http.Header
	raw    string
	body   map[string]any
}

func (c *client) do(method, path, body string, headers ...string) reply {
	c.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, c.s.url+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/scim+json")
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	r := reply{status: resp.StatusCode, header: resp.Header, raw: string(raw)}
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &r.body); err != nil {
			c.t.Fatalf("%s %s: body is not JSON: %v\n%s", method, path, err, raw)
		}
	}
	return r
}

// must is do for a request that has to succeed with a status.
func (c *client) must(status int, method, path, body string, headers ...string) reply {
	c.t.Helper()
	r := c.do(method, path, body, headers...)
	if r.status != status {
		c.t.Fatalf("%s %s: status %d, want %d: %s", method, path, r.status, status, r.raw)
	}
	return r
}

// refused is do for a request that has to fail: the body is a SCIM error (RFC 7644,
// section 3.12) and its detail holds every one of words.
func (c *client) refused(status int, scimType, method, path, body string, words ...string) reply {
	c.t.Helper()
	r := c.do(method, path, body)
	c.t.Helper()
	checkError(c.t, method+" "+path+" "+clip(body), r, status, scimType, words...)
	return r
}

func checkError(t testing.TB, what string, r reply, status int, scimType string, words ...string) {
	t.Helper()
	got, _ := r.body["scimType"].(string)
	detail, _ := r.body["detail"].(string)
	if len(detail) > 1000 {
		t.Errorf("%s: a detail of %d bytes", what, len(detail))
	}
	if r.status != status || got != scimType || detail == "" {
		t.Errorf("%s: status %d scimType %q detail %q, want %d %q", what, r.status, got, detail, status, scimType)
		return
	}
	if s, _ := r.body["status"].(string); s != strings.Fields(r.statusText())[0] {
		t.Errorf("%s: status in the body is %v", what, r.body["status"])
	}
	if schemas, _ := json.Marshal(r.body["schemas"]); string(schemas) != `["urn:ietf:params:scim:api:messages:2.0:Error"]` {
		t.Errorf("%s: schemas %s", what, schemas)
	}
	if ct := r.header.Get("Content-Type"); ct != "application/scim+json" {
		t.Errorf("%s: Content-Type %q", what, ct)
	}
	for _, w := range words {
		if !strings.Contains(detail, w) {
			t.Errorf("%s: detail %q does not name %q", what, detail, w)
		}
	}
}

func (r reply) statusText() string {
	b, _ := json.Marshal(r.status)
	return string(b)
}

func clip(s string) string {
	if len(s) > 100 {
		return s[:100] + "..."
	}
	return s
}

// create makes a user or group and returns its id.
func (c *client) create(path, body string) string {
	c.t.Helper()
	id, _ := c.must(http.StatusCreated, "POST", path, body).body["id"].(string)
	return id
}

func (r reply) resources() []map[string]any {
	list, _ := r.body["Resources"].([]any)
	all := make([]map[string]any, 0, len(list))
	for _, x := range list {
		m, _ := x.(map[string]any)
		all = append(all, m)
	}
	return all
}

// at follows names and indexes into a decoded body.
func at(v any, path ...any) any {
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[p]
		case int:
			l, _ := v.([]any)
			if p >= len(l) {
				return nil
			}
			v = l[p]
		}
	}
	return v
}

func patchBody(ops string) string {
	return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[` + ops + `]}`
}
