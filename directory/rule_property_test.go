package directory

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/provost-id/provost/internal/sqldb"
)

// oracle is the naive model of groups under rules: for each membership whether it was
// given by hand, and for each rule whom it granted what.
type oracle struct {
	profiles map[string]map[string]any
	hand     map[string]map[string]bool // group, user
	rules    map[string]*oracleRule
}

type oracleRule struct {
	active, invalid bool
	condition       int
	groups          []string
	exclude         []string
	live, kept      map[[2]string]bool // group and user
}

// ruleConditions are conditions with what they mean.
var ruleConditions = []struct {
	text string
	want func(p map[string]any) bool
}{
	{`user.department == "Sales"`, func(p map[string]any) bool { return p["department"] == "Sales" }},
	{`user.department != null && user.title == "Manager"`, func(p map[string]any) bool { return p["department"] != nil && p["title"] == "Manager" }},
	{`user.city.startsWith("B")`, func(p map[string]any) bool { return strings.HasPrefix(fmt.Sprint(p["city"]), "B") }},
	{`Arrays.isEmpty(user.costCenter) || user.department == "Tools"`, func(p map[string]any) bool { return p["costCenter"] == nil || p["department"] == "Tools" }},
	{`user.costCenter != null && int(user.costCenter) > 100`, func(p map[string]any) bool { // fails for what is no number
		n, err := strconv.Atoi(fmt.Sprint(p["costCenter"]))
		return err == nil && n > 100
	}},
	{`true`, func(map[string]any) bool { return true }},
}

func (o *oracle) follow(userID string) {
	for _, r := range o.rules {
		if r.active {
			o.hold(r, userID)
		}
	}
}

func (o *oracle) hold(r *oracleRule, userID string) {
	match := ruleConditions[r.condition].want(o.profiles[userID]) && !slices.Contains(r.exclude, userID)
	for _, g := range r.groups {
		k := [2]string{g, userID}
		if match && !r.kept[k] {
			r.live[k] = true
		} else if !match {
			delete(r.live, k)
		}
	}
}

func (o *oracle) member(g, u string) bool {
	if o.hand[g][u] {
		return true
	}
	for _, r := range o.rules {
		if r.live[[2]string{g, u}] {
			return true
		}
	}
	return false
}

func (o *oracle) members(g string) []string {
	var all []string
	for u := range o.profiles {
		if o.member(g, u) {
			all = append(all, u)
		}
	}
	slices.Sort(all)
	return all
}

func (o *oracle) add(g, u string) {
	o.hand[g][u] = true
	for _, r := range o.rules {
		delete(r.kept, [2]string{g, u})
		if r.active && slices.Contains(r.groups, g) {
			o.hold(r, u)
		}
	}
}

func (o *oracle) remove(g, u string) {
	if !o.member(g, u) {
		return
	}
	delete(o.hand[g], u)
	k := [2]string{g, u}
	for _, r := range o.rules {
		if r.live[k] {
			delete(r.live, k)
			r.kept[k] = true
		}
	}
}

func (o *oracle) replace(g string, users []string) {
	before := o.members(g)
	for _, u := range before {
		if !slices.Contains(users, u) {
			o.remove(g, u)
		}
	}
	for _, u := range users {
		if !slices.Contains(before, u) {
			o.add(g, u)
		}
	}
}

func (o *oracle) forget(match func(k [2]string) bool) {
	for _, r := range o.rules {
		maps.DeleteFunc(r.live, func(k [2]string, _ bool) bool { return match(k) })
		maps.DeleteFunc(r.kept, func(k [2]string, _ bool) bool { return match(k) })
	}
}

// world is a directory beside its oracle.
type world struct {
	t *testing.T
	d *Directory
	o *oracle
	r *rand.Rand
	n int
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

func (w *world) users() []string  { return slices.Sorted(maps.Keys(w.o.profiles)) }
func (w *world) groups() []string { return slices.Sorted(maps.Keys(w.o.hand)) }
func (w *world) ruleIDs() []string {
	return slices.Sorted(maps.Keys(w.o.rules))
}

func (w *world) some(from []string) []string {
	return slices.DeleteFunc(slices.Clone(from), func(string) bool { return w.r.IntN(3) > 0 })
}

func (w *world) edit() map[string]any {
	p := map[string]any{}
	for attr, values := range map[string][]any{
		"department": {"Sales", "Tools", nil}, "title": {"Manager", "Clerk", nil},
		"city": {"Berlin", "Bonn", "Rome", nil}, "costCenter": {"7", "700", "x7", nil},
	} {
		if v := pick(w.r, values); w.r.IntN(2) == 0 {
			p[attr] = v
		}
	}
	return p
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) createUser() {
	w.n++
	p := w.edit()
	maps.DeleteFunc(p, func(_ string, v any) bool { return v == nil })
	p["login"] = fmt.Sprintf("u%d@example.com", w.n)
	r, err := w.d.NewUser(p, "")
	w.must(err)
	u, err := w.d.CreateUser(w.t.Context(), manager, r, CreateOptions{})
	w.must(err)
	w.o.profiles[u.ID] = p
	w.o.follow(u.ID)
}

func (w *world) createGroup() {
	w.n++
	g := mustCreateGroup(w.t, w.d, fmt.Sprintf("Group %d", w.n))
	w.o.hand[g.ID] = map[string]bool{}
}

func (w *world) editUser() {
	if len(w.o.profiles) == 0 {
		return
	}
	u, p := pick(w.r, w.users()), w.edit()
	_, err := w.d.UpdateProfile(w.t.Context(), manager, u, p)
	w.must(err)
	maps.Copy(w.o.profiles[u], p)
	maps.DeleteFunc(w.o.profiles[u], func(_ string, v any) bool { return v == nil })
	w.o.follow(u)
}

func (w *world) deleteUser() {
	if len(w.o.profiles) < 5 {
		return
	}
	u := pick(w.r, w.users())
	w.must(w.d.DeleteUser(w.t.Context(), manager, u, nil))
	delete(w.o.profiles, u)
	w.o.forget(func(k [2]string) bool { return k[1] == u })
	for _, g := range w.o.hand {
		delete(g, u)
	}
	for _, r := range w.o.rules {
		r.exclude = slices.DeleteFunc(r.exclude, func(id string) bool { return id == u })
	}
}

func (w *world) deleteGroup() {
	if len(w.o.hand) < 4 {
		return
	}
	g := pick(w.r, w.groups())
	w.must(w.d.DeleteGroup(w.t.Context(), manager, g, nil))
	delete(w.o.hand, g)
	w.o.forget(func(k [2]string) bool { return k[0] == g })
	for _, r := range w.o.rules {
		if slices.Contains(r.groups, g) {
			r.active, r.invalid = false, true
		}
	}
}

func (w *world) createRule() {
	if len(w.o.rules) > 5 {
		return
	}
	r := &oracleRule{condition: w.r.IntN(len(ruleConditions)), groups: w.some(w.groups()), exclude: w.some(w.some(w.users())), live: map[[2]string]bool{}, kept: map[[2]string]bool{}}
	if len(r.groups) == 0 {
		return
	}
	w.n++
	got, err := w.d.CreateRule(w.t.Context(), manager, GroupRule{Name: fmt.Sprintf("Rule %d", w.n), Condition: ruleConditions[r.condition].text, Groups: r.groups, Exclude: r.exclude})
	w.must(err)
	w.o.rules[got.ID] = r
}

// activate begins the pass over the directory, lets profiles change while it is under
// way, and ends it.
func (w *world) activate(ruleID string) {
	r := w.o.rules[ruleID]
	err := w.d.ActivateRule(w.t.Context(), manager, ruleID)
	if r.invalid {
		if err == nil {
			w.t.Fatalf("an INVALID rule was activated")
		}
		return
	}
	w.must(err)
	r.active = true
	for range w.r.IntN(4) {
		pick(w.r, []func(){w.editUser, w.createUser, w.deleteUser})()
	}
	w.must(rulesBy(w.d, "test").work(w.t.Context()))
	for u := range w.o.profiles {
		w.o.hold(r, u)
	}
}

func (w *world) changeRule() {
	if len(w.o.rules) == 0 {
		return
	}
	ctx, ruleID := w.t.Context(), pick(w.r, w.ruleIDs())
	r, remove := w.o.rules[ruleID], w.r.IntN(2) == 0
	switch n := w.r.IntN(8); {
	case n < 4 && !r.active:
		w.activate(ruleID)
	case n < 6:
		w.must(w.d.DeactivateRule(ctx, manager, ruleID, remove))
		r.active = false
		if remove {
			clear(r.live)
		}
	case n == 6 && !r.active && !r.invalid:
		r.condition, r.exclude = w.r.IntN(len(ruleConditions)), w.some(w.some(w.users()))
		_, err := w.d.UpdateRule(ctx, manager, ruleID, GroupRule{Name: "Changed", Condition: ruleConditions[r.condition].text, Exclude: r.exclude})
		w.must(err)
	case n == 7:
		w.must(w.d.DeleteRule(ctx, manager, ruleID, remove))
		if !remove {
			for k := range r.live {
				w.o.hand[k[0]][k[1]] = true
			}
		}
		delete(w.o.rules, ruleID)
	}
	w.must(rulesBy(w.d, "test").work(ctx))
}

func (w *world) changeMembers() {
	if len(w.o.hand) == 0 || len(w.o.profiles) == 0 {
		return
	}
	g, u := pick(w.r, w.groups()), pick(w.r, w.users())
	switch w.r.IntN(5) {
	case 0, 1:
		w.must(w.d.AddMember(w.t.Context(), manager, g, u))
		w.o.add(g, u)
	case 2, 3:
		w.must(w.d.RemoveMember(w.t.Context(), manager, g, u))
		w.o.remove(g, u)
	default:
		users := w.some(w.users())
		w.must(w.d.DB.Write(w.t.Context(), func(tx *sqldb.Tx) error { return w.d.SetMembersTx(tx, manager, g, users) }))
		w.o.replace(g, users)
	}
}

func (w *world) check(step int) {
	w.t.Helper()
	for _, g := range w.groups() {
		if got, want := memberSet(w.t, w.d, g), w.o.members(g); !slices.Equal(got, want) {
			w.t.Fatalf("step %d: group %s has %v, want %v", step, g, got, want)
		}
	}
	checkBook(w.t, w.d)
}

// checkBook says that what is granted is so, and that the book of hands stands beside
// grants only.
func checkBook(t *testing.T, d *Directory) {
	t.Helper()
	for what, query := range map[string]string{
		"grants without a member": `SELECT count(*) FROM rule_grants g WHERE NOT g.kept_out AND NOT EXISTS
			(SELECT 1 FROM members m WHERE m.group_rid = g.group_rid AND m.member_rid = g.member_rid)`,
		"hands without a grant": `SELECT count(*) FROM rule_hand_members h WHERE NOT EXISTS
			(SELECT 1 FROM rule_grants g WHERE g.group_rid = h.group_rid AND g.member_rid = h.member_rid AND NOT g.kept_out)`,
		"grants of no rule": `SELECT count(*) FROM rule_grants g WHERE g.rule_id NOT IN (SELECT id FROM group_rules)`,
		"grants outside the targets": `SELECT count(*) FROM rule_grants g WHERE NOT EXISTS
			(SELECT 1 FROM rule_targets t WHERE t.rule_id = g.rule_id AND t.group_rid = g.group_rid)`,
	} {
		var n int
		if err := d.DB.QueryRow(context.Background(), query).Scan(&n); err != nil || n != 0 {
			t.Fatalf("%d %s (%v)", n, what, err)
		}
	}
}

// Random rules, profile edits and members given by hand against the oracle.
func TestRules_Oracle(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			each(t, func(t *testing.T, d *Directory) {
				w := &world{t: t, d: d, r: rand.New(rand.NewPCG(seed, 15)),
					o: &oracle{profiles: map[string]map[string]any{}, hand: map[string]map[string]bool{}, rules: map[string]*oracleRule{}}}
				for range 4 {
					w.createGroup()
				}
				for range 8 {
					w.createUser()
				}
				for step := range 150 {
					pick(w.r, []func(){
						w.editUser, w.editUser, w.editUser, w.editUser, w.createUser, w.deleteUser, w.changeMembers, w.changeMembers,
						w.createRule, w.changeRule, w.changeRule, w.changeRule, w.createGroup,
						func() {
							if w.r.IntN(4) == 0 {
								w.deleteGroup()
							}
						},
					})()
					w.check(step)
				}
			})
		})
	}
}
