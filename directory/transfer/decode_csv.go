package transfer

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/provost-id/provost/schemas"
)

// csvDecoder makes records of the rows of a CSV file: the first has the names of the
// columns.
type csvDecoder struct {
	o       *Options
	typ     *schemas.Type
	r       *csvReader
	decoded bool
	columns []column
	header  []string
	n       int64
	fields  []string
}

func newCSVDecoder(in *input, o *Options, typ *schemas.Type) (*csvDecoder, error) {
	d := &csvDecoder{o: o, typ: typ, r: newCSVReader(in, o.Comma[0]), decoded: in.decoded}
	header, err := d.r.next()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("the file is empty: its first row has the names of the columns")
	}
	if err != nil {
		return nil, err
	}
	for i, name := range header {
		switch {
		case !utf8.ValidString(name) || strings.ContainsRune(name, 0):
			return nil, faultf(d.r.begun, "the name of column %d is not valid UTF-8, or has a NUL", i+1)
		case strings.TrimSpace(name) == "":
			return nil, faultf(d.r.begun, "column %d has no name", i+1)
		case slices.Contains(header[:i], name):
			return nil, faultf(d.r.begun, "there are two columns %q", clip(name))
		}
	}
	d.header = slices.Clone(header)
	if d.columns, err = compileColumns(typ, o, d.header); err != nil {
		return nil, faultf(d.r.begun, "%v", err)
	}
	return d, nil
}

func (d *csvDecoder) at() (int64, int64) { return d.n, d.r.begun }

func (d *csvDecoder) read() error {
	var err error
	d.fields, err = d.r.next()
	if err == nil || asFault(err) != nil {
		d.n++
	}
	if err == nil && len(d.fields) != len(d.columns) {
		return faultf(d.r.begun, "the row has %d fields, and the first row has %d", len(d.fields), len(d.columns))
	}
	return err
}

func (d *csvDecoder) record() *record {
	r := &record{n: d.n, line: d.r.begun, typ: d.typ, raw: slices.Clone(d.fields)}
	cells := make([]cell, len(d.columns))
	for i := range d.columns {
		if d.decoded && strings.ContainsRune(d.fields[i], utf8.RuneError) {
			r.fault = fmt.Errorf("%s: the text does not fit its encoding", d.columns[i].name)
			return r
		}
		cells[i] = cell{&d.columns[i], d.texts(i)}
	}
	if r.fault = r.fill(d.o, cells); r.fault == nil {
		r.fault = r.setKey(d.o)
	}
	return r
}

// texts are the values of a field.
func (d *csvDecoder) texts(i int) []string {
	field, c := d.fields[i], &d.columns[i]
	switch {
	case field == "":
		return nil
	case c.special == columnGroups, c.special == columnMember, c.text != nil && c.text.Multi():
		return splitList(field, d.o.Separator)
	}
	return []string{field}
}

func (d *csvDecoder) links() *links {
	l := &links{n: d.n, line: d.r.begun, raw: slices.Clone(d.fields)}
	for i, c := range d.columns {
		switch {
		case c.special == columnMember:
			l.members = d.texts(i)
		case c.text != nil && c.text.Name == managerName:
			l.manager = d.fields[i]
		}
	}
	return l
}

// splitList splits a field at a separator; a backslash before it, or before a
// backslash, takes its meaning away. Empty values are none.
func splitList(field, sep string) []string {
	var all []string
	var b strings.Builder
	end := func() {
		if text := strings.TrimSpace(b.String()); text != "" {
			all = append(all, text)
		}
		b.Reset()
	}
	for field != "" {
		switch {
		case field[0] == '\\' && strings.HasPrefix(field[1:], sep):
			b.WriteString(sep)
			field = field[1+len(sep):]
		case strings.HasPrefix(field, `\\`):
			b.WriteByte('\\')
			field = field[2:]
		case strings.HasPrefix(field, sep):
			end()
			field = field[len(sep):]
		default:
			b.WriteByte(field[0])
			field = field[1:]
		}
	}
	end()
	return all
}

// joinList is the inverse of splitList.
func joinList(texts []string, sep string) string {
	escaped := make([]string, len(texts))
	for i, t := range texts {
		escaped[i] = strings.NewReplacer(`\`, `\\`, sep, `\`+sep).Replace(t)
	}
	return strings.Join(escaped, sep)
}
