package transfer

import (
	"bufio"
	"encoding/base64"
	"io"
	"strings"
)

// ldifWidth is where lines are folded (RFC 2849, note 10).
const ldifWidth = 76

// ldifWriter writes content records (RFC 2849).
type ldifWriter struct {
	w *bufio.Writer
}

func newLDIFWriter(w io.Writer) *ldifWriter {
	return &ldifWriter{w: bufio.NewWriterSize(w, 1<<16)}
}

// version begins a file.
func (l *ldifWriter) version() error {
	_, err := l.w.WriteString("version: 1\n\n")
	return err
}

// value writes one line of a record; the first of each is its dn.
func (l *ldifWriter) value(name, value string) error {
	line := name + ": " + value
	switch {
	case value == "":
		line = name + ":"
	case !isSafeLDIF(value):
		line = name + ":: " + base64.StdEncoding.EncodeToString([]byte(value))
	}
	for width := ldifWidth; len(line) > width; width = ldifWidth - 1 {
		_, _ = l.w.WriteString(line[:width] + "\n ") // a bufio.Writer keeps its error
		line = line[width:]
	}
	_, err := l.w.WriteString(line + "\n")
	return err
}

// comment writes a comment of one line or more.
func (l *ldifWriter) comment(text string) error {
	_, err := l.w.WriteString("# " + strings.Join(strings.Fields(text), " ") + "\n")
	return err
}

// end ends a record.
func (l *ldifWriter) end() error {
	return l.w.WriteByte('\n')
}

func (l *ldifWriter) flush() error { return l.w.Flush() }

// isSafeLDIF tells what may stand without Base64: SAFE-STRING of RFC 2849, section 2,
// and no space at the end (its note 8).
func isSafeLDIF(s string) bool {
	if strings.IndexByte(" :<", s[0]) >= 0 || s[len(s)-1] == ' ' {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c == 0 || c == '\n' || c == '\r' || c > 0x7F {
			return false
		}
	}
	return true
}
