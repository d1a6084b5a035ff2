package authserver

import (
	"maps"
	"time"

	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/openid"
	"github.com/ory/fosite/token/jwt"
)

// tokenSession is what fosite carries from the parsing of a request to its answer:
// whose it is, on what terms, and the claims that will be signed. It is a compact
// struct, never the form.
type tokenSession struct {
	server *server
	person *Person // nil for client_credentials
	grant  *grant  // nil for client_credentials
	scopes []string
	terms  terms

	old      *refreshToken // the one that is presented
	replay   *tokenAnswer  // the answer that the presented token gave before
	access   map[string]any
	identity map[string]any // nil when no ID token is minted
	lifetime struct{ access, identity time.Duration }
	refresh  *refreshToken // the new one, nil for none
	expires  map[fosite.TokenType]time.Time
}

var (
	_ fosite.Session = (*tokenSession)(nil)
	_ openid.Session = (*tokenSession)(nil)
)

// IDTokenClaims implements openid.Session: what fosite's request validation looks at.
// The ID token itself is ours.
func (s *tokenSession) IDTokenClaims() *jwt.IDTokenClaims {
	c := &jwt.IDTokenClaims{Subject: s.GetSubject()}
	if s.grant != nil {
		c.AuthTime, c.RequestedAt = s.grant.AuthTime, s.grant.Granted
	}
	return c
}

// IDTokenHeaders implements openid.Session.
func (s *tokenSession) IDTokenHeaders() *jwt.Headers { return jwt.NewHeaders() }

// SetExpiresAt implements fosite.Session.
func (s *tokenSession) SetExpiresAt(key fosite.TokenType, exp time.Time) {
	if s.expires == nil {
		s.expires = map[fosite.TokenType]time.Time{}
	}
	s.expires[key] = exp
}

// GetExpiresAt implements fosite.Session.
func (s *tokenSession) GetExpiresAt(key fosite.TokenType) time.Time { return s.expires[key] }

// GetUsername implements fosite.Session.
func (s *tokenSession) GetUsername() string {
	if s.person == nil {
		return ""
	}
	return s.person.Login
}

// GetSubject implements fosite.Session.
func (s *tokenSession) GetSubject() string {
	if s.person == nil {
		return ""
	}
	return s.person.ID
}

// Clone implements fosite.Session. What it points to is immutable but for the maps.
func (s *tokenSession) Clone() fosite.Session {
	c := *s
	c.access, c.identity, c.expires = maps.Clone(s.access), maps.Clone(s.identity), maps.Clone(s.expires)
	return &c
}

func sessionOf(r fosite.Requester) *tokenSession { return r.GetSession().(*tokenSession) }
