package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/provost-id/provost/internal/keyring"
)

// missingKeyFile is the file of the master key if it is not there yet, "" otherwise.
func (c *Config) missingKeyFile() string {
	path, ok := strings.CutPrefix(c.MasterKey, "file:")
	if !ok {
		return ""
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return path
	}
	return ""
}

// keyFault tells a key that was lost, or whose path was mistyped, from a wrong one. The
// key that this start has made in its place goes again: nothing is sealed under it, and
// it must not be taken for the one that opens the database.
func keyFault(err error, made string) error {
	if made == "" || !errors.Is(err, keyring.ErrWrongKey) {
		return err
	}
	missing := fmt.Errorf("master key: %s does not exist, and the database was made with one", made)
	if err := os.Remove(made); err != nil {
		return errors.Join(missing, err)
	}
	return missing
}
