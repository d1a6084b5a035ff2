package exchange

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
)

// ErrFull is returned by Append when an exchange would make the file larger than it may
// become. What is in it stays.
var ErrFull = errors.New("the file of exchanges is full")

// tail ends a file. Each exchange is written over the tail of before, so that the file is
// whole after every one, whatever happens to the program then.
const tail = "\n]}\n"

// Writer appends exchanges to a new file.
type Writer struct {
	limit int64

	mu   sync.Mutex // guards what follows
	file *os.File
	size int64 // without the tail
	some bool
}

// Create makes a file that grows to limit bytes at most. One that exists is left alone,
// and is an error. What it will hold is nobody else's: the mode is 0600.
func Create(name string, h Header, limit int64) (*Writer, error) {
	h.Format = format
	head, err := marshal(h)
	if err != nil {
		return nil, fmt.Errorf("encode header: %w", err)
	}
	file, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("create file of exchanges: %w", err)
	}
	w := &Writer{limit: limit, file: file}
	head = append(bytes.TrimSuffix(head, []byte("}")), `,"exchanges":[`...)
	if err := w.write(head); err != nil {
		_ = file.Close() // the first error is the one to tell
		return nil, err
	}
	return w, nil
}

// Append adds an exchange, or returns ErrFull.
func (w *Writer) Append(e Exchange) error {
	b, err := marshal(e)
	if err != nil {
		return fmt.Errorf("encode exchange: %w", err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	separator := "\n"
	if w.some {
		separator = ",\n"
	}
	b = append([]byte(separator), b...)
	if w.size+int64(len(b)+len(tail)) > w.limit {
		return ErrFull
	}
	if err := w.write(b); err != nil {
		return err
	}
	w.some = true
	return nil
}

// marshal is json.Marshal for text that a person reads.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// write puts b where the tail was, and the tail behind it.
func (w *Writer) write(b []byte) error {
	if _, err := w.file.WriteAt(append(b, tail...), w.size); err != nil {
		return fmt.Errorf("write exchange: %w", err)
	}
	w.size += int64(len(b))
	return nil
}

// Close closes the file, which is whole already.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.file.Sync(); err != nil {
		return fmt.Errorf("write exchanges: %w", err)
	}
	return w.file.Close()
}
