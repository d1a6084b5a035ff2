package story

import (
	"errors"
	"strings"
	"testing"
)

// TestMasteredWriteIsRefused: with PROFILE_MASTERING the LDAP directory owns the mapped
// attributes of the people it brought, and a SCIM client that writes one is told so.
func TestMasteredWriteIsRefused(t *testing.T) {
	w, binary, dir := ldapWorld(t)
	var err error
	if w.Main, err = Start(t.Context(), binary, dir+"/main"); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := w.Main.Stop(); err != nil {
			t.Error(err)
		}
	}()
	if err := w.addLDAPApp(t.Context(), "PROFILE_MASTERING"); err != nil {
		t.Fatal(err)
	}
	job, err := w.Main.call(t.Context(), "POST", "/api/v1/apps/"+w.ldapApp+"/imports", object{"mode": "run", "type": "full"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.awaitImport(t.Context(), "/api/v1/apps/"+w.ldapApp+"/imports/"+str(job, "id"), "SUCCEEDED"); err != nil {
		t.Fatal(err)
	}
	if err := w.pickImported(t.Context()); err != nil {
		t.Fatal(err)
	}
	before, err := w.LDAP.search(t.Context(), "(mail="+w.imported.login+")")
	if err != nil {
		t.Fatal(err)
	}
	w.refuseTitle(t)
	after, err := w.LDAP.search(t.Context(), "(mail="+w.imported.login+")")
	if err != nil || after.first("title") != before.first("title") {
		t.Errorf("title in LDAP is %q, was %q: %v", after.first("title"), before.first("title"), err)
	}
}

// refuseTitle writes the title of the imported person over SCIM and over the
// management API, and wants both refused with a word on the attribute.
func (w *World) refuseTitle(t *testing.T) {
	t.Helper()
	user := "/scim/v2/Users/" + w.imported.id
	_, err := w.Main.call(t.Context(), "PATCH", user, object{
		"schemas":    []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"},
		"Operations": []object{{"op": "replace", "path": "title", "value": "Emperor"}},
	})
	var refused *statusError
	if !errors.As(err, &refused) || refused.Status != 400 || !strings.Contains(refused.Body, "title") || !strings.Contains(refused.Body, `"scimType":"mutability"`) {
		t.Errorf("PATCH of a mastered attribute: %v, want 400 mutability that names it", err)
	}
	_, err = w.Main.call(t.Context(), "POST", "/api/v1/users/"+w.imported.id, object{"profile": object{"title": "Emperor"}})
	if !errors.As(err, &refused) || refused.Status != 403 || !strings.Contains(refused.Body, "E0000023") {
		t.Errorf("management write of a mastered attribute: %v, want 403 E0000023", err)
	}
	u, err := w.Main.call(t.Context(), "GET", user, nil)
	if err != nil || str(u, "title") == "Emperor" {
		t.Errorf("the title after the refusals is %q: %v", str(u, "title"), err)
	}
}
