package directory

import (
	"fmt"
	"strings"
	"testing"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
)

// TestTotalOfFilters: what an index counts is what there is, and it is counted without
// a look at the resources.
func TestTotalOfFilters(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		fill(t, d, 300)
		for i := range 7 {
			mustCreate(t, d, fmt.Sprintf(`{"userName":"off%d@example.com","active":false}`, i))
			mustCreateGroup(t, d, fmt.Sprint("Group ", i))
		}
		for source, fromIndex := range map[string]bool{
			`active eq true`: true, `active eq false`: true, `active ne true`: true, `not (active eq true)`: true, `not (not (active eq false))`: true,
			`id pr`: true, `meta.created pr`: true, `title pr`: true, `not (title pr)`: true, `title eq null`: true, `title eq "title 7"`: true,
			`title ne "title 7"`: true, `title sw "title 1"`: true, `title co "1"`: true, `title gt "title 2"`: true,
			enterprise + `department eq "d7"`: true, `addresses.formatted pr`: false,
			`emails.value sw "mail1"`: false, `emails.type eq "work"`: false, `title pr and active eq true`: false, `title eq "title 7" or active eq false`: false,
			`userName sw "user1"`: false, `displayName pr`: false, `externalId pr`: false,
		} {
			l := newCompiled(t, d, ListQuery{Filter: mustFilter(t, source), Client: tester.Client})
			s := l.streams[0]
			want := count(t, d, "SELECT count(*) FROM resources r WHERE $1 = $1 AND "+s.sel.where, s.sel.args...)
			if got, err := l.count(t.Context()); err != nil || got != want {
				t.Errorf("%s: total %d, %v; want %d", source, got, err, want)
			}
			expression, args := l.counted(s)
			if (expression != "") != fromIndex {
				t.Errorf("%s: counted as %q", source, expression)
			}
			if expression == "" {
				continue
			}
			for _, step := range plan(t, d, "SELECT "+expression, args) {
				if isScan(d.DB.Dialect(), step) || strings.Contains(step, "resources r") {
					t.Errorf("%s: %s\n%s", source, step, expression)
				}
			}
		}
	})
}

// TestTotalsOfOlderNodes: a node that knows no blocks counts on beside this one. Totals
// stay right, a start index is found, and housekeeping finds the blocks again.
func TestTotalsOfOlderNodes(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		throng(t, d, 5000)
		old := func(statements ...string) {
			t.Helper()
			err := d.DB.Write(t.Context(), func(tx *sqldb.Tx) error {
				for _, s := range statements {
					if _, err := tx.Exec(s); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		check := func(when string, blocks bool) {
			t.Helper()
			_, _, ok, err := blockAt(t.Context(), d.DB, 4500, []string{typeUser})
			if err != nil || ok != blocks {
				t.Errorf("%s: blocks %t, %v; want %t", when, ok, err, blocks)
			}
			p, err := d.List(t.Context(), typeUser, ListQuery{StartIndex: 4501, Count: 1})
			if err != nil || p.Total != 5000 || len(p.Users) != 1 || p.Users[0].ID != "00uC4501" {
				t.Errorf("%s: total %d, %v", when, p.Total, err)
			}
		}
		check("at first", true)
		// What folding did before there were blocks, and a create and a delete as then.
		old(`DELETE FROM totals WHERE type = 'User'`, `INSERT INTO totals (type, delta) VALUES ('User', 5001)`, `INSERT INTO totals (type, delta) VALUES ('User', -1)`)
		check("without blocks", false)
		if err := d.FoldTotals(t.Context()); err != nil {
			t.Fatal(err)
		}
		check("counted anew", true)
	})
}

// TestStartIndexOverBlocks: whole blocks may be deleted, and a list over several types
// adds up the blocks of all.
func TestStartIndexOverBlocks(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		throng(t, d, 9000)
		err := d.DB.Write(t.Context(), func(tx *sqldb.Tx) error {
			for _, s := range []string{
				`DELETE FROM members WHERE member_rid IN (SELECT rid FROM resources WHERE type = 'User' AND rid / 4096 = 1)`,
				`INSERT INTO totals (type, block, delta) SELECT type, rid / 4096, -count(*) FROM resources WHERE type = 'User' AND rid / 4096 = 1 GROUP BY 1, 2`,
				`DELETE FROM resources WHERE type = 'User' AND rid / 4096 = 1`,
			} {
				if _, err := tx.Exec(s); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			all, err := ints(d.DB.Query(t.Context(), `SELECT rid FROM resources ORDER BY rid`))
			if err != nil {
				t.Fatal(err)
			}
			of := []TypeQuery{{Type: typeUser}, {Type: typeGroup}}
			for _, offset := range []int{1, 2, 3, 4000, 4093, 4094, 4095, 4096, 4097, len(all) - 1, len(all), len(all) + 5000} {
				p, err := d.ListAll(t.Context(), of, ListQuery{StartIndex: offset + 1, Count: 2})
				want := all[min(offset, len(all)):min(offset+2, len(all))]
				if err != nil || fmt.Sprint(p.Order) != fmt.Sprint(want) || p.Total != len(all) {
					t.Errorf("startIndex %d: %v of %d, %v; want %v of %d", offset+1, p.Order, p.Total, err, want, len(all))
				}
			}
			if err := d.FoldTotals(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestFoldTotalsOnTwoNodes: nodes that fold and count at once lose nothing.
func TestFoldTotalsOnTwoNodes(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		d := openDirectory(t, db)
		done := make(chan error, 3)
		for n := range 2 {
			go func() {
				for range 15 {
					if err := d.FoldTotals(t.Context()); err != nil {
						done <- fmt.Errorf("fold on node %d: %w", n, err)
						return
					}
				}
				done <- nil
			}()
		}
		go func() {
			for i := range 60 {
				if _, err := d.CreateUser(t.Context(), tester, parseUser(t, d, fmt.Sprintf(`{"userName":"u%d@example.com"}`, i)), CreateOptions{}); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
		for range 3 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if n, err := total(t.Context(), d.DB, typeUser); err != nil || n != 60 {
			t.Errorf("total %d, %v; want 60", n, err)
		}
	})
}
