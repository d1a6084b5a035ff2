package directory

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/provost-id/provost/schemas"
)

// known is what a filter is evaluated on in memory.
type known struct {
	user    *User
	hot     schemas.Hot
	entries []schemas.Entry
	groups  [][2]string // id, folded name
}

// TestFilterFindsWhatItMeans compares what the SQL of random filters finds with their
// evaluation in memory.
func TestFilterFindsWhatItMeans(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		_, _, _, staff := people(t, d)
		for i := range 12 {
			mustCreate(t, d, fmt.Sprintf(`{"userName":"p%d@example.com","displayName":"N%d","title":"t%d","active":%t,
				"emails":[{"value":"x%d@work.example","type":%q},{"value":"y%d@home.example","type":"home"}]}`, i, i%3, i%4, i%5 != 0, i%4, []string{"work", "other"}[i%2], i))
		}
		all := remember(t, d)
		ids := []string{staff.ID, all[0].user.ID, "00unobody"}
		rapid.Check(t, func(rt *rapid.T) {
			source := filterGen(ids).Draw(rt, "filter")
			f, err := d.userType().ParseFilter(source, schemas.Generic)
			if err != nil {
				rt.Fatalf("parse %s: %v", source, err)
			}
			p, err := d.List(context.Background(), typeUser, ListQuery{Filter: f, Count: 100, Client: tester.Client})
			if err != nil {
				rt.Fatalf("%s: %v", source, err)
			}
			var got, want []string
			for _, u := range p.Users {
				got = append(got, u.ID)
			}
			for _, k := range all {
				if k.holds(f.Root) {
					want = append(want, k.user.ID)
				}
			}
			if strings.Join(got, " ") != strings.Join(want, " ") {
				rt.Fatalf("%s finds %d users, want %d", source, len(got), len(want))
			}
		})
	})
}

func remember(t testing.TB, d *Directory) []known {
	t.Helper()
	p, err := d.List(context.Background(), typeUser, ListQuery{Count: 100, Client: tester.Client})
	if err != nil {
		t.Fatal(err)
	}
	all := make([]known, len(p.Users))
	for i, u := range p.Users {
		r, err := d.stored(u)
		if err != nil {
			t.Fatal(err)
		}
		groups, err := d.GroupsOfAll(context.Background(), []int64{u.RID})
		if err != nil {
			t.Fatal(err)
		}
		all[i] = known{user: u, hot: r.Hot(), entries: r.Index()}
		for _, g := range groups[u.RID] {
			all[i].groups = append(all[i].groups, [2]string{g.ID, schemas.Fold(g.Name)})
		}
	}
	return all
}

// filterGen makes filters over the attributes of people, of every place that a value
// can have, nested a few levels deep.
func filterGen(ids []string) *rapid.Generator[string] {
	ops := rapid.SampledFrom([]string{"eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"})
	values := rapid.SampledFrom([]string{"ana@example.com", "p1@example.com", "p", "n1", "N2", "t1", "t", "engineer", "work", "home", "x1@work.example", "@", "e", "z", "å", "%"})
	element := rapid.SampledFrom([]string{"value", "type"})
	one := rapid.Custom(func(t *rapid.T) string {
		name := rapid.SampledFrom([]string{"userName", "displayName", "name.givenName", "name.familyName", "title", "emails.value", "emails.type", "emails",
			enterprise + "department", "externalId", "active", "id", "groups.value", "groups.display", "brackets", "groupBrackets", "present", "meta.created"}).Draw(t, "name")
		switch name {
		case "active":
			return "active " + rapid.SampledFrom([]string{"eq", "ne"}).Draw(t, "op") + " " + strconv.FormatBool(rapid.Bool().Draw(t, "bool"))
		case "id", "groups.value":
			return name + " " + ops.Draw(t, "op") + ` "` + rapid.SampledFrom(ids).Draw(t, "id") + `"`
		case "meta.created":
			return name + " " + rapid.SampledFrom([]string{"gt", "le", "ne"}).Draw(t, "op") + ` "2026-01-01T00:00:00Z"`
		case "present":
			return rapid.SampledFrom([]string{"title", "displayName", "emails", "emails.type", "groups", "externalId", "name", enterprise + "department"}).Draw(t, "attr") + " pr"
		case "brackets", "groupBrackets":
			return bracketsGen(name, ops, values, element).Draw(t, "brackets")
		}
		return name + " " + ops.Draw(t, "op") + ` "` + values.Draw(t, "value") + `"`
	})
	gen := one
	for range 3 {
		inner := gen
		gen = rapid.Custom(func(t *rapid.T) string {
			switch rapid.IntRange(0, 3).Draw(t, "kind") {
			case 0:
				return "not (" + inner.Draw(t, "term") + ")"
			case 1:
				return "(" + inner.Draw(t, "left") + " and " + inner.Draw(t, "right") + ")"
			case 2:
				return "(" + inner.Draw(t, "left") + " or " + inner.Draw(t, "right") + ")"
			}
			return one.Draw(t, "leaf")
		})
	}
	return gen
}

func bracketsGen(kind string, ops, values, element *rapid.Generator[string]) *rapid.Generator[string] {
	attr := "emails"
	if kind == "groupBrackets" {
		attr, element, values = "groups", rapid.Just("display"), rapid.SampledFrom([]string{"staff", "st", "z"})
	}
	return rapid.Custom(func(t *rapid.T) string {
		term := func(label string) string {
			s := element.Draw(t, label+" sub") + " " + ops.Draw(t, label+" op") + ` "` + values.Draw(t, label+" value") + `"`
			if rapid.Bool().Draw(t, label+" not") {
				return "not (" + s + ")"
			}
			return s
		}
		link := rapid.SampledFrom([]string{" and ", " or "}).Draw(t, "link")
		return attr + "[" + term("left") + link + term("right") + "]"
	})
}

func (k known) holds(n schemas.Node) bool {
	switch n := n.(type) {
	case *schemas.And:
		return every(n.Terms, k.holds)
	case *schemas.Or:
		return some(n.Terms, k.holds)
	case *schemas.Not:
		return !k.holds(n.Term)
	case *schemas.ValuePath:
		return k.holdsOfOne(n)
	}
	c := n.(*schemas.Compare)
	return compareAny(c, k.valuesOf(c))
}

// valuesOf are the values that a user has for an attribute.
func (k known) valuesOf(c *schemas.Compare) (values []string) {
	switch c.Attr.Where {
	case schemas.InUserName:
		return []string{k.hot.UserName}
	case schemas.InDisplayName:
		return []string{k.hot.DisplayName}
	case schemas.InFamilyName:
		return []string{k.hot.FamilyName}
	case schemas.InGivenName:
		return []string{k.hot.GivenName}
	case schemas.InID:
		return []string{k.user.ID}
	case schemas.InExternalID:
		return []string{k.user.ExternalID}
	case schemas.InActive:
		return []string{strconv.FormatBool(k.user.Status.Active())}
	case schemas.InCreated:
		return []string{k.user.Created.Format("2006-01-02T15:04:05.000000000Z")}
	case schemas.InGroups:
		for _, g := range k.groups {
			values = append(values, g[map[string]int{"value": 0, "display": 1}[c.Attr.Sub]])
		}
		return values
	}
	for _, e := range k.entries {
		if e.Path == c.Attr.Path {
			values = append(values, e.Value)
		}
	}
	return values
}

// holdsOfOne says whether one element satisfies the whole of a value path.
func (k known) holdsOfOne(n *schemas.ValuePath) bool {
	elements := map[int]known{}
	for i, g := range k.groups {
		if n.Attr.Where == schemas.InGroups {
			elements[i] = known{groups: [][2]string{g}}
		}
	}
	for _, e := range k.entries {
		if strings.HasPrefix(e.Path, n.Attr.Path+".") && n.Attr.Where == schemas.InIndex {
			elements[e.Elem] = known{entries: append(elements[e.Elem].entries, e)}
		}
	}
	for _, e := range elements {
		if e.holds(n.Node) {
			return true
		}
	}
	return false
}

// compareAny holds when one value does; NE is the complement of EQ.
func compareAny(c *schemas.Compare, values []string) bool {
	if c.Op == schemas.NE {
		eq := *c
		eq.Op = schemas.EQ
		return !compareAny(&eq, values)
	}
	for _, v := range values {
		if v != "" && holds(c.Op, v, c.Value) {
			return true
		}
	}
	return false
}

func every(terms []schemas.Node, f func(schemas.Node) bool) bool {
	for _, t := range terms {
		if !f(t) {
			return false
		}
	}
	return true
}

func some(terms []schemas.Node, f func(schemas.Node) bool) bool {
	for _, t := range terms {
		if f(t) {
			return true
		}
	}
	return false
}
