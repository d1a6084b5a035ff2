package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

func mustAdd(t testing.TB, d *Directory, groupID string, memberIDs ...string) {
	t.Helper()
	for _, id := range memberIDs {
		if err := d.AddMember(context.Background(), tester, groupID, id); err != nil {
			t.Fatalf("add %s to %s: %v", id, groupID, err)
		}
	}
}

// groupsOf are the names of a user's groups, those it is in indirectly in parentheses.
func groupsOf(t testing.TB, d *Directory, userID string) []string {
	t.Helper()
	refs, err := d.GroupsOf(context.Background(), userID)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range refs {
		switch {
		case r.ID == d.EveryoneID():
		case r.Indirect:
			names = append(names, "("+r.Name+")")
		default:
			names = append(names, r.Name)
		}
	}
	return names
}

func TestNestedGroups(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		ana := mustCreate(t, d, `{"userName":"ana@example.com"}`).ID
		all, eng, web, lab := mustCreateGroup(t, d, "All").ID, mustCreateGroup(t, d, "Eng").ID, mustCreateGroup(t, d, "Web").ID, mustCreateGroup(t, d, "Lab").ID
		mustAdd(t, d, web, ana)
		mustAdd(t, d, eng, web)
		mustAdd(t, d, all, eng, lab)
		mustAdd(t, d, lab, web)
		mustAdd(t, d, eng, web) // again: no change
		if got, want := groupsOf(t, d, ana), []string{"Web", "(All)", "(Eng)", "(Lab)"}; !slices.Equal(got, want) {
			t.Errorf("groups: %v, want %v", got, want)
		}
		mustAdd(t, d, all, ana) // both ways is directly
		if got, want := groupsOf(t, d, ana), []string{"All", "Web", "(Eng)", "(Lab)"}; !slices.Equal(got, want) {
			t.Errorf("groups: %v, want %v", got, want)
		}
		if g, err := d.Group(t.Context(), eng); err != nil || g.Version != 2 || g.MembersChanged.IsZero() {
			t.Errorf("group with a group: %+v, %v; want version 2", g, err)
		}
		if g, err := d.Group(t.Context(), web); err != nil || g.Version != 2 {
			t.Errorf("group in groups: %+v, %v; want version 2, of its own member", g, err)
		}
		inside, err := d.GroupsInGroup(t.Context(), all, eng, 10)
		if err != nil || len(inside) != 1 || inside[0].ID != lab {
			t.Errorf("groups in All after Eng: %v, %v", inside, err)
		}
		check(t, d.RemoveMember(t.Context(), tester, eng, web))
		check(t, d.DeleteGroup(t.Context(), tester, lab, nil))
		if got, want := groupsOf(t, d, ana), []string{"All", "Web"}; !slices.Equal(got, want) {
			t.Errorf("groups after leaving: %v, want %v", got, want)
		}
		want := []string{"group.lifecycle.create", "group.group_membership.add", "group.group_membership.remove"}
		if got := eventTypes(t, d, web); !slices.Equal(got, []string{want[0], want[1], want[1], want[2]}) {
			t.Errorf("events of Web: %v", got)
		}
		if got := eventTypes(t, d, lab); !slices.Equal(got, []string{want[0], want[1], want[2], "group.lifecycle.delete"}) {
			t.Errorf("events of Lab: %v", got)
		}
	})
}

func wantInvalid(t testing.TB, err error, parts ...string) {
	t.Helper()
	var e *schemas.Error
	if !errors.As(err, &e) || e.ScimType != schemas.InvalidValue {
		t.Errorf("got %v, want invalidValue", err)
		return
	}
	for _, p := range parts {
		if !strings.Contains(e.Error(), p) {
			t.Errorf("%q does not say %q", e.Error(), p)
		}
	}
}

func TestNesting_CyclesAndDepth(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		ids := make([]string, maxNesting+1)
		for i := range ids {
			ids[i] = mustCreateGroup(t, d, fmt.Sprintf("Level %d", i)).ID
		}
		wantInvalid(t, d.AddMember(t.Context(), tester, ids[0], ids[0]), ids[0]+" contains "+ids[0])
		mustAdd(t, d, ids[0], ids[1])
		mustAdd(t, d, ids[1], ids[2])
		wantInvalid(t, d.AddMember(t.Context(), tester, ids[2], ids[0]),
			ids[2]+" contains "+ids[0]+" contains "+ids[1]+" contains "+ids[2])
		for i := 3; i < maxNesting; i++ {
			mustAdd(t, d, ids[i-1], ids[i])
		}
		wantInvalid(t, d.AddMember(t.Context(), tester, ids[maxNesting-1], ids[maxNesting]), "16 deep")
		wantInvalid(t, d.AddMember(t.Context(), tester, ids[maxNesting], ids[0]), "would make 17")
		mustAdd(t, d, ids[maxNesting-2], ids[maxNesting])
		// A whole new list is held against what stays.
		r := parseGroup(t, d, `{"displayName":"Level 2"}`)
		r.Members = []schemas.Member{{Value: ids[3]}, {Value: ids[0]}}
		_, err := d.ReplaceGroup(t.Context(), tester, ids[2], nil, r)
		wantInvalid(t, err, "cycle")
		r.Members = []schemas.Member{{Value: ids[4]}}
		if _, err := d.ReplaceGroup(t.Context(), tester, ids[2], nil, r); err != nil {
			t.Error(err)
		}
		mustAdd(t, d, ids[3], ids[0]) // no way back any more
	})
}

// Nobody becomes an administrator by nesting, not even by the hand of one.
func TestNesting_BuiltInGroupsStandAlone(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		g := mustCreateGroup(t, d, "Staff").ID
		for _, builtIn := range []string{d.AdministratorsID(), d.EveryoneID()} {
			wantInvalid(t, d.AddMember(t.Context(), manager, g, builtIn), "built in")
			r := parseGroup(t, d, `{"displayName":"New"}`)
			r.Members = []schemas.Member{{Value: builtIn}}
			_, err := d.CreateGroup(t.Context(), manager, r, GroupOptions{})
			wantInvalid(t, err, "built in")
		}
		wantInvalid(t, d.AddMember(t.Context(), manager, d.AdministratorsID(), g), "takes no groups")
		if err := d.AddMember(t.Context(), tester, d.AdministratorsID(), g); !errors.Is(err, ErrProtected) {
			t.Errorf("group into Administrators by SCIM: %v, want ErrProtected", err)
		}
		if err := d.AddMember(t.Context(), manager, d.EveryoneID(), g); !errors.Is(err, ErrProtected) {
			t.Errorf("group into Everyone: %v, want ErrProtected", err)
		}
		var n int
		if err := d.DB.QueryRow(t.Context(), `SELECT count(*) FROM nested_groups`).Scan(&n); err != nil || n != 0 {
			t.Errorf("%d nested groups, %v", n, err)
		}
	})
}

// Two transactions that each add half a cycle: one of them is refused, whatever order
// the rows are in, and nobody waits in a circle.
func TestNesting_ConcurrentHalvesOfACycle(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		for round := range 12 {
			ring := make([]string, 2+round%3)
			for i := range ring {
				ring[i] = mustCreateGroup(t, d, fmt.Sprintf("R%d %d", round, i)).ID
			}
			errs := make([]error, len(ring))
			var wg sync.WaitGroup
			for i := range ring {
				wg.Go(func() { errs[i] = d.AddMember(context.Background(), tester, ring[i], ring[(i+1)%len(ring)]) })
			}
			wg.Wait()
			refused := 0
			for _, err := range errs {
				if err != nil {
					refused++
					wantInvalid(t, err, "cycle")
				}
			}
			if refused != 1 {
				t.Fatalf("round %d: %d of %d refused, want 1: %v", round, refused, len(ring), errs)
			}
		}
	})
}

// Groups come into groups, leave them and are deleted while members change: nobody
// waits in a circle, and what is left has neither a cycle nor a member that is gone.
func TestNesting_ChangesInCommon(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		var groups, people []string
		for i := range 8 {
			groups = append(groups, mustCreateGroup(t, d, fmt.Sprintf("G%d", i)).ID)
			people = append(people, mustCreate(t, d, fmt.Sprintf(`{"userName":"u%d@example.com"}`, i)).ID)
		}
		ctx := context.Background()
		var wg sync.WaitGroup
		for i := range 64 {
			wg.Go(func() {
				g, other, u := groups[i%8], groups[(i*5+3)%8], people[(i*3)%8]
				var err error
				switch i % 6 {
				case 0, 1:
					err = d.AddMember(ctx, tester, g, other)
				case 2:
					err = d.RemoveMember(ctx, tester, g, other)
				case 3:
					err = d.AddMember(ctx, tester, g, u)
				case 4:
					r := parseGroup(t, d, fmt.Sprintf(`{"displayName":"G%d"}`, i%8))
					r.Members = []schemas.Member{{Value: u}, {Value: other}}
					_, err = d.ReplaceGroup(ctx, tester, g, nil, r)
				case 5:
					if i > 50 {
						err = d.DeleteGroup(ctx, tester, g, nil)
					}
				}
				var invalid *schemas.Error
				if err != nil && !errors.As(err, &invalid) && !errors.Is(err, ErrNotFound) {
					t.Errorf("change %d: %v", i, err)
				}
			})
		}
		wg.Wait()
		workOff(t, d.removals())
		var dangling int
		err := d.DB.QueryRow(ctx, `SELECT count(*) FROM nested_groups n WHERE
			NOT EXISTS (SELECT 1 FROM resources r WHERE r.rid = n.group_rid AND r.type = 'Group') OR
			NOT EXISTS (SELECT 1 FROM resources r WHERE r.rid = n.member_rid AND r.type = 'Group')`).Scan(&dangling)
		if err != nil || dangling != 0 {
			t.Errorf("%d rows of groups that are gone, %v", dangling, err)
		}
		check(t, d.DB.Write(ctx, func(tx *sqldb.Tx) error {
			rids, err := ints(tx.Query(`SELECT rid FROM resources WHERE type = 'Group'`))
			if err != nil {
				return err
			}
			for _, rid := range rids {
				l, err := climb(tx, []int64{rid}, "member_rid", "group_rid")
				if err != nil || l.levels > 8 {
					return fmt.Errorf("group %d climbs %d levels, %w", rid, l.levels, err)
				}
			}
			return nil
		}))
	})
}

// Filters on groups and members mean exactly what the resources show.
func TestFilterRelations_AgreeWithWhatIsShown(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		var people, groups []string
		for i := range 10 {
			body := fmt.Sprintf(`{"userName":"Zoë%d@example.com"}`, i)
			if i%2 == 0 {
				body = fmt.Sprintf(`{"userName":"u%d@example.com","displayName":"User %d"}`, i, i)
			}
			people = append(people, mustCreate(t, d, body).ID)
			groups = append(groups, mustCreateGroup(t, d, fmt.Sprintf("Group %d", i)).ID)
		}
		for i := range 10 {
			mustAdd(t, d, groups[i], people[(i*7)%10], people[(i*3+1)%10])
			if i > 0 && i != 5 {
				mustAdd(t, d, groups[i/2], groups[i])
			}
		}
		mustAdd(t, d, groups[0], people[9])
		mustAdd(t, d, groups[2], groups[9])
		const base = "https://id.example/scim/v2"
		shownGroups := func(u *User) (all []map[string]string) {
			refs, err := d.GroupsOfAll(t.Context(), []InGroups{{RID: u.RID}})
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range refs[u.RID] {
				typ := "direct"
				if r.Indirect {
					typ = "indirect"
				}
				all = append(all, map[string]string{"value": r.ID, "$ref": base + "/Groups/" + r.ID, "display": r.Name, "type": typ})
			}
			return all
		}
		conditions := map[string]func(map[string]string) bool{
			`value eq "` + groups[2] + `"`:                        func(e map[string]string) bool { return e["value"] == groups[2] },
			`type eq "direct"`:                                    func(e map[string]string) bool { return e["type"] == "direct" },
			`type eq "Indirect"`:                                  func(e map[string]string) bool { return e["type"] == "indirect" },
			`type sw "in" and display eq "group 0"`:               func(e map[string]string) bool { return e["type"] == "indirect" && e["display"] == "Group 0" },
			`$ref eq "` + base + `/Groups/` + groups[1] + `"`:     func(e map[string]string) bool { return e["value"] == groups[1] },
			`$ref co "/Groups/00g" and display ge "group 5"`:      func(e map[string]string) bool { return e["display"] >= "Group 5" },
			`type ne "direct" and not (display co "1")`:           func(e map[string]string) bool { return e["type"] == "indirect" && !strings.Contains(e["display"], "1") },
			`value eq "` + groups[0] + `" and type eq "direct"`:   func(e map[string]string) bool { return e["value"] == groups[0] && e["type"] == "direct" },
			`value eq "` + groups[0] + `" or display eq "nope"`:   func(e map[string]string) bool { return e["value"] == groups[0] },
			`display pr and type pr and $ref pr and value pr`:     func(map[string]string) bool { return true },
			`$ref eq "https://other/Groups/` + groups[1] + `"`:    func(map[string]string) bool { return false },
			`$ref sw "` + base + `/Users/"`:                       func(map[string]string) bool { return false },
			`display ew " 7" and type eq "direct" or type lt "b"`: func(e map[string]string) bool { return e["display"] == "Group 7" && e["type"] == "direct" },
		}
		users, err := d.List(t.Context(), typeUser, ListQuery{Count: 100})
		if err != nil {
			t.Fatal(err)
		}
		for text, holds := range conditions {
			for _, negated := range []bool{false, true} {
				var want, got []string
				for _, u := range users.Users {
					if slices.ContainsFunc(shownGroups(u), holds) != negated {
						want = append(want, u.ID)
					}
				}
				filter := "groups[" + text + "]"
				if negated {
					filter = "not (" + filter + ")"
				}
				f, err := d.userType().ParseFilter(filter, schemas.Generic)
				if err != nil {
					t.Fatalf("%s: %v", filter, err)
				}
				p, err := d.List(t.Context(), typeUser, ListQuery{Filter: f, Count: 100, Base: base})
				if err != nil {
					t.Fatalf("%s: %v", filter, err)
				}
				for _, u := range p.Users {
					got = append(got, u.ID)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s (-shown +found):\n%s", filter, diff)
				}
			}
		}
		for filter, want := range map[string][]string{
			`members.type eq "Group"`:                                                {"Group 0", "Group 1", "Group 2", "Group 3", "Group 4"},
			`members[type eq "Group" and value eq "` + groups[9] + `"]`:              {"Group 2", "Group 4"},
			`members.value eq "` + groups[3] + `"`:                                   {"Group 1"},
			`members.display eq "group 3"`:                                           {"Group 1"},
			`members[display eq "zoë1@EXAMPLE.com" and type eq "User"]`:              {"Group 0", "Group 3"},
			`members.$ref eq "` + base + `/Groups/` + groups[3] + `"`:                {"Group 1"},
			`members.$ref eq "` + base + `/Users/` + groups[3] + `"`:                 nil,
			`members.$ref ew "/Groups/` + groups[3] + `"`:                            {"Group 1"},
			`members[$ref co "/Users/" and value eq "` + people[9] + `"]`:            {"Group 0", "Group 6", "Group 7"},
			`not (members.type eq "Group") and members.value eq "` + people[9] + `"`: {"Group 6", "Group 7"},
		} {
			f, err := d.groupType().ParseFilter(filter, schemas.Generic)
			if err != nil {
				t.Fatalf("%s: %v", filter, err)
			}
			p, err := d.List(t.Context(), typeGroup, ListQuery{Filter: f, Count: 100, Base: base})
			if err != nil {
				t.Fatalf("%s: %v", filter, err)
			}
			var got []string
			for _, g := range p.Groups {
				got = append(got, g.Name())
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", filter, diff)
			}
		}
	})
}
