package scim_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
)

// TestBulk_Concurrent: bulk requests and single ones that change the same groups and
// people in every order all get their answers, and the end is what all of them say.
func TestBulk_Concurrent(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		const workers, rounds = 4, 5
		var people, groups []string
		for i := range 6 {
			people = append(people, c.create("/Users", fmt.Sprintf(`{"userName":"p%d@example.com"}`, i)))
			groups = append(groups, c.create("/Groups", fmt.Sprintf(`{"displayName":"G%d"}`, i)))
		}
		add := func(group, user string) bulkOp {
			return bulkOp{Method: "PATCH", Path: "/Groups/" + group, Data: json.RawMessage(patchBody(`{"op":"add","path":"members","value":[{"value":"` + user + `"}]}`))}
		}
		var wg sync.WaitGroup
		for w := range workers {
			wg.Go(func() {
				for round := range rounds {
					var ops []bulkOp
					for i := range 6 { // each worker goes through them in another order
						user, group := people[(i*(w+1)+round)%6], groups[(i*5+w)%6]
						ops = append(ops, bulkOp{Method: "PATCH", Path: "/Users/" + user, Data: json.RawMessage(patchBody(fmt.Sprintf(`{"op":"replace","path":"title","value":"%d-%d"}`, w, round)))},
							add(group, user), newUser(fmt.Sprint(i), fmt.Sprintf("n%d-%d-%d@example.com", w, round, i)), add(group, fmt.Sprintf("bulkId:%d", i)))
					}
					for i, r := range c.bulk(0, ops...) {
						if r.Status[0] != '2' {
							t.Errorf("operation %d: %+v %+v", i+1, r, r.Response)
						}
					}
					c.must(http.StatusNoContent, "PATCH", "/Groups/"+groups[round], patchBody(`{"op":"add","path":"members","value":[{"value":"`+people[w]+`"}]}`))
				}
			})
		}
		wg.Wait()
		if r := c.must(http.StatusOK, "GET", "/Users?count=0", ""); r.body["totalResults"] != float64(6+workers*rounds*6) {
			t.Errorf("%v users", r.body["totalResults"])
		}
		total := 0
		for _, g := range groups {
			total += len(slices.DeleteFunc(c.members(g), func(id string) bool { return slices.Contains(people, id) }))
		}
		if total != workers*rounds*6 {
			t.Errorf("%d memberships of new users, want %d", total, workers*rounds*6)
		}
	})
}

// TestBulk_OneValueTwice: of two bulk requests at once with the same names,
// each name is created by one of them.
func TestBulk_OneValueTwice(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		ops := make([]bulkOp, 100)
		for i := range ops {
			ops[i] = newUser(fmt.Sprint(i), fmt.Sprintf("u%d@example.com", i))
		}
		var results [2][]bulkResult
		var wg sync.WaitGroup
		for i := range results {
			wg.Go(func() { results[i] = c.bulk(0, ops...) })
		}
		wg.Wait()
		for i := range ops {
			got := []string{results[0][i].Status, results[1][i].Status}
			slices.Sort(got)
			if !slices.Equal(got, []string{"201", "409"}) {
				t.Errorf("user %d: %v", i, got)
			}
		}
	})
}
