package directory

import (
	"context"
	"fmt"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/id"
	"github.com/provost-id/provost/internal/sqldb"
)

// CreateRule stores a new rule; it is INACTIVE. What is not acceptable is an
// *InvalidError, one rule too many ErrTooManyRules.
func (d *Directory) CreateRule(ctx context.Context, c Change, r GroupRule) (*GroupRule, error) {
	err := d.DB.Write(ctx, func(tx *sqldb.Tx) error {
		if err := d.keepSchema(tx); err != nil {
			return err
		}
		if err := d.checkRule(&r); err != nil {
			return err
		}
		var n int
		if err := tx.QueryRow(`SELECT count(*) FROM group_rules`).Scan(&n); err != nil {
			return fmt.Errorf("count group rules: %w", err)
		}
		if n >= maxRules {
			return ErrTooManyRules
		}
		targets, err := findTargets(tx, r.Groups)
		if err != nil {
			return err
		}
		excluded, err := findExcluded(tx, r.Exclude)
		if err != nil {
			return err
		}
		now := d.now()
		r.ID, r.Status, r.Created, r.Modified, r.Version = id.NewAt(id.Rule, now), RuleInactive, now, now, 1
		if err := insertRule(tx, &r, targets, excluded); err != nil {
			return err
		}
		return d.auditRule(tx, c, "create", &r, "")
	})
	if err != nil {
		return nil, err
	}
	return d.Rule(ctx, r.ID)
}

// UpdateRule gives an INACTIVE rule another name, condition and exclusions. Its
// targets stay: r.Groups is empty or names the same.
func (d *Directory) UpdateRule(ctx context.Context, c Change, ruleID string, r GroupRule) (*GroupRule, error) {
	err := d.DB.Write(ctx, func(tx *sqldb.Tx) error {
		if err := d.keepSchema(tx); err != nil {
			return err
		}
		old, err := lockRuleTx(tx, ruleID)
		if err != nil {
			return err
		}
		if old.Status != RuleInactive {
			return ErrRuleActive
		}
		if len(r.Groups) > 0 && !sameSet(r.Groups, old.Groups) {
			return &InvalidError{Field: "actions", Reason: "cannot be changed; make another rule"}
		}
		next := *old
		next.Name, next.Condition, next.Exclude = r.Name, r.Condition, r.Exclude
		if err := d.checkRule(&next); err != nil {
			return err
		}
		excluded, err := findExcluded(tx, next.Exclude)
		if err != nil {
			return err
		}
		next.Version, next.Modified = old.Version+1, d.now()
		if err := updateRule(tx, &next, excluded); err != nil {
			return err
		}
		return d.auditRule(tx, c, "update", &next, "")
	})
	if err != nil {
		return nil, err
	}
	return d.Rule(ctx, ruleID)
}

// ActivateRule makes a rule follow every profile from now on, and holds everybody
// against it in the background. A rule that is active already is left as it is.
func (d *Directory) ActivateRule(ctx context.Context, c Change, ruleID string) error {
	people, err := total(ctx, d.DB, typeUser)
	if err != nil {
		return err
	}
	return d.changeRule(ctx, ruleID, func(tx *sqldb.Tx, r *GroupRule) error {
		switch {
		case r.Status == RuleActive:
			return nil
		case r.Status == RuleInvalid:
			return &InvalidError{Field: "status", Reason: "an INVALID rule cannot be activated: a target group is gone or its condition no longer compiles"}
		}
		if _, err := d.rules.compile(d, r.Condition); err != nil {
			return &InvalidError{Field: "conditions.expression.value", Reason: err.Error()}
		}
		if err := d.setRuleStatus(tx, r, RuleActive); err != nil {
			return err
		}
		if err := d.beginPass(tx, r, PassApply, int64(people)); err != nil {
			return err
		}
		return d.auditRule(tx, c, "activated", r, "")
	})
}

// DeactivateRule stops a rule. Its members stay, as members that the rule granted,
// unless remove says that the memberships it granted shall be taken back.
func (d *Directory) DeactivateRule(ctx context.Context, c Change, ruleID string, remove bool) error {
	granted, err := d.granted(ctx, ruleID)
	if err != nil {
		return err
	}
	return d.changeRule(ctx, ruleID, func(tx *sqldb.Tx, r *GroupRule) error {
		if r.Status == RuleActive {
			if err := d.setRuleStatus(tx, r, RuleInactive); err != nil {
				return err
			}
			if err := d.auditRule(tx, c, "deactivated", r, ""); err != nil {
				return err
			}
			if !remove {
				return endPass(tx, r.ID)
			}
		}
		if !remove {
			return nil
		}
		return d.beginPass(tx, r, PassRemove, granted)
	})
}

// DeleteRule stops a rule and forgets it. Its members stay, as if they had been given
// by hand, unless remove says that the memberships it granted shall be taken back.
// Either is done in the background.
func (d *Directory) DeleteRule(ctx context.Context, c Change, ruleID string, remove bool) error {
	granted, err := d.granted(ctx, ruleID)
	if err != nil {
		return err
	}
	pass := passRelease
	if remove {
		pass = PassRemove
	}
	return d.changeRule(ctx, ruleID, func(tx *sqldb.Tx, r *GroupRule) error {
		if err := d.setRuleStatus(tx, r, ruleDeleted); err != nil {
			return err
		}
		if err := d.beginPass(tx, r, pass, granted); err != nil {
			return err
		}
		return d.auditRule(tx, c, "delete", r, "")
	})
}

// changeRule changes the state of a rule. Profiles that are written at the same time may
// still follow the state of before: its pass waits for them (see horizon).
func (d *Directory) changeRule(ctx context.Context, ruleID string, change func(*sqldb.Tx, *GroupRule) error) error {
	return d.DB.Write(ctx, func(tx *sqldb.Tx) error {
		r, err := lockRuleTx(tx, ruleID)
		if err != nil {
			return err
		}
		return change(tx, r)
	})
}

func (d *Directory) setRuleStatus(tx *sqldb.Tx, r *GroupRule, to RuleStatus) error {
	r.Status, r.Modified, r.Version = to, d.now(), r.Version+1
	_, err := tx.Exec(`UPDATE group_rules SET status = $2, modified = $3, version = $4 WHERE id = $1`, r.ID, string(to), r.Modified.UnixMicro(), r.Version)
	if err != nil {
		return fmt.Errorf("set status of group rule: %w", err)
	}
	return nil
}

// granted counts the people who have memberships of a rule.
func (d *Directory) granted(ctx context.Context, ruleID string) (n int64, err error) {
	err = d.DB.QueryRow(ctx, `SELECT count(DISTINCT member_rid) FROM rule_grants WHERE rule_id = $1 AND NOT kept_out`, ruleID).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count members of rule: %w", err)
	}
	return n, nil
}

// invalidateRules stops rules that can no longer be followed. Their members stay.
func (d *Directory) invalidateRules(tx *sqldb.Tx, c Change, reason string, ids []string) error {
	for _, ruleID := range ids {
		r := &GroupRule{ID: ruleID}
		rows, err := column[string](tx.Query(`UPDATE group_rules SET status = 'INVALID', modified = $2, version = version + 1,
			pass = CASE WHEN pass = 'APPLY' THEN '' ELSE pass END
			WHERE id = $1 AND status IN ('ACTIVE', 'INACTIVE') RETURNING name`, ruleID, d.now().UnixMicro()))
		if err != nil {
			return fmt.Errorf("invalidate group rule: %w", err)
		}
		if len(rows) == 0 {
			continue
		}
		r.Name = rows[0]
		if err := d.auditRule(tx, Change{Actor: events.System, Request: c.Request}, "invalidate", r, reason); err != nil {
			return err
		}
	}
	return nil
}

// ruleEvent begins the type of every event of a rule.
const ruleEvent = "group.user_membership.rule."

func ruleTarget(r *GroupRule) events.Target {
	return events.Target{ID: r.ID, Type: "GroupRule", Name: r.Name}
}

func (d *Directory) auditRule(tx *sqldb.Tx, c Change, what string, r *GroupRule, reason string, more ...events.Target) error {
	ev := events.Event{Type: ruleEvent + what, Targets: append([]events.Target{ruleTarget(r)}, more...), Reason: reason}
	if r.Condition != "" {
		ev.Detail = map[string]any{"expression": r.Condition, "status": r.Status}
	}
	if what == "error" {
		ev.Outcome = events.Failure
	}
	_, err := d.audit(tx, c, ev)
	return err
}
