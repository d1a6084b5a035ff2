package session

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"time"
)

// Errors of OpenRequest.
var (
	// ErrBadRequest is returned for a value that SealRequest did not make.
	ErrBadRequest = errors.New("malformed sign-in request")
	// ErrStaleRequest comes with the request: it was ours, and is older than RequestAge.
	ErrStaleRequest = errors.New("sign-in request has expired")
)

// RequestAge is how long a sealed request is taken. An older one loses nothing:
// its ReturnTo leads to the authorization server, which makes a new one.
const RequestAge = 30 * time.Minute

// MaxSealed bounds the sealed form: an authorization request of 8 kB, twice encoded.
const MaxSealed = 32 << 10

// Request is what the authorization server asks of the sign-in page. It travels
// sealed in the page's URL, so that nothing is written before a person acts.
type Request struct {
	ReturnTo    string        `json:"r"`           // path and query on this host
	RedirectURI string        `json:"u,omitempty"` // the client's, checked: where ReturnTo will lead in the end
	ClientID    string        `json:"c,omitempty"`
	ClientName  string        `json:"n,omitempty"`
	LoginHint   string        `json:"h,omitempty"`
	IdP         string        `json:"i,omitempty"` // the identity provider that the client asks for
	Force       bool          `json:"f,omitempty"` // the person proves again who they are
	MaxAge      time.Duration `json:"m,omitempty"`
	IssuedAt    time.Time     `json:"t"` // filled in when zero
}

// SealRequest encrypts the request for the page's URL. What is longer than MaxSealed
// will not open.
func (s *Store) SealRequest(r Request) string {
	if r.IssuedAt.IsZero() {
		r.IssuedAt = s.now()
	}
	plain, err := json.Marshal(r)
	if err != nil { // strings, numbers and a time of our own clock always encode
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(s.Keys.Seal("signin-request", "", plain))
}

// OpenRequest opens what SealRequest made. It returns ErrBadRequest, or the request
// together with ErrStaleRequest.
func (s *Store) OpenRequest(sealed string) (Request, error) {
	if len(sealed) > MaxSealed {
		return Request{}, ErrBadRequest
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(sealed)
	if err != nil {
		return Request{}, ErrBadRequest
	}
	plain, err := s.Keys.Unseal("signin-request", "", raw)
	if err != nil {
		return Request{}, ErrBadRequest
	}
	var r Request
	if err := json.Unmarshal(plain, &r); err != nil || !Local(r.ReturnTo) {
		return Request{}, ErrBadRequest
	}
	if s.now().Sub(r.IssuedAt) > RequestAge {
		return r, ErrStaleRequest
	}
	return r, nil
}

// Local reports whether a target is a path on this host, as a browser reads it:
// "//evil", "/\evil" and a tab between the slashes all lead elsewhere.
func Local(target string) bool {
	if !strings.HasPrefix(target, "/") || strings.ContainsAny(target, "\\\t\r\n") {
		return false
	}
	return !strings.HasPrefix(target, "//")
}
