package federation

import (
	"strings"
	"time"
)

// Assertion is what a provider says of a person, after its protocol has proved that
// the provider said it.
type Assertion struct {
	IdPID    string
	Issuer   string
	Subject  string
	AMR      []string
	AuthTime time.Time
	Claims   map[string]any // of the ID token and of userinfo
}

// Email is the address that the provider asserts, empty for none.
func (a Assertion) Email() string {
	s, _ := a.Claims["email"].(string)
	return s
}

// EmailVerified reports whether the provider says that it proved the address. Some
// providers write the boolean as a string.
func (a Assertion) EmailVerified() bool {
	switch v := a.Claims["email_verified"].(type) {
	case bool:
		return v
	case string:
		return strings.EqualFold(v, "true")
	}
	return false
}
