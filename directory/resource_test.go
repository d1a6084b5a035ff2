package directory

import (
	"errors"
	"sync"
	"testing"

	"github.com/provost-id/provost/schemas"
)

// openBadges makes the type Badge part of the schema in force.
func openBadges(t testing.TB, d *Directory) *schemas.Type {
	t.Helper()
	snapshot, err := schemas.Compile(d.Schemas().Version, append(schemas.Default(), schemas.ResourceType{
		Name: "Badge", Endpoint: "/Badges", Core: schemas.Schema{ID: "urn:example:schemas:Badge", Name: "Badge", Attributes: []schemas.Attribute{
			{Name: "number", Type: schemas.String, Required: true, Uniqueness: schemas.UniqueServer}, {Name: "colour", Type: schemas.String},
		}},
	}))
	if err != nil {
		t.Fatal(err)
	}
	d.Schemas = func() *schemas.Snapshot { return snapshot }
	badge, _ := snapshot.Type("Badge")
	return badge
}

// The functions for all other types ask nobody whether a user or group may be changed:
// they take none.
func TestResources_NotForUsersAndGroups(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		u := mustCreate(t, d, `{"userName":"ana@example.com"}`)
		for typ, id := range map[*schemas.Type]string{d.userType(): u.ID, d.groupType(): d.AdministratorsID()} {
			if err := d.DeleteResource(t.Context(), manager, typ, id, nil); !errors.Is(err, errOwnFunctions) {
				t.Errorf("delete %s: %v", typ.Name, err)
			}
			if _, err := d.PatchResource(t.Context(), manager, typ, id, nil, nil, schemas.Generic); !errors.Is(err, errOwnFunctions) {
				t.Errorf("patch %s: %v", typ.Name, err)
			}
			if _, err := d.ResourceFor(t.Context(), typ.Name, id, ""); !errors.Is(err, errOwnFunctions) {
				t.Errorf("read %s: %v", typ.Name, err)
			}
		}
		if _, err := d.CreateResource(t.Context(), manager, parseUser(t, d, `{"userName":"bob@example.com"}`)); !errors.Is(err, errOwnFunctions) {
			t.Errorf("create: %v", err)
		}
	})
}

// Of several creations and changes that want one unique value, one gets it; what is
// freed can be taken again, and the total says how many there are.
func TestResources_Unique(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		badge := openBadges(t, d)
		parse := func(body string) *schemas.Resource {
			r, err := badge.Parse([]byte(body), schemas.Generic)
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		var wg sync.WaitGroup
		made := make([]*Resource, 8)
		for i := range made {
			wg.Go(func() {
				var err error
				made[i], err = d.CreateResource(t.Context(), tester, parse(`{"number":"7"}`))
				if err != nil && !errors.Is(err, ErrConflict) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		var kept []*Resource
		for _, x := range made {
			if x != nil {
				kept = append(kept, x)
			}
		}
		if len(kept) != 1 {
			t.Fatalf("%d badges have the number", len(kept))
		}
		if _, err := d.ReplaceResource(t.Context(), tester, kept[0].ID, nil, parse(`{"number":"8"}`)); err != nil {
			t.Fatal(err)
		}
		again, err := d.CreateResource(t.Context(), tester, parse(`{"number":"7","colour":"red"}`))
		if err != nil {
			t.Fatal(err)
		}
		var conflict *Conflict
		_, err = d.ReplaceResource(t.Context(), tester, kept[0].ID, nil, parse(`{"number":"7"}`))
		if !errors.As(err, &conflict) || conflict.Type != "Badge" || conflict.Attr != "number" {
			t.Errorf("a number that is taken: %v", err)
		}
		if err := d.DeleteResource(t.Context(), tester, badge, again.ID, IfMatch{1}); err != nil {
			t.Fatal(err)
		}
		if err := d.FoldTotals(t.Context()); err != nil {
			t.Fatal(err)
		}
		p, err := d.List(t.Context(), "Badge", ListQuery{Count: 1, StartIndex: 1})
		if err != nil || p.Total != 1 || len(p.Resources) != 1 || p.Resources[0].Version != 2 {
			t.Errorf("%+v, %v", p, err)
		}
		for _, table := range []string{"documents", "attribute_values", "unique_values", "external_ids"} {
			var n int
			if err := d.DB.QueryRow(t.Context(), `SELECT count(*) FROM `+table+` WHERE rid = $1`, again.RID).Scan(&n); err != nil || n != 0 {
				t.Errorf("%d rows left in %s, %v", n, table, err)
			}
		}
	})
}
