package feed

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// Input is a stream as an administrator describes it.
type Input struct {
	Config
	// Authorization is the header of a push, nil to keep the one there is, empty for none.
	Authorization *string
}

// Bounds of what a stream may be described by.
const (
	maxText   = 255
	maxURL    = 1024
	maxHeader = 4096
	maxList   = 50
)

func fault(field, format string, args ...any) error {
	return &InputError{Field: field, Reason: fmt.Sprintf(format, args...)}
}

// complete fills in what is left out and returns the first fault.
func (s *Service) complete(in *Input) error {
	if in.Algorithm == "" {
		in.Algorithm = es256
	}
	if len(in.Events) == 0 {
		in.Events = defaultURIs()
	}
	switch {
	case !isText(in.Label) || in.Label == "":
		return fault("label", "want 1 to %d characters", maxText)
	case !isText(in.Client):
		return fault("clientId", "want at most %d characters", maxText)
	case in.Algorithm != es256 && in.Algorithm != rs256:
		return fault("alg", "want %s or %s", es256, rs256)
	}
	for _, check := range []func(*Input) error{checkLists, s.checkWhat, s.checkDelivery} {
		if err := check(in); err != nil {
			return err
		}
	}
	return nil
}

func isText(s string) bool {
	return utf8.ValidString(s) && utf8.RuneCountInString(s) <= maxText && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

func checkLists(in *Input) error {
	for field, list := range map[string][]string{
		"aud": in.Audience, "resourceTypes": in.Types, "attributes": in.Attributes, "excludedAttributes": in.Excluded,
	} {
		if len(list) > maxList {
			return fault(field, "more than %d", maxList)
		}
		if slices.ContainsFunc(list, func(v string) bool { return v == "" || !isText(v) || strings.Contains(v, ",") && field != "aud" }) {
			return fault(field, "want names of 1 to %d characters", maxText)
		}
	}
	return nil
}

// checkWhat refuses what would never be told, so that nobody waits for it.
func (s *Service) checkWhat(in *Input) error {
	all := URIs()
	slices.Sort(in.Events)
	in.Events = slices.Compact(in.Events)
	for _, uri := range in.Events {
		if !slices.Contains(all, uri) {
			return fault("events", "%q is no event of this server", uri)
		}
	}
	schema := s.Dir.Schemas()
	for _, name := range in.Types {
		if _, ok := schema.Type(name); !ok {
			return fault("resourceTypes", "there is no resource type %q", name)
		}
	}
	if len(in.Attributes) > 0 && len(in.Excluded) > 0 {
		return fault("excludedAttributes", "cannot be combined with attributes") // RFC 7644, section 3.9
	}
	for _, t := range schema.Types() {
		if _, err := in.projection(t); err != nil {
			return fault("attributes", "%v", err)
		}
	}
	return nil
}

func (s *Service) checkDelivery(in *Input) error {
	switch in.Method {
	case Poll:
		switch {
		case in.Client == "":
			return fault("clientId", "it is required to poll")
		case in.Endpoint != "":
			return fault("delivery.endpointUrl", "only a push has one")
		case in.Authorization != nil && *in.Authorization != "":
			return fault("delivery.authorizationHeader", "only a push has one")
		}
		return nil
	case Push:
	default:
		return fault("delivery.method", "want %s or %s", Push, Poll)
	}
	if in.Authorization != nil && (len(*in.Authorization) > maxHeader || !isHeader(*in.Authorization)) {
		return fault("delivery.authorizationHeader", "want at most %d printable ASCII characters", maxHeader)
	}
	return s.checkEndpoint(in.Endpoint)
}

func isHeader(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}

// checkEndpoint lets http:// pass only where outbound requests may go in the clear. What
// a name resolves to is checked at each request.
func (s *Service) checkEndpoint(endpoint string) error {
	const field = "delivery.endpointUrl"
	u, err := url.Parse(endpoint)
	switch {
	case err != nil || len(endpoint) > maxURL || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return fault(field, "want an https:// URL of at most %d characters", maxURL)
	case u.User != nil || u.Fragment != "":
		return fault(field, "it may hold no user and no fragment")
	case u.Scheme == "http" && !s.plainAllowed(u.Hostname()):
		return fault(field, "it must begin with https://")
	}
	return nil
}

func (s *Service) plainAllowed(host string) bool {
	if len(s.AllowHTTP) == 0 {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return err != nil || slices.ContainsFunc(s.AllowHTTP, func(p netip.Prefix) bool { return p.Contains(ip.Unmap()) })
}

// sameServer says whether two endpoints are of one server: a secret that was given for
// one is not sent to another.
func sameServer(a, b string) bool {
	x, xerr := url.Parse(a)
	y, yerr := url.Parse(b)
	return xerr == nil && yerr == nil && x.Scheme == y.Scheme && strings.EqualFold(x.Host, y.Host)
}
