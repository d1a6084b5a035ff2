package story

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/url"
	"path/filepath"
	"sort"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-id/provost/internal/testserver"
)

// killPoints is how many times each of the two runs is cut by SIGKILL. `make kill`
// asks for 25 of each, 50 in all.
var killPoints = flag.Int("kill.points", 8, "random points at which an import, and an export, are killed")

// TestKillDuringImport kills the server at random points of an import. After a
// restart the directory holds what an import without interruption gives.
func TestKillDuringImport(t *testing.T) {
	w, binary, dir := ldapWorld(t)
	want, whole := w.importKilledAt(t, binary, filepath.Join(dir, "whole"), -1)
	if len(want) < minPeople+minGroups {
		t.Fatalf("%d resources without interruption, want at least %d", len(want), minPeople+minGroups)
	}
	for i := range *killPoints {
		at := rand.N(whole)
		t.Logf("point %d: killed after %v of about %v", i+1, at, whole)
		got, _ := w.importKilledAt(t, binary, filepath.Join(dir, fmt.Sprint("killed", i)), at)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("killed after %v (-whole +killed):\n%s", at, diff)
		}
	}
}

// ldapWorld starts slapd with the organisation of testdata and builds the server.
func ldapWorld(t *testing.T) (w *World, binary, dir string) {
	t.Helper()
	slapd := testserver.Slapd(t, testserver.SlapdOptions{})
	dir = t.TempDir()
	binary, err := goBuild(t.Context(), dir, "provost", "./cmd/provost")
	if err != nil {
		t.Fatal(err)
	}
	return &World{Say: t.Logf, LDAP: LDAP{URL: slapd.URL, BindDN: testserver.AdminDN, Password: testserver.AdminPassword,
		UserBase: testserver.PeopleDN, GroupBase: testserver.GroupsDN}}, binary, dir
}

// importKilledAt imports into a new directory, killing the server once after a while
// (never when it is negative), and returns what stands there and how long it took.
func (w *World) importKilledAt(t *testing.T, binary, dir string, after time.Duration) (map[string]string, time.Duration) {
	t.Helper()
	var err error
	if w.Main, err = Start(t.Context(), binary, dir); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Main.Stop() }() // a failed test has stopped caring
	if err := w.addLDAPApp(t.Context()); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	job, err := w.Main.call(t.Context(), "POST", "/api/v1/apps/"+w.ldapApp+"/imports", object{"mode": "run", "type": "full"})
	if err != nil {
		t.Fatal(err)
	}
	if after >= 0 {
		time.Sleep(after)
		w.Main.Kill()
		if w.Main, err = Start(t.Context(), binary, dir); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.awaitImport(t.Context(), "/api/v1/apps/"+w.ldapApp+"/imports/"+str(job, "id"), "SUCCEEDED"); err != nil {
		t.Fatal(err)
	}
	took := time.Since(start)
	dump, err := w.dump(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return dump, took
}

// dump reads the whole directory by name, without what differs between two runs: IDs
// stand as the logins they belong to.
func (w *World) dump(ctx context.Context) (map[string]string, error) {
	out, logins := map[string]string{}, map[string]string{}
	var people []object
	err := w.walk(ctx, "Users", func(u object) {
		logins[str(u, "id")] = str(u, "userName")
		people = append(people, u)
	})
	if err != nil {
		return nil, err
	}
	for _, u := range people {
		if manager, ok := at(u, enterprise, "manager").(object); ok {
			manager["value"] = logins[str(manager, "value")]
		}
		out["user "+str(u, "userName")] += fmt.Sprint(u["name"], u["emails"], u["title"], u[enterprise], u["active"])
	}
	err = w.walk(ctx, "Groups", func(g object) {
		var members []string
		list, _ := g["members"].([]any)
		for _, m := range list {
			members = append(members, logins[str(m, "value")])
		}
		sort.Strings(members)
		out["group "+str(g, "displayName")] += fmt.Sprint(members)
	})
	return out, err
}

func (w *World) walk(ctx context.Context, typ string, each func(object)) error {
	for start := 1; ; {
		page, err := w.Main.call(ctx, "GET", fmt.Sprintf("/scim/v2/%s?startIndex=%d&count=100", typ, start), nil)
		if err != nil {
			return err
		}
		list, _ := page["Resources"].([]any)
		for _, r := range list {
			each(r.(object))
		}
		if start += len(list); len(list) == 0 {
			return nil
		}
	}
}

// exported is how many accounts an export makes.
const exported = 60

// TestKillDuringExport kills the server at random points of an export to scimmy.
// After a restart every account stands there once.
func TestKillDuringExport(t *testing.T) {
	dir := t.TempDir()
	binary, err := goBuild(t.Context(), dir, "provost", "./cmd/provost")
	if err != nil {
		t.Fatal(err)
	}
	whole := exportKilledAt(t, binary, filepath.Join(dir, "whole"), -1)
	for i := range *killPoints {
		at := rand.N(whole)
		t.Logf("point %d: killed after %v of about %v", i+1, at, whole)
		exportKilledAt(t, binary, filepath.Join(dir, fmt.Sprint("killed", i)), at)
	}
}

func exportKilledAt(t *testing.T, binary, dir string, after time.Duration) time.Duration {
	t.Helper()
	const token = "a-token-of-the-application"
	scimmy := testserver.Scimmy(t, token)
	defer scimmy.Stop()
	w := &World{Say: t.Logf, SaaS: SaaS{BaseURL: scimmy.URL, Token: token}}
	var err error
	if w.Main, err = Start(t.Context(), binary, dir); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Main.Stop() }() // a failed test has stopped caring
	app, err := w.assignCrowd(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if after >= 0 {
		time.Sleep(after)
		w.Main.Kill()
		if w.Main, err = Start(t.Context(), binary, dir); err != nil {
			t.Fatal(err)
		}
	}
	if err := within(t.Context(), time.Minute, func() error { return w.allSynchronized(t.Context(), app) }); err != nil {
		t.Fatal(err)
	}
	took := time.Since(start)
	checkOnce(t, scimmy, w)
	return took
}

// assignCrowd makes people in a group and assigns the group to scimmy.
func (w *World) assignCrowd(ctx context.Context) (appID string, err error) {
	var members []object
	for i := range exported {
		login := fmt.Sprintf("crowd%02d@example.com", i)
		u, err := w.Main.call(ctx, "POST", "/scim/v2/Users", object{"schemas": userSchemas, "userName": login,
			"name":   object{"givenName": "Crowd", "familyName": fmt.Sprint(i)},
			"emails": []object{{"value": login, "primary": true}}})
		if err != nil {
			return "", err
		}
		members = append(members, object{"value": u["id"]})
	}
	group, err := w.Main.call(ctx, "POST", "/scim/v2/Groups", object{
		"schemas":     []string{"urn:ietf:params:scim:schemas:core:2.0:Group"},
		"displayName": "Crowd", "members": members})
	if err != nil {
		return "", err
	}
	app, err := w.addSaaSApp(ctx, "scimmy", w.SaaS)
	if err != nil {
		return "", err
	}
	_, err = w.Main.call(ctx, "PUT", "/api/v1/apps/"+app+"/groups/"+str(group, "id"), object{})
	return app, err
}

func (w *World) allSynchronized(ctx context.Context, app string) error {
	var users []object
	if err := w.Main.do(ctx, "GET", "/api/v1/apps/"+app+"/users?limit=200", nil, &users); err != nil {
		return err
	}
	done := 0
	for _, u := range users {
		if u["syncState"] == "SYNCHRONIZED" && str(u, "externalId") != "" {
			done++
		}
	}
	if done != exported {
		return fmt.Errorf("%d of %d accounts are synchronized", done, exported)
	}
	return nil
}

// checkOnce asks scimmy itself: every account stands there, and each was made once.
func checkOnce(t *testing.T, scimmy *testserver.SCIM, w *World) {
	t.Helper()
	for i := range exported {
		login := fmt.Sprintf("crowd%02d@example.com", i)
		if _, err := w.SaaS.find(t.Context(), login); err != nil {
			t.Error(err)
		}
	}
	made := 0
	for _, r := range scimmy.Requests(t) {
		u, err := url.Parse(r.URL)
		if err != nil {
			t.Fatal(err)
		}
		if r.Method == "POST" && r.Status == 201 && u.Path == "/scim/v2/Users" {
			made++
		}
	}
	if made != exported {
		t.Errorf("scimmy made %d accounts, want %d", made, exported)
	}
}
