package directory

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/provost-id/provost/schemas"
)

// TestFilterFindsWhatItMeans compares what random filters find with what the oracle
// says: every attribute of every schema, every operator, on both engines, by sets,
// by asking every row, and by documents.
func TestFilterFindsWhatItMeans(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		types := typesOfEverything()
		useSchema(t, d, types)
		randomPeople(t, d, types[0], 60)
		docs := asSeen(t, d)
		attrs := oracleAttrs(types[0], docs)
		for _, way := range []struct {
			name       string
			few, dense int
		}{{"sets", 1, 1000}, {"walks", 1, 2}, {"documents", 1000, 1000}, {"an index being built", 1, 1000}} {
			t.Run(way.name, func(t *testing.T) {
				if way.name == "an index being built" {
					lose(t, d, types, "title", "tags", "level")
				}
				d.limits.few, d.limits.dense = way.few, way.dense
				rapid.Check(t, func(rt *rapid.T) {
					c := drawCondition(rt, attrs, 3)
					if got, want := found(rt, d, c.String()), meant(docs, c); !slices.Equal(got, want) {
						rt.Fatalf("%s\n got %v\nwant %v", c, got, want)
					}
				})
			})
		}
	})
}

const testBase = "https://directory.example/scim/v2"

func found(t interface{ Fatalf(string, ...any) }, d *Directory, filter string) []string {
	f, err := d.userType().ParseFilter(filter, schemas.Generic)
	if err != nil {
		t.Fatalf("parse %s: %v", filter, err)
	}
	p, err := d.List(context.Background(), typeUser, ListQuery{Filter: f, Count: 100, Client: tester.Client, Base: testBase})
	if err != nil {
		t.Fatalf("%s: %v", filter, err)
	}
	ids := []string{}
	for _, u := range p.Users {
		ids = append(ids, u.ID)
	}
	if p.Total != len(ids) {
		t.Fatalf("%s: total %d, but %d rows", filter, p.Total, len(ids))
	}
	return ids
}

func meant(docs []map[string]any, c condition) []string {
	ids := []string{}
	for _, doc := range docs {
		if c.holds(doc) {
			ids = append(ids, doc["id"].(string))
		}
	}
	return ids
}

// typesOfEverything is the default schema with attributes of every type.
func typesOfEverything() []schemas.ResourceType {
	types := schemas.Default()
	types[0].Extensions[1].Schema.Attributes = []schemas.Attribute{
		{Name: "badge", Type: schemas.String, CaseExact: true},
		{Name: "level", Type: schemas.Integer},
		{Name: "score", Type: schemas.Decimal},
		{Name: "remote", Type: schemas.Boolean},
		{Name: "hired", Type: schemas.DateTime},
		{Name: "home", Type: schemas.Reference},
		{Name: "key", Type: schemas.Binary},
		{Name: "tags", Type: schemas.String, MultiValued: true},
		{Name: "keys", Type: schemas.Binary, MultiValued: true},
		{Name: "essay", Type: schemas.String, Unindexed: true},
		{Name: "places", Type: schemas.Complex, MultiValued: true, SubAttributes: []schemas.Attribute{
			{Name: "value", Type: schemas.Integer}, {Name: "at", Type: schemas.DateTime}, {Name: "on", Type: schemas.Boolean},
			{Name: "note", Type: schemas.String, Unindexed: true},
		}},
	}
	return types
}

func useSchema(t testing.TB, d *Directory, types []schemas.ResourceType) {
	t.Helper()
	s, err := schemas.Compile(d.Schemas().Version, types)
	if err != nil {
		t.Fatal(err)
	}
	d.Schemas = func() *schemas.Snapshot { return s }
}

// literals are values of each type that meet each other: by case, accent, normal form,
// zone, sign and size.
var literals = map[schemas.DataType][]any{
	schemas.String: {"a", "A", "ab", "aB", "b", "work", "Work", "home", "other", "é", "E\u0301", "É", "e", "ß", "SS", "ﬁ", "fi", "İ", "ı", "日本", "x y", `"\`, "😀", "%", "_",
		"'", "\U0010FFFF", "a\U0010FFFFb", "a\U0010FFFF", "Å", "ΐ", "", strings.Repeat("Long é ", 60)},
	schemas.Integer:   {int64(-1 << 63), -5, -1, 0, 1, 5, 10, int64(1<<63 - 1)},
	schemas.Decimal:   {-1.5, -1e-7, 0, 1e-7, 0.1, 2.5, 3, 1e21},
	schemas.Boolean:   {true, false},
	schemas.DateTime:  {"2020-01-01T00:00:00Z", "2020-01-01T01:00:00+01:00", "2019-12-31T23:59:59.999999999Z", "2020-01-01T00:00:00.5Z", "2020-06-01T12:00:00", "1969-12-31T23:00:00-02:00"},
	schemas.Reference: {"https://x/", "https://X/a", "../Users/1", "urn:a:B", ""},
	schemas.Binary:    {"QUJD", "QUI=", "QUI", "A-_-", "A+/+", "QQ=="},
}

// lose takes attributes out of the index, and says that they are being put in again.
func lose(t testing.TB, d *Directory, types []schemas.ResourceType, names ...string) {
	t.Helper()
	for _, defs := range [][]schemas.Attribute{types[0].Core.Attributes, types[0].Extensions[1].Schema.Attributes} {
		for i := range defs {
			if slices.Contains(names, defs[i].Name) {
				defs[i].Building = true
			}
		}
	}
	for _, name := range names {
		check(t, exec1(d, `DELETE FROM attribute_values WHERE path IN ('`+name+`', 'org:`+name+`')`))
	}
	useSchema(t, d, types)
}

// randomPeople makes n people with any attributes, and two groups with some of them.
func randomPeople(t testing.TB, d *Directory, typ schemas.ResourceType, n int) {
	t.Helper()
	ctx := context.Background()
	r := rand.New(rand.NewPCG(1, 2)) // the same people each time
	groups := []*Group{mustCreateGroup(t, d, "Staff"), mustCreateGroup(t, d, "Ward É")}
	for i := range n {
		doc := randomObject(r, typ.Core.Attributes)
		for _, x := range typ.Extensions {
			doc[x.Schema.ID] = randomObject(r, x.Schema.Attributes)
		}
		doc["userName"] = fmt.Sprintf("%v%d", pick(r, literals[schemas.String]), i)
		if r.IntN(2) == 0 {
			doc["externalId"] = fmt.Sprintf("%v%d", pick(r, literals[schemas.String]), i)
		}
		u := mustCreate(t, d, toJSON(doc))
		for range r.IntN(2) * r.IntN(12) { // other versions
			doc["timezone"] = fmt.Sprint("z", r.IntN(1000))
			_, err := d.ReplaceUser(ctx, tester, u.ID, nil, parseUser(t, d, toJSON(doc)))
			check(t, err)
		}
		for _, g := range groups {
			if r.IntN(3) == 0 {
				check(t, d.AddMember(ctx, tester, g.ID, u.ID))
			}
		}
	}
}

func toJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// randomObject gives a third of the attributes a value.
func randomObject(r *rand.Rand, defs []schemas.Attribute) map[string]any {
	object := map[string]any{}
	for _, def := range defs {
		if r.IntN(3) > 0 || def.Name == "password" || def.Mutability == schemas.ReadOnly {
			continue
		}
		if !def.MultiValued {
			object[def.Name] = randomValue(r, def)
			continue
		}
		var all []any
		for range 1 + r.IntN(3) {
			e := randomValue(r, def)
			if o, ok := e.(map[string]any); ok && len(all) > 0 {
				delete(o, "primary") // there is one at most
			}
			all = append(all, e)
		}
		object[def.Name] = all
	}
	return object
}

func randomValue(r *rand.Rand, def schemas.Attribute) any {
	if def.Type == schemas.Complex {
		return randomObject(r, def.SubAttributes)
	}
	v := pick(r, literals[def.Type])
	if s, ok := v.(string); ok && len(s) > 100 && !def.Unindexed { // some have a maximum
		return s[:20]
	}
	return v
}

// asSeen are all users as a client sees them.
func asSeen(t testing.TB, d *Directory) (docs []map[string]any) {
	t.Helper()
	p, err := d.List(context.Background(), typeUser, ListQuery{Count: 100, Client: tester.Client})
	check(t, err)
	for _, u := range p.Users {
		active := u.Status.Active()
		all, err := d.GroupsOfAll(context.Background(), []InGroups{{RID: u.RID}})
		check(t, err)
		groups := []map[string]any{}
		for _, g := range all[u.RID] {
			groups = append(groups, map[string]any{"value": g.ID, "display": g.Name})
		}
		body := d.userType().Render(nil, u.Doc, schemas.Volatile{
			ID: u.ID, ExternalID: u.ExternalID, Created: u.Created, Modified: u.Modified, Version: u.Version,
			Location: testBase + "/Users/" + u.ID, Active: &active, Extra: []byte(`"groups":` + toJSON(groups)),
		}, nil)
		decoder := json.NewDecoder(bytes.NewReader(body))
		decoder.UseNumber()
		var doc map[string]any
		check(t, decoder.Decode(&doc))
		docs = append(docs, doc)
	}
	return docs
}

// TestSearchFindsWhatIsShown: whoever has a value in the flat profile is found by it.
func TestSearchFindsWhatIsShown(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		types := typesOfEverything()
		useSchema(t, d, types)
		randomPeople(t, d, types[0], 40)
		p, err := d.List(t.Context(), typeUser, ListQuery{Count: 100})
		check(t, err)
		asked := 0
		for _, u := range p.Users {
			profile, err := d.Profile(u)
			check(t, err)
			for name, value := range profile {
				if _, isList := value.([]any); isList || value == "" {
					continue
				}
				asked++
				f, err := d.userType().ParseSearch("profile." + name + " eq " + toJSON(value))
				if err != nil {
					t.Fatalf("%s %v: %v", name, value, err)
				}
				found, err := d.List(t.Context(), typeUser, ListQuery{Filter: f, Count: 100})
				check(t, err)
				if !slices.ContainsFunc(found.Users, func(x *User) bool { return x.ID == u.ID }) {
					t.Errorf("%s eq %v does not find %s", name, value, u.Doc)
				}
			}
		}
		if asked < 300 {
			t.Errorf("only %d values", asked)
		}
	})
}
