package directory

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
	"github.com/provost-id/provost/schemas"
)

// twoNodes runs fn with two nodes on one database, on both engines.
func twoNodes(t *testing.T, fn func(t *testing.T, nodes []*Directory)) {
	t.Helper()
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		nodes := []*Directory{openDirectory(t, db), openDirectory(t, db)}
		nodes[1].Keys = nodes[0].Keys
		fn(t, nodes)
	})
}

// throng makes n users by plain SQL, every third of them with a title.
func throng(t testing.TB, d *Directory, n int) {
	t.Helper()
	from := max(d.everyone.rid, d.admins.rid)
	err := d.DB.Write(context.Background(), func(tx *sqldb.Tx) error {
		for _, statement := range []string{
			fmt.Sprintf(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
				INSERT INTO resources (id, type, version, status, active, created, modified, status_changed, user_name)
				SELECT '00uC' || i, 'User', 1, 'ACTIVE', TRUE, i, i, i, 'c' || ((i * 7919) %% 100003) || '@example.com' FROM n`, n),
			fmt.Sprintf(`INSERT INTO documents (rid, doc) SELECT rid, '{"userName":"' || user_name || '"' ||
				CASE WHEN rid %% 3 = 0 THEN ',"title":"t' || (rid %% 7) || '"' ELSE '' END || '}' FROM resources WHERE rid > %d`, from),
			fmt.Sprintf(`INSERT INTO attribute_values (path, val, rid, elem) SELECT 'title', 't' || (rid %% 7), rid, 0 FROM resources WHERE rid > %d AND rid %% 3 = 0`, from),
			fmt.Sprintf(`INSERT INTO members (group_rid, member_rid) SELECT %d, rid FROM resources WHERE rid > %d`, d.everyone.rid, from),
			fmt.Sprintf(`INSERT INTO unique_values (path, val, rid) SELECT 'User:userName', user_name, rid FROM resources WHERE rid > %d`, from),
			fmt.Sprintf(`INSERT INTO totals (type, block, delta) SELECT 'User', rid / 4096, count(*) FROM resources WHERE rid > %d GROUP BY rid / 4096`, from),
			"ANALYZE",
		} {
			if _, err := tx.Exec(statement); err != nil {
				return fmt.Errorf("%s: %w", statement, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// churn deletes users and makes new ones, on both nodes, until ctx ends.
func churn(ctx context.Context, nodes []*Directory, doomed []string) error {
	for i, id := range doomed {
		if ctx.Err() != nil {
			return nil
		}
		d := nodes[i%2]
		if err := d.DeleteUser(context.Background(), tester, id, nil); err != nil {
			return fmt.Errorf("delete %s: %w", id, err)
		}
		// Logins at the beginning, in the midst and at the end of the order.
		login := fmt.Sprintf("%c%d@example.com", "acz"[i%3], 200000+i)
		r, err := d.userType().Parse([]byte(`{"userName":"`+login+`","title":"t3"}`), schemas.Generic)
		if err != nil {
			return err
		}
		if _, err := d.CreateUser(context.Background(), tester, r, CreateOptions{}); err != nil {
			return fmt.Errorf("create %s: %w", login, err)
		}
	}
	return nil
}

// TestADV60_WalkUnderChurn: every walk of 20,000 users, whose pages are asked of two
// nodes by turns, sees everybody who stays exactly once, while others delete and create.
func TestADV60_WalkUnderChurn(t *testing.T) {
	const n, every = 20_000, 10
	walks := map[string]ListQuery{
		"cursor":                         {UseCursor: true},
		"startIndex":                     {},
		"cursor by userName":             {UseCursor: true, SortBy: "userName"},
		"startIndex by userName":         {SortBy: "userName", Descending: true},
		"startIndex by title":            {SortBy: "title"},
		"startIndex filtered and sorted": {Filter: mustFilter(t, `title pr`), SortBy: "userName"},
	}
	twoNodes(t, func(t *testing.T, nodes []*Directory) {
		throng(t, nodes[0], n)
		var doomed []string
		for i := every; i <= n; i += every {
			doomed = append(doomed, fmt.Sprint("00uC", i))
		}
		ctx, cancel := context.WithCancel(t.Context())
		var over sync.WaitGroup
		over.Go(func() {
			if err := churn(ctx, nodes, doomed); err != nil {
				t.Error(err)
			}
		})
		var walking sync.WaitGroup
		for name, q := range walks {
			q.Client, q.Count = name, 500
			walking.Go(func() {
				seen := walk(t, nodes, q)
				for i := 1; i <= n; i++ {
					if i%every == 0 || q.Filter != nil && q.SortBy != "" && (int64(i)+max(nodes[0].everyone.rid, nodes[0].admins.rid))%3 != 0 {
						continue
					}
					if times := seen[fmt.Sprint("00uC", i)]; times != 1 {
						t.Errorf("%s: user %d was seen %d times", name, i, times)
						return
					}
				}
			})
		}
		walking.Wait()
		cancel()
		over.Wait()
		var exact int
		if err := nodes[0].DB.QueryRow(t.Context(), `SELECT count(*) FROM resources WHERE type = 'User'`).Scan(&exact); err != nil {
			t.Fatal(err)
		}
		if p, err := nodes[0].List(t.Context(), typeUser, ListQuery{Count: 1}); err != nil || p.Total != exact {
			t.Errorf("total %d, %v; want %d", p.Total, err, exact)
		}
	})
}

func mustFilter(t testing.TB, source string) *schemas.Filter {
	t.Helper()
	snapshot, err := schemas.Compile(1, schemas.Default())
	if err != nil {
		t.Fatal(err)
	}
	user, _ := snapshot.Type(typeUser)
	f, err := user.ParseFilter(source, schemas.Generic)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// walk counts how often each user is seen. It stops as clients do: at the end that
// totalResults tells.
func walk(t *testing.T, nodes []*Directory, q ListQuery) map[string]int {
	t.Helper()
	seen := map[string]int{}
	q.StartIndex = 1
	for page := range 2000 {
		p, err := nodes[page%2].List(t.Context(), typeUser, q)
		if err != nil {
			t.Errorf("%s, page %d: %v", q.Client, page, err)
			return seen
		}
		for _, u := range p.Users {
			seen[u.ID]++
		}
		q.StartIndex, q.Cursor = q.StartIndex+len(p.Users), p.Next
		if q.UseCursor && p.Next == "" || !q.UseCursor && (q.StartIndex > p.Total || len(p.Users) == 0) {
			return seen
		}
	}
	t.Errorf("%s does not end", q.Client)
	return seen
}

// TestADV60_CheckpointsAreBounded: what a client can make the server remember ends.
func TestADV60_CheckpointsAreBounded(t *testing.T) {
	twoNodes(t, func(t *testing.T, nodes []*Directory) {
		d := nodes[0]
		throng(t, d, 50)
		for i := range 30 {
			if _, err := d.List(t.Context(), typeUser, ListQuery{StartIndex: 1 + i, Count: 1, Client: "greedy"}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := d.List(t.Context(), typeUser, ListQuery{StartIndex: 1, Count: 1, Client: "modest"}); err != nil {
			t.Fatal(err)
		}
		if err := d.forgetCheckpoints(t.Context(), 10); err != nil {
			t.Fatal(err)
		}
		for client, want := range map[string]int{"greedy": 10, "modest": 1} {
			if n := count(t, d, `SELECT count(*) FROM list_checkpoints WHERE client = $1`, client); n != want {
				t.Errorf("%d checkpoints of %s, want %d", n, client, want)
			}
		}
		now := d.Now()
		d.Now = func() time.Time { return now.Add(CursorTime + time.Second) }
		if err := d.ForgetCheckpoints(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := count(t, d, `SELECT count(*) FROM list_checkpoints`); n != 0 {
			t.Errorf("%d checkpoints are left, all expired", n)
		}
	})
}

// What is shown again and again, and what shows everything, is remembered once or not
// at all.
func TestFirstPagesWriteOnce(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		throng(t, d, 20)
		expires := func() int { return count(t, d, `SELECT COALESCE(SUM(expires), 0) FROM list_checkpoints`) }
		first := ListQuery{StartIndex: 1, Count: 5, Client: "c"}
		for _, q := range []ListQuery{{StartIndex: 1, Count: 20, Client: "c"}, {Count: 5}, {UseCursor: true, Count: 5, Client: "c"}} {
			if _, err := d.List(t.Context(), typeUser, q); err != nil || expires() != 0 {
				t.Errorf("%+v is remembered (%v)", q, err)
			}
		}
		var was int
		for i := range 3 {
			if _, err := d.List(t.Context(), typeUser, first); err != nil {
				t.Fatal(err)
			}
			if now := expires(); i == 0 {
				was = now
			} else if now != was || now == 0 {
				t.Error("the same first page is written again")
			}
		}
	})
}
