package directory

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/provost-id/provost/schemas/expr"
)

// liveRule is an active rule as profiles are held against it.
type liveRule struct {
	id, name string
	prog     *expr.Program // nil when broken says why the condition no longer compiles
	broken   error
	targets  []target // read when somebody matches
}

// subject is a user that is held against rules.
type subject struct {
	person
	profile map[string]any
}

// grantChange gives a membership by a rule, or takes it back.
type grantChange struct {
	rule  *liveRule
	group target
	who   person
	give  bool
}

// ruleFault is a condition that failed for a user: it does not match.
type ruleFault struct {
	rule   *liveRule
	who    person
	reason string
}

// rulePlan is what must change for rules to be kept, sorted by group.
type rulePlan struct {
	changes []grantChange
	faults  []ruleFault
}

func (p *rulePlan) groups() []int64 {
	rids := make([]int64, 0, len(p.changes))
	for _, c := range p.changes {
		rids = append(rids, c.group.rid)
	}
	slices.Sort(rids)
	return slices.Compact(rids)
}

func (p *rulePlan) people() []person {
	people := make([]person, 0, len(p.changes))
	for _, c := range p.changes {
		people = append(people, c.who)
	}
	slices.SortFunc(people, func(a, b person) int { return cmp.Compare(a.rid, b.rid) })
	return slices.Compact(people)
}

// activeRules lists the active rules that read one of the attributes, or all.
func (d *Directory) activeRules(query reader, attrs []string, all bool) ([]*liveRule, error) {
	if all {
		return d.liveRules(query, `r.status = 'ACTIVE'`)
	}
	if len(attrs) == 0 {
		return nil, nil
	}
	var args []any
	in := placeholders(&args, attrs)
	ids, err := column[string](query(`SELECT rule_id FROM rule_inputs WHERE attr IN ('*'`+in+`)`, args...))
	if len(ids) == 0 || err != nil {
		return nil, err
	}
	return d.liveRules(query, `r.status = 'ACTIVE' AND r.id IN (`+list(1, len(ids))+`)`, anys(ids)...)
}

func (d *Directory) liveRules(query reader, where string, args ...any) ([]*liveRule, error) {
	return scanAll(d.scanLiveRule)(query(`SELECT r.id, r.name, r.expression FROM group_rules r WHERE `+where+` ORDER BY r.id`, args...))
}

func (d *Directory) scanLiveRule(row scanner) (*liveRule, error) {
	var r liveRule
	var text string
	if err := row.Scan(&r.id, &r.name, &text); err != nil {
		return nil, fmt.Errorf("read group rule: %w", err)
	}
	r.prog, r.broken = d.rules.compile(d, text)
	return &r, nil
}

// planRules holds people against rules and compares with what the rules have granted.
// A rule that is broken is passed over.
func (d *Directory) planRules(ctx context.Context, query reader, rules []*liveRule, people []subject) (*rulePlan, error) {
	p := &rulePlan{}
	excluded, err := exclusionsOf(query, people)
	if err != nil {
		return nil, err
	}
	granted, err := grantsOf(query, people)
	if err != nil {
		return nil, err
	}
	for _, r := range rules {
		if r.broken != nil {
			continue
		}
		for _, s := range people {
			match, err := matches(ctx, r.prog, s.profile)
			if err != nil {
				p.faults = append(p.faults, ruleFault{r, s.person, err.Error()})
			}
			match = match && !excluded[ruleUser{r.id, s.rid}]
			if err := p.compare(query, r, s.person, match, granted[ruleUser{r.id, s.rid}]); err != nil {
				return nil, err
			}
		}
	}
	slices.SortStableFunc(p.changes, func(a, b grantChange) int { return cmp.Compare(a.group.rid, b.group.rid) })
	return p, nil
}

// compare notes what is missing of the memberships of one user by one rule, or what
// is too much. A membership that is kept out is as the rule wants it either way.
func (p *rulePlan) compare(query reader, r *liveRule, who person, match bool, granted []grant) error {
	if !match {
		for _, g := range granted {
			if !g.keptOut {
				p.changes = append(p.changes, grantChange{rule: r, group: g.group, who: who})
			}
		}
		return nil
	}
	if r.targets == nil {
		var err error
		if r.targets, err = targetsOf(query, r.id); err != nil {
			return err
		}
	}
	for _, t := range r.targets {
		if !slices.ContainsFunc(granted, func(g grant) bool { return g.group.rid == t.rid }) {
			p.changes = append(p.changes, grantChange{rule: r, group: t, who: who, give: true})
		}
	}
	return nil
}

// ruleUser is a pair of a rule and the row of a user.
type ruleUser struct {
	rule string
	user int64
}

// grant is a membership that a rule granted.
type grant struct {
	group   target
	keptOut bool
}

func rids(people []subject) []any {
	args := make([]any, len(people))
	for i, s := range people {
		args[i] = s.rid
	}
	return args
}

func exclusionsOf(query reader, people []subject) (map[ruleUser]bool, error) {
	excluded := map[ruleUser]bool{}
	err := eachRow(`read exclusions of rules`, func(row scanner) error {
		var k ruleUser
		err := row.Scan(&k.rule, &k.user)
		excluded[k] = true
		return err
	})(query(`SELECT rule_id, user_rid FROM rule_exclusions WHERE user_rid IN (`+list(1, len(people))+`)`, rids(people)...))
	return excluded, err
}

func grantsOf(query reader, people []subject) (map[ruleUser][]grant, error) {
	granted := map[ruleUser][]grant{}
	err := eachRow(`read grants of rules`, func(row scanner) error {
		var k ruleUser
		var g grant
		err := row.Scan(&k.rule, &k.user, &g.group.rid, &g.group.id, &g.keptOut)
		granted[k] = append(granted[k], g)
		return err
	})(query(`SELECT g.rule_id, g.member_rid, g.group_rid, t.group_id, g.kept_out FROM rule_grants g
		JOIN rule_targets t ON t.rule_id = g.rule_id AND t.group_rid = g.group_rid
		WHERE g.member_rid IN (`+list(1, len(people))+`)`, rids(people)...))
	return granted, err
}

func targetsOf(query reader, ruleID string) ([]target, error) {
	targets := []target{}
	err := eachRow(`read targets of rule`, func(row scanner) error {
		var t target
		err := row.Scan(&t.rid, &t.id)
		targets = append(targets, t)
		return err
	})(query(`SELECT group_rid, group_id FROM rule_targets WHERE rule_id = $1 ORDER BY group_rid`, ruleID))
	return targets, err
}

// eachRow gives every row of a result to fn.
func eachRow(what string, fn func(scanner) error) func(*sql.Rows, error) error {
	return func(rows *sql.Rows, err error) error {
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		defer func() { _ = rows.Close() }() // Err tells what matters
		for rows.Next() {
			if err := fn(rows); err != nil {
				return fmt.Errorf("%s: %w", what, err)
			}
		}
		return rows.Err()
	}
}

// readSubjects reads users with their profiles, of the rows r that where selects.
func (d *Directory) readSubjects(query reader, where string, args ...any) ([]subject, error) {
	t := d.userType()
	var people []subject
	err := eachRow("read profiles", func(row scanner) error {
		var s subject
		var doc []byte
		if err := row.Scan(&s.rid, &s.id, &doc); err != nil {
			return err
		}
		r, err := t.Decode(doc)
		if err != nil {
			return fmt.Errorf("document of %s: %w", s.id, err)
		}
		s.profile = r.Profile()
		people = append(people, s)
		return nil
	})(query(`SELECT r.rid, r.id, d.doc FROM resources r JOIN documents d ON d.rid = r.rid WHERE r.type = 'User' AND `+where, args...))
	return people, err
}

// subjectsIn reads the users of some rows as a transaction sees them.
func (d *Directory) subjectsIn(query reader, people []person) ([]subject, error) {
	if len(people) == 0 {
		return nil, nil
	}
	args := make([]any, len(people))
	for i, p := range people {
		args[i] = p.rid
	}
	return d.readSubjects(query, `r.rid IN (`+list(1, len(args))+`) ORDER BY r.rid`, args...)
}
