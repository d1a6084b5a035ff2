package directory

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/provost-id/provost/internal/id"
)

// RunRules works off the passes over the directory that rules need when they are
// activated, emptied or deleted, until ctx ends; it returns nil then. A pass moves in
// small transactions and goes on from its last one after a stop. Every node may run
// it; one works at a time.
func (d *Directory) RunRules(ctx context.Context) error {
	wake := make(chan struct{}, 1)
	listening := make(chan struct{})
	go func() {
		defer close(listening)
		err := d.DB.Listen(ctx, RuleChannel, func(string) {
			select {
			case wake <- struct{}{}:
			default: // one is waiting already
			}
		})
		if err != nil && ctx.Err() == nil {
			d.Log.Warn("listen for group rules ended", slog.Any("error", err)) // the poll goes on
		}
	}()
	defer func() { <-listening }()
	tick := time.NewTicker(rulePoll)
	defer tick.Stop()
	owner := id.New(id.Task)
	for {
		if err := d.workRules(ctx, owner); err != nil && ctx.Err() == nil {
			d.Log.Error("apply group rules", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-wake:
		case <-tick.C:
		}
	}
}

// workRules moves all passes on in turn until none is under way, or each that is has
// failed.
func (d *Directory) workRules(ctx context.Context, owner string) error {
	for {
		passes, err := scanAll(d.scanPass)(d.DB.Query(ctx, `SELECT r.id, r.name, r.expression, r.status, r.pass, r.pass_id, r.pass_horizon, r.pass_after, r.pass_until
			FROM group_rules r WHERE r.pass <> '' ORDER BY r.pass_started, r.id`))
		if err != nil || len(passes) == 0 {
			return err
		}
		var failed []error
		waiting := 0
		for _, p := range passes {
			err := d.step(ctx, owner, p)
			switch {
			case errors.Is(err, errElsewhere):
				return nil
			case errors.Is(err, errWaiting):
				waiting++
			case errors.Is(err, errOvertaken):
			case err != nil:
				failed = append(failed, fmt.Errorf("rule %s: %w", p.rule.id, err))
			}
		}
		if len(failed) == len(passes) || ctx.Err() != nil {
			return errors.Join(failed...)
		}
		if len(failed)+waiting == len(passes) {
			time.Sleep(ruleWait)
		}
	}
}

func (d *Directory) scanPass(row scanner) (*pass, error) {
	p := pass{rule: &liveRule{}}
	var text string
	err := row.Scan(&p.rule.id, &p.rule.name, &text, &p.status, &p.operation, &p.id, &p.horizon, &p.after, &p.until)
	if err != nil {
		return nil, fmt.Errorf("read pass of rule: %w", err)
	}
	p.rule.prog, p.rule.broken = d.rules.compile(d, text)
	return &p, nil
}
