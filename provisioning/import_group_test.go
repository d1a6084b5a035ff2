package provisioning

import (
	"errors"
	"testing"

	"github.com/provost-id/provost/directory"
)

// TestMasteredGroupIsChangedAtItsSource: what a person changes here would stand beside
// what the app says for ever, since imports follow what changes there.
func TestMasteredGroupIsChangedAtItsSource(t *testing.T) {
	t.Parallel()
	each(t, append(allFeatures, directory.ProfileMastering), func(w *world) {
		crowd(w.fake, 3)
		w.fake.team("g1", "Team", "p000", "p001")
		w.imported(ModeRun, TypeFull)
		link, err := w.dir.GroupLinkByExternalID(w.Context(), w.app.ID, "g1")
		if err != nil {
			w.Fatal(err)
		}
		for what, err := range map[string]error{
			"join":   w.dir.AddMember(w.Context(), w.c, link.GroupID, w.id("person2@example.com")),
			"leave":  w.dir.RemoveMember(w.Context(), w.c, link.GroupID, w.id("person1@example.com")),
			"delete": w.dir.DeleteGroup(w.Context(), w.c, link.GroupID, nil),
		} {
			if owned := new(directory.OwnedError); !errors.As(err, &owned) || owned.App != "Target" {
				w.Errorf("%s: got %v, want that the app owns the group", what, err)
			}
		}
		w.fake.team("g1", "Team", "p002")
		w.imported(ModeRun, TypeFull)
		if n := w.number(`SELECT COUNT(*) FROM members m JOIN resources g ON g.rid = m.group_rid WHERE g.id = '` + link.GroupID + `'`); n != 1 {
			w.Errorf("%d members after the import, want 1", n)
		}
	})
}
