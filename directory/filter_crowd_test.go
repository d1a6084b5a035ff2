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

// A crowd is many users who are written by plain SQL, since a million of them by the
// directory's own writes would take an hour. i is the number of a user; a family name
// has a hundred of them, a department one in forty.

const crowdDoc = `'{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],' ||
	'"userName":"user' || (10000000+i) || '@example.com","name":{"familyName":"Family' || (100000+i/100) || '","givenName":"Given' || (1000+i%500) || '"},' ||
	'"displayName":"Given' || (1000+i%500) || ' Family' || (100000+i/100) || '",' ||
	CASE WHEN i%10 = 0 THEN '"nickName":"Nick' || (10000000+i) || '",' ELSE '' END ||
	'"title":"Title ' || (100+i%50) || '","userType":"employee",' ||
	'"emails":[{"value":"user' || (10000000+i) || '@example.com","type":"work","primary":true},{"value":"home' || (10000000+i) || '@home.example","type":"home"}],' ||
	'"phoneNumbers":[{"value":"+1 555 ' || (10000000+i) || '","type":"work"}],' ||
	CASE WHEN i%1000 = 0 THEN '"photos":[{"value":"https://photos.example/' || (10000000+i) || '","type":"photo"}],' ELSE '' END ||
	'"addresses":[{"formatted":"' || i || ' Main Street","locality":"City ' || (100+i%300) || '","type":"work"}],' ||
	'"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"' || (10000000+i) || '","department":"Department ' || (100+i%40) || '",' ||
	'"manager":{"value":"00umanager' || (100000+i/100) || '"}}}'`

// crowdRows are the index rows of a user: path, element, value, and who has it.
var crowdRows = [][4]string{
	{"addresses.formatted", "0", "''", "TRUE"},
	{"addresses.locality", "0", "'city ' || (100+i%300)", "TRUE"},
	{"addresses.type", "0", "'work'", "TRUE"},
	{"emails.primary", "0", "'true'", "TRUE"},
	{"emails.type", "1", "'home'", "TRUE"},
	{"emails.type", "0", "'work'", "TRUE"},
	{"emails.value", "1", "'home' || (10000000+i) || '@home.example'", "TRUE"},
	{"emails.value", "0", "'user' || (10000000+i) || '@example.com'", "TRUE"},
	{"enterprise:department", "0", "'department ' || (100+i%40)", "TRUE"},
	{"enterprise:employeeNumber", "0", "'' || (10000000+i)", "TRUE"},
	{"enterprise:manager.value", "0", "'00umanager' || (100000+i/100)", "TRUE"},
	{"nickName", "0", "'nick' || (10000000+i)", "i%10 = 0"},
	{"phoneNumbers.type", "0", "'work'", "TRUE"},
	{"phoneNumbers.value", "0", "'+1 555 ' || (10000000+i)", "TRUE"},
	{"photos.type", "0", "'photo'", "i%1000 = 0"},
	{"photos.value", "0", "''", "i%1000 = 0"},
	{"schemas", "0", "'urn:ietf:params:scim:schemas:extension:enterprise:2.0:user'", "TRUE"},
	{"title", "0", "'title ' || (100+i%50)", "TRUE"},
	{"userType", "0", "'employee'", "TRUE"},
}

// crowd stores n users behind those that the directory has. The planner is told nothing
// of them on SQLite, where nobody does so in production; PostgreSQL tells itself.
func crowd(t testing.TB, d *Directory, n int) {
	t.Helper()
	numbers := "(WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM n WHERE i < %d) SELECT i FROM n) n"
	if d.DB.Dialect() == sqldb.PostgreSQL {
		numbers = "(SELECT i::int FROM generate_series(0, %d) s(i)) n"
	}
	from := " FROM " + fmt.Sprintf(numbers, n-1)
	statements := []string{
		`INSERT INTO resources (rid, id, type, version, status, active, created, modified, status_changed, user_name, display_name, family_name, given_name)
			SELECT 1000+i, '00ucrowd' || (10000000+i), 'User', 1, 'ACTIVE', TRUE, ` + crowdTime + `, ` + crowdTime + `, ` + crowdTime + `, 'user' || (10000000+i) || '@example.com',
			'given' || (1000+i%500) || ' family' || (100000+i/100), 'family' || (100000+i/100), 'given' || (1000+i%500)` + from,
		`INSERT INTO documents (rid, doc) SELECT 1000+i, ` + crowdDoc + from,
		`INSERT INTO external_ids (rid, client, value) SELECT 1000+i, '` + tester.Client + `', 'ext-' || (10000000+i)` + from,
		fmt.Sprintf(`INSERT INTO totals (type, delta) VALUES ('User', %d)`, n),
	}
	for _, r := range crowdRows {
		statements = append(statements, `INSERT INTO attribute_values (path, val, rid, elem) SELECT '`+r[0]+`', `+r[2]+`, 1000+i, `+r[1]+from+` WHERE `+r[3]+` ORDER BY 2, 3`)
	}
	if d.DB.Dialect() == sqldb.PostgreSQL {
		statements = append(statements, "ANALYZE")
	}
	for _, s := range statements {
		err := d.DB.Write(context.Background(), func(tx *sqldb.Tx) error {
			_, err := tx.Exec(s)
			return err
		})
		if err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// crowdTime is when user i was made: one each second from the beginning of 2001.
const crowdTime = "(978307200 + i) * CAST(1000000 AS BIGINT)"

// TestCrowdIsReal: what the crowd has in the index is what the directory would write.
func TestCrowdIsReal(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		crowd(t, d, 11)
		for _, name := range []string{"user10000000@example.com", "user10000007@example.com"} {
			u, err := d.UserByLogin(t.Context(), name)
			if err != nil {
				t.Fatal(err)
			}
			r, err := d.Resource(u)
			if err != nil {
				t.Fatal(err)
			}
			if doc := r.Doc(); string(doc) != string(u.Doc) {
				t.Errorf("not canonical:\n got %s\nwant %s", u.Doc, doc)
			}
			want := r.Index()
			slices.SortFunc(want, func(a, b schemas.Entry) int {
				return strings.Compare(a.Path+"\x00"+a.Value, b.Path+"\x00"+b.Value)
			})
			if diff := cmp.Diff(want, entriesOf(t, d, u.RID)); diff != "" {
				t.Errorf("index of %s (-want +got):\n%s", name, diff)
			}
		}
	})
}

func entriesOf(t testing.TB, d *Directory, rid int64) (all []schemas.Entry) {
	t.Helper()
	rows, err := d.DB.Query(context.Background(), `SELECT path, val, elem FROM attribute_values WHERE rid = $1 ORDER BY path, val`, rid)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var e schemas.Entry
		if err := rows.Scan(&e.Path, &e.Value, &e.Elem); err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}
