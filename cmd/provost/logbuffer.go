package main

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"time"
)

// Lines below a warning wait this long, or until so many bytes wait with them: writing
// one at a time costs a busy server a system call per request.
const (
	logDelay  = 100 * time.Millisecond
	logBuffer = 32 << 10
)

// logWriter gathers lines. Its flush must be called at the end.
type logWriter struct {
	mu  sync.Mutex // guards buf, and keeps lines whole and in order
	out io.Writer
	buf []byte
}

// Write implements io.Writer.
func (w *logWriter) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.buf) == 0 {
		time.AfterFunc(logDelay, w.flush)
	}
	w.buf = append(w.buf, line...)
	if len(w.buf) >= logBuffer {
		w.writeOut()
	}
	return len(line), nil
}

func (w *logWriter) flush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.writeOut()
}

func (w *logWriter) writeOut() {
	if len(w.buf) == 0 {
		return
	}
	_, _ = w.out.Write(w.buf) // there is nowhere to report a log that cannot be written
	w.buf = w.buf[:0]
}

// logHandler writes warnings and errors at once, with what waits before them.
type logHandler struct {
	slog.Handler
	w *logWriter
}

func newLog(w *logWriter) *slog.Logger {
	return slog.New(logHandler{slog.NewJSONHandler(w, nil), w})
}

// Handle implements slog.Handler.
func (h logHandler) Handle(ctx context.Context, r slog.Record) error {
	err := h.Handler.Handle(ctx, r)
	if r.Level >= slog.LevelWarn {
		h.w.flush()
	}
	return err
}

// WithAttrs implements slog.Handler.
func (h logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return logHandler{h.Handler.WithAttrs(attrs), h.w}
}

// WithGroup implements slog.Handler.
func (h logHandler) WithGroup(name string) slog.Handler {
	return logHandler{h.Handler.WithGroup(name), h.w}
}
