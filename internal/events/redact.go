package events

import (
	"bytes"
	"encoding/json"
	"strings"
)

// redacted stands where a secret stood.
const redacted = "***"

// secretEnds are the ends of member names whose values are secrets, without case,
// underscores and hyphens: bindPassword, client_secret, access_token.
var secretEnds = []string{"password", "passwords", "passwd", "pwd", "secret", "secrets", "token", "tokens", "privatekey",
	"apikey", "authorization", "codeverifier", "assertion", "passphrase", "otp", "passcode"}

// Redact returns v as JSON for Before, After or Detail of an event, with the value of
// every member that is named like a secret replaced, at any depth, and those named in
// also. A value that cannot be encoded is left out whole.
func Redact(v any, also ...string) json.RawMessage {
	raw, err := json.Marshal(v)
	if err != nil {
		return json.RawMessage(`"` + redacted + `"`)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber() // keep large numbers as they are
	var tree any
	if err := d.Decode(&tree); err != nil {
		return json.RawMessage(`"` + redacted + `"`)
	}
	out, err := json.Marshal(redact(tree, also))
	if err != nil {
		return json.RawMessage(`"` + redacted + `"`)
	}
	return out
}

func redact(v any, also []string) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = redact(v[i], also)
		}
	case map[string]any:
		_, isKey := v["kty"] // a JSON Web Key (RFC 7517)
		for name, value := range v {
			if isSecret(name, also) || isKey && isPrivate(name) {
				v[name] = redacted
			} else {
				v[name] = redact(value, also)
			}
		}
	}
	return v
}

var plainName = strings.NewReplacer("_", "", "-", "")

func isSecret(name string, also []string) bool {
	plain := strings.ToLower(plainName.Replace(name))
	for _, end := range secretEnds {
		if strings.HasSuffix(plain, end) {
			return true
		}
	}
	for _, a := range also {
		if strings.EqualFold(name, a) {
			return true
		}
	}
	return false
}

// isPrivate reports whether a member of a JSON Web Key is private (RFC 7518, section 6).
func isPrivate(name string) bool {
	switch name {
	case "d", "p", "q", "dp", "dq", "qi", "oth", "k":
		return true
	}
	return false
}
