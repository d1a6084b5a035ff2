package directory

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// selective are filters of which something finds few rows: whatever stands beside it,
// no plan reads a table, a type or an attribute as a whole.
var selective = []string{
	`userName eq "user10000777@example.com"`, `userName sw "user1000077"`, `userName gt "user10019990"`, `displayName eq "given1277 family100007"`,
	`name.familyName sw "family100042"`, `name.givenName eq "x"`, `id eq "00ucrowd10000777"`, `id sw "00ucrowd1000077"`,
	`externalId eq "ext-10000777"`, `externalId sw "ext-1000077"`, `meta.location eq "` + testBase + `/Users/00ucrowd10000777"`,
	`meta.lastModified gt "2001-01-01T05:33:00Z"`, `meta.created lt "2001-01-01T00:01:00Z"`,
	`emails.value eq "user10000777@example.com"`, `emails.value sw "user1000077"`, `emails eq "user10000777@example.com"`,
	`title eq "title 999"`, `title sw "title 99"`, `title ge "zzz"`, enterprise + `department eq "department 107"`,
	enterprise + `employeeNumber eq "10000777"`, enterprise + `manager.value eq "00umanager100007"`, enterprise + `manager.value sw "00umanager100007"`,
	`emails[type eq "work" and value eq "user10000777@example.com"]`, `emails[type eq "work" and value sw "user1000077"]`,
	`emails[value eq "user10000777@example.com" and not (type eq "home")]`, `emails[value sw "user1000077" and display co "x"]`,
	`userName eq "user10000777@example.com" and title sw "title"`, `userName eq "user10000777@example.com" and title pr`,
	`userName eq "user10000777@example.com" and not (title co "x")`, `userName eq "user10000777@example.com" and userType eq "employee"`,
	`title eq "title 107" and emails.value eq "user10000777@example.com"`, `userType eq "employee" and name.familyName sw "family100042"`,
	`name.familyName sw "family100042" and emails[type eq "work"]`, `name.familyName sw "family100042" and not (emails[type eq "home" and value co "x"])`,
	`userName eq "user10000777@example.com" or emails.value eq "user10000778@example.com"`,
	`userName eq "user10000777@example.com" or title eq "title 999" or id eq "00u1"`,
	`(userName eq "user10000777@example.com" and title pr) or (emails.value eq "user10000778@example.com" and not (nickName pr))`,
	`(userType eq "employee" and emails.value eq "user10000777@example.com") or externalId eq "ext-10000778"`,
	`emails.type eq "work" and active eq true and name.familyName sw "family100042" and not (title eq "title 107")`,
	`active eq false`, `active eq false and title eq "title 107"`, `active eq false and userType eq "employee"`,
	`groups.value eq "00g1"`, `groups.display eq "x"`, `name.familyName sw "family100042" and groups.value eq "00g1"`,
	`name.familyName sw "family100042" and schemas eq "` + strings.TrimSuffix(enterprise, ":") + `"`,
	`name.familyName sw "family100042" and addresses.formatted sw "42"`, `userName eq "user10000777@example.com" and photos.value pr`,
}

// ofOneAttribute are filters whose plans may read all values of an attribute, out of an
// index that has what they need.
var ofOneAttribute = []string{
	`userName co "0777@"`, `userName ew "0777@example.com"`, `displayName co "100042"`, `title co "e 107"`, `title ew "107"`, `emails.value co "10000777"`,
	`emails.value ew "10000777@example.com"`, `externalId co "0777"`, `nickName pr`, `photos.value pr`, `photos.value co "0777"`,
	`active eq true and userName co "0777@"`, `userType eq "employee" and not (nickName pr)`,
}

// complements are filters of what is not in a set. On PostgreSQL no plan of them has a
// SubPlan, which is read once per row when it does not fit into memory.
var complements = []string{
	`not (title pr)`, `not (title co "x")`, `nickName eq null`, `title ne "title 107"`, `not (emails[type eq "work" and value co "x"])`,
	`active eq true and not (title pr)`, `not (title pr) or userName eq "user10000777@example.com"`,
	`not (title pr and nickName pr)`, `not (title pr or nickName co "x")`, `title co "x" or not (nickName pr)`,
	`not (title pr and not (nickName co "x" or emails.value co "y"))`,
}

// TestFilterPlans reads the plans of every statement that a filter runs.
func TestFilterPlans(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		crowd(t, d, 20_000)
		t.Run("without statistics", func(t *testing.T) { checkPlans(t, d) })
		check(t, exec1(d, "ANALYZE"))
		t.Run("with statistics", func(t *testing.T) { checkPlans(t, d) })
	})
}

func checkPlans(t *testing.T, d *Directory) {
	for _, filter := range selective {
		for _, s := range statementsOf(t, d, filter) {
			for _, step := range plan(t, d, s.query, s.args) {
				if isScan(d.DB.Dialect(), step) || isWhole(step) {
					t.Errorf("%s\n%s\n%s", filter, step, s.query)
				}
			}
		}
	}
	checkComplements(t, d)
	for _, filter := range ofOneAttribute {
		for _, s := range statementsOf(t, d, filter) {
			for _, step := range plan(t, d, s.query, s.args) {
				if isScan(d.DB.Dialect(), step) {
					t.Errorf("%s\n%s\n%s", filter, step, s.query)
				}
			}
		}
	}
}

func checkComplements(t *testing.T, d *Directory) {
	if d.DB.Dialect() != sqldb.PostgreSQL {
		return // SQLite reads a set once
	}
	for _, filter := range complements {
		for _, s := range statementsOf(t, d, filter) {
			for _, step := range plan(t, d, s.query, s.args) {
				if strings.Contains(step, "SubPlan") && !strings.Contains(step, "AlternativeSubPlan") {
					t.Errorf("%s\n%s\n%s", filter, step, s.query)
				}
			}
		}
	}
}

type statement struct {
	query string
	args  []any
}

// recorder notes what is read through it.
type recorder struct {
	*sqldb.DB
	statements []statement
}

// Query implements sqldb.Reader.
func (r *recorder) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	r.statements = append(r.statements, statement{query, args})
	return r.DB.Query(ctx, query, args...)
}

// statementsOf are those that prepare a filter, and then those that find a page of it
// and count.
func statementsOf(t testing.TB, d *Directory, filter string) []statement {
	t.Helper()
	f, err := d.userType().ParseFilter(filter, schemas.Generic)
	check(t, err)
	rd := &recorder{DB: d.DB}
	sel, err := d.selection(context.Background(), rd, typeUser, ListQuery{Filter: f, Client: tester.Client, Base: testBase})
	if err != nil {
		t.Fatalf("%s: %v", filter, err)
	}
	from := " FROM resources r WHERE $1 = $1 AND " + sel.where
	return append(rd.statements, statement{"SELECT count(*)" + from, sel.args}, statement{"SELECT r.rid" + from + " AND r.rid > 0 ORDER BY r.rid LIMIT 100", sel.args})
}

// plan is what the engine would do. PostgreSQL reads a small table whole although it
// need not, so it is told to prefer anything else.
func plan(t testing.TB, d *Directory, query string, args []any) (steps []string) {
	t.Helper()
	err := d.DB.Write(context.Background(), func(tx *sqldb.Tx) error {
		explain := "EXPLAIN QUERY PLAN "
		if d.DB.Dialect() == sqldb.PostgreSQL {
			explain = "EXPLAIN "
			if _, err := tx.Exec("SET LOCAL enable_seqscan = off"); err != nil {
				return err
			}
		}
		rows, err := tx.Query(explain+query, args...)
		if err != nil {
			return err
		}
		steps, err = lastColumn(rows)
		return err
	})
	if err != nil || len(steps) == 0 {
		t.Fatalf("no plan for %s: %v", query, err)
	}
	return steps
}

func lastColumn(rows *sql.Rows) (all []string, err error) {
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		row := make([]any, len(columns))
		for i := range row {
			row[i] = new(any)
		}
		if err := rows.Scan(row...); err != nil {
			return nil, err
		}
		step := fmt.Sprint(*row[len(row)-1].(*any))
		if strings.Contains(step, "Index Cond: ") { // PostgreSQL names the index a line above
			step = all[len(all)-1] + step
		}
		all = append(all, step)
	}
	return all, rows.Err()
}

// isScan recognises the reading of a whole table or of a whole index. Subqueries that
// SQLite materialises are scanned too: they are sets of row numbers already found.
func isScan(dialect sqldb.Dialect, step string) bool {
	if dialect == sqldb.PostgreSQL {
		return strings.Contains(step, "Seq Scan on resources") || strings.Contains(step, "Seq Scan on attribute_values") ||
			strings.Contains(step, "Seq Scan on external_ids") || strings.Contains(step, "Seq Scan on members")
	}
	scanned, isScan := strings.CutPrefix(step, "SCAN ")
	if strings.HasPrefix(scanned, "e") || strings.HasPrefix(scanned, "(") || strings.HasPrefix(scanned, "json_each") || scanned == "CONSTANT ROW" {
		return false
	}
	return isScan && scanned != "down" && scanned != "s" && scanned != "c" // what was found by recursion, or is counted
}

// isWhole recognises the reading of everything of one type, of all values of one
// attribute, or of all external IDs of one client.
func isWhole(step string) bool {
	for _, whole := range []string{
		"resources_type (type=?)", "resources_type (type=? AND rid>?)", "(path=?)", "(client=?)", // SQLite
	} {
		if strings.Contains(step, whole) {
			return true
		}
	}
	index, condition, ok := strings.Cut(step, "Index Cond: ") // PostgreSQL
	return ok && !strings.Contains(condition, "rid") && !strings.Contains(condition, "val") && !strings.Contains(index, "resources_inactive") &&
		(strings.Contains(condition, "path =") || strings.Contains(condition, "client =") || strings.HasPrefix(condition, "(type = "))
}
