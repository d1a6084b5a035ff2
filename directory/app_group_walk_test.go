package directory

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-id/provost/internal/sqldb"
)

func assigned(t testing.TB, d *Directory, a *App) []string {
	t.Helper()
	ids, err := column[string](d.DB.Query(t.Context(), `SELECT user_id FROM app_users WHERE app_id = $1 AND assigned ORDER BY user_id`, a.ID))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(ids)
	return ids
}

// An assignment of a group of any size is one short transaction; the accounts follow, in
// the name of who assigned it, and whoever begins to work goes on where another stopped.
func TestAssignGroup_MembersInBatches(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		const n = 2*walkBatch + 10
		g, a := mustCreateGroup(t, d, "Huge"), mustCreateApp(t, d, "app", PushNewUsers)
		addPeople(t, d, g.ID, n)
		assign := func() { check(t, d.AssignGroup(t.Context(), manager, GroupAssignment{AppID: a.ID, GroupID: g.ID})) }
		want := func(n int, when string) {
			t.Helper()
			if got := len(assigned(t, d, a)); got != n {
				t.Errorf("%s: %d accounts, want %d", when, got, n)
			}
		}
		assign()
		want(walkBatch, "assigned")
		check(t, d.DB.Write(t.Context(), func(tx *sqldb.Tx) error {
			over, err := d.stepAssignment(tx, a.ID, g.ID)
			if over {
				t.Error("over after two batches of three")
			}
			return err
		}))
		want(2*walkBatch, "after the second batch")
		workOff(t, d.assignments())
		want(n, "settled")
		check(t, d.UnassignGroup(t.Context(), manager, a.ID, g.ID))
		want(n-walkBatch, "unassigned")
		last := fmt.Sprintf("00uM%d", n)
		check(t, d.RemoveMember(t.Context(), manager, g.ID, last))
		want(n-walkBatch-1, "left before its turn")
		check(t, d.AddMember(t.Context(), manager, g.ID, last))
		assign()
		workOff(t, d.assignments())
		want(n, "assigned again meanwhile")
		if left := count(t, d, `SELECT count(*) FROM app_group_walks`); left != 0 {
			t.Errorf("%d walks are left", left)
		}
		if got := count(t, d, `SELECT count(*) FROM events WHERE type = 'application.user_membership.add' AND body NOT LIKE '%`+manager.Actor.ID+`%'`); got != 0 {
			t.Errorf("%d events do not name who assigned the group", got)
		}
	})
}

// Whatever happens while accounts follow, those have one in the end whom a group gives it.
func TestAssignGroup_Churn(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		const people = walkBatch + 200
		r := rand.New(rand.NewPCG(7, 11))
		groups := []*Group{mustCreateGroup(t, d, "A"), mustCreateGroup(t, d, "B"), mustCreateGroup(t, d, "C")}
		apps := []*App{mustCreateApp(t, d, "one", PushNewUsers), mustCreateApp(t, d, "two", PushNewUsers)}
		addPeople(t, d, groups[0].ID, people)
		check(t, d.DB.Write(t.Context(), func(tx *sqldb.Tx) error {
			_, err := tx.Exec(`INSERT INTO members (group_rid, member_rid) SELECT $1, rid FROM resources WHERE id LIKE '00uM%' AND id <> '00uM1'`, groups[1].RID)
			return err
		}))
		members, given := map[string]map[string]bool{}, map[[2]string]bool{}
		for _, g := range groups {
			members[g.ID] = map[string]bool{}
		}
		for i := range people {
			id := fmt.Sprintf("00uM%d", i+1)
			members[groups[0].ID][id], members[groups[1].ID][id] = true, id != "00uM1"
		}
		someone := func() string { return fmt.Sprintf("00uM%d", 1+r.IntN(people)) }
		for range 60 {
			a, g, u := pick(r, apps), pick(r, groups), someone()
			pair := [2]string{a.ID, g.ID}
			switch r.IntN(6) {
			case 0:
				check(t, d.AssignGroup(t.Context(), manager, GroupAssignment{AppID: a.ID, GroupID: g.ID}))
				given[pair] = true
			case 1:
				if given[pair] {
					check(t, d.UnassignGroup(t.Context(), manager, a.ID, g.ID))
					given[pair] = false
				}
			case 2:
				check(t, d.AddMember(t.Context(), manager, g.ID, u))
				members[g.ID][u] = true
			case 3, 4:
				check(t, d.RemoveMember(t.Context(), manager, g.ID, u))
				members[g.ID][u] = false
			default:
				check(t, d.DB.Write(t.Context(), func(tx *sqldb.Tx) error {
					_, err := d.stepAssignment(tx, a.ID, g.ID)
					return err
				}))
			}
		}
		check(t, d.DeleteGroup(t.Context(), manager, groups[1].ID, nil))
		delete(members, groups[1].ID)
		workOff(t, d.removals())
		workOff(t, d.assignments())
		for _, a := range apps {
			var want []string
			for i := range people {
				u := fmt.Sprintf("00uM%d", i+1)
				for g, in := range members {
					if in[u] && given[[2]string{a.ID, g}] {
						want = append(want, u)
						break
					}
				}
			}
			slices.Sort(want)
			if diff := cmp.Diff(want, assigned(t, d, a)); diff != "" {
				t.Errorf("app %s (-want +got):\n%s", a.Label, diff)
			}
		}
	})
}

// RunAssignments hears of an assignment and ends with its context.
func TestRunAssignments(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		g, a := mustCreateGroup(t, d, "Huge"), mustCreateApp(t, d, "app", PushNewUsers)
		addPeople(t, d, g.ID, walkBatch+1)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- d.RunAssignments(ctx) }()
		check(t, d.AssignGroup(t.Context(), manager, GroupAssignment{AppID: a.ID, GroupID: g.ID}))
		for start := time.Now(); len(assigned(t, d, a)) <= walkBatch; time.Sleep(10 * time.Millisecond) {
			if time.Since(start) > 30*time.Second {
				t.Fatal("the last account never came")
			}
		}
		cancel()
		check(t, <-done)
	})
}
