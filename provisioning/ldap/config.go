package ldap

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	goldap "github.com/go-ldap/ldap/v3"

	"github.com/provost-id/provost/provisioning"
)

// Options are what the settings of an app do not say.
type Options struct {
	// DNTemplate makes the DN of a new user from its profile, as settings.app.userDnTemplate asks; it is compiled by the caller.
	// Without it a user is named uid=... below userBaseDn. A DN that is not below userBaseDn is refused, as is one whose first
	// part says something else than the user's attributes: a value with a comma in it moves nobody to another branch.
	DNTemplate func(ctx context.Context, profile map[string]any) (string, error)
	// Timeout bounds one request, and the silence within a read; 0 means 30 seconds.
	Timeout time.Duration
}

// settings are settings.app of an LDAP app, checked.
type settings struct {
	address  string // host:port
	host     string // the name that the certificate must have
	secure   encryption
	tls      *tls.Config
	bindDN   string
	password string

	userBase, groupBase       *goldap.DN
	userClasses, groupClasses []string
	memberAttribute           string
	idAttribute               string // keeps our own ID, "" for none
	disable                   disableRule
}

// encryption says how a connection is protected.
type encryption int

const (
	plain         encryption = iota // anywhere: the administrator has said so
	plainLoopback                   // only to the machine itself
	startTLS                        // RFC 4511, section 4.14
	ldaps
)

// disableRule says what marks an account that may not sign in.
type disableRule struct {
	attribute, value string
}

// parseSettings checks the settings of an app; every fault is an ErrConfig that names the setting.
func parseSettings(c provisioning.Config) (settings, error) {
	s := settings{
		bindDN: c.String("bindDn"), password: c.String("bindPassword"),
		userClasses:     defaultStrings(c.Strings("userObjectClasses"), "top", "person", "organizationalPerson", "inetOrgPerson"),
		groupClasses:    defaultStrings(c.Strings("groupObjectClass"), "groupOfNames"),
		idAttribute:     c.String("idAttribute"),
		memberAttribute: "member",
	}
	if s.groupClasses[len(s.groupClasses)-1] == "groupOfUniqueNames" {
		s.memberAttribute = "uniqueMember"
	}
	err := errors.Join(s.parseURL(c), s.parseBind(), s.parseBases(c), s.parseDisable(c), checkNames(c, s))
	return s, err
}

func configError(setting, reason string, args ...any) error {
	return &provisioning.Error{Kind: provisioning.ErrConfig, Attr: setting, Err: fmt.Errorf(reason, args...)}
}

func defaultStrings(values []string, fallback ...string) []string {
	if len(values) == 0 {
		return fallback
	}
	return values
}

// parseURL decides the encryption: plain LDAP is for the machine itself, unless insecureSkipTls allows it.
func (s *settings) parseURL(c provisioning.Config) error {
	u, err := url.Parse(c.String("url"))
	if err != nil || u.Hostname() == "" {
		return configError("url", "want ldap://host[:port] or ldaps://host[:port]")
	}
	s.host = u.Hostname()
	port := u.Port()
	switch {
	case u.Scheme == "ldaps":
		s.secure, port = ldaps, defaultPort(port, goldap.DefaultLdapsPort)
	case u.Scheme != "ldap":
		return configError("url", "the scheme is %q, want ldap or ldaps", u.Scheme)
	case c.Bool("startTls"):
		s.secure = startTLS
	case c.Bool("insecureSkipTls"):
		s.secure = plain
	case s.host == "localhost" || net.ParseIP(s.host).IsLoopback():
		s.secure = plainLoopback
	default:
		return configError("url", "ldap:// to another machine would send passwords in clear: use ldaps:// or startTls")
	}
	s.address = net.JoinHostPort(s.host, defaultPort(port, goldap.DefaultLdapPort))
	s.tls = &tls.Config{ServerName: s.host, MinVersion: tls.VersionTLS12}
	return s.parseCA(c.String("caCertificate"))
}

func defaultPort(port, fallback string) string {
	if port == "" {
		return fallback
	}
	return port
}

// parseCA takes a PEM of authorities instead of those of the system. There is no setting that skips the check of a certificate.
func (s *settings) parseCA(pem string) error {
	if pem == "" {
		return nil
	}
	s.tls.RootCAs = x509.NewCertPool()
	if !s.tls.RootCAs.AppendCertsFromPEM([]byte(pem)) {
		return configError("caCertificate", "no certificate in PEM found")
	}
	return nil
}

// parseBind refuses what would be an anonymous or unauthenticated bind (RFC 4513, sections 5.1.1 and 5.1.2).
func (s *settings) parseBind() error {
	if s.bindDN == "" {
		return configError("bindDn", "missing: an anonymous bind is not tried")
	}
	if s.password == "" {
		return configError("bindPassword", "missing: a bind without a password proves nothing")
	}
	return nil
}

func (s *settings) parseBases(c provisioning.Config) error {
	var err error
	if s.userBase, err = parseBase(c.String("userBaseDn")); err != nil {
		return configError("userBaseDn", "%w", err)
	}
	if c.String("groupBaseDn") == "" {
		return nil // no groups
	}
	if s.groupBase, err = parseBase(c.String("groupBaseDn")); err != nil {
		return configError("groupBaseDn", "%w", err)
	}
	return nil
}

func parseBase(dn string) (*goldap.DN, error) {
	if dn == "" {
		return nil, errors.New("missing")
	}
	return parseDN(dn)
}

// parseDisable reads {attribute, value}; the default is what the ppolicy overlay of OpenLDAP takes for locked by an administrator.
func (s *settings) parseDisable(c provisioning.Config) error {
	s.disable = disableRule{attribute: "pwdAccountLockedTime", value: "000001010000Z"}
	if c["disable"] == nil {
		return nil
	}
	m, _ := c["disable"].(map[string]any)
	d := provisioning.Config(m)
	s.disable = disableRule{attribute: d.String("attribute"), value: d.String("value")}
	if s.disable.value == "" || !isAttributeName(s.disable.attribute) {
		return configError("disable", "want {attribute, value}")
	}
	return nil
}

// checkNames lets nothing into filters and requests that is no name of an attribute or class.
func checkNames(c provisioning.Config, s settings) error {
	for setting, names := range map[string][]string{"userObjectClasses": s.userClasses, "groupObjectClass": s.groupClasses} {
		for _, n := range names {
			if !isAttributeName(n) {
				return configError(setting, "%q is no name of an object class", n)
			}
		}
	}
	if id := c.String("idAttribute"); id != "" && !isAttributeName(id) {
		return configError("idAttribute", "%q is no name of an attribute", id)
	}
	return nil
}

// isAttributeName is keystring of RFC 4512, section 1.4: a letter, then letters, digits and hyphens.
func isAttributeName(s string) bool {
	for i, r := range s {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || (r < '0' || r > '9') && r != '-') {
			return false
		}
	}
	return s != "" && len(s) <= 128
}
