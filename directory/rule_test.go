package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/schemas"
	"github.com/provost-id/provost/schemas/scim"
)

func mustRule(t testing.TB, d *Directory, condition string, groups ...string) *GroupRule {
	t.Helper()
	r, err := d.CreateRule(context.Background(), manager, GroupRule{Name: "Rule", Condition: condition, Groups: groups})
	if err != nil {
		t.Fatalf("create rule: %v", err)
	}
	return r
}

// mustActivate activates a rule and works its pass off.
func mustActivate(t testing.TB, d *Directory, r *GroupRule) {
	t.Helper()
	if err := d.ActivateRule(context.Background(), manager, r.ID); err != nil {
		t.Fatalf("activate rule: %v", err)
	}
	work(t, d)
}

func work(t testing.TB, d *Directory) {
	t.Helper()
	if err := rulesBy(d, "test").work(context.Background()); err != nil {
		t.Fatalf("work rules off: %v", err)
	}
}

func setProfile(t testing.TB, d *Directory, userID string, profile map[string]any) {
	t.Helper()
	if _, err := d.UpdateProfile(context.Background(), manager, userID, profile); err != nil {
		t.Fatalf("set profile: %v", err)
	}
}

func inDepartment(t testing.TB, d *Directory, login, department string) *User {
	t.Helper()
	return mustCreate(t, d, fmt.Sprintf(`{"userName":%q,"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":%q}}`, login, department))
}

// The events, the actor, and the apps of the group: a membership by a rule is as good
// as any other.
func TestRules_FollowTheProfile(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		g := mustCreateGroup(t, d, "Sales")
		r := mustRule(t, d, `user.department == "Sales"`, g.ID)
		before := inDepartment(t, d, "before@example.com", "Sales")
		if got := memberSet(t, d, g.ID); len(got) != 0 || r.Status != RuleInactive {
			t.Fatalf("a new rule is %s and has %v", r.Status, got)
		}
		a := mustCreateApp(t, d, "Sales app", PushNewUsers, GroupPush)
		check(t, d.AssignGroup(t.Context(), manager, GroupAssignment{AppID: a.ID, GroupID: g.ID}))
		mustActivate(t, d, r)
		clearMarkers(t, d)
		after := inDepartment(t, d, "after@example.com", "Sales")
		if got := memberSet(t, d, g.ID); !slices.Equal(got, sorted(before.ID, after.ID)) {
			t.Errorf("members %v, want those of before and after the activation", got)
		}
		if m := markersOf(t, d, a); m[after.ID] == 0 || m[g.ID] == 0 {
			t.Errorf("markers %v, want the user and the group", m)
		}
		setProfile(t, d, after.ID, map[string]any{"department": "Tools"})
		if got := memberSet(t, d, g.ID); !slices.Equal(got, []string{before.ID}) {
			t.Errorf("members %v, want the one who still matches", got)
		}
		if u, err := d.AppUser(t.Context(), a.ID, after.ID); err != nil || u.Assigned {
			t.Errorf("the account of who left: %+v, %v", u, err)
		}
		setProfile(t, d, before.ID, map[string]any{"title": "Clerk"}) // no input of the rule
		checkMemberEvents(t, d, after.ID, r, "add", "remove")
		checkBook(t, d)
	})
}

func sorted(ids ...string) []string {
	slices.Sort(ids)
	return ids
}

func checkMemberEvents(t *testing.T, d *Directory, userID string, r *GroupRule, want ...string) {
	t.Helper()
	bodies, err := column[string](d.DB.Query(t.Context(), `SELECT body FROM events WHERE subject = $1 AND type LIKE 'group.user_membership.%' ORDER BY n`, userID))
	if err != nil || len(bodies) != len(want) {
		t.Fatalf("%d events of membership, want %d (%v)", len(bodies), len(want), err)
	}
	for i, b := range bodies {
		if !strings.Contains(b, "group.user_membership."+want[i]) || !strings.Contains(b, `"actor":{"id":"`+r.ID+`","type":"GroupRule"`) {
			t.Errorf("event %d is no %s by the rule: %s", i, want[i], b)
		}
	}
}

func TestRules_Refused(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		g, u := mustCreateGroup(t, d, "Staff"), mustCreate(t, d, `{"userName":"a@example.com"}`)
		app, err := d.CreateGroup(t.Context(), manager, parseGroup(t, d, `{"displayName":"Theirs"}`), GroupOptions{Type: AppGroup})
		if err != nil {
			t.Fatal(err)
		}
		many := func(n int, prefix string) (ids []string) {
			for i := range n {
				ids = append(ids, fmt.Sprintf("%s%017d", prefix, i))
			}
			return ids
		}
		good := GroupRule{Name: "R", Condition: `user.department == "x"`, Groups: []string{g.ID}}
		for name, tt := range map[string]struct {
			change func(r *GroupRule)
			field  string
			reason string
		}{
			"no name":             {func(r *GroupRule) { r.Name = " " }, "name", "1 to 50"},
			"long name":           {func(r *GroupRule) { r.Name = strings.Repeat("é", 51) }, "name", "1 to 50"},
			"no group":            {func(r *GroupRule) { r.Groups = nil }, "actions.assignUserToGroups.groupIds", "1 to 100"},
			"101 groups":          {func(r *GroupRule) { r.Groups = many(101, "00g") }, "actions.assignUserToGroups.groupIds", "1 to 100"},
			"unknown group":       {func(r *GroupRule) { r.Groups = many(1, "00g") }, "actions.assignUserToGroups.groupIds", "not the id of a group"},
			"a user as group":     {func(r *GroupRule) { r.Groups = []string{u.ID} }, "actions.assignUserToGroups.groupIds", "not the id of a group"},
			"administrators":      {func(r *GroupRule) { r.Groups = []string{d.AdministratorsID()} }, "actions.assignUserToGroups.groupIds", "BUILT_IN"},
			"everyone":            {func(r *GroupRule) { r.Groups = []string{g.ID, d.EveryoneID()} }, "actions.assignUserToGroups.groupIds", "BUILT_IN"},
			"group of an app":     {func(r *GroupRule) { r.Groups = []string{app.ID} }, "actions.assignUserToGroups.groupIds", "APP_GROUP"},
			"101 exclusions":      {func(r *GroupRule) { r.Exclude = many(101, "00u") }, "conditions.people.users.exclude", "at most 100"},
			"unknown exclusion":   {func(r *GroupRule) { r.Exclude = many(1, "00u") }, "conditions.people.users.exclude", "not the id of a user"},
			"no condition":        {func(r *GroupRule) { r.Condition = "" }, "conditions.expression.value", "empty"},
			"no boolean":          {func(r *GroupRule) { r.Condition = "user.login" }, "conditions.expression.value", "gives string"},
			"unknown attribute":   {func(r *GroupRule) { r.Condition = `user.departmnt == "x"` }, "conditions.expression.value", "departmnt"},
			"status is no input":  {func(r *GroupRule) { r.Condition = `user.status == "ACTIVE"` }, "conditions.expression.value", "status"},
			"memberships are not": {func(r *GroupRule) { r.Condition = `isMemberOfGroup("` + g.ID + `")` }, "conditions.expression.value", "isMemberOfGroup"},
			"null without guard":  {func(r *GroupRule) { r.Condition = `user.title < "b"` }, "conditions.expression.value", "may be null"},
		} {
			r := good
			tt.change(&r)
			_, err := d.CreateRule(t.Context(), manager, r)
			var invalid *InvalidError
			if !errors.As(err, &invalid) || invalid.Field != tt.field || !strings.Contains(invalid.Reason, tt.reason) {
				t.Errorf("%s: %v, want %s: … %s", name, err, tt.field, tt.reason)
			}
		}
		if all, err := d.Rules(t.Context(), "", "", 10); err != nil || len(all) != 0 {
			t.Errorf("%d rules, %v", len(all), err)
		}
	})
}

// PUT changes an INACTIVE rule, and never its targets.
func TestRules_Update(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		g, other := mustCreateGroup(t, d, "Sales"), mustCreateGroup(t, d, "Other")
		u := inDepartment(t, d, "a@example.com", "Sales")
		r := mustRule(t, d, `user.department == "Sales" && user.title != "x"`, g.ID)
		if diff := cmp.Diff([]string{"department", "title"}, r.Inputs); diff != "" {
			t.Errorf("inputs:\n%s", diff)
		}
		mustActivate(t, d, r)
		next := GroupRule{Name: "Next", Condition: `user.department == "Tools"`, Exclude: []string{u.ID, u.ID}}
		if _, err := d.UpdateRule(t.Context(), manager, r.ID, next); !errors.Is(err, ErrRuleActive) {
			t.Errorf("change of an active rule: %v", err)
		}
		check(t, d.DeactivateRule(t.Context(), manager, r.ID, false))
		var invalid *InvalidError
		if _, err := d.UpdateRule(t.Context(), manager, r.ID, GroupRule{Name: "N", Condition: "true", Groups: []string{other.ID}}); !errors.As(err, &invalid) || invalid.Field != "actions" {
			t.Errorf("other targets: %v", err)
		}
		got, err := d.UpdateRule(t.Context(), manager, r.ID, next)
		if err != nil || got.Name != "Next" || !slices.Equal(got.Exclude, []string{u.ID}) || !slices.Equal(got.Inputs, []string{"department"}) || !slices.Equal(got.Groups, []string{g.ID}) {
			t.Errorf("changed: %+v, %v", got, err)
		}
		if members := memberSet(t, d, g.ID); !slices.Equal(members, []string{u.ID}) {
			t.Errorf("members while inactive: %v", members)
		}
		setProfile(t, d, u.ID, map[string]any{"department": "Tools"}) // matches, but is excluded
		mustActivate(t, d, r)
		if members := memberSet(t, d, g.ID); len(members) != 0 {
			t.Errorf("an excluded user is a member: %v", members)
		}
	})
}

// A condition that fails does not match, and an event says why.
func TestRules_FaultDoesNotMatch(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		g := mustCreateGroup(t, d, "Rich")
		u := mustCreate(t, d, `{"userName":"a@example.com"}`)
		bad := mustCreate(t, d, `{"userName":"b@example.com"}`)
		setProfile(t, d, bad.ID, map[string]any{"costCenter": "none"})
		r := mustRule(t, d, `user.costCenter != null && int(user.costCenter) > 100`, g.ID)
		mustActivate(t, d, r)
		setProfile(t, d, u.ID, map[string]any{"costCenter": "700"})
		if got := memberSet(t, d, g.ID); !slices.Equal(got, []string{u.ID}) {
			t.Errorf("members %v", got)
		}
		setProfile(t, d, u.ID, map[string]any{"costCenter": "seven"})
		if got := memberSet(t, d, g.ID); len(got) != 0 {
			t.Errorf("members after the fault: %v", got)
		}
		faults, err := column[string](d.DB.Query(t.Context(), `SELECT body FROM events WHERE type = 'group.user_membership.rule.error' ORDER BY n`))
		if err != nil || len(faults) != 2 {
			t.Fatalf("%d events of faults, want one of the pass and one of the change (%v)", len(faults), err)
		}
		for i, id := range []string{bad.ID, u.ID} {
			if !strings.Contains(faults[i], id) || !strings.Contains(faults[i], r.ID) || !strings.Contains(faults[i], events.Failure) || !strings.Contains(faults[i], `"reason":"`) {
				t.Errorf("fault of %s: %s", id, faults[i])
			}
		}
	})
}

// What was given by hand stays; what was taken by hand stays out until it is given.
func TestRules_Hand(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		g := mustCreateGroup(t, d, "Sales")
		u := inDepartment(t, d, "a@example.com", "Sales")
		mustActivate(t, d, mustRule(t, d, `user.department == "Sales"`, g.ID))
		is := func(step string, want bool) {
			t.Helper()
			if got := len(memberSet(t, d, g.ID)) == 1; got != want {
				t.Errorf("%s: member %v, want %v", step, got, want)
			}
			checkBook(t, d)
		}
		is("granted", true)
		check(t, d.AddMember(t.Context(), tester, g.ID, u.ID))
		setProfile(t, d, u.ID, map[string]any{"department": "Tools"})
		is("by hand as well, matches no longer", true)
		setProfile(t, d, u.ID, map[string]any{"department": "Sales"})
		check(t, d.RemoveMember(t.Context(), tester, g.ID, u.ID))
		is("taken away by hand", false)
		setProfile(t, d, u.ID, map[string]any{"department": "Tools"})
		setProfile(t, d, u.ID, map[string]any{"department": "Sales"})
		is("matches again after it was taken away", false)
		check(t, d.AddMember(t.Context(), tester, g.ID, u.ID))
		is("given again", true)
		check(t, d.RemoveMember(t.Context(), tester, g.ID, u.ID))
		is("taken away again", false)
		var n int
		err := d.DB.QueryRow(t.Context(), `SELECT count(*) FROM events WHERE type = 'group.user_membership.rule.add_exclusion'`).Scan(&n)
		if err != nil || n != 2 {
			t.Errorf("%d events of exclusions, want 2 (%v)", n, err)
		}
	})
}

// A whole list that says what is so already makes nobody a member by hand: a client
// that writes back what it read must not undo a rule.
func TestRules_ReplaceKeepsProvenance(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		g := mustCreateGroup(t, d, "Sales")
		u, other := inDepartment(t, d, "a@example.com", "Sales"), inDepartment(t, d, "b@example.com", "Tools")
		mustActivate(t, d, mustRule(t, d, `user.department == "Sales"`, g.ID))
		body := parseGroup(t, d, fmt.Sprintf(`{"displayName":"Sales","members":[{"value":%q},{"value":%q}]}`, u.ID, other.ID))
		if _, err := d.ReplaceGroup(t.Context(), tester, g.ID, nil, body); err != nil {
			t.Fatal(err)
		}
		setProfile(t, d, u.ID, map[string]any{"department": "Tools"})
		if got := memberSet(t, d, g.ID); !slices.Equal(got, []string{other.ID}) {
			t.Errorf("members %v, want the one given by hand", got)
		}
	})
}

// A rule whose target group vanishes is INVALID: it does nothing more, and what it
// granted elsewhere stays.
func TestRules_TargetVanishes(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		g, other := mustCreateGroup(t, d, "Sales"), mustCreateGroup(t, d, "Other")
		u := inDepartment(t, d, "a@example.com", "Sales")
		r := mustRule(t, d, `user.department == "Sales"`, g.ID, other.ID)
		mustActivate(t, d, r)
		check(t, d.DeleteGroup(t.Context(), manager, other.ID, nil))
		got, err := d.Rule(t.Context(), r.ID)
		if err != nil || got.Status != RuleInvalid || got.Valid() {
			t.Fatalf("rule: %+v, %v", got, err)
		}
		inDepartment(t, d, "b@example.com", "Sales")
		if members := memberSet(t, d, g.ID); !slices.Equal(members, []string{u.ID}) {
			t.Errorf("members %v", members)
		}
		var invalid *InvalidError
		if err := d.ActivateRule(t.Context(), manager, r.ID); !errors.As(err, &invalid) {
			t.Errorf("activation: %v", err)
		}
		check(t, d.DeleteRule(t.Context(), manager, r.ID, true))
		work(t, d)
		if members := memberSet(t, d, g.ID); len(members) != 0 {
			t.Errorf("members after removeUsers: %v", members)
		}
		if got := eventTypes(t, d, r.ID); !slices.Contains(got, "group.user_membership.rule.invalidate") {
			t.Errorf("events of the rule: %v", got)
		}
	})
}

// A rule whose condition no longer compiles stops and takes nothing away.
func TestRules_ConditionNoLongerCompiles(t *testing.T) {
	for _, how := range []string{"change", "pass"} {
		t.Run(how, func(t *testing.T) {
			each(t, func(t *testing.T, d *Directory) {
				mustDefine(t, d, scim.OrgUser, schemas.Attribute{Name: "badge", Type: schemas.String})
				g, u := mustCreateGroup(t, d, "Badges"), inDepartment(t, d, "a@example.com", "x")
				setProfile(t, d, u.ID, map[string]any{"badge": "7"})
				r := mustRule(t, d, `user.badge == "7" && user.department != "y"`, g.ID)
				mustActivate(t, d, r)
				if how == "pass" {
					check(t, d.DeactivateRule(t.Context(), manager, r.ID, false))
					check(t, d.ActivateRule(t.Context(), manager, r.ID))
				}
				setProfile(t, d, u.ID, map[string]any{"badge": nil, "department": "y"})
				check(t, d.AddMember(t.Context(), manager, g.ID, u.ID))
				// Somebody has saved the rule in the very moment in which the attribute went.
				check(t, exec1(d, `DELETE FROM rule_inputs WHERE attr = 'badge'`))
				mustDefine(t, d, scim.OrgUser)
				if how == "pass" {
					work(t, d)
				} else {
					setProfile(t, d, u.ID, map[string]any{"department": "z"})
				}
				if got, err := d.Rule(t.Context(), r.ID); err != nil || got.Status != RuleInvalid || got.Pass != nil {
					t.Errorf("rule: %+v, %v", got, err)
				}
				if members := memberSet(t, d, g.ID); !slices.Equal(members, []string{u.ID}) {
					t.Errorf("members %v", members)
				}
			})
		})
	}
}

func TestRules_TooMany(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		g := mustCreateGroup(t, d, "Staff")
		check(t, exec1(d, `INSERT INTO group_rules (id, name, name_folded, status, expression, created, modified, version)
			WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
			SELECT 'r' || i, 'r', 'r', 'INACTIVE', 'true', 0, 0, 1 FROM n`))
		_, err := d.CreateRule(t.Context(), manager, GroupRule{Name: "R", Condition: "true", Groups: []string{g.ID}})
		if !errors.Is(err, ErrTooManyRules) {
			t.Errorf("rule 2001: %v", err)
		}
	})
}
