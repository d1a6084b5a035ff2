package transfer

import (
	"bufio"
	"io"
	"strings"
)

// csvWriter writes CSV (RFC 4180), with the line ends that it asks for.
type csvWriter struct {
	w     *bufio.Writer
	comma byte
	// guard puts an apostrophe before a cell that a spreadsheet would take for a formula.
	guard bool
}

func newCSVWriter(w io.Writer, comma byte) *csvWriter {
	return &csvWriter{w: bufio.NewWriterSize(w, 1<<16), comma: comma}
}

func (c *csvWriter) row(fields []string) error {
	for i, f := range fields {
		if i > 0 {
			_ = c.w.WriteByte(c.comma) // a bufio.Writer keeps its error
		}
		c.field(f, len(fields) == 1)
	}
	_, err := c.w.WriteString("\r\n")
	return err
}

func (c *csvWriter) field(f string, only bool) {
	if c.guard && isFormula(f) {
		f = "'" + f
	}
	if !c.needsQuotes(f) && !(only && f == "") { // a row of nothing would be no row
		_, _ = c.w.WriteString(f)
		return
	}
	_ = c.w.WriteByte('"')
	_, _ = c.w.WriteString(strings.ReplaceAll(f, `"`, `""`))
	_ = c.w.WriteByte('"')
}

func (c *csvWriter) needsQuotes(f string) bool {
	if f == "" {
		return false
	}
	return strings.IndexByte(f, c.comma) >= 0 || strings.ContainsAny(f, "\"\r\n") || f[0] == ' ' || f[len(f)-1] == ' '
}

// isFormula tells what spreadsheets calculate when they open a file.
func isFormula(f string) bool {
	return f != "" && strings.IndexByte("=+-@\t\r", f[0]) >= 0
}

func (c *csvWriter) flush() error { return c.w.Flush() }
