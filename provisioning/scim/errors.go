package scim

import (
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/provost-id/provost/provisioning"
	wire "github.com/provost-id/provost/schemas/scim"
)

// refused sorts a status (RFC 7644, section 3.12) by what is to be done about it, and keeps the target's words.
func (c *client) refused(r request, resp *http.Response, body []byte) error {
	var said wire.ErrorBody
	_ = json.Unmarshal(body, &said) // whatever it is, its text is kept
	e := &provisioning.Error{Op: r.op(), Status: resp.StatusCode, Body: c.words(r, body, said), Kind: kind(resp.StatusCode, r.method, said)}
	if resp.StatusCode < 400 {
		e.Body = "a redirect, which is not followed"
	}
	if e.Kind == provisioning.ErrInvalid {
		e.Attr = attributeIn(said.Detail)
	}
	e.RetryAfter = retryAfter(resp.Header.Get("Retry-After"), time.Now())
	return e
}

func kind(status int, method string, said wire.ErrorBody) error {
	switch {
	case status == http.StatusTooManyRequests:
		return provisioning.ErrRateLimited
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return provisioning.ErrDenied
	case status == http.StatusNotFound || status == http.StatusGone:
		return provisioning.ErrNotFound
	case status == http.StatusConflict || status == http.StatusPreconditionFailed || said.ScimType == "uniqueness":
		return provisioning.ErrConflict
	case status == http.StatusRequestTimeout || status == http.StatusServiceUnavailable:
		return provisioning.ErrTransient
	case status == http.StatusNotImplemented:
		return provisioning.ErrInvalid
	case status >= 500 && method == http.MethodPost:
		return provisioning.ErrUnknown // it may have been made all the same
	case status >= 500:
		return provisioning.ErrTransient
	}
	return provisioning.ErrInvalid
}

// words are the detail of a SCIM error, or the whole body, without secrets that the target may have repeated.
func (c *client) words(r request, body []byte, said wire.ErrorBody) string {
	text := string(body)
	if said.Detail != "" {
		text = strings.TrimSpace(said.ScimType + " " + said.Detail)
	}
	for _, secret := range []string{c.token, r.secret} {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "***")
		}
	}
	return provisioning.Words(text)
}

// maxRetryAfter bounds how long a target may put us off.
const maxRetryAfter = 24 * time.Hour

// retryAfter reads seconds or a date (RFC 9110, section 10.2.3); 0 when there is neither.
func retryAfter(v string, now time.Time) time.Duration {
	var d time.Duration
	if n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64); err == nil {
		d = time.Duration(min(n, int64(maxRetryAfter/time.Second))) * time.Second
	} else if t, err := http.ParseTime(v); err == nil {
		d = t.Sub(now)
	}
	return min(max(d, 0), maxRetryAfter)
}

// attributePattern finds the attribute in what targets say: "attribute 'userName' is required".
var attributePattern = regexp.MustCompile(`(?i)attribute:? ['"]?([A-Za-z][A-Za-z0-9.:_-]*)`)

func attributeIn(detail string) string {
	m := attributePattern.FindStringSubmatch(detail)
	if m == nil {
		return ""
	}
	return m[1]
}

// status is the HTTP status that an error carries, or 0.
func status(err error) int {
	var e *provisioning.Error
	if errors.As(err, &e) {
		return e.Status
	}
	return 0
}
