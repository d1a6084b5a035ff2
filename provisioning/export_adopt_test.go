package provisioning

import (
	"testing"

	"github.com/provost-id/provost/directory"
)

// TestAccountOfAnotherPersonIsNotAdopted: a short name that two people share is no
// reason to overwrite one of them.
func TestAccountOfAnotherPersonIsNotAdopted(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		mail    string
		adopted bool
	}{
		"the same address":    {"Ada@example.com", true},
		"another's address":   {"ada@elsewhere.example", false},
		"nothing to tell by":  {"", false},
		"part of the address": {"ada@example.co", false},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, allFeatures, func(w *world) {
				w.shortNames()
				w.fake.person("there", "ada", "mail", test.mail, "title", "Theirs")
				u := w.user("ada@example.com", map[string]any{"title": "Ours"})
				w.assign(u.ID)
				w.drained()
				a, title := w.appUser(u.ID), w.fake.objects["there"].Attributes["title"][0]
				if test.adopted {
					if a.ExternalID != "there" || title != "Ours" {
						w.Errorf("not adopted: %+v, title %q", a, title)
					}
					return
				}
				if a.ExternalID != "" || a.SyncState != directory.SyncError || title != "Theirs" {
					w.Errorf("adopted: %+v, title %q", a, title)
				}
				if n := w.markers(`status = 'FAILED'`); n != 1 {
					w.Errorf("%d dead letters, want 1", n)
				}
			})
		})
	}
}

// TestAccountThatWasJustMadeIsRecognised: a target that does not keep our ID, and a
// person without an address, leave what was sent to know the account by.
func TestAccountThatWasJustMadeIsRecognised(t *testing.T) {
	t.Parallel()
	each(t, allFeatures, func(w *world) {
		w.shortNames()
		w.fake.onCall = func(op string, n int) (bool, error) {
			if op != "create" || n != 1 {
				return true, nil
			}
			w.fake.person("made", "ada", "mail", "", "title", "Ours", "displayName", "Given Family")
			w.fake.change("made", func(o *Object) {
				o.Attributes["givenName"], o.Attributes["familyName"] = []string{"Given"}, []string{"Family"}
			})
			return false, &Error{Kind: ErrUnknown, Op: "create", Body: "no reply"}
		}
		u := w.user("ada@example.com", map[string]any{"title": "Ours", "firstName": "Given", "lastName": "Family", "email": nil})
		w.assign(u.ID)
		w.drained()
		if a := w.appUser(u.ID); a.ExternalID != "made" || a.SyncState != directory.SyncSynchronized {
			w.Errorf("app user %+v", a)
		}
	})
}

// shortNames has accounts named by the first part of the login, as in LDAP.
func (w *world) shortNames() {
	w.Helper()
	m, err := w.dir.MappingFor(w.Context(), directory.UserPartner, w.app.ID)
	if err != nil {
		w.Fatal(err)
	}
	short := directory.Property{Expression: `String.substringBefore(user.login, "@")`, PushStatus: directory.Push}
	if _, err := w.dir.UpdateMapping(w.Context(), w.c, m.ID, map[string]*directory.Property{"userName": &short}); err != nil {
		w.Fatal(err)
	}
}
