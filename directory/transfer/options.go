package transfer

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/schemas"
)

// What an import does with a record whose resource is there already.
const (
	Create = "create" // it is rejected
	Upsert = "upsert" // the resource is changed
)

// Ignore is the target of a column that is left out.
const Ignore = "-"

// Options say what a file means and what is done with it.
type Options struct {
	Path     string
	Format   string // by the name of the file when empty
	Encoding string // of CSV; UTF-8 or what a byte order mark says when empty
	// Type is the resource type of the rows of a CSV file: User when empty.
	Type string
	Mode string // Create when empty
	// Match is the key by which Upsert finds who is there: the login, or the name of a
	// group, when empty. There is none by e-mail address: two people may share one.
	Match directory.Key
	// Map gives columns and LDAP attributes their targets: a profile name, a SCIM path, or
	// Ignore.
	Map map[string]string
	// IgnoreUnknown leaves out columns and attributes that no schema has, instead of
	// refusing the file, or the record.
	IgnoreUnknown bool
	Comma         string // between the fields of CSV: a comma when empty
	Separator     string // between the values of one field: | when empty
	// ClearEmpty takes the value away where a field is empty, in an Upsert.
	ClearEmpty bool
	// Client is the namespace of the external IDs in the file.
	Client string
	// NewIDs gives new identifiers to resources that bring one of ours.
	NewIDs bool
	// Administrators lets the import change that group.
	Administrators bool

	Rejects string // path of the reject file; beside the file when empty
	DryRun  bool
	Resume  bool // goes on with the unfinished import of the same file
	Restart bool // forgets it and begins anew
	// Report hears how far the import is, several times a second.
	Report func(Progress)

	batch int // records of one transaction: batchRecords when 0
}

// Progress is how far an import or export is.
type Progress struct {
	Stage   string
	Records int64
	// Done and Total are bytes of the file, or resources; Total is 0 when nobody knows.
	Done, Total int64
}

// check fills in what is left out, and refuses what cannot be.
func (o *Options) check(s *schemas.Snapshot) error {
	for _, d := range []struct {
		field *string
		value string
	}{{&o.Format, FormatOf(o.Path)}, {&o.Type, "User"}, {&o.Mode, Create}, {&o.Comma, ","}, {&o.Separator, "|"}, {&o.Client, "operator"}} {
		if *d.field == "" {
			*d.field = d.value
		}
	}
	if o.batch == 0 {
		o.batch = batchRecords
	}
	if _, ok := s.Type(o.Type); !ok {
		return fmt.Errorf("type %q: no schema has it", o.Type)
	}
	keys := []directory.Key{"", directory.ByLogin, directory.ByName, directory.ByExternalID, directory.ByID}
	switch {
	case o.Format == "":
		return fmt.Errorf("%s: the format does not follow from the name; say csv, ldif or jsonl", o.Path)
	case !slices.Contains([]string{CSV, LDIF, JSONLines}, o.Format):
		return fmt.Errorf("format %q: want csv, ldif or jsonl", o.Format)
	case o.Mode != Create && o.Mode != Upsert:
		return fmt.Errorf("mode %q: want create or upsert", o.Mode)
	case !slices.Contains(keys, o.Match):
		return fmt.Errorf("match %q: want userName, displayName, externalId or id", o.Match)
	case len(o.Comma) != 1 || o.Comma == `"` || o.Comma == "\n" || o.Comma == "\r":
		return fmt.Errorf("delimiter %q: want one character of ASCII", o.Comma)
	case o.Resume && o.Restart:
		return fmt.Errorf("resume and restart: want one of them")
	case o.DryRun && (o.Resume || o.Restart):
		return fmt.Errorf("a dry run leaves nothing that could be resumed")
	}
	return nil
}

// meaning is what decides how a file is taken: another import of the same file is
// another one when it differs.
func (o *Options) meaning() string {
	b, _ := json.Marshal([]any{o.Format, o.Encoding, o.Type, o.Mode, o.Match, o.Map, o.IgnoreUnknown, o.Comma, o.Separator, // plain values
		o.ClearEmpty, o.Client, o.NewIDs, o.Administrators})
	return string(b)
}

// keyOf is the key by which an Upsert finds resources of a type.
func (o *Options) keyOf(typ string) directory.Key {
	switch {
	case typ == "User" && o.Match != "" && o.Match != directory.ByName:
		return o.Match
	case typ == "User":
		return directory.ByLogin
	case typ == "Group" && o.Match != "" && o.Match != directory.ByLogin:
		return o.Match
	case typ == "Group":
		return directory.ByName
	case o.Match == directory.ByExternalID:
		return o.Match
	}
	return directory.ByID
}
