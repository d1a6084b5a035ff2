package manage_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
	"github.com/provost-id/provost/plugins"
)

func TestPluginChannel(t *testing.T) {
	o := newOrg(t, sqldbtest.SQLite(t))
	sum := strings.Repeat("AB", 32)
	made := o.must(t, 200, "POST", "", object{
		"name": "p", "type": "com.okta.oauth2.tokens.transform", "version": "1.0.0", "timeoutMs": 500, "retries": 1, "failureMode": "CLOSED",
		"channel": object{"type": "PLUGIN", "version": "1.0.0", "config": object{"path": "/opt/hook", "sha256": sum, "args": []string{"-v"}}},
	})
	want := object{"path": "/opt/hook", "sha256": strings.ToLower(sum), "args": []any{"-v"}}
	if diff := cmp.Diff(want, config(made)); diff != "" {
		t.Errorf("config, -want +got:\n%s", diff)
	}
	if made["timeoutMs"] != 500.0 || made["retries"] != 1.0 || made["failureMode"] != "CLOSED" {
		t.Errorf("settings %v", made)
	}
	h, err := o.service.Lookup(t.Context(), made["id"].(string))
	if err != nil || h.Channel.Plugin.Path != "/opt/hook" || h.FailureMode != plugins.Closed || h.Timeout.Milliseconds() != 500 {
		t.Errorf("looked up %+v %v", h, err)
	}
}

func TestFaults(t *testing.T) {
	o := newOrg(t, sqldbtest.SQLite(t))
	o.must(t, 200, "POST", "", httpHook("taken", "https://hooks.example.com/"))
	set := func(member string, value any) func(object) { return func(h object) { h[member] = value } }
	setConfig := func(member string, value any) func(object) { return func(h object) { config(h)[member] = value } }
	tests := map[string]struct {
		change func(h object)
		field  string
	}{
		"no name":          {set("name", ""), "name"},
		"long name":        {set("name", strings.Repeat("ä", 256)), "name"},
		"name taken":       {set("name", "taken"), "name"},
		"no type":          {func(h object) { delete(h, "type") }, "type"},
		"unknown type":     {set("type", "com.okta.saml.tokens.transform"), "type"},
		"no channel":       {func(h object) { delete(h, "channel") }, "channel.type"},
		"OAuth channel":    {func(h object) { h["channel"].(object)["type"] = "OAUTH" }, "channel.type"},
		"http":             {setConfig("uri", "http://192.0.2.1/"), "channel.config.uri"},
		"no URI":           {setConfig("uri", ""), "channel.config.uri"},
		"method":           {setConfig("method", "GET"), "channel.config.method"},
		"auth type":        {setConfig("authScheme", object{"type": "BASIC", "key": "Authorization", "value": "x"}), "channel.config.authScheme.type"},
		"auth value":       {setConfig("authScheme", object{"type": "HEADER", "key": "Authorization"}), "channel.config.authScheme.value"},
		"auth key":         {setConfig("authScheme", object{"type": "HEADER", "key": "Host", "value": "x"}), "channel.config.authScheme"},
		"signing secret":   {setConfig("signingSecret", "password"), "channel.config.signingSecret"},
		"header":           {setConfig("headers", []object{{"key": "Content-Length", "value": "1"}}), "channel.config.headers"},
		"many headers":     {setConfig("headers", slices.Repeat([]object{{"key": "X-A", "value": "b"}}, 33)), "channel.config.headers"},
		"time-out zero":    {set("timeoutMs", 0), "timeoutMs"},
		"long time-out":    {set("timeoutMs", 30001), "timeoutMs"},
		"many retries":     {set("retries", 4), "retries"},
		"negative retries": {set("retries", -1), "retries"},
		"failure mode":     {set("failureMode", "AJAR"), "failureMode"},
		"wrong JSON type":  {set("name", 7), "name"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			h := httpHook("new", "https://hooks.example.com/")
			tt.change(h)
			got := o.must(t, 400, "POST", "", h)
			if summary, _ := got["errorSummary"].(string); got["errorCode"] != "E0000001" || !strings.HasSuffix(summary, ": "+tt.field) {
				t.Errorf("%v, want a fault of %s", got, tt.field)
			}
		})
	}
	if got := o.must(t, 200, "GET", "", nil); len(got["list"].([]any)) != 1 {
		t.Errorf("something was stored: %v", got)
	}
}

func TestPlainHTTPToAllowedAddresses(t *testing.T) {
	o := newOrg(t, sqldbtest.SQLite(t))
	o.must(t, 200, "POST", "", httpHook("a", "http://127.0.0.1:9000/"))
	o.must(t, 200, "POST", "", httpHook("b", "http://hooks.internal/")) // the address is checked at each call
	o.service.AllowHTTP = nil
	o.must(t, 400, "POST", "", httpHook("c", "http://hooks.internal/"))
}

// TestSecretsAreSealed: the secrets stand nowhere in clear, and survive changes of
// everything else.
func TestSecretsAreSealed(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		o := newOrg(t, db)
		made := o.must(t, 200, "POST", "", httpHook("s", "https://hooks.example.com/a"))
		id := made["id"].(string)
		signing := config(made)["signingSecret"].(string)
		var column []byte
		if err := db.QueryRow(t.Context(), `SELECT secrets FROM inline_hooks WHERE id = $1`, id).Scan(&column); err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(column, []byte("hush")) || bytes.Contains(column, []byte(signing[6:20])) {
			t.Error("the column holds a secret in clear")
		}
		changed := o.must(t, 200, "POST", "/"+id, object{"name": "s2", "channel": object{"config": object{"uri": "https://hooks.example.com/b"}}})
		if changed["name"] != "s2" || config(changed)["uri"] != "https://hooks.example.com/b" || config(changed)["headers"] == nil {
			t.Errorf("merged: %v", changed)
		}
		o.must(t, 200, "PUT", "/"+id, o.must(t, 200, "GET", "/"+id, nil))
		h, err := o.service.Lookup(t.Context(), id)
		if err != nil || h.Channel.HTTP.AuthValue != "Basic hush-hush" || string(h.Channel.HTTP.SigningSecret) != signing {
			t.Errorf("the secrets were lost: %v", err)
		}
		moved := object{"channel": object{"config": object{"uri": "https://elsewhere.example.com/"}}}
		if got := o.must(t, 400, "POST", "/"+id, moved); !strings.Contains(got["errorSummary"].(string), "authScheme.value") {
			t.Errorf("a secret follows to another host: %v", got)
		}
		o.must(t, 200, "POST", "/"+id, object{"channel": object{"config": object{
			"uri": "https://elsewhere.example.com/", "authScheme": object{"value": "Basic other"}}}})
		o.must(t, 400, "POST", "/"+id, object{"type": "com.okta.import.transform"})
		if got := o.must(t, 200, "POST", "/"+id, object{"channel": object{"config": object{"authScheme": nil, "headers": nil}}}); config(got)["authScheme"] != nil || config(got)["headers"] != nil {
			t.Errorf("null removes: %v", got)
		}
		for _, body := range o.events(t) {
			if strings.Contains(body, "hush") || strings.Contains(body, "Basic other") || strings.Contains(body, "whsec_") {
				t.Errorf("the system log shows a secret: %s", body)
			}
		}
	})
}
