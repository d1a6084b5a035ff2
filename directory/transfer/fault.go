package transfer

import (
	"errors"
	"fmt"
)

// Fault is what is wrong with one record of a file. Reading goes on after it.
type Fault struct {
	Line   int64 // where the record begins
	Reason string
}

// Error names the line.
func (f *Fault) Error() string { return fmt.Sprintf("line %d: %s", f.Line, f.Reason) }

func faultf(line int64, format string, args ...any) error {
	return &Fault{Line: line, Reason: fmt.Sprintf(format, args...)}
}

// asFault returns the Fault that an error is, or nil.
func asFault(err error) *Fault {
	f, _ := errors.AsType[*Fault](err)
	return f
}

// Bounds of what is read. They are far beyond any record that means something, and
// small beside the memory of a server.
const (
	maxLine    = 16 << 20 // bytes of a line, a folded value, or a CSV row
	maxSkipped = 16 << 20 // bytes that are passed over in search of the end of a line
	maxFields  = 2000     // columns of a CSV file
	maxValues  = 100_000  // values of one LDIF record, members left out
)
