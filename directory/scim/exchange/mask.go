package exchange

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// masked stands for a secret. In a request it means a password that is good enough, so
// that the request can be sent again.
const masked = "{{password}}"

// kept are the headers that a file keeps: all others are about the connection, the
// client's machine, or its credentials.
var kept = struct{ request, response []string }{
	request:  []string{"User-Agent", "Accept", "Content-Type", "If-Match", "If-None-Match", "Prefer"},
	response: []string{"Content-Type", "ETag", "Location"},
}

// secretWords are parts of the names of attributes whose values nobody keeps.
var secretWords = []string{"password", "passwd", "passphrase", "secret", "token", "credential", "apikey", "privatekey"}

func isSecret(name string) bool {
	name = strings.NewReplacer("_", "", "-", "").Replace(strings.ToLower(name))
	for _, w := range secretWords {
		if strings.Contains(name, w) {
			return true
		}
	}
	return false
}

// maskBody takes the secrets out of a body: the values of members whose names tell, and
// of PATCH operations whose paths do.
func maskBody(v any) any {
	switch v := v.(type) {
	case object:
		path, _ := v.atFold("path").(string)
		for i, m := range v {
			switch {
			case isSecret(m.name), isSecret(path) && strings.EqualFold(m.name, "value"):
				v[i].value = maskValue(m.value)
			default:
				v[i].value = maskBody(m.value)
			}
		}
	case []any:
		for i := range v {
			v[i] = maskBody(v[i])
		}
	}
	return v
}

func (o object) atFold(name string) any {
	for _, m := range o {
		if strings.EqualFold(m.name, name) {
			return m.value
		}
	}
	return nil
}

// maskValue takes every string and number away and keeps the shape.
func maskValue(v any) any {
	switch v := v.(type) {
	case object:
		for i := range v {
			v[i].value = maskValue(v[i].value)
		}
		return v
	case []any:
		for i := range v {
			v[i] = maskValue(v[i])
		}
		return v
	case bool, nil:
		return v
	}
	return masked
}

// secretFilter is a comparison of an attribute that holds a secret.
var secretFilter = regexp.MustCompile(`(?i)[\w.:$-]*(?:password|passwd|secret|token|credential)[\w.:$-]*\s+(?:eq|ne|co|sw|ew|g[te]|l[te])\s+`)

// maskQuery takes the secrets out of a raw query: parameters whose names tell, and
// filters on what holds a secret.
func maskQuery(raw string) string {
	parts := strings.Split(raw, "&")
	for i, part := range parts {
		name, value, ok := strings.Cut(part, "=")
		if !ok {
			continue
		}
		text, err := url.QueryUnescape(value)
		switch {
		case isSecret(name) || err != nil:
			parts[i] = name + "=" + url.QueryEscape("***")
		case secretFilter.MatchString(text):
			parts[i] = name + "=" + url.QueryEscape(secretFilter.FindString(text)+`"***"`)
		}
	}
	return strings.Join(parts, "&")
}

// credential is the secret of an Authorization header; empty for none, and for one that
// is too short to be looked for elsewhere.
func credential(h http.Header) string {
	_, secret, _ := strings.Cut(h.Get("Authorization"), " ")
	if secret = strings.TrimSpace(secret); len(secret) < 8 {
		return ""
	}
	return secret
}
