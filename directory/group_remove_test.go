package directory

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/provost-id/provost/internal/sqldb"
)

// addPeople makes n users with nothing but a row, and members of a group.
func addPeople(t testing.TB, d *Directory, groupID string, n int) {
	t.Helper()
	check(t, d.DB.Write(t.Context(), func(tx *sqldb.Tx) error {
		for _, statement := range []string{
			fmt.Sprintf(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
				INSERT INTO resources (id, type, version, status, active, created, modified, status_changed, user_name)
				SELECT '00uM' || i, 'User', 1, 'ACTIVE', TRUE, 0, 0, 0, 'm' || i || '@example.com' FROM n`, n),
			`INSERT INTO documents (rid, doc) SELECT rid, '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"' || user_name || '"}'
				FROM resources WHERE id LIKE '00uM%'`,
			`INSERT INTO members (group_rid, member_rid) SELECT ` + fmt.Sprint(d.everyone.rid) + `, rid FROM resources WHERE id LIKE '00uM%'`,
			`INSERT INTO members (group_rid, member_rid) SELECT (SELECT rid FROM resources WHERE id = '` + groupID + `'), rid FROM resources WHERE id LIKE '00uM%'`,
			`INSERT INTO unique_values (path, val, rid) SELECT 'User:userName', user_name, rid FROM resources WHERE id LIKE '00uM%'`,
		} {
			if _, err := tx.Exec(statement); err != nil {
				return err
			}
		}
		return addTotal(tx, typeUser, 0, n)
	}))
}

func count(t testing.TB, d *Directory, query string, args ...any) (n int) {
	t.Helper()
	if err := d.DB.QueryRow(t.Context(), query, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// A deleted group is gone at once, however many members it had; they are taken out of
// it, and from its apps, a batch at a time, and their groups are never shown wrong.
func TestDeleteGroup_MembersInBatches(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		const n = 2*removalBatch + 10
		g, parent, child := mustCreateGroup(t, d, "Huge"), mustCreateGroup(t, d, "Parent"), mustCreateGroup(t, d, "Child")
		mustAdd(t, d, parent.ID, g.ID)
		mustAdd(t, d, g.ID, child.ID)
		addPeople(t, d, g.ID, n)
		ana := mustCreate(t, d, `{"userName":"ana@example.com"}`)
		mustAdd(t, d, child.ID, ana.ID)
		a := mustCreateApp(t, d, "app", PushNewUsers, GroupPush)
		check(t, d.AssignGroup(t.Context(), manager, GroupAssignment{AppID: a.ID, GroupID: g.ID}))
		workOff(t, d.assignments())
		check(t, d.DeleteGroup(t.Context(), manager, g.ID, nil))

		if left := count(t, d, `SELECT count(*) FROM members WHERE group_rid = $1`, g.RID); left != n-removalBatch {
			t.Errorf("%d members left after the first transaction, want %d", left, n-removalBatch)
		}
		if _, err := d.Group(t.Context(), g.ID); !errors.Is(err, ErrNotFound) {
			t.Errorf("the group is still there: %v", err)
		}
		if err := d.AddMember(t.Context(), manager, g.ID, ana.ID); !errors.Is(err, ErrNotFound) {
			t.Errorf("it takes members: %v", err)
		}
		wantInvalid(t, d.AddMember(t.Context(), manager, parent.ID, g.ID), g.ID)
		mustCreateGroup(t, d, "Huge") // the name is free
		if p, err := d.List(t.Context(), typeGroup, ListQuery{Count: 10}); err != nil || p.Total != 5 || len(p.Groups) != 5 {
			t.Errorf("groups: %+v, %v", p, err)
		}
		for _, id := range []string{"00uM1", fmt.Sprintf("00uM%d", n)} {
			if got := groupsOf(t, d, id); got != nil {
				t.Errorf("groups of %s: %v", id, got)
			}
			u, err := d.User(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			shown, err := d.GroupsShown(t.Context(), u.RID)
			if err != nil || u.GroupsChanged.Before(g.Created) && shown.Before(g.Created) {
				t.Errorf("%s does not know that its groups have changed: %v, %v", id, shown, err)
			}
		}
		if got := groupsOf(t, d, ana.ID); len(got) != 1 {
			t.Errorf("groups of ana: %v, want Child alone", got)
		}
		check(t, d.DeleteUser(t.Context(), manager, fmt.Sprintf("00uM%d", n-1), nil))
		if got := count(t, d, `SELECT count(*) FROM app_users WHERE assigned`); got != n-removalBatch-1 {
			t.Errorf("%d accounts are assigned, want those of whom no batch has had yet", got)
		}

		workOff(t, d.removals())
		for _, table := range []string{"members", "nested_groups", "removed_groups", "resources"} {
			column := "group_rid"
			if table == "resources" {
				column = "rid"
			}
			if left := count(t, d, `SELECT count(*) FROM `+table+` WHERE `+column+` = $1`, g.RID); left != 0 {
				t.Errorf("%d rows left in %s", left, table)
			}
		}
		if got := count(t, d, `SELECT count(*) FROM app_users WHERE assigned`); got != 0 {
			t.Errorf("%d accounts are still assigned", got)
		}
		if got := count(t, d, `SELECT count(*) FROM resources WHERE id LIKE '00uM%' AND members_changed IS NULL`); got != 0 {
			t.Errorf("%d people were not told", got)
		}
		if got := eventTypes(t, d, g.ID); got[len(got)-1] != "group.lifecycle.delete" {
			t.Errorf("events of the group: %v", got)
		}
		var body string
		err := d.DB.QueryRow(t.Context(), `SELECT body FROM events WHERE type = 'application.user_membership.remove' ORDER BY n DESC LIMIT 1`).Scan(&body)
		if err != nil || !strings.Contains(body, manager.Actor.ID) {
			t.Errorf("the last batch does not name who deleted the group: %s, %v", body, err)
		}
	})
}
