package webhook

import (
	"net/url"
	"slices"
	"strings"

	"github.com/provost-id/provost/plugins"
)

// maxURI bounds the URI of a hook.
const maxURI = 1024

// ours are the headers that a hook's configuration may not set: those of the
// exchange itself and of the signature.
var ours = []string{
	"accept", "accept-encoding", "connection", "content-encoding", "content-length", "content-type", "expect", "host",
	"keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "webhook-id", "webhook-signature", "webhook-timestamp",
}

// check returns the first fault of a channel as a *plugins.ConfigError.
func check(c plugins.HTTPChannel) error {
	if reason := checkURI(c.URI); reason != "" {
		return &plugins.ConfigError{Field: "channel.config.uri", Reason: reason}
	}
	for _, h := range c.Headers {
		if reason := checkHeader(h.Key, h.Value); reason != "" {
			return &plugins.ConfigError{Field: "channel.config.headers", Reason: reason}
		}
	}
	if c.AuthKey == "" {
		return nil
	}
	if reason := checkHeader(c.AuthKey, string(c.AuthValue)); reason != "" {
		return &plugins.ConfigError{Field: "channel.config.authScheme", Reason: reason}
	}
	return nil
}

func checkURI(uri string) string {
	u, err := url.Parse(uri)
	switch {
	case uri == "":
		return "it is required"
	case len(uri) > maxURI:
		return "it is longer than 1024 characters"
	case err != nil || strings.ContainsAny(uri, " \t") || u.Hostname() == "":
		return "it is no absolute URI"
	case u.Scheme != "https" && u.Scheme != "http":
		return "it must begin with https://"
	case u.User != nil:
		return "it must not carry credentials; use authScheme"
	case u.Fragment != "":
		return "it must not have a fragment"
	}
	return ""
}

func checkHeader(key, value string) string {
	switch {
	case !isToken(key):
		return "the key is no header name"
	case slices.Contains(ours, strings.ToLower(key)):
		return key + " cannot be set"
	case strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }):
		return "the value of " + key + " has control characters"
	}
	return ""
}

// isToken reports whether s is a token (RFC 9110, section 5.6.2).
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		alphanumeric := r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z'
		return !alphanumeric && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	})
}
