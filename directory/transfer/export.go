package transfer

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// ExportOptions say what is exported and how.
type ExportOptions struct {
	Path   string // packed when it ends in .gz; "-" is Out
	Out    io.Writer
	Format string // by the name of the file when empty; JSONLines for "-"
	// Types are the resource types: all of JSON lines and users of CSV when empty. LDIF
	// knows people and groups.
	Types  []string
	Filter string // a SCIM filter on the only type, which is User when Types is empty
	// Attributes are the columns of CSV, and the attributes of JSON lines, which then no
	// longer hold everything.
	Attributes []string
	Client     string // the namespace of externalId
	// Passwords exports the hashes of passwords too.
	Passwords bool
	Comma     string // of CSV; as in Options, with Separator
	Separator string
	// GuardFormulas puts an apostrophe before cells that a spreadsheet would calculate.
	GuardFormulas bool
	BaseDN        string // of LDIF
	Report        func(Progress)
}

// ExportSummary is the outcome of an export.
type ExportSummary struct {
	File      string           `json:"file"`
	Format    string           `json:"format"`
	Resources map[string]int64 `json:"resources"` // by type
	Members   int64            `json:"members"`
	Notes     []string         `json:"notes,omitempty"`
	Elapsed   time.Duration    `json:"-"`
}

// encoder writes resources in one format.
type encoder interface {
	begin() error
	page(ctx context.Context, page []*directory.Stored) error
	end() error
}

// exporter is one export under way.
type exporter struct {
	dir     *directory.Directory
	o       ExportOptions
	schema  *schemas.Snapshot
	rd      sqldb.Reader
	notes   map[string]bool
	members int64
}

// Export writes what a directory holds at one moment. A file appears under its name
// when it is whole.
func Export(ctx context.Context, dir *directory.Directory, o ExportOptions) (*ExportSummary, error) {
	ex := &exporter{dir: dir, o: o, schema: dir.Schemas(), notes: map[string]bool{}}
	filter, err := ex.check()
	if err != nil {
		return nil, err
	}
	started := time.Now()
	s := &ExportSummary{File: o.Path, Format: ex.o.Format, Resources: map[string]int64{}}
	err = ex.toFile(func(w io.Writer) error {
		return dir.DB.View(ctx, func(rd sqldb.Reader) error {
			ex.rd = rd
			return ex.walk(ctx, w, filter, s)
		})
	})
	if err != nil {
		return nil, err
	}
	s.Notes, s.Members, s.Elapsed = sortedKeys(ex.notes), ex.members, time.Since(started)
	return s, nil
}

// check fills in what is left out, and reads the filter.
func (ex *exporter) check() (*schemas.Filter, error) {
	o := &ex.o
	if o.Format == "" {
		if o.Format = FormatOf(o.Path); o.Path == "-" {
			o.Format = JSONLines
		}
	}
	if o.Comma == "" {
		o.Comma = ","
	}
	if o.Separator == "" {
		o.Separator = "|"
	}
	if len(o.Types) == 0 {
		o.Types = ex.defaultTypes()
	}
	for i, name := range o.Types {
		t, ok := ex.typeNamed(name)
		if !ok {
			return nil, fmt.Errorf("type %q: no schema has it", name)
		}
		o.Types[i] = t.Name
	}
	slices.SortStableFunc(o.Types, func(a, b string) int { return typeRank(a) - typeRank(b) })
	switch {
	case o.Format == "":
		return nil, fmt.Errorf("%s: the format does not follow from the name; say csv, ldif or jsonl", o.Path)
	case !slices.Contains([]string{CSV, LDIF, JSONLines}, o.Format):
		return nil, fmt.Errorf("format %q: want csv, ldif or jsonl", o.Format)
	case o.Format == CSV && len(o.Types) != 1:
		return nil, errors.New("a CSV file has one type of resources")
	case o.Format == LDIF && o.BaseDN == "":
		return nil, errors.New("LDIF wants the base DN of its entries, dc=example,dc=com say")
	case o.Filter != "" && len(o.Types) != 1:
		return nil, errors.New("a filter is for one type of resources")
	case len(o.Comma) != 1:
		return nil, fmt.Errorf("delimiter %q: want one character of ASCII", o.Comma)
	}
	if o.Filter == "" {
		return nil, nil
	}
	t, _ := ex.schema.Type(o.Types[0]) // it was found above
	f, err := t.ParseFilter(o.Filter, schemas.Generic)
	if err != nil {
		return nil, fmt.Errorf("filter: %w", err)
	}
	return f, nil
}

func (ex *exporter) typeNamed(name string) (*schemas.Type, bool) {
	for _, t := range ex.schema.Types() {
		if strings.EqualFold(t.Name, name) {
			return t, true
		}
	}
	return nil, false
}

// typeRank puts people before groups, and both before the rest.
func typeRank(typ string) int {
	switch typ {
	case "User":
		return 0
	case "Group":
		return 1
	}
	return 2
}

func (ex *exporter) defaultTypes() []string {
	switch {
	case ex.o.Format == CSV || ex.o.Filter != "":
		return []string{"User"}
	case ex.o.Format == LDIF:
		return []string{"User", "Group"}
	}
	var all []string
	for _, t := range ex.schema.Types() {
		all = append(all, t.Name)
	}
	return all
}

// toFile makes a file for its owner alone that is there when it is whole.
func (ex *exporter) toFile(write func(io.Writer) error) error {
	if ex.o.Path == "-" {
		return write(ex.o.Out)
	}
	f, err := os.CreateTemp(filepath.Dir(ex.o.Path), "."+filepath.Base(ex.o.Path)+".*")
	if err != nil {
		return err
	}
	err = ex.packed(f, write)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), ex.o.Path)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // the first error is the one to report
	}
	return err
}

func (ex *exporter) packed(f io.Writer, write func(io.Writer) error) error {
	if !strings.HasSuffix(strings.ToLower(ex.o.Path), ".gz") {
		return write(f)
	}
	z := gzip.NewWriter(f)
	return errors.Join(write(z), z.Close())
}

func (ex *exporter) walk(ctx context.Context, w io.Writer, filter *schemas.Filter, s *ExportSummary) error {
	enc, err := ex.encoder(w)
	if err != nil {
		return err
	}
	if err := enc.begin(); err != nil {
		return err
	}
	var total, written int64
	for _, typ := range ex.o.Types {
		n, err := ex.dir.Count(ctx, typ)
		if err != nil {
			return err
		}
		total += int64(n)
	}
	for _, typ := range ex.o.Types {
		q := directory.WalkQuery{Filter: filter, Client: ex.o.Client, Passwords: ex.o.Passwords}
		err := ex.dir.Walk(ctx, ex.rd, typ, q, func(page []*directory.Stored) error {
			page = slices.DeleteFunc(page, ex.isEveryone)
			s.Resources[typ] += int64(len(page))
			written += int64(len(page))
			if ex.o.Report != nil {
				ex.o.Report(Progress{Stage: "export", Records: written, Done: written, Total: total})
			}
			return enc.page(ctx, page)
		})
		if err != nil {
			return err
		}
	}
	return enc.end()
}

// isEveryone leaves out the group that every directory has, with everybody in it.
func (ex *exporter) isEveryone(s *directory.Stored) bool { return s.ID == ex.dir.EveryoneID() }

func (ex *exporter) encoder(w io.Writer) (encoder, error) {
	switch ex.o.Format {
	case CSV:
		return newCSVEncoder(ex, w)
	case LDIF:
		return newLDIFEncoder(ex, w)
	}
	return newJSONEncoder(ex, w)
}

// decode returns a stored resource with what an attribute can ask for.
func (ex *exporter) decode(t *schemas.Type, s *directory.Stored) (*schemas.Resource, error) {
	r, err := t.Decode(s.Doc)
	if err != nil {
		return nil, fmt.Errorf("document of %s: %w", s.ID, err)
	}
	r.ExternalID = s.ExternalIDs[ex.o.Client]
	if t.Name == "User" {
		active := directory.Status(s.Status).Active()
		r.Active = &active
	}
	return r, nil
}

func (ex *exporter) note(format string, args ...any) { ex.notes[fmt.Sprintf(format, args...)] = true }
