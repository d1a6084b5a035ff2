package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/provost-id/provost/internal/apitoken"
	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/schemas"
)

func tokenCommand() *cobra.Command {
	parent := parentCommand("token", "Make API tokens")
	parent.AddCommand(tokenCreateCommand())
	return parent
}

// tokenCreateCommand prints the token alone: what reads it is a script.
func tokenCreateCommand() *cobra.Command {
	var n apitoken.NewToken
	cmd := &cobra.Command{
		Use:   "create --name NAME --scope scim,manage",
		Short: "Make an API token and print it, this once",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, ok := schemas.DialectByName(n.Dialect); !ok {
				return fmt.Errorf("dialect %q: want generic, strict, entra or okta", n.Dialect)
			}
			return withProgram(cmd, func(p *program) error {
				secret, t, err := p.tokens.Create(cmd.Context(), operator, n)
				if err != nil {
					return err
				}
				return print(cmd, map[string]any{"id": t.ID, "name": t.Name, "scopes": t.Scopes,
					"expires": t.Expires.UTC().Format(time.RFC3339), "token": secret}, secret)
			})
		},
	}
	cmd.Flags().StringVar(&n.Name, "name", "", "what the token is for")
	cmd.Flags().StringSliceVar(&n.Scopes, "scope", nil, "scim, scim.read, manage, manage.read")
	cmd.Flags().DurationVar(&n.TTL, "ttl", 24*time.Hour, "how long it lives")
	cmd.Flags().StringVar(&n.Dialect, "dialect", "", "SCIM client profile of its requests: generic, strict, entra or okta")
	for _, required := range []string{"name", "scope"} {
		if err := cmd.MarkFlagRequired(required); err != nil {
			panic(err) // the flag was defined above
		}
	}
	return cmd
}

// operator is whoever has the data directory and the shell.
var operator = events.Actor{ID: "operator", Type: "System", Name: "command line"}

// withProgram runs f with the database open beside a server that may hold the lock.
func withProgram(cmd *cobra.Command, f func(*program) error) error {
	cfg, err := loadConfig(cmd)
	if err != nil {
		return err
	}
	if err := dataDir(cfg.DataDir).prepare(); err != nil {
		return err
	}
	p, err := open(cmd.Context(), cfg, quietLog(cmd.ErrOrStderr()))
	if err != nil {
		return err
	}
	defer p.close()
	return f(p)
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}
