package signin

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/provost-id/provost/authserver/session"
	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/federation"
	"github.com/provost-id/provost/federation/oidc"
	"github.com/provost-id/provost/federation/oidc/oidctest"
	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/internal/keyring"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
)

const (
	login    = "ada@corp.example"
	password = "correct horse battery staple 7 Q"
	appName  = "Payroll <script>alert(1)</script>"
)

var manage = directory.Change{
	Actor: events.Actor{ID: "admin", Type: "Token"}, Source: directory.Source{Kind: directory.SourceManage}, Manage: true,
}

// node is one server of an organisation: the sign-in page, and an application's
// authorization endpoint beside it, which asks for a session as authserver does.
type node struct {
	*httptest.Server
	signin *Server
	app    session.Request // what the next authorization asks
}

func newNode(t *testing.T, db *sqldb.DB) *node {
	t.Helper()
	keys, err := keyring.New(make([]byte, keyring.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	d, err := directory.New(t.Context(), db, keys, nil)
	if err != nil {
		t.Fatal(err)
	}
	sessions := &session.Store{DB: db, Keys: keys}
	d.OnSignOut = append(d.OnSignOut, sessions.EndUser)
	n := &node{app: session.Request{ReturnTo: "/authorize?x=1", ClientID: "0oa1", ClientName: appName}}
	mux := http.NewServeMux()
	n.Server = httptest.NewUnstartedServer(nil)
	n.Server.Start()
	t.Cleanup(n.Close)
	n.signin = &Server{
		DB: db, Keys: keys, Directory: d, Sessions: sessions, PublicURL: n.URL, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
		Federation: &federation.Service{DB: db, Keys: keys, Directory: d},
		OIDC: &oidc.Client{
			HTTP: httpapi.Outbound(httpapi.OutboundOptions{
				Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, Timeout: 10 * time.Second,
			}),
			RedirectURI: n.URL + "/oauth2/v1/authorize/callback",
		},
	}
	n.signin.Register(mux)
	mux.HandleFunc("GET /authorize", n.authorize)
	n.Config.Handler = httpapi.Middleware(httpapi.Options{PublicURL: n.URL})(mux)
	return n
}

func (n *node) authorize(w http.ResponseWriter, r *http.Request) {
	found, err := n.signin.Sessions.FromRequest(r)
	if err != nil {
		http.Redirect(w, r, "/signin?request="+n.signin.Sessions.SealRequest(n.app), http.StatusSeeOther)
		return
	}
	_, _ = fmt.Fprintf(w, "code for %s by %s %s", found.UserID, strings.Join(found.AMR, ","), found.IdP)
}

// each runs fn with one node on both engines.
func each(t *testing.T, fn func(t *testing.T, n *node)) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) { fn(t, newNode(t, db)) })
}

func (n *node) addUser(t *testing.T, login, password string) *directory.User {
	t.Helper()
	typ, _ := n.signin.Directory.Schemas().Type("User")
	r, err := typ.FromProfile(map[string]any{"login": login, "email": login, "firstName": "Ada", "lastName": "Lovelace"})
	if err != nil {
		t.Fatal(err)
	}
	r.Password = password
	u, err := n.signin.Directory.CreateUser(t.Context(), manage, r, directory.CreateOptions{Status: directory.Active})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func (n *node) addIdP(t *testing.T, d *oidctest.Double, change func(*federation.IdP)) federation.IdP {
	t.Helper()
	i := federation.IdP{Name: "Partner <b>Ltd</b>", Type: federation.TypeOIDC}
	i.Protocol.Issuer.URL = d.URL
	i.Protocol.Credentials.Client = federation.ClientCredentials{ClientID: oidctest.ClientID, Secret: oidctest.ClientSecret}
	i.Policy.Provisioning.Action = federation.Auto
	if change != nil {
		change(&i)
	}
	made, err := n.signin.Federation.CreateIdP(t.Context(), federation.By{Actor: manage.Actor}, i)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// count reads one number from the database.
func (n *node) count(t *testing.T, query string, args ...any) (got int) {
	t.Helper()
	if err := n.signin.DB.QueryRow(t.Context(), query, args...).Scan(&got); err != nil {
		t.Fatal(err)
	}
	return got
}

// browser behaves as one without JavaScript: cookies, redirects, forms.
type browser struct {
	t      *testing.T
	client *http.Client
	jar    http.CookieJar
	header http.Header // sent with every request
}

func openBrowser(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t: t, jar: jar, client: &http.Client{Jar: jar, Timeout: 30 * time.Second}, header: http.Header{}}
}

// stay makes the browser stop at redirects.
func (b *browser) stay() *browser {
	c := *b.client
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &browser{t: b.t, jar: b.jar, client: &c, header: b.header}
}

// page is an answer, read to its end.
type page struct {
	*http.Response
	body string
}

func (b *browser) get(address string) *page {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, address, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.do(req)
}

func (b *browser) post(address string, form url.Values) *page {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.do(req)
}

func (b *browser) do(req *http.Request) *page {
	b.t.Helper()
	for name, values := range b.header {
		req.Header[name] = values
	}
	resp, err := b.client.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		b.t.Fatal(err)
	}
	return &page{Response: resp, body: string(body)}
}

// cookies are those that the browser would send to the node.
func (b *browser) cookies(n *node) map[string]string {
	u, err := url.Parse(n.URL)
	if err != nil {
		b.t.Fatal(err)
	}
	all := map[string]string{}
	for _, c := range b.jar.Cookies(u) {
		all[c.Name] = c.Value
	}
	return all
}

// form is the only form of a page: its fields, and the inputs that a person sees.
func (p *page) form(t *testing.T) (fields url.Values, seen []string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(p.body))
	if err != nil {
		t.Fatal(err)
	}
	fields = url.Values{}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode || n.Data != "input" {
			continue
		}
		at := map[string]string{}
		for _, a := range n.Attr {
			at[a.Key] = a.Val
		}
		fields.Set(at["name"], at["value"])
		if at["type"] != "hidden" {
			seen = append(seen, at["name"])
		}
	}
	return fields, seen
}

// links are the addresses that a page leads to by a link with the class.
func (p *page) links(t *testing.T, class string) (all []string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(p.body))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode || n.Data != "a" {
			continue
		}
		at := map[string]string{}
		for _, a := range n.Attr {
			at[a.Key] = a.Val
		}
		if at["class"] == class {
			all = append(all, at["href"])
		}
	}
	return all
}

// fill sends the form of a page back with a name and a password.
func (b *browser) fill(n *node, p *page, username, password string) *page {
	b.t.Helper()
	fields, _ := p.form(b.t)
	fields.Set("username", username)
	fields.Set("password", password)
	return b.post(n.URL+"/signin", fields)
}

// signIn goes from the application to the page and back.
func (b *browser) signIn(n *node, username, password string) *page {
	b.t.Helper()
	return b.fill(n, b.get(n.URL+"/authorize?x=1"), username, password)
}

func wantSignedIn(t *testing.T, p *page, userID string) {
	t.Helper()
	if p.StatusCode != http.StatusOK || !strings.HasPrefix(p.body, "code for "+userID+" ") {
		t.Errorf("the browser stands at %s, %d: %.300s; want to be signed in as %s", p.Request.URL, p.StatusCode, p.body, userID)
	}
}

func wantPage(t *testing.T, p *page, status int, code string) {
	t.Helper()
	if p.StatusCode != status || !strings.Contains(p.body, `data-code="`+code+`"`) {
		t.Errorf("the browser stands at %s, %d: %.2000s; want %d and %s", p.Request.URL, p.StatusCode, p.body, status, code)
	}
}

func openSQLite(t *testing.T) *sqldb.DB { return sqldbtest.SQLite(t) }
