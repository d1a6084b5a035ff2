package manage_test

import (
	"net/http"
	"testing"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/schemas/expr"
)

func (s *service) app(features ...string) *directory.App {
	s.t.Helper()
	s.dir.AppProfile = func(kind string) (map[string]expr.Type, bool) {
		return map[string]expr.Type{"userName": expr.String, "mail": expr.String, "groups": expr.Strings}, kind == "crm"
	}
	a, err := s.dir.CreateApp(s.t.Context(), directory.Change{Actor: events.System}, directory.App{Name: "crm", Label: "CRM", Features: features})
	if err != nil {
		s.t.Fatal(err)
	}
	return a
}

// The profile at an app has the attributes of its kind and those that were added, which
// mappings know by their types; what a mapping uses cannot be taken away.
func TestAppSchema(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		s.define(`"badge":{"type":"string"},"level":{"type":"integer"}`)
		a := s.app()
		path := "/meta/schemas/apps/" + a.ID + "/default"
		r := s.must(http.StatusOK, "GET", path, "")
		if at(r.body, "definitions", "base", "properties", "mail", "type") != "string" || at(r.body, "definitions", "base", "properties", "groups", "items", "type") != "string" ||
			at(r.body, "definitions", "base", "properties", "userName", "required") != true {
			t.Errorf("attributes of the kind: %s", r.raw)
		}
		r = s.must(http.StatusOK, "POST", path, customSchema(`"grade":{"title":"Grade","type":"integer"},"tags":{"type":"array","items":{"type":"string"}}`))
		if at(property(r, "grade"), "type") != "integer" || at(property(r, "tags"), "items", "type") != "string" {
			t.Errorf("added: %s", r.raw)
		}
		again := s.must(http.StatusOK, "POST", path, r.raw)
		if again.raw != r.raw {
			t.Errorf("what was read, sent back: %s\n%s", r.raw, again.raw)
		}
		for key, property := range map[string]string{
			"grade.unique": `"grade":{"type":"integer","unique":true}`, "grade.master": `"grade":{"type":"integer","master":{"type":"OKTA"}}`,
			"mail": `"mail":{"type":"string"}`, "x.type": `"x":{"type":"text"}`,
		} {
			s.refused(http.StatusBadRequest, "E0000001", "POST", path, customSchema(property), "definitions.custom.properties."+key)
		}

		out, err := s.dir.MappingFor(t.Context(), directory.UserPartner, a.ID)
		if err != nil {
			t.Fatal(err)
		}
		change := directory.Change{Actor: events.System}
		properties := map[string]*directory.Property{"grade": {Expression: "user.level", PushStatus: "PUSH"}}
		if _, err := s.dir.UpdateMapping(t.Context(), change, out.ID, properties); err != nil {
			t.Fatal(err)
		}
		s.refused(http.StatusBadRequest, "E0000001", "POST", path, customSchema(`"grade":null`), "grade", out.ID)
		s.badSchema("E0000001", `"level":null`, "level", out.ID)
		s.must(http.StatusOK, "POST", path, customSchema(`"tags":null`))

		s.refused(http.StatusNotFound, "E0000007", "GET", "/meta/schemas/apps/0oanone/default", "", "0oanone")
		s.refused(http.StatusNotFound, "E0000007", "POST", "/meta/schemas/apps/0oanone/default", `{}`, "0oanone")
		if err := s.dir.SetAppStatus(t.Context(), change, a.ID, directory.AppInactive); err != nil {
			t.Fatal(err)
		}
		if err := s.dir.DeleteApp(t.Context(), change, a.ID); err != nil {
			t.Fatal(err)
		}
		s.refused(http.StatusNotFound, "E0000007", "GET", path, "", a.ID)
		s.define(`"more":{"type":"string"}`)
		if defs := s.dir.Definitions(); len(defs.Apps) != 0 {
			t.Errorf("definitions of an app that is gone: %v", defs.Apps)
		}
	})
}
