package scim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/provost-id/provost/provisioning"
	wire "github.com/provost-id/provost/schemas/scim"
)

// maxBody bounds an answer, in bytes: a page of 100 groups of 1,000 members fits.
const maxBody = 16 << 20

// requestTimeout bounds one exchange with its body, also against a server that drips.
const requestTimeout = 60 * time.Second

// client sends requests to one target. It follows no redirect: the token is for the base URL alone.
type client struct {
	http  *http.Client
	base  string
	token string
}

func newClient(h *http.Client, s settings) *client {
	own := *h
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	own.Jar = nil
	return &client{http: &own, base: s.base, token: s.token}
}

// request is one exchange. Segments of a path are escaped one by one.
type request struct {
	method string
	path   []string // "Users", id
	query  url.Values
	body   any
	match  string // If-Match, "" for none
	secret string // must not appear in an error
}

// answer is what came back with a status below 300.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (r request) op() string { return r.method + " /" + strings.Join(r.path, "/") }

// do sends a request and turns everything but success into an *Error.
func (c *client) do(ctx context.Context, r request) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	req, err := c.build(ctx, r)
	if err != nil {
		return answer{}, &provisioning.Error{Kind: provisioning.ErrInvalid, Op: r.op(), Err: err}
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return answer{}, c.lost(r, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if resp.StatusCode >= 300 {
		return answer{}, c.refused(r, resp, body)
	}
	if err != nil {
		return answer{}, c.lost(r, err)
	}
	if len(body) > maxBody {
		return answer{}, &provisioning.Error{Kind: provisioning.ErrTooLarge, Op: r.op(), Status: resp.StatusCode}
	}
	return answer{resp.StatusCode, resp.Header, body}, nil
}

func (c *client) build(ctx context.Context, r request) (*http.Request, error) {
	u := c.base
	for _, segment := range r.path {
		u += "/" + url.PathEscape(segment)
	}
	if len(r.query) > 0 {
		u += "?" + r.query.Encode()
	}
	var body io.Reader
	if r.body != nil {
		b, err := json.Marshal(r.body)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, u, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", wire.MediaType+", application/json")
	if r.body != nil {
		req.Header.Set("Content-Type", wire.MediaType)
	}
	if r.match != "" {
		req.Header.Set("If-Match", r.match)
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	return req, nil
}

// lost is an exchange without an answer. A create may have happened, unless no connection was made.
func (c *client) lost(r request, err error) error {
	e := &provisioning.Error{Kind: provisioning.ErrTransient, Op: r.op(), Err: unwrapURL(err)}
	var op *net.OpError
	if r.method == http.MethodPost && !(errors.As(err, &op) && op.Op == "dial") {
		e.Kind = provisioning.ErrUnknown
	}
	return e
}

// unwrapURL leaves out the URL, which may hold a name in a filter.
func unwrapURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// decode reads a JSON object; a target that answers a page of HTML has not done what it was asked.
func (a answer) decode(op string, into any) error {
	if err := json.Unmarshal(a.body, into); err != nil {
		return &provisioning.Error{Kind: provisioning.ErrTransient, Op: op, Status: a.status, Body: "not JSON: " + provisioning.Words(string(a.body)), Err: err}
	}
	return nil
}
