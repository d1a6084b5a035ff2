package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// dirLock is held by the one server of a data directory. The kernel drops it when
// the process ends, however it ends.
type dirLock struct{ file *os.File }

// errInUse is returned when another server holds the data directory.
var errInUse = errors.New("data directory is in use")

// lockDir takes the lock of a data directory, or returns errInUse.
func lockDir(dir string) (*dirLock, error) {
	f, err := os.OpenFile(filepath.Join(dir, "provost.lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock data directory: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer func() { _ = f.Close() }() // nothing was written
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("%w: %s is served by process %s", errInUse, dir, holder(f))
		}
		return nil, fmt.Errorf("lock data directory: %w", err)
	}
	if err := f.Truncate(0); err == nil {
		_, _ = fmt.Fprintf(f, "%d\n", os.Getpid()) // for the message above only
	}
	return &dirLock{file: f}, nil
}

func holder(f *os.File) string {
	b := make([]byte, 32)
	n, _ := f.Read(b) // an empty file says nothing, which is fine
	if pid := strings.TrimSpace(string(b[:n])); pid != "" {
		return pid
	}
	return "unknown"
}

// unlock gives the data directory free.
func (l *dirLock) unlock() { _ = l.file.Close() } // closing drops the lock; there is nothing to flush
