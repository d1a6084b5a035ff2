package signin

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/provost-id/provost/authserver/session"
	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/federation"
	"github.com/provost-id/provost/federation/oidc/oidctest"
	"github.com/provost-id/provost/internal/keyring"
	"github.com/provost-id/provost/internal/sqldb"
)

// The session has another secret after each sign-in, and the one before is over.
func TestADV45_Fixation(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		u := n.addUser(t, login, password)
		b := openBrowser(t)
		at, _ := url.Parse(n.URL)
		planted := strings.Repeat("A", 43)
		name := n.signin.Sessions.CookieName()
		b.jar.SetCookies(at, []*http.Cookie{{Name: name, Value: planted}})
		wantSignedIn(t, b.signIn(n, login, password), u.ID)
		first := b.cookies(n)[name]
		if first == planted || len(first) != 43 {
			t.Fatalf("the session has the secret %q", first)
		}
		p := b.get(n.URL + "/signin?request=" + n.signin.Sessions.SealRequest(n.app))
		wantSignedIn(t, b.fill(n, p, login, password), u.ID)
		second := b.cookies(n)[name]
		if second == first {
			t.Error("the session keeps its secret over a new sign-in")
		}
		if got := n.count(t, `SELECT count(*) FROM sessions`); got != 1 {
			t.Errorf("%d sessions, want the new one alone", got)
		}
		old := openBrowser(t)
		old.jar.SetCookies(at, []*http.Cookie{{Name: name, Value: first}})
		if p := old.get(n.URL + "/authorize?x=1"); p.Request.URL.Path != "/signin" {
			t.Error("the old secret still opens the session")
		}
		if got := n.count(t, `SELECT count(*) FROM sessions WHERE hash = $1`, []byte(second)); got != 0 {
			t.Error("the secret stands in the database")
		}
	})
}

func TestADV45_CookieAttributes(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		u := n.addUser(t, login, password)
		keys, err := keyring.New(make([]byte, keyring.KeySize))
		if err != nil {
			t.Fatal(err)
		}
		n.signin.Sessions = &session.Store{DB: n.signin.DB, Keys: keys, Secure: true}
		v := visit{r: httptest.NewRequest(http.MethodPost, "/signin", nil), flow: flow{browser: newBrowser()}}
		err = n.signin.DB.Write(t.Context(), func(tx *sqldb.Tx) error {
			cookies, err := n.signin.startTx(tx, v, session.NewSession{UserID: u.ID})
			for _, c := range append(cookies, n.signin.browserCookie("x")) {
				if !strings.HasPrefix(c.Name, "__Host-provost") || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
					t.Errorf("cookie is %s", c)
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// Another site signs nobody in, neither with a password of its own nor with a response
// of its own, and signs nobody out.
func TestADV46_LoginCSRF(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		n.addUser(t, "eve@corp.example", password)
		eve := openBrowser(t)
		form, _ := eve.get(n.URL + "/authorize?x=1").form(t)
		form.Set("username", "eve@corp.example")
		form.Set("password", password)
		for name, header := range map[string]http.Header{
			"origin":             {"Origin": {"https://evil.example"}},
			"origin of a twin":   {"Origin": {n.URL + ".evil.example"}},
			"opaque origin":      {"Origin": {"null"}},
			"other scheme":       {"Origin": {strings.Replace(n.URL, "http:", "https:", 1)}},
			"fetch metadata":     {"Sec-Fetch-Site": {"cross-site"}},
			"sibling site":       {"Sec-Fetch-Site": {"same-site"}},
			"nothing, no cookie": {},
		} {
			t.Run(name, func(t *testing.T) {
				victim := openBrowser(t)
				victim.header = header
				p := victim.post(n.URL+"/signin", form)
				if p.StatusCode != http.StatusForbidden {
					t.Errorf("answer is %d, want 403", p.StatusCode)
				}
				if len(header) > 0 && len(victim.cookies(n)) != 0 {
					t.Errorf("the answer sets %v", victim.cookies(n))
				}
			})
		}
		victim := openBrowser(t)
		victim.get(n.URL + "/authorize?x=1")
		wantPage(t, victim.post(n.URL+"/signin", form), http.StatusForbidden, "restart")
		wantNoSession(t, n)
	})
}

func TestADV46_LoginCSRFThroughIdP(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		n.addIdP(t, oidctest.New(t), nil)
		eve := openBrowser(t)
		response := eve.underWay(n, eve.get(n.URL+"/authorize?x=1").links(t, "idp")[0])
		victim := openBrowser(t)
		victim.underWay(n, victim.get(n.URL+"/authorize?x=1").links(t, "idp")[0])
		wantPage(t, victim.get(response), http.StatusBadRequest, "invalid_state")
		wantNoSession(t, n)
	})
}

func TestADV46_LogoutCSRF(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		u := n.addUser(t, login, password)
		b := openBrowser(t)
		wantSignedIn(t, b.signIn(n, login, password), u.ID)
		form, _ := b.get(n.URL + "/signin").form(t)
		if p := b.post(n.URL+"/signin/sign-out", url.Values{}); p.StatusCode != http.StatusForbidden {
			t.Errorf("without a token: %d", p.StatusCode)
		}
		if p := b.get(n.URL + "/signin/sign-out?token=" + form.Get("token")); p.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("by GET: %d", p.StatusCode)
		}
		b.header = http.Header{"Origin": {"https://evil.example"}}
		if p := b.post(n.URL+"/signin/sign-out", form); p.StatusCode != http.StatusForbidden {
			t.Errorf("from another site: %d", p.StatusCode)
		}
		b.header = http.Header{}
		b.get(n.URL + "/signin/signed-out")
		wantSignedIn(t, b.get(n.URL+"/authorize?x=1"), u.ID)
	})
}

// The page leads back to this host alone, and only where a sealed request says.
func TestADV47_OpenRedirect(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		u := n.addUser(t, login, password)
		for _, target := range []string{
			"https://evil.example/", "//evil.example/", `/\evil.example/`, `\/evil.example`, "/\t/evil.example", "/\n/evil.example",
			"javascript:alert(1)", "", "evil", "/\r\nLocation: https://evil.example",
		} {
			p := openBrowser(t).get(n.URL + "/signin?request=" + n.signin.Sessions.SealRequest(session.Request{ReturnTo: target}))
			wantPage(t, p, http.StatusBadRequest, "invalid_request")
		}
		b := openBrowser(t)
		p := b.get(n.URL + "/signin?request=" + n.signin.Sessions.SealRequest(n.app) + "&next=https://evil.example&ReturnTo=//evil.example&redirect_uri=https://evil.example")
		fields, _ := p.form(t)
		fields.Set("username", login)
		fields.Set("password", password)
		fields.Set("next", "https://evil.example")
		fields.Set("returnTo", "//evil.example")
		got := b.post(n.URL+"/signin", fields)
		wantSignedIn(t, got, u.ID)
		if got.Request.URL.Path != "/authorize" {
			t.Errorf("the browser stands at %s", got.Request.URL)
		}
		if strings.Contains(p.body, "evil") || strings.Contains(p.Header.Get("Content-Security-Policy"), "evil") {
			t.Error("the page repeats the target")
		}
	})
}

// Whatever was stored: a page has no script, no handler and no style of its own.
func TestADV48_StoredXSS(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		const evil = `"><script>alert(1)</script><img src=x onerror=alert(1)>`
		typ, _ := n.signin.Directory.Schemas().Type("User")
		r, err := typ.FromProfile(map[string]any{"login": login, "email": login, "firstName": evil[:40], "lastName": "x", "displayName": evil})
		if err != nil {
			t.Fatal(err)
		}
		r.Password = password
		if _, err := n.signin.Directory.CreateUser(t.Context(), manage, r, directory.CreateOptions{Status: directory.Active}); err != nil {
			t.Fatal(err)
		}
		d := oidctest.New(t)
		d.Response = func(q url.Values) { q.Set("error", evil); q.Set("error_description", evil) }
		n.addIdP(t, d, func(i *federation.IdP) { i.Name = evil })
		n.app.ClientName = evil
		b := openBrowser(t)
		p := b.get(n.URL + "/authorize?x=1")
		pages := map[string]*page{
			"page":    p,
			"error":   b.fill(n, p, evil, "wrong"),
			"idp":     b.get(n.URL + p.links(t, "idp")[0]),
			"session": b.fill(n, b.get(n.URL+"/signin"), login, password),
			"link":    b.get(n.URL + "/signin?request=" + url.QueryEscape(evil)),
		}
		for name, p := range pages {
			wantNothingActive(t, name, p.body)
		}
		if !strings.Contains(pages["page"].body, "&lt;script&gt;") || !strings.Contains(pages["session"].body, "&lt;script&gt;") {
			t.Error("the names are not shown at all")
		}
	})
}

func wantNothingActive(t *testing.T, name, body string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		switch n.Data {
		case "script", "style", "iframe", "img", "object", "embed", "base":
			t.Errorf("%s has an element %s", name, n.Data)
		}
		for _, a := range n.Attr {
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" || strings.HasPrefix(strings.TrimSpace(a.Val), "javascript:") {
				t.Errorf("%s has an attribute %s=%q", name, a.Key, a.Val)
			}
		}
	}
}

// No page is ever shown in a frame, nor runs or loads what is not ours.
func TestADV49_Clickjacking(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		n.app.RedirectURI = "com.example.app:/callback"
		b := openBrowser(t)
		page := b.get(n.URL + "/authorize?x=1")
		for _, p := range []*namedPage{
			{"page", page}, {"error", b.fill(n, page, login, "wrong")}, {"self", b.get(n.URL + "/signin")},
			{"signed out", b.get(n.URL + "/signin/signed-out")}, {"bad link", b.get(n.URL + "/signin?request=x")},
			{"callback", b.get(n.URL + "/oauth2/v1/authorize/callback")}, {"idp", b.get(n.URL + "/sso/idps/x")},
		} {
			csp := p.Header.Get("Content-Security-Policy")
			for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'", "style-src 'self'"} {
				if !strings.Contains(csp, want) {
					t.Errorf("%s: policy %q lacks %s", p.name, csp, want)
				}
			}
			if strings.Contains(csp, "unsafe") || strings.Contains(csp, "script-src") {
				t.Errorf("%s: policy %q allows scripts", p.name, csp)
			}
			if p.Header.Get("X-Frame-Options") != "DENY" || p.Header.Get("X-Content-Type-Options") != "nosniff" || p.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s: headers are %v", p.name, p.Header)
			}
			wantNothingActive(t, p.name, p.body)
		}
		if csp := page.Header.Get("Content-Security-Policy"); !strings.HasSuffix(csp, " com.example.app:") {
			t.Errorf("policy %q does not let the form end at the application", csp)
		}
	})
}

type namedPage struct {
	name string
	*page
}
