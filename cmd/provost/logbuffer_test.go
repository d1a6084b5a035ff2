package main

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// lines is where a log goes in the end.
type lines struct {
	mu   sync.Mutex // guards text
	text strings.Builder
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *lines) count() int { return strings.Count(l.String(), "\n") }

func TestLogIsWrittenSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &lines{}
		w := &logWriter{out: out}
		log := newLog(w).With("node", "a").WithGroup("g")
		log.Info("one")
		if n := out.count(); n != 0 {
			t.Errorf("%d lines at once, want the line to wait", n)
		}
		time.Sleep(logDelay)
		synctest.Wait()
		if n := out.count(); n != 1 {
			t.Errorf("%d lines after the delay, want 1", n)
		}
		log.Info("two")
		log.Warn("three")
		if n := out.count(); n != 3 {
			t.Errorf("%d lines after a warning, want 3", n)
		}
		for i := range 1000 {
			log.Info("many", "text", strings.Repeat("x", 100), "i", i)
		}
		if n := out.count(); n < 500 {
			t.Errorf("%d lines of many, want the buffer to empty itself", n)
		}
		w.flush()
		if n := out.count(); n != 1003 {
			t.Errorf("%d lines at the end, want 1003", n)
		}
		if last := out.String(); !strings.Contains(last, `"node":"a","g":{"text"`) {
			t.Error("attributes and groups are lost")
		}
		time.Sleep(logDelay) // the timer that is left
	})
}
