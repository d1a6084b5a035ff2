package directory

import (
	"context"
	"crypto/rand"
	"fmt"
	"testing"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/keyring"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
	"github.com/provost-id/provost/schemas"
)

var tester = Change{
	Actor: events.Actor{ID: "00Ttester", Type: "Token"}, Client: "00Ttester", Request: "req1",
	Source: Source{Kind: SourceSCIM},
}

var manager = Change{
	Actor: events.Actor{ID: "00Tmanager", Type: "Token"}, Source: Source{Kind: SourceManage}, Manage: true,
}

// openDirectory opens the directory of a database as a node does.
func openDirectory(t testing.TB, db *sqldb.DB) *Directory {
	t.Helper()
	master := make([]byte, keyring.KeySize)
	_, _ = rand.Read(master)
	keys, err := keyring.New(master)
	if err != nil {
		t.Fatal(err)
	}
	d, err := New(context.Background(), db, keys, nil)
	if err != nil {
		t.Fatalf("open directory: %v", err)
	}
	return d
}

// each runs fn on both engines.
func each(t *testing.T, fn func(t *testing.T, d *Directory)) {
	t.Helper()
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) { fn(t, openDirectory(t, db)) })
}

func parseUser(t testing.TB, d *Directory, body string) *schemas.Resource {
	t.Helper()
	r, err := d.userType().Parse([]byte(body), schemas.Generic)
	if err != nil {
		t.Fatalf("parse %s: %v", body, err)
	}
	return r
}

func parseGroup(t testing.TB, d *Directory, body string) *schemas.Resource {
	t.Helper()
	r, err := d.groupType().Parse([]byte(body), schemas.Generic)
	if err != nil {
		t.Fatalf("parse %s: %v", body, err)
	}
	return r
}

func mustCreate(t testing.TB, d *Directory, body string) *User {
	t.Helper()
	u, err := d.CreateUser(context.Background(), tester, parseUser(t, d, body), CreateOptions{})
	if err != nil {
		t.Fatalf("create %s: %v", body, err)
	}
	return u
}

func mustCreateGroup(t testing.TB, d *Directory, name string) *Group {
	t.Helper()
	g, err := d.CreateGroup(context.Background(), tester, parseGroup(t, d, fmt.Sprintf(`{"displayName":%q}`, name)), GroupOptions{})
	if err != nil {
		t.Fatalf("create group %s: %v", name, err)
	}
	return g
}

// eventTypes are the types of a subject's events, oldest first.
func eventTypes(t testing.TB, d *Directory, subject string) []string {
	t.Helper()
	types, err := column[string](d.DB.Query(context.Background(), `SELECT type FROM events WHERE subject = $1 ORDER BY n`, subject))
	if err != nil {
		t.Fatal(err)
	}
	return types
}
