package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// dataDir is the folder of one server: database, master key, bootstrap token.
type dataDir string

// layout is the version of the folder's layout, written when the first start is done.
const layout = "1"

// prepare makes the folder, for its owner alone.
func (d dataDir) prepare() error {
	if err := os.MkdirAll(d.hooks(), 0o700); err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	b, err := os.ReadFile(d.path("VERSION"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	if v := strings.TrimSpace(string(b)); v != layout {
		return fmt.Errorf("data directory %s has layout %q, this provost knows %q", d, v, layout)
	}
	return nil
}

// fresh reports whether no start has been completed here yet.
func (d dataDir) fresh() bool {
	_, err := os.Stat(d.path("VERSION"))
	return errors.Is(err, fs.ErrNotExist)
}

// complete marks the first start as done.
func (d dataDir) complete() error {
	return os.WriteFile(d.path("VERSION"), []byte(layout+"\n"), 0o600)
}

func (d dataDir) path(name string) string { return filepath.Join(string(d), name) }

func (d dataDir) database() string       { return d.path("provost.db") }
func (d dataDir) hooks() string          { return d.path("hooks") }
func (d dataDir) bootstrapToken() string { return d.path("bootstrap-token") }
