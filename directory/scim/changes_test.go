package scim_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
)

// sequence numbers the events of PostgreSQL while the test runs, as a node does.
func sequence(t *testing.T, db *sqldb.DB) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- (&events.Sequencer{DB: db}).Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// settled waits until every event has its number.
func (s *service) settled() {
	s.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		var open int
		if err := s.dir.DB.QueryRow(s.t.Context(), `SELECT count(*) FROM events WHERE seq IS NULL`).Scan(&open); err != nil {
			s.t.Fatal(err)
		}
		if open == 0 {
			return
		}
	}
	s.t.Fatal("events have no numbers")
}

// eachSequenced is each, with the events of PostgreSQL numbered.
func eachSequenced(t *testing.T, fn func(t *testing.T, s *service, c *client)) {
	t.Helper()
	each(t, func(t *testing.T, s *service, c *client) {
		sequence(t, s.dir.DB)
		fn(t, s, c)
	})
}

// page of changes, its entries told by id: "id" or "id gone".
type changesPage struct {
	entries []string
	next    string
	more    bool
	body    reply
}

func (c *client) changes(path, since string, params ...string) changesPage {
	c.t.Helper()
	q := url.Values{"changedSince": {since}}
	for i := 0; i < len(params); i += 2 {
		q.Set(params[i], params[i+1])
	}
	r := c.must(http.StatusOK, "GET", path+"?"+q.Encode(), "")
	p := changesPage{body: r}
	p.next, _ = r.body["nextChangedSince"].(string)
	p.more, _ = r.body["moreAvailable"].(bool)
	for _, res := range r.resources() {
		entry, _ := res["id"].(string)
		if at(res, "meta", "deleted") == true {
			entry += " gone"
		}
		p.entries = append(p.entries, entry)
	}
	if n, _ := r.body["itemsPerPage"].(float64); int(n) != len(p.entries) || p.next == "" || at(r.body, "schemas", 0) != "urn:provost:params:scim:api:messages:2.0:ChangesResponse" {
		c.t.Errorf("not a page of changes: %s", r.raw)
	}
	return p
}

func (c *client) wantChanges(path, since string, want ...string) (next string) {
	c.t.Helper()
	p := c.changes(path, since)
	if diff := cmp.Diff(want, p.entries); diff != "" || p.more {
		c.t.Errorf("%s: more %v %s", path, p.more, diff)
	}
	return p.next
}

func TestChanges_EachOnceInOrder(t *testing.T) {
	eachSequenced(t, func(t *testing.T, s *service, c *client) {
		before := c.create("/Users", `{"userName":"before@example.com"}`)
		s.settled()
		now := c.wantChanges("/Users", "")
		if again := c.wantChanges("/Users", now); again == "" {
			t.Error("no position")
		}
		ada := c.create("/Users", `{"userName":"ada@example.com","externalId":"x-ada","password":"Correct-horse-9"}`)
		bob := c.create("/Users", `{"userName":"bob@example.com"}`)
		team := c.create("/Groups", `{"displayName":"Team"}`)
		c.must(200, "PATCH", "/Users/"+ada, patchBody(`{"op":"replace","path":"title","value":"Countess"}`))
		s.settled()
		c.wantChanges("/Users", now, bob, ada)
		c.wantChanges("/Groups", now, team)
		mid := c.wantChanges("", now, bob, team, ada)

		p := c.changes("/Users", now)
		got := p.body.resources()[1]
		single := c.must(200, "GET", "/Users/"+ada, "").body
		if diff := cmp.Diff(single, got); diff != "" {
			t.Errorf("a change shows another resource than GET: %s", diff)
		}
		if got["externalId"] != "x-ada" || got["title"] != "Countess" || strings.Contains(p.body.raw, "assword") {
			t.Errorf("shown as %v", got)
		}
		if other := s.client("", httpapi.ScopeSCIMRead).changes("/Users", now); strings.Contains(other.body.raw, "x-ada") {
			t.Errorf("another client sees the external ID: %s", other.body.raw)
		}

		c.must(204, "DELETE", "/Users/"+bob, "")
		c.must(204, "PATCH", "/Groups/"+team, patchBody(`{"op":"add","path":"members","value":[{"value":"`+before+`"}]}`))
		s.settled()
		c.wantChanges("", mid, bob+" gone", team)
		c.wantChanges("/Users", mid, bob+" gone") // a membership changes the group alone
		c.wantChanges("/Users", now, ada, bob+" gone")
		tomb := c.changes("/Users", mid).body.resources()[0]
		want := map[string]any{"schemas": []any{"urn:provost:params:scim:api:messages:2.0:Tombstone"}, "id": bob,
			"meta": map[string]any{"resourceType": "User", "deleted": true, "location": publicURL + "/scim/v2/Users/" + bob}}
		if diff := cmp.Diff(want, tomb); diff != "" {
			t.Errorf("tombstone: %s", diff)
		}
	})
}

// Every kind of change of a resource is one, whoever makes it.
func TestChanges_EveryKind(t *testing.T) {
	eachSequenced(t, func(t *testing.T, s *service, c *client) {
		id := c.create("/Users", `{"userName":"a@example.com"}`)
		group := c.create("/Groups", `{"displayName":"g"}`)
		other := s.client("", httpapi.ScopeSCIM)
		s.settled()
		since := c.wantChanges("", "")
		for _, step := range []struct {
			name, path string
			do         func()
		}{
			{"password", "/Users", func() {
				c.must(200, "PATCH", "/Users/"+id, patchBody(`{"op":"replace","path":"password","value":"Correct-horse-9"}`))
			}},
			{"status", "/Users", func() {
				c.must(200, "PATCH", "/Users/"+id, patchBody(`{"op":"replace","path":"active","value":false}`))
			}},
			{"replacement", "/Users", func() { c.must(200, "PUT", "/Users/"+id, `{"userName":"b@example.com"}`) }},
			{"external ID of a user", "/Users", func() {
				other.must(200, "PATCH", "/Users/"+id, patchBody(`{"op":"add","path":"externalId","value":"x"}`))
			}},
			{"external ID of a group", "/Groups", func() {
				other.must(200, "PATCH", "/Groups/"+group, patchBody(`{"op":"add","path":"externalId","value":"x"}`))
			}},
			{"name of a group", "/Groups", func() { c.must(200, "PUT", "/Groups/"+group, `{"displayName":"h"}`) }},
			{"nobody in it", "/Groups", func() {
				c.must(204, "PATCH", "/Groups/"+group, patchBody(`{"op":"add","path":"members","value":[{"value":"`+id+`"}]}`))
			}},
		} {
			step.do()
			s.settled()
			p := c.changes("", since)
			want := []string{id}
			if step.path == "/Groups" {
				want = []string{group}
			}
			if diff := cmp.Diff(want, p.entries); diff != "" {
				t.Errorf("%s: %s", step.name, diff)
			}
			since = p.next
		}
		c.must(200, "PATCH", "/Users/"+id, patchBody(`{"op":"replace","path":"userName","value":"b@example.com"}`)) // as it is
		s.settled()
		c.wantChanges("", since)
		c.must(204, "DELETE", "/Users/"+id, "")
		s.settled()
		c.wantChanges("", since, group, id+" gone") // it left the group
	})
}

func TestChanges_Paging(t *testing.T) {
	eachSequenced(t, func(t *testing.T, s *service, c *client) {
		since := c.wantChanges("/Users", "")
		var ids []string
		for i := range 7 {
			ids = append(ids, c.create("/Users", fmt.Sprintf(`{"userName":"u%d@example.com"}`, i)))
			c.create("/Groups", fmt.Sprintf(`{"displayName":"g%d"}`, i))
		}
		c.must(200, "PATCH", "/Users/"+ids[0], patchBody(`{"op":"replace","path":"title","value":"x"}`))
		s.settled()
		p := c.changes("/Users", since, "count", "3", "attributes", "userName")
		if diff := cmp.Diff(ids[:3], p.entries); diff != "" || !p.more {
			t.Errorf("first page: more %v %s", p.more, diff)
		}
		if strings.Contains(p.body.raw, `"meta"`) || !strings.Contains(p.body.raw, `"userName":"u1@example.com"`) {
			t.Errorf("the projection is not followed: %s", p.body.raw)
		}
		p = c.changes("/Users", p.next, "count", "3")
		if diff := cmp.Diff(ids[3:6], p.entries); diff != "" || !p.more {
			t.Errorf("second page: more %v %s", p.more, diff)
		}
		p = c.changes("/Users", p.next, "count", "3")
		if diff := cmp.Diff([]string{ids[6], ids[0]}, p.entries); diff != "" || p.more {
			t.Errorf("third page: more %v %s", p.more, diff)
		}
		end := p.next
		if p = c.changes("/Users", end, "count", "0"); len(p.entries) != 0 || p.more {
			t.Errorf("nothing is left: %s", p.body.raw)
		}
		if p = c.changes("/Users", since, "count", "0"); len(p.entries) != 0 || !p.more || c.changes("/Users", p.next).entries[0] != ids[1] {
			t.Errorf("count=0 must only say that there is more: %s", p.body.raw)
		}
	})
}

func TestChanges_Refused(t *testing.T) {
	eachSequenced(t, func(t *testing.T, s *service, c *client) {
		id := c.create("/Users", `{"userName":"a@example.com"}`)
		s.settled()
		since := c.wantChanges("/Users", "")
		last := since[len(since)-1:]
		flipped := since[:len(since)-1] + map[bool]string{true: "B", false: "A"}[last == "A"]
		for _, bad := range []string{"x", "AAAA", since[1:], since + "AAAA", flipped, strings.Repeat("A", 5000), "%00", "%F0%9F%92%A9"} {
			c.refused(400, "invalidChangedSince", "GET", "/Users?changedSince="+bad, "")
		}
		for _, with := range []string{"filter=userName+pr", "sortBy=userName", "startIndex=1", "cursor="} {
			name, _, _ := strings.Cut(with, "=")
			c.refused(400, "invalidValue", "GET", "/Users?changedSince="+since+"&"+with, "", name, "changedSince")
		}
		c.refused(400, "invalidValue", "GET", "/Users?changedSince="+since+"&count=many", "", "count")

		// What happened since is no longer kept: the client must walk again.
		for range 3 {
			c.must(200, "PATCH", "/Users/"+id, patchBody(fmt.Sprintf(`{"op":"replace","path":"title","value":"%d"}`, time.Now().UnixNano())))
		}
		s.settled()
		forget := func(query string) {
			t.Helper()
			if err := s.dir.DB.Write(t.Context(), func(tx *sqldb.Tx) error { _, err := tx.Exec(query); return err }); err != nil {
				t.Fatal(err)
			}
		}
		forget(`DELETE FROM events WHERE seq < (SELECT MAX(seq) FROM events)`)
		c.refused(410, "expiredChangedSince", "GET", "/Users?changedSince="+since, "", "read everything again")
		c.wantChanges("/Users", c.wantChanges("/Users", ""))
		// The database is another one: its numbers mean something else.
		now := c.wantChanges("/Users", "")
		forget(`DELETE FROM events`)
		c.refused(410, "expiredChangedSince", "GET", "/Users?changedSince="+now, "", "read everything again")

		nobody := *c
		nobody.token = ""
		nobody.refused(401, "", "GET", "/Users?changedSince=", "")
		s.client("", httpapi.ScopeManage).refused(403, "", "GET", "/Users?changedSince=", "")
	})
}

// replica is what a client knows that follows changes only.
type replica map[string]map[string]any

// follow asks for changes once and applies them.
func (r replica) follow(c *client, path, since string, count int) (next string, more bool) {
	p := c.changes(path, since, "count", fmt.Sprint(count), "excludedAttributes", "groups")
	seen := map[string]bool{}
	for _, res := range p.body.resources() {
		id, _ := res["id"].(string)
		if seen[id] {
			c.t.Errorf("%s twice in one page", id)
		}
		seen[id] = true
		if at(res, "meta", "deleted") == true {
			delete(r, id)
		} else {
			r[id] = res
		}
	}
	return p.next, p.more
}

// Property: clients that follow the changes while others create, patch, replace, join,
// leave and delete end with exactly what the directory holds.
func TestChanges_FollowersEndWithTheDirectory(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := newService(t, db)
		sequence(t, db)
		c := s.client("", httpapi.ScopeSCIM)
		var groups []string
		s.settled()
		start := c.changes("", "").next
		for i := range 3 {
			groups = append(groups, c.create("/Groups", fmt.Sprintf(`{"displayName":"g%d"}`, i)))
		}
		done := make(chan struct{})
		var working, following sync.WaitGroup
		replicas := []replica{{}, {}, {}}
		ends := make([]string, len(replicas))
		counts := []int{1, 5, 200}
		for i, r := range replicas {
			following.Go(func() {
				since := start
				for stop := false; !stop; {
					select {
					case <-done:
						stop = true
					default:
					}
					since, _ = r.follow(c, "", since, counts[i])
				}
				ends[i] = since
			})
		}
		for w := range 5 {
			working.Go(func() { churn(c, w, groups) })
		}
		working.Wait()
		s.settled()
		close(done)
		following.Wait()
		want := replica{}
		for _, path := range []string{"/Users", "/Groups"} {
			for _, res := range c.must(200, "GET", path+"?count=200&excludedAttributes=groups", "").resources() {
				if at(res, "displayName") == "Everyone" || at(res, "displayName") == "Administrators" {
					continue // they were there before
				}
				id, _ := res["id"].(string)
				want[id] = res
			}
		}
		for i, r := range replicas {
			for more := true; more; {
				ends[i], more = r.follow(c, "", ends[i], counts[i])
			}
			if diff := cmp.Diff(want, r); diff != "" {
				t.Errorf("follower %d: %s", i, diff)
			}
		}
	})
}

// churn makes changes of all kinds.
func churn(c *client, writer int, groups []string) {
	for i := range 6 {
		id := c.create("/Users", fmt.Sprintf(`{"userName":"u%d-%d@example.com"}`, writer, i))
		group := "/Groups/" + groups[(writer+i)%len(groups)]
		for _, step := range []struct{ method, path, body string }{
			{"PATCH", "/Users/" + id, patchBody(`{"op":"replace","path":"title","value":"t"}`)},
			{"PATCH", group, patchBody(`{"op":"add","path":"members","value":[{"value":"` + id + `"}]}`)},
			{"PUT", "/Users/" + id, fmt.Sprintf(`{"userName":"v%d-%d@example.com","active":false}`, writer, i)},
			{"PATCH", group, patchBody(`{"op":"remove","path":"members[value eq \"` + id + `\"]"}`)},
		}[i%2:] {
			if r := c.do(step.method, step.path, step.body); r.status/100 != 2 && r.status != 412 {
				c.t.Errorf("%s %s: %d %s", step.method, step.path, r.status, r.raw)
			}
		}
		if i%3 == 0 {
			c.must(204, "DELETE", "/Users/"+id, "")
		}
	}
}

// A group of many members, which GET writes piece by piece, is shown whole among others.
func TestChanges_GroupsOfManyMembers(t *testing.T) {
	eachSequenced(t, func(t *testing.T, s *service, c *client) {
		s.settled()
		since := c.wantChanges("", "")
		var members []string
		for i := range 260 {
			members = append(members, `{"value":"`+c.create("/Users", fmt.Sprintf(`{"userName":"u%d@example.com"}`, i))+`"}`)
		}
		var groups []string
		for _, n := range []int{260, 2, 260} {
			groups = append(groups, c.create("/Groups", fmt.Sprintf(`{"displayName":"g%d","members":[%s]}`, len(groups), strings.Join(members[:n], ","))))
		}
		s.settled()
		p := c.changes("/Groups", since)
		if diff := cmp.Diff(groups, p.entries); diff != "" {
			t.Fatal(diff)
		}
		for i, id := range groups {
			if diff := cmp.Diff(c.must(200, "GET", "/Groups/"+id, "").body, p.body.resources()[i]); diff != "" {
				t.Errorf("a change shows another group than GET: %s", diff)
			}
		}
	})
}

// A resource type that came while the server ran has changes as any other.
func TestChanges_OfAnyResourceType(t *testing.T) {
	eachSequenced(t, func(t *testing.T, s *service, c *client) {
		s.settled()
		since := c.wantChanges("", "")
		s.serve(deviceType())
		id := c.create("/Devices", fullDevice)
		user := c.create("/Users", `{"userName":"a@example.com"}`)
		c.must(200, "PUT", "/Devices/"+id, `{"schemas":["`+deviceURN+`"],"serial":"A-2","model":"X200"}`)
		s.settled()
		c.wantChanges("/Devices", since, id)
		p := c.changes("", since)
		if diff := cmp.Diff([]string{user, id}, p.entries); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(c.must(200, "GET", "/Devices/"+id, "").body, p.body.resources()[1]); diff != "" {
			t.Errorf("a change shows another resource than GET: %s", diff)
		}
		c.must(204, "DELETE", "/Devices/"+id, "")
		s.settled()
		c.wantChanges("/Devices", p.next, id+" gone")
		s.serve() // the type is gone, and with it its changes
		c.wantChanges("", since, user)
	})
}
