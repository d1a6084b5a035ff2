package signin

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/provost-id/provost/authserver/layout"
	"github.com/provost-id/provost/authserver/session"
	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/federation"
	"github.com/provost-id/provost/federation/oidc/oidctest"
	"github.com/provost-id/provost/internal/sqldb"
)

func TestPasswordSignIn(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		u := n.addUser(t, login, password)
		b := openBrowser(t)
		p := b.get(n.URL + "/authorize?x=1")
		if _, seen := p.form(t); !slices.Equal(seen, []string{"username", "password"}) {
			t.Fatalf("a person sees the inputs %v, want username and password", seen)
		}
		if got := n.count(t, `SELECT count(*) FROM signins`); got != 0 {
			t.Errorf("GET wrote %d rows, want none", got)
		}
		p = b.fill(n, p, login, "wrong")
		wantPage(t, p, http.StatusUnauthorized, "invalid_credentials")
		if fields, _ := p.form(t); fields.Get("username") != login || fields.Get("password") != "" {
			t.Errorf("the page gives back %v, want the name and no password", fields)
		}
		p = b.fill(n, p, "  ADA@corp.example ", password)
		wantSignedIn(t, p, u.ID)
		if !strings.HasSuffix(p.body, "by pwd ") {
			t.Errorf("session says %q, want amr pwd", p.body)
		}
		wantSignedIn(t, b.get(n.URL+"/authorize?x=1"), u.ID)
	})
}

func TestMissingFields(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		b := openBrowser(t)
		p := b.get(n.URL + "/authorize?x=1")
		p = b.fill(n, p, "", "x")
		wantPage(t, p, http.StatusBadRequest, "missing_credentials")
		p = b.fill(n, p, login, "")
		wantPage(t, p, http.StatusBadRequest, "missing_credentials")
		p = b.fill(n, p, strings.Repeat("x", 300), "x")
		wantPage(t, p, http.StatusBadRequest, "missing_credentials")
	})
}

// A request that has grown old leads back to the application, which makes a new one:
// whoever left the page open loses nothing.
func TestStaleRequestStartsAnew(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		u := n.addUser(t, login, password)
		b := openBrowser(t)
		p := b.get(n.URL + "/authorize?x=1")
		n.signin.Sessions.Now = func() time.Time { return time.Now().Add(session.RequestAge + time.Minute) }
		p = b.fill(n, p, login, password)
		if p.StatusCode != http.StatusOK || p.Request.URL.Path != "/signin" {
			t.Fatalf("the browser stands at %s, %d; want a new sign-in page", p.Request.URL, p.StatusCode)
		}
		wantSignedIn(t, b.fill(n, p, login, password), u.ID)
	})
}

func TestBadLink(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		b := openBrowser(t)
		wantPage(t, b.get(n.URL+"/signin?request=AAAA"), http.StatusBadRequest, "invalid_request")
		wantPage(t, b.post(n.URL+"/signin", url.Values{}), http.StatusBadRequest, "invalid_request")
		p := b.post(n.URL+"/signin", url.Values{"x": {strings.Repeat("x", maxBody)}})
		wantPage(t, p, http.StatusRequestEntityTooLarge, "invalid_request")
	})
}

func TestTwoTabs(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		u := n.addUser(t, login, password)
		b := openBrowser(t)
		first, second := b.get(n.URL+"/authorize?x=1"), b.get(n.URL+"/authorize?x=1")
		wantPage(t, b.fill(n, second, login, "wrong"), http.StatusUnauthorized, "invalid_credentials")
		wantSignedIn(t, b.fill(n, first, login, password), u.ID)
		// The other tab finds the session that has begun meanwhile.
		wantSignedIn(t, b.fill(n, second, login, password), u.ID)
	})
}

func TestLoginHint(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		n.app.LoginHint = `"><script>`
		p := openBrowser(t).get(n.URL + "/authorize?x=1")
		if fields, _ := p.form(t); fields.Get("username") != `"><script>` || strings.Contains(p.body, "<script>") {
			t.Errorf("the hint is not shown safely: %s", p.body)
		}
	})
}

func TestDeactivatedUserLosesSession(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		u := n.addUser(t, login, password)
		b := openBrowser(t)
		wantSignedIn(t, b.signIn(n, login, password), u.ID)
		if _, err := n.signin.Directory.SetStatus(t.Context(), manage, u.ID, directory.Deactivate); err != nil {
			t.Fatal(err)
		}
		p := b.get(n.URL + "/authorize?x=1")
		if p.Request.URL.Path != "/signin" {
			t.Errorf("the browser stands at %s after the deactivation, want the sign-in page", p.Request.URL)
		}
		wantPage(t, b.fill(n, p, login, password), http.StatusUnauthorized, "invalid_credentials")
	})
}

// A session that starts while its user is deactivated is either refused or ended.
func TestDeactivationMeetsSignIn(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		for i := range 20 {
			u := n.addUser(t, fmt.Sprintf("p%d@corp.example", i), "")
			v := visit{r: httptest.NewRequest(http.MethodPost, "/signin", nil)}
			var group sync.WaitGroup
			group.Go(func() {
				err := n.signin.DB.Write(t.Context(), func(tx *sqldb.Tx) error {
					_, err := n.signin.startTx(tx, v, session.NewSession{UserID: u.ID})
					return err
				})
				if err != nil && !errors.Is(err, directory.ErrCredentials) {
					t.Errorf("start: %v", err)
				}
			})
			group.Go(func() {
				if _, err := n.signin.Directory.SetStatus(t.Context(), manage, u.ID, directory.Deactivate); err != nil {
					t.Errorf("deactivate: %v", err)
				}
			})
			group.Wait()
			if err := n.signin.DB.Write(t.Context(), func(tx *sqldb.Tx) error {
				_, err := n.signin.startTx(tx, v, session.NewSession{UserID: u.ID})
				return err
			}); !errors.Is(err, directory.ErrCredentials) {
				t.Errorf("start for a deactivated user: error %v, want ErrCredentials", err)
			}
		}
		wantNoSession(t, n)
	})
}

func TestRoutingByDomain(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		d := oidctest.New(t)
		n.addIdP(t, d, func(i *federation.IdP) { i.Properties.Domains = []string{"double.example"} })
		b := openBrowser(t)
		p := b.get(n.URL + "/authorize?x=1")
		p = b.fill(n, p, "Ada@DOUBLE.example", "")
		if p.StatusCode != http.StatusOK || !strings.HasPrefix(p.body, "code for 00u") {
			t.Errorf("the browser stands at %s, %d: %.300s; want to be signed in through the provider", p.Request.URL, p.StatusCode, p.body)
		}
	})
}

func TestSignOut(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		n.addUser(t, login, password)
		b := openBrowser(t)
		p := b.fill(n, b.get(n.URL+"/signin"), login, password)
		if p.Request.URL.Path != "/signin" || !strings.Contains(p.body, "as <strong>"+login) {
			t.Fatalf("the browser stands at %s: %s; want the page of the session", p.Request.URL, p.body)
		}
		fields, _ := p.form(t)
		p = b.post(n.URL+"/signin/sign-out", fields)
		if p.Request.URL.Path != "/signin/signed-out" || p.StatusCode != http.StatusOK {
			t.Errorf("the browser stands at %s, %d; want the signed-out page", p.Request.URL, p.StatusCode)
		}
		if got := n.count(t, `SELECT count(*) FROM sessions`); got != 0 || len(b.cookies(n)) != 0 {
			t.Errorf("%d sessions and cookies %v are left", got, b.cookies(n))
		}
	})
}

func TestSweepDropsExpiredRows(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		b := openBrowser(t)
		b.signIn(n, login, "wrong")
		if err := n.signin.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := n.count(t, `SELECT count(*) FROM signins`); got != 1 {
			t.Fatalf("%d rows before they expire, want 1", got)
		}
		n.signin.Now = func() time.Time { return time.Now().Add(time.Hour) }
		if err := n.signin.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := n.count(t, `SELECT count(*) FROM signins`) + n.count(t, `SELECT count(*) FROM signin_limits`); got != 0 {
			t.Errorf("%d rows after they expired, want none", got)
		}
	})
}

func TestStyle(t *testing.T) {
	n := newNode(t, openSQLite(t))
	b := openBrowser(t)
	p := b.get(n.URL + "/signin")
	if !strings.Contains(p.body, `href="`+layout.StyleHref()+`"`) {
		t.Error("the page names no style sheet")
	}
	css := b.get(n.URL + layout.StyleHref())
	if css.StatusCode != http.StatusOK || css.Header.Get("Content-Type") != "text/css; charset=utf-8" {
		t.Errorf("style sheet: %d %s", css.StatusCode, css.Header.Get("Content-Type"))
	}
}

func TestFormTarget(t *testing.T) {
	t.Parallel()
	for uri, want := range map[string]string{
		"https://app.example/cb":       "",
		"http://127.0.0.1:9/cb":        "http://127.0.0.1:9",
		"http://[::1]:9/cb":            "http:",
		"com.example.app:/cb":          "com.example.app:",
		"":                             "",
		"http://a;script-src 'x'/":     "",
		"javascript;x:alert":           "",
		"http://a%3bscript-src%20b/cb": "",
	} {
		if got := formTarget(uri); got != want {
			t.Errorf("formTarget(%q) = %q, want %q", uri, got, want)
		}
	}
}
