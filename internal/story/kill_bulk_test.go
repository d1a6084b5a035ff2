package story

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"path/filepath"
	"testing"
	"time"
)

// bulkTeams is how many teams a bulk request makes: two users, their group, and a title
// for one of them.
const bulkTeams = 25

// TestKillDuringBulk kills the server at random points of bulk requests. After a
// restart every operation that was reported done is there, and of the request that was
// cut each operation is there as a whole or not at all.
func TestKillDuringBulk(t *testing.T) {
	dir := t.TempDir()
	binary, err := goBuild(t.Context(), dir, "provost", "./cmd/provost")
	if err != nil {
		t.Fatal(err)
	}
	w := &World{Say: t.Logf}
	told, next := map[string]bool{}, 0
	for i := range *killPoints {
		if w.Main, err = Start(t.Context(), binary, filepath.Join(dir, "killed")); err != nil {
			t.Fatal(err)
		}
		at := rand.N(400 * time.Millisecond)
		t.Logf("point %d: killed after %v", i+1, at)
		first := next + 1
		next = w.bulkKilledAt(t, at, told, next)
		if w.Main, err = Start(t.Context(), binary, filepath.Join(dir, "killed")); err != nil {
			t.Fatal(err)
		}
		err := w.wholeOperations(t.Context(), told, first, next)
		if stopped := w.Main.Stop(); err != nil || stopped != nil {
			t.Fatalf("killed after %v: %v", at, errors.Join(err, stopped))
		}
	}
}

// bulkKilledAt sends bulk requests until the server is killed, and notes in told what
// was reported done. It returns the number of the next request.
func (w *World) bulkKilledAt(t *testing.T, after time.Duration, told map[string]bool, next int) int {
	t.Helper()
	time.AfterFunc(after, w.Main.Kill)
	for {
		next++
		answer, err := w.Main.call(t.Context(), "POST", "/scim/v2/Bulk", object{
			"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:BulkRequest"}, "Operations": teamOperations(next),
		})
		if err != nil {
			return next
		}
		results, _ := answer["Operations"].([]any)
		for _, r := range results {
			if status := str(r, "status"); status[0] != '2' {
				t.Fatalf("request %d: %v", next, r)
			}
			told[str(r, "bulkId")] = true
		}
	}
}

func teamOperations(request int) []object {
	var ops []object
	for i := range bulkTeams {
		name := func(kind string) string { return fmt.Sprintf("%s-%d-%d", kind, request, i) }
		for _, who := range []string{"ana", "bob"} {
			login := name(who) + "@example.com"
			ops = append(ops, object{"method": "POST", "path": "/Users", "bulkId": name(who),
				"data": object{"userName": login, "emails": []object{{"value": login, "type": "work"}}}})
		}
		ops = append(ops,
			object{"method": "POST", "path": "/Groups", "bulkId": name("team"), "data": object{"displayName": name("team"),
				"members": []object{{"value": "bulkId:" + name("ana")}, {"value": "bulkId:" + name("bob")}}}},
			object{"method": "PATCH", "path": "/Users/bulkId:" + name("ana"), "bulkId": name("title"), "data": object{
				"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"}, "Operations": []object{{"op": "add", "path": "title", "value": "Lead"}}}})
	}
	return ops
}

// wholeOperations compares what is there with what was told, for the requests from
// first to last.
func (w *World) wholeOperations(ctx context.Context, told map[string]bool, first, last int) error {
	users, groups := map[string]object{}, map[string]object{}
	if err := w.walk(ctx, "Users", func(u object) { users[str(u, "userName")] = u }); err != nil {
		return err
	}
	if err := w.walk(ctx, "Groups", func(g object) { groups[str(g, "displayName")] = g }); err != nil {
		return err
	}
	for request := first; request <= last; request++ {
		for i := range bulkTeams {
			if err := w.wholeTeam(ctx, told, users, groups, fmt.Sprintf("%d-%d", request, i)); err != nil {
				return err
			}
		}
	}
	for typ, n := range map[string]int{"Users": len(users), "Groups": len(groups)} {
		if total, err := w.total(ctx, typ); err != nil || total != float64(n) {
			return fmt.Errorf("%v %s are counted, %d are there: %w", total, typ, n, err)
		}
	}
	return nil
}

func (w *World) wholeTeam(ctx context.Context, told map[string]bool, users, groups map[string]object, team string) error {
	ids := map[any]bool{}
	for _, who := range []string{"ana-" + team, "bob-" + team} {
		u, ok := users[who+"@example.com"]
		if told[who] && !ok {
			return fmt.Errorf("user %s was reported and is lost", who)
		}
		if !ok {
			continue
		}
		ids[u["id"]] = true
		found, err := w.Main.call(ctx, "GET", "/scim/v2/Users?filter="+url.QueryEscape(`emails.value eq "`+who+`@example.com"`), nil)
		if err != nil || str(found, "Resources", 0, "id") != str(u, "id") {
			return fmt.Errorf("user %s is there and not in the index: %v, %w", who, found, err)
		}
	}
	if title := str(users["ana-"+team+"@example.com"], "title"); told["title-"+team] && title != "Lead" {
		return fmt.Errorf("title of %s is %q", team, title)
	}
	g, ok := groups["team-"+team]
	if told["team-"+team] && !ok {
		return fmt.Errorf("group %s was reported and is lost", team)
	}
	members, _ := g["members"].([]any)
	for _, m := range members {
		if !ids[at(m, "value")] {
			return fmt.Errorf("group %s has the member %v", team, m)
		}
	}
	if ok && len(members) != 2 {
		return fmt.Errorf("group %s has %d members", team, len(members))
	}
	return nil
}
