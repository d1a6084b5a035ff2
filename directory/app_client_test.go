package directory

import (
	"errors"
	"strings"
	"testing"

	"github.com/provost-id/provost/internal/sqldb"
)

// TestClientApp: people are assigned to the app beside an OAuth client, whose label
// follows the client's name even when another has it.
func TestClientApp(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		set := func(id, name string) {
			t.Helper()
			if err := d.DB.Write(t.Context(), func(tx *sqldb.Tx) error { return d.SetClientAppTx(tx, id, name) }); err != nil {
				t.Fatal(err)
			}
		}
		long := strings.Repeat("ä", 100)
		set("0oa1", long)
		set("0oa2", long)
		set("0oa2", long)
		a, err := d.App(t.Context(), "0oa2")
		if err != nil || a.Name != ClientAppName || !strings.HasSuffix(a.Label, " (0oa2)") || len([]rune(a.Label)) > 100 {
			t.Fatalf("got %+v %v", a, err)
		}
		set("0oa1", "Orders")
		if a, err := d.App(t.Context(), "0oa1"); err != nil || a.Label != "Orders" {
			t.Errorf("renamed: got %+v %v", a, err)
		}
		u := mustCreate(t, d, `{"userName":"ada@example.com"}`)
		if _, err := d.AssignUser(t.Context(), tester, "0oa1", u.ID); err != nil {
			t.Fatal(err)
		}
		if got, err := d.AppUser(t.Context(), "0oa1", u.ID); err != nil || !got.Assigned {
			t.Errorf("assigned: got %+v %v", got, err)
		}
		if err := d.DB.Write(t.Context(), func(tx *sqldb.Tx) error { return d.DropClientAppTx(tx, "0oa1") }); err != nil {
			t.Fatal(err)
		}
		if _, err := d.App(t.Context(), "0oa1"); !errors.Is(err, ErrNotFound) {
			t.Errorf("dropped: got %v", err)
		}
	})
}
