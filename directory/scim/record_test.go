package scim_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/provost-id/provost/directory/scim/exchange"
	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
	"github.com/provost-id/provost/provisioning"
	target "github.com/provost-id/provost/provisioning/scim"
)

// TestRecord writes down what our own SCIM client and a few requests by hand say to one
// server, and plays the file, unchanged, to another, on both engines.
func TestRecord(t *testing.T) {
	first := newService(t, sqldbtest.SQLite(t))
	file := filepath.Join(t.TempDir(), "recorded.json")
	w, err := exchange.Create(file, exchange.Header{Client: "provost", Origin: exchange.Recorded}, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	upstream, err := url.Parse(first.url)
	if err != nil {
		t.Fatal(err)
	}
	recorder := exchange.NewRecorder(upstream, nil, w, slog.New(slog.DiscardHandler))
	proxy := httptest.NewServer(recorder)
	defer proxy.Close()
	c := first.client("", httpapi.ScopeSCIM)
	throughProxy := *c
	throughProxy.s = &service{t: t, url: proxy.URL}
	provision(t, proxy.URL, c.token)
	byHand(&throughProxy)
	if err := w.Close(); err != nil || recorder.Lost() != 0 {
		t.Fatalf("%v, %d lost", err, recorder.Lost())
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{c.token, "horse"} {
		if strings.Contains(string(text), secret) {
			t.Errorf("%q stands in the file", secret)
		}
	}
	f, err := exchange.Parse(text)
	if err != nil || len(f.Exchanges) < 15 {
		t.Fatalf("%d exchanges, %v", len(f.Exchanges), err)
	}
	each(t, func(t *testing.T, s *service, cleaner *client) { replay(t, s, cleaner, f) })
}

// provision runs our own client through a life of accounts and a group.
func provision(t *testing.T, base, token string) {
	t.Helper()
	conn, err := target.New(provisioning.Config{"baseUrl": base, "token": token}, http.DefaultClient)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx := t.Context()
	person := func(name string) provisioning.Object {
		return provisioning.Object{Ref: provisioning.Ref{Type: provisioning.TypeUser}, Active: true, Attributes: map[string][]string{
			"userName": {name}, "name.givenName": {"Zoë"}, "emails[type eq \"work\"].value": {name}}}
	}
	ada, err := conn.Create(ctx, person("ada@recorded.example"), "00u1")
	check(err)
	ben, err := conn.Create(ctx, person("ben@recorded.example"), "00u2")
	check(err)
	group, err := conn.Create(ctx, provisioning.Object{Ref: provisioning.Ref{Type: provisioning.TypeGroup}, Active: true,
		Attributes: map[string][]string{"displayName": {"Recorded Readers"}}}, "00g1")
	check(err)
	check(conn.PatchMembers(ctx, group, []provisioning.Ref{ada, ben}, nil))
	check(conn.PatchMembers(ctx, group, nil, []provisioning.Ref{ben}))
	got, err := conn.Get(ctx, ada)
	check(err)
	off := false
	_, err = conn.Update(ctx, ada, provisioning.Delta{Set: map[string]provisioning.Change{"title": {To: []string{"Countess"}}}, Active: &off}, got.Version)
	check(err)
	check(conn.Delete(ctx, ben))
}

// byHand is what the client does not say.
func byHand(c *client) {
	id := c.create("/Users", `{"userName":"cy@recorded.example","password":"correct horse battery","emails":[{"value":"cy@recorded.example"}]}`)
	c.must(http.StatusOK, "PATCH", "/Users/"+id, patchBody(`{"op":"replace","path":"password","value":"another horse battery"}`), "If-Match", `W/"1"`)
	r := c.must(http.StatusOK, "GET", "/Users?cursor&count=1", "")
	next, _ := r.body["nextCursor"].(string)
	c.must(http.StatusOK, "GET", "/Users?count=1&cursor="+url.QueryEscape(next), "")
	c.must(http.StatusPreconditionFailed, "PUT", "/Users/"+id+"?", `{"userName":"cy@recorded.example"}`, "If-Match", `W/"1"`)
}
