package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/directory/manage"
)

// whyCommand answers as GET /api/v1/users/{id}/why/{attribute} does.
func whyCommand() *cobra.Command {
	return &cobra.Command{
		Use: "why USER.ATTRIBUTE", Short: "Tell where a value of a person's profile comes from", Args: cobra.ExactArgs(1),
		Example: `  provost why ada@example.com.department`,
		RunE: func(cmd *cobra.Command, args []string) error {
			who, attr, err := splitWhy(args[0])
			if err != nil {
				return err
			}
			return withProgram(cmd, func(p *program) error { return runWhy(cmd, p, who, attr) })
		},
	}
}

// splitWhy takes what follows the last dot for the attribute: a login may hold dots, the
// name of an attribute none.
func splitWhy(arg string) (who, attr string, err error) {
	i := strings.LastIndexByte(arg, '.')
	if i <= 0 || i == len(arg)-1 {
		return "", "", fmt.Errorf("%q: want USER.ATTRIBUTE, a login or ID and the name of a profile attribute", arg)
	}
	return arg[:i], arg[i+1:], nil
}

func runWhy(cmd *cobra.Command, p *program, who, attr string) error {
	u, err := p.directory.User(cmd.Context(), who)
	if errors.Is(err, directory.ErrNotFound) {
		u, err = p.directory.UserByLogin(cmd.Context(), who)
	}
	if errors.Is(err, directory.ErrNotFound) {
		return fmt.Errorf("nobody has the login or ID %q", who)
	}
	if err != nil {
		return err
	}
	w, err := p.directory.Why(cmd.Context(), u.ID, attr)
	if errors.Is(err, directory.ErrNotFound) {
		return fmt.Errorf("the profile has no attribute %q", attr)
	}
	if err != nil {
		return err
	}
	return print(cmd, manage.ShowWhy(w), whyText(attr, w))
}

func whyText(attr string, w *directory.Why) string {
	value := "is not set"
	if w.Value != nil {
		value = fmt.Sprintf("is %q", fmt.Sprint(w.Value))
	}
	if w.Event == "" {
		return fmt.Sprintf("%s %s, and never was set", attr, value)
	}
	lines := []string{fmt.Sprintf("%s %s", attr, value), "source   " + w.Source.Kind}
	if w.Source.ID != "" {
		lines[1] += " " + w.Source.ID
	}
	if w.App != "" {
		lines[1] += fmt.Sprintf(" (%s)", w.App)
	}
	if w.Mapping != "" {
		lines = append(lines, "mapping  "+w.Mapping)
	}
	if w.MappingVersion > 0 {
		lines = append(lines, fmt.Sprintf("version  %d", w.MappingVersion))
	}
	lines = append(lines, "event    "+w.Event, "time     "+w.Time.UTC().Format(time.RFC3339))
	return strings.Join(lines, "\n")
}
