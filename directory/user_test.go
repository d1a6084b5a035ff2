package directory

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-id/provost/schemas"
)

func TestUserRoundTrip(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		u := mustCreate(t, d, `{"userName":"Ana@Example.com","externalId":"e1","name":{"givenName":"Ana","familyName":"Ruiz"},
			"emails":[{"value":"ana@example.com","type":"work","primary":true},{"value":"a@home.example","type":"home"}]}`)
		got, err := d.User(t.Context(), u.ID)
		if err != nil {
			t.Fatal(err)
		}
		shown, err := d.ShownUser(t.Context(), u.ID, tester.Client)
		if err != nil {
			t.Fatal(err)
		}
		want := &ShownUser{ID: u.ID, RID: u.RID, Version: 1, Active: true, Created: u.Created, Modified: u.Modified, ExternalID: "e1", Doc: u.Doc}
		if diff := cmp.Diff(want, shown); diff != "" {
			t.Errorf("what is shown differs from what create returned (-create +read):\n%s", diff)
		}
		got.ExternalID = shown.ExternalID
		if diff := cmp.Diff(u, got); diff != "" {
			t.Errorf("stored user differs from what create returned (-create +read):\n%s", diff)
		}
		if got.Status != Active || got.Version != 1 {
			t.Errorf("status %s version %d, want ACTIVE 1", got.Status, got.Version)
		}
		if got := eventTypes(t, d, u.ID); !cmp.Equal(got, []string{"user.lifecycle.create"}) {
			t.Errorf("events %v", got)
		}
	})
}

func TestLoginFoldsCaseAndDiacritics(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		u := mustCreate(t, d, `{"userName":"Isaac.Brock@example.com"}`)
		_, err := d.CreateUser(t.Context(), tester, parseUser(t, d, `{"userName":"isáàc.bröck@EXAMPLE.com"}`), CreateOptions{})
		var conflict *Conflict
		if !errors.As(err, &conflict) || conflict.Attr != "userName" || !errors.Is(err, ErrConflict) {
			t.Errorf("second create: %v, want a conflict on userName", err)
		}
		for _, login := range []string{"ISAAC.BROCK@example.com", "isáac.brock@example.com", "Isaac.Bröck"} {
			if got, err := d.UserByLogin(t.Context(), login); err != nil || got.ID != u.ID {
				t.Errorf("UserByLogin(%q) = %v, %v", login, got, err)
			}
		}
		mustCreate(t, d, `{"userName":"isaac.brock@example.org"}`)
		if _, err := d.UserByLogin(t.Context(), "isaac.brock"); !errors.Is(err, ErrNotFound) {
			t.Errorf("ambiguous short name: %v, want ErrNotFound", err)
		}
	})
}

func TestReplaceKeepsVersionWhenNothingChanges(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		u := mustCreate(t, d, `{"userName":"a@example.com","title":"Dr"}`)
		same, err := d.ReplaceUser(t.Context(), tester, u.ID, nil, parseUser(t, d, `{"userName":"a@example.com","title":"Dr"}`))
		if err != nil || same.Version != 1 {
			t.Fatalf("replace by the same: version %d, %v", same.Version, err)
		}
		other, err := d.ReplaceUser(t.Context(), tester, u.ID, IfMatch{1}, parseUser(t, d, `{"userName":"a@example.com"}`))
		if err != nil || other.Version != 2 || strings.Contains(string(other.Doc), "title") {
			t.Fatalf("replace: version %d doc %s, %v", other.Version, other.Doc, err)
		}
		_, err = d.ReplaceUser(t.Context(), tester, u.ID, IfMatch{1}, parseUser(t, d, `{"userName":"b@example.com"}`))
		if !errors.Is(err, ErrVersion) {
			t.Errorf("replace with a stale version: %v, want ErrVersion", err)
		}
	})
}

// The index follows the document: what was replaced is not found any more.
func TestIndexFollowsDocument(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		u := mustCreate(t, d, `{"userName":"a@example.com","displayName":"Old","emails":[{"value":"old@example.com"}]}`)
		if _, err := d.ReplaceUser(t.Context(), tester, u.ID, nil,
			parseUser(t, d, `{"userName":"b@example.com","displayName":"New","emails":[{"value":"new@example.com"}]}`)); err != nil {
			t.Fatal(err)
		}
		for filter, want := range map[string]int{
			`emails.value eq "old@example.com"`: 0, `emails.value eq "new@example.com"`: 1,
			`userName eq "a@example.com"`: 0, `userName eq "b@example.com"`: 1,
			`displayName eq "old"`: 0, `displayName eq "new"`: 1,
		} {
			if got := search(t, d, filter); len(got) != want {
				t.Errorf("%s: %d users, want %d", filter, len(got), want)
			}
		}
		mustCreate(t, d, `{"userName":"a@example.com"}`) // the login is free again
	})
}

func TestDeleteLeavesNothing(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		u := mustCreate(t, d, `{"userName":"a@example.com","externalId":"e","password":"correct horse","emails":[{"value":"a@example.com"}]}`)
		g := mustCreateGroup(t, d, "Staff")
		if err := d.AddMember(t.Context(), tester, g.ID, u.ID); err != nil {
			t.Fatal(err)
		}
		if err := d.DeleteUser(t.Context(), tester, u.ID, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := d.User(t.Context(), u.ID); !errors.Is(err, ErrNotFound) {
			t.Errorf("deleted user: %v", err)
		}
		for table, query := range map[string]string{
			"documents": `rid = $1`, "attribute_values": `rid = $1`, "unique_values": `rid = $1`,
			"external_ids": `rid = $1`, "passwords": `rid = $1`, "members": `member_rid = $1`,
		} {
			var n int
			if err := d.DB.QueryRow(t.Context(), `SELECT count(*) FROM `+table+` WHERE `+query, u.RID).Scan(&n); err != nil || n != 0 {
				t.Errorf("%s holds %d rows of the deleted user (%v)", table, n, err)
			}
		}
		if after, err := d.Group(t.Context(), g.ID); err != nil || after.Version != 3 {
			t.Errorf("group after its member was deleted: %+v, %v; want version 3", after, err)
		}
		if p, err := d.List(t.Context(), typeUser, ListQuery{Count: 10}); err != nil || p.Total != 0 {
			t.Errorf("total %d, %v", p.Total, err)
		}
	})
}

func TestADV65_ParallelCreatesOfOneUserName(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		const callers = 8
		errs := make([]error, callers)
		var wg sync.WaitGroup
		for i := range callers {
			r := parseUser(t, d, `{"userName":"twin@example.com"}`)
			wg.Go(func() { _, errs[i] = d.CreateUser(context.Background(), tester, r, CreateOptions{}) })
		}
		wg.Wait()
		created := 0
		for _, err := range errs {
			switch {
			case err == nil:
				created++
			case !errors.Is(err, ErrConflict):
				t.Errorf("loser got %v, want a conflict", err)
			}
		}
		if created != 1 {
			t.Errorf("%d users were created, want 1", created)
		}
		if p, err := d.List(t.Context(), typeUser, ListQuery{Count: 10}); err != nil || len(p.Users) != 1 {
			t.Errorf("%d users are stored, %v", len(p.Users), err)
		}
	})
}

func TestParallelPatchesLoseNothing(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		u := mustCreate(t, d, `{"userName":"a@example.com"}`)
		const callers = 20
		var wg sync.WaitGroup
		for i := range callers {
			ops, err := d.userType().ParsePatch([]byte(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[
				{"op":"add","path":"emails","value":[{"value":"m`+string(rune('a'+i))+`@example.com"}]}]}`), schemas.Generic)
			if err != nil {
				t.Fatal(err)
			}
			wg.Go(func() {
				if _, err := d.PatchUser(context.Background(), tester, u.ID, nil, ops, schemas.Generic); err != nil {
					t.Errorf("patch: %v", err)
				}
			})
		}
		wg.Wait()
		got, err := d.User(t.Context(), u.ID)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(got.Doc), `@example.com"}`); n != callers || got.Version != callers+1 {
			t.Errorf("%d addresses at version %d, want %d at %d: %s", n, got.Version, callers, callers+1, got.Doc)
		}
	})
}

func TestExternalIDsAreNamespaces(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		u := mustCreate(t, d, `{"userName":"a@example.com","externalId":"x"}`)
		other := tester
		other.Client = "00Tother"
		if _, err := d.ReplaceUser(t.Context(), other, u.ID, nil, parseUser(t, d, `{"userName":"a@example.com","externalId":"y"}`)); err != nil {
			t.Fatal(err)
		}
		for client, want := range map[string]string{tester.Client: "x", other.Client: "y", "00Tthird": ""} {
			if got, err := d.ShownUser(t.Context(), u.ID, client); err != nil || got.ExternalID != want {
				t.Errorf("external ID for %s: %q, %v; want %q", client, got.ExternalID, err, want)
			}
		}
	})
}
