package directory

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

const (
	orgURN        = "urn:provost:params:scim:schemas:extension:org:2.0:User"
	enterpriseURN = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
)

// sortSchema adds an attribute of every kind to the organisation's extension.
func sortSchema(t testing.TB, d *Directory) {
	t.Helper()
	types := schemas.Default()
	for i, x := range types[0].Extensions {
		if x.Schema.ID != orgURN {
			continue
		}
		types[0].Extensions[i].Schema.Attributes = []schemas.Attribute{
			{Name: "level", Type: schemas.Integer}, {Name: "ratio", Type: schemas.Decimal}, {Name: "hired", Type: schemas.DateTime},
			{Name: "remote", Type: schemas.Boolean}, {Name: "badge", Type: schemas.String, CaseExact: true},
			{Name: "skills", Type: schemas.String, MultiValued: true}, {Name: "site", Type: schemas.Reference},
			{Name: "desks", Type: schemas.Complex, MultiValued: true, SubAttributes: []schemas.Attribute{
				{Name: "value", Type: schemas.Integer}, {Name: "floor", Type: schemas.String}, {Name: "primary", Type: schemas.Boolean},
			}},
		}
	}
	snapshot, err := schemas.Compile(d.Schemas().Version, types)
	if err != nil {
		t.Fatal(err)
	}
	d.Schemas = func() *schemas.Snapshot { return snapshot }
}

// sortable are the attributes that the oracle knows, by the path of their JSON.
var sortable = map[string][]string{
	"userName": {"userName"}, "displayName": {"displayName"}, "name.familyName": {"name", "familyName"}, "NAME.givenname": {"name", "givenName"},
	"name.formatted": {"name", "formatted"}, "title": {"title"}, "nickName": {"nickName"}, "locale": {"locale"},
	"emails": {"emails", "value"}, "emails.value": {"emails", "value"}, "emails.type": {"emails", "type"}, "phoneNumbers": {"phoneNumbers", "value"},
	"addresses.locality": {"addresses", "locality"}, "externalId": {"externalId"}, "id": {"id"}, "active": {"active"},
	"meta.created": {"meta", "created"}, "meta.lastModified": {"meta", "lastModified"}, "meta.resourceType": {"meta", "resourceType"}, "meta.location": {"id"},
	"urn:ietf:params:scim:schemas:core:2.0:User:title": {"title"},
	enterpriseURN + ":department":                      {enterpriseURN, "department"}, "employeeNumber": {enterpriseURN, "employeeNumber"},
	enterpriseURN + ":manager": {enterpriseURN, "manager", "value"}, orgURN + ":level": {orgURN, "level"}, orgURN + ":ratio": {orgURN, "ratio"},
	orgURN + ":hired": {orgURN, "hired"}, "remote": {orgURN, "remote"}, orgURN + ":badge": {orgURN, "badge"}, orgURN + ":skills": {orgURN, "skills"},
	orgURN + ":site": {orgURN, "site"}, orgURN + ":desks": {orgURN, "desks", "value"}, orgURN + ":desks.floor": {orgURN, "desks", "floor"},
}

// oneOf draws one of the words, or nothing.
func oneOf(r *rand.Rand, words ...any) any {
	if n := r.IntN(len(words) + 1); n < len(words) {
		return words[n]
	}
	return nil
}

// elements draws up to three elements, one of which may be the primary one.
func elements(r *rand.Rand, element func() map[string]any) []any {
	var all []any
	primary := r.IntN(5)
	for i := range r.IntN(4) {
		e := element()
		if i == primary {
			e["primary"] = true
		}
		all = append(all, e)
	}
	return all
}

func drawUser(r *rand.Rand, n int) map[string]any {
	word := func() any { return oneOf(r, "Ada", "ada", "Bo", "Çelik", "celik", "Å", "ä", "Z", "日本", "a b") }
	u := map[string]any{
		"userName": fmt.Sprintf("%v%d@example.com", oneOf(r, "P", "q", "Rä"), n), "displayName": word(), "title": word(), "nickName": oneOf(r, "n", "N"),
		"externalId": oneOf(r, fmt.Sprint("e", n), fmt.Sprint("E", n)), "active": oneOf(r, true, false), "locale": oneOf(r, "de_DE", "en_US"),
		"name": map[string]any{"familyName": word(), "givenName": word(), "formatted": word()},
		"emails": elements(r, func() map[string]any {
			return map[string]any{"value": oneOf(r, "A@x.example", "a@x.example", "b@x.example", "C@x.example"), "type": oneOf(r, "work", "home")}
		}),
		"phoneNumbers": elements(r, func() map[string]any { return map[string]any{"value": oneOf(r, "tel:+1", "tel:+22", "tel:+3")} }),
		"addresses":    elements(r, func() map[string]any { return map[string]any{"locality": word(), "country": "DE"} }),
		enterpriseURN:  map[string]any{"department": word(), "employeeNumber": oneOf(r, "7", "70", "8"), "manager": map[string]any{"value": oneOf(r, "m1", "m2")}},
		orgURN: map[string]any{
			"level": oneOf(r, -5, 0, 3, 20), "ratio": oneOf(r, -1.5, 0.25, 3.0, 1e30), "remote": oneOf(r, true, false), "badge": oneOf(r, "b", "B", "a"),
			"hired":  oneOf(r, "2020-01-02T03:04:05Z", "2020-01-02T03:04:05+02:00", "1999-12-31T23:59:59.5Z"),
			"skills": oneOf(r, []string{"go", "sql"}, []string{"C"}, []string{"zig", "ada"}), "site": oneOf(r, "https://b.example/", "https://A.example/"),
			"desks": elements(r, func() map[string]any { return map[string]any{"value": oneOf(r, 1, 10, 9), "floor": oneOf(r, "x", "Y")} }),
		},
	}
	return u
}

// shown is a user as a client sees it, and its row number.
type shown struct {
	rid  int64
	body map[string]any
}

// sortValue is the value by which RFC 7644, section 3.4.2.3, sorts: of the primary
// element of a multi-valued attribute, or else of the first. It is nil for none.
func sortValue(body any, path []string) any {
	for _, name := range path {
		if list, ok := body.([]any); ok {
			body = primaryOrFirst(list)
		}
		m, _ := body.(map[string]any)
		body = m[name]
	}
	if list, ok := body.([]any); ok {
		body = primaryOrFirst(list)
	}
	return body
}

func primaryOrFirst(list []any) any {
	for _, e := range list {
		if m, ok := e.(map[string]any); ok && m["primary"] == true {
			return e
		}
	}
	if len(list) == 0 {
		return nil
	}
	return list[0]
}

func compareSortValues(t testing.TB, path string, a, b any) int {
	t.Helper()
	switch x := a.(type) {
	case float64:
		return cmp.Compare(x, b.(float64))
	case bool:
		return cmp.Compare(fmt.Sprint(x), fmt.Sprint(b))
	case string:
		y := b.(string)
		switch {
		case strings.HasSuffix(path, "hired") || strings.HasPrefix(path, "meta.c") || strings.HasPrefix(path, "meta.last"):
			return instant(t, x).Compare(instant(t, y))
		case path == "userName":
			return cmp.Compare(schemas.FoldLogin(x), schemas.FoldLogin(y))
		case path == "id" || path == "meta.location" || path == "externalId" || strings.HasSuffix(path, "badge") || strings.HasSuffix(path, "site"):
			return cmp.Compare(x, y)
		}
		return cmp.Compare(schemas.Fold(x), schemas.Fold(y))
	}
	t.Fatalf("%s: the oracle has no order for %T", path, a)
	return 0
}

func instant(t testing.TB, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// TestRFC7644_3_4_2_3_SortEqualsTheOracle sorts random users by every attribute in
// both orders, by cursor, by startIndex and whole, with a filter and without, and in
// every way in which a sorted list is read.
func TestRFC7644_3_4_2_3_SortEqualsTheOracle(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		sortSchema(t, d)
		all := drawUsers(t, d, 60)
		filter, err := d.userType().ParseFilter(`userName sw "p" or title pr`, schemas.Generic)
		if err != nil {
			t.Fatal(err)
		}
		usual := d.lists
		n := 0
		for path, in := range sortable {
			for _, descending := range []bool{false, true} {
				for _, f := range []*schemas.Filter{nil, filter} {
					for _, limits := range []listLimits{usual, {few: 0, looked: 0}, {few: 0, looked: 25}} {
						d.lists = limits
						want := inOrderOf(t, all, path, in, descending, f != nil)
						n++
						q := ListQuery{Filter: f, SortBy: path, Descending: descending, Count: 7 + n%5, UseCursor: n%2 == 0, Client: tester.Client}
						if n%3 == 0 {
							q.Count = 200
						}
						if diff := gocmp.Diff(want, pages(t, d, q)); diff != "" {
							t.Errorf("%s descending %t filtered %t cursor %t count %d %+v:\n%s", path, descending, f != nil, q.UseCursor, q.Count, limits, diff)
						}
					}
				}
			}
		}
	})
}

func drawUsers(t testing.TB, d *Directory, n int) []shown {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	projection, err := d.userType().ParseProjection("", "")
	if err != nil {
		t.Fatal(err)
	}
	all := make([]shown, n)
	for i := range all {
		body, err := json.Marshal(drawUser(r, i))
		if err != nil {
			t.Fatal(err)
		}
		u := mustCreate(t, d, string(body))
		active := u.Status.Active()
		text := d.userType().Render(nil, u.Doc, schemas.Volatile{
			ID: u.ID, ExternalID: u.ExternalID, Created: u.Created, Modified: u.Modified, Version: 1, Active: &active,
		}, projection)
		all[i].rid = u.RID
		if err := json.Unmarshal(text, &all[i].body); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// inOrderOf are the row numbers in the order that the RFC demands, ties by age.
func inOrderOf(t testing.TB, all []shown, path string, in []string, descending, filtered bool) []int64 {
	t.Helper()
	all = slices.Clone(all)
	if filtered {
		all = slices.DeleteFunc(all, func(s shown) bool {
			login, _ := s.body["userName"].(string)
			return !strings.HasPrefix(strings.ToLower(login), "p") && s.body["title"] == nil
		})
	}
	slices.SortFunc(all, func(a, b shown) int {
		x, y := sortValue(a.body, in), sortValue(b.body, in)
		c := 0
		switch {
		case x == nil && y != nil:
			c = 1
		case x != nil && y == nil:
			c = -1
		case x != nil:
			c = compareSortValues(t, path, x, y)
		}
		if c = cmp.Or(c, cmp.Compare(a.rid, b.rid)); descending {
			return -c
		}
		return c
	})
	rids := make([]int64, len(all))
	for i, s := range all {
		rids[i] = s.rid
	}
	return rids
}

// pages walks a list to its end.
func pages(t testing.TB, d *Directory, q ListQuery) []int64 {
	t.Helper()
	var all []int64
	q.StartIndex = 1
	for range 1000 {
		p, err := d.List(t.Context(), typeUser, q)
		if err != nil {
			t.Fatalf("%+v: %v", q, err)
		}
		all = append(all, p.Order...)
		if len(p.Order) < q.Count || q.UseCursor && p.Next == "" {
			if p.Total != len(all) {
				t.Errorf("%+v: total %d at the end, but %d seen", q, p.Total, len(all))
			}
			return all
		}
		q.StartIndex, q.Cursor = q.StartIndex+len(p.Order), p.Next
	}
	t.Fatalf("%+v: no end", q)
	return nil
}

// TestRFC7644_3_4_2_3_ColdStartIndex: where nothing is remembered, an index is found by
// passing over what comes before, in any order.
func TestRFC7644_3_4_2_3_ColdStartIndex(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		sortSchema(t, d)
		all := drawUsers(t, d, 40)
		for _, path := range []string{"title", "displayName", "emails", "externalId", "active", "id"} {
			for _, descending := range []bool{false, true} {
				want := inOrderOf(t, all, path, sortable[path], descending, false)
				for _, start := range []int{2, 13, 27, 38, 40, 41, 100} {
					forget(t, d)
					q := ListQuery{SortBy: path, Descending: descending, StartIndex: start, Count: 5, Client: tester.Client}
					p, err := d.List(t.Context(), typeUser, q)
					if err != nil {
						t.Fatal(err)
					}
					from := min(start-1, len(want))
					if diff := gocmp.Diff(want[from:min(from+5, len(want))], append([]int64{}, p.Order...)); diff != "" {
						t.Errorf("%s descending %t startIndex %d:\n%s", path, descending, start, diff)
					}
				}
			}
		}
	})
}

// forget drops what is remembered of all walks.
func forget(t testing.TB, d *Directory) {
	t.Helper()
	err := d.DB.Write(t.Context(), func(tx *sqldb.Tx) error {
		_, err := tx.Exec(`DELETE FROM list_checkpoints`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// What cannot be sorted by is an error that names it, never another order.
func TestSortByWhatHasNoOrder(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		for path, word := range map[string]string{
			"nosuch": "nosuch", "password": "password", "name": "name", "groups": "groups.value", "meta.version": "meta.version", "schemas": "schemas",
			"addresses.formatted": "addresses.formatted", `emails[type eq "work"].value`: "emails", "x509Certificates.value": "x509Certificates.value",
			enterpriseURN: "enterprise", "emails.value.x": "emails.value.x", "' or 1=1": "1=1", strings.Repeat("a", 5000): "aaa",
		} {
			_, err := d.List(t.Context(), typeUser, ListQuery{SortBy: path, Count: 1})
			var invalid *schemas.Error
			if !errors.As(err, &invalid) || invalid.ScimType != schemas.InvalidValue || !strings.Contains(invalid.Path, word) || len(invalid.Path) > 300 {
				t.Errorf("sort by %.50s: %v, want invalidValue that names it", path, err)
			}
		}
		if _, err := d.List(t.Context(), typeGroup, ListQuery{SortBy: "userName", Count: 1}); err == nil {
			t.Error("groups are sorted by userName")
		}
	})
}
