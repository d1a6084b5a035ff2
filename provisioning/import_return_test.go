package provisioning

import (
	"strings"
	"testing"

	"github.com/provost-id/provost/directory"
)

// TestReturnToTheSourceIsTold: whom an import has stopped it does not let in again, but
// it says so, and goes on saying so.
func TestReturnToTheSourceIsTold(t *testing.T) {
	t.Parallel()
	each(t, append(allFeatures, directory.ProfileMastering), func(w *world) {
		crowd(w.fake, 10)
		w.imported(ModeRun, TypeFull)
		w.fake.change("p003", func(o *Object) { o.Active = false })
		w.status(w.imported(ModeRun, TypeFull), RunSucceeded)
		w.fake.change("p003", func(o *Object) { o.Active = true })
		for range 2 {
			r := w.imported(ModeRun, TypeFull)
			changes, err := w.e.ImportChanges(w.Context(), w.app.ID, r.ID, TypeUser, "", 10)
			if err != nil {
				w.Fatal(err)
			}
			if len(changes) != 1 || changes[0].Action != actionDrift || !strings.Contains(changes[0].Reason, string(directory.Deprovisioned)) {
				w.Errorf("changes %+v, want that the user stays deactivated", changes)
			}
		}
		if u, err := w.dir.User(w.Context(), w.id("person3@example.com")); err != nil || u.Status.Active() {
			w.Errorf("user %+v, %v", u, err)
		}
	})
}
