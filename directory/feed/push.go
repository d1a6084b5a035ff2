package feed

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	// maxAnswer bounds what is read of a receiver's answer.
	maxAnswer = 64 << 10
	// pushTimeout bounds one request.
	pushTimeout = 20 * time.Second
)

// pushError is why a push failed, in the receiver's own words where there are any.
type pushError struct {
	status  int // of HTTP; zero without an answer
	refusal refusal
	after   time.Duration // how long the receiver wants to be left alone
	cause   error
}

// Error names what a person needs to know.
func (e *pushError) Error() string {
	switch {
	case e.cause != nil:
		return e.cause.Error()
	case e.refusal.Err != "":
		return fmt.Sprintf("status %d, %s: %s", e.status, e.refusal.Err, e.refusal.Description)
	case e.status/100 == 3:
		return fmt.Sprintf("status %d: redirects are not followed", e.status)
	}
	return fmt.Sprintf("status %d, want 202", e.status)
}

// unreadable says that the SET itself is what the receiver does not take (RFC 8935,
// section 2.4). Other codes speak of keys, issuers, audiences and rights, which an
// administrator can put right.
func (e *pushError) unreadable() bool {
	return e.status == http.StatusBadRequest && e.refusal.Err == "invalid_request"
}

// push sends a SET (RFC 8935, section 2.1). Only 202 says that the receiver has it
// (section 2.2): another answer may come from a proxy that has not understood.
func (s *Service) push(ctx context.Context, st *Stream, authorization, signed string) *pushError {
	ctx, cancel := context.WithTimeout(ctx, pushTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, st.Endpoint, strings.NewReader(signed))
	if err != nil {
		return &pushError{cause: err}
	}
	req.Header.Set("Content-Type", "application/secevent+jwt")
	req.Header.Set("Accept", "application/json")
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	res, err := s.Client.Do(req)
	if err != nil {
		var without *url.Error // the URL may hold a secret, and the stream tells it anyway
		if errors.As(err, &without) {
			err = without.Err
		}
		return &pushError{cause: err}
	}
	defer func() { _ = res.Body.Close() }() // what matters has been read
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if res.StatusCode == http.StatusAccepted {
		return nil
	}
	failed := &pushError{status: res.StatusCode, after: retryAfter(res.Header, s.Now())}
	if mt, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type")); err == nil && mt == "application/json" {
		_ = json.Unmarshal(body, &failed.refusal) // a body in another form says nothing
	}
	return failed
}

// retryAfter reads Retry-After (RFC 9110, section 10.2.3); zero without one.
func retryAfter(h http.Header, now time.Time) time.Duration {
	v := h.Get("Retry-After")
	if seconds, err := strconv.Atoi(v); err == nil && seconds > 0 {
		return time.Duration(min(seconds, int(maxRetryAfter/time.Second))) * time.Second
	}
	if at, err := http.ParseTime(v); err == nil && at.After(now) {
		return at.Sub(now)
	}
	return 0
}

var errNoClient = errors.New("this server sends no pushes")
