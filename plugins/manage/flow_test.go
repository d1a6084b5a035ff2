package manage_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/provost-id/provost/internal/keyring"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
	"github.com/provost-id/provost/plugins"
	"github.com/provost-id/provost/plugins/pluginstest"
)

// service serves one answer.
func service(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // net/http sees that a client has gone only then
		h(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func says(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }
}

func TestExecute(t *testing.T) {
	o := newOrg(t, sqldbtest.SQLite(t))
	tests := map[string]struct {
		serve  http.HandlerFunc
		status int
		code   string // errorCode, or empty
	}{
		"an answer":        {says(`{"commands":[],"debugContext":{"a":1}}`), 200, ""},
		"an error object":  {says(`{"error":{"errorSummary":"no"}}`), 200, ""},
		"no content":       {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, 200, ""},
		"rubbish":          {says(`<html>`), 400, "E0000001"},
		"a server error":   {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, 502, "E0000134"},
		"no answer at all": {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, 504, "E0000137"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			h := httpHook(name, service(t, tt.serve))
			h["timeoutMs"] = 300
			id := o.must(t, 200, "POST", "", h)["id"].(string)
			got := o.must(t, tt.status, "POST", "/"+id+"/execute", pluginstest.TokenRequests()[pluginstest.CodeFlow])
			if code, _ := got["errorCode"].(string); code != tt.code {
				t.Errorf("answer %v, want code %q", got, tt.code)
			}
		})
	}
	id := o.must(t, 200, "POST", "", httpHook("typed", service(t, says(`{}`))))["id"].(string)
	o.must(t, 400, "POST", "/"+id+"/execute", object{"eventType": "com.okta.import.transform"})
}

// token calls the hook as an authorization server does, and applies its answer.
func (o *org) token(t *testing.T, id string) (plugins.Claims, error) {
	t.Helper()
	r := pluginstest.TokenRequests()[pluginstest.CodeFlow]
	r.HookID = id
	resp, err := o.dispatcher.Token(t.Context(), r)
	if err != nil {
		return nil, err
	}
	_, access, _ := plugins.ApplyToken(r, resp)
	return access.Claims, nil
}

// TestADV21_ReservedClaimIsLogged: over the whole way, a hook that sets a reserved
// claim changes nothing, and the system log says so.
func TestADV21_ReservedClaimIsLogged(t *testing.T) {
	o := newOrg(t, sqldbtest.SQLite(t))
	id := o.must(t, 200, "POST", "", httpHook("evil", service(t, says(`{"commands":[{"type":"com.okta.access.patch","value":[
		{"op":"add","path":"/claims/nice","value":1},{"op":"replace","path":"/claims/uid","value":"00uAdmin"}]}],"debugContext":{"seen":true}}`))))["id"].(string)
	claims, err := o.token(t, id)
	if err != nil || claims["nice"] != nil || claims["uid"] == "00uAdmin" {
		t.Errorf("claims %v %v", claims, err)
	}
	last := o.events(t)[1]
	for _, part := range []string{`"inline_hook.response.processed"`, `"FAILURE"`, `claim \"uid\" is reserved`, `"seen":true`, id} {
		if !strings.Contains(last, part) {
			t.Errorf("event %s lacks %s", last, part)
		}
	}
}

// TestADV78_FailureIsLogged: an open failure is told as one, a closed one too.
func TestADV78_FailureIsLogged(t *testing.T) {
	o := newOrg(t, sqldbtest.SQLite(t))
	down := service(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) })
	h := httpHook("down", down)
	id := o.must(t, 200, "POST", "", h)["id"].(string)
	if claims, err := o.token(t, id); err != nil || claims["sub"] == nil {
		t.Errorf("open: %v %v", claims, err)
	}
	o.must(t, 200, "POST", "/"+id, object{"failureMode": "CLOSED"})
	if _, err := o.token(t, id); !errors.Is(err, plugins.ErrCommunication) {
		t.Errorf("closed: %v", err)
	}
	var executed []string
	for _, body := range o.events(t) {
		if strings.Contains(body, "inline_hook.executed") {
			executed = append(executed, body)
		}
	}
	if len(executed) != 2 || !strings.Contains(executed[0], `"flowContinued":true`) || !strings.Contains(executed[1], `"flowContinued":false`) ||
		!strings.Contains(executed[0], "E0000134") || !strings.Contains(executed[0], "status 503") {
		t.Errorf("events %v", executed)
	}
}

// TestQuietSuccess: an answer that is applied writes no event of its own.
func TestQuietSuccess(t *testing.T) {
	o := newOrg(t, sqldbtest.SQLite(t))
	id := o.must(t, 200, "POST", "", httpHook("good", service(t, says(
		`{"commands":[{"type":"com.okta.access.patch","value":[{"op":"add","path":"/claims/nice","value":1}]}]}`))))["id"].(string)
	for range 3 {
		if claims, err := o.token(t, id); err != nil || claims["nice"] != int64(1) {
			t.Fatalf("claims %v %v", claims, err)
		}
	}
	if got := o.eventTypes(t); len(got) != 1 {
		t.Errorf("events %v", got)
	}
	o.must(t, 200, "POST", "/"+id+"/lifecycle/deactivate", nil)
	if claims, err := o.token(t, id); err != nil || claims["nice"] != nil {
		t.Errorf("deactivated, and the claims are %v %v", claims, err)
	}
}

// TestADV81_OtherOrganisation: a hook of one organisation is unknown in another, and
// its sealed secrets open under no other hook.
func TestADV81_OtherOrganisation(t *testing.T) {
	a, b := newOrg(t, sqldbtest.SQLite(t)), newOrg(t, sqldbtest.SQLite(t))
	called := false
	uri := service(t, func(w http.ResponseWriter, _ *http.Request) { called = true; w.WriteHeader(204) })
	id := a.must(t, 200, "POST", "", httpHook("a", uri))["id"].(string)
	if _, err := b.token(t, id); !errors.Is(err, plugins.ErrUnknownHook) || called {
		t.Errorf("another organisation calls it: %v", err)
	}
	b.must(t, 404, "GET", "/"+id, nil)
	b.must(t, 404, "POST", "/"+id+"/execute", object{})
	other := b.must(t, 200, "POST", "", httpHook("b", uri))["id"].(string)
	var stolen []byte
	if err := a.db.QueryRow(t.Context(), `SELECT secrets FROM inline_hooks WHERE id = $1`, id).Scan(&stolen); err != nil {
		t.Fatal(err)
	}
	err := b.db.Write(t.Context(), func(tx *sqldb.Tx) error {
		_, err := tx.Exec(`UPDATE inline_hooks SET secrets = $1 WHERE id = $2`, stolen, other)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.service.Lookup(t.Context(), other); !errors.Is(err, keyring.ErrUnseal) {
		t.Errorf("a secret moved to another row opens: %v", err)
	}
}
