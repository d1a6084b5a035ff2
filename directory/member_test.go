package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-id/provost/internal/keyring"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
	"github.com/provost-id/provost/schemas"
)

func memberSet(t testing.TB, d *Directory, groupID string) []string {
	t.Helper()
	var all []string
	for after := ""; ; {
		members, next, err := d.Members(context.Background(), groupID, after, 7)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range members {
			all = append(all, m.ID)
		}
		if after = next; next == "" {
			slices.Sort(all)
			return all
		}
	}
}

// ADV-61: a hundred changes of one group at once; the final set is exact.
func TestADV61_ConcurrentMembers(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		g := mustCreateGroup(t, d, "Staff")
		var keep, drop []string
		for i := range 50 {
			keep = append(keep, mustCreate(t, d, fmt.Sprintf(`{"userName":"keep%d@example.com"}`, i)).ID)
			drop = append(drop, mustCreate(t, d, fmt.Sprintf(`{"userName":"drop%d@example.com"}`, i)).ID)
		}
		if err := d.DB.Write(t.Context(), func(tx *sqldb.Tx) error { return d.SetMembersTx(tx, tester, g.ID, drop) }); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for i := range 50 {
			wg.Go(func() { check(t, d.AddMember(context.Background(), tester, g.ID, keep[i])) })
			wg.Go(func() { check(t, d.RemoveMember(context.Background(), tester, g.ID, drop[i])) })
		}
		wg.Wait()
		slices.Sort(keep)
		if got := memberSet(t, d, g.ID); !slices.Equal(got, keep) {
			t.Errorf("%d members, want exactly the %d that were added", len(got), len(keep))
		}
		if got, err := d.Group(t.Context(), g.ID); err != nil || got.Version != 102 {
			t.Errorf("version %d, %v; want one for each change", got.Version, err)
		}
	})
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

func TestMembersAreRows(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		ana, bob := mustCreate(t, d, `{"userName":"ana@example.com","displayName":"Ana"}`), mustCreate(t, d, `{"userName":"bob@example.com"}`)
		g, err := d.CreateGroup(t.Context(), tester, parseGroup(t, d, `{"displayName":"Staff","members":[{"value":"`+ana.ID+`"}]}`), GroupOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second changes nothing
			if err := d.AddMember(t.Context(), tester, g.ID, bob.ID); err != nil {
				t.Fatal(err)
			}
		}
		got, err := d.Group(t.Context(), g.ID)
		if err != nil || got.Version != 2 {
			t.Errorf("version %d, %v; want 2", got.Version, err)
		}
		members, next, err := d.Members(t.Context(), g.ID, "", 10)
		if diff := cmp.Diff([]Member{{ID: ana.ID, Name: "Ana"}, {ID: bob.ID, Name: "bob@example.com"}}, members); diff != "" || next != "" || err != nil {
			t.Errorf("members, %q, %v:\n%s", next, err, diff)
		}
		groups, err := d.GroupsOf(t.Context(), bob.ID)
		want := []GroupRef{{ID: d.EveryoneID(), Name: Everyone, Type: BuiltInGroup}, {ID: g.ID, Name: "Staff", Type: OrdinaryGroup}}
		if diff := cmp.Diff(want, groups); diff != "" || err != nil {
			t.Errorf("groups of bob, %v:\n%s", err, diff)
		}
		var invalid *schemas.Error
		if err := d.AddMember(t.Context(), tester, g.ID, "00unobody"); !errors.As(err, &invalid) {
			t.Errorf("unknown member: %v, want a schemas.Error", err)
		}
		if err := d.AddMember(t.Context(), tester, g.ID, g.ID); !errors.As(err, &invalid) {
			t.Errorf("a group as member: %v, want a schemas.Error", err)
		}
		if err := d.AddMember(t.Context(), tester, "00gnone", bob.ID); !errors.Is(err, ErrNotFound) {
			t.Errorf("unknown group: %v, want ErrNotFound", err)
		}
		if got := eventTypes(t, d, bob.ID); !slices.Equal(got, []string{"user.lifecycle.create", "group.user_membership.add"}) {
			t.Errorf("events of bob: %v", got)
		}
	})
}

// A change of many members is told in few events, and loses nobody.
func TestManyMembers(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		const n = 350
		fill(t, d, n)
		ids, err := column[string](d.DB.Query(t.Context(), `SELECT id FROM resources WHERE type = 'User'`))
		if err != nil {
			t.Fatal(err)
		}
		g := mustCreateGroup(t, d, "Staff")
		set := func(ids []string) {
			t.Helper()
			if err := d.DB.Write(t.Context(), func(tx *sqldb.Tx) error { return d.SetMembersTx(tx, tester, g.ID, ids) }); err != nil {
				t.Fatal(err)
			}
		}
		set(ids)
		slices.Sort(ids)
		if got := memberSet(t, d, g.ID); !slices.Equal(got, ids) {
			t.Errorf("%d members, want %d", len(got), n)
		}
		set(ids[:3])
		if got := memberSet(t, d, g.ID); !slices.Equal(got, ids[:3]) {
			t.Errorf("%d members, want 3", len(got))
		}
		if got := len(eventTypes(t, d, g.ID)); got != 1+4+4 {
			t.Errorf("%d events of the group, want its creation and four for each list", got)
		}
	})
}

func TestDeleteGroupKeepsPeople(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		u, g := mustCreate(t, d, `{"userName":"a@example.com"}`), mustCreateGroup(t, d, "Staff")
		check(t, d.AddMember(t.Context(), tester, g.ID, u.ID))
		check(t, d.DeleteGroup(t.Context(), tester, g.ID, nil))
		if groups, err := d.GroupsOf(t.Context(), u.ID); err != nil || len(groups) != 1 {
			t.Errorf("groups after the deletion: %v, %v", groups, err)
		}
		got, err := d.User(t.Context(), u.ID)
		if err != nil || got.Version != 1 || got.GroupsChanged.IsZero() {
			t.Errorf("user: %+v, %v", got, err)
		}
		mustCreateGroup(t, d, "Staff") // the name is free again
	})
}

func TestNodesThatStartAtOnceMakeEachGroupOnce(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		keys, err := keyring.New(make([]byte, keyring.KeySize))
		if err != nil {
			t.Fatal(err)
		}
		nodes := make([]*Directory, 4)
		var wg sync.WaitGroup
		for i := range nodes {
			wg.Go(func() {
				var err error
				if nodes[i], err = New(context.Background(), db, keys, nil); err != nil {
					t.Errorf("start: %v", err)
				}
			})
		}
		wg.Wait()
		if t.Failed() {
			return
		}
		for _, d := range nodes {
			if d.everyone != nodes[0].everyone || d.admins != nodes[0].admins {
				t.Errorf("nodes have different built-in groups: %v %v", d.everyone, d.admins)
			}
		}
		if p, err := nodes[0].List(t.Context(), typeGroup, ListQuery{Count: 10}); err != nil || p.Total != 2 {
			t.Errorf("%d groups, %v; want 2", p.Total, err)
		}
	})
}
