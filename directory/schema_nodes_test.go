package directory

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
	"github.com/provost-id/provost/schemas"
	"github.com/provost-id/provost/schemas/scim"
)

// nodes runs fn with two directories of one database, on both engines.
func nodes(t *testing.T, fn func(t *testing.T, a, b *Directory)) {
	t.Helper()
	for name, c := range map[string]sqldb.Config{"sqlite": {Path: t.TempDir() + "/a.db"}, "postgresql": {URL: sqldbtest.Schema(t)}} {
		t.Run(name, func(t *testing.T) {
			a := openDirectory(t, sqldbtest.Open(t, c))
			b, err := New(t.Context(), sqldbtest.Open(t, c), a.Keys, nil)
			if err != nil {
				t.Fatal(err)
			}
			fn(t, a, b)
		})
	}
}

func uniqueBadge(a *schemas.Attribute) { a.Uniqueness = schemas.UniqueServer }

// A node that has not heard of a change of the schema loses no index row and no unique
// value: what it writes, it writes by the schema that is in force.
func TestSchema_WriterThatHasNotHeard(t *testing.T) {
	nodes(t, func(t *testing.T, a, b *Directory) {
		mustDefine(t, a, scim.OrgUser, badge(func(a *schemas.Attribute) { a.Unindexed = true }))
		check(t, b.followSchemas(t.Context(), a.Schemas().Version))
		made := orgUser(t, b, "made@example.com", `{"badge":"Old"}`)
		gone := orgUser(t, b, "gone@example.com", `{"badge":"Gone"}`)
		parsed := parseUser(t, b, fmt.Sprintf(orgBody, "new@example.com", `{"badge":"New"}`))
		ops, err := b.userType().ParsePatch([]byte(`{"Operations":[{"op":"replace","path":"`+scim.OrgUser+`:badge","value":"Patched"}]}`), schemas.Generic)
		check(t, err)

		mustDefine(t, a, scim.OrgUser, badge(uniqueBadge))
		if b.Schemas().Version == a.Schemas().Version {
			t.Fatal("the other node has heard")
		}
		_, err = b.CreateUser(t.Context(), tester, parsed, CreateOptions{})
		check(t, err)
		_, err = b.PatchUser(t.Context(), tester, made.ID, nil, ops, schemas.Generic)
		check(t, err)
		check(t, b.DeleteUser(t.Context(), manager, gone.ID, nil))
		setProfile(t, b, made.ID, map[string]any{"title": "T"})
		finish(t, a)
		checkDerived(t, a)
		checkDerived(t, b)
		var conflict *Conflict
		if err := errOf(b.UpdateProfile(t.Context(), manager, made.ID, map[string]any{"badge": "new"})); !errors.As(err, &conflict) {
			t.Errorf("a value that is taken: %v", err)
		}
	})
}

func errOf[T any](_ T, err error) error { return err }

// Everybody hears of a change within about a second.
func TestSchema_OtherNodeHears(t *testing.T) {
	nodes(t, func(t *testing.T, a, b *Directory) {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- b.RunSchemas(ctx) }()
		defer func() {
			cancel()
			check(t, <-done)
		}()
		mustDefine(t, a, scim.OrgUser, badge(nil))
		if _, _, ok := a.userType().ProfileType("badge"); !ok {
			t.Error("the node that wrote does not see its own change")
		}
		for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
			if _, _, ok := b.userType().ProfileType("badge"); ok {
				break
			}
			if time.Now().After(deadline) {
				t.Fatal("the other node has not heard")
			}
		}
	})
}
