package signin

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// errForeign is returned for a post that another site caused.
var errForeign = errors.New("request comes from another site")

// guard refuses a post that did not come from a page of ours (login CSRF). Browsers
// say where a request comes from; a client that says nothing is no browser, and then
// the token and its cookie alone decide.
func (s *Server) guard(r *http.Request) error {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
	default:
		return errForeign
	}
	if origin := r.Header.Get("Origin"); origin != "" && !sameOrigin(origin, s.PublicURL) {
		return errForeign
	}
	return nil
}

// sameOrigin compares scheme, host and port (RFC 6454, section 5). The public URL is
// the only truth: the Host header is the caller's.
func sameOrigin(origin, public string) bool {
	o, err := url.Parse(origin)
	if err != nil {
		return false
	}
	p, err := url.Parse(public)
	return err == nil && o.Host != "" && strings.EqualFold(o.Scheme, p.Scheme) && strings.EqualFold(port(o), port(p))
}

// port is the host with its port written out.
func port(u *url.URL) string {
	if u.Port() != "" {
		return u.Host
	}
	if u.Scheme == "https" {
		return u.Host + ":443"
	}
	return u.Host + ":80"
}
