package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/directory/seed"
	"github.com/provost-id/provost/directory/transfer"
)

func benchCommand() *cobra.Command {
	parent := parentCommand("bench", "Make data to measure with")
	parent.AddCommand(benchSeedCommand())
	return parent
}

func benchSeedCommand() *cobra.Command {
	var o seed.Options
	cmd := &cobra.Command{
		Use: "seed --users N", Short: "Fill the directory with made-up people and groups", Args: cobra.NoArgs,
		Long: `Fill the directory with made-up people and groups. The same seed makes the same; who is
there already stays, so that a run that was stopped can be begun again. Nobody of them
exists: addresses and telephone numbers are of ranges that are reserved for examples.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withProgram(cmd, func(p *program) error { return runBenchSeed(cmd, p, o) })
		},
	}
	f := cmd.Flags()
	f.IntVar(&o.Users, "users", 0, "how many people")
	f.IntVar(&o.Groups, "groups", 0, "how many groups; their sizes follow a power law")
	f.IntVar(&o.GroupOf, "group-of", 0, "make one more group with so many members")
	f.Uint64Var(&o.Seed, "seed", 1, "what everything is drawn from")
	if err := cmd.MarkFlagRequired("users"); err != nil {
		panic(err) // the flag was defined above
	}
	return cmd
}

func runBenchSeed(cmd *cobra.Command, p *program, o seed.Options) error {
	bar := newProgress(cmd)
	o.Report = func(stage string, done, total int64) {
		bar.show(transfer.Progress{Stage: stage, Records: done, Done: done, Total: total})
	}
	r, err := seed.Fill(cmd.Context(), p.directory, directory.Change{Actor: operator}, o)
	bar.done()
	if err != nil {
		return err
	}
	return print(cmd, r, fmt.Sprintf("made %d people, %d groups and %d memberships, %d were there; %s",
		r.Users, r.Groups, r.Members, r.There, rate(r.Users+r.Groups, r.Elapsed)))
}
