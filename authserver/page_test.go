package authserver

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/provost-id/provost/authserver/layout"
)

// TestPages: what a person sees is a page of the house, whatever a stranger writes
// into its address.
func TestPages(t *testing.T) {
	b := sqliteBench(t)
	c, browser := b.webClient(func(c *Client) { c.Name = "<script>alert(1)</script>" }), b.browser()
	b.authorize(browser, DefaultServer, authorizeForm(c, "openid", nil))
	evil := url.Values{"client_id": {c.ID}, "redirect_uri": {"https://evil.example/<script>"}, "state": {"<script>"}}.Encode()
	for name, tc := range map[string]struct {
		target string
		status int
		text   string
	}{
		"refused":    {b.as(DefaultServer, "authorize") + "?" + evil, http.StatusBadRequest, "This request cannot be answered"},
		"bad logout": {b.as(DefaultServer, "logout") + "?id_token_hint=x", http.StatusBadRequest, "id_token_hint"},
		"ask":        {b.as(DefaultServer, "logout") + "?client_id=" + c.ID + "&state=%3Cscript%3E", http.StatusOK, "&lt;script&gt;alert(1)"},
	} {
		resp := b.get(browser, tc.target)
		page := body(t, resp)
		policy := resp.Header.Get("Content-Security-Policy")
		if resp.StatusCode != tc.status || !strings.Contains(page, tc.text) || !strings.Contains(page, `href="`+layout.StyleHref()+`"`) {
			t.Errorf("%s: got %s %s", name, resp.Status, page)
		}
		if strings.Contains(page, "<script") || strings.Contains(page, "evil") || strings.Contains(policy, "script-src") || !strings.Contains(policy, "style-src 'self'") {
			t.Errorf("%s: policy %q for %s", name, policy, page)
		}
	}
	done := body(t, b.get(b.browser(), b.as(DefaultServer, "logout")))
	if !strings.Contains(done, "You are signed out") || strings.Contains(done, "<form") {
		t.Errorf("nobody signed in: got %s", done)
	}
}
