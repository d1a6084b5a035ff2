package scim_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// No member is ever lost: a group of 5,000 keeps exactly whom each form of a change
// means, and a client that sends back what it was answered changes nothing.
func TestMembers_NobodyIsLost(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		g, child := c.create("/Groups", `{"displayName":"Large"}`), c.create("/Groups", `{"displayName":"Child"}`)
		want := s.fillGroup(g, "L", 5000)
		extra := s.fillGroup(child, "X", 5)
		check := func(what string, r reply) {
			t.Helper()
			if r.status >= 300 {
				t.Fatalf("%s: %d %s", what, r.status, clip(r.raw))
			}
			got := valuesOf(c.must(http.StatusOK, "GET", "/Groups/"+g, "").body["members"])
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Fatalf("%s: %d members, want %d", what, len(got), len(want))
			}
		}
		patch := func(what, ops string) {
			t.Helper()
			check(what, c.do("PATCH", "/Groups/"+g, patchBody(ops)))
		}
		add := func(ids ...string) { want = append(want, ids...) }
		remove := func(ids ...string) {
			want = slices.DeleteFunc(want, func(id string) bool { return slices.Contains(ids, id) })
		}

		add(extra[0])
		patch("add one", `{"op":"add","path":"members","value":[{"value":"`+extra[0]+`"}]}`)
		add(extra[1], child)
		patch("add without a path", `{"op":"Add","value":{"members":[{"value":"`+extra[1]+`","display":"X"},{"value":"`+child+`"}]}}`)
		remove(extra[0])
		patch("remove by a filter", `{"op":"remove","path":"members[value eq \"`+extra[0]+`\"]"}`)
		remove("00uL1", "00uL2")
		patch("remove by a list", `{"op":"Remove","path":"members","value":[{"$ref":null,"value":"00uL1"},{"value":"00uL2"}]}`)
		remove("00uL3", "00uL4", "00uL5")
		add("00uL1")
		patch("several operations", `{"op":"remove","path":"members[value eq \"00uL3\" or value eq \"00uL4\"]"},{"op":"add","path":"members","value":"00uL1"},
			{"op":"remove","path":"members","value":["00uL5"]}`)
		patch("rename without a path, as Okta does", `{"op":"replace","value":{"id":"`+g+`","displayName":"Large 2"}}`)
		patch("remove who is not there", `{"op":"remove","path":"members[value eq \"`+extra[4]+`\"]"}`)
		remove(child)
		patch("remove by type", `{"op":"remove","path":"members[type eq \"Group\"]"}`)
		remove("00uL7", "00uL70")
		patch("remove by name and value", `{"op":"remove","path":"members[display eq \"L7@example.com\" or value eq \"00uL70\" and type eq \"User\"]"}`)
		answer := c.must(http.StatusOK, "GET", "/Groups/"+g, "")
		check("put what was answered", c.do("PUT", "/Groups/"+g, answer.raw, "If-Match", answer.header.Get("ETag")))
		if r := c.must(http.StatusOK, "GET", "/Groups/"+g+"?excludedAttributes=members", ""); r.header.Get("ETag") != answer.header.Get("ETag") {
			t.Errorf("putting what was answered made %s of %s", r.header.Get("ETag"), answer.header.Get("ETag"))
		}
		want = append(slices.Clone(want[:2500]), extra[2])
		patch("replace by a list", `{"op":"replace","path":"members","value":[{"value":"`+strings.Join(want, `"},{"value":"`)+`"}]}`)
		want = []string{extra[3]}
		patch("replace all by one", `{"op":"replace","path":"members","value":[{"value":"`+extra[3]+`"}]}`)
		add(extra...)
		want = slices.Compact(slices.Sorted(slices.Values(want)))
		ops := make([]string, len(extra))
		for i, id := range extra {
			ops[i] = fmt.Sprintf(`{"op":"add","path":"members","value":[{"value":%q}]}`, id)
		}
		patch("one operation for each, as AWS does", strings.Join(ops, ","))
		want = nil
		patch("remove all", `{"op":"remove","path":"members"}`)
	})
}
