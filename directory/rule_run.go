package directory

import (
	"context"
	"fmt"
)

// RunRules works off the passes over the directory that rules need when they are
// activated, emptied or deleted, until ctx ends; it returns nil then. Every node may run
// it; one works at a time.
func (d *Directory) RunRules(ctx context.Context) error { return d.ruleWorker().run(ctx) }

func (d *Directory) ruleWorker() *worker { return d.newWorker(ruleWork, d.passes) }

// passes are those under way, in the order in which they began.
func (d *Directory) passes(ctx context.Context, w *worker) ([]job, error) {
	all, err := scanAll(d.scanPass)(d.DB.Query(ctx, `SELECT r.id, r.name, r.expression, r.status, r.pass, r.pass_id, r.pass_horizon, r.pass_after, r.pass_until
		FROM group_rules r WHERE r.pass <> '' ORDER BY r.pass_started, r.id`))
	jobs := make([]job, len(all))
	for i, p := range all {
		jobs[i] = job{name: "rule " + p.rule.id, step: func(ctx context.Context) error { return d.step(ctx, w, p) }}
	}
	return jobs, err
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
