package transfer

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// csvReader reads CSV (RFC 4180) with bounds: encoding/csv would take the rest of the
// file into memory for a quote that is never closed.
type csvReader struct {
	r     *bufio.Reader
	comma byte
	line  int64 // how many lines were read

	begun  int64  // the line on which the row begins
	data   []byte // the fields of the row, one after the other
	ends   []int  // where each field ends in data
	quotes bool   // a field of the row stood in quotes
	fields []string
}

func newCSVReader(r io.Reader, comma byte) *csvReader {
	return &csvReader{r: bufio.NewReaderSize(r, 1<<16), comma: comma}
}

// next returns the fields of the next row that is not empty, valid until the next call;
// begun is its line. A row that is not well-formed is a *Fault, and passed over to the
// end of the line. A quote that is not closed ends the reading: nothing says where the
// next row is.
func (c *csvReader) next() ([]string, error) {
	for {
		c.data, c.ends, c.quotes, c.begun = c.data[:0], c.ends[:0], false, c.line+1
		if err := c.row(); err != nil {
			return nil, err
		}
		if len(c.ends) > 1 || len(c.data) > 0 || c.quotes {
			break
		}
	}
	all, from := string(c.data), 0 // the fields share one string
	c.fields = c.fields[:0]
	for _, end := range c.ends {
		c.fields = append(c.fields, all[from:end])
		from = end
	}
	return c.fields, nil
}

// csvState is where in a row the reader stands.
type csvState uint8

const (
	atField  csvState = iota // before the first byte of a field
	inBare                   // in a field without quotes
	inQuotes                 // in a field with quotes
	atQuote                  // after a quote inside: the end, or one of two
	atReturn                 // after the carriage return that follows a closing quote
	rowEnd
)

func (c *csvReader) row() error {
	state := atField
	for read := 0; state != rowEnd; read++ {
		b, err := c.r.ReadByte()
		switch {
		case errors.Is(err, io.EOF) && read == 0:
			return io.EOF
		case errors.Is(err, io.EOF):
			return c.atEOF(state)
		case err != nil:
			return err
		}
		if b == '\n' {
			c.line++
		}
		if len(c.data) >= maxLine || len(c.ends) >= maxFields {
			return c.tooLong(state, b)
		}
		if state, err = c.step(state, b); err != nil {
			return c.recover(b, err)
		}
	}
	return nil
}

// step takes one byte.
func (c *csvReader) step(state csvState, b byte) (csvState, error) {
	switch {
	case state == inQuotes && b == '"':
		return atQuote, nil
	case state == inQuotes:
		c.data = append(c.data, b)
		return inQuotes, nil
	case state == atField && b == '"':
		c.quotes = true
		return inQuotes, nil
	case state == atQuote && b == '"':
		c.data = append(c.data, b)
		return inQuotes, nil
	case b == '\n':
		if state == inBare && bytes.HasSuffix(c.field(), []byte{'\r'}) {
			c.data = c.data[:len(c.data)-1]
		}
		c.endField()
		return rowEnd, nil
	case state == atReturn || state == atQuote && b != c.comma && b != '\r':
		return state, faultf(c.begun, "text follows the quote that closes field %d", len(c.ends)+1)
	case b == c.comma:
		c.endField()
		return atField, nil
	case state == atQuote:
		return atReturn, nil
	case b == '"':
		return state, faultf(c.begun, "a quote in field %d, which does not begin with one", len(c.ends)+1)
	}
	c.data = append(c.data, b)
	return inBare, nil
}

// field is what was read of the field in hand.
func (c *csvReader) field() []byte {
	if n := len(c.ends); n > 0 {
		return c.data[c.ends[n-1]:]
	}
	return c.data
}

func (c *csvReader) endField() { c.ends = append(c.ends, len(c.data)) }

func (c *csvReader) atEOF(state csvState) error {
	if state == inQuotes {
		return c.unclosed("the end of the file")
	}
	c.endField()
	return nil
}

func (c *csvReader) unclosed(before string) error {
	return fmt.Errorf("line %d: field %d begins with a quote that is not closed before %s", c.begun, len(c.ends)+1, before)
}

func (c *csvReader) tooLong(state csvState, b byte) error {
	switch {
	case state == inQuotes:
		return c.unclosed(fmt.Sprintf("%d bytes", maxLine))
	case len(c.ends) >= maxFields:
		return c.recover(b, faultf(c.begun, "the row has more than %d fields", maxFields))
	}
	return c.recover(b, faultf(c.begun, "the row is longer than %d bytes", maxLine))
}

// recover passes over the rest of the line, of which b was read.
func (c *csvReader) recover(b byte, fault error) error {
	for skipped := 0; b != '\n'; skipped++ {
		var err error
		if b, err = c.r.ReadByte(); errors.Is(err, io.EOF) {
			return fault
		}
		if err != nil {
			return err
		}
		if skipped > maxSkipped {
			return fmt.Errorf("line %d: no end within %d bytes", c.begun, maxLine+maxSkipped)
		}
		if b == '\n' {
			c.line++
		}
	}
	return fault
}
