package provisioning

import (
	"slices"
	"testing"

	"github.com/provost-id/provost/directory"
)

func TestGroupAssignmentAndPush(t *testing.T) {
	t.Parallel()
	each(t, allFeatures, func(w *world) {
		ada, bob := w.user("ada@example.com", nil), w.user("bob@example.com", nil)
		g := w.group("Engineers")
		if err := w.dir.AddMember(w.Context(), w.c, g.ID, ada.ID); err != nil {
			w.Fatal(err)
		}
		if err := w.dir.AssignGroup(w.Context(), w.c, directory.GroupAssignment{AppID: w.app.ID, GroupID: g.ID}); err != nil {
			w.Fatal(err)
		}
		w.drained()
		if got := w.remoteMembers("Engineers"); !slices.Equal(got, []string{"ada@example.com"}) {
			w.Errorf("members %v, want ada", got)
		}
		if err := w.dir.AddMember(w.Context(), w.c, g.ID, bob.ID); err != nil {
			w.Fatal(err)
		}
		w.drained()
		if got := w.remoteMembers("Engineers"); !slices.Equal(got, []string{"ada@example.com", "bob@example.com"}) {
			w.Errorf("members %v, want ada and bob", got)
		}
		if a := w.appUser(bob.ID); a.Scope != directory.ScopeGroup || a.Status != directory.AppUserProvisioned {
			w.Errorf("bob %+v", a)
		}
		if err := w.dir.RemoveMember(w.Context(), w.c, g.ID, ada.ID); err != nil {
			w.Fatal(err)
		}
		w.drained()
		if got := w.remoteMembers("Engineers"); !slices.Equal(got, []string{"bob@example.com"}) {
			w.Errorf("members %v, want bob", got)
		}
		if o, _ := w.fake.byName("ada@example.com"); o.Active {
			w.Error("ada left the only group that assigns her and is active")
		}
		if w.fake.count(TypeGroup) != 1 {
			w.Errorf("%d groups", w.fake.count(TypeGroup))
		}
	})
}

// remoteMembers are the userNames of a group's members at the target.
func (w *world) remoteMembers(name string) []string {
	w.fake.mu.Lock()
	defer w.fake.mu.Unlock()
	var out []string
	for _, o := range w.fake.objects {
		if o.Type != TypeGroup || o.Attributes["displayName"][0] != name {
			continue
		}
		for _, m := range o.Members {
			for _, u := range w.fake.objects {
				if u.ID == m.ID || m.ID == "" && u.Name == m.Name {
					out = append(out, u.Attributes["userName"][0])
				}
			}
		}
	}
	slices.Sort(out)
	return out
}

func TestMemberChangeOfAnImportedGroupIsPushedBack(t *testing.T) {
	t.Parallel()
	each(t, allFeatures, func(w *world) {
		crowd(w.fake, 4)
		w.fake.team("g1", "Staff", "p000", "p001")
		w.imported(ModeRun, TypeFull)
		g := w.number(`SELECT COUNT(*) FROM app_group_members`)
		if g != 2 {
			w.Fatalf("%d known members", g)
		}
		var groupID string
		if err := w.dir.DB.QueryRow(w.Context(), `SELECT group_id FROM app_group_links`).Scan(&groupID); err != nil {
			w.Fatal(err)
		}
		if err := w.dir.AddMember(w.Context(), w.c, groupID, w.id("person3@example.com")); err != nil {
			w.Fatal(err)
		}
		w.drained()
		want := []string{"person0@example.com", "person1@example.com", "person3@example.com"}
		if got := w.remoteMembers("Staff"); !slices.Equal(got, want) {
			w.Errorf("members %v, want %v", got, want)
		}
		if w.fake.members != 1 {
			w.Errorf("%d members were sent, want one", w.fake.members)
		}
		// And what the app changes comes in, without what was pushed going out again.
		w.fake.change("g1", func(o *Object) { o.Members = o.Members[1:] })
		w.status(w.imported(ModeRun, TypeFull), RunSucceeded)
		members, _, err := w.dir.Members(w.Context(), groupID, "", 10)
		if err != nil || len(members) != 2 {
			w.Errorf("members here %v, %v", members, err)
		}
	})
}
