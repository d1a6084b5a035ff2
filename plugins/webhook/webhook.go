package webhook

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/provost-id/provost/plugins"
)

// Caller calls one web service.
type Caller struct {
	client  *http.Client
	uri     string
	headers http.Header
	key     []byte // of the signature
	now     func() time.Time
}

var _ plugins.Caller = (*Caller)(nil)

// Transport makes the callers of the channel HTTP. The client decides which
// addresses may be reached; redirects are not followed whatever it says.
func Transport(client *http.Client) plugins.Transport {
	own := *client
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return func(h plugins.Hook) (plugins.Caller, error) { return newCaller(&own, h.Channel.HTTP) }
}

func newCaller(client *http.Client, c plugins.HTTPChannel) (*Caller, error) {
	if err := check(c); err != nil {
		return nil, err
	}
	key, err := signingKey(string(c.SigningSecret))
	if err != nil {
		return nil, &plugins.ConfigError{Field: "channel.config.signingSecret", Reason: err.Error()}
	}
	headers := http.Header{}
	for _, h := range c.Headers {
		headers.Add(h.Key, h.Value)
	}
	if c.AuthKey != "" {
		headers.Set(c.AuthKey, string(c.AuthValue)) // verbatim, no prefix added
	}
	headers.Set("Accept", "application/json")
	headers.Set("Accept-Encoding", "identity") // no body that grows while it is read
	headers.Set("Content-Type", "application/json")
	return &Caller{client: client, uri: c.URI, headers: headers, key: key, now: time.Now}, nil
}

// Call posts the payload and returns the body of the answer, nothing for status 204.
// Every status beyond 2xx is a failure whose body is ignored; 5xx is temporary.
func (c *Caller) Call(ctx context.Context, payload []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.uri, bytes.NewReader(payload))
	if err != nil {
		return nil, err
	}
	req.Header = c.headers.Clone()
	sign(req.Header, c.key, payload, c.now())
	resp, err := c.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }() // what counts has been read
	switch {
	case resp.StatusCode == http.StatusNoContent:
		return nil, nil
	case resp.StatusCode >= 500:
		return nil, fmt.Errorf("%w: status %d", plugins.ErrTemporary, resp.StatusCode)
	case resp.StatusCode < 200 || resp.StatusCode > 299:
		return nil, fmt.Errorf("status %d", resp.StatusCode)
	}
	return read(resp.Body)
}

// read reads less than plugins.MaxResponse bytes, and at least one.
func read(r io.Reader) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, plugins.MaxResponse))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read answer: %w", err)
	case len(body) == plugins.MaxResponse:
		return nil, fmt.Errorf("%w: it is not less than %d bytes", plugins.ErrAnswer, plugins.MaxResponse)
	case len(body) == 0:
		return nil, fmt.Errorf("%w: it is empty", plugins.ErrAnswer)
	}
	return body, nil
}
