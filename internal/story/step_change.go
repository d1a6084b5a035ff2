package story

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// soon is what "within seconds" means for a change on its way to a target.
const soon = 10 * time.Second

const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

var userSchemas = []string{"urn:ietf:params:scim:schemas:core:2.0:User", enterprise}

// changeOverSCIM makes a person and changes an imported one, and follows both into
// LDAP and into two SaaS applications.
func (w *World) changeOverSCIM(ctx context.Context) error {
	if err := w.addSaaS(ctx); err != nil {
		return err
	}
	if err := w.createPerson(ctx); err != nil {
		return err
	}
	return w.patchImported(ctx)
}

func (w *World) addSaaS(ctx context.Context) error {
	w.saasApps = map[string]string{}
	for name, t := range w.targets() {
		app, err := w.addSaaSApp(ctx, name, t)
		if err != nil {
			return err
		}
		w.saasApps[name] = app
	}
	return nil
}

func (w *World) addSaaSApp(ctx context.Context, name string, t SaaS) (string, error) {
	app, err := w.Main.call(ctx, "POST", "/api/v1/apps", object{
		"name": "scim2", "label": name,
		"features": []string{"PUSH_NEW_USERS", "PUSH_PROFILE_UPDATES", "PUSH_USER_DEACTIVATION", "REACTIVATE_USERS"},
		"settings": object{"app": object{"baseUrl": t.BaseURL, "token": t.Token}},
	})
	return str(app, "id"), err
}

func (w *World) targets() map[string]SaaS {
	return map[string]SaaS{
		"scimmy":         w.SaaS,
		"second provost": {BaseURL: w.Second.URL + "/scim/v2", Token: w.Second.Token},
	}
}

func (w *World) createPerson(ctx context.Context) error {
	w.created = person{login: "zoe.nunez@example.com", password: "correct horse battery staple 7 Z"}
	u, err := w.Main.call(ctx, "POST", "/scim/v2/Users", object{
		"schemas":  userSchemas,
		"userName": w.created.login,
		"name":     object{"givenName": "Zoë", "familyName": "Núñez"},
		"emails":   []object{{"value": w.created.login, "type": "work", "primary": true}},
		"title":    "Engineer",
		enterprise: object{"employeeNumber": "90001", "department": "Research"},
	})
	if err != nil {
		return err
	}
	w.created.id = str(u, "id")
	w.Say("   POST /scim/v2/Users makes %s, %s", w.created.login, w.created.id)
	if err := w.assign(ctx, w.created.id, w.ldapApp, w.saasApps["scimmy"], w.saasApps["second provost"]); err != nil {
		return err
	}
	return within(ctx, soon, func() error { return w.everywhere(ctx, w.created.login, "title", "Engineer") })
}

func (w *World) assign(ctx context.Context, userID string, apps ...string) error {
	for _, app := range apps {
		_, err := w.Main.call(ctx, "POST", "/api/v1/apps/"+app+"/users", object{"id": userID, "scope": "USER"})
		if err != nil {
			return err
		}
	}
	return nil
}

// everywhere checks an attribute of a person in LDAP and in both SaaS applications.
func (w *World) everywhere(ctx context.Context, login, attr, want string) error {
	e, err := w.LDAP.search(ctx, "(mail="+login+")")
	if err != nil {
		return err
	}
	if got := e.first(attr); got != want {
		return fmt.Errorf("LDAP has %s %q, want %q", attr, got, want)
	}
	for name, t := range w.targets() {
		u, err := t.find(ctx, login)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if got := str(u, attr); got != want {
			return fmt.Errorf("%s has %s %q, want %q", name, attr, got, want)
		}
	}
	w.Say("   %s = %q stands in slapd (%s), in scimmy and in the second provost", attr, want, e.first("dn"))
	return nil
}

// find asks a SaaS application for a person, past provost.
func (t SaaS) find(ctx context.Context, login string) (object, error) {
	q := "/Users?filter=" + url.QueryEscape(fmt.Sprintf("userName eq %q", login))
	req, err := http.NewRequestWithContext(ctx, "GET", t.BaseURL+q, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+t.Token)
	req.Header.Set("Accept", "application/scim+json")
	var list object
	if err := roundTrip(req, &list); err != nil {
		return nil, err
	}
	u, ok := at(list, "Resources", 0).(object)
	if !ok {
		return nil, fmt.Errorf("has no user %s", login)
	}
	return u, nil
}

func (w *World) patchImported(ctx context.Context) error {
	if err := w.assign(ctx, w.imported.id, w.saasApps["scimmy"], w.saasApps["second provost"]); err != nil {
		return err
	}
	const title = "Leiterin für Öffentlichkeitsarbeit"
	_, err := w.Main.call(ctx, "PATCH", "/scim/v2/Users/"+w.imported.id, object{
		"schemas":    []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"},
		"Operations": []object{{"op": "replace", "path": "title", "value": title}},
	})
	if err != nil {
		return err
	}
	w.Say("   PATCH /scim/v2/Users/%s gives %s a new title", w.imported.id, w.imported.login)
	return within(ctx, soon, func() error { return w.everywhere(ctx, w.imported.login, "title", title) })
}
