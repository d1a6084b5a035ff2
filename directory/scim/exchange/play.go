package exchange

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// maxAnswer bounds an answer that is compared.
const maxAnswer = 16 << 20

// Player sends the requests of a file to a server.
type Player struct {
	Client *http.Client // http.DefaultClient when nil
	Base   string       // URL of the service, as https://id.example/scim/v2
	Token  string       // sent as a bearer token, empty for none
	// Inspect looks at each answer beside what the file expects; nil for nobody.
	Inspect func(status int, header http.Header, body []byte) error
	// Created are the URLs of what the server has created, filled by Play.
	Created []string
}

// goodPassword is what {{password}} means: long, uncommon, and nobody's name.
const goodPassword = "Vexing-Quartz-Lamp-47"

// Play sends every request of the file in turn. It returns what differs from the file,
// all of it, since later exchanges may be right; but stops at a request that cannot be
// made.
func (p *Player) Play(ctx context.Context, f *File) error {
	known := values{"password": goodPassword}
	var differences []error
	for i, e := range f.Exchanges {
		what := fmt.Sprintf("exchange %d (%s %s)", i+1, e.Request.Method, e.Request.Path)
		if e.About != "" {
			what += " " + e.About
		}
		status, header, body, err := p.send(ctx, e.Request, known)
		if err != nil {
			return errors.Join(append(differences, fmt.Errorf("%s: %w", what, err))...)
		}
		if status == http.StatusCreated && header.Get("Location") != "" {
			p.Created = append(p.Created, header.Get("Location"))
		}
		if err := p.compare(e.Response, status, header, body, known); err != nil {
			differences = append(differences, fmt.Errorf("%s: %w", what, err))
		}
	}
	return errors.Join(differences...)
}

func (p *Player) send(ctx context.Context, r Request, known values) (int, http.Header, []byte, error) {
	path, err := known.fill(strings.TrimPrefix(r.Path, "{{root}}"))
	if err != nil {
		return 0, nil, nil, err
	}
	base := p.Base
	if strings.HasPrefix(r.Path, "{{root}}") {
		base = strings.TrimSuffix(base, "/v2")
	}
	body, err := known.fill(string(r.Body))
	if err != nil {
		return 0, nil, nil, err
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, base+escape(path), strings.NewReader(body))
	if err != nil {
		return 0, nil, nil, err
	}
	req.Header.Set("User-Agent", "") // none, unless the client had one
	if p.Token != "" {
		req.Header.Set("Authorization", "Bearer "+p.Token)
	}
	for name, value := range r.Header {
		if value, err = known.fill(value); err != nil {
			return 0, nil, nil, err
		}
		req.Header.Set(name, value)
	}
	return p.do(req)
}

func (p *Player) do(req *http.Request) (int, http.Header, []byte, error) {
	client := p.Client
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, nil, nil, err
	}
	defer func() { _ = resp.Body.Close() }() // it is read
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return 0, nil, nil, fmt.Errorf("read answer: %w", err)
	}
	return resp.StatusCode, resp.Header, body, nil
}

func (p *Player) compare(want Response, status int, header http.Header, body []byte, known values) error {
	if status != want.Status {
		return fmt.Errorf("status %d, want %d: %s", status, want.Status, bytes.TrimSpace(body[:min(len(body), 500)]))
	}
	var all []error
	for name, value := range want.Header {
		if err := known.match(value, header.Get(name)); err != nil {
			all = append(all, fmt.Errorf("header %s: %w", name, err))
		}
	}
	if len(want.Body) > 0 {
		all = append(all, known.matchJSON(want.Body, body))
	}
	if p.Inspect != nil {
		all = append(all, p.Inspect(status, header, body))
	}
	return errors.Join(all...)
}

// escape makes a path that a person wrote fit for a URL: blanks, quotes, brackets and
// what is not ASCII. What is escaped already stays.
func escape(path string) string {
	var b strings.Builder
	for i := range len(path) {
		if c := path[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`"<>\^`+"`"+`{|}[]`, c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
			continue
		}
		b.WriteByte(path[i])
	}
	return b.String()
}
