package provisioning_test

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/keyring"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
	"github.com/provost-id/provost/internal/testserver"
	"github.com/provost-id/provost/provisioning"
	"github.com/provost-id/provost/provisioning/ldap"
	"github.com/provost-id/provost/provisioning/scim"
	"github.com/provost-id/provost/schemas/expr"
)

// story is an engine that runs between a slapd with an organisation and a SCIM
// application that nobody here wrote.
type story struct {
	*testing.T
	dir    *directory.Directory
	e      *provisioning.Engine
	slapd  *testserver.LDAP
	scimmy *testserver.SCIM
	c      directory.Change
}

func begin(t *testing.T, db *sqldb.DB) *story {
	t.Helper()
	keys, err := keyring.New(make([]byte, keyring.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	dir, err := directory.New(t.Context(), db, keys, nil)
	if err != nil {
		t.Fatal(err)
	}
	schemas := map[string]provisioning.Schema{"ldap": ldap.Schema(), "scim2": scim.Schema()}
	dir.AppProfile = func(kind string) (map[string]expr.Type, bool) {
		schema, ok := schemas[kind]
		return provisioning.ProfileTypes(schema), ok
	}
	s := &story{
		T: t, dir: dir, slapd: testserver.Slapd(t, testserver.SlapdOptions{}), scimmy: testserver.Scimmy(t, "tok"),
		c: directory.Change{Actor: events.Actor{ID: "tester", Type: "Token"}, Manage: true, Source: directory.Source{Kind: directory.SourceSCIM}},
	}
	s.e = provisioning.NewEngine(dir, map[string]provisioning.Factory{
		"ldap": func(_ context.Context, c provisioning.Config) (provisioning.Connector, error) {
			dn, err := provisioning.Template(c.String("userDnTemplate"), dir.UserObject())
			if err != nil {
				return nil, err
			}
			return ldap.New(c, ldap.Options{DNTemplate: dn})
		},
		"scim2": func(_ context.Context, c provisioning.Config) (provisioning.Connector, error) {
			return scim.New(c, http.DefaultClient)
		},
	}, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() { stopped <- s.e.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-stopped; err != nil {
			t.Errorf("engine: %v", err)
		}
	})
	return s
}

func (s *story) app(a directory.App) string {
	s.Helper()
	out, err := s.dir.CreateApp(s.Context(), s.c, a)
	if err != nil {
		s.Fatal(err)
	}
	return out.ID
}

func (s *story) ldapApp(features ...string) string {
	s.Helper()
	return s.app(directory.App{Name: "ldap", Label: "Directory", Features: features, Settings: map[string]any{"app": map[string]any{
		"url": s.slapd.URL, "bindDn": testserver.AdminDN, "bindPassword": testserver.AdminPassword,
		"userBaseDn": testserver.PeopleDN, "groupBaseDn": testserver.GroupsDN,
		"userDnTemplate": `"uid=" + String.substringBefore(user.login, "@") + ",ou=engineering,` + testserver.PeopleDN + `"`,
	}}})
}

// eventually asks until ok holds, for at most some seconds.
func (s *story) eventually(what string, ok func() bool) {
	s.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if ok() {
			return
		}
	}
	s.Fatalf("never: %s; tasks %s", what, s.tasks())
}

func (s *story) tasks() string {
	var b strings.Builder
	apps, err := s.dir.Apps(s.Context(), "", 10)
	if err != nil {
		s.Fatal(err)
	}
	for _, a := range apps {
		tasks, err := s.e.Tasks(s.Context(), a.ID, "", 10)
		if err != nil {
			s.Fatal(err)
		}
		for _, t := range tasks {
			b.WriteString(t.Operation + ": " + t.Error.Body + "; ")
		}
	}
	return b.String()
}

func (s *story) imports(appID string) *provisioning.ImportRun {
	s.Helper()
	r, err := s.e.StartImport(s.Context(), s.c, appID, provisioning.ModeRun, provisioning.TypeFull)
	if err != nil {
		s.Fatal(err)
	}
	s.eventually("import ends", func() bool {
		if r, err = s.e.Import(s.Context(), appID, r.ID); err != nil {
			s.Fatal(err)
		}
		return r.Status != provisioning.RunRunning
	})
	return r
}

func (s *story) userID(login string) string {
	s.Helper()
	u, err := s.dir.UserByLogin(s.Context(), login)
	if err != nil {
		s.Fatalf("%s: %v", login, err)
	}
	return u.ID
}

func (s *story) create(login string) string {
	s.Helper()
	typ, _ := s.dir.Schemas().Type("User")
	r, err := typ.FromProfile(map[string]any{"login": login, "email": login, "firstName": "Grace", "lastName": "Höpper", "title": "Admiral"})
	if err != nil {
		s.Fatal(err)
	}
	u, err := s.dir.CreateUser(s.Context(), s.c, r, directory.CreateOptions{Status: directory.Active})
	if err != nil {
		s.Fatal(err)
	}
	return u.ID
}

func (s *story) assign(appID, userID string) {
	s.Helper()
	if _, err := s.dir.AssignUser(s.Context(), s.c, appID, userID); err != nil {
		s.Fatal(err)
	}
}

func (s *story) set(userID string, profile map[string]any) {
	s.Helper()
	if _, err := s.dir.UpdateProfile(s.Context(), s.c, userID, profile); err != nil {
		s.Fatal(err)
	}
}

var pushAndImport = []string{
	directory.PushNewUsers, directory.PushProfileUpdates, directory.PushUserDeactivation, directory.ReactivateUsers, directory.GroupPush,
	directory.ImportNewUsers, directory.ImportGroups,
}

// TestOrganisationImportsAndChangesReachLDAPAndSCIM is steps 1, 2 and 5 of one
// person's way, against a real slapd and scimmy.
func TestOrganisationImportsAndChangesReachLDAPAndSCIM(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := begin(t, db)
		dirApp := s.ldapApp(pushAndImport...)
		saas := s.app(directory.App{Name: "scim2", Label: "SaaS", Features: pushAndImport,
			Settings: map[string]any{"app": map[string]any{"baseUrl": s.scimmy.URL, "token": "tok"}}})

		r := s.imports(dirApp)
		if r.Status != provisioning.RunSucceeded || r.Counts.Create != 324 || r.Counts.Error != 0 || r.Groups.Create < 30 || r.Groups.Error != 0 {
			changes, _ := s.e.ImportChanges(t.Context(), dirApp, r.ID, provisioning.TypeUser, "", 400)
			for _, c := range changes {
				if c.Action == "error" {
					t.Logf("%s %s: %s", c.ExternalID, c.Login, c.Reason)
				}
			}
			t.Fatalf("import %s (%s): %+v, groups %+v", r.Status, r.Reason, r.Counts, r.Groups)
		}
		ada, zoe := s.userID("ada.lovelace@example.com"), s.userID("zoe.mueller@example.com")
		u, err := s.dir.User(t.Context(), zoe)
		if err != nil {
			t.Fatal(err)
		}
		profile, err := s.dir.Profile(u)
		if err != nil {
			t.Fatal(err)
		}
		if profile["firstName"] != "Zoë" || profile["lastName"] != "Müller" || profile["managerId"] != ada {
			t.Errorf("profile %v", profile)
		}
		if r := s.imports(dirApp); r.Counts.Unchanged != 324 || r.Counts.Drift != 0 {
			t.Errorf("second import %+v", r.Counts)
		}

		s.assign(saas, ada)
		s.eventually("ada is in the SaaS", func() bool { return s.appUser(saas, ada).ExternalID != "" })
		s.set(ada, map[string]any{"title": "Countess", "mobilePhone": "+41 79 000"})
		s.eventually("ada's title in LDAP", func() bool {
			entry := s.slapd.Search(t, testserver.PeopleDN, "(uid=ada.lovelace)", "title", "mobile")
			return strings.Contains(entry, "title: Countess\n") && strings.Contains(entry, "mobile: +41 79 000\n")
		})
		s.eventually("ada's title in the SaaS", func() bool {
			a := s.appUser(saas, ada)
			return a.SyncState == directory.SyncSynchronized && a.Profile["title"] == "Countess"
		})
		grace := s.create("grace@example.com")
		s.assign(dirApp, grace)
		s.assign(saas, grace)
		s.eventually("grace in LDAP", func() bool {
			return strings.Contains(s.slapd.Search(t, testserver.PeopleDN, "(uid=grace)", "title"), "title: Admiral")
		})
		s.eventually("grace in the SaaS", func() bool { return s.appUser(saas, grace).ExternalID != "" })

		if _, err := s.dir.SetStatus(t.Context(), s.c, grace, directory.Deactivate); err != nil {
			t.Fatal(err)
		}
		s.eventually("grace is locked in LDAP", func() bool {
			return strings.Contains(s.slapd.Search(t, testserver.PeopleDN, "(uid=grace)", "pwdAccountLockedTime"), "000001010000Z")
		})
		s.eventually("grace is off in the SaaS", func() bool { return s.appUser(saas, grace).Status == directory.AppUserDeprovisioned })
		if tasks := s.tasks(); tasks != "" {
			t.Errorf("tasks are left: %s", tasks)
		}
	})
}

func (s *story) appUser(appID, userID string) *directory.AppUser {
	s.Helper()
	a, err := s.dir.AppUser(s.Context(), appID, userID)
	if err != nil {
		s.Fatal(err)
	}
	return a
}
