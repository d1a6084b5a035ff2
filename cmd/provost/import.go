package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/provisioning"
)

func importCommand() *cobra.Command {
	parent := parentCommand("import", "Import people and groups from an app")
	for mode, short := range map[string]string{
		provisioning.ModePlan: "Show what an import would change, and change nothing",
		provisioning.ModeRun:  "Import, and stop for approval where the safeguards say so",
	} {
		var typ string
		cmd := &cobra.Command{
			Use: mode + " APP_ID", Short: short, Args: cobra.ExactArgs(1),
			RunE: func(cmd *cobra.Command, args []string) error {
				return withProgram(cmd, func(p *program) error { return runImport(cmd, p, args[0], mode, typ) })
			},
		}
		cmd.Flags().StringVar(&typ, "type", provisioning.TypeFull, "full or incremental")
		parent.AddCommand(cmd)
	}
	return parent
}

// runImport starts an import and watches it: the server carries it out when one holds
// the data directory, this process does otherwise.
func runImport(cmd *cobra.Command, p *program, appID, mode, typ string) error {
	ctx := cmd.Context()
	lock, err := lockDir(string(p.dir))
	served := errors.Is(err, errInUse)
	if err != nil && !served {
		return err
	}
	if !served {
		defer lock.unlock()
	}
	c := directory.Change{Actor: operator, Source: directory.Source{Kind: directory.SourceImport, ID: appID}, Manage: true}
	run, err := p.engine.StartImport(ctx, c, appID, mode, typ)
	if err != nil {
		return fmt.Errorf("import of %s: %w", appID, err)
	}
	if !served {
		if err := p.engine.WorkImport(ctx, run.ID); err != nil {
			return err
		}
	}
	if run, err = p.watchImport(ctx, appID, run.ID); err != nil {
		return err
	}
	return showImport(cmd, p, run)
}

// watchEvery is how often a run that somebody else carries out is looked at.
const watchEvery = 200 * time.Millisecond

func (p *program) watchImport(ctx context.Context, appID, runID string) (*provisioning.ImportRun, error) {
	for {
		run, err := p.engine.Import(ctx, appID, runID)
		if err != nil || run.Status != provisioning.RunRunning {
			return run, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("no longer watching import %s, which goes on: %w", runID, ctx.Err())
		case <-time.After(watchEvery):
		}
	}
}

// shownChanges is how many changes a person is shown; --json prints all.
const shownChanges = 50

// showImport prints the outcome, and of a plan what it would change.
func showImport(cmd *cobra.Command, p *program, run *provisioning.ImportRun) error {
	changes, err := p.importChanges(cmd.Context(), run)
	if err != nil {
		return err
	}
	c := run.Counts
	text := fmt.Sprintf("import %s is %s: %d to create, %d to update, %d to link, %d to deactivate, %d unchanged, %d errors",
		run.ID, run.Status, c.Create, c.Update, c.Link, c.Deactivate, c.Unchanged, c.Error)
	if run.Reason != "" {
		text += "\n" + run.Reason
	}
	for i, ch := range changes {
		if i == shownChanges {
			text += fmt.Sprintf("\n  ... and %d more (--json prints all)", len(changes)-i)
			break
		}
		text += fmt.Sprintf("\n  %-10s %s %s", ch.Action, ch.Login, ch.Reason)
	}
	err = print(cmd, map[string]any{"id": run.ID, "status": run.Status, "mode": run.Mode, "reason": run.Reason,
		"counts": run.Counts, "groupCounts": run.Groups, "changes": changes}, text)
	if run.Status == provisioning.RunFailed {
		err = errors.Join(err, fmt.Errorf("import %s failed: %s", run.ID, run.Reason))
	}
	return err
}

// importChanges reads every change of a run, people first.
func (p *program) importChanges(ctx context.Context, run *provisioning.ImportRun) ([]provisioning.PlannedChange, error) {
	const page = 200
	all := []provisioning.PlannedChange{}
	for _, kind := range []string{provisioning.TypeUser, provisioning.TypeGroup} {
		for after := ""; ; {
			part, err := p.engine.ImportChanges(ctx, run.AppID, run.ID, kind, after, page)
			if err != nil {
				return nil, err
			}
			all = append(all, part...)
			if len(part) < page {
				break
			}
			after = part[len(part)-1].ExternalID
		}
	}
	return all, nil
}
