package directory

import (
	"fmt"
	"strings"
	"testing"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
)

// TestGroupsOfAPageAreLookedUp reads the plans that PostgreSQL would keep for the groups
// of people: neither for one nor for a page of them does it read all groups.
func TestGroupsOfAPageAreLookedUp(t *testing.T) {
	d := openDirectory(t, sqldbtest.PostgreSQL(t))
	crowd(t, d, 5000)
	for _, s := range []string{
		`INSERT INTO resources (rid, id, type, version, status, active, created, modified, status_changed)
			SELECT 100000+i, '00gcrowd' || i, 'Group', 1, 'ACTIVE', TRUE, 0, 0, 0 FROM generate_series(0, 19999) n(i)`,
		`INSERT INTO members (group_rid, member_rid) SELECT 100000+(i*4+k*700)%20000, 1000+i FROM generate_series(0, 4999) n(i), generate_series(0, 2) s(k)`,
		"ANALYZE resources, members",
	} {
		check(t, exec1(d, s))
	}
	for _, n := range []int{1, 100} {
		args := strings.TrimSuffix(strings.Repeat("1000, ", n), ", ")
		check(t, d.DB.Write(t.Context(), func(tx *sqldb.Tx) error {
			for _, s := range []string{
				"SET LOCAL plan_cache_mode = force_generic_plan",
				fmt.Sprintf("PREPARE groups_of_%d AS %s", n, groupsQuery(d.everyone.rid, n)),
			} {
				if _, err := tx.Exec(s); err != nil {
					return err
				}
			}
			rows, err := tx.Query(fmt.Sprintf("EXPLAIN EXECUTE groups_of_%d (%s)", n, args))
			if err != nil {
				return err
			}
			steps, err := lastColumn(rows)
			plan := strings.Join(steps, "\n")
			if strings.Contains(plan, "Hash") || strings.Contains(plan, "Seq Scan on resources") || strings.Contains(plan, "Seq Scan on members") {
				t.Errorf("groups of %d:\n%s", n, plan)
			}
			return err
		}))
	}
}
