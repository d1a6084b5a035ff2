package transfer

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/keyring"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
	"github.com/provost-id/provost/schemas"
)

var operator = directory.Change{Actor: events.Actor{ID: "operator", Type: "System"}}

// withDevices is the schema of these tests: custom attributes of every type, and a
// resource type beside User and Group.
func withDevices(t testing.TB, version int64) *schemas.Snapshot {
	t.Helper()
	types := schemas.Default()
	types[0].Extensions[1].Schema.Attributes = []schemas.Attribute{
		{Name: "level", Type: schemas.Integer}, {Name: "remote", Type: schemas.Boolean}, {Name: "skills", Type: schemas.String, MultiValued: true},
		{Name: "badge", Type: schemas.String, Uniqueness: schemas.UniqueServer},
	}
	types = append(types, schemas.ResourceType{Name: "Device", Endpoint: "/Devices", Core: schemas.Schema{
		ID: "urn:example:params:scim:schemas:Device", Name: "Device",
		Attributes: []schemas.Attribute{{Name: "serial", Type: schemas.String, Required: true, Uniqueness: schemas.UniqueServer}},
	}})
	s, err := schemas.Compile(version, types)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func openDirectory(t testing.TB, db *sqldb.DB) *directory.Directory {
	t.Helper()
	master := make([]byte, keyring.KeySize)
	_, _ = rand.Read(master)
	keys, err := keyring.New(master)
	if err != nil {
		t.Fatal(err)
	}
	d, err := directory.New(context.Background(), db, keys, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := withDevices(t, d.Schemas().Version)
	d.Schemas = func() *schemas.Snapshot { return s }
	return d
}

// eachEngine runs fn on both engines; another opens one more directory there.
func eachEngine(t *testing.T, fn func(t *testing.T, d *directory.Directory, another func() *directory.Directory)) {
	t.Helper()
	for name, open := range map[string]func(testing.TB) *sqldb.DB{"sqlite": sqldbtest.SQLite, "postgresql": sqldbtest.PostgreSQL} {
		t.Run(name, func(t *testing.T) {
			fn(t, openDirectory(t, open(t)), func() *directory.Directory { return openDirectory(t, open(t)) })
		})
	}
}

func writeFile(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func importFile(t testing.TB, d *directory.Directory, o Options) *Summary {
	t.Helper()
	s, err := Import(t.Context(), d, operator, o)
	if err != nil {
		t.Fatalf("import %s: %v", o.Path, err)
	}
	return s
}

func exportFile(t testing.TB, d *directory.Directory, name string, o ExportOptions) string {
	t.Helper()
	o.Path = filepath.Join(t.TempDir(), name)
	if _, err := Export(t.Context(), d, o); err != nil {
		t.Fatalf("export: %v", err)
	}
	return o.Path
}

func read(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// contents is what a directory holds: each resource with what stands beside it, and
// the members of each group. ids may be left out where they are not kept.
func contents(t testing.TB, d *directory.Directory) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := d.DB.View(t.Context(), func(rd sqldb.Reader) error {
		for _, typ := range d.Schemas().Types() {
			err := d.Walk(t.Context(), rd, typ.Name, directory.WalkQuery{Passwords: true}, func(page []*directory.Stored) error {
				for _, s := range page {
					text := fmt.Sprintf("%s %s %s %+v", s.Doc, s.Status, s.PasswordHash, s.Origin)
					if typ.Name == "Group" {
						text = fmt.Sprintf("%s %s %v %v", s.Doc, s.Status, s.Created, s.ExternalIDs)
						err := d.WalkMembers(t.Context(), rd, s.RID, func(members []*directory.StoredMember) error {
							for _, m := range members {
								text += " " + m.ID
							}
							return nil
						})
						if err != nil {
							return err
						}
					}
					if s.ID == d.EveryoneID() || s.ID == d.AdministratorsID() {
						continue
					}
					all[s.ID] = text
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// populate makes people in every status, with several namespaces of external IDs,
// nested groups, a group of an app, and a device.
func populate(t testing.TB, d *directory.Directory) {
	t.Helper()
	ctx := t.Context()
	user, _ := d.Schemas().Type("User")
	group, _ := d.Schemas().Type("Group")
	device, _ := d.Schemas().Type("Device")
	parse := func(typ *schemas.Type, body string) *schemas.Resource {
		r, err := typ.Parse([]byte(body), schemas.Generic)
		if err != nil {
			t.Fatalf("parse %s: %v", body, err)
		}
		return r
	}
	var ids []string
	statuses := []directory.Status{directory.Staged, directory.Provisioned, directory.Active, directory.Recovery, directory.PasswordExpired,
		directory.LockedOut, directory.Suspended, directory.Deprovisioned}
	for i := range 40 {
		c := operator
		c.Client, c.Source = []string{"", "00Tone", "00Ttwo"}[i%3], directory.Source{Kind: directory.SourceSCIM}
		manager := ""
		if i > 0 {
			manager = fmt.Sprintf(`"manager":{"value":%q},`, ids[i/2])
		}
		o := directory.CreateOptions{Status: statuses[i%len(statuses)]}
		if i%4 == 0 {
			o.PasswordHash = "$argon2id$v=19$m=19456,t=2,p=1$tsf8SSVIduz3BaXN4/wyhA$EiBcrJtyVxCyxuIhKRPLPXRNFzEGAHws5wROqBk6UoI"
		}
		u, err := d.CreateUser(ctx, c, parse(user, fmt.Sprintf(`{"userName":"Üser%[1]d@example.com","externalId":"x%[1]d","name":{"givenName":"Zoë \"%[1]d\"","familyName":"O'Neil, =1+1"},
			"emails":[{"value":"u%[1]d@example.com","type":"work","primary":true},{"value":"h%[1]d@home.example","type":"home"}],"title":"a|b\\c",
			"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{%[2]s"department":"Sales"},
			"urn:provost:params:scim:schemas:extension:org:2.0:User":{"level":%[1]d,"remote":true,"skills":["go","a|b"],"badge":"B%[1]d"}}`, i, manager)), o)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, u.ID)
	}
	c := operator
	c.Client, c.Source = "00Tone", directory.Source{Kind: directory.SourceSCIM}
	inner, err := d.CreateGroup(ctx, c, parse(group, `{"displayName":"Inner, \"quoted\"","externalId":"g1"}`), directory.GroupOptions{})
	check(t, err)
	outer, err := d.CreateGroup(ctx, c, parse(group, `{"displayName":"Outer","urn:provost:params:scim:schemas:extension:org:2.0:Group":{"description":"line\nbreak"}}`), directory.GroupOptions{})
	check(t, err)
	_, err = d.CreateGroup(ctx, c, parse(group, `{"displayName":"Outer"}`), directory.GroupOptions{Type: directory.AppGroup})
	check(t, err)
	check(t, d.DB.Write(ctx, func(tx *sqldb.Tx) error {
		if err := d.ChangeMembersTx(tx, c, inner.ID, ids[:30], nil); err != nil {
			return err
		}
		return d.ChangeMembersTx(tx, c, outer.ID, []string{ids[35], inner.ID}, nil)
	}))
	_, err = d.CreateResource(ctx, c, parse(device, `{"schemas":["urn:example:params:scim:schemas:Device"],"serial":"S1","externalId":"d1"}`))
	check(t, err)
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// What is exported as JSON lines with hashes and imported into an empty directory is
// the same directory: documents, IDs, versions, times, statuses, external IDs of all
// clients, password hashes, memberships.
func TestJSONLinesAreLossless(t *testing.T) {
	eachEngine(t, func(t *testing.T, d *directory.Directory, another func() *directory.Directory) {
		populate(t, d)
		for _, name := range []string{"all.jsonl", "all.jsonl.gz"} {
			path := exportFile(t, d, name, ExportOptions{Passwords: true})
			copied := another()
			s := importFile(t, copied, Options{Path: path})
			if s.Created != 44 || s.Rejected != 0 || s.Members != 32 {
				t.Errorf("summary %+v", s)
			}
			if diff := cmp.Diff(contents(t, d), contents(t, copied)); diff != "" {
				t.Errorf("original (-) and copy (+):\n%s", diff)
			}
			again := importFile(t, copied, Options{Path: path, Mode: Upsert})
			if again.Unchanged+again.Skipped != again.Records || again.Skipped != 1 {
				t.Errorf("a second import changes something: %+v", again)
			}
		}
		if text := read(t, exportFile(t, d, "plain.jsonl", ExportOptions{})); strings.Contains(text, "$argon2id") || strings.Contains(text, "passwordChanged") {
			t.Error("hashes are exported without being asked for")
		}
	})
}
