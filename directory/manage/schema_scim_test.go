package manage_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	partsURN = "urn:example:scim:schemas:Part"
	plantURN = "urn:example:scim:schemas:extension:plant"
)

// An extension and a resource type in the words of SCIM: made, bound, read back, changed,
// emptied and removed again.
func TestSCIMSchemas(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		plant := `{"id":"` + plantURN + `","name":"Plant","description":"Where","attributes":[
			{"name":"line","type":"integer","multiValued":false,"required":false},
			{"name":"tools","type":"complex","multiValued":true,"subAttributes":[
				{"name":"serial","type":"string","caseExact":true,"uniqueness":"server"},{"name":"since","type":"dateTime"}]}]}`
		r := s.must(http.StatusOK, "POST", scimAPI+"/schemas", plant)
		if at(r.body, "attributes", 1, "subAttributes", 0, "uniqueness") != "server" || at(r.body, "attributes", 0, "mutability") != "readWrite" || at(r.body, "resourceTypes") != nil {
			t.Errorf("made: %s", r.raw)
		}
		again := s.must(http.StatusOK, "PUT", scimAPI+"/schemas/"+plantURN, r.raw)
		if diff := cmp.Diff(r.body, again.body, ignoreModified); diff != "" {
			t.Errorf("what was read, sent back:\n%s", diff)
		}
		s.refused(http.StatusBadRequest, "E0000001", "POST", scimAPI+"/schemas", plant, plantURN)
		user := s.must(http.StatusOK, "GET", scimAPI+"/resourceTypes/User", "")
		bound := strings.Replace(user.raw, `"schemaExtensions":[`, `"schemaExtensions":[{"schema":"`+plantURN+`","required":false},`, 1)
		r = s.must(http.StatusOK, "PUT", scimAPI+"/resourceTypes/User", bound)
		if !strings.Contains(r.raw, plantURN) || at(r.body, "builtIn") != true {
			t.Errorf("bound: %s", r.raw)
		}
		s.refused(http.StatusConflict, "E0000195", "DELETE", scimAPI+"/schemas/"+plantURN, "", "User")
		s.must(http.StatusOK, "PUT", scimAPI+"/resourceTypes/User", user.raw)
		s.must(http.StatusNoContent, "DELETE", scimAPI+"/schemas/"+plantURN, "")
		s.refused(http.StatusNotFound, "E0000007", "GET", scimAPI+"/schemas/"+plantURN, "", plantURN)
	})
}

// A resource type is there when it is answered, and goes only without resources.
func TestSCIMResourceTypes(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		s.must(http.StatusOK, "POST", scimAPI+"/schemas", `{"id":"`+partsURN+`","name":"Part","description":"","attributes":[
			{"name":"number","type":"string","required":true,"uniqueness":"server"},{"name":"weight","type":"decimal","minimum":0}]}`)
		part := `{"name":"Part","endpoint":"/Parts","description":"Parts","schema":"` + partsURN + `","schemaExtensions":[]}`
		r := s.must(http.StatusOK, "POST", scimAPI+"/resourceTypes", part)
		if at(r.body, "endpoint") != "/Parts" || at(r.body, "schema") != partsURN || at(r.body, "builtIn") != nil {
			t.Errorf("made: %s", r.raw)
		}
		if _, ok := s.dir.Schemas().TypeAt("Parts"); !ok {
			t.Error("the type is not in force")
		}
		for _, body := range []string{
			part, strings.ReplaceAll(part, "Part", "User"), strings.Replace(part, `"/Parts"`, `"/Users"`, 1), strings.Replace(part, `"Part"`, `"Other"`, 1),
			`{"name":"Thing","endpoint":"/Things","description":"","schema":"urn:none","schemaExtensions":[]}`,
			`{"name":"Thing","endpoint":"/Things","description":"","schema":"` + partsURN + `","colour":"red"}`,
			`{"name":"Bulk","endpoint":"/Bulk","description":"","schema":"` + partsURN + `"}`, `{"name":7}`, `{}`,
		} {
			if r := s.do("POST", scimAPI+"/resourceTypes", body); r.status != http.StatusBadRequest && r.status != http.StatusConflict {
				t.Errorf("%s: %d %s", body, r.status, r.raw)
			}
		}
		s.refused(http.StatusConflict, "E0000195", "DELETE", scimAPI+"/schemas/"+partsURN, "", "Part")
		s.refused(http.StatusForbidden, "E0000111", "DELETE", scimAPI+"/resourceTypes/User", "")
		s.refused(http.StatusForbidden, "E0000111", "DELETE", scimAPI+"/schemas/urn:ietf:params:scim:schemas:core:2.0:User", "")
		s.refused(http.StatusForbidden, "E0000111", "PUT", scimAPI+"/schemas/urn:ietf:params:scim:schemas:core:2.0:User", `{"attributes":[]}`)
		s.must(http.StatusNoContent, "DELETE", scimAPI+"/resourceTypes/Part", "")
		s.settle()
		s.must(http.StatusNoContent, "DELETE", scimAPI+"/schemas/"+partsURN, "")
		s.refused(http.StatusNotFound, "E0000007", "GET", scimAPI+"/resourceTypes/Part", "", "Part")
	})
}

// PUT takes nothing away that has values unless it is asked to, and then every value goes.
func TestSCIMSchemas_RemoveValues(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		const org = "urn:provost:params:scim:schemas:extension:org:2.0:User"
		s.define(`"badge":{"type":"string"},"spare":{"type":"string"}`)
		r := s.must(http.StatusOK, "POST", "/users", profile("a@example.com", `,"badge":"One"`)+`}`)
		id, _ := at(r.body, "id").(string)
		without := `{"name":"User","description":"","attributes":[]}`
		s.refused(http.StatusConflict, "E0000195", "PUT", scimAPI+"/schemas/"+org, without, "badge", "removeValues=true")
		s.must(http.StatusOK, "PUT", scimAPI+"/schemas/"+org+"?removeValues=true", without)
		if r := s.must(http.StatusOK, "GET", "/users/"+id, ""); at(r.body, "profile", "badge") != nil {
			t.Errorf("still shown: %s", r.raw)
		}
		s.refused(http.StatusConflict, "E0000195", "POST", userSchema, customSchema(`"badge":{"type":"integer"}`), "badge", "REMOVE")
		s.settle()
		s.define(`"badge":{"type":"integer"}`)
		if r := s.must(http.StatusOK, "GET", "/users/"+id, ""); at(r.body, "profile", "badge") != nil {
			t.Errorf("a value of the attribute of before: %s", r.raw)
		}
	})
}

// ignoreModified leaves out when something was changed.
var ignoreModified = cmp.FilterPath(func(p cmp.Path) bool {
	key, ok := p.Last().(cmp.MapIndex)
	return ok && key.Key().String() == "lastModified"
}, cmp.Ignore())
