package manage

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/schemas"
	"github.com/provost-id/provost/schemas/scim"
)

// sameAttributes compares definitions; no list is as good as an empty one.
var sameAttributes = cmpopts.EquateEmpty()

// compiled is the schema that definitions make, or why they make none.
func compiled(defs *schemas.Definitions) (*schemas.Snapshot, error) {
	if err := defs.Check(); err != nil {
		return nil, err
	}
	types, err := defs.ResourceTypes()
	if err != nil {
		return nil, err
	}
	return schemas.Compile(1, types)
}

// refusedAs4xx says whether a body was refused, and fails unless it is the client's fault.
func refusedAs4xx(t *testing.T, err error) bool {
	t.Helper()
	if err == nil {
		return false
	}
	var answer *httpapi.Error
	if err := schemaError(err, customAt); !errors.As(err, &answer) || answer.Status >= 500 || len(answer.Causes) == 0 && answer.Summary == "" {
		t.Fatalf("not an answer to a client: %v", err)
	}
	return true
}

// mustTakeDefaults stores somebody who has nothing but defaults, and reads it again.
func mustTakeDefaults(t *testing.T, s *schemas.Snapshot) {
	t.Helper()
	user, _ := s.Type("User")
	r, err := user.Parse([]byte(`{"userName":"a@example.com"}`), schemas.Generic)
	if err != nil {
		return // something is required
	}
	r.ApplyDefaults(true)
	again, err := user.Decode(r.Doc())
	if err != nil {
		t.Fatalf("a resource with the defaults: %s: %v", r.Doc(), err)
	}
	if err := again.SetProfile(again.Profile()); err != nil {
		t.Fatalf("the profile that was read, set again: %v: %v", again.Profile(), err)
	}
}

// FuzzSchemaBody: a body of POST /meta/schemas/user/default is refused as the client's
// fault, or makes a schema that compiles and that, shown and sent to an empty organisation,
// makes the same again.
func FuzzSchemaBody(f *testing.F) {
	for _, properties := range []string{
		`"a":{"type":"string"}`, `"a":{"type":"string","minLength":1,"maxLength":5,"pattern":"^[a-z]+$","default":"b"}`, `"a":null`, `"a":{"type":"array"}`,
		`"a":{"type":"array","items":{"type":"number","enum":[1,1.5,1e3]},"default":[1.5]}`, `"a":{"type":"integer","minimum":-1,"maximum":3,"enum":[1,2],"oneOf":[{"const":1,"title":"x"},{"const":2,"title":"y"}]}`,
		`"a":{"type":"boolean","default":true,"required":true}`, `"a":{"type":"string","format":"date-time","default":"2020-01-01T00:00:00Z"}`, `"a":{"type":"number","enum":[1.0,"x"]}`,
		`"a":{"type":"string","mutability":"WRITE_ONLY","permissions":[{"principal":"SELF","action":"HIDE"}]}`, `"a":{"type":"string","format":"encrypted"}`, `"a":{"type":"string","unique":true}`,
		`"a":{"type":"string","master":{"type":"OVERRIDE","priority":[{"type":"APP","value":"0oa"}]}}`, `"login":{"type":"string"}`, `"a":{"type":"string","maxLength":1e9,"index":true}`,
		`"a":{"type":"string","externalName":"x","externalNamespace":"urn:x","scope":"NONE","title":"","description":"d"}`, `"a":{"type":"string","enum":["","é","É"]}`, `"a":{"type":"integer","default":9e99}`,
	} {
		f.Add([]byte(`{"definitions":{"custom":{"properties":{` + properties + `},"required":["a"]}}}`))
		f.Add([]byte(`{"title":"T","definitions":{"custom":{"properties":{` + properties + `}}}}`))
	}
	f.Add([]byte(`{"definitions":{"base":{"properties":{"login":{"pattern":"[a-z]+"},"lastName":{"required":false},"title":{"permissions":[{"principal":"SELF","action":"HIDE"}]}},"required":["login","email"]}}}`))
	snapshot, err := schemas.Compile(1, schemas.Default())
	if err != nil {
		f.Fatal(err)
	}
	h := &handlers{dir: &directory.Directory{Schemas: func() *schemas.Snapshot { return snapshot }}}
	apply := func(body []byte) (*schemas.Definitions, error) {
		defs := &schemas.Definitions{Base: map[string]schemas.BaseChange{}}
		var in httpapi.RawBody
		if err := json.Unmarshal(body, &in); err != nil {
			return nil, httpapi.Malformed()
		}
		req, err := readSchemaRequest(in)
		if err != nil {
			return nil, err
		}
		if err := h.editBase(defs, userSchema, req.base); err != nil {
			return nil, err
		}
		return defs, editCustom(defs, userSchema, req)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		defs, err := apply(body)
		if refusedAs4xx(t, err) {
			return
		}
		s, err := compiled(defs)
		if refusedAs4xx(t, err) {
			return
		}
		mustTakeDefaults(t, s)
		own := defs.Schema(scim.OrgUser)
		if own == nil {
			return
		}
		properties, _ := custom(own.Attributes, nil, userSchema)
		shown, err := json.Marshal(map[string]any{"title": own.Name, "description": own.Description, "definitions": map[string]any{"custom": map[string]any{"properties": properties}}})
		if err != nil {
			t.Fatal(err)
		}
		again, err := apply(shown)
		if err != nil {
			t.Fatalf("what is shown is refused: %s: %v", shown, err)
		}
		if diff := cmp.Diff(attributesByName(own.Attributes), attributesByName(again.Schema(scim.OrgUser).Attributes), sameAttributes); diff != "" {
			t.Fatalf("%s:\n%s", shown, diff)
		}
	})
}

func attributesByName(as []schemas.Attribute) map[string]schemas.Attribute {
	named := map[string]schemas.Attribute{}
	for _, a := range as {
		named[a.Name] = a
	}
	return named
}

// FuzzSCIMSchemaBody is the same of a schema in the words of SCIM, as an extension of users.
func FuzzSCIMSchemaBody(f *testing.F) {
	for _, attributes := range []string{
		`{"name":"a","type":"string"}`, `{"name":"a","type":"complex","multiValued":true,"subAttributes":[{"name":"value","type":"string","uniqueness":"server"},{"name":"type","type":"string","canonicalValues":["x"]}]}`,
		`{"name":"a","type":"reference","referenceTypes":["User"]}`, `{"name":"a","type":"binary"}`, `{"name":"a","type":"decimal","minimum":1,"default":2}`, `{"name":"a","type":"dateTime","returned":"request","mutability":"immutable"}`,
		`{"name":"a","type":"integer","enum":["1","2"],"uniqueness":"global"}`, `{"name":"$ref","type":"reference"}`, `{"name":"a","type":"string","mutability":"writeOnly","returned":"never","format":"hashed"}`,
		`{"name":"a","type":"string","indexed":false,"maxLength":100000}`, `{"name":"a","type":"boolean","required":true},{"name":"A","type":"string"}`, `{"name":"a"}`, `{"name":"id","type":"string"}`,
	} {
		f.Add([]byte(`{"id":"urn:example:x","name":"X","description":"","attributes":[` + attributes + `]}`))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		apply := func(body []byte) (*schemas.Definitions, error) {
			var in httpapi.RawBody
			if err := json.Unmarshal(body, &in); err != nil {
				return nil, httpapi.Malformed()
			}
			var s scimSchema
			if err := strict(in, &s); err != nil {
				return nil, err
			}
			return &schemas.Definitions{
				Schemas: []schemas.Schema{{ID: s.ID, Name: s.Name, Description: s.Description, Attributes: attributesOf(s.Attributes, nil)}},
				Types:   []schemas.TypeDefinition{{Name: "User", Extensions: []schemas.ExtensionRef{{Schema: s.ID}}}},
			}, nil
		}
		defs, err := apply(body)
		if refusedAs4xx(t, err) {
			return
		}
		s, err := compiled(defs)
		if refusedAs4xx(t, err) {
			return
		}
		mustTakeDefaults(t, s)
		own := defs.Schemas[0]
		shown := scimSchema{ID: own.ID, Name: own.Name, Description: own.Description, Attributes: []scimAttribute{}}
		for _, a := range own.Attributes {
			shown.Attributes = append(shown.Attributes, showSCIM(a, "", func(string) []progress { return nil }))
		}
		text, err := json.Marshal(shown)
		if err != nil {
			t.Fatal(err)
		}
		again, err := apply(text)
		if err != nil {
			t.Fatalf("what is shown is refused: %s: %v", text, err)
		}
		both, err := json.Marshal(again.Schemas[0])
		if err != nil {
			t.Fatal(err)
		}
		once := scimSchema{Attributes: []scimAttribute{}}
		for _, a := range again.Schemas[0].Attributes {
			once.Attributes = append(once.Attributes, showSCIM(a, "", func(string) []progress { return nil }))
		}
		if diff := cmp.Diff(shown.Attributes, once.Attributes, sameAttributes); diff != "" {
			t.Fatalf("%s:\n%s", both, diff)
		}
		if _, err := compiled(again); err != nil {
			t.Fatalf("what is shown does not compile: %s: %v", text, err)
		}
	})
}
