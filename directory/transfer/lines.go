package transfer

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// lineReader reads lines of bounded length and counts them.
type lineReader struct {
	r    *bufio.Reader
	buf  []byte
	line int64 // number of the last line that was read
}

func newLineReader(r io.Reader) *lineReader {
	return &lineReader{r: bufio.NewReaderSize(r, 1<<16)}
}

// next returns the next line without its end; it is valid until the next call. A line
// beyond maxLine is a *Fault, and passed over.
func (l *lineReader) next() ([]byte, error) {
	part, err := l.r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return l.long(part)
	}
	if err != nil && (!errors.Is(err, io.EOF) || len(part) == 0) {
		return nil, err
	}
	l.line++
	return trimEnd(part), nil
}

// long gathers a line that is longer than the buffer.
func (l *lineReader) long(part []byte) ([]byte, error) {
	l.buf = append(l.buf[:0], part...)
	for len(l.buf) <= maxLine {
		part, err := l.r.ReadSlice('\n')
		l.buf = append(l.buf, part...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case err != nil && !errors.Is(err, io.EOF):
			return nil, err
		case len(l.buf) > maxLine:
			l.line++
			return nil, l.tooLong()
		default:
			l.line++
			return trimEnd(l.buf), nil
		}
	}
	l.line++
	if err := l.skip(); err != nil {
		return nil, err
	}
	return nil, l.tooLong()
}

func (l *lineReader) tooLong() error {
	l.buf = nil
	return faultf(l.line, "the line is longer than %d bytes", maxLine)
}

// skip passes over the rest of a line, so far as that is worth it.
func (l *lineReader) skip() error {
	for skipped := 0; skipped <= maxSkipped; {
		part, err := l.r.ReadSlice('\n')
		skipped += len(part)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case err != nil && !errors.Is(err, io.EOF):
			return err
		default:
			return nil
		}
	}
	return fmt.Errorf("line %d: no end within %d bytes", l.line, maxLine+maxSkipped)
}

// trimEnd takes the line break away, of either kind.
func trimEnd(line []byte) []byte {
	if n := len(line); n > 0 && line[n-1] == '\n' {
		line = line[:n-1]
		if n > 1 && line[n-2] == '\r' {
			line = line[:n-2]
		}
	}
	return line
}
