package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/knadh/koanf/parsers/yaml"
	"github.com/spf13/cobra"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/directory/transfer"
)

func dataCommand() *cobra.Command {
	parent := parentCommand("data", "Import and export people, groups and other resources as files")
	parent.AddCommand(dataImportCommand(), dataExportCommand())
	return parent
}

func dataImportCommand() *cobra.Command {
	var o transfer.Options
	var match, mapFile string
	cmd := &cobra.Command{
		Use: "import FILE", Short: "Import a CSV, LDIF or SCIM JSON lines file", Args: cobra.ExactArgs(1),
		Long: `Import a CSV (.csv), LDIF (.ldif) or SCIM JSON lines (.jsonl) file, packed by gzip or not.

What cannot be taken goes to a reject file, with the line and the reason, and the import
goes on; the exit code is then 2. An import that was interrupted goes on with --resume.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Path, o.Match = args[0], directory.Key(match)
			if err := readMapFile(mapFile, &o); err != nil {
				return err
			}
			return withProgram(cmd, func(p *program) error { return runDataImport(cmd, p, o) })
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Format, "format", "", "csv, ldif or jsonl (default by the name of the file)")
	f.StringVar(&o.Mode, "mode", transfer.Create, "create, or upsert: change who is there already")
	f.StringVar(&match, "match", "", "what upsert finds resources by: userName, displayName (of groups), externalId or id")
	f.StringVar(&o.Type, "type", "User", "resource type of a CSV file")
	f.StringToStringVar(&o.Map, "map", nil, "`column=attribute`, where the column has another name than the attribute; column=- leaves it out")
	f.StringVar(&mapFile, "map-file", "", "YAML `file` of the same")
	f.BoolVar(&o.IgnoreUnknown, "ignore-unknown", false, "leave out columns and attributes that the schema does not have")
	f.StringVar(&o.Comma, "delimiter", ",", "between the fields of CSV")
	f.StringVar(&o.Separator, "separator", "|", "between several values in a field of CSV")
	f.StringVar(&o.Encoding, "encoding", "", "of CSV, windows-1252 say (default UTF-8, or what a byte order mark says)")
	f.BoolVar(&o.ClearEmpty, "clear-empty", false, "upsert: take the value away where a field is empty")
	f.StringVar(&o.Client, "client", "operator", "`ID` of the API token whose external IDs are in the file")
	f.BoolVar(&o.NewIDs, "new-ids", false, "give new IDs to resources that were exported here")
	f.BoolVar(&o.Administrators, "administrators", false, "let the import change the members of Administrators")
	f.StringVar(&o.Rejects, "rejects", "", "`file` for what cannot be taken (default beside FILE)")
	f.BoolVar(&o.DryRun, "dry-run", false, "check everything, and change nothing")
	f.BoolVar(&o.Resume, "resume", false, "go on with an import of FILE that was interrupted")
	f.BoolVar(&o.Restart, "restart", false, "begin an interrupted import of FILE anew")
	return cmd
}

// readMapFile adds the columns of a file to those of the flag, which come first.
func readMapFile(path string, o *transfer.Options) error {
	if path == "" {
		return nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	columns, err := yaml.Parser().Unmarshal(b)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if o.Map == nil {
		o.Map = map[string]string{}
	}
	for column, attribute := range columns {
		text, ok := attribute.(string)
		if !ok {
			return fmt.Errorf("%s: column %q: want the name of an attribute", path, column)
		}
		if _, given := o.Map[column]; !given {
			o.Map[column] = text
		}
	}
	return nil
}

func runDataImport(cmd *cobra.Command, p *program, o transfer.Options) error {
	bar := newProgress(cmd)
	o.Report = bar.show
	s, err := transfer.Import(cmd.Context(), p.directory, directory.Change{Actor: operator}, o)
	bar.done()
	if _, unfinished := errors.AsType[*transfer.UnfinishedError](err); unfinished {
		return fmt.Errorf("%w (--resume or --restart)", err)
	}
	if errors.Is(err, transfer.ErrNothingToResume) || s == nil {
		return err
	}
	if err != nil && !o.DryRun && s.Records > 0 {
		return fmt.Errorf("stopped after %d records, --resume goes on: %w", s.Records, err)
	}
	if err != nil {
		return err
	}
	if err := print(cmd, s, importText(s)); err != nil {
		return err
	}
	if s.Rejected > 0 {
		return &partlyDone{fmt.Sprintf("%d records were rejected, see %s", s.Rejected, s.Rejects)}
	}
	return nil
}

func importText(s *transfer.Summary) string {
	verb := "imported"
	if s.DryRun {
		verb = "would be imported"
	}
	text := fmt.Sprintf("%s %s: %d records: %d created, %d updated, %d unchanged, %d rejected, %d skipped; %d memberships; %s",
		s.File, verb, s.Records, s.Created, s.Updated, s.Unchanged, s.Rejected, s.Skipped, s.Members, rate(s.Records, s.Elapsed))
	return strings.Join(append([]string{text}, s.Notes...), "\n  ")
}

func rate(n int64, elapsed time.Duration) string {
	return fmt.Sprintf("%s, %.0f/s", elapsed.Round(100*time.Millisecond), float64(n)/max(elapsed.Seconds(), 0.001))
}

func dataExportCommand() *cobra.Command {
	var o transfer.ExportOptions
	cmd := &cobra.Command{
		Use: "export [FILE]", Short: "Export as CSV, LDIF or SCIM JSON lines", Args: cobra.MaximumNArgs(1),
		Long: `Export as CSV (.csv), LDIF (.ldif) or SCIM JSON lines (.jsonl), packed when FILE ends in
.gz; to standard output without FILE. An export shows one moment, whatever goes on beside.

JSON lines of all types hold everything but password hashes: with --with-password-hashes,
an import into an empty directory gives the same directory.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Path, o.Out = "-", cmd.OutOrStdout()
			if len(args) == 1 {
				o.Path = args[0]
			}
			return withProgram(cmd, func(p *program) error { return runDataExport(cmd, p, o) })
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Format, "format", "", "csv, ldif or jsonl (default by the name of the file)")
	f.StringSliceVar(&o.Types, "type", nil, "resource `types` (default all of jsonl, people of csv)")
	f.StringVar(&o.Filter, "filter", "", "SCIM `filter` of what is exported")
	f.StringSliceVar(&o.Attributes, "attributes", nil, "columns of csv; attributes of jsonl, which then no longer holds everything")
	f.StringVar(&o.Client, "client", "operator", "`ID` of the API token whose external IDs are shown as externalId")
	f.BoolVar(&o.Passwords, "with-password-hashes", false, "export the hashes of passwords: whoever has the file can try passwords")
	f.StringVar(&o.Comma, "delimiter", ",", "between the fields of CSV")
	f.StringVar(&o.Separator, "separator", "|", "between several values in a field of CSV")
	f.BoolVar(&o.GuardFormulas, "guard-formulas", false, "CSV for a spreadsheet: put ' before what it would calculate")
	f.StringVar(&o.BaseDN, "base-dn", "", "`DN` above the entries of LDIF")
	return cmd
}

func runDataExport(cmd *cobra.Command, p *program, o transfer.ExportOptions) error {
	bar := newProgress(cmd)
	o.Report = bar.show
	s, err := transfer.Export(cmd.Context(), p.directory, o)
	bar.done()
	if err != nil {
		return err
	}
	if o.Path == "-" { // what reads standard output wants the data alone
		return nil
	}
	total := int64(0)
	var parts []string
	for _, t := range p.directory.Schemas().Types() {
		if n := s.Resources[t.Name]; n > 0 {
			total += n
			parts = append(parts, fmt.Sprintf("%d of %s", n, t.Name))
		}
	}
	text := fmt.Sprintf("%s: %d resources exported (%s), %d memberships; %s", s.File, total, strings.Join(parts, ", "), s.Members, rate(total, s.Elapsed))
	return print(cmd, s, strings.Join(append([]string{text}, s.Notes...), "\n  "))
}
