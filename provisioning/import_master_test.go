package provisioning

import (
	"errors"
	"testing"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/schemas"
	"github.com/provost-id/provost/schemas/scim"
)

// custom defines attributes of users and has the app's mapping fill them from the title.
func (w *world) custom(attrs ...schemas.Attribute) {
	w.Helper()
	err := w.dir.ChangeSchema(w.Context(), w.c, directory.SchemaEdit{Edit: func(defs *schemas.Definitions) error {
		defs.Schemas = append(defs.Schemas, schemas.Schema{ID: scim.OrgUser, Name: "User", Attributes: attrs})
		return nil
	}})
	if err != nil {
		w.Fatal(err)
	}
	m, err := w.dir.MappingFor(w.Context(), w.app.ID, directory.UserPartner)
	if err != nil {
		w.Fatal(err)
	}
	properties := map[string]*directory.Property{}
	for _, a := range attrs {
		properties[a.Name] = &directory.Property{Expression: "appuser.title", PushStatus: directory.Push}
	}
	if _, err := w.dir.UpdateMapping(w.Context(), w.c, m.ID, properties); err != nil {
		w.Fatal(err)
	}
}

// A custom attribute follows the profile source as a base attribute does, unless its master
// is the directory, or another app before this one.
func TestMasteringOfCustomAttributes(t *testing.T) {
	t.Parallel()
	each(t, append(allFeatures, directory.ProfileMastering), func(w *world) {
		other, err := w.dir.CreateApp(w.Context(), w.c, directory.App{Name: "ldap", Label: "Other", Features: []string{directory.ProfileMastering}})
		if err != nil {
			w.Fatal(err)
		}
		text := func(name string, m *schemas.Master) schemas.Attribute {
			return schemas.Attribute{Name: name, Type: schemas.String, View: schemas.View{Master: m}}
		}
		w.custom(text("grade", nil), text("ours", &schemas.Master{Type: schemas.MasterLocal}),
			text("listed", &schemas.Master{Type: schemas.MasterOverride, Priority: []string{other.ID, w.app.ID}}),
			text("theirs", &schemas.Master{Type: schemas.MasterOverride, Priority: []string{other.ID}}))
		crowd(w.fake, 3)
		for _, id := range []string{"p000", "p001", "p002"} {
			w.fake.change(id, func(o *Object) { o.Attributes["title"] = []string{"First"} })
		}
		w.imported(ModeRun, TypeFull)
		w.fake.change("p002", func(o *Object) { o.Attributes["title"] = []string{"Changed there"} })
		r := w.imported(ModeRun, TypeFull)
		w.status(r, RunSucceeded)
		if r.Counts.Update != 1 {
			w.Errorf("counts %+v", r.Counts)
		}
		got, first := w.profile("person2@example.com"), w.profile("person1@example.com")
		for name, followed := range map[string]bool{"grade": true, "listed": true, "ours": false, "theirs": false} {
			if (got[name] == "Changed there") != followed {
				w.Errorf("%s is %v", name, got[name])
			}
			if first[name] == nil {
				w.Errorf("%s was not filled at creation", name)
			}
			_, err := w.dir.UpdateProfile(w.Context(), w.c, w.id("person2@example.com"), map[string]any{name: "Changed here"})
			if errors.Is(err, directory.ErrOwned) != followed || !followed && err != nil {
				w.Errorf("a local write of %s: %v", name, err)
			}
		}
		r = w.imported(ModeRun, TypeFull)
		if r.Counts.Update != 0 || r.Counts.Unchanged != 3 {
			w.Errorf("what is not ours to change is no difference: %+v", r.Counts)
		}
	})
}
