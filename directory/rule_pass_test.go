package directory

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/provost-id/provost/internal/keyring"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
)

func exec1(d *Directory, statement string) error {
	return d.DB.Write(context.Background(), func(tx *sqldb.Tx) error {
		_, err := tx.Exec(statement)
		return err
	})
}

// withTitle are the users whose title is one of those that fill gives, by ID.
func withTitle(t testing.TB, d *Directory, want func(i int) bool, n int) []string {
	t.Helper()
	var ids []string
	for i := range n {
		if !want(i) {
			continue
		}
		id, err := column[string](d.DB.Query(context.Background(), `SELECT id FROM resources WHERE user_name = $1`, fmt.Sprintf("user%d@example.com", i)))
		if err != nil || len(id) != 1 {
			t.Fatalf("user %d: %v, %v", i, id, err)
		}
		ids = append(ids, id[0])
	}
	return sorted(ids...)
}

// rulesBy is a worker on rules whom the lease knows as owner.
func rulesBy(d *Directory, owner string) *worker {
	w := d.ruleWorker()
	w.owner = owner
	return w
}

// onePass is the pass that is under way, once it may begin.
func onePass(t testing.TB, d *Directory) *pass {
	t.Helper()
	for {
		p := readPass(t, d)
		ready, err := d.ready(context.Background(), p)
		if err != nil && !errors.Is(err, errWaiting) {
			t.Fatal(err)
		}
		if ready {
			return p
		}
	}
}

func readPass(t testing.TB, d *Directory) *pass {
	t.Helper()
	all, err := scanAll(d.scanPass)(d.DB.Query(context.Background(), `SELECT r.id, r.name, r.expression, r.status, r.pass, r.pass_id, r.pass_horizon, r.pass_after, r.pass_until
		FROM group_rules r WHERE r.pass <> ''`))
	if err != nil || len(all) != 1 {
		t.Fatalf("%d passes, %v", len(all), err)
	}
	return all[0]
}

// A pass shows how far it is, goes on where it stood on another node, and a batch that
// was overtaken changes nothing.
func TestRules_PassGoesOn(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		const n = 350
		fill(t, d, n)
		even := withTitle(t, d, func(i int) bool { return i%2 == 0 }, n)
		g := mustCreateGroup(t, d, "Even")
		r := mustRule(t, d, `["0", "2", "4", "6", "8"].exists(x, user.title.endsWith(x))`, g.ID)
		check(t, d.ActivateRule(t.Context(), manager, r.ID))
		progress := func() *RulePass {
			t.Helper()
			got, err := d.Rule(t.Context(), r.ID)
			if err != nil {
				t.Fatal(err)
			}
			return got.Pass
		}
		if p := progress(); p == nil || p.Operation != PassApply || p.Done != 0 || p.Total != n || p.Started.IsZero() {
			t.Errorf("progress at the beginning: %+v", p)
		}
		stale := onePass(t, d)
		check(t, d.step(t.Context(), rulesBy(d, "a"), stale))
		if got := len(memberSet(t, d, g.ID)); got != rulePage/2 {
			t.Errorf("%d members after one step, want %d", got, rulePage/2)
		}
		if err := d.step(t.Context(), rulesBy(d, "a"), stale); !errors.Is(err, errOvertaken) {
			t.Errorf("the same batch again: %v", err)
		}
		other := openDirectory(t, d.DB) // another node, or this one started again
		if err := other.step(t.Context(), rulesBy(other, "b"), onePass(t, other)); !errors.Is(err, errElsewhere) {
			t.Errorf("while another node works: %v", err)
		}
		check(t, other.step(t.Context(), rulesBy(other, "a"), onePass(t, other)))
		if p := progress(); p == nil || p.Done != 2*rulePage {
			t.Errorf("progress after two steps: %+v", p)
		}
		check(t, rulesBy(other, "a").work(t.Context()))
		if got := memberSet(t, d, g.ID); !slices.Equal(got, even) || progress() != nil {
			t.Errorf("%d members, want %d; progress %+v", len(got), len(even), progress())
		}
		removeInSteps(t, d, r, g)
	})
}

// removeInSteps takes a rule's members back by a pass that is overtaken by activation.
func removeInSteps(t *testing.T, d *Directory, r *GroupRule, g *Group) {
	t.Helper()
	all := len(memberSet(t, d, g.ID))
	check(t, d.DeactivateRule(t.Context(), manager, r.ID, true))
	stale := onePass(t, d)
	check(t, d.step(t.Context(), rulesBy(d, "a"), stale))
	if got := len(memberSet(t, d, g.ID)); got != all-rulePage {
		t.Errorf("%d members after one step of removal, want %d", got, all-rulePage)
	}
	check(t, d.ActivateRule(t.Context(), manager, r.ID))
	if err := d.step(t.Context(), rulesBy(d, "a"), stale); !errors.Is(err, errOvertaken) {
		t.Errorf("removal after the activation: %v", err)
	}
	check(t, rulesBy(d, "a").work(t.Context()))
	if got := len(memberSet(t, d, g.ID)); got != all {
		t.Errorf("%d members after the activation, want %d", got, all)
	}
	check(t, d.DeleteRule(t.Context(), manager, r.ID, true))
	if _, err := d.Rule(t.Context(), r.ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("a deleted rule: %v", err)
	}
	check(t, rulesBy(d, "a").work(t.Context()))
	checkBook(t, d)
	var rows int
	err := d.DB.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM group_rules) + (SELECT count(*) FROM rule_grants) + (SELECT count(*) FROM rule_targets) + (SELECT count(*) FROM rule_inputs)`).Scan(&rows)
	if got := len(memberSet(t, d, g.ID)); got != 0 || rows != 0 || err != nil {
		t.Errorf("%d members and %d rows after the deletion (%v)", got, rows, err)
	}
}

// Transactions that followed the rules of before, and commit after a rule was started
// or stopped, are waited for: the new user is found, and what was granted is taken back.
func TestRules_PassWaitsForWhoCameBefore(t *testing.T) {
	d := openDirectory(t, sqldbtest.PostgreSQL(t))
	g := mustCreateGroup(t, d, "Sales")
	old := inDepartment(t, d, "old@example.com", "Tools")
	r := mustRule(t, d, `user.department == "Sales"`, g.ID)
	// between runs change in the middle of a transaction, and the passes around its end.
	between := func(write func(tx *sqldb.Tx) error, change func() error) {
		t.Helper()
		inside, leave := make(chan struct{}), make(chan struct{})
		var wg sync.WaitGroup
		var once sync.Once // the closure may run twice
		wg.Go(func() {
			check(t, d.DB.Write(context.Background(), func(tx *sqldb.Tx) error {
				err := write(tx)
				once.Do(func() { close(inside) })
				<-leave
				return err
			}))
		})
		<-inside
		check(t, change())
		ctx, stop := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer stop()
		if err := rulesBy(d, "test").work(ctx); err == nil {
			t.Error("the pass ended before the transaction did")
		}
		close(leave)
		wg.Wait()
		work(t, d)
	}
	body := parseUser(t, d, `{"userName":"new@example.com","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Sales"}}`)
	between(func(tx *sqldb.Tx) error {
		_, err := d.CreateUserTx(tx, tester, body, CreateOptions{})
		return err
	}, func() error { return d.ActivateRule(t.Context(), manager, r.ID) })
	if n := len(memberSet(t, d, g.ID)); n != 1 {
		t.Errorf("%d members, want the user that was made under the rules of before", n)
	}
	between(func(tx *sqldb.Tx) error {
		_, err := d.UpdateProfileTx(tx, manager, old.ID, map[string]any{"department": "Sales"})
		return err
	}, func() error { return d.DeactivateRule(t.Context(), manager, r.ID, true) })
	if n := len(memberSet(t, d, g.ID)); n != 0 {
		t.Errorf("%d members, want what was granted under the rules of before taken back", n)
	}
	checkBook(t, d)
}

// While a pass over the directory is under way, others write.
func TestRules_PassBlocksNobody(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		fill(t, d, 1000)
		g := mustCreateGroup(t, d, "All")
		r := mustRule(t, d, `user.title.startsWith("title")`, g.ID)
		check(t, d.ActivateRule(t.Context(), manager, r.ID))
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { check(t, d.RunRules(ctx)) })
		between := 0
		for i := 0; ; i++ {
			mustCreate(t, d, fmt.Sprintf(`{"userName":"new%d@example.com","title":"title"}`, i))
			got, err := d.Rule(t.Context(), r.ID)
			if err != nil {
				t.Fatal(err)
			}
			if got.Pass == nil {
				break
			}
			if got.Pass.Done > 0 {
				between++
			}
		}
		stop()
		wg.Wait()
		if between == 0 {
			t.Error("nothing was written while the pass was under way")
		}
		var missing int
		err := d.DB.QueryRow(t.Context(), `SELECT count(*) FROM resources u WHERE u.type = 'User' AND NOT EXISTS (SELECT 1 FROM members m WHERE m.group_rid = $1 AND m.member_rid = u.rid)`, g.RID).Scan(&missing)
		if err != nil || missing != 0 {
			t.Errorf("%d people are missing (%v)", missing, err)
		}
	})
}

// Profiles, hands and rules change at once, with passes under way; in the end every
// rule is kept exactly.
func TestRules_Concurrent(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		ctx := context.Background()
		var users, groups []string
		for i := range 20 {
			users = append(users, mustCreate(t, d, fmt.Sprintf(`{"userName":"u%d@example.com","title":"t0"}`, i)).ID)
		}
		for i := range 3 {
			groups = append(groups, mustCreateGroup(t, d, fmt.Sprintf("G%d", i)).ID)
		}
		var rules []*GroupRule
		for i := range 4 {
			rules = append(rules, mustRule(t, d, fmt.Sprintf(`user.title == "t%d" || user.title == "t%d"`, i%3, (i+1)%3), groups[i%3], groups[(i+1)%3]))
		}
		running, stop := context.WithCancel(ctx)
		var runner, wg sync.WaitGroup
		for range 2 { // two nodes
			runner.Go(func() { check(t, openDirectory(t, d.DB).RunRules(running)) })
		}
		wg.Go(func() {
			for i := range 12 {
				r := rules[i%4]
				check(t, d.ActivateRule(ctx, manager, r.ID))
				if i%3 == 0 {
					check(t, d.DeactivateRule(ctx, manager, r.ID, i%2 == 0))
				}
			}
			for _, r := range rules {
				check(t, d.ActivateRule(ctx, manager, r.ID))
			}
		})
		for i := range 4 {
			wg.Go(func() {
				for k := range 30 {
					setProfile(t, d, users[(7*i+3*k)%20], map[string]any{"title": fmt.Sprintf("t%d", (i+k)%4)})
				}
			})
			wg.Go(func() {
				for k := range 15 {
					check(t, d.AddMember(ctx, tester, groups[(i+k)%3], users[(5*i+k)%20]))
					check(t, d.RemoveMember(ctx, tester, groups[(i+2*k)%3], users[(3*i+k)%20]))
				}
			})
			wg.Go(func() {
				for k := range 8 {
					u := mustCreate(t, d, fmt.Sprintf(`{"userName":"n%d-%d@example.com","title":"t%d"}`, i, k, k%3))
					if k%2 == 0 {
						check(t, d.DeleteUser(ctx, tester, u.ID, nil))
					}
				}
			})
		}
		wg.Wait()
		deadline := time.Now().Add(60 * time.Second)
		for settled := false; !settled; time.Sleep(5 * time.Millisecond) {
			var n int
			if err := d.DB.QueryRow(ctx, `SELECT count(*) FROM group_rules WHERE pass <> ''`).Scan(&n); err != nil || time.Now().After(deadline) {
				t.Fatalf("%d passes do not end (%v)", n, err)
			}
			settled = n == 0
		}
		stop()
		runner.Wait()
		checkBook(t, d)
		checkKept(t, d, rules)
	})
}

// checkKept says that each active rule holds exactly those who match.
func checkKept(t *testing.T, d *Directory, rules []*GroupRule) {
	t.Helper()
	subjects, err := d.readSubjects(d.reader(t.Context()), `TRUE ORDER BY r.rid`)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rules {
		if got, err := d.Rule(t.Context(), r.ID); err != nil || got.Status != RuleActive {
			t.Fatalf("rule: %+v, %v", got, err)
		}
		live, err := d.liveRules(d.reader(t.Context()), `r.id = $1`, r.ID)
		if err != nil {
			t.Fatal(err)
		}
		p, err := d.planRules(t.Context(), d.reader(t.Context()), live, subjects)
		if err != nil || len(p.changes) != 0 {
			t.Errorf("rule %s: %d memberships are not as it wants (%v)", r.ID, len(p.changes), err)
		}
	}
}

const victimEnv = "PROVOST_TEST_RULE_VICTIM"

// TestMain works rules off in a process that is there to be killed, when asked to.
func TestMain(m *testing.M) {
	path := os.Getenv(victimEnv)
	if path == "" {
		os.Exit(m.Run())
	}
	db, err := sqldb.Open(context.Background(), sqldb.Config{Path: path})
	if err != nil {
		panic(err)
	}
	keys, err := keyring.New(make([]byte, keyring.KeySize))
	if err != nil {
		panic(err)
	}
	d, err := New(context.Background(), db, keys, nil)
	if err != nil {
		panic(err)
	}
	_ = d.RunRules(context.Background()) // until it is killed
}

// A process that is killed in the middle of passes, again and again, loses nothing
// and does nothing twice.
func TestRules_PassSurvivesKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "provost.db")
	d := openDirectory(t, sqldbtest.Open(t, sqldb.Config{Path: path}))
	const n = 3000
	fill(t, d, n)
	g := mustCreateGroup(t, d, "All")
	r := mustRule(t, d, `user.title.startsWith("title")`, g.ID)
	check(t, d.ActivateRule(t.Context(), manager, r.ID))
	kills := 0
	for i := 0; ; i++ {
		victim := exec.Command(os.Args[0], "-test.run=^$")
		victim.Env = append(os.Environ(), victimEnv+"="+path)
		if err := victim.Start(); err != nil {
			t.Fatal(err)
		}
		before := progressOf(t, d, r)
		for p := before; p.Done == before.Done && p.Operation != ""; p = progressOf(t, d, r) {
			time.Sleep(2 * time.Millisecond)
		}
		time.Sleep(time.Duration(i%7) * 3 * time.Millisecond)
		if err := victim.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = victim.Wait() // it was killed
		checkBook(t, d)
		if progressOf(t, d, r).Operation == "" {
			break
		}
		kills++
		check(t, exec1(d, `UPDATE leases SET expires = 0`)) // as after the lease has run out
	}
	if kills == 0 {
		t.Error("the pass was over before anybody was killed")
	}
	if got := len(memberSet(t, d, g.ID)); got != n {
		t.Errorf("%d members, want %d", got, n)
	}
	var added int
	if err := d.DB.QueryRow(t.Context(), `SELECT count(*) FROM events WHERE type = 'group.user_membership.add'`).Scan(&added); err != nil || added != n {
		t.Errorf("%d events of members that came, want %d (%v)", added, n, err)
	}
}

func progressOf(t testing.TB, d *Directory, r *GroupRule) RulePass {
	t.Helper()
	got, err := d.Rule(context.Background(), r.ID)
	if err != nil {
		t.Fatal(err)
	}
	if got.Pass == nil {
		return RulePass{}
	}
	return *got.Pass
}
