package scim_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-id/provost/internal/sqldb"
)

// fillGroup makes n users with nothing but their rows, by plain SQL, and members of a
// group. It returns their IDs.
func (s *service) fillGroup(groupID, prefix string, n int) []string {
	s.t.Helper()
	these := `resources WHERE id LIKE '00u` + prefix + `%'`
	err := s.dir.DB.Write(s.t.Context(), func(tx *sqldb.Tx) error {
		for _, statement := range []string{
			fmt.Sprintf(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
				INSERT INTO resources (id, type, version, status, active, created, modified, status_changed, members_changed, user_name)
				SELECT '00u%s' || i, 'User', 1, 'ACTIVE', TRUE, 0, 0, 0, 0, '%s' || i || '@example.com' FROM n`, n, prefix, strings.ToLower(prefix)),
			`INSERT INTO documents (rid, doc) SELECT rid, '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"' || substr(id, 4) || '@example.com"}' FROM ` + these,
			`INSERT INTO members (group_rid, member_rid) SELECT (SELECT rid FROM resources WHERE id = '` + groupID + `'), rid FROM ` + these,
		} {
			if _, err := tx.Exec(statement); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("00u%s%d", prefix, i+1)
	}
	return ids
}

// statements are those that run while do does.
func (s *service) statements(do func()) (all []string) {
	var mu sync.Mutex
	s.dir.DB.Trace(func(statement string) {
		mu.Lock()
		defer mu.Unlock()
		if strings.Contains(statement, "api_tokens") { // the caller's, kept in memory for a while
			return
		}
		all = append(all, statement)
	})
	defer s.dir.DB.Trace(nil)
	do()
	return all
}

func valuesOf(members any) []string {
	list, _ := members.([]any)
	ids := make([]string, len(list))
	for i, m := range list {
		ids[i], _ = m.(map[string]any)["value"].(string)
	}
	return ids
}

func attributes(list string) string { return "?attributes=" + url.QueryEscape(list) }

// A group of many members is answered piece by piece, whole and in order, however its
// members are asked for.
func TestMembers_LongLists(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		huge, child := c.create("/Groups", `{"displayName":"Huge"}`), c.create("/Groups", `{"displayName":"Child"}`)
		want := s.fillGroup(huge, "H", 1234)
		other := c.create("/Groups", `{"displayName":"Other"}`)
		wantOther := s.fillGroup(other, "O", 500)
		c.must(http.StatusNoContent, "PATCH", "/Groups/"+huge, patchBody(`{"op":"add","path":"members","value":[{"value":"`+child+`"}]}`))
		want = append([]string{child}, want...)

		r := c.must(http.StatusOK, "GET", "/Groups/"+huge, "")
		if got := valuesOf(r.body["members"]); !slices.Equal(got, want) {
			t.Errorf("%d members, want %d", len(got), len(want))
		}
		if diff := cmp.Diff(ref("Group", child), at(r.body, "members", 0)); diff != "" {
			t.Errorf("first member (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(ref("User", "00uH1234"), at(r.body, "members", 1234)); diff != "" {
			t.Errorf("last member (-want +got):\n%s", diff)
		}
		if r.body["displayName"] != "Huge" || at(r.body, "meta", "resourceType") != "Group" || r.body["id"] != huge {
			t.Errorf("beside the members: %s", clip(r.raw))
		}
		r = c.must(http.StatusOK, "GET", "/Groups/"+huge+attributes("members.value,members.display"), "")
		if diff := cmp.Diff(map[string]any{"value": "00uH7", "display": "H7@example.com"}, at(r.body, "members", 7)); diff != "" {
			t.Errorf("a member by its parts (-want +got):\n%s", diff)
		}
		for path, body := range map[string]string{
			"/Groups": "", "/Groups?filter=" + url.QueryEscape(`displayName pr`): "", "?filter=" + url.QueryEscape(`displayName pr and meta.resourceType eq "Group"`): "",
			"/Groups/.search": `{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"count":100}`,
		} {
			method := "GET"
			if body != "" {
				method = "POST"
			}
			found := map[string][]string{}
			for _, g := range c.must(http.StatusOK, method, path, body).resources() {
				found[g["id"].(string)] = valuesOf(g["members"])
			}
			if !slices.Equal(found[huge], want) || !slices.Equal(found[other], wantOther) || len(found[child]) != 0 {
				t.Errorf("%s %s: %d and %d members, want %d and %d", method, path, len(found[huge]), len(found[other]), len(want), len(wantOther))
			}
		}
		if r := c.do("HEAD", "/Groups/"+huge, ""); r.status != http.StatusOK || r.raw != "" {
			t.Errorf("HEAD: %d %s", r.status, clip(r.raw))
		}
		r = c.must(http.StatusOK, "PATCH", "/Groups/"+huge+attributes("members"), patchBody(`{"op":"remove","path":"members[value eq \"00uH3\"]"}`))
		if got := valuesOf(r.body["members"]); len(got) != len(want)-1 || slices.Contains(got, "00uH3") {
			t.Errorf("answer of a removal: %d members", len(got))
		}
	})
}

// excludedAttributes=members costs nothing of the members, however it is said.
func TestMembers_ExcludedCostNothing(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		g := c.create("/Groups", `{"displayName":"Huge"}`)
		s.fillGroup(g, "H", 300)
		for _, path := range []string{
			"/Groups/" + g + "?excludedAttributes=members", "/Groups/" + g + "?attributes=displayName", "/Groups?excludedAttributes=members",
			"/Groups?excludedAttributes=MEMBERS&filter=" + url.QueryEscape(`displayName eq "huge"`),
		} {
			statements := s.statements(func() {
				if r := c.must(http.StatusOK, "GET", path, ""); strings.Contains(r.raw, `"members"`) {
					t.Errorf("%s: %s", path, clip(r.raw))
				}
			})
			for _, st := range statements {
				if strings.Contains(st, "members ") || strings.Contains(st, "nested_groups") {
					t.Errorf("%s reads members: %s", path, st)
				}
			}
			if len(statements) == 0 || len(statements) > 3 {
				t.Errorf("%s: %d statements", path, len(statements))
			}
		}
	})
}

// Pages and filters of members, after draft-hunt-scim-mv-paging-00.
func TestMembers_PagesAndFilters(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		g, child := c.create("/Groups", `{"displayName":"Huge"}`), c.create("/Groups", `{"displayName":"Child"}`)
		all := append([]string{child}, s.fillGroup(g, "H", 260)...)
		c.must(http.StatusNoContent, "PATCH", "/Groups/"+g, patchBody(`{"op":"add","path":"members","value":[{"value":"`+child+`"}]}`))
		for query, want := range map[string]struct {
			ids []string
			cnt any
		}{
			`members[startIndex=1&count=3]`:                                {all[:3], 261.0},
			`members[startIndex=2&count=2]`:                                {all[1:3], 261.0},
			`members[startIndex=200&count=100],displayName`:                {all[199:], 261.0},
			`members[startIndex=262&count=10]`:                             {nil, 261.0},
			`members[startIndex=0&count=-1]`:                               {nil, 261.0},
			`members[count=0]`:                                             {nil, 261.0},
			`members[startIndex=101]`:                                      {all[100:200], 261.0},
			`members[type eq "Group"]`:                                     {all[:1], nil},
			`members[value eq "00uH7"]`:                                    {all[7:8], nil},
			`members[value eq "00uH7" or value eq "` + child + `"]`:        {[]string{child, "00uH7"}, nil},
			`members[value eq "nobody, [at] all"]`:                         {nil, nil},
			`members[display sw "h25" and type eq "user"]`:                 {[]string{"00uH25", "00uH250", "00uH251", "00uH252", "00uH253", "00uH254", "00uH255", "00uH256", "00uH257", "00uH258", "00uH259"}, nil},
			`members[display sw "h25"&startIndex=2&count=2]`:               {[]string{"00uH250", "00uH251"}, 11.0},
			`members[$ref eq "` + publicURL + `/scim/v2/Users/00uH9"]`:     {[]string{"00uH9"}, nil},
			`urn:ietf:params:scim:schemas:core:2.0:Group:members[count=1]`: {all[:1], 261.0},
		} {
			r := c.must(http.StatusOK, "GET", "/Groups/"+g+attributes(query), "")
			if got := valuesOf(r.body["members"]); !slices.Equal(got, want.ids) && len(got)+len(want.ids) > 0 {
				t.Errorf("%s: %v, want %v", query, got, want.ids)
			}
			if cnt := at(r.body, "meta", "members.cnt"); cnt != want.cnt {
				t.Errorf("%s: members.cnt %v, want %v", query, cnt, want.cnt)
			}
			list := c.must(http.StatusOK, "GET", "/Groups"+attributes(query)+"&filter="+url.QueryEscape(`id eq "`+g+`"`), "")
			if diff := cmp.Diff(r.body["members"], at(list.body, "Resources", 0, "members")); diff != "" {
				t.Errorf("%s in a list (-alone +list):\n%s", query, diff)
			}
		}
		for query, scimType := range map[string]string{
			`members[startIndex=x]`: "invalidValue", `members[count=1.5]`: "invalidValue", `members[nosuch eq "x"]`: "invalidFilter",
			`members[type eq "Group"`: "invalidFilter", `members[]`: "invalidFilter", `members[type eq "a"&value eq "b"]`: "invalidFilter",
			`members[a] or members[b]`: "invalidFilter", `members[cursor=forged]`: "invalidCursor", `members[value eq]`: "invalidFilter",
		} {
			c.refused(http.StatusBadRequest, scimType, "GET", "/Groups/"+g+attributes(query), "")
		}
	})
}

// A walk over members by cursor sees everybody who stays exactly once, and its cursors
// are of one group, one filter and one client.
func TestMembers_CursorWalk(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		g := c.create("/Groups", `{"displayName":"Huge"}`)
		stay, leave := s.fillGroup(g, "S", 120), s.fillGroup(g, "L", 40)
		seen := map[string]int{}
		cursor, first := "", ""
		for page := 0; ; page++ {
			r := c.must(http.StatusOK, "GET", "/Groups/"+g+attributes("members[cursor="+cursor+"&count=17]"), "")
			for _, id := range valuesOf(r.body["members"]) {
				seen[id]++
			}
			next, more := at(r.body, "meta", "members.nextCursor").(string)
			if !more {
				break
			}
			if cursor = next; first == "" {
				first = next
			}
			if page < len(leave) {
				c.must(http.StatusNoContent, "PATCH", "/Groups/"+g, patchBody(`{"op":"remove","path":"members[value eq \"`+leave[page]+`\"]"}`))
			}
		}
		for _, id := range stay {
			if seen[id] != 1 {
				t.Errorf("%s was seen %d times", id, seen[id])
			}
		}
		other := c.create("/Groups", `{"displayName":"Other"}`)
		c.refused(http.StatusBadRequest, "invalidCursor", "GET", "/Groups/"+other+attributes("members[cursor="+first+"]"), "")
		c.refused(http.StatusBadRequest, "invalidCursor", "GET", "/Groups/"+g+attributes(`members[type eq "User"&cursor=`+first+"]"), "")
		stranger := s.client("", "scim")
		stranger.refused(http.StatusBadRequest, "invalidCursor", "GET", "/Groups/"+g+attributes("members[cursor="+first+"]"), "")
	})
}

// One member more or less costs a group of thousands what it costs an empty one: the
// same statements, and no plan that reads a table.
func TestMembers_ChangeOfOneCostsTheSame(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		u := c.create("/Users", `{"userName":"ana@example.com"}`)
		empty, huge := c.create("/Groups", `{"displayName":"Empty"}`), c.create("/Groups", `{"displayName":"Huge"}`)
		s.fillGroup(huge, "H", 3000)
		cost := map[string][2][]string{}
		for i, g := range []string{empty, huge} {
			for what, op := range map[string]string{
				"add":    `{"op":"add","path":"members","value":[{"value":"` + u + `"}]}`,
				"remove": `{"op":"remove","path":"members[value eq \"` + u + `\"]"}`,
				"rename": `{"op":"replace","path":"displayName","value":"Name ` + g + `"}`,
			} {
				if what == "remove" {
					c.do("PATCH", "/Groups/"+g, patchBody(`{"op":"add","path":"members","value":[{"value":"`+u+`"}]}`))
				} else {
					c.do("PATCH", "/Groups/"+g, patchBody(`{"op":"remove","path":"members[value eq \"`+u+`\"]"}`))
				}
				both := cost[what]
				both[i] = s.statements(func() {
					if r := c.do("PATCH", "/Groups/"+g+"?excludedAttributes=members", patchBody(op)); r.status >= 300 {
						t.Errorf("%s: %d %s", what, r.status, r.raw)
					}
				})
				cost[what] = both
			}
		}
		for what, both := range cost {
			if diff := cmp.Diff(both[0], both[1]); diff != "" || len(both[0]) == 0 {
				t.Errorf("%s (-empty +huge):\n%s", what, diff)
			}
			t.Logf("%s: %d statements", what, len(both[1]))
			for _, statement := range both[1] {
				s.wantNoScan(t, what, statement)
			}
		}
	})
}

// wantNoScan asks SQLite for the plan of a statement.
func (s *service) wantNoScan(t *testing.T, what, statement string) {
	t.Helper()
	if s.dir.DB.Dialect() != sqldb.SQLite {
		return // the statements are the same
	}
	args := make([]any, strings.Count(statement, "$"))
	rows, err := s.dir.DB.WriterDB().QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+strings.ReplaceAll(statement, "$", "?"), args...)
	if err != nil {
		t.Fatalf("plan of %s: %v", statement, err)
	}
	defer func() { _ = rows.Close() }() // Err tells what matters
	for rows.Next() {
		var id, parent, unused int
		var step string
		if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
			t.Fatal(err)
		}
		for _, table := range []string{"members", "m", "resources", "r", "x", "nested_groups", "n", "documents"} {
			if step == "SCAN "+table || strings.HasPrefix(step, "SCAN "+table+" ") {
				t.Errorf("%s: %s in %s", what, step, statement)
			}
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}
