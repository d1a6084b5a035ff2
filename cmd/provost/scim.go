package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/provost-id/provost/directory/scim/exchange"
)

func scimCommand() *cobra.Command {
	parent := parentCommand("scim", "Record what a SCIM client says, and say it again")
	parent.AddCommand(scimRecordCommand(), scimReplayCommand())
	return parent
}

func scimReplayCommand() *cobra.Command {
	var base, token string
	cmd := &cobra.Command{
		Use:   "replay FILE --url https://id.example/scim/v2 --token file:PATH",
		Short: "Send the requests of a file to a service and compare the answers",
		Long: "Send the requests of a file to a service and compare the answers. They create, change and delete:\n" +
			"send them to a service that is there to be tried.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := exchange.Load(args[0])
			if err != nil {
				return err
			}
			p := exchange.Player{Base: strings.TrimSuffix(base, "/")}
			if p.Token, err = secretOf(token); err != nil {
				return err
			}
			if err := p.Play(cmd.Context(), f); err != nil {
				fmt.Fprintln(cmd.ErrOrStderr(), err)
				return fmt.Errorf("%s: the service answers otherwise", args[0])
			}
			return print(cmd, map[string]any{"file": args[0], "exchanges": len(f.Exchanges)},
				fmt.Sprintf("%d exchanges, answered as in %s", len(f.Exchanges), args[0]))
		},
	}
	cmd.Flags().StringVar(&base, "url", "", "base URL of the service")
	cmd.Flags().StringVar(&token, "token", "", "bearer token: file:PATH or env:NAME")
	required(cmd, "url", "token")
	return cmd
}

// secretOf reads a secret by its reference: none stands on a command line.
func secretOf(reference string) (string, error) {
	kind, name, _ := strings.Cut(reference, ":")
	switch {
	case kind == "env" && name != "":
		return os.Getenv(name), nil
	case kind == "file" && name != "":
		b, err := os.ReadFile(name)
		if err != nil {
			return "", fmt.Errorf("token: %w", err)
		}
		return strings.TrimSpace(string(b)), nil
	}
	return "", fmt.Errorf("token: want file:PATH or env:NAME")
}

func required(cmd *cobra.Command, names ...string) {
	for _, name := range names {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic(err) // the flag is defined
		}
	}
}
