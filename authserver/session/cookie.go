package session

import (
	"encoding/hex"
	"net/http"
	"time"
)

// secretLength is the length of a cookie's value: 43 characters are 256 random bits.
const secretLength = 43

// CookieName is the name of the session cookie. The __Host- prefix binds it to this
// host and to https (RFC 6265bis, section 4.1.3.2). Over plain http, which is for
// loopback only, a browser would refuse that, and cookies do not know of ports: the
// name then tells two servers on one host apart by their master keys.
func (s *Store) CookieName() string { return s.name("") }

func (s *Store) name(suffix string) string {
	if s.Secure {
		return "__Host-provost" + suffix
	}
	return "provost" + suffix + "-" + hex.EncodeToString(s.Keys.Hash("cookie-name", "")[:4])
}

// Cookie is a cookie of ours: for this host alone, unseen by scripts, and not sent
// by other sites except when they lead the person here.
func (s *Store) Cookie(suffix, value string, age time.Duration) *http.Cookie {
	return &http.Cookie{
		Name: s.name(suffix), Value: value, Path: "/", MaxAge: int(age.Seconds()),
		Secure: s.Secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}

func (s *Store) cookie(secret string, age time.Duration) *http.Cookie {
	return s.Cookie("", secret, age)
}

// ClearCookie is the cookie that makes the browser forget its session.
func (s *Store) ClearCookie() *http.Cookie {
	c := s.Cookie("", "", 0)
	c.MaxAge = -1
	return c
}

// Value reads a cookie that Cookie made with the suffix, empty for none.
func (s *Store) Value(r *http.Request, suffix string) string {
	c, err := r.Cookie(s.name(suffix))
	if err != nil {
		return ""
	}
	return c.Value
}
