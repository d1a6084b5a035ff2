package story

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"
)

const (
	minPeople = 300
	minGroups = 30
)

// importDirectory makes an app for the LDAP server, shows the plan, and runs it.
func (w *World) importDirectory(ctx context.Context) error {
	if err := w.addLDAPApp(ctx); err != nil {
		return err
	}
	base := "/api/v1/apps/" + w.ldapApp + "/imports"
	plan, err := w.Main.call(ctx, "POST", base, object{"mode": "plan", "type": "full"})
	if err != nil {
		return err
	}
	path := base + "/" + str(plan, "id")
	if plan, err = w.awaitImport(ctx, path, "AWAITING_APPROVAL"); err != nil {
		return err
	}
	w.Say("   the plan: %v", plan["counts"])
	if n, err := w.total(ctx, "Users"); err != nil || n != 0 {
		return errors.Join(err, fmt.Errorf("%v users after a plan, want 0: a plan changes nothing", n))
	}
	if _, err := w.Main.call(ctx, "POST", path+"/approve", nil); err != nil {
		return err
	}
	done, err := w.awaitImport(ctx, path, "SUCCEEDED")
	if err != nil {
		return err
	}
	w.Say("   approved: %v", done["counts"])
	return w.checkImported(ctx)
}

// addLDAPApp makes the app of the LDAP server, with features beside the usual ones.
func (w *World) addLDAPApp(ctx context.Context, more ...string) error {
	app, err := w.Main.call(ctx, "POST", "/api/v1/apps", object{
		"name": "ldap", "label": "Company directory",
		"features": append(more, "IMPORT_NEW_USERS", "IMPORT_PROFILE_UPDATES", "IMPORT_GROUPS",
			"PUSH_NEW_USERS", "PUSH_PROFILE_UPDATES", "PUSH_USER_DEACTIVATION"),
		"settings": object{"app": object{
			"url": w.LDAP.URL, "bindDn": w.LDAP.BindDN, "bindPassword": w.LDAP.Password,
			"userBaseDn": w.LDAP.UserBase, "groupBaseDn": w.LDAP.GroupBase,
			"userObjectClasses": []string{"inetOrgPerson"}, "groupObjectClass": "groupOfNames",
		}},
	})
	w.ldapApp = str(app, "id")
	return err
}

// awaitImport waits until an import has come to a status.
func (w *World) awaitImport(ctx context.Context, path, status string) (job object, err error) {
	err = within(ctx, time.Minute, func() error {
		if job, err = w.Main.call(ctx, "GET", path, nil); err != nil {
			return err
		}
		if s := str(job, "status"); s != status {
			return fmt.Errorf("import is %s, not %s: %v", s, status, job["reason"])
		}
		return nil
	})
	return job, err
}

func (w *World) total(ctx context.Context, typ string) (float64, error) {
	list, err := w.Main.call(ctx, "GET", "/scim/v2/"+typ+"?count=1", nil)
	n, _ := list["totalResults"].(float64)
	return n, err
}

func (w *World) checkImported(ctx context.Context) error {
	people, err := w.total(ctx, "Users")
	if err != nil {
		return err
	}
	groups, err := w.total(ctx, "Groups")
	if err != nil {
		return err
	}
	if people < minPeople || groups < minGroups {
		return fmt.Errorf("%v people and %v groups, want at least %d and %d", people, groups, minPeople, minGroups)
	}
	w.Say("   %v people and %v groups stand in the directory", people, groups)
	return w.pickImported(ctx)
}

// pickImported takes one imported person with a manager to follow through the story.
func (w *World) pickImported(ctx context.Context) error {
	var page object
	filter := url.QueryEscape(`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department pr and title pr`)
	page, err := w.Main.call(ctx, "GET", "/scim/v2/Users?count=1&filter="+filter, nil)
	if err != nil {
		return err
	}
	u := at(page, "Resources", 0)
	if str(u, "userName") == "" {
		return fmt.Errorf("no imported person with department and title: %v", page)
	}
	if len(at(u, "groups").([]any)) == 0 {
		return fmt.Errorf("%s came without groups", str(u, "userName"))
	}
	w.imported = person{id: str(u, "id"), login: str(u, "userName")}
	account, err := w.Main.call(ctx, "GET", "/api/v1/apps/"+w.ldapApp+"/users/"+w.imported.id, nil)
	if err != nil {
		return err
	}
	if str(account, "externalId") == "" {
		return fmt.Errorf("imported account has no external ID: %v", account)
	}
	w.Say("   %s, for one, came with department, title and %d groups", w.imported.login, len(at(u, "groups").([]any)))
	return nil
}
