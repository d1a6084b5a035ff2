package directory

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-id/provost/schemas"
	"github.com/provost-id/provost/schemas/scim"
)

// define makes attributes the only ones of a schema.
func define(d *Directory, urn string, attrs ...schemas.Attribute) error {
	return d.ChangeSchema(context.Background(), manager, SchemaEdit{Edit: func(defs *schemas.Definitions) error {
		s := defs.Schema(urn)
		if s == nil {
			defs.Schemas = append(defs.Schemas, schemas.Schema{ID: urn, Name: "Own"})
			s = &defs.Schemas[len(defs.Schemas)-1]
		}
		s.Attributes = attrs
		return nil
	}})
}

func mustDefine(t testing.TB, d *Directory, urn string, attrs ...schemas.Attribute) {
	t.Helper()
	if err := define(d, urn, attrs...); err != nil {
		t.Fatalf("define: %v", err)
	}
}

// schemasBy is a worker on schema operations whom the lease knows as owner.
func schemasBy(d *Directory, owner string) *worker {
	w := d.schemaWorker()
	w.owner = owner
	return w
}

// finish works all operations off.
func finish(t testing.TB, d *Directory) {
	t.Helper()
	d.SchemaGrace = 0
	if err := schemasBy(d, "test").work(context.Background()); err != nil {
		t.Fatalf("work off schema operations: %v", err)
	}
}

func badge(change func(a *schemas.Attribute)) schemas.Attribute {
	a := schemas.Attribute{Name: "badge", Type: schemas.String}
	if change != nil {
		change(&a)
	}
	return a
}

const orgBody = `{"userName":%q,"urn:provost:params:scim:schemas:extension:org:2.0:User":%s}`

func orgUser(t testing.TB, d *Directory, login, org string) *User {
	t.Helper()
	return mustCreate(t, d, fmt.Sprintf(orgBody, login, org))
}

// checkDerived holds every index row and unique value against the documents.
func checkDerived(t testing.TB, d *Directory) {
	t.Helper()
	type row struct {
		path, val string
		rid, elem int64
	}
	wanted, got := map[row]int{}, map[row]int{}
	wantUnique, gotUnique := map[row]int{}, map[row]int{}
	query := d.reader(context.Background())
	err := eachRow("read documents", func(r scanner) error {
		var rid int64
		var typ, status string
		var doc []byte
		if err := r.Scan(&rid, &typ, &status, &doc); err != nil {
			return err
		}
		res, err := d.typeNamed(typ).Decode(doc)
		if err != nil {
			return err
		}
		for _, e := range res.Index() {
			wanted[row{e.Path, e.Value, rid, int64(e.Elem)}]++
		}
		unique := res.Unique()
		if typ == typeGroup {
			unique = groupUnique(GroupType(status), res)
		}
		for _, e := range unique {
			wantUnique[row{typ + ":" + e.Path, e.Value, rid, 0}]++
		}
		if again := res.Doc(); string(again) != string(doc) {
			t.Errorf("a document holds what the schema has not:\n%s\n%s", doc, again)
		}
		return nil
	})(query(`SELECT r.rid, r.type, r.status, d.doc FROM resources r JOIN documents d ON d.rid = r.rid`))
	if err != nil {
		t.Fatal(err)
	}
	err = eachRow("read index", func(r scanner) error {
		var x row
		err := r.Scan(&x.path, &x.val, &x.rid, &x.elem)
		got[x]++
		return err
	})(query(`SELECT path, val, rid, elem FROM attribute_values`))
	if err != nil {
		t.Fatal(err)
	}
	err = eachRow("read unique values", func(r scanner) error {
		var x row
		err := r.Scan(&x.path, &x.val, &x.rid)
		gotUnique[x]++
		return err
	})(query(`SELECT path, val, rid FROM unique_values`))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(wanted, got, cmp.AllowUnexported(row{})); diff != "" {
		t.Errorf("index rows:\n%s", diff)
	}
	if diff := cmp.Diff(wantUnique, gotUnique, cmp.AllowUnexported(row{})); diff != "" {
		t.Errorf("unique values:\n%s", diff)
	}
}

func statuses(t testing.TB, d *Directory) (all []string) {
	t.Helper()
	ops, err := d.SchemaOperations(context.Background(), "", 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range ops {
		all = append(all, o.Kind+" "+o.Status+" "+o.Reason)
	}
	return all
}

func TestSchema_Attribute(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		mustDefine(t, d, scim.OrgUser, badge(nil))
		a := orgUser(t, d, "a@example.com", `{"badge":"One"}`)
		orgUser(t, d, "b@example.com", `{"badge":"Two"}`)
		checkDerived(t, d)
		for _, step := range []struct {
			name   string
			change func(a *schemas.Attribute)
		}{
			{"unique", func(a *schemas.Attribute) { a.Uniqueness = schemas.UniqueServer }},
			{"unique no longer", func(*schemas.Attribute) {}},
			{"no index", func(a *schemas.Attribute) { a.Unindexed = true }},
			{"index", func(*schemas.Attribute) {}},
			{"case", func(a *schemas.Attribute) { a.CaseExact = true }},
			{"narrower", func(a *schemas.Attribute) { a.CaseExact, a.MaxLength = true, 3 }},
			{"no case", func(a *schemas.Attribute) { a.MaxLength = 3 }},
		} {
			mustDefine(t, d, scim.OrgUser, badge(step.change))
			setProfile(t, d, a.ID, map[string]any{"badge": "X" + step.name[:1]})
			finish(t, d)
			checkDerived(t, d)
			if got := statuses(t, d); !strings.HasSuffix(got[0], OpSucceeded+" ") {
				t.Errorf("%s: %v", step.name, got)
			}
		}
		mustDefine(t, d, scim.OrgUser)
		finish(t, d)
		checkDerived(t, d)
		u, err := d.User(t.Context(), a.ID)
		if err != nil || strings.Contains(string(u.Doc), "badge") {
			t.Errorf("the value is there still: %s, %v", u.Doc, err)
		}
		mustDefine(t, d, scim.OrgUser, badge(func(a *schemas.Attribute) { a.Type = schemas.Integer }))
		setProfile(t, d, a.ID, map[string]any{"badge": 7})
		checkDerived(t, d)
	})
}

func TestSchema_Withdrawn(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		mustDefine(t, d, scim.OrgUser, badge(nil))
		a, b := orgUser(t, d, "a@example.com", `{"badge":"Same"}`), orgUser(t, d, "b@example.com", `{"badge":"same"}`)
		mustDefine(t, d, scim.OrgUser, badge(func(a *schemas.Attribute) { a.Uniqueness = schemas.UniqueServer }))
		var conflict *Conflict
		if _, err := d.CreateUser(t.Context(), tester, parseUser(t, d, fmt.Sprintf(orgBody, "c@example.com", `{"badge":"SAME"}`)), CreateOptions{}); !errors.As(err, &conflict) || conflict.Attr != scim.OrgUser+":badge" {
			t.Errorf("a new value while the attribute becomes unique: %v", err)
		}
		finish(t, d)
		if d.Definitions().Schema(scim.OrgUser).Attributes[0].Unique() {
			t.Error("unique, in spite of two that have the same value")
		}
		checkDerived(t, d)
		got := statuses(t, d)
		if len(got) != 2 || !strings.Contains(strings.Join(got, "\n"), "UNIQUE FAILED "+a.ID+" and "+b.ID+" have the same value") {
			t.Errorf("operations: %q", got)
		}
		mustDefine(t, d, scim.OrgUser, badge(func(a *schemas.Attribute) { a.MaxLength = 3 }))
		finish(t, d)
		if d.Definitions().Schema(scim.OrgUser).Attributes[0].MaxLength != 0 {
			t.Errorf("narrower, in spite of a value that is too long: %q", statuses(t, d))
		}
	})
}
