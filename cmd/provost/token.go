package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/provost-id/provost/internal/apitoken"
	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/schemas"
)

func tokenCommand() *cobra.Command {
	parent := parentCommand("token", "Make, list and change API tokens")
	parent.AddCommand(tokenCreateCommand(), tokenListCommand(), tokenUpdateCommand())
	return parent
}

// tokenCreateCommand prints the token alone: what reads it is a script.
func tokenCreateCommand() *cobra.Command {
	var n apitoken.NewToken
	var settings tokenFlags
	cmd := &cobra.Command{
		Use:   "create --name NAME --scope scim,manage",
		Short: "Make an API token and print it, this once",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := settings.apply(cmd, &n.Settings); err != nil {
				return err
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
	settings.add(cmd)
	required(cmd, "name", "scope")
	return cmd
}

// tokenFlags are the settings of a token as flags.
type tokenFlags struct {
	dialect     string
	reactivates bool
	verifies    bool
	limits      httpapi.Limits
}

func (f *tokenFlags) add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.reactivates, "reactivates", false, "let a POST bring back whom its client has deactivated")
	cmd.Flags().BoolVar(&f.verifies, "verifies-email", false, "count the mail addresses that its client sets as verified")
	cmd.Flags().StringSliceVar(&f.limits.ResourceTypes, "resource-types", nil, "limit it to these, as User,Group; empty for all")
	cmd.Flags().StringSliceVar(&f.limits.ReadAttributes, "read-attributes", nil, "limit it to reading these, as userName,name.givenName,emails; empty for all")
	cmd.Flags().StringSliceVar(&f.limits.WriteAttributes, "write-attributes", nil, "limit it to writing these; empty for those that it may read")
	cmd.Flags().StringSliceVar(&f.limits.Groups, "groups", nil, "limit it to the groups with these IDs, and the people in them; empty for all")
	cmd.Flags().StringVar(&f.dialect, "dialect", "", "SCIM client profile of its requests: "+strings.Join(schemas.DialectNames(), ", "))
}

// apply sets what the flags say and leaves the rest.
func (f *tokenFlags) apply(cmd *cobra.Command, s *apitoken.Settings) error {
	if cmd.Flags().Changed("dialect") {
		name, ok := schemas.PinnedDialect(f.dialect)
		if !ok {
			return fmt.Errorf("dialect %q: want one of %s", f.dialect, strings.Join(schemas.DialectNames(), ", "))
		}
		s.Dialect = name
	}
	if cmd.Flags().Changed("reactivates") {
		s.Reactivates = f.reactivates
	}
	if cmd.Flags().Changed("verifies-email") {
		s.VerifiesEmail = f.verifies
	}
	s.Limits = f.limited(cmd, s.Limits)
	return nil
}

// limited is what limits become: a flag that is given replaces its list.
func (f *tokenFlags) limited(cmd *cobra.Command, now *httpapi.Limits) *httpapi.Limits {
	var l httpapi.Limits
	if now != nil {
		l = *now
	}
	for flag, list := range map[string][2]*[]string{
		"resource-types": {&l.ResourceTypes, &f.limits.ResourceTypes}, "read-attributes": {&l.ReadAttributes, &f.limits.ReadAttributes},
		"write-attributes": {&l.WriteAttributes, &f.limits.WriteAttributes}, "groups": {&l.Groups, &f.limits.Groups},
	} {
		if cmd.Flags().Changed(flag) {
			*list[0] = *list[1]
		}
	}
	if l.Empty() {
		return nil
	}
	return &l
}

func tokenUpdateCommand() *cobra.Command {
	var settings tokenFlags
	cmd := &cobra.Command{
		Use:   "update ID",
		Short: "Change how the SCIM client of an API token is dealt with",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := settings.apply(cmd, &apitoken.Settings{}); err != nil {
				return err
			}
			return withProgram(cmd, func(p *program) error {
				t, err := p.tokens.Update(cmd.Context(), operator, args[0], func(s *apitoken.Settings) {
					_ = settings.apply(cmd, s) // it was tried above
				})
				if err != nil {
					return err
				}
				return print(cmd, tokenJSON(t), "token "+t.ID+" ("+t.Name+") changed")
			})
		},
	}
	settings.add(cmd)
	return cmd
}

func tokenListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the API tokens, without their secrets",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withProgram(cmd, func(p *program) error {
				all, err := p.tokens.List(cmd.Context())
				if err != nil {
					return err
				}
				rows := make([]map[string]any, len(all))
				for i, t := range all {
					rows[i] = tokenJSON(t)
				}
				return print(cmd, rows, tokenTable(all))
			})
		},
	}
}

func tokenJSON(t apitoken.Token) map[string]any {
	return map[string]any{"id": t.ID, "name": t.Name, "scopes": t.Scopes, "dialect": spokenBy(t.Dialect), "detectedDialect": t.Detected,
		"limits": t.Limits, "reactivates": t.Reactivates, "verifiesEmail": t.VerifiesEmail, "expires": t.Expires.UTC().Format(time.RFC3339)}
}

func spokenBy(dialect string) string {
	if dialect == "" {
		return schemas.AutoDialect
	}
	return dialect
}

func tokenTable(all []apitoken.Token) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tNAME\tSCOPES\tDIALECT\tDETECTED\tEXPIRES")
	for _, t := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", t.ID, t.Name, strings.Join(t.Scopes, ","), spokenBy(t.Dialect), t.Detected,
			t.Expires.UTC().Format(time.RFC3339))
	}
	_ = w.Flush() // a strings.Builder takes everything
	return strings.TrimRight(b.String(), "\n")
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
