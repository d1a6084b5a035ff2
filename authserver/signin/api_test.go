package signin

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/provost-id/provost/federation/oidc/oidctest"
)

// api calls the flow API.
func (b *browser) api(n *node, call string, in map[string]string) (int, flowReply) {
	b.t.Helper()
	status, out, _ := b.apiFull(n, call, in)
	return status, out
}

func (b *browser) apiFull(n *node, call string, in map[string]string) (int, flowReply, http.Header) {
	b.t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		b.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, n.URL+"/signin/v1/"+call, bytes.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	p := b.do(req)
	var out flowReply
	if err := json.Unmarshal([]byte(p.body), &out); err != nil {
		b.t.Fatalf("%s answers %d %s: %v", call, p.StatusCode, p.body, err)
	}
	return p.StatusCode, out, p.Header
}

func TestFlowAPI(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		u := n.addUser(t, login, password)
		i := n.addIdP(t, oidctest.New(t), nil)
		n.app.LoginHint = "hint"
		sealed := n.signin.Sessions.SealRequest(n.app)
		b := openBrowser(t)
		status, out := b.api(n, "start", map[string]string{"request": sealed})
		if status != http.StatusOK || out.Step != "password" || out.Token == "" || out.Username != "hint" ||
			out.Client == nil || out.Client.Name != appName || len(out.IdPs) != 1 || out.IdPs[0].ID != i.ID {
			t.Fatalf("start: %d %+v", status, out)
		}
		status, out = b.api(n, "password", map[string]string{"request": sealed, "token": out.Token, "username": login, "password": "wrong"})
		if status != http.StatusUnauthorized || out.Step != "password" || out.Error == nil || out.Error.Code != "invalid_credentials" || out.Token == "" {
			t.Fatalf("wrong password: %d %+v", status, out)
		}
		status, out = b.api(n, "password", map[string]string{"request": sealed, "token": out.Token, "username": login, "password": password})
		if status != http.StatusOK || out.Step != "done" || out.Redirect != n.app.ReturnTo {
			t.Fatalf("right password: %d %+v", status, out)
		}
		wantSignedIn(t, b.get(n.URL+out.Redirect), u.ID)
		if status, out = b.api(n, "start", map[string]string{"request": sealed}); status != http.StatusOK || out.Step != "done" {
			t.Errorf("start with a new session: %d %+v", status, out)
		}
	})
}

func TestFlowAPIThroughIdP(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		i := n.addIdP(t, oidctest.New(t), nil)
		b := openBrowser(t)
		status, out := b.api(n, "idp", map[string]string{"request": n.signin.Sessions.SealRequest(n.app), "idp": i.ID})
		if status != http.StatusOK || out.Step != "redirect" || !strings.Contains(out.Redirect, "/authorize?") {
			t.Fatalf("idp: %d %+v", status, out)
		}
		wantSignedIn(t, b.get(out.Redirect), n.link(t, i).UserID)
	})
}

// The flow API refuses what the page refuses.
func TestFlowAPIRefuses(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		n.addUser(t, login, password)
		sealed := n.signin.Sessions.SealRequest(n.app)
		b := openBrowser(t)
		for name, in := range map[string]map[string]string{
			"no token":     {"request": sealed, "username": login, "password": password},
			"other token":  {"request": sealed, "username": login, "password": password, "token": "AAAA"},
			"no request":   {"username": login, "password": password},
			"other sealed": {"request": sealed + "A", "username": login, "password": password},
		} {
			if status, out := b.api(n, "password", in); status < 400 || out.Step == "done" {
				t.Errorf("%s: %d %+v", name, status, out)
			}
		}
		for name, change := range map[string]func(*http.Request){
			"form":       func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") },
			"text":       func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") },
			"origin":     func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") },
			"fetch site": func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") },
		} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, n.URL+"/signin/v1/start", strings.NewReader(`{"request":"`+sealed+`"}`))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/json")
			change(req)
			p := b.do(req)
			if p.StatusCode < 400 || p.Header.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%s: %d", name, p.StatusCode)
			}
		}
		if got := n.count(t, `SELECT count(*) FROM sessions`); got != 0 {
			t.Errorf("%d sessions, want none", got)
		}
	})
}
