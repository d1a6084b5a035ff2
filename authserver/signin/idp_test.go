package signin

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/provost-id/provost/federation"
	"github.com/provost-id/provost/federation/oidc/oidctest"
)

func TestSignInThroughIdP(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		d := oidctest.New(t)
		i := n.addIdP(t, d, nil)
		b := openBrowser(t)
		links := b.get(n.URL+"/authorize?x=1").links(t, "idp")
		if len(links) != 1 || !strings.HasPrefix(links[0], "/sso/idps/"+i.ID+"?request=") {
			t.Fatalf("the page leads to the providers %v, want to %s", links, i.ID)
		}
		p := b.get(n.URL + links[0])
		l := n.link(t, i)
		wantSignedIn(t, p, l.UserID)
		if !strings.HasSuffix(p.body, "by fed "+i.ID) || l.Subject != "person-1" {
			t.Errorf("session says %q of subject %q", p.body, l.Subject)
		}
		if got := n.count(t, `SELECT count(*) FROM signins WHERE step <> 'done'`); got != 0 {
			t.Errorf("%d flows are still open", got)
		}
	})
}

// link is the only link of a provider.
func (n *node) link(t *testing.T, i federation.IdP) federation.Link {
	t.Helper()
	links, err := n.signin.Federation.Links(t.Context(), i.ID, "", 10)
	if err != nil || len(links) != 1 {
		t.Fatalf("the provider has the links %v, error %v; want one", links, err)
	}
	return links[0]
}

// The application names the provider: the page is never shown.
func TestApplicationChoosesIdP(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		d := oidctest.New(t)
		i := n.addIdP(t, d, nil)
		n.app.IdP, n.app.LoginHint, n.app.Force = i.ID, "ada", true
		p := openBrowser(t).get(n.URL + "/authorize?x=1")
		wantSignedIn(t, p, n.link(t, i).UserID)
		if q := d.LastAuthorization(); q.Get("prompt") != "login" || q.Get("login_hint") != "ada" {
			t.Errorf("authorization request is %v, want the application's hint and prompt", q)
		}
		n.app.IdP = "0oaNobody"
		if p := openBrowser(t).get(n.URL + "/authorize?x=1"); p.StatusCode != http.StatusOK || !strings.Contains(p.body, `data-code="no_such_idp"`) {
			t.Errorf("unknown provider: %d %s", p.StatusCode, p.body)
		}
	})
}

func TestTrustedAMR(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		d := oidctest.New(t)
		d.Person["amr"] = []string{"pwd", "mfa"}
		n.addIdP(t, d, func(i *federation.IdP) { i.Policy.MapAMRClaims = true })
		b := openBrowser(t)
		p := b.get(n.URL + b.get(n.URL+"/authorize?x=1").links(t, "idp")[0])
		if !strings.Contains(p.body, "by pwd,mfa ") {
			t.Errorf("session says %q, want the methods of the provider", p.body)
		}
	})
}

func TestIdPFailures(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		d := oidctest.New(t)
		n.addIdP(t, d, func(i *federation.IdP) { i.Policy.Provisioning.Action = federation.Disabled })
		through := func() *page {
			b := openBrowser(t)
			return b.get(n.URL + b.get(n.URL+"/authorize?x=1").links(t, "idp")[0])
		}
		p := through()
		wantPage(t, p, http.StatusForbidden, "access_denied")
		if !strings.Contains(p.body, "User creation was disabled.") {
			t.Errorf("the page does not say why: %s", p.body)
		}
		d.Response = func(q url.Values) {
			q.Set("error", "access_denied")
			q.Set("error_description", "<i>call 555-1234</i>")
		}
		p = through()
		wantPage(t, p, http.StatusForbidden, "access_denied")
		if strings.Contains(p.body, "555-1234") {
			t.Error("the page shows what the provider wrote")
		}
		d.Response = nil
		d.Sign = func(c map[string]any) string { return oidctest.SignHMAC(make([]byte, 32), c) }
		wantPage(t, through(), http.StatusForbidden, "access_denied")
		b := openBrowser(t)
		response := b.underWay(n, b.get(n.URL+"/authorize?x=1").links(t, "idp")[0])
		d.Close()
		wantPage(t, b.get(response), http.StatusBadGateway, "idp_unavailable")
		if got := n.count(t, `SELECT count(*) FROM events WHERE type = 'user.authentication.auth_via_IDP' AND body LIKE '%FAILURE%'`); got != 4 {
			t.Errorf("%d failures in the system log, want 4", got)
		}
		if got := n.count(t, `SELECT count(*) FROM sessions`); got != 0 {
			t.Errorf("%d sessions, want none", got)
		}
	})
}

// An inactive provider is no way in: not by its button, not by its address, not by a
// response that was already under way, and not by the flow API.
func TestADV28_InactiveIdP(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		d := oidctest.New(t)
		i := n.addIdP(t, d, nil)
		b := openBrowser(t)
		start := b.get(n.URL+"/authorize?x=1").links(t, "idp")[0]
		response := b.underWay(n, start)
		if _, err := n.signin.Federation.SetStatus(t.Context(), federation.By{}, i.ID, federation.Inactive); err != nil {
			t.Fatal(err)
		}
		if links := b.get(n.URL+"/authorize?x=1").links(t, "idp"); len(links) != 0 {
			t.Errorf("the page still leads to %v", links)
		}
		wantPage(t, b.get(n.URL+start), http.StatusNotFound, "no_such_idp")
		wantPage(t, b.get(n.URL+"/sso/idps/"+i.ID), http.StatusNotFound, "no_such_idp")
		wantPage(t, b.get(response), http.StatusForbidden, "no_such_idp")
		status, body := b.api(n, "idp", map[string]string{"request": n.signin.Sessions.SealRequest(n.app), "idp": i.ID})
		if status != http.StatusNotFound || body.Error == nil {
			t.Errorf("flow API: %d %+v", status, body)
		}
		if got := n.count(t, `SELECT count(*) FROM sessions`) + n.count(t, `SELECT count(*) FROM idp_links`); got != 0 {
			t.Errorf("%d sessions and links, want none", got)
		}
	})
}

// underWay goes to the provider and stops at its response, which nobody has opened yet.
func (b *browser) underWay(n *node, start string) string {
	b.t.Helper()
	p := b.stay().get(n.URL + start)
	at, err := p.Location()
	if err != nil {
		b.t.Fatalf("start answers %d: %v", p.StatusCode, err)
	}
	p = b.stay().get(at.String())
	back, err := p.Location()
	if err != nil {
		b.t.Fatalf("provider answers %d: %v", p.StatusCode, err)
	}
	return back.String()
}

// A response proves somebody once, in the browser and for the provider that it was
// asked of.
func TestADV31_ResponseIsBoundAndSingleUse(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		d, other := oidctest.New(t), oidctest.New(t)
		i := n.addIdP(t, d, nil)
		n.addIdP(t, other, func(i *federation.IdP) { i.Name = "Other" })
		b := openBrowser(t)
		var start string
		for _, l := range b.get(n.URL+"/authorize?x=1").links(t, "idp") {
			if strings.Contains(l, i.ID) {
				start = l
			}
		}
		response := b.underWay(n, start)

		thief := openBrowser(t)
		wantPage(t, thief.get(response), http.StatusBadRequest, "invalid_state")
		thief.get(n.URL + "/signin")
		wantPage(t, thief.get(response), http.StatusBadRequest, "invalid_state")

		u, err := url.Parse(response)
		if err != nil {
			t.Fatal(err)
		}
		for name, change := range map[string]func(url.Values){
			"other state": func(q url.Values) { q.Set("state", strings.Repeat("x", cookieLength)) },
			"no state":    func(q url.Values) { q.Del("state") },
		} {
			q := u.Query()
			change(q)
			if p := b.get(n.URL + "/oauth2/v1/authorize/callback?" + q.Encode()); p.StatusCode != http.StatusBadRequest {
				t.Errorf("%s: %d", name, p.StatusCode)
			}
		}
		wantSignedIn(t, b.get(response), n.link(t, i).UserID)
		wantPage(t, b.get(response), http.StatusBadRequest, "invalid_state")

		b = openBrowser(t)
		response = b.underWay(n, start)
		q, _ := url.Parse(response)
		mixed := q.Query()
		mixed.Set("iss", other.URL)
		wantPage(t, b.get(n.URL+"/oauth2/v1/authorize/callback?"+mixed.Encode()), http.StatusForbidden, "access_denied")
		wantPage(t, b.get(response), http.StatusBadRequest, "invalid_state")
		if other.Fetched("/token") != 0 {
			t.Error("the code went to the other provider")
		}

		response = b.underWay(n, start)
		n.signin.Now = func() time.Time { return time.Now().Add(idpAge + time.Minute) }
		wantPage(t, b.get(response), http.StatusBadRequest, "invalid_state")
	})
}
