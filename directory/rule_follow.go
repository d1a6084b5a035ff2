package directory

import (
	"fmt"
	"slices"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// followRules brings the memberships of a user to what the active rules want of its
// new profile, in the transaction that writes it. Only the rules that read what has
// changed are asked.
func (d *Directory) followRules(tx *sqldb.Tx, c Change, ev changed) error {
	rules, err := d.activeRules(tx.Query, ev.Attrs, false)
	if err != nil || len(rules) == 0 {
		return err
	}
	return d.settleTx(tx, c, rules, []person{{rid: ev.RID, id: ev.ID}})
}

// settleTx brings what rules have granted to people, who are locked, to what the rules
// want, and tells of conditions that failed.
func (d *Directory) settleTx(tx *sqldb.Tx, c Change, rules []*liveRule, people []person) error {
	for _, r := range rules {
		if r.broken != nil {
			if err := d.invalidateRules(tx, c, r.broken.Error(), []string{r.id}); err != nil {
				return err
			}
		}
	}
	subjects, err := d.subjectsIn(tx.Query, people)
	if err != nil || len(subjects) == 0 {
		return err
	}
	p, err := d.planRules(tx.Context(), tx.Query, rules, subjects)
	if err != nil {
		return err
	}
	if err := d.tellFaults(tx, c, p.faults); err != nil {
		return err
	}
	return d.carryOutTx(tx, c, p.changes)
}

// tellFaults writes why conditions failed: an event for each rule with up to
// eventsEach of the people, and the reason of the first.
func (d *Directory) tellFaults(tx *sqldb.Tx, c Change, faults []ruleFault) error {
	byRule := map[string][]ruleFault{}
	var order []string
	for _, f := range faults {
		if byRule[f.rule.id] == nil {
			order = append(order, f.rule.id)
		}
		byRule[f.rule.id] = append(byRule[f.rule.id], f)
	}
	for _, ruleID := range order {
		for part := range slices.Chunk(byRule[ruleID], eventsEach) {
			people := make([]events.Target, len(part))
			for i, f := range part {
				people[i] = events.Target{ID: f.who.id, Type: typeUser}
			}
			r := &GroupRule{ID: ruleID, Name: part[0].rule.name}
			if err := d.auditRule(tx, ruleChange(c, part[0].rule), "error", r, part[0].reason, people...); err != nil {
				return err
			}
		}
	}
	return nil
}

// ruleChange is the Change of what a rule does in the course of another.
func ruleChange(c Change, r *liveRule) Change {
	return Change{
		Actor: events.Actor{ID: r.id, Type: "GroupRule", Name: r.name}, Request: c.Request,
		Source: Source{Kind: SourceRule, ID: r.id},
	}
}

// carryOutTx carries out changes that are sorted by group.
func (d *Directory) carryOutTx(tx *sqldb.Tx, c Change, changes []grantChange) error {
	for len(changes) > 0 {
		n := 1
		for n < len(changes) && changes[n].group.rid == changes[0].group.rid {
			n++
		}
		if err := d.settleGroupTx(tx, c, changes[:n]); err != nil {
			return err
		}
		changes = changes[n:]
	}
	return nil
}

// settleGroupTx carries out the changes of one group. What is granted is read again
// under the group's lock, which guards it.
func (d *Directory) settleGroupTx(tx *sqldb.Tx, c Change, changes []grantChange) error {
	g := changes[0].group
	if ok, err := lockTarget(tx, g); err != nil || !ok {
		return err
	}
	people := make([]person, len(changes))
	for i, ch := range changes {
		people[i] = ch.who
	}
	b, err := readBook(tx, g.rid, people)
	if err != nil {
		return err
	}
	// What is given comes first: a membership that goes over from one rule to another
	// is never gone.
	for _, give := range []bool{true, false} {
		for _, ch := range changes {
			if ch.give == give {
				b.enter(ch)
			}
		}
	}
	if err := b.write(tx); err != nil {
		return err
	}
	for _, m := range b.moves {
		if err := d.changeMembersTx(tx, ruleChange(c, m.rule), g.id, m.change); err != nil {
			return fmt.Errorf("members of %s by rule %s: %w", g.id, m.rule.id, err)
		}
	}
	return nil
}

// lockTarget locks a group; ok is false when it is gone, or no rule may touch it.
func lockTarget(tx *sqldb.Tx, g target) (ok bool, err error) {
	rows, err := scanAll(scanTarget)(tx.Query(`SELECT rid, id, status FROM resources WHERE rid = $1`+tx.ForUpdate(), g.rid))
	return len(rows) == 1 && rows[0].typ == OrdinaryGroup, err
}

// move is the change of members that one rule makes of a group.
type move struct {
	rule   *liveRule
	change schemas.MemberChange
}
