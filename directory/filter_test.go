package directory

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// search returns the logins, up to the @, of the users that a filter finds.
func search(t testing.TB, d *Directory, filter string) []string {
	t.Helper()
	return searchType(t, d, typeUser, filter)
}

func searchType(t testing.TB, d *Directory, typ, filter string) []string {
	t.Helper()
	f, err := d.typeNamed(typ).ParseFilter(filter, schemas.Generic)
	if err != nil {
		t.Fatalf("parse %s: %v", filter, err)
	}
	p, err := d.List(context.Background(), typ, ListQuery{Filter: f, Count: 100, Client: tester.Client})
	if err != nil {
		t.Fatalf("%s: %v", filter, err)
	}
	names := []string{}
	for _, u := range p.Users {
		r, err := d.Resource(u)
		if err != nil {
			t.Fatal(err)
		}
		name, _, _ := strings.Cut(r.UserName(), "@")
		names = append(names, name)
	}
	for _, g := range p.Groups {
		names = append(names, g.Name())
	}
	if p.Total != len(names) {
		t.Errorf("%s: total %d, but %d rows", filter, p.Total, len(names))
	}
	return names
}

// people fills a directory for the filters.
func people(t testing.TB, d *Directory) (ana, bob, cy *User, staff *Group) {
	t.Helper()
	ana = mustCreate(t, d, `{"userName":"ana@example.com","externalId":"E-1","displayName":"Ana Ruiz","title":"Engineer",
		"name":{"givenName":"Ana","familyName":"Ruiz"},
		"emails":[{"value":"ana@work.example","type":"work","primary":true},{"value":"ana@home.example","type":"home"}],
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Tools","employeeNumber":"7","manager":{"value":"m1"}}}`)
	bob = mustCreate(t, d, `{"userName":"bob@example.com","externalId":"e-1","displayName":"Bob Ångström",
		"name":{"givenName":"Bob","familyName":"Ångström"},
		"emails":[{"value":"bob@home.example","type":"work"},{"value":"bob@work.example","type":"home"}]}`)
	cy = mustCreate(t, d, `{"userName":"cy@example.com","active":false,"title":"Chief 100%_sure"}`)
	staff = mustCreateGroup(t, d, "Staff")
	if err := d.AddMember(context.Background(), tester, staff.ID, ana.ID); err != nil {
		t.Fatal(err)
	}
	return ana, bob, cy, staff
}

const enterprise = `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:`

// expect runs filters and compares the users they find.
func expect(t *testing.T, d *Directory, filters map[string]string) {
	t.Helper()
	for filter, want := range filters {
		if got := strings.Join(search(t, d, filter), " "); got != want {
			t.Errorf("%s: %q, want %q", filter, got, want)
		}
	}
}

// Attributes that have columns, or tables, of their own.
func TestFilterColumns(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		ana, _, _, _ := people(t, d)
		expect(t, d, map[string]string{
			`userName eq "ANA@example.com"`:               "ana",
			`USERNAME Eq "ana@EXAMPLE.com"`:               "ana",
			`userName ne "ana@example.com"`:               "bob cy",
			`userName sw "b"`:                             "bob",
			`userName co "NA@"`:                           "ana",
			`userName ew "b@example.com"`:                 "bob",
			`userName gt "bob@example.com"`:               "cy",
			`userName ge "bob@example.com"`:               "bob cy",
			`userName lt "bob@example.com"`:               "ana",
			`userName le "bob@example.com"`:               "ana bob",
			`userName pr`:                                 "ana bob cy",
			`displayName eq "bob ångström"`:               "bob",
			`displayName eq "bob angstrom"`:               "",
			`displayName pr`:                              "ana bob",
			`displayName ne "ana ruiz"`:                   "bob cy",
			`name.familyName sw "å"`:                      "bob",
			`name.givenName eq "ana"`:                     "ana",
			`active eq true`:                              "ana bob",
			`active eq false`:                             "cy",
			`active ne true`:                              "cy",
			`externalId eq "E-1"`:                         "ana",
			`externalId eq "e-1"`:                         "bob",
			`externalId pr`:                               "ana bob",
			`externalId sw "E"`:                           "ana",
			`id eq "` + ana.ID + `"`:                      "ana",
			`id ne "` + ana.ID + `"`:                      "bob cy",
			`meta.resourceType eq "User"`:                 "ana bob cy",
			`meta.resourceType eq "Group"`:                "",
			`meta.created gt "2000-01-01T00:00:00Z"`:      "ana bob cy",
			`meta.lastModified lt "2000-01-01T00:00:00Z"`: "",
		})
	})
}

// Attributes in the inverted index.
func TestFilterIndex(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		people(t, d)
		expect(t, d, map[string]string{
			`title eq "engineer"`:                "ana",
			`title ne "engineer"`:                "bob cy",
			`title pr`:                           "ana cy",
			`title co "100%"`:                    "cy",
			`title co "100_"`:                    "",
			`title ew "_sure"`:                   "cy",
			`title gt "d"`:                       "ana",
			`emails.value eq "bob@work.example"`: "bob",
			`emails eq "bob@work.example"`:       "bob",
			`emails.value sw "ana"`:              "ana",
			`emails.value co "work"`:             "ana bob",
			`emails.type eq "work"`:              "ana bob",
			`emails pr`:                          "ana bob",
			`title eq null`:                      "bob",
		})
	})
}

// Combinations, complements and groups.
func TestFilterLogic(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		ana, _, _, staff := people(t, d)
		expect(t, d, map[string]string{
			`not (displayName pr)`:            "cy",
			`not (displayName eq "ana ruiz")`: "bob cy",
			`not (title pr)`:                  "bob",
			`meta.created eq "` + ana.Created.Format("2006-01-02T15:04:05.000Z") + `" and userName sw "ana"`: "ana",
			`userName sw "a" and ` + enterprise + `department eq "tools"`:                                    "ana",
			`groups.value eq "` + staff.ID + `"`:                                                             "ana",
			`groups.display eq "staff"`:                                                                      "ana",
			`groups pr`:                                                                                      "ana",
			`not (groups pr)`:                                                                                "bob cy",
			`userName eq "ana@example.com" or title sw "chief"`:                                              "ana cy",
			`(userName sw "a" or userName sw "b") and not (title eq "engineer")`:                             "bob",
			`title eq "engineer" or not (emails pr)`:                                                         "ana cy",
			`userName sw "c" and (title eq "x" or active eq false)`:                                          "cy",
			`userName eq "\" or 1=1 --"`:                                                                     "",
		})
	})
}

// Value paths: all of it must hold of one element (RFC 7644, section 3.4.2.2).
func TestFilterBrackets(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		_, _, _, staff := people(t, d)
		expect(t, d, map[string]string{
			`emails[type eq "work" and value co "work"]`:                             "ana",
			`emails[type eq "home" and value co "work"]`:                             "bob",
			`emails[type eq "work" and not (value co "work")]`:                       "bob",
			`emails[not (type eq "work")]`:                                           "ana bob",
			`emails[type ne "work" and value sw "bob"]`:                              "bob",
			`emails[(type eq "work" or type eq "home") and value ew "work.example"]`: "ana bob",
			`emails[type eq "other"]`:                                                "",
			`not (emails[type eq "work" and value co "work"])`:                       "bob cy",
			`emails[type eq "work" and value co "work"] and title pr`:                "ana",
			`title pr and emails[primary eq true]`:                                   "ana",
			`groups[display sw "st" and value eq "` + staff.ID + `"]`:                "ana",
		})
	})
}

func TestFilterGroups(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		ana, _, _, _ := people(t, d)
		for filter, want := range map[string][]string{
			`members.value eq "` + ana.ID + `"`:   {"Staff"},
			`members[value eq "` + ana.ID + `"]`:  {"Staff"},
			`members pr`:                          {"Staff"},
			`displayName sw "st"`:                 {"Staff"},
			`displayName pr and not (members pr)`: {Everyone, Administrators},
			`members.type eq "User"`:              {"Staff"},
			`members.type eq "Group"`:             {},
		} {
			got := searchType(t, d, typeGroup, filter)
			slices.Sort(got)
			slices.Sort(want)
			if !cmp.Equal(got, want) {
				t.Errorf("%s: %v, want %v", filter, got, want)
			}
		}
	})
}

func TestADV55_ExternalIDOfAnotherClient(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		mustCreate(t, d, `{"userName":"a@example.com","externalId":"secret-1"}`)
		for _, filter := range []string{`externalId eq "secret-1"`, `externalId pr`, `externalId co "secret"`, `not (not (externalId eq "secret-1"))`} {
			f, err := d.userType().ParseFilter(filter, schemas.Generic)
			if err != nil {
				t.Fatal(err)
			}
			p, err := d.List(t.Context(), typeUser, ListQuery{Filter: f, Count: 10, Client: "00Tother"})
			if err != nil || p.Total != 0 || len(p.Users) != 0 {
				t.Errorf("%s by another client: %+v, %v", filter, p, err)
			}
		}
		p, err := d.List(t.Context(), typeUser, ListQuery{Count: 10, Client: "00Tother"})
		if err != nil || p.Users[0].ExternalID != "" {
			t.Errorf("another client is shown %q, %v", p.Users[0].ExternalID, err)
		}
	})
}

// fill stores n users and tells the planner about them.
func fill(t testing.TB, d *Directory, n int) {
	t.Helper()
	all := make([]UserToCreate, n)
	for i := range all {
		all[i].Resource = parseUser(t, d, fmt.Sprintf(`{"userName":"user%d@example.com","externalId":"e%d","title":"title %d",
			"displayName":"User %d","name":{"givenName":"G%d","familyName":"F%d"},
			"emails":[{"value":"mail%d@example.com","type":"work"},{"value":"home%d@example.com","type":"home"}],
			"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"d%d"}}`, i, i, i, i, i%500, i%700, i, i, i%40))
	}
	for batch := range slices.Chunk(all, MaxUserBatch) {
		if _, err := d.CreateUsers(context.Background(), tester, batch); err != nil {
			t.Fatal(err)
		}
	}
	err := d.DB.Write(context.Background(), func(tx *sqldb.Tx) error {
		_, err := tx.Exec("ANALYZE")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
