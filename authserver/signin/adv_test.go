package signin

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/federation/oidc/oidctest"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
)

// wantNoSession fails when anybody is signed in.
func wantNoSession(t *testing.T, n *node) {
	t.Helper()
	if got := n.count(t, `SELECT count(*) FROM sessions`); got != 0 {
		t.Errorf("%d sessions, want none", got)
	}
}

// A step that is skipped, replayed, or sent from another browser or for another
// request starts the flow again, whatever else the post says.
func TestADV36_StepsCannotBeSkippedOrReplayed(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		n.addUser(t, login, password)
		good := url.Values{"username": {login}, "password": {password}}
		with := func(form url.Values, more ...string) url.Values {
			all := url.Values{}
			for name := range form {
				all.Set(name, form.Get(name))
			}
			for i := 0; i+1 < len(more); i += 2 {
				all.Set(more[i], more[i+1])
			}
			return all
		}
		b := openBrowser(t)
		spent, _ := b.get(n.URL + "/authorize?x=1").form(t)
		wantPage(t, b.post(n.URL+"/signin", with(spent, "username", login, "password", "wrong")), http.StatusUnauthorized, "invalid_credentials")
		stranger := openBrowser(t)
		foreign, _ := stranger.get(n.URL + "/authorize?x=1").form(t)
		for name, form := range map[string]url.Values{
			"empty post":                 with(spent, "token", ""),
			"no token":                   with(good, "request", spent.Get("request")),
			"replayed token":             with(good, "request", spent.Get("request"), "token", spent.Get("token")),
			"token of another browser":   with(good, "request", spent.Get("request"), "token", foreign.Get("token")),
			"request of another browser": with(good, "request", foreign.Get("request"), "token", spent.Get("token")),
			"form of another browser":    with(good, "request", foreign.Get("request"), "token", foreign.Get("token")),
		} {
			t.Run(name, func(t *testing.T) {
				p := b.post(n.URL+"/signin", form)
				wantPage(t, p, http.StatusForbidden, "restart")
			})
		}
		wantNoSession(t, n)
		wantPage(t, b.get(n.URL+"/oauth2/v1/authorize/callback?code=x&state="+strings.Repeat("a", cookieLength)), http.StatusBadRequest, "invalid_state")
		wantNoSession(t, n)
	})
}

// A flow that ended is over: its form signs nobody in again.
func TestADV36_FinishedFlowIsOver(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		u := n.addUser(t, login, password)
		b := openBrowser(t)
		form, _ := b.get(n.URL + "/authorize?x=1").form(t)
		cookies := b.cookies(n)
		form.Set("username", login)
		form.Set("password", password)
		wantSignedIn(t, b.post(n.URL+"/signin", form), u.ID)

		replay := openBrowser(t)
		at, _ := url.Parse(n.URL)
		for name, value := range cookies {
			replay.jar.SetCookies(at, []*http.Cookie{{Name: name, Value: value}})
		}
		wantPage(t, replay.post(n.URL+"/signin", form), http.StatusForbidden, "restart")
		if got := n.count(t, `SELECT count(*) FROM sessions`); got != 1 {
			t.Errorf("%d sessions, want that of the first post", got)
		}
	})
}

// Posts with one token at the same time: one is taken.
func TestADV36_OneTokenOnce(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		n.addUser(t, login, password)
		b := openBrowser(t)
		form, _ := b.get(n.URL + "/authorize?x=1").form(t)
		form.Set("username", login)
		form.Set("password", "wrong")
		var taken sync.Map
		var group sync.WaitGroup
		for i := range 6 {
			group.Go(func() { taken.Store(i, b.post(n.URL+"/signin", form).StatusCode) })
		}
		group.Wait()
		got := map[any]int{}
		taken.Range(func(_, status any) bool { got[status]++; return true })
		if got[http.StatusUnauthorized] != 1 || got[http.StatusForbidden] != 5 {
			t.Errorf("answers are %v, want one 401 and five 403", got)
		}
	})
}

// What a caller writes into headers about host, scheme and address changes no link,
// no redirect and no counter.
func TestADV38_ForwardedHeaders(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		d := oidctest.New(t)
		n.addIdP(t, d, nil)
		b := openBrowser(t)
		b.header = http.Header{
			"X-Forwarded-Host": {"evil.example"}, "X-Forwarded-Proto": {"https"}, "Forwarded": {"host=evil.example"},
			"X-Original-Url": {"https://evil.example/"}, "X-Forwarded-For": {"203.0.113.9"},
		}
		p := b.get(n.URL + "/authorize?x=1")
		if strings.Contains(p.body, "evil.example") {
			t.Error("the page repeats the header")
		}
		at, err := b.stay().get(n.URL + p.links(t, "idp")[0]).Location()
		if err != nil {
			t.Fatal(err)
		}
		if got := at.Query().Get("redirect_uri"); got != n.URL+"/oauth2/v1/authorize/callback" {
			t.Errorf("redirect_uri is %s, want that of the public URL", got)
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, n.URL+"/signin", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = "evil.example"
		if p := b.do(req); strings.Contains(p.body, "evil.example") || strings.Contains(fmt.Sprint(p.Header), "evil.example") {
			t.Error("the page repeats the host")
		}
		for i := range 3 {
			b.header.Set("X-Forwarded-For", fmt.Sprintf("203.0.113.%d", i))
			b.signIn(n, fmt.Sprintf("nobody%d@corp.example", i), "wrong")
		}
		if got := n.count(t, `SELECT count(*) FROM signin_limits`); got != 4 {
			t.Errorf("%d buckets after three names from one address, want three and one", got)
		}
	})
}

// One counter for an account, however it is written, on every node, by page and API,
// after a restart; and one that looks the same for an account that does not exist.
func TestADV39_OneCounter(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		a, b := newNode(t, db), newNode(t, db)
		u := a.addUser(t, login, password)
		spellings := []string{login, "ADA@CORP.EXAMPLE", "  ada@corp.example ", "ada", "Ada@Corp.Example"}
		unknown := []string{"eve@corp.example", "EVE@CORP.EXAMPLE", " eve@corp.example", "eve@corp.example ", "Eve@Corp.Example"}
		for _, names := range [][]string{spellings, unknown} {
			for i, name := range names {
				n := []*node{a, b}[i%2]
				wantPage(t, openBrowser(t).signIn(n, name, "wrong"), http.StatusUnauthorized, "invalid_credentials")
			}
		}
		restarted := newNode(t, db)
		for _, n := range []*node{a, b, restarted} {
			for _, name := range []string{login, "ada", "eve@corp.example"} {
				p := openBrowser(t).signIn(n, name, password)
				wantPage(t, p, http.StatusTooManyRequests, "too_many_attempts")
				if after, err := strconv.Atoi(p.Header.Get("Retry-After")); err != nil || after < 1 || after > 30 {
					t.Errorf("Retry-After is %q, want 1 to 30 seconds", p.Header.Get("Retry-After"))
				}
			}
		}
		x := openBrowser(t)
		sealed := a.signin.Sessions.SealRequest(a.app)
		_, out := x.api(a, "start", map[string]string{"request": sealed})
		status, out, header := x.apiFull(a, "password", map[string]string{"request": sealed, "token": out.Token, "username": login, "password": password})
		if status != http.StatusTooManyRequests || out.Error == nil || out.Error.RetryAfter < 1 || header.Get("Retry-After") == "" {
			t.Errorf("flow API: %d %+v", status, out)
		}
		wantNoSession(t, a)

		// Soft: the owner gets in after a short wait, and the counter starts anew.
		a.signin.Now = func() time.Time { return time.Now().Add(perAccount.interval) }
		wantSignedIn(t, openBrowser(t).signIn(a, login, password), u.ID)
		if got := a.count(t, `SELECT count(*) FROM signin_limits WHERE hash = $1`, a.signin.Keys.Hash("signin-limit", "user "+u.ID)); got != 0 {
			t.Error("a good password leaves the counter of its account")
		}
	})
}

// Guesses at the same time cannot outrun the counter.
func TestADV39_ParallelGuesses(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		n.addUser(t, login, password)
		var statuses sync.Map
		var group sync.WaitGroup
		for i := range 12 {
			b := openBrowser(t)
			p := b.get(n.URL + "/authorize?x=1")
			group.Go(func() { statuses.Store(i, b.fill(n, p, login, "wrong").StatusCode) })
		}
		group.Wait()
		got := map[any]int{}
		statuses.Range(func(_, status any) bool { got[status]++; return true })
		if int64(got[http.StatusUnauthorized]) > perAccount.burst || got[http.StatusTooManyRequests] == 0 {
			t.Errorf("answers are %v, want at most %d guesses", got, perAccount.burst)
		}
	})
}

func TestADV39_OneAddress(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		u := n.addUser(t, login, password)
		key := n.signin.ipKey(netip.MustParseAddr("127.0.0.1"))
		err := n.signin.DB.Write(t.Context(), func(tx *sqldb.Tx) error {
			for range perIP.burst {
				if err := n.signin.chargeTx(tx, key, perIP); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		wantPage(t, openBrowser(t).signIn(n, login, password), http.StatusTooManyRequests, "too_many_attempts")
		n.signin.Now = func() time.Time { return time.Now().Add(perIP.interval) }
		wantSignedIn(t, openBrowser(t).signIn(n, login, password), u.ID)
	})
}

// Unknown, locked, suspended, federated and password-less users get the same status,
// headers and body for the same work: the same rows written, and the same memory
// spent, which the password hash dominates.
func TestADV41_NoEnumeration(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		d := oidctest.New(t)
		d.Person["email"] = "federated@corp.example"
		n.addIdP(t, d, nil)
		fed := openBrowser(t)
		fed.get(n.URL + fed.get(n.URL+"/authorize?x=1").links(t, "idp")[0])
		n.addUser(t, "wrong@corp.example", password)
		n.addUser(t, "nopass@corp.example", "")
		for name, op := range map[string]directory.LifecycleOp{"suspend@corp.example": directory.Suspend, "expired@corp.example": directory.ExpirePassword, "gone@corp.example": directory.Deactivate} {
			u := n.addUser(t, name, password)
			if _, err := n.signin.Directory.SetStatus(t.Context(), manage, u.ID, op); err != nil {
				t.Fatal(err)
			}
		}
		want := n.observe(t, "wrong@corp.example", "guess")
		for _, name := range []string{"unknown@corp.example", "federated@corp.example", "nopass@corp.example", "suspend@corp.example", "expired@corp.example", "gone@corp.example"} {
			for _, pass := range []string{"guess", password} {
				got := n.observe(t, name, pass)
				if got.visible != want.visible {
					t.Errorf("%s: a stranger sees\n%s\nwant\n%s", name, got.visible, want.visible)
				}
				if got.rows != want.rows {
					t.Errorf("%s: rows written %s, want %s", name, got.rows, want.rows)
				}
				if ratio := float64(got.memory) / float64(want.memory); ratio < 0.8 || ratio > 1.25 {
					t.Errorf("%s: spent %.2f times the memory of a wrong password: the hash is skipped or made twice", name, ratio)
				}
			}
		}
	})
}

type observation struct {
	visible string
	rows    string
	memory  uint64
}

var secrets = regexp.MustCompile(`(name="(request|token)" value=|request=)"?[\w-]+`)

// observe makes one attempt and notes what is to be seen of it, and what it cost.
func (n *node) observe(t *testing.T, name, pass string) observation {
	t.Helper()
	b := openBrowser(t)
	p := b.get(n.URL + "/authorize?x=1")
	tables := []string{"events", "signins", "sessions", "resources"}
	before := map[string]int{}
	for _, table := range tables {
		before[table] = n.count(t, `SELECT count(*) FROM `+table)
	}
	var start, end runtime.MemStats
	runtime.ReadMemStats(&start)
	p = b.fill(n, p, name, pass)
	runtime.ReadMemStats(&end)
	o := observation{memory: end.TotalAlloc - start.TotalAlloc}
	for _, table := range tables {
		o.rows += fmt.Sprintf("%s %d ", table, n.count(t, `SELECT count(*) FROM `+table)-before[table])
	}
	body := strings.ReplaceAll(secrets.ReplaceAllString(p.body, "$1"), name, "NAME")
	header := p.Header.Clone()
	for _, varies := range []string{"Date", "Set-Cookie", "X-Request-Id", "X-Okta-Request-Id", "Content-Length"} {
		header.Del(varies)
	}
	o.visible = fmt.Sprintf("%d\n%v\n%s", p.StatusCode, header, body)
	return o
}
