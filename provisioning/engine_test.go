package provisioning

import (
	"context"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/keyring"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
	"github.com/provost-id/provost/schemas"
)

// world is a directory, an engine and one target.
type world struct {
	*testing.T
	dir  *directory.Directory
	e    *Engine
	fake *fake
	app  *directory.App
	c    directory.Change
}

// everything that may flow, but for PROFILE_MASTERING.
var allFeatures = []string{
	directory.PushNewUsers, directory.PushProfileUpdates, directory.PushUserDeactivation, directory.ReactivateUsers, directory.GroupPush,
	directory.ImportNewUsers, directory.ImportProfileUpdates, directory.ImportGroups,
}

func newWorld(t *testing.T, db *sqldb.DB, features ...string) *world {
	t.Helper()
	keys, err := keyring.New(make([]byte, keyring.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	dir, err := directory.New(t.Context(), db, keys, nil)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{T: t, dir: dir, fake: newFake()}
	w.e = w.engine()
	w.c = directory.Change{Actor: events.Actor{ID: "tester", Type: "Token"}, Manage: true, Source: directory.Source{Kind: directory.SourceManage}}
	if w.app, err = dir.CreateApp(t.Context(), w.c, directory.App{
		Name: "scim2", Label: "Target", Features: features,
		Settings: map[string]any{"app": map[string]any{"baseUrl": "https://target.example", "token": "s3cret"}},
	}); err != nil {
		t.Fatal(err)
	}
	return w
}

// engine is another node on the same database and target, with fast retries.
func (w *world) engine() *Engine {
	e := NewEngine(w.dir, map[string]Factory{"scim2": func(context.Context, Config) (Connector, error) { return w.fake, nil }}, slog.New(slog.DiscardHandler))
	e.Retry = Retry{First: time.Millisecond, Most: 5 * time.Millisecond, Attempts: 4, Silent: time.Hour}
	return e
}

// each runs a test on both databases.
func each(t *testing.T, features []string, fn func(w *world)) {
	t.Helper()
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) { fn(newWorld(t, db, features...)) })
}

// imported starts an import and works it to its end or halt.
func (w *world) imported(mode, typ string) *ImportRun {
	w.Helper()
	r, err := w.e.StartImport(w.Context(), w.c, w.app.ID, mode, typ)
	if err != nil {
		w.Fatalf("start import: %v", err)
	}
	return w.worked(r.ID)
}

func (w *world) worked(runID string) *ImportRun {
	w.Helper()
	if err := w.e.WorkImport(w.Context(), runID); err != nil {
		w.Fatalf("work import: %v", err)
	}
	return w.runNow(runID)
}

func (w *world) runNow(runID string) *ImportRun {
	w.Helper()
	r, err := w.e.Import(w.Context(), w.app.ID, runID)
	if err != nil {
		w.Fatal(err)
	}
	return r
}

// drained works every due marker, and those that retries bring, for at most some
// hundred rounds.
func (w *world) drained() {
	w.Helper()
	for range 300 {
		if w.markers(`status <> 'FAILED'`) == 0 {
			return
		}
		if err := w.e.sweepLanes(w.Context()); err != nil {
			w.Fatal(err)
		}
		w.e.group.Wait()
		time.Sleep(time.Millisecond)
	}
	w.Fatalf("markers are left: %d", w.markers(`status <> 'FAILED'`))
}

func (w *world) markers(where string) int {
	w.Helper()
	return w.number(`SELECT COUNT(*) FROM markers WHERE ` + where)
}

func (w *world) number(query string, args ...any) int {
	w.Helper()
	var n int
	if err := w.dir.DB.QueryRow(w.Context(), query, args...).Scan(&n); err != nil {
		w.Fatalf("%s: %v", query, err)
	}
	return n
}

// user makes a person here.
func (w *world) user(login string, more map[string]any) *directory.User {
	w.Helper()
	profile := map[string]any{"login": login, "email": login, "firstName": "First", "lastName": "Last"}
	for k, v := range more {
		profile[k] = v
	}
	typ, _ := w.dir.Schemas().Type("User")
	r, err := typ.FromProfile(profile)
	if err != nil {
		w.Fatal(err)
	}
	u, err := w.dir.CreateUser(w.Context(), w.c, r, directory.CreateOptions{Status: directory.Active})
	if err != nil {
		w.Fatal(err)
	}
	return u
}

func (w *world) group(name string) *directory.Group {
	w.Helper()
	typ, _ := w.dir.Schemas().Type("Group")
	body, err := json.Marshal(map[string]string{"displayName": name})
	if err != nil {
		w.Fatal(err)
	}
	r, err := typ.Parse(body, schemas.Generic)
	if err != nil {
		w.Fatal(err)
	}
	g, err := w.dir.CreateGroup(w.Context(), w.c, r, directory.GroupOptions{})
	if err != nil {
		w.Fatal(err)
	}
	return g
}

func (w *world) assign(userID string) {
	w.Helper()
	if _, err := w.dir.AssignUser(w.Context(), w.c, w.app.ID, userID); err != nil {
		w.Fatal(err)
	}
}

func (w *world) set(userID string, profile map[string]any) {
	w.Helper()
	if _, err := w.dir.UpdateProfile(w.Context(), w.c, userID, profile); err != nil {
		w.Fatal(err)
	}
}

// profile is a person found by login.
func (w *world) profile(login string) map[string]any {
	w.Helper()
	u, err := w.dir.UserByLogin(w.Context(), login)
	if err != nil {
		w.Fatalf("user %s: %v", login, err)
	}
	p, err := w.dir.Profile(u)
	if err != nil {
		w.Fatal(err)
	}
	return p
}

func (w *world) id(login string) string {
	w.Helper()
	u, err := w.dir.UserByLogin(w.Context(), login)
	if err != nil {
		w.Fatalf("user %s: %v", login, err)
	}
	return u.ID
}

func (w *world) appUser(userID string) *directory.AppUser {
	w.Helper()
	a, err := w.dir.AppUser(w.Context(), w.app.ID, userID)
	if err != nil {
		w.Fatal(err)
	}
	return a
}
