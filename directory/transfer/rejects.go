package transfer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// rejectFile takes what could not be taken, in the format of the file, with the line
// and the reason. It is made with the first reject.
type rejectFile struct {
	path   string
	o      *Options
	header []string // of CSV
	file   *os.File
	csv    *csvWriter
	ldif   *ldifWriter
}

// rejectPath is people.rejects.csv for people.csv and for people.csv.gz.
func rejectPath(o *Options) string {
	if o.Rejects != "" {
		return o.Rejects
	}
	name := strings.TrimSuffix(o.Path, ".gz")
	ext := filepath.Ext(name)
	return strings.TrimSuffix(name, ext) + ".rejects" + ext
}

// write writes one reject; raw is nil for a record that could not even be read.
func (f *rejectFile) write(raw any, x reject) error {
	if f.file == nil {
		if err := f.open(); err != nil {
			return err
		}
	}
	var err error
	switch f.o.Format {
	case CSV:
		err = f.writeCSV(raw, x)
	case LDIF:
		err = f.writeLDIF(raw, x)
	default:
		err = f.writeJSON(raw, x)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", f.path, err)
	}
	return nil
}

// open makes the file for its owner alone: rejected rows may hold passwords.
func (f *rejectFile) open() (err error) {
	if f.file, err = os.OpenFile(f.path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600); err != nil {
		return err
	}
	f.csv, f.ldif = newCSVWriter(f.file, f.o.Comma[0]), newLDIFWriter(f.file)
	if f.o.Format == CSV {
		return f.csv.row(append(slices.Clone(f.ownColumns(f.header)), columnLine, columnReason))
	}
	return nil
}

// ownColumns leaves out what a reject file of before has added.
func (f *rejectFile) ownColumns(fields []string) []string {
	var own []string
	for i, name := range f.header {
		if name != columnLine && name != columnReason {
			own = append(own, fields[i])
		}
	}
	return own
}

func (f *rejectFile) writeCSV(raw any, x reject) error {
	fields, _ := raw.([]string)
	if len(fields) != len(f.header) {
		fields = make([]string, len(f.header))
	}
	if x.detail != nil {
		fields = slices.Clone(fields)
		for i, name := range f.header {
			if name == columnMember || f.o.Map[name] == columnMember {
				fields[i] = joinList(x.detail, f.o.Separator)
			}
		}
	}
	return f.csv.row(append(slices.Clone(f.ownColumns(fields)), strconv.FormatInt(x.line, 10), x.reason))
}

func (f *rejectFile) writeLDIF(raw any, x reject) error {
	err := f.ldif.comment(fmt.Sprintf("line %d: %s", x.line, x.reason))
	rec, _ := raw.(*ldifRecord)
	if err != nil || rec == nil {
		return errors.Join(err, f.ldif.end())
	}
	err = f.ldif.value("dn", rec.dn)
	if x.detail != nil {
		for _, dn := range x.detail {
			err = errors.Join(err, f.ldif.value("member", dn))
		}
		return errors.Join(err, f.ldif.end())
	}
	for _, v := range rec.values {
		err = errors.Join(err, f.ldif.value(v.name, v.value))
	}
	if left := rec.members - firstMembers; left > 0 {
		err = errors.Join(err, f.ldif.comment(fmt.Sprintf("%d more members are left out", left)))
	}
	return errors.Join(err, f.ldif.end())
}

// writeJSON adds the reason to the object, or puts a line that is none into one.
func (f *rejectFile) writeJSON(raw any, x reject) error {
	line, _ := raw.([]byte)
	why := map[string]any{"line": x.line, "reason": x.reason}
	var object map[string]json.RawMessage
	if json.Unmarshal(line, &object) != nil || object == nil {
		object = map[string]json.RawMessage{}
		if len(line) > 0 {
			why["text"] = strings.ToValidUTF8(string(line), "\uFFFD")
		}
	}
	text, err := json.Marshal(why)
	if err != nil {
		return err
	}
	object[rejectURN] = text
	if x.detail != nil {
		members := make([]map[string]string, len(x.detail))
		for i, value := range x.detail {
			members[i] = map[string]string{"value": value}
		}
		if object["members"], err = json.Marshal(members); err != nil {
			return err
		}
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(object); err != nil {
		return err
	}
	_, err = io.Copy(f.file, &out)
	return err
}

// close makes what was written durable.
func (f *rejectFile) close() error {
	if f.file == nil {
		return nil
	}
	err := errors.Join(f.csv.flush(), f.ldif.flush())
	return errors.Join(err, f.file.Sync(), f.file.Close())
}
