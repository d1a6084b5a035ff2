package directory

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/id"
	"github.com/provost-id/provost/internal/sqldb"
)

// ruleWork names the worker of passes.
const ruleWork = "group_rules"

const (
	// rulePage is how many people one transaction of a pass may change: as many as have
	// an event of their own, and few enough that another writer hardly waits.
	rulePage = eventsEach
	// ruleSkip is how many pages without a change are read before the place is written
	// down. A pass that is cut off reads them again.
	ruleSkip = 20
)

// pass is one that is under way.
type pass struct {
	rule         *liveRule
	status       RuleStatus
	operation    string
	id           string // new with each pass
	horizon      int64  // see horizon
	after, until int64  // rows of users; until is -1 before the first batch
}

// batch is what one transaction does to move a pass on.
type batch struct {
	last   int64 // row of the last user that it settles; the next batch follows it
	looked int64 // how many people that is
	faults []ruleFault
	plan   *rulePlan
}

// beginPass starts a pass from the beginning, in place of one that is under way.
func (d *Directory) beginPass(tx *sqldb.Tx, r *GroupRule, operation string, total int64) error {
	_, err := tx.Exec(`UPDATE group_rules SET pass = $2, pass_id = $3, pass_horizon = 0, pass_after = 0, pass_done = 0, pass_total = $4, pass_started = $5,
		pass_until = -1 WHERE id = $1`,
		r.ID, operation, id.New(id.Task), total, d.now().UnixMicro())
	if err != nil {
		return fmt.Errorf("begin pass of rule: %w", err)
	}
	return d.DB.Notify(tx, ruleWork, "")
}

func endPass(tx *sqldb.Tx, ruleID string) error {
	if _, err := tx.Exec(`UPDATE group_rules SET pass = '', pass_id = '' WHERE id = $1`, ruleID); err != nil {
		return fmt.Errorf("end pass of rule: %w", err)
	}
	return nil
}

// step moves a pass on by one transaction.
func (d *Directory) step(ctx context.Context, w *worker, p *pass) error {
	if ready, err := d.ready(ctx, p); err != nil || !ready {
		return err
	}
	next := d.nextGranted
	if p.operation == PassApply {
		next = d.nextPeople
		if p.rule.broken != nil {
			return d.DB.Write(ctx, func(tx *sqldb.Tx) error {
				return d.invalidateRules(tx, Change{}, p.rule.broken.Error(), []string{p.rule.id})
			})
		}
	}
	b, err := next(ctx, p)
	if err != nil {
		return err
	}
	return d.DB.Write(ctx, func(tx *sqldb.Tx) error {
		if err := w.holdTx(tx); err != nil {
			return err
		}
		if err := d.settleBatch(tx, p, b); err != nil {
			return err
		}
		return d.moveOn(tx, p, b)
	})
}

// ready reports whether a pass may move on. It ends at the last user that is there when
// it begins: those who come later follow the rule from their creation.
func (d *Directory) ready(ctx context.Context, p *pass) (bool, error) {
	if p.until >= 0 {
		return true, nil
	}
	over, err := d.horizon(ctx, p.horizon, func(number string) error { return d.setPass(ctx, p, `pass_horizon = `+number) })
	if err != nil || !over {
		return false, err
	}
	return false, d.setPass(ctx, p, `pass_until = (SELECT COALESCE(MAX(rid), 0) FROM resources WHERE type = 'User')`)
}

// horizon holds a pass over the directory back until every transaction has ended that may
// have followed the rules, or the schema, as they were before it: what the pass then reads
// is complete, and nothing is written behind its back. Such a transaction drew its number
// before the pass was committed, and so before the one that draw writes down. Those who
// write resources pay nothing for it. SQLite has one writer, and no such transactions.
//
// drawn is the number, 0 before draw was called with the expression for it.
func (d *Directory) horizon(ctx context.Context, drawn int64, draw func(number string) error) (ready bool, err error) {
	if d.DB.Dialect() == sqldb.SQLite {
		return true, nil
	}
	if drawn == 0 {
		return false, draw(`CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT)`)
	}
	err = d.DB.QueryRow(ctx, `SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS TEXT) AS BIGINT) > $1`, drawn).Scan(&ready)
	if err != nil {
		return false, fmt.Errorf("look at horizon of pass: %w", err)
	}
	if !ready {
		return false, errWaiting
	}
	return true, nil
}

// setPass writes down what a pass needs before its first batch.
func (d *Directory) setPass(ctx context.Context, p *pass, set string) error {
	return d.DB.Write(ctx, func(tx *sqldb.Tx) error {
		if _, err := tx.Exec(`UPDATE group_rules SET `+set+` WHERE id = $1 AND pass_id = $2`, p.rule.id, p.id); err != nil {
			return fmt.Errorf("prepare pass of rule: %w", err)
		}
		return nil
	})
}

// settleBatch carries out a batch. What it does was found outside the transaction, so
// that those for whom nothing changes cost the writer nothing, and is found again here.
func (d *Directory) settleBatch(tx *sqldb.Tx, p *pass, b *batch) error {
	c := Change{Actor: events.System}
	if err := lockGroups(tx, b.plan.groups()); err != nil {
		return err
	}
	people := b.plan.people()
	if _, err := peopleTx(tx, nil, idsOf(people)); err != nil {
		return err
	}
	switch {
	case p.operation == passRelease:
		return releaseTx(tx, b.plan.changes)
	case p.operation == PassRemove:
		return d.carryOutTx(tx, c, b.plan.changes)
	}
	if err := d.tellFaults(tx, c, b.faults); err != nil {
		return err
	}
	return d.settleTx(tx, c, []*liveRule{p.rule}, people)
}

func idsOf(people []person) []string {
	ids := make([]string, len(people))
	for i, p := range people {
		ids[i] = p.id
	}
	return ids
}

// moveOn writes down how far a pass has come, or that it is over. A pass that is not
// where this batch began was overtaken: nothing of the batch is kept.
func (d *Directory) moveOn(tx *sqldb.Tx, p *pass, b *batch) error {
	res, err := tx.Exec(`UPDATE group_rules SET pass_after = $4, pass_done = pass_done + $5 WHERE id = $1 AND pass_id = $2 AND pass_after = $3 AND pass <> ''`,
		p.rule.id, p.id, p.after, b.last, b.looked)
	if err != nil {
		return fmt.Errorf("move pass of rule on: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return cmp.Or(err, errOvertaken)
	}
	if b.last < p.until {
		return nil
	}
	if p.status == ruleDeleted {
		return deleteRuleRows(tx, p.rule.id)
	}
	r := &GroupRule{ID: p.rule.id, Name: p.rule.name}
	if err := d.auditRule(tx, Change{Actor: events.System}, "evaluation", r, ""); err != nil {
		return err
	}
	return endPass(tx, p.rule.id)
}

// nextPeople reads on until it has found people for whom the rule changes something,
// or has looked at ruleSkip pages.
func (d *Directory) nextPeople(ctx context.Context, p *pass) (*batch, error) {
	b := &batch{last: p.after, plan: &rulePlan{}}
	query := d.reader(ctx)
	for range ruleSkip {
		people, err := d.readSubjects(query, `r.rid > $1 AND r.rid <= $2 ORDER BY r.rid LIMIT $3`, b.last, p.until, rulePage)
		if err != nil {
			return nil, err
		}
		if len(people) == 0 {
			b.last = p.until
			return b, nil
		}
		plan, err := d.planRules(ctx, query, []*liveRule{p.rule}, people)
		if err != nil {
			return nil, err
		}
		b.last = people[len(people)-1].rid
		b.looked += int64(len(people))
		b.faults, b.plan = unsettled(plan), plan
		if len(plan.changes)+len(plan.faults) > 0 {
			return b, nil
		}
	}
	return b, nil
}

// unsettled are the faults of those whom the batch does not hold against the rule
// again: the others are told of when it does.
func unsettled(plan *rulePlan) []ruleFault {
	again := plan.people()
	return slices.DeleteFunc(slices.Clone(plan.faults), func(f ruleFault) bool { return slices.Contains(again, f.who) })
}

// nextGranted reads the memberships of the next people whom the rule holds in groups.
func (d *Directory) nextGranted(ctx context.Context, p *pass) (*batch, error) {
	b := &batch{last: p.until, plan: &rulePlan{}}
	query := d.reader(ctx)
	rids, err := ints(query(`SELECT DISTINCT member_rid FROM rule_grants WHERE rule_id = $1 AND member_rid > $2 AND NOT kept_out
		ORDER BY member_rid LIMIT $3`, p.rule.id, p.after, rulePage))
	if err != nil || len(rids) == 0 {
		return b, err
	}
	b.looked = int64(len(rids))
	if last := rids[len(rids)-1]; len(rids) == rulePage {
		b.last = last
	}
	args := []any{p.rule.id}
	for _, rid := range rids {
		args = append(args, rid)
	}
	err = eachRow("read grants of rule", func(row scanner) error {
		c := grantChange{rule: p.rule}
		err := row.Scan(&c.who.rid, &c.who.id, &c.group.rid, &c.group.id)
		b.plan.changes = append(b.plan.changes, c)
		return err
	})(query(`SELECT g.member_rid, u.id, g.group_rid, t.group_id FROM rule_grants g
		JOIN resources u ON u.rid = g.member_rid
		JOIN rule_targets t ON t.rule_id = g.rule_id AND t.group_rid = g.group_rid
		WHERE g.rule_id = $1 AND NOT g.kept_out AND g.member_rid IN (`+list(2, len(rids))+`) ORDER BY g.group_rid, g.member_rid`, args...))
	return b, err
}

// releaseTx ends what a rule granted and leaves the memberships: as given by hand
// beside those rules that hold them too, and else as plain ones.
func releaseTx(tx *sqldb.Tx, changes []grantChange) error {
	for _, c := range changes {
		b, err := readBook(tx, c.group.rid, []person{c.who})
		if err != nil {
			return err
		}
		rid := c.who.rid
		if keptOut, there := b.rules[rid][c.rule.id]; !there || keptOut {
			continue
		}
		delete(b.rules[rid], c.rule.id)
		b.taken = []grantChange{c}
		if b.held(rid) > 0 {
			b.handed = []int64{rid}
		} else {
			b.handsGone = []int64{rid}
		}
		if err := b.write(tx); err != nil {
			return err
		}
	}
	return nil
}
