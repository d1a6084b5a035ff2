package ldap

import (
	"errors"
	"maps"
	"net"
	"strings"
	"testing"

	"github.com/provost-id/provost/provisioning"
)

func TestSettings(t *testing.T) {
	good := provisioning.Config{"url": "ldaps://ldap.example.com", "bindDn": "cn=a", "bindPassword": "b", "userBaseDn": "dc=example", "groupBaseDn": "dc=example"}
	for _, test := range []struct {
		name   string
		change provisioning.Config
		fault  string // the setting that is named, "" for none
	}{
		{"good", nil, ""},
		{"no URL", provisioning.Config{"url": ""}, "url"},
		{"another scheme", provisioning.Config{"url": "http://ldap.example.com"}, "url"},
		{"plain to elsewhere", provisioning.Config{"url": "ldap://ldap.example.com"}, "url"},
		{"plain to an address elsewhere", provisioning.Config{"url": "ldap://192.0.2.7"}, "url"},
		{"plain to a name that begins like an address", provisioning.Config{"url": "ldap://127.0.0.1.example.com"}, "url"},
		{"plain, as wanted", provisioning.Config{"url": "ldap://ldap.example.com", "insecureSkipTls": true}, ""},
		{"StartTLS", provisioning.Config{"url": "ldap://ldap.example.com", "startTls": true}, ""},
		{"plain on the machine", provisioning.Config{"url": "ldap://127.0.0.1:3389"}, ""},
		{"plain on the machine, IPv6", provisioning.Config{"url": "ldap://[::1]"}, ""},
		{"anonymous", provisioning.Config{"bindDn": ""}, "bindDn"},
		{"no password", provisioning.Config{"bindPassword": ""}, "bindPassword"},
		{"no base", provisioning.Config{"userBaseDn": ""}, "userBaseDn"},
		{"not a base", provisioning.Config{"userBaseDn": "people"}, "userBaseDn"},
		{"no groups", provisioning.Config{"groupBaseDn": ""}, ""},
		{"not a group base", provisioning.Config{"groupBaseDn": "x=y=,"}, "groupBaseDn"},
		{"class with a filter in it", provisioning.Config{"userObjectClasses": []any{"person)(uid=*"}}, "userObjectClasses"},
		{"attribute with a filter in it", provisioning.Config{"idAttribute": "a)(b"}, "idAttribute"},
		{"half a rule", provisioning.Config{"disable": map[string]any{"attribute": "nsAccountLock"}}, "disable"},
		{"a rule", provisioning.Config{"disable": map[string]any{"attribute": "nsAccountLock", "value": "true"}}, ""},
		{"not a certificate", provisioning.Config{"caCertificate": "PEM"}, "caCertificate"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := maps.Clone(good)
			maps.Copy(c, test.change)
			_, err := New(c, Options{})
			if test.fault == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			var e *provisioning.Error
			if !errors.As(err, &e) || e.Kind != provisioning.ErrConfig || e.Attr != test.fault {
				t.Errorf("got %v, want a fault of %s", err, test.fault)
			}
			if err != nil && strings.Contains(err.Error(), "\n") {
				t.Errorf("more than one line: %q", err)
			}
		})
	}
}

// TestSettingsTellAllFaults at once.
func TestSettingsTellAllFaults(t *testing.T) {
	_, err := New(provisioning.Config{}, Options{})
	for _, setting := range []string{"url", "bindDn", "userBaseDn"} {
		if err == nil || !strings.Contains(err.Error(), setting) {
			t.Errorf("%v does not name %s", err, setting)
		}
	}
}

// remote is a connection to another machine, as far as its address says.
type remote struct{ net.Conn }

func (remote) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 389} }

// TestLocalhostElsewhere: what the name localhost resolved to decides, not the name.
func TestLocalhostElsewhere(t *testing.T) {
	c, err := New(provisioning.Config{"url": "ldap://localhost", "bindDn": "cn=a", "bindPassword": "b", "userBaseDn": "dc=example"}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.encrypt(t.Context(), remote{}); err == nil {
		t.Error("a plain connection to 192.0.2.1 was allowed")
	}
}
