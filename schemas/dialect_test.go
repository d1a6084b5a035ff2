package schemas

import (
	"strings"
	"testing"
)

// TestDialects_Table: what every row has to hold.
func TestDialects_Table(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, d := range dialects {
		if d.Name != lower(d.Name) || d.Name == AutoDialect || d.Client == "" || seen[d.Name] {
			t.Errorf("row %q %q", d.Name, d.Client)
		}
		seen[d.Name] = true
		for _, s := range d.Signs {
			if s.Text == "" || s.In != InFirstOp && s.Text != lower(s.Text) {
				t.Errorf("%s: the sign %q is never found", d.Name, s.Text)
			}
		}
		if got, ok := DialectByName(strings.ToUpper(d.Name)); !ok || got.Name != d.Name {
			t.Errorf("%s is not found by its name", d.Name)
		}
	}
	if Strict.Leniency != (Leniency{}) || len(Strict.Signs) != 0 {
		t.Errorf("strict takes %+v", Strict.Leniency)
	}
	for name, want := range map[string]string{"": "", "auto": "", "AUTO": "", "Entra": "entra", "generic": "generic"} {
		if got, ok := PinnedDialect(name); !ok || got != want {
			t.Errorf("%q is kept as %q, %v", name, got, ok)
		}
	}
	if _, ok := PinnedDialect("esperanto"); ok {
		t.Error("esperanto is a dialect")
	}
}

// TestDetect: what requests give away, and what they do not.
func TestDetect(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		e    Evidence
		want string // empty for nothing
	}{
		{Evidence{}, ""},
		{Evidence{UserAgent: "curl/8.5.0", Query: `filter=userName+eq+"x"&count=1`}, ""},
		{Evidence{UserAgent: "Okta SCIM Client 1.0.0"}, "okta"},
		{Evidence{UserAgent: "Microsoft Azure AD SCIM provisioning 1.2.3"}, "entra"},
		{Evidence{UserAgent: "Google-Auto-Provisioning"}, "google"},
		{Evidence{UserAgent: "authentik@2026.8.1"}, "authentik"},
		{Evidence{Query: "aadOptscim062020&filter=x"}, "entra"},
		{Evidence{Query: "filter=aadOptSCIM062020=true"}, "entra"},
		{Evidence{Query: "filter=userName+eq+%22x%22&"}, "onelogin"},
		{Evidence{Body: []byte(`{"schemas":["urn:scim:schemas:core:2.0"],"userName":"x"}`)}, "onelogin"},
		{Evidence{Body: []byte(`{"schemas":["urn:scim:schemas:core:2.0:User"],"userName":"x"}`)}, ""},
		{Evidence{Body: []byte(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:okta:app_1:1.0:user:custom"]}`)}, "okta"},
		{Evidence{Body: []byte(`{"schemas":["http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/Group"]}`)}, "entra"},
		{Evidence{Body: []byte(`{"Operations":[{"op" : "Add","path":"x"}]}`)}, "entra"},
		{Evidence{Body: []byte(`{"Operations":[{"op":"add","path":"x","value":"Add"}]}`)}, ""},
		{Evidence{Body: []byte(`{"Operations":[{"op":"ADD","path":"x"}]}`)}, ""},
		{Evidence{Body: []byte(`{"title":"Replace","userName":"op"}`)}, ""},
		// The surest sign wins: a client says who it is.
		{Evidence{UserAgent: "Okta SCIM Client 1.0.0", Body: []byte(`{"Operations":[{"op":"Replace"}]}`)}, "okta"},
		{Evidence{UserAgent: "Okta SCIM Client 1.0.0", Query: "x=1&"}, "okta"},
		// What stands far behind is not looked at.
		{Evidence{Body: []byte(`{"x":"` + strings.Repeat("x", evidenceLength) + `","schemas":["urn:scim:schemas:core:2.0"]}`)}, ""},
	} {
		d, ok := Detect(c.e)
		if got := d.Name; ok != (c.want != "") || ok && got != c.want || !ok && got != "generic" {
			t.Errorf("%+v: got %q, %v, want %q", c.e, got, ok, c.want)
		}
	}
}

// FuzzDetect: a request does not end anything, and never makes anybody strict.
func FuzzDetect(f *testing.F) {
	f.Add("Okta SCIM Client", "a=b&", []byte(`{"op":"Add"}`))
	f.Fuzz(func(t *testing.T, agent, query string, body []byte) {
		if d, _ := Detect(Evidence{agent, query, body}); d.Name == "strict" || d.Name == "" {
			t.Fatalf("dialect %q", d.Name)
		}
	})
}

// TestFormerURNs: only whole URNs are those of another day.
func TestFormerURNs(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"urn:scim:schemas:core:1.0": userURN, "URN:scim:schemas:core:2.0:user:title": userURN + ":title",
		"urn:scim:schemas:extension:enterprise:1.0.department": enterpriseURN + ":department", "urn:scim:schemas:extension:enterprise:2.0:User": enterpriseURN,
		"urn:scim:schemas:core:1.01": "", "urn:scim:schemas:core": "", "title": "", "": "", userURN: "",
	} {
		if got := typ("User").urnOfToday(path); got != want {
			t.Errorf("%q is %q, want %q", path, got, want)
		}
	}
}
