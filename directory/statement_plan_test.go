package directory

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
)

// TestPeopleByIDReadNoTypeAsAWhole reads the plans of what a change of a group runs: who
// names a hundred people must not read everybody, nor all members of the group.
func TestPeopleByIDReadNoTypeAsAWhole(t *testing.T) {
	d := openDirectory(t, sqldbtest.SQLite(t)) // PostgreSQL reads a table so small as a whole whatever the statement says
	var mu sync.Mutex                          // guards statements
	var statements []string
	d.DB.Trace(func(s string) { mu.Lock(); defer mu.Unlock(); statements = append(statements, s) })
	ids := make([]string, 100)
	for i := range ids {
		ids[i] = fmt.Sprint("00u", i)
	}
	_ = d.DB.Write(t.Context(), func(tx *sqldb.Tx) error {
		_, _ = peopleTx(tx, ids, nil) // nobody is there, which does not matter to a plan
		_, err := membersAmong(tx, 1, ids)
		check(t, err)
		_, _ = findGroups(tx, ids)
		_, _ = findTargets(tx, ids)
		return nil
	})
	d.DB.Trace(nil)
	if len(statements) < 4 {
		t.Fatalf("%d statements", len(statements))
	}
	for _, s := range statements {
		args := make([]any, 101)
		for !strings.Contains(s, fmt.Sprint("$", len(args))) {
			args = args[1:]
		}
		for _, step := range plan(t, d, s, args) {
			if strings.Contains(step, "resources_type") || strings.Contains(step, "(group_rid=?)") {
				t.Errorf("%s\n%s", step, s)
			}
		}
	}
}
