package schemas

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRFC7644_3_5_2_Examples are the examples of the RFC, and cases beside the table.
func TestRFC7644_3_5_2_Examples(t *testing.T) {
	t.Parallel()
	const base = `{"userName":"a","title":"t","name":{"familyName":"F"},
		"addresses":[{"type":"work","locality":"X","primary":true},{"type":"home","locality":"H"}]}`
	for _, c := range []struct{ name, op, want string }{
		{"3.5.2.1 several attributes without a path",
			`{"op":"add","value":{"emails":[{"value":"babs@jensen.org","type":"home"}],"nickName":"Babs"}}`,
			`{"userName":"a","title":"t","nickName":"Babs","name":{"familyName":"F"},"emails":[{"value":"babs@jensen.org","type":"home"}],
			"addresses":[{"type":"work","locality":"X","primary":true},{"type":"home","locality":"H"}]}`},
		{"3.5.2.2 a value that a filter selects",
			`{"op":"remove","path":"addresses[type eq \"home\"]"}`,
			`{"userName":"a","title":"t","name":{"familyName":"F"},"addresses":[{"type":"work","locality":"X","primary":true}]}`},
		{"3.5.2.2 all values, then the attribute is unassigned",
			`{"op":"remove","path":"addresses[locality pr]"}`, `{"userName":"a","title":"t","name":{"familyName":"F"}}`},
		{"3.5.2.3 a complex value is merged",
			`{"op":"replace","path":"name","value":{"givenName":"G"}}`,
			`{"userName":"a","title":"t","name":{"familyName":"F","givenName":"G"},"addresses":[{"type":"work","locality":"X","primary":true},{"type":"home","locality":"H"}]}`},
		{"3.5.2.3 a selected value is replaced as a whole",
			`{"op":"replace","path":"addresses[type eq \"work\"]","value":{"type":"work","streetAddress":"S","primary":true}}`,
			`{"userName":"a","title":"t","name":{"familyName":"F"},"addresses":[{"type":"work","streetAddress":"S","primary":true},{"type":"home","locality":"H"}]}`},
		{"3.5.2.3 a sub-attribute of selected values",
			`{"op":"replace","path":"addresses[type eq \"work\"].streetAddress","value":"S"}`,
			`{"userName":"a","title":"t","name":{"familyName":"F"},"addresses":[{"type":"work","locality":"X","streetAddress":"S","primary":true},{"type":"home","locality":"H"}]}`},
		{"a sub-attribute of all values",
			`{"op":"replace","path":"addresses.country","value":"FR"}`,
			`{"userName":"a","title":"t","name":{"familyName":"F"},"addresses":[{"type":"work","locality":"X","country":"FR","primary":true},{"type":"home","locality":"H","country":"FR"}]}`},
		{"remove a sub-attribute of all values, whatever value says",
			`{"op":"remove","path":"addresses.locality","value":"X"},{"op":"remove","path":"addresses[type eq \"home\"].type"}`,
			`{"userName":"a","title":"t","name":{"familyName":"F"},"addresses":[{"type":"work","primary":true}]}`},
		{"remove what is not there", `{"op":"remove","path":"nickName"},{"op":"remove","path":"` + enterpriseURN + `:manager.value"}`, base},
		{"replace what is not there", `{"op":"replace","path":"nickName","value":"N"},{"op":"remove","path":"addresses"}`,
			`{"userName":"a","title":"t","nickName":"N","name":{"familyName":"F"}}`},
		{"path is the URN of the core schema", `{"op":"replace","path":"` + userURN + `","value":{"title":"T"}},{"op":"remove","path":"addresses"}`,
			`{"userName":"a","title":"T","name":{"familyName":"F"}}`},
		{"dotted and URN keys", `{"op":"Add","value":{"name.givenName":"G","` + enterpriseURN + `:department":"D","` + enterpriseURN + `":{"division":"V"}}},{"op":"remove","path":"addresses"}`,
			`{"userName":"a","title":"t","name":{"familyName":"F","givenName":"G"},"` + enterpriseURN + `":{"department":"D","division":"V"}}`},
		{"later operations see earlier ones",
			`{"op":"remove","path":"addresses"},{"op":"add","path":"addresses","value":{"type":"other"}},{"op":"replace","path":"addresses[type eq \"other\"].region","value":"R"}`,
			`{"userName":"a","title":"t","name":{"familyName":"F"},"addresses":[{"type":"other","region":"R"}]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := parse(t, "User", base, Generic)
			wantDoc(t, mustPatch(t, r, Generic, c.op), c.want)
		})
	}
}

func TestPatch_Refused(t *testing.T) {
	t.Parallel()
	r := parse(t, "User", barbara, Generic)
	for op, scimType := range map[string]string{
		`{"op":"remove"}`:                                                                         NoTarget,
		`{"op":"remove","path":""}`:                                                               NoTarget,
		`{"op":"remove","path":"` + userURN + `"}`:                                                InvalidPath,
		`{"op":"add","path":"title"}`:                                                             InvalidValue,
		`{"op":"add"}`:                                                                            InvalidValue,
		`{"op":"add","value":"x"}`:                                                                InvalidValue,
		`{"op":"add","path":"nosuch","value":"x"}`:                                                InvalidPath,
		`{"op":"add","value":{"nosuch":"x"}}`:                                                     InvalidPath,
		`{"op":"add","path":"name.nosuch","value":"x"}`:                                           InvalidPath,
		`{"op":"add","path":"title.x","value":"x"}`:                                               InvalidPath,
		`{"op":"add","path":"name.givenName.x","value":"x"}`:                                      InvalidPath,
		`{"op":"add","path":"emails[type eq \"work\"]x","value":{}}`:                              InvalidPath,
		`{"op":"add","path":"emails[type eq \"work\"].nosuch","value":"x"}`:                       InvalidPath,
		`{"op":"add","path":"emails[type eq \"work\"].type.x","value":"x"}`:                       InvalidPath,
		`{"op":"add","path":"name[givenName eq \"x\"].familyName","value":"x"}`:                   InvalidPath,
		`{"op":"add","path":"title extra","value":"x"}`:                                           InvalidPath,
		`{"op":"add","path":"emails[","value":"x"}`:                                               InvalidFilter,
		`{"op":"add","path":"emails[nosuch eq \"x\"].value","value":"x"}`:                         InvalidFilter,
		`{"op":"add","path":"emails[primary gt true].value","value":"x"}`:                         InvalidFilter,
		`{"op":"add","path":"emails[type eq \"work\"]","value":[{},{"value":"x"},{"value":"y"}]}`: InvalidValue,
		`{"op":"replace","path":"title","value":{"x":1}}`:                                         InvalidValue,
		`{"op":"replace","path":"name","value":"x"}`:                                              InvalidValue,
		`{"op":"replace","path":"active","value":3}`:                                              InvalidValue,
		`{"op":"replace","path":"emails[type eq \"work\"].value","value":["a","b"]}`:              InvalidValue,
		`{"op":"replace","path":"` + orgURN + `:level","value":"x"}`:                              InvalidValue,
		`{"op":"replace","path":"` + strings.Repeat("x", 9000) + `","value":1}`:                   InvalidPath,
		strings.TrimSuffix(strings.Repeat(`{"op":"remove","path":"title"},`, 1001), ","):          InvalidSyntax,
	} {
		_, err := patch(t, r, Generic, op)
		wantError(t, err, scimType)
	}
	for body, scimType := range map[string]string{
		`{}`: InvalidSyntax, `[]`: InvalidSyntax, `{"Operations":[]}`: InvalidSyntax, `{"Operations":{}}`: InvalidSyntax,
		`{"Operations":[{"op":"remove","path":"title"}]}{}`:                                    InvalidSyntax,
		`{"Operations":[{"op":"remove","path":"title","PATH":"x"}]}`:                           InvalidSyntax,
		`{"Operations":[{"op":"add","value":{"title":"a","TITLE":"b"}}]}`:                      InvalidSyntax,
		`{"operations":[{"op":"add","path":"title","value":{"a":{"b":[1,2]},"A":1}}]}`:         InvalidSyntax,
		`{"Operations":[{"op":"add","path":"title","value":"x"}],"OPERATIONS":[{"op":"add"}]}`: InvalidSyntax,
	} {
		_, err := r.Type.ParsePatch([]byte(body), Generic)
		wantError(t, err, scimType)
	}
	_, err := r.Type.ParsePatch([]byte(`{"Operations":[{"op":"remove","path":"title"}]}`), Strict)
	wantError(t, err, InvalidSyntax, "schemas", "PatchOp")
}

func TestPatch_Immutable(t *testing.T) {
	t.Parallel()
	r := parse(t, "User", `{"userName":"a"}`, Generic)
	r = mustPatch(t, r, Generic, `{"op":"add","path":"`+orgURN+`:origin","value":"hr"}`)
	mustPatch(t, r, Generic, `{"op":"replace","path":"`+orgURN+`:origin","value":"hr"}`)
	for _, op := range []string{
		`{"op":"replace","path":"` + orgURN + `:origin","value":"crm"}`,
		`{"op":"remove","path":"` + orgURN + `:origin"}`, `{"op":"remove","path":"` + orgURN + `"}`,
	} {
		_, err := patch(t, r, Generic, op)
		wantError(t, err, Mutability, "origin", "immutable")
	}
}

// TestPatch_OutsideTheDocument: externalId, password and active are not in the document
// and can be patched.
func TestPatch_OutsideTheDocument(t *testing.T) {
	t.Parallel()
	r := parse(t, "User", barbara, Generic)
	p := mustPatch(t, r, Strict, `{"op":"replace","path":"externalId","value":"e2"},{"op":"add","path":"password","value":"pw"},{"op":"replace","path":"active","value":false}`)
	if p.ExternalID != "e2" || p.Password != "pw" || *p.Active || string(p.Doc()) != string(r.Doc()) {
		t.Errorf("got %q, %q, %v, %s", p.ExternalID, p.Password, *p.Active, p.Doc())
	}
	if p = mustPatch(t, p, Strict, `{"op":"remove","path":"externalId"}`); p.ExternalID != "" || *p.Active {
		t.Errorf("got %q, %v", p.ExternalID, *p.Active)
	}
}

// TestPatch_MaxElements: an attribute does not grow without bound.
func TestPatch_MaxElements(t *testing.T) {
	t.Parallel()
	r := parse(t, "User", `{"userName":"a"}`, Generic)
	list := func(prefix string, n int) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(`,"` + prefix + itoa(i) + `"`)
		}
		return "[" + b.String()[1:] + "]"
	}
	add := func(r *Resource, values string) (*Resource, error) {
		return patch(t, r, Generic, `{"op":"add","path":"`+orgURN+`:tags","value":`+values+`}`)
	}
	_, err := add(r, list("a", 1001))
	wantError(t, err, InvalidValue, "more than 1000")
	full, err := add(r, list("a", 1000))
	if err != nil {
		t.Fatal(err)
	}
	_, err = add(full, `["one more"]`)
	wantError(t, err, InvalidValue, "more than 1000")
}

// TestPatch_OpsCanBeAppliedAgain: a transaction may run twice.
func TestPatch_OpsCanBeAppliedAgain(t *testing.T) {
	t.Parallel()
	r := parse(t, "User", barbara, Generic)
	ops, err := r.Type.ParsePatch([]byte(patchBody(`{"op":"add","value":{"emails":[{"value":"n","primary":true}],"name":{"middleName":"M"}}},
		{"op":"replace","path":"emails[value eq \"n\"].primary","value":false},{"op":"add","path":"emails[type eq \"home\"]","value":{"primary":true}}`)), Generic)
	if err != nil {
		t.Fatal(err)
	}
	var docs [2]string
	for i := range docs {
		p, err := r.Type.Patch(r, ops, Generic)
		if err != nil {
			t.Fatal(err)
		}
		docs[i] = string(p.Doc())
	}
	if docs[0] != docs[1] {
		t.Errorf("first %s\nsecond %s", docs[0], docs[1])
	}
}

// TestDialectCorpus runs what clients send: testdata/dialect/*.txt has the dialect and
// the type, a resource, a request, and the document that must come out, separated by
// lines of dashes.
func TestDialectCorpus(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/dialect/*.txt")
	if err != nil || len(files) < 6 {
		t.Fatalf("found %d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			parts := strings.Split(string(b), "\n---\n")
			dialect, typeName, _ := strings.Cut(strings.TrimSpace(parts[0]), " ")
			d, ok := DialectByName(dialect)
			if !ok || len(parts) != 4 {
				t.Fatalf("dialect %q, %d parts", dialect, len(parts))
			}
			r := parse(t, typeName, parts[1], d)
			ops, err := r.Type.ParsePatch([]byte(parts[2]), d)
			if err != nil {
				t.Fatal(err)
			}
			p, err := r.Type.Patch(r, ops, d)
			if err != nil {
				t.Fatal(err)
			}
			wantDoc(t, p, whole(t, p, parts[3]))
		})
	}
}

// whole checks what the expectation says of active and members, and returns the rest.
func whole(t *testing.T, p *Resource, want string) string {
	t.Helper()
	m := object(t, []byte(want))
	if active, ok := m["active"]; ok && (p.Active == nil || *p.Active != active) {
		t.Errorf("active: want %v", active)
	}
	if members, ok := m["members"].([]any); ok {
		var got []string
		for _, x := range p.Members {
			got = append(got, x.Value)
		}
		for i, w := range members {
			if len(got) != len(members) || got[i] != w {
				t.Errorf("members: got %v, want %v", got, members)
				break
			}
		}
	}
	delete(m, "active")
	delete(m, "members")
	return string(mustMarshal(m))
}
