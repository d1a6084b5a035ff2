package directory

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/provost-id/provost/internal/lease"
	"github.com/provost-id/provost/schemas"
	"github.com/provost-id/provost/schemas/scim"
)

// many makes n people, each with a badge of its own.
func manyBadges(t *testing.T, d *Directory, n int) []string {
	t.Helper()
	ids := make([]string, n)
	for i := range n {
		ids[i] = orgUser(t, d, fmt.Sprintf("p%d@example.com", i), fmt.Sprintf(`{"badge":"B%d"}`, i)).ID
	}
	return ids
}

// steps moves the operations on by so many transactions, as a node that is killed then.
func steps(t *testing.T, d *Directory, owner string, n int) {
	t.Helper()
	for range n {
		ops, err := d.firstOperations(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range ops {
			if err := d.stepSchema(t.Context(), schemasBy(d, owner), o); err != nil && !errors.Is(err, errWaiting) {
				t.Fatalf("step %s: %v", o.Kind, err)
			}
		}
	}
}

// An operation that is cut off anywhere goes on, on another node, from where it stood, and
// nothing is done twice or left out.
func TestSchema_ResumesAfterKill(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		d.SchemaGrace = 0
		unindexed := badge(func(a *schemas.Attribute) { a.Unindexed = true })
		mustDefine(t, d, scim.OrgUser, unindexed)
		ids := manyBadges(t, d, 3*schemaPage)
		for _, change := range []struct {
			name  string
			attrs []schemas.Attribute
		}{
			{"unique and indexed", []schemas.Attribute{badge(uniqueBadge)}},
			{"neither", []schemas.Attribute{unindexed}},
			{"narrower", []schemas.Attribute{badge(func(a *schemas.Attribute) { a.Unindexed, a.MaxLength = true, 10 })}},
			{"gone", nil},
		} {
			mustDefine(t, d, scim.OrgUser, change.attrs...)
			end := time.Now().Add(time.Minute) // transactions of other tests hold the horizon up
			for cut := 1; ; cut++ {
				node, err := New(t.Context(), d.DB, d.Keys, nil)
				if err != nil {
					t.Fatal(err)
				}
				node.SchemaGrace = 0
				check(t, lease.ReleaseAll(t.Context(), d.DB)) // whoever held it is dead
				steps(t, node, fmt.Sprint("node ", cut), 2)
				running, err := node.RunningOperations(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if len(running) == 0 {
					break
				}
				if time.Now().After(end) {
					t.Fatalf("%s: no end: %+v", change.name, *running[0])
				}
			}
			check(t, d.followSchemas(t.Context(), mustVersion(t, d)))
			checkDerived(t, d)
			setProfile(t, d, ids[0], map[string]any{"title": change.name})
			checkDerived(t, d)
		}
		for _, s := range statuses(t, d) {
			if s != "INDEX SUCCEEDED " && s != "UNIQUE SUCCEEDED " && s != "RELEASE SUCCEEDED " && s != "CHECK SUCCEEDED " && s != "REMOVE SUCCEEDED " {
				t.Errorf("an operation ended as %q", s)
			}
		}
		var n int
		err := d.DB.QueryRow(t.Context(), `SELECT count(*) FROM events WHERE type = 'user.account.update_profile' AND body LIKE '%"removed"%'`).Scan(&n)
		if err != nil || n != len(ids) {
			t.Errorf("%d events of values that were taken away, want one for each of %d people (%v)", n, len(ids), err)
		}
	})
}

func mustVersion(t *testing.T, d *Directory) (version int64) {
	t.Helper()
	if err := d.DB.QueryRow(t.Context(), `SELECT version FROM snapshot_versions WHERE name = 'schemas'`).Scan(&version); err != nil {
		t.Fatal(err)
	}
	return version
}

// One node works at a time, and another takes over when it falls silent.
func TestSchema_OneNodeWorks(t *testing.T) {
	nodes(t, func(t *testing.T, a, b *Directory) {
		mustDefine(t, a, scim.OrgUser, badge(nil))
		manyBadges(t, a, 3)
		mustDefine(t, a, scim.OrgUser, badge(uniqueBadge))
		_, ok, err := lease.Acquire(t.Context(), a.DB, schemaWork, "a", time.Hour)
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		check(t, b.followSchemas(t.Context(), mustVersion(t, b)))
		check(t, schemasBy(b, "b").work(context.Background()))
		if got := statuses(t, a); got[0] != "UNIQUE RUNNING " {
			t.Errorf("while the other node holds the lease: %q", got)
		}
		check(t, lease.ReleaseAll(t.Context(), a.DB))
		check(t, schemasBy(b, "b").work(context.Background()))
		if got := statuses(t, a); got[0] != "UNIQUE SUCCEEDED " {
			t.Errorf("afterwards: %q", got)
		}
	})
}
