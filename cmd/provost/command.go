package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "provost",
		Short:         "Universal Directory, provisioning engine and token service",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	addConfigFlags(root.PersistentFlags())
	root.PersistentFlags().Bool("json", false, "print JSON instead of text")
	root.AddCommand(serveCommand(), tokenCommand(), scimCommand(), importCommand(), dataCommand(), whyCommand(), benchCommand(), versionCommand())
	return root
}

// parentCommand is a command that only has others below it: alone it shows its help, and
// a word that it does not know is an error.
func parentCommand(use, short string) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return print(cmd, map[string]string{"version": version}, "provost "+version)
		},
	}
}

// print writes text for a person, or v as JSON with --json.
func print(cmd *cobra.Command, v any, text string) error {
	if asJSON, _ := cmd.Flags().GetBool("json"); asJSON { // the flag is on every command
		return writeJSON(cmd.OutOrStdout(), v)
	}
	_, err := fmt.Fprintln(cmd.OutOrStdout(), text)
	return err
}

// oneLine keeps an error to the one line that a terminal and a log expect.
func oneLine(err error) string {
	return strings.Join(strings.Fields(err.Error()), " ")
}
