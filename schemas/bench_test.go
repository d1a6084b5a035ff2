package schemas

import (
	"encoding/json"
	"testing"
	"time"
)

// full is a user of about 1.5 kB, as many attributes as clients send.
const full = `{"schemas":["` + userURN + `","` + enterpriseURN + `"],"externalId":"701984","userName":"bjensen@example.com",
"name":{"formatted":"Ms. Barbara J Jensen, III","familyName":"Jensen","givenName":"Barbara","middleName":"Jane","honorificPrefix":"Ms.","honorificSuffix":"III"},
"displayName":"Babs Jensen","nickName":"Babs","profileUrl":"https://login.example.com/bjensen",
"emails":[{"value":"bjensen@example.com","type":"work","primary":true},{"value":"babs@jensen.org","type":"home"}],
"addresses":[{"type":"work","streetAddress":"100 Universal City Plaza","locality":"Hollywood","region":"CA","postalCode":"91608","country":"USA","formatted":"100 Universal City Plaza\nHollywood, CA 91608 USA","primary":true}],
"phoneNumbers":[{"value":"555-555-5555","type":"work"},{"value":"555-555-4444","type":"mobile"}],
"userType":"Employee","title":"Tour Guide","preferredLanguage":"en-US","locale":"en-US","timezone":"America/Los_Angeles","active":true,
"` + enterpriseURN + `":{"employeeNumber":"701984","costCenter":"4130","organization":"Universal Studios","division":"Theme Park","department":"Tour Operations","manager":{"value":"26118915","displayName":"John Smith"}}}`

func BenchmarkParse(b *testing.B) {
	u, body := typ("User"), []byte(full)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := u.Parse(body, Generic); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkParse_Floor is what encoding/json needs for a map, without any check.
func BenchmarkParse_Floor(b *testing.B) {
	body := []byte(full)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		var m map[string]any
		if err := json.Unmarshal(body, &m); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	u, doc := typ("User"), parse(b, "User", full, Generic).Doc()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := u.Decode(doc); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDoc(b *testing.B) {
	r := parse(b, "User", full, Generic)
	b.ReportAllocs()
	for b.Loop() {
		_ = r.Doc()
	}
}

func BenchmarkIndex(b *testing.B) {
	r := parse(b, "User", full, Generic)
	b.ReportAllocs()
	for b.Loop() {
		_ = r.Index()
	}
}

func BenchmarkProfile(b *testing.B) {
	r := parse(b, "User", full, Generic)
	b.ReportAllocs()
	for b.Loop() {
		_ = r.Profile()
	}
}

func BenchmarkRender(b *testing.B) {
	s, err := Compile(1, Default())
	if err != nil {
		b.Fatal(err)
	}
	u, _ := s.Type("User")
	doc := parse(b, "User", full, Generic).Doc()
	v := Volatile{ID: "00u1", ExternalID: "x", Version: 1, Location: "https://x/scim/v2/Users/00u1", Created: time.Unix(1, 0), Modified: time.Unix(2, 0), Active: new(bool)}
	var dst []byte
	for name, attributes := range map[string]string{"whole": "", "projected": "userName,emails.value,name"} {
		p, err := u.ParseProjection(attributes, "")
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				dst = u.Render(dst[:0], doc, v, p)
			}
		})
	}
}

func BenchmarkParseFilter(b *testing.B) {
	u := typ("User")
	for name, src := range map[string]string{
		"simple":  `userName eq "bjensen@example.com"`,
		"complex": `emails[type eq "work" and value co "@example.com"] and (title pr or not (userType eq "Intern")) and meta.lastModified gt "2020-01-01T00:00:00Z"`,
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := u.ParseFilter(src, Generic); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkPatch(b *testing.B) {
	r := parse(b, "User", full, Generic)
	for name, op := range map[string]string{
		"active":    `{"op":"replace","path":"active","value":false}`,
		"valuePath": `{"op":"replace","path":"emails[type eq \"work\"].value","value":"x@y.z"}`,
	} {
		body := []byte(patchBody(op))
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				ops, err := r.Type.ParsePatch(body, Generic)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := r.Type.Patch(r, ops, Generic); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
