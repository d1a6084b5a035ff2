package keyring

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Load reads the master key that spec names: file:PATH, or env:NAME for an
// environment variable, holding 32 bytes as they are, in base64 or in hexadecimal. A
// file that does not exist is made, readable by its owner only; a variable never is.
func Load(spec string) (*Ring, error) {
	kind, name, _ := strings.Cut(spec, ":")
	if name == "" {
		return nil, fmt.Errorf("master key %q: want file:PATH or env:NAME", spec)
	}
	switch kind {
	case "file":
		return loadFile(name)
	case "env":
		return loadEnv(name)
	}
	return nil, fmt.Errorf("master key %q: want file:PATH or env:NAME", spec)
}

func loadEnv(name string) (*Ring, error) {
	text, ok := os.LookupEnv(name)
	if !ok {
		return nil, fmt.Errorf("master key: environment variable %s is not set", name)
	}
	return decode("environment variable "+name, text)
}

func loadFile(path string) (*Ring, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return createFile(path)
	}
	if err != nil {
		return nil, fmt.Errorf("master key: %w", err)
	}
	defer func() { _ = f.Close() }() // nothing was written
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("master key: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("master key: %s is open to others (mode %04o): chmod 600 it", path, info.Mode().Perm())
	}
	const most = 256 // longer than any key in any form
	text, err := io.ReadAll(io.LimitReader(f, most))
	if err != nil {
		return nil, fmt.Errorf("master key: %w", err)
	}
	return decode(path, string(text))
}

// createFile makes a new key. Of several processes that find none, one makes it: the
// file appears whole, under a name that must not exist yet.
func createFile(path string) (*Ring, error) {
	key := make([]byte, KeySize)
	_, _ = rand.Read(key) // never fails (crypto/rand)
	tmp, err := os.CreateTemp(filepath.Dir(path), ".master.key-*")
	if err != nil {
		return nil, fmt.Errorf("make master key: %w", err)
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // only its name: the key stays under the other
	_, err = tmp.WriteString(base64.StdEncoding.EncodeToString(key) + "\n")
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err != nil {
		return nil, fmt.Errorf("make master key: %w", err)
	}
	if err := os.Link(tmp.Name(), path); errors.Is(err, fs.ErrExist) {
		return loadFile(path)
	} else if err != nil {
		return nil, fmt.Errorf("make master key: %w", err)
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		return nil, fmt.Errorf("make master key: %w", err)
	}
	return New(key)
}

// syncDir makes the new name durable: data sealed under a key that is gone after a
// power loss would be lost with it.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func decode(from, text string) (*Ring, error) {
	if len(text) == KeySize {
		return New([]byte(text))
	}
	trimmed := strings.TrimSpace(text)
	for _, decode := range []func(string) ([]byte, error){
		hex.DecodeString, base64.StdEncoding.DecodeString, base64.RawURLEncoding.DecodeString,
	} {
		if key, err := decode(trimmed); err == nil && len(key) == KeySize {
			return New(key)
		}
	}
	return nil, fmt.Errorf("master key: %s does not hold %d bytes in base64 or hexadecimal", from, KeySize)
}
