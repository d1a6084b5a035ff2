package schemas

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var volatile = Volatile{
	ID: "00u1", ExternalID: `ext"1`, Version: 7, Location: "https://x/scim/v2/Users/00u1",
	Created: time.UnixMicro(1577836800123456), Modified: time.UnixMicro(1577836800000000),
	Active: new(bool), Extra: []byte(`"groups":[{"value":"00g1","$ref":"https://x/scim/v2/Groups/00g1","display":"G","type":"direct"}]`),
}

const (
	metaJSON   = `"meta":{"resourceType":"User","created":"2020-01-01T00:00:00.123456Z","lastModified":"2020-01-01T00:00:00.000000Z","location":"https://x/scim/v2/Users/00u1","version":"W/\"7\""}`
	groupsJSON = `"groups":[{"value":"00g1","$ref":"https://x/scim/v2/Groups/00g1","display":"G","type":"direct"}]`
	secretBody = `{"userName":"a","title":"t","name":{"givenName":"g","familyName":"f"},"emails":[{"value":"x","type":"work"},{"type":"home"}],
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"D","manager":{"value":"m"}},
		"urn:provost:params:scim:schemas:extension:org:2.0:User":{"secret":"s","onDemand":"d","badge":"b]"}}`
)

func render(t testing.TB, r *Resource, v Volatile, attributes, excluded string) string {
	t.Helper()
	p, err := r.Type.ParseProjection(attributes, excluded)
	if err != nil {
		t.Fatal(err)
	}
	return string(r.Type.Render(nil, r.Doc(), v, p))
}

func TestRender_Whole(t *testing.T) {
	t.Parallel()
	s, err := Compile(1, Default())
	if err != nil {
		t.Fatal(err)
	}
	u, _ := s.Type("User")
	r, err := u.Parse([]byte(barbara), Generic)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"schemas":["` + userURN + `","` + enterpriseURN + `"],"id":"00u1","externalId":"ext\"1","userName":"bjensen@example.com",` +
		`"name":{"familyName":"Jensen","givenName":"Barbara"},"title":"Tour Guide",` +
		`"emails":[{"value":"bjensen@example.com","type":"work","primary":true},{"value":"babs@jensen.org","type":"home"}],` +
		`"` + enterpriseURN + `":{"department":"Tours","manager":{"value":"26118915"}},"active":false,` + groupsJSON + `,` + metaJSON + `}`
	for _, p := range []*Projection{nil, u.everything} {
		if got := string(u.Render([]byte("x"), r.Doc(), volatile, p)); got != "x"+want {
			t.Errorf("got %s\nwant %s", got, want)
		}
	}
	if !u.everything.whole {
		t.Error("the default schema is not rendered by splicing alone")
	}
	bare := Volatile{ID: "00u1"}
	if got, want := string(u.Render(nil, []byte(`{"schemas":["`+userURN+`"],"userName":"a"}`), bare, nil)),
		`{"schemas":["`+userURN+`"],"id":"00u1","userName":"a","meta":{"resourceType":"User","version":"W/\"0\""}}`; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

// TestRFC7644_3_9_Projection: attributes and excludedAttributes, with returned always,
// never and request (RFC 7643, section 7).
func TestRFC7644_3_9_Projection(t *testing.T) {
	t.Parallel()
	r := parse(t, "User", secretBody, Generic)
	core, ent, orgs := `"`+userURN+`"`, `"`+enterpriseURN+`"`, `"`+orgURN+`"`
	entAll := ent + `:{"department":"D","manager":{"value":"m"}}`
	for _, c := range []struct{ name, attributes, excluded, want string }{
		{"default: no secret, and nothing on request", "", "", `{"schemas":[` + core + `,` + ent + `,` + orgs + `],"id":"00u1","externalId":"ext\"1",
			"userName":"a","title":"t","name":{"givenName":"g","familyName":"f"},"emails":[{"value":"x","type":"work"},{"type":"home"}],
			` + entAll + `,` + orgs + `:{"badge":"b]"},"active":false,` + groupsJSON + `,` + metaJSON + `}`},
		{"one attribute", "TITLE", "", `{"schemas":[` + core + `],"id":"00u1","title":"t"}`},
		{"sub-attributes", "name.familyName, emails.value ,meta.version", "", `{"schemas":[` + core + `],"id":"00u1","name":{"familyName":"f"},"emails":[{"value":"x"}],"meta":{"version":"W/\"7\""}}`},
		{"with a value filter", `emails[type eq "work"]`, "", `{"schemas":[` + core + `],"id":"00u1","emails":[{"value":"x","type":"work"},{"type":"home"}]}`},
		{"extension attribute", enterpriseURN + ":manager.value," + enterpriseURN + ":division", "", `{"schemas":[` + core + `,` + ent + `],"id":"00u1",` + ent + `:{"manager":{"value":"m"}}}`},
		{"extension", enterpriseURN, "", `{"schemas":[` + core + `,` + ent + `],"id":"00u1",` + entAll + `}`},
		{"bare name of an extension attribute", "department", "", `{"schemas":[` + core + `,` + ent + `],"id":"00u1",` + ent + `:{"department":"D"}}`},
		{"on request", orgURN + ":onDemand", "", `{"schemas":[` + core + `,` + orgs + `],"id":"00u1",` + orgs + `:{"onDemand":"d"}}`},
		{"never, even on request", "password," + orgURN + ":secret", "", `{"schemas":[` + core + `],"id":"00u1"}`},
		{"unknown", "nosuch", "", `{"schemas":[` + core + `],"id":"00u1"}`},
		{"groups in part", "groups.value,active,externalId", "", `{"schemas":[` + core + `],"id":"00u1","externalId":"ext\"1","active":false,"groups":[{"value":"00g1"}]}`},
		{"excluded", "", "emails,name.givenName,groups,meta,active,externalId," + orgURN, `{"schemas":[` + core + `,` + ent + `],"id":"00u1","userName":"a","title":"t","name":{"familyName":"f"},` + entAll + `}`},
		{"id cannot be excluded", "title", "id,schemas", `{"schemas":[` + core + `],"id":"00u1","title":"t"}`},
		{"all sub-attributes excluded", "name,emails", "name.givenName,name.familyName,emails.type,emails.value", `{"schemas":[` + core + `],"id":"00u1"}`},
		{"both", "name,title", "name.givenName", `{"schemas":[` + core + `],"id":"00u1","title":"t","name":{"familyName":"f"}}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := render(t, r, volatile, c.attributes, c.excluded)
			if diff := cmp.Diff(object(t, []byte(c.want)), object(t, []byte(got))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	_, err := typ("User").ParseProjection(strings.Repeat("x,", 9000), "")
	wantError(t, err, InvalidValue, "attributes")
}

func TestProjection_Includes(t *testing.T) {
	t.Parallel()
	g := typ("Group")
	for _, c := range []struct {
		attributes, excluded string
		want                 bool
	}{
		{"", "", true}, {"displayName", "", false}, {"members", "", true}, {"members.value", "", true},
		{"", "members", false}, {"", "MEMBERS", false}, {"", "displayName", true}, {"", "urn:ietf:params:scim:schemas:core:2.0:Group:members", false},
	} {
		p, err := g.ParseProjection(c.attributes, c.excluded)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Includes("members"); got != c.want {
			t.Errorf("attributes=%s&excludedAttributes=%s: got %v", c.attributes, c.excluded, got)
		}
	}
	if !(*Projection)(nil).Includes("members") {
		t.Error("the nil projection leaves members out")
	}
	p, _ := g.ParseProjection("", "members")
	if !p.whole {
		t.Error("a group without members is not rendered by splicing alone")
	}
}

// TestRender_Oracle compares with a projection of decoded JSON.
func TestRender_Oracle(t *testing.T) {
	t.Parallel()
	u := typ("User")
	var paths []string
	for _, a := range u.attrs[1:] {
		paths = append(paths, a.path)
	}
	rapid.Check(t, func(t *rapid.T) {
		r := &Resource{Type: u, root: drawRoot(t)}
		list := rapid.SliceOfN(rapid.SampledFrom(paths), 0, 6).Draw(t, "paths")
		excluded := rapid.Bool().Draw(t, "excluded")
		var p *Projection
		var err error
		if joined := strings.Join(list, ","); excluded {
			p, err = u.ParseProjection("", joined)
		} else {
			p, err = u.ParseProjection(joined, "")
		}
		if err != nil {
			t.Fatal(err)
		}
		doc := r.Doc()
		var got, all map[string]any
		out := u.Render(nil, doc, volatile, p)
		if err := json.Unmarshal(out, &got); err != nil {
			t.Fatalf("%v in %s", err, out)
		}
		whole := &Projection{t: u, whole: true, shows: make([]show, len(u.attrs))}
		for i := range whole.shows {
			whole.shows[i] = showAll
		}
		if err := json.Unmarshal(u.Render(nil, doc, volatile, whole), &all); err != nil {
			t.Fatal(err)
		}
		want := pruned(u.root, all, func(a *attr) bool {
			return isVisible(a, list, excluded || len(list) == 0)
		})
		want["schemas"] = usedSchemas(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("paths %v, excluded %v (-want +got):\n%s", list, excluded, diff)
		}
	})
}

// pruned keeps of m the simple values that are visible, and what holds them.
func pruned(a *attr, m map[string]any, visible func(*attr) bool) map[string]any {
	out := map[string]any{}
	for _, s := range a.subs {
		v, ok := m[s.Name]
		switch {
		case !ok:
		case s.Type != Complex:
			if visible(s) {
				out[s.Name] = v
			}
		case s.MultiValued:
			var kept []any
			for _, e := range v.([]any) {
				if o := pruned(s, e.(map[string]any), visible); len(o) > 0 {
					kept = append(kept, o)
				}
			}
			if kept != nil {
				out[s.Name] = kept
			}
		default:
			if o := pruned(s, v.(map[string]any), visible); len(o) > 0 {
				out[s.Name] = o
			}
		}
	}
	return out
}

// isVisible decides about a simple attribute on its own.
func isVisible(a *attr, list []string, excluding bool) bool {
	named := false
	for up := a; up != nil; up = up.parent {
		named = named || slices.Contains(list, up.path) && up.path != ""
	}
	switch {
	case a.Returned == ReturnedNever:
		return false
	case a.Returned == ReturnedAlways:
		return true
	case a.Returned == ReturnedRequest:
		return !excluding && slices.Contains(list, a.path)
	default:
		return named != excluding
	}
}

func usedSchemas(m map[string]any) []any {
	used := []any{userURN}
	for _, urn := range []string{enterpriseURN, orgURN} {
		if _, ok := m[urn]; ok {
			used = append(used, urn)
		}
	}
	return used
}
