package transfer

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// The formats of a file.
const (
	CSV       = "csv"
	LDIF      = "ldif"
	JSONLines = "jsonl"
)

// extensions tell the format of a file by its name, before .gz.
var extensions = map[string]string{
	".csv": CSV, ".ldif": LDIF, ".ldf": LDIF, ".jsonl": JSONLines, ".ndjson": JSONLines, ".json": JSONLines,
}

// FormatOf tells the format of a file by its name, empty for one that nothing tells.
func FormatOf(path string) string {
	name := strings.TrimSuffix(strings.ToLower(path), ".gz")
	for ext, format := range extensions {
		if strings.HasSuffix(name, ext) {
			return format
		}
	}
	return ""
}

// input is an open file, as text.
type input struct {
	io.Reader
	file *os.File
	size int64
	read atomic.Int64 // bytes of the file, packed as it may be
	// decoded says that the text was in another encoding than UTF-8: what could not be
	// decoded is U+FFFD.
	decoded bool
}

// openInput opens a regular file: it is read more than once.
func openInput(path, encodingName string) (*input, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	in := &input{file: f}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is no regular file", path)
	}
	if err == nil {
		in.size = info.Size()
		err = in.wrap(encodingName)
	}
	if err != nil {
		_ = f.Close() // it was only read
		return nil, err
	}
	return in, nil
}

// wrap unpacks and decodes.
func (in *input) wrap(encodingName string) error {
	r := bufio.NewReaderSize(&counter{in.file, &in.read}, 1<<16)
	if magic, _ := r.Peek(2); bytes.Equal(magic, []byte{0x1F, 0x8B}) { // RFC 1952, section 2.3.1
		z, err := gzip.NewReader(r)
		if err != nil {
			return fmt.Errorf("unpack: %w", err)
		}
		r = bufio.NewReaderSize(z, 1<<16)
	}
	enc, err := in.encoding(r, encodingName)
	if err != nil || enc == nil {
		in.Reader = r
		return err
	}
	in.decoded = true
	in.Reader = transform.NewReader(r, unicode.BOMOverride(enc.NewDecoder()))
	return nil
}

// encoding is nil for UTF-8. A byte order mark tells more than a name.
func (in *input) encoding(r *bufio.Reader, name string) (encoding.Encoding, error) {
	mark, _ := r.Peek(3)
	switch {
	case bytes.HasPrefix(mark, []byte{0xEF, 0xBB, 0xBF}):
		_, err := r.Discard(3)
		return nil, err
	case bytes.HasPrefix(mark, []byte{0xFE, 0xFF}), bytes.HasPrefix(mark, []byte{0xFF, 0xFE}):
		return unicode.UTF16(unicode.BigEndian, unicode.UseBOM), nil
	case name == "", strings.EqualFold(name, "utf-8"):
		return nil, nil
	}
	enc, err := htmlindex.Get(name)
	if err != nil {
		return nil, fmt.Errorf("encoding %q is not known", name)
	}
	return enc, nil
}

func (in *input) Close() error { return in.file.Close() }

// counter counts what is read.
type counter struct {
	r io.Reader
	n *atomic.Int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// digest is the SHA-256 of a file and of what its records are taken for.
func digest(path, meaning string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	_, err = io.Copy(h, f)
	if err := errors.Join(err, f.Close()); err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	h.Write([]byte(meaning))
	return hex.EncodeToString(h.Sum(nil)), nil
}
