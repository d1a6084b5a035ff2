package transfer

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"strings"
)

// maxDN is the longest DN in bytes that a record or a member may have.
const maxDN = 8 << 10

// ldifValue is one value of an attribute: its name as written, options included.
type ldifValue struct {
	name  string
	value string
}

// ldifRecord is one entry, or a part of one that has very many values.
type ldifRecord struct {
	line   int64
	dn     string
	values []ldifValue
	more   bool // another part of the entry follows

	members int // how many there are, those that were left out included
}

// ldifReader reads the content records of an LDIF file (RFC 2849). Values by URL are
// refused: a file must not make the server read others.
type ldifReader struct {
	lines *lineReader
	// wanted tells which attributes of a record are kept; nil keeps all.
	wanted func(rec *ldifRecord, name string) bool
	// part is how many values a record is handed out with; 0 refuses one of more than
	// maxValues.
	part int

	ahead   []byte // the physical line that was read last, when it is still to come
	pending bool
	at      int64 // the line of ahead
	logical []byte
	begun   bool // something other than comments was read
	open    *ldifRecord
}

func newLDIFReader(r io.Reader) *ldifReader { return &ldifReader{lines: newLineReader(r)} }

// next returns the next record. One that is not well-formed is a *Fault, and passed over.
func (l *ldifReader) next() (*ldifRecord, error) {
	rec := l.open
	l.open = nil
	if rec == nil {
		var err error
		if rec, err = l.head(); err != nil {
			return nil, l.passOver(rec, err)
		}
	} else {
		rec = &ldifRecord{line: rec.line, dn: rec.dn}
	}
	for {
		line, text, err := l.logicalLine()
		switch {
		case errors.Is(err, io.EOF) || err == nil && len(text) == 0:
			return rec, nil
		case err != nil:
			return nil, l.passOver(rec, err)
		}
		if err := l.add(rec, line, text); err != nil {
			return nil, l.passOver(rec, err)
		}
		if l.part > 0 && len(rec.values) == l.part {
			rec.more, l.open = true, rec
			return rec, nil
		}
	}
}

// head reads up to the DN of the next record.
func (l *ldifReader) head() (*ldifRecord, error) {
	for {
		line, text, err := l.logicalLine()
		if err != nil {
			return &ldifRecord{line: line}, err
		}
		first := !l.begun
		if len(text) > 0 {
			l.begun = true
		}
		rec := &ldifRecord{line: line}
		v, err := ldifLine(line, text)
		switch {
		case len(text) == 0:
			continue
		case err != nil:
			return rec, err
		case first && strings.EqualFold(v.name, "version"):
			if strings.TrimSpace(v.value) != "1" {
				return rec, faultf(line, "LDIF version %q; 1 is known", clip(v.value))
			}
			continue
		case !strings.EqualFold(v.name, "dn"):
			return rec, faultf(line, "a record begins with dn:, not with %q", clip(v.name))
		case len(v.value) > maxDN:
			return rec, faultf(line, "the DN is longer than %d bytes", maxDN)
		}
		rec.dn = v.value
		return rec, nil
	}
}

func (l *ldifReader) add(rec *ldifRecord, line int64, text []byte) error {
	v, err := ldifLine(line, text)
	if err != nil {
		return err
	}
	switch strings.ToLower(v.name) {
	case "dn":
		return faultf(line, "a second dn: in the record; an empty line stands between records")
	case "changetype":
		if !strings.EqualFold(v.value, "add") {
			return faultf(line, "changetype %s: only content is imported", clip(v.value))
		}
		return nil
	case "control":
		return faultf(line, "a control: only content is imported")
	}
	if l.wanted != nil && !l.wanted(rec, v.name) {
		return nil
	}
	if len(rec.values) >= maxValues {
		return faultf(rec.line, "the record has more than %d values", maxValues)
	}
	rec.values = append(rec.values, v)
	return nil
}

// passOver goes on to the end of the record that a fault is in.
func (l *ldifReader) passOver(rec *ldifRecord, fault error) error {
	if asFault(fault) == nil {
		return fault
	}
	for {
		_, text, err := l.logicalLine()
		switch {
		case asFault(err) != nil:
		case errors.Is(err, io.EOF) || err == nil && len(text) == 0:
			return fault
		case err != nil:
			return err
		}
	}
}

// ldifLine reads "name: value", "name:: Base64".
func ldifLine(line int64, text []byte) (ldifValue, error) {
	colon := bytes.IndexByte(text, ':')
	if colon < 0 {
		return ldifValue{}, faultf(line, "%q is no attribute: it has no colon", clip(string(text)))
	}
	v := ldifValue{name: string(text[:colon])}
	if !isLDIFName(v.name) {
		return v, faultf(line, "%q is no name of an attribute", clip(v.name))
	}
	rest := text[colon+1:]
	switch {
	case bytes.HasPrefix(rest, []byte{'<'}):
		return v, faultf(line, "%s: a value by URL is not read", v.name)
	case bytes.HasPrefix(rest, []byte{':'}):
		b, err := base64.StdEncoding.DecodeString(string(bytes.TrimLeft(rest[1:], " ")))
		if err != nil {
			return v, faultf(line, "%s: the value is no Base64", v.name)
		}
		v.value = string(b)
	default:
		v.value = string(bytes.TrimLeft(rest, " "))
	}
	return v, nil
}

// isLDIFName reports whether s is an attribute description: a name or OID, and options.
func isLDIFName(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && (i == 0 || c != '-' && c != '.' && c != ';' && c != '_') {
			return false
		}
	}
	return s != "" && len(s) <= 256
}

// logicalLine returns the next line that is no comment, its folds taken out, and where
// it begins. It is valid until the next call.
func (l *ldifReader) logicalLine() (int64, []byte, error) {
	for {
		line, err := l.unfold()
		if err != nil {
			return line, nil, err
		}
		if len(l.logical) == 0 || l.logical[0] != '#' {
			return line, l.logical, nil
		}
	}
}

func (l *ldifReader) unfold() (line int64, err error) {
	first, err := l.physical()
	if err != nil {
		return l.lines.line, err
	}
	line = l.at
	if bytes.HasPrefix(first, []byte{' '}) {
		return line, faultf(line, "a line begins with a space and continues nothing")
	}
	l.logical = append(l.logical[:0], first...)
	for len(l.logical) > 0 {
		more, err := l.physical()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return line, err
		}
		if !bytes.HasPrefix(more, []byte{' '}) {
			l.ahead, l.pending = more, true
			break
		}
		if len(l.logical)+len(more) > maxLine {
			return line, l.tooLong(line)
		}
		l.logical = append(l.logical, more[1:]...)
	}
	return line, nil
}

// tooLong passes over the rest of a folded line.
func (l *ldifReader) tooLong(line int64) error {
	l.logical = nil
	for {
		more, err := l.physical()
		if err != nil && asFault(err) == nil && !errors.Is(err, io.EOF) {
			return err
		}
		if err != nil || !bytes.HasPrefix(more, []byte{' '}) {
			l.ahead, l.pending = more, err == nil
			return faultf(line, "the line is longer than %d bytes", maxLine)
		}
	}
}

// physical returns the next line of the file.
func (l *ldifReader) physical() ([]byte, error) {
	if l.pending {
		l.pending = false
		return l.ahead, nil
	}
	text, err := l.lines.next()
	l.at = l.lines.line
	return text, err
}

// clip bounds what an error repeats of a file.
func clip(s string) string {
	const most = 60
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "..."
	}
	return strings.ToValidUTF8(s, "?")
}
