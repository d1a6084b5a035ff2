package scim

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/provost-id/provost/provisioning"
)

func TestSettings(t *testing.T) {
	for _, test := range []struct {
		name   string
		change provisioning.Config
		fault  string
	}{
		{"good", nil, ""},
		{"no URL", provisioning.Config{"baseUrl": ""}, "baseUrl"},
		{"another scheme", provisioning.Config{"baseUrl": "ftp://example.com"}, "baseUrl"},
		{"a password in it", provisioning.Config{"baseUrl": "https://a:b@example.com"}, "baseUrl"},
		{"a query in it", provisioning.Config{"baseUrl": "https://example.com/?a=b"}, "baseUrl"},
		{"a header in the token", provisioning.Config{"token": "a\r\nX: y"}, "token"},
		{"unknown profile", provisioning.Config{"profile": "nobody"}, "profile"},
		{"unknown setting", provisioning.Config{"profileSettings": map[string]any{"pacth": "none"}}, "profileSettings"},
		{"no such patch", provisioning.Config{"profileSettings": map[string]any{"patch": "maybe"}}, "profileSettings"},
		{"no members", provisioning.Config{"profileSettings": map[string]any{"membersPerRequest": 0}}, "profileSettings"},
		{"overridden", provisioning.Config{"profile": "slack", "profileSettings": map[string]any{"deleteMeans": ""}}, ""},
	} {
		c := provisioning.Config{"baseUrl": "https://example.com/scim/v2/", "token": "t"}
		maps.Copy(c, test.change)
		s, err := parseSettings(c)
		var e *provisioning.Error
		switch {
		case test.fault == "" && (err != nil || s.base != "https://example.com/scim/v2" || s.profile.DeleteMeans != ""):
			t.Errorf("%s: %+v, %v", test.name, s, err)
		case test.fault != "" && (!errors.As(err, &e) || e.Kind != provisioning.ErrConfig || e.Attr != test.fault):
			t.Errorf("%s: %v, want a fault of %s", test.name, err, test.fault)
		}
	}
}

// TestProfiles: every profile that comes with us is one that can be used.
func TestProfiles(t *testing.T) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(profilesJSON, &all); err != nil {
		t.Fatal(err)
	}
	for name := range all {
		if _, err := profile(provisioning.Config{"profile": name}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	for v, want := range map[string]time.Duration{
		"": 0, "120": 2 * time.Minute, " 3 ": 3 * time.Second, "-5": 0, "soon": 0, "99999999999": maxRetryAfter, "9999999999999999999999": 0,
		"Sun, 01 Nov 2026 12:00:30 GMT": 30 * time.Second, "Sun, 01 Nov 2026 11:00:00 GMT": 0, "Mon, 01 Nov 2027 12:00:00 GMT": maxRetryAfter,
	} {
		if got := retryAfter(v, now); got != want {
			t.Errorf("%q: %v, want %v", v, got, want)
		}
	}
}

// TestResource reads what targets write in their own ways.
func TestResource(t *testing.T) {
	c := open(t, provisioning.Config{"baseUrl": "https://example.com"})
	for _, test := range []struct {
		name, json string
		want       map[string][]string
		active     bool
	}{
		{"one e-mail without a type", `{"id":"1","emails":[{"value":"a@x"}]}`, map[string][]string{`emails[type eq "work"].value`: {"a@x"}, "emails": {"a@x"}}, true},
		{"types in capitals", `{"id":"1","Emails":[{"Type":"WORK","value":"a@x"},{"type":"other","value":"b@x"}]}`,
			map[string][]string{`emails[type eq "work"].value`: {"a@x"}, `emails[type eq "other"].value`: {"b@x"}, "emails": {"a@x", "b@x"}}, true},
		{"active as text", `{"id":"1","active":"False","title":""}`, map[string][]string{}, false},
		{"manager as an object", `{"id":"1","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"9"}}}`,
			map[string][]string{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value": {"9"}}, true},
		{"manager as an ID", `{"id":"1","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":"9"}}`,
			map[string][]string{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value": {"9"}}, true},
		{"nonsense", `{"id":"1","name":"Ada","emails":{"value":1},"title":{},"addresses":["x"]}`, map[string][]string{"emails": {"1"}}, true},
	} {
		var r tree
		if err := json.Unmarshal([]byte(test.json), &r); err != nil {
			t.Fatal(err)
		}
		o := c.object(provisioning.TypeUser, r, remoteNames(provisioning.TypeUser))
		if diff := cmp.Diff(test.want, o.Attributes); diff != "" || o.Active != test.active {
			t.Errorf("%s: active %v, -want +got\n%s", test.name, o.Active, diff)
		}
	}
}

// TestSetThenValues: what is written at a path of the schema is read there, and only there.
func TestSetThenValues(t *testing.T) {
	names := remoteNames(provisioning.TypeUser)
	rapid.Check(t, func(t *rapid.T) {
		resource, want := tree{}, map[string]string{}
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			remote := rapid.SampledFrom(names).Filter(func(s string) bool { return s != "emails" }).Draw(t, "path")
			value := rapid.SampledFrom([]string{"", "a", "é\"\\", "0"}).Draw(t, "value")
			p, err := parsePath(remote)
			if err != nil {
				t.Fatal(err)
			}
			p.set(resource, nonEmpty([]string{value}))
			want[remote] = value
		}
		for remote, value := range want {
			p, _ := parsePath(remote)
			if got := p.values(resource); !slices.Equal(got, nonEmpty([]string{value})) {
				t.Fatalf("%s is %q, want %q, in %v", remote, got, value, resource)
			}
		}
	})
}

// FuzzParsePath: a path is printed as it was read, and nothing of a filter gets into it.
func FuzzParsePath(f *testing.F) {
	for _, s := range append(remoteNames(provisioning.TypeUser), "a.b.c", `a[b eq "c"]`, "urn:x:y", "") {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := parsePath(s)
		if err != nil {
			return
		}
		printed := p.String()
		if p.typ != "" {
			printed = p.head() + "[type eq " + quote(p.typ) + "]." + p.sub
		}
		if printed != s || strings.ContainsAny(p.attr+p.typ+p.sub, `"[]. `) {
			t.Errorf("%q became %+v", s, p)
		}
	})
}
