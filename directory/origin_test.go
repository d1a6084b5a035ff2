package directory

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-id/provost/directory/passwords"
	"github.com/provost-id/provost/schemas"
)

// Who is brought back has what it had: ID, version, times, external IDs of all clients.
func TestOrigin(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		at := func(day int) time.Time { return time.Date(2020, 1, day, 1, 2, 3, 4000, time.UTC) }
		o := Origin{
			ID: "00uAAAAAAAAAAAAAAAAA", Version: 7, Created: at(1), Modified: at(2), StatusChanged: at(3), Activated: at(4),
			LastLogin: at(5), PasswordChanged: at(6), ExternalIDs: map[string]string{"00Tother": "other", tester.Client: "ours"},
		}
		entry := func(login string, o Origin) UserToCreate {
			return UserToCreate{Resource: parseUser(t, d, `{"userName":"`+login+`"}`), Options: CreateOptions{Status: Suspended, PasswordHash: passwords.Decoy, Origin: &o}}
		}
		other := o
		other.ID = "00gAAAAAAAAAAAAAAAAA"
		results, err := d.CreateUsers(t.Context(), tester, []UserToCreate{entry("a@example.com", o), entry("b@example.com", o), entry("c@example.com", other)})
		check(t, err)
		check(t, results[0].Err)
		var conflict *Conflict
		if !errors.As(results[1].Err, &conflict) || conflict.Attr != "id" {
			t.Errorf("the same ID twice in a batch gives %v", results[1].Err)
		}
		if _, ok := errors.AsType[*schemas.Error](results[2].Err); !ok {
			t.Errorf("the ID of a group gives %v", results[2].Err)
		}
		u, err := d.User(t.Context(), o.ID)
		check(t, err)
		shown, err := d.ShownUser(t.Context(), o.ID, tester.Client)
		check(t, err)
		got := Origin{ID: u.ID, Version: u.Version, Created: u.Created, Modified: u.Modified, StatusChanged: u.StatusChanged,
			Activated: u.Activated, LastLogin: u.LastLogin, PasswordChanged: u.PasswordChanged, ExternalIDs: map[string]string{tester.Client: shown.ExternalID}}
		shown, err = d.ShownUser(t.Context(), o.ID, "00Tother")
		check(t, err)
		got.ExternalIDs["00Tother"] = shown.ExternalID
		if diff := cmp.Diff(o, got); diff != "" {
			t.Errorf("user (-want +got):\n%s", diff)
		}
		if results, err = d.CreateUsers(t.Context(), tester, []UserToCreate{entry("d@example.com", o)}); err != nil || !errors.Is(results[0].Err, ErrConflict) {
			t.Errorf("an ID that is taken gives %v, %v", results, err)
		}

		groupID := Origin{ID: "00gBBBBBBBBBBBBBBBBB", Created: at(1), ExternalIDs: map[string]string{"00Tother": "g"}}
		if _, err := d.CreateGroup(t.Context(), tester, parseGroup(t, d, `{"displayName":"G"}`), GroupOptions{Origin: &Origin{ID: u.ID}}); err == nil {
			t.Error("a group has the ID of a user")
		}
		for _, taken := range []bool{false, true} {
			g, err := d.CreateGroup(t.Context(), tester, parseGroup(t, d, `{"displayName":"Restored `+map[bool]string{true: "again", false: "once"}[taken]+`"}`), GroupOptions{Origin: &groupID})
			if taken != errors.Is(err, ErrConflict) {
				t.Errorf("taken %v: %v", taken, err)
			}
			if err == nil && (g.ID != groupID.ID || !g.Created.Equal(at(1)) || !g.Modified.After(at(1))) {
				t.Errorf("group %+v", g)
			}
		}
	})
}
