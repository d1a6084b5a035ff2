package manage

import (
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/provost-id/provost/plugins"
	"github.com/provost-id/provost/plugins/webhook"
)

// maxHeaders bounds the configured headers of a hook.
const maxHeaders = 32

func fault(field, format string, args ...any) error {
	return &plugins.ConfigError{Field: field, Reason: fmt.Sprintf(format, args...)}
}

// apply puts the input into the row and its secrets, or returns the first fault. A
// secret that the input leaves out is kept.
func (s *Service) apply(w *row, sec *secrets, in Input) error {
	if w.Type == "" {
		w.Type = in.Type
	}
	switch n := utf8.RuneCountInString(in.Name); {
	case n < 1 || n > 255:
		return fault("name", "it must have 1 to 255 characters")
	case w.Type != plugins.TypeToken:
		return fault("type", "%q is not supported; %s is", w.Type, plugins.TypeToken)
	case in.Type != "" && in.Type != w.Type:
		return fault("type", "it cannot be changed")
	}
	w.Name, w.Version = in.Name, or(in.Version, "1.0.0")
	if err := applySettings(w, in); err != nil {
		return err
	}
	if err := s.applyChannel(w, sec, in.Channel); err != nil {
		return err
	}
	return s.checkCaller(w.hook(*sec))
}

// applySettings puts in what a hook of any channel may carry.
func applySettings(w *row, in Input) error {
	w.TimeoutMS, w.Retries, w.FailureMode = plugins.DefaultTimeout.Milliseconds(), 0, plugins.Open
	if in.TimeoutMS != nil {
		w.TimeoutMS = *in.TimeoutMS
	}
	if in.Retries != nil {
		w.Retries = *in.Retries
	}
	if in.FailureMode != "" {
		w.FailureMode = in.FailureMode
	}
	switch {
	case w.TimeoutMS < plugins.MinTimeout.Milliseconds() || w.TimeoutMS > plugins.MaxTimeout.Milliseconds():
		return fault("timeoutMs", "it must be %d to %d", plugins.MinTimeout.Milliseconds(), plugins.MaxTimeout.Milliseconds())
	case w.Retries < 0 || w.Retries > plugins.MaxRetries:
		return fault("retries", "it must be 0 to %d", plugins.MaxRetries)
	case w.FailureMode != plugins.Open && w.FailureMode != plugins.Closed:
		return fault("failureMode", "it must be OPEN or CLOSED")
	}
	return nil
}

// applyChannel replaces the channel; each channel type has its own members.
func (s *Service) applyChannel(w *row, sec *secrets, in Channel) error {
	before := w.Channel
	in.Version = or(in.Version, "1.0.0")
	switch in.Type {
	case plugins.ChannelHTTP:
		w.Channel = Channel{Type: in.Type, Version: in.Version, Config: Config{
			URI: in.Config.URI, Method: or(in.Config.Method, "POST"), Headers: in.Config.Headers, AuthScheme: in.Config.AuthScheme,
		}}
		return s.applyHTTP(w, sec, before.Config, in.Config)
	case plugins.ChannelPlugin:
		*sec = secrets{}
		w.Channel = Channel{Type: in.Type, Version: in.Version, Config: Config{
			Path: in.Config.Path, SHA256: strings.ToLower(in.Config.SHA256), Args: in.Config.Args,
		}}
		return nil
	default:
		return fault("channel.type", "%q is not supported; HTTP and PLUGIN are", in.Type)
	}
}

// applyHTTP moves the secrets out of the configuration.
func (s *Service) applyHTTP(w *row, sec *secrets, before, in Config) error {
	c := &w.Channel.Config
	switch {
	case c.Method != "POST":
		return fault("channel.config.method", "it must be POST")
	case len(c.Headers) > maxHeaders:
		return fault("channel.config.headers", "there are more than %d", maxHeaders)
	case strings.HasPrefix(c.URI, "http:") && !s.httpAllowed(c.URI):
		return fault("channel.config.uri", "it must begin with https://")
	}
	if in.SigningSecret != "" {
		sec.SigningSecret = in.SigningSecret
	}
	if sec.SigningSecret == "" {
		sec.SigningSecret = string(webhook.NewSecret())
	}
	if in.AuthScheme == nil {
		sec.AuthValue = ""
		return nil
	}
	c.AuthScheme = &AuthScheme{Type: or(in.AuthScheme.Type, "HEADER"), Key: in.AuthScheme.Key}
	if c.AuthScheme.Type != "HEADER" {
		return fault("channel.config.authScheme.type", "it must be HEADER")
	}
	if in.AuthScheme.Value != "" {
		sec.AuthValue = in.AuthScheme.Value
	} else if sec.AuthValue == "" || !sameHost(before.URI, c.URI) {
		// A secret that was given for one host is not sent to another.
		return fault("channel.config.authScheme.value", "it is required for a new host")
	}
	return nil
}

// httpAllowed reports whether http:// may be saved: for an address that is allowed,
// or for a name, whose address is checked at each call.
func (s *Service) httpAllowed(uri string) bool {
	u, err := url.Parse(uri)
	if err != nil || len(s.AllowHTTP) == 0 {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return err != nil || slices.ContainsFunc(s.AllowHTTP, func(p netip.Prefix) bool { return p.Contains(ip.Unmap()) })
}

func sameHost(a, b string) bool {
	x, xerr := url.Parse(a)
	y, yerr := url.Parse(b)
	return xerr == nil && yerr == nil && x.Scheme == y.Scheme && strings.EqualFold(x.Host, y.Host)
}

// checkCaller lets the transport judge what it will be given.
func (s *Service) checkCaller(h plugins.Hook) error {
	transport := s.Transports[h.Channel.Type]
	if transport == nil {
		return fault("channel.type", "%q is not supported here", h.Channel.Type)
	}
	c, err := transport(h)
	if err != nil {
		return err
	}
	if c, ok := c.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
