package directory

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-id/provost/directory/passwords"
	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
	"github.com/provost-id/provost/schemas"
)

// secondUnique makes employeeNumber unique beside userName.
func secondUnique(t testing.TB, d *Directory) {
	t.Helper()
	types := schemas.Default()
	for i := range types {
		for j := range types[i].Extensions {
			attrs := types[i].Extensions[j].Schema.Attributes
			for k := range attrs {
				if attrs[k].Name == "employeeNumber" {
					attrs[k].Uniqueness = schemas.UniqueServer
				}
			}
		}
	}
	s, err := schemas.Compile(d.Schemas().Version, types)
	if err != nil {
		t.Fatal(err)
	}
	d.Schemas = func() *schemas.Snapshot { return s }
}

// batchWorld is a directory in which creating a user has every consequence: a rule, an
// app for everybody, and an app of a group.
type batchWorld struct {
	*Directory
	group, other *Group
}

func newBatchWorld(t *testing.T, db *sqldb.DB) batchWorld {
	d := openDirectory(t, db)
	secondUnique(t, d)
	d.Now = func() time.Time { return time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC) }
	w := batchWorld{d, mustCreateGroup(t, d, "Sales"), mustCreateGroup(t, d, "Joined")}
	mustActivate(t, d, mustRule(t, d, `user.department == "Sales"`, w.group.ID))
	mustActivate(t, d, mustRule(t, d, `user.division == "Fails" && user.title == null`, w.other.ID))
	for i, groupID := range []string{d.EveryoneID(), w.group.ID} {
		a := mustCreateApp(t, d, fmt.Sprint("App ", i), PushNewUsers, GroupPush)
		check(t, d.AssignGroup(t.Context(), manager, GroupAssignment{AppID: a.ID, GroupID: groupID}))
	}
	return w
}

// entries draws users whose logins and numbers collide now and then, within the batch
// and with those of before.
func (w batchWorld) entries(t *testing.T, r *rand.Rand, n int) []UserToCreate {
	batch := make([]UserToCreate, n)
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	for i := range batch {
		login := pick("Ann", "ann", "bo", "Çem", "cem", "dee", "eve", "fay") + pick("", "1", "2", "3", "4", "5", "6") + "@example.com"
		number := pick(`"number":1`, `"employeeNumber":"`+fmt.Sprint(r.IntN(60))+`"`, `"costCenter":"7"`)
		if strings.HasPrefix(number, `"number`) {
			number = `"organization":"Org"`
		}
		body := fmt.Sprintf(`{"userName":%q,"externalId":%q,"active":%s,"name":{"familyName":%q},"emails":[{"value":%q,"type":"work"},{"value":"h%d@home.example","type":"home"}],
			"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":%q,"division":%q,%s}}`,
			login, pick("", "e1", "e2", "e3"), pick("true", "false"), pick("Östberg", "Okonkwo", "x"), login, r.IntN(9),
			pick("Sales", "Tools"), pick("North", "Fails"), number)
		o := CreateOptions{PasswordHash: pick("", "", passwords.Decoy, "$no$hash"), Status: Status(pick("", "", string(Suspended)))}
		for range r.IntN(3) {
			o.Groups = append(o.Groups, pick(w.other.ID, w.other.ID, w.group.ID, w.AdministratorsID(), "00gnobody"))
		}
		batch[i] = UserToCreate{Resource: parseUser(t, w.Directory, body), Options: o}
	}
	return batch
}

// dump is everything that users have left in the database, with row numbers and IDs by
// their order.
func (w batchWorld) dump(t *testing.T) map[string][]string {
	var names []string
	for prefix, query := range map[string]string{
		"U": `SELECT id FROM resources WHERE type = 'User' ORDER BY rid`, "G": `SELECT id FROM resources WHERE type = 'Group' ORDER BY display_name`,
		"A": `SELECT id FROM apps ORDER BY label`, "L": `SELECT id FROM group_rules ORDER BY expression`,
	} {
		ids, err := column[string](w.DB.Query(t.Context(), query))
		check(t, err)
		for i, id := range ids {
			names = append(names, id, fmt.Sprintf("%s%d", prefix, i))
		}
	}
	of := func(column string) string { return `(SELECT id FROM resources o WHERE o.rid = ` + column + `)` }
	created := `(SELECT subject FROM events e WHERE e.id = t.event) || (SELECT type FROM events e WHERE e.id = t.event)`
	out := map[string][]string{}
	for table, query := range map[string]string{
		"resources": `SELECT id || '|' || type || '|' || version || '|' || status || '|' || active || '|' || created || '|' || modified || '|' || status_changed
			|| '|' || COALESCE(activated, 0) || '|' || COALESCE(members_changed, 0) || '|' || COALESCE(user_name, '') || '|' || COALESCE(display_name, '')
			|| '|' || COALESCE(family_name, '') || '|' || COALESCE(given_name, '') FROM resources WHERE type = 'User'`,
		"documents":         `SELECT ` + of("t.rid") + ` || doc FROM documents t`,
		"attribute_values":  `SELECT path || '|' || val || '|' || ` + of("t.rid") + ` || '|' || elem FROM attribute_values t`,
		"unique_values":     `SELECT path || '|' || val || '|' || ` + of("t.rid") + ` FROM unique_values t`,
		"external_ids":      `SELECT client || '|' || value || '|' || ` + of("t.rid") + ` FROM external_ids t`,
		"members":           `SELECT ` + of("group_rid") + ` || ` + of("member_rid") + ` FROM members`,
		"passwords":         `SELECT ` + of("t.rid") + ` || hash || changed FROM passwords t`,
		"totals":            `SELECT type || SUM(delta) FROM totals GROUP BY type`,
		"rule_grants":       `SELECT ` + of("group_rid") + ` || ` + of("member_rid") + ` || rule_id || kept_out FROM rule_grants`,
		"rule_hand_members": `SELECT ` + of("group_rid") + ` || ` + of("member_rid") + ` FROM rule_hand_members`,
		"app_users":         `SELECT app_id || user_id || status || sync_state || scope || assigned FROM app_users`,
		"markers":           `SELECT app_id || kind || object_id || status FROM markers`,
		"attribute_sources": `SELECT ` + of("t.rid") + ` || attr || kind || source || mapping || time || ` + created + ` FROM attribute_sources t`,
		"events":            `SELECT body FROM events WHERE type <> 'group.lifecycle.create'`,
	} {
		rows, err := column[string](w.DB.Query(t.Context(), query))
		if err != nil {
			t.Fatalf("%s: %v", table, err)
		}
		for i, row := range rows {
			if table == "events" {
				row = row[strings.Index(row, `"published"`):] // its own ID comes first
				row = groupVersion.ReplaceAllString(row, "$1")
			}
			rows[i] = strings.NewReplacer(names...).Replace(row)
		}
		slices.Sort(rows)
		out[table] = rows
	}
	return out
}

// groupVersion is what an event says of a group's version: a batch changes it once.
var groupVersion = regexp.MustCompile(`("resource":{"type":"Group",[^}]*),"version":\d+`)

// outcome is a result without what is drawn at random.
func outcome(r UserResult, w batchWorld) string {
	if r.Err != nil {
		return strings.NewReplacer(w.group.ID, "Sales", w.other.ID, "Joined", w.AdministratorsID(), "Administrators").Replace(r.Err.Error())
	}
	u := *r.User
	u.ID, u.RID = "", 0
	return fmt.Sprintf("%+v", u)
}

// A batch leaves the rows that the same creates leave one by one, and each entry has
// the same result.
func TestCreateUsers_SameAsOneByOne(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		single := newBatchWorld(t, db)
		other := sqldbtest.SQLite
		if db.Dialect() == sqldb.PostgreSQL {
			other = sqldbtest.PostgreSQL
		}
		batched := newBatchWorld(t, other(t))
		for round := range 12 {
			draw := func(w batchWorld) []UserToCreate {
				return w.entries(t, rand.New(rand.NewPCG(1, uint64(round))), 1+round*3)
			}
			results, err := batched.CreateUsers(t.Context(), tester, draw(batched))
			check(t, err)
			failed := 0
			for i, e := range draw(single) {
				u, err := single.CreateUser(t.Context(), tester, e.Resource, e.Options)
				got, want := outcome(results[i], batched), outcome(UserResult{u, err}, single)
				if got != want {
					t.Errorf("round %d, entry %d: batch gives\n%s, alone it is\n%s", round, i, got, want)
				}
				if err != nil {
					failed++
				}
			}
			if round == 11 && (failed == 0 || failed == len(results)) {
				t.Errorf("%d of %d failed: the draw shows nothing", failed, len(results))
			}
			if diff := cmp.Diff(single.dump(t), batched.dump(t)); diff != "" {
				t.Fatalf("round %d: rows of one by one (-) and of the batch (+):\n%s", round, diff)
			}
		}
		for _, w := range []batchWorld{single, batched} {
			if _, _, err := (events.Log{DB: w.DB}).Verify(t.Context()); err != nil {
				t.Errorf("event chain: %v", err)
			}
		}
	})
}

// Writers that want the same logins at once: each login is given once, everybody else
// is told so, and nothing is left of those who lost.
func TestCreateUsers_ConcurrentConflicts(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		secondUnique(t, d)
		const writers, logins = 6, 40
		var mu sync.Mutex
		made := map[string]int{}
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				batch := make([]UserToCreate, logins)
				for i, n := range rand.New(rand.NewPCG(2, uint64(w))).Perm(logins) {
					batch[i].Resource = parseUser(t, d, fmt.Sprintf(`{"userName":"u%d@example.com",
						"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"%d"}}`, n, (n+w)%logins))
				}
				results, err := d.CreateUsers(context.Background(), tester, batch)
				if err != nil {
					t.Errorf("writer %d: %v", w, err)
				}
				mu.Lock()
				defer mu.Unlock()
				for i, r := range results {
					if r.Err == nil {
						made[batch[i].Resource.UserName()]++
					} else if !errors.Is(r.Err, ErrConflict) {
						t.Errorf("entry %d: %v", i, r.Err)
					}
				}
			})
		}
		wg.Wait()
		if len(made) != logins {
			t.Errorf("%d logins were given, want %d", len(made), logins)
		}
		var rows, orphans int
		check(t, d.DB.QueryRow(t.Context(), `SELECT count(*) FROM resources WHERE type = 'User'`).Scan(&rows))
		check(t, d.DB.QueryRow(t.Context(), `SELECT count(*) FROM unique_values u WHERE path LIKE 'User:%'
			AND NOT EXISTS (SELECT 1 FROM resources r WHERE r.rid = u.rid)`).Scan(&orphans))
		if rows != logins || orphans != 0 {
			t.Errorf("%d users and %d values of nobody, want %d and 0", rows, orphans, logins)
		}
	})
}

func TestCreateUsers_Passwords(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		batch := []UserToCreate{
			{Resource: parseUser(t, d, `{"userName":"good@example.com","password":"Tr1ckier-than-most"}`)},
			{Resource: parseUser(t, d, `{"userName":"short@example.com","password":"x"}`)},
		}
		results, err := d.CreateUsers(t.Context(), tester, batch)
		check(t, err)
		if results[0].Err != nil || !results[0].User.HasPassword {
			t.Errorf("a good password: %+v", results[0])
		}
		if !errors.Is(results[1].Err, passwords.ErrRefused) {
			t.Errorf("a bad password gives %v, want passwords.ErrRefused", results[1].Err)
		}
		if _, err := d.CheckPassword(t.Context(), "good@example.com", "Tr1ckier-than-most"); err != nil {
			t.Errorf("sign-in: %v", err)
		}
		if _, err := d.CreateUsers(t.Context(), tester, make([]UserToCreate, MaxUserBatch+1)); err == nil {
			t.Error("a batch beyond the bound is taken")
		}
	})
}
