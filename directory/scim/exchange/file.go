package exchange

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// format is the version of the files that this package writes and reads.
const format = 1

// The origins of a file.
const (
	Recorded  = "recorded"                     // by a Recorder, from a real client
	Synthetic = "synthetic-from-documentation" // written by hand from what is known of a client
)

// Header is the beginning of a file.
type Header struct {
	Format int    `json:"format"`
	Client string `json:"client"`
	Origin string `json:"origin"`
	About  string `json:"about,omitempty"`
	// Dialect is pinned to the token that the requests are sent with, empty for none;
	// Detected is the one that they give away, empty when nobody looks.
	Dialect  string `json:"dialect,omitempty"`
	Detected string `json:"detected,omitempty"`
}

// File is a whole file.
type File struct {
	Header
	Exchanges []Exchange `json:"exchanges"`
}

// Exchange is one request and its answer.
type Exchange struct {
	About    string   `json:"about,omitempty"`
	Request  Request  `json:"request"`
	Response Response `json:"response"`
}

// Request is what a client sends. Path is below the base URL of the service and has the
// query; a blank or a quote in it may stand as it is. One that begins with {{root}}
// is below the URL that the base URL is made of by adding /v2.
type Request struct {
	Method string            `json:"method"`
	Path   string            `json:"path"`
	Header map[string]string `json:"header,omitempty"`
	Body   json.RawMessage   `json:"body,omitempty"`
}

// Response is what it is answered.
type Response struct {
	Status int               `json:"status"`
	Header map[string]string `json:"header,omitempty"`
	Body   json.RawMessage   `json:"body,omitempty"`
}

// Load reads a file by its name.
func Load(name string) (*File, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read exchanges: %w", err)
	}
	f, err := Parse(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return f, nil
}

// Parse reads the text of a file. A member that it does not know is an error.
func Parse(text []byte) (*File, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	var f File
	if err := d.Decode(&f); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, errors.New("the file ends inside of an exchange: its recorder did not come to an end")
		}
		return nil, fmt.Errorf("no file of exchanges: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("no file of exchanges: something follows its end")
	}
	if f.Format != format {
		return nil, fmt.Errorf("format %d; want %d", f.Format, format)
	}
	if f.Origin != Recorded && f.Origin != Synthetic {
		return nil, fmt.Errorf("origin %q; want %q or %q", f.Origin, Recorded, Synthetic)
	}
	return &f, nil
}
