package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/provost-id/provost/schemas"
)

// Whole lists over lists, renames, removals, deletions of groups and people, all at
// once and all with people in common: nobody waits for each other in a circle, so that
// none of them is given up, and what is left agrees with itself.
func TestMembers_ChangesInCommon(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		var people []string
		for i := range 24 {
			people = append(people, mustCreate(t, d, fmt.Sprintf(`{"userName":"p%d@example.com"}`, i)).ID)
		}
		var groups []string
		for i := range 3 {
			groups = append(groups, mustCreateGroup(t, d, fmt.Sprintf("Team %d", i)).ID)
		}
		ctx := context.Background()
		replace := func(i int) error {
			r := parseGroup(t, d, fmt.Sprintf(`{"displayName":"Team %d %d"}`, i%3, i))
			for k := range 8 {
				r.Members = append(r.Members, schemas.Member{Value: people[(7*i+k)%16]})
			}
			_, err := d.ReplaceGroup(ctx, tester, groups[i%3], nil, r)
			return err
		}
		work := []func(i int) error{
			replace, replace,
			func(i int) error { return d.RemoveMember(ctx, tester, groups[i%3], people[(5*i)%16]) },
			func(i int) error { return d.AddMember(ctx, tester, groups[i%3], people[(3*i)%16]) },
		}
		var wg sync.WaitGroup
		for i := range 48 {
			wg.Go(func() {
				if err := work[i%len(work)](i); err != nil && (i%3 != 2 || !errors.Is(err, ErrNotFound)) { // group 2 is deleted
					t.Errorf("change %d: %v", i, err)
				}
			})
		}
		for i := range 8 { // people 16 to 23 come and go
			wg.Go(func() {
				err := d.AddMember(ctx, tester, groups[i%3], people[16+i])
				var unknown *schemas.Error
				if err != nil && !errors.As(err, &unknown) && !errors.Is(err, ErrNotFound) {
					t.Error(err)
				}
			})
			wg.Go(func() { check(t, d.DeleteUser(ctx, tester, people[16+i], nil)) })
		}
		wg.Go(func() { check(t, d.DeleteGroup(ctx, tester, groups[2], nil)) })
		wg.Wait()
		for _, g := range groups[:2] {
			members := memberSet(t, d, g)
			for _, id := range members {
				u, err := d.User(ctx, id)
				if err != nil {
					t.Errorf("%s has the member %s: %v", g, id, err)
					continue
				}
				of, err := d.GroupsOf(ctx, u.ID)
				if err != nil || !slices.ContainsFunc(of, func(r GroupRef) bool { return r.ID == g }) {
					t.Errorf("%s does not know of %s: %v", id, g, err)
				}
			}
		}
	})
}
