package directory

import (
	"fmt"
	"slices"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// noteHandTx keeps the book of what anybody but a rule does with the members of a
// group that rules assign to. A member who is named to be added is one by hand from
// then on, and no rule keeps it out; one who is in a whole new list as before stays
// what it was. A member who is taken away is kept out by the rules that granted it.
func (d *Directory) noteHandTx(tx *sqldb.Tx, c Change, g *Group, m schemas.MemberChange, people []person, n moved) error {
	if c.Source.Kind == SourceRule || g.Type != OrdinaryGroup || m.Empty() {
		return nil
	}
	var ruled bool
	if err := tx.QueryRow(`SELECT EXISTS (SELECT 1 FROM rule_targets WHERE group_rid = $1)`, g.RID).Scan(&ruled); err != nil {
		return fmt.Errorf("look for rules of group: %w", err)
	}
	if !ruled {
		return nil
	}
	for part := range slices.Chunk(idsOf(n.removed), lookUpMax) {
		if err := d.keepOut(tx, c, g, part); err != nil {
			return err
		}
	}
	byHand := map[string]bool{}
	for _, id := range slices.Concat(m.Add, idsOf(n.added)) {
		byHand[id] = true
	}
	named := slices.DeleteFunc(slices.Clone(people), func(p person) bool { return !byHand[p.id] })
	for part := range slices.Chunk(named, lookUpMax) {
		if err := d.giveByHand(tx, c, g, part); err != nil {
			return err
		}
	}
	return nil
}

// keepOut makes the rules that granted memberships keep their former members out.
func (d *Directory) keepOut(tx *sqldb.Tx, c Change, g *Group, userIDs []string) error {
	args := []any{g.RID}
	for _, id := range userIDs {
		args = append(args, id)
	}
	these := ` WHERE group_rid = $1 AND member_rid IN (SELECT rid FROM resources WHERE id IN (` + list(2, len(userIDs)) + `))`
	if _, err := tx.Exec(`DELETE FROM rule_hand_members`+these, args...); err != nil {
		return fmt.Errorf("forget hand: %w", err)
	}
	kept := map[string][]int64{}
	err := eachRow("keep out of group", func(row scanner) error {
		var rule string
		var rid int64
		err := row.Scan(&rule, &rid)
		kept[rule] = append(kept[rule], rid)
		return err
	})(tx.Query(`UPDATE rule_grants SET kept_out = TRUE`+these+` AND NOT kept_out RETURNING rule_id, member_rid`, args...))
	if err != nil || len(kept) == 0 {
		return err
	}
	return d.tellKeptOut(tx, c, g, kept)
}

func (d *Directory) tellKeptOut(tx *sqldb.Tx, c Change, g *Group, kept map[string][]int64) error {
	for ruleID, rids := range kept {
		rules, err := d.liveRules(tx.Query, `r.id = $1`, ruleID)
		if err != nil || len(rules) == 0 {
			return err
		}
		people := make([]person, len(rids))
		for i, rid := range rids {
			people[i].rid = rid
		}
		targets := groupTarget(g)
		subjects, err := d.subjectsIn(tx.Query, people)
		if err != nil {
			return err
		}
		for _, s := range subjects {
			targets = append(targets, events.Target{ID: s.id, Type: typeUser})
		}
		r := &GroupRule{ID: ruleID, Name: rules[0].name}
		by := Change{Actor: events.System, Request: c.Request}
		if err := d.auditRule(tx, by, "add_exclusion", r, "taken out of the group by hand", targets...); err != nil {
			return err
		}
	}
	return nil
}

// giveByHand makes members whom rules hold members by hand as well, and lets the rules
// that kept them out hold them again.
func (d *Directory) giveByHand(tx *sqldb.Tx, c Change, g *Group, people []person) error {
	args := []any{g.RID}
	for _, p := range people {
		args = append(args, p.rid)
	}
	these := ` WHERE group_rid = $1 AND member_rid IN (` + list(2, len(people)) + `)`
	held, err := ints(tx.Query(`SELECT DISTINCT member_rid FROM rule_grants`+these+` AND NOT kept_out`, args...))
	if err != nil {
		return fmt.Errorf("read grants: %w", err)
	}
	for _, rid := range held {
		if err := insertHand(tx, g.RID, rid); err != nil {
			return err
		}
	}
	lifted := map[int64][]string{}
	err = eachRow("lift exclusions", func(row scanner) error {
		var rule string
		var rid int64
		err := row.Scan(&rule, &rid)
		lifted[rid] = append(lifted[rid], rule)
		return err
	})(tx.Query(`DELETE FROM rule_grants`+these+` AND kept_out RETURNING rule_id, member_rid`, args...))
	if err != nil {
		return err
	}
	for _, p := range people {
		if len(lifted[p.rid]) > 0 {
			if err := d.holdAgain(tx, c, g, p, lifted[p.rid]); err != nil {
				return err
			}
		}
	}
	return nil
}

// holdAgain asks rules that kept somebody out of a group whether they hold them now.
func (d *Directory) holdAgain(tx *sqldb.Tx, c Change, g *Group, p person, ruleIDs []string) error {
	args := make([]any, len(ruleIDs))
	for i, id := range ruleIDs {
		args[i] = id
	}
	rules, err := d.liveRules(tx.Query, `r.status = 'ACTIVE' AND r.id IN (`+list(1, len(args))+`)`, args...)
	if err != nil || len(rules) == 0 {
		return err
	}
	subjects, err := d.subjectsIn(tx.Query, []person{p})
	if err != nil || len(subjects) == 0 {
		return err
	}
	plan, err := d.planRules(tx.Context(), tx.Query, rules, subjects)
	if err != nil {
		return err
	}
	if err := d.tellFaults(tx, c, plan.faults); err != nil {
		return err
	}
	return d.carryOutTx(tx, c, slices.DeleteFunc(plan.changes, func(ch grantChange) bool { return ch.group.rid != g.RID }))
}

// forgetUserTx forgets what rules say of a user that is deleted, before it leaves its
// groups.
func forgetUserTx(tx *sqldb.Tx, rid int64) error {
	for _, statement := range []string{
		`DELETE FROM rule_grants WHERE member_rid = $1`,
		`DELETE FROM rule_hand_members WHERE member_rid = $1`,
		`DELETE FROM rule_exclusions WHERE user_rid = $1`,
	} {
		if _, err := tx.Exec(statement, rid); err != nil {
			return fmt.Errorf("forget user in group rules: %w", err)
		}
	}
	return nil
}

// forgetGroupTx stops the rules that assign to a group that is deleted. What they have
// granted goes with its members.
func (d *Directory) forgetGroupTx(tx *sqldb.Tx, c Change, g *Group) error {
	rules, err := column[string](tx.Query(`SELECT rule_id FROM rule_targets WHERE group_rid = $1 ORDER BY rule_id`, g.RID))
	if err != nil || len(rules) == 0 {
		return err
	}
	return d.invalidateRules(tx, c, "the target group "+g.ID+" was deleted", rules)
}
