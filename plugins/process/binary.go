package process

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Why a binary is not run.
var (
	ErrChecksum  = errors.New("its SHA-256 is not the configured one")
	ErrNoPlugin  = errors.New("it is no plugin of provost")
	ErrWritable  = errors.New("others than its owner may write it")
	ErrNoRegular = errors.New("it is no regular file")
)

// maxBinary bounds what is copied at a start.
const maxBinary = 1 << 30

// install copies the binary at path into dir and returns the copy, after it was
// found to be the configured one: what was checked is what runs, though the file be
// changed in between.
func install(path, sum, dir string) (string, error) {
	src, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = src.Close() }() // it was only read
	if err := checkFile(src); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	name := filepath.Join(dir, "plugin")
	dst, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o500)
	if err != nil {
		return "", err
	}
	if err := errors.Join(copyChecked(dst, src, sum), dst.Close()); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return name, nil
}

func checkFile(f *os.File) error {
	info, err := f.Stat()
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular() || info.Size() > maxBinary:
		return ErrNoRegular
	case info.Mode().Perm()&0o022 != 0:
		return ErrWritable
	}
	return nil
}

// copyChecked copies src and fails when its checksum is not sum or Marker is missing.
func copyChecked(dst io.Writer, src io.Reader, sum string) error {
	want, err := hex.DecodeString(sum)
	if err != nil {
		return ErrChecksum
	}
	hash, find := sha256.New(), &finder{want: marker()}
	if _, err := io.Copy(io.MultiWriter(dst, hash, find), io.LimitReader(src, maxBinary)); err != nil {
		return err
	}
	if subtle.ConstantTimeCompare(hash.Sum(nil), want) != 1 {
		return ErrChecksum
	}
	if !find.found {
		return ErrNoPlugin
	}
	return nil
}

// marker puts Marker together at run time, so that provost's own binary does not
// carry it.
func marker() []byte {
	return []byte(strings.Join([]string{"provost-plugin", "v1", "9b1f6a2e-7d0c-4a53-8f21-3c5e0d4b6a97"}, ":"))
}

// finder looks for want in what is written to it.
type finder struct {
	want  []byte
	tail  []byte // the end of what came before, shorter than want
	found bool
}

// Write implements io.Writer.
func (f *finder) Write(p []byte) (int, error) {
	if f.found {
		return len(p), nil
	}
	joined := append(f.tail, p...)
	f.found = bytes.Contains(joined, f.want)
	f.tail = bytes.Clone(joined[max(0, len(joined)-len(f.want)+1):])
	return len(p), nil
}
