package authserver

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/provost-id/provost/authserver/session"
	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/keyring"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
)

// people is a directory of a few.
type people struct {
	mu   sync.Mutex // guards all
	all  map[string]Person
	only map[string]bool // "client user" pairs that are assigned
}

func (p *people) Person(_ context.Context, id string) (*Person, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	v, ok := p.all[id]
	if !ok {
		return nil, ErrNoPerson
	}
	return &v, nil
}

func (p *people) Assigned(_ context.Context, clientID, userID string) (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.only[clientID+" "+userID], nil
}

func (p *people) change(id string, fn func(*Person)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	v := p.all[id]
	fn(&v)
	p.all[id] = v
}

func newPeople() *people {
	ada := Person{
		ID: "00uada", EmailVerified: true, Login: "ada@example.com", Active: true, Groups: []Group{{ID: "00gstaff", Name: "Staff"}},
		Profile: map[string]any{
			"login": "ada@example.com", "email": "ada@example.com", "firstName": "Ada", "lastName": "Lovelace",
			"department": "Analysis", "locale": "en_GB", "mobilePhone": "+44 1", "city": "London",
		},
	}
	bob := Person{ID: "00ubob", Login: "bob@example.com", Active: true, Profile: map[string]any{"email": "bob@example.com"}}
	root := Person{ID: "00uroot", Login: "root@example.com", Active: true, Administrator: true, Profile: map[string]any{}}
	return &people{all: map[string]Person{ada.ID: ada, bob.ID: bob, root.ID: root}, only: map[string]bool{}}
}

// clock is a time that a test moves.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time          { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) advance(d time.Duration) { c.ahead.Add(int64(d)) }

// bench is a running token service with a sign-in page that asks nothing.
type bench struct {
	t        *testing.T
	s        *Service
	db       *sqldb.DB
	people   *people
	clock    *clock
	sessions *session.Store
	web      *httptest.Server
	user     atomic.Value // who signs in at the page
	by       Change
	asked    atomic.Value // session.Request that the page got last
}

func newBench(t *testing.T, db *sqldb.DB, change ...func(*Options)) *bench {
	t.Helper()
	keys, err := keyring.New(make([]byte, keyring.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, db: db, people: newPeople(), clock: &clock{}, by: Change{Actor: events.System}}
	b.user.Store("00uada")
	mux := http.NewServeMux()
	b.web = httptest.NewServer(mux)
	t.Cleanup(b.web.Close)
	b.sessions = &session.Store{DB: db, Keys: keys, Now: b.clock.now}
	o := Options{
		DB: db, Keys: keys, Sessions: b.sessions, People: b.people, Assignments: b.people, PublicURL: b.web.URL, Now: b.clock.now,
	}
	if os.Getenv("PROVOST_TEST_LOG") != "" {
		o.Log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	for _, fn := range change {
		fn(&o)
	}
	if b.s, err = New(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	b.sessions.OnEnd = b.s.EndSession
	b.s.Routes(mux)
	mux.HandleFunc("GET /signin", b.signIn)
	return b
}

// in makes a subtest the one that fails, until its end.
func (b *bench) in(t *testing.T) {
	outer := b.t
	b.t = t
	t.Cleanup(func() { b.t = outer })
}

// sqliteBench is for tests in which storage does not matter.
func sqliteBench(t *testing.T, change ...func(*Options)) *bench {
	t.Helper()
	return newBench(t, sqldbtest.SQLite(t), change...)
}

// signIn is a sign-in page on which everybody is let in at once.
func (b *bench) signIn(w http.ResponseWriter, r *http.Request) {
	request, err := b.sessions.OpenRequest(r.URL.Query().Get("request"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	b.asked.Store(request)
	_, cookie, err := b.sessions.Start(r.Context(), session.NewSession{UserID: b.user.Load().(string), AMR: []string{"pwd"}})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	http.SetCookie(w, cookie)
	http.Redirect(w, r, request.ReturnTo, http.StatusSeeOther)
}

const redirectURI = "https://app.example/cb"

func no() *bool { v := false; return &v }

// webClient registers a confidential client without PKCE.
func (b *bench) webClient(change ...func(*Client)) *Client {
	b.t.Helper()
	c := Client{
		Name: "Web", RedirectURIs: []string{redirectURI}, PostLogoutRedirectURIs: []string{"https://app.example/bye"},
		GrantTypes: []string{grantCode, grantRefresh, grantClientCredentials}, IDTokenAlg: es256, // RSA keys are slow to make
	}
	return b.register(c, change...)
}

// spaClient registers a public client.
func (b *bench) spaClient(change ...func(*Client)) *Client {
	b.t.Helper()
	c := Client{
		Name: "SPA", ApplicationType: AppBrowser, RedirectURIs: []string{redirectURI},
		GrantTypes: []string{grantCode, grantRefresh}, IDTokenAlg: es256,
	}
	return b.register(c, change...)
}

func (b *bench) register(c Client, change ...func(*Client)) *Client {
	b.t.Helper()
	for _, fn := range change {
		fn(&c)
	}
	out, err := b.s.CreateClient(b.t.Context(), b.by, c)
	if err != nil {
		b.t.Fatalf("register client: %v", err)
	}
	return out
}

// browser follows redirects on our host and stops at the client's.
func (b *bench) browser() *http.Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), b.web.URL) {
			return nil
		}
		return http.ErrUseLastResponse
	}}
}

func authorizeForm(c *Client, scope string, more url.Values) url.Values {
	form := url.Values{
		"client_id": {c.ID}, "response_type": {"code"}, "redirect_uri": {redirectURI}, "scope": {scope}, "state": {"some-state"},
	}
	for name, values := range more {
		form[name] = values
		if values[0] == "" {
			form.Del(name)
		}
	}
	return form
}

// authorize goes through the authorization endpoint and returns the client's answer.
func (b *bench) authorize(browser *http.Client, as string, form url.Values) url.Values {
	b.t.Helper()
	resp := b.get(browser, b.as(as, "authorize")+"?"+form.Encode())
	target, err := resp.Location()
	if err != nil {
		b.t.Fatalf("authorize answers %s without a redirect: %s", resp.Status, body(b.t, resp))
	}
	return target.Query()
}

// code gets a code or fails the test.
func (b *bench) code(c *Client, as, scope string, more url.Values) string {
	b.t.Helper()
	answer := b.authorize(b.browser(), as, authorizeForm(c, scope, more))
	if answer.Get("code") == "" {
		b.t.Fatalf("authorize: got %v, want a code", answer)
	}
	return answer.Get("code")
}

// as is the URL of an endpoint of a server.
func (b *bench) as(id, endpoint string) string {
	if id == OrgServer {
		return b.web.URL + "/oauth2/v1/" + endpoint
	}
	return b.web.URL + "/oauth2/" + id + "/v1/" + endpoint
}

func (b *bench) get(client *http.Client, target string) *http.Response {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, target, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

// answer is what an endpoint says.
type answer struct {
	Status int
	Header http.Header
	Body   map[string]any
}

func (a answer) str(name string) string { v, _ := a.Body[name].(string); return v }

// post sends a form as a client: with its secret by Basic, or its ID in the form.
func (b *bench) post(target string, c *Client, form url.Values) answer {
	b.t.Helper()
	if c != nil && c.Secret == "" {
		form.Set("client_id", c.ID)
	}
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, target, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if c != nil && c.Secret != "" {
		req.SetBasicAuth(c.ID, c.Secret)
	}
	return b.do(req)
}

func (b *bench) do(req *http.Request) answer {
	b.t.Helper()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	a := answer{Status: resp.StatusCode, Header: resp.Header, Body: map[string]any{}}
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &a.Body); err != nil {
			b.t.Fatalf("%s %s answers %s", req.Method, req.URL, raw)
		}
	}
	return a
}

func body(t *testing.T, resp *http.Response) string {
	t.Helper()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// exchange redeems a code.
func (b *bench) exchange(c *Client, as, code string, more url.Values) answer {
	b.t.Helper()
	form := url.Values{"grant_type": {grantCode}, "code": {code}, "redirect_uri": {redirectURI}}
	for name, values := range more {
		form[name] = values
		if values[0] == "" {
			form.Del(name)
		}
	}
	return b.post(b.as(as, "token"), c, form)
}

func (b *bench) refresh(c *Client, as, token string, more url.Values) answer {
	b.t.Helper()
	form := url.Values{"grant_type": {grantRefresh}, "refresh_token": {token}}
	for name, values := range more {
		form[name] = values
	}
	return b.post(b.as(as, "token"), c, form)
}

// tokens signs ada in and returns tokens.
func (b *bench) tokens(c *Client, as, scope string) answer {
	b.t.Helper()
	a := b.exchange(c, as, b.code(c, as, scope, nil), nil)
	if a.Status != http.StatusOK {
		b.t.Fatalf("exchange: got %d %v", a.Status, a.Body)
	}
	return a
}

func (b *bench) active(c *Client, as, token string) bool {
	b.t.Helper()
	a := b.post(b.as(as, "introspect"), c, url.Values{"token": {token}})
	active, _ := a.Body["active"].(bool)
	return active
}

// wantError checks an OAuth error and its words.
func (b *bench) wantError(a answer, status int, code, description string) {
	b.t.Helper()
	if a.Status != status || a.str("error") != code || !strings.Contains(a.str("error_description"), description) {
		b.t.Errorf("got %d %q %q, want %d %q %q", a.Status, a.str("error"), a.str("error_description"), status, code, description)
	}
}

// claims decodes a token without verifying it.
func claims(t *testing.T, token string) map[string]any {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("%q is no JWT", token)
	}
	return decodePart(t, parts[1])
}

func header(t *testing.T, token string) map[string]any {
	t.Helper()
	return decodePart(t, strings.Split(token, ".")[0])
}

// eventTypes counts the events of a type.
func (b *bench) eventTypes(typ string) int {
	b.t.Helper()
	var n int
	if err := b.db.QueryRow(b.t.Context(), `SELECT count(*) FROM events WHERE type = $1`, typ).Scan(&n); err != nil {
		b.t.Fatal(err)
	}
	return n
}
