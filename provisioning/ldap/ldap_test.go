package ldap

import (
	"testing"

	"github.com/provost-id/provost/internal/testserver"
	"github.com/provost-id/provost/provisioning"
	"github.com/provost-id/provost/provisioning/provisioningtest"
)

// config is what an administrator sets for a slapd of the tests.
func config(s *testserver.LDAP) provisioning.Config {
	return provisioning.Config{
		"url": s.URL, "bindDn": testserver.AdminDN, "bindPassword": testserver.AdminPassword,
		"userBaseDn": testserver.PeopleDN, "groupBaseDn": testserver.GroupsDN, "groupObjectClass": "groupOfNames",
	}
}

func open(t testing.TB, c provisioning.Config, o Options) *Connector {
	t.Helper()
	conn, err := New(c, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func userProfile(text string) map[string]any {
	return map[string]any{"uid": text, "cn": text, "sn": "Suite", "displayName": text, "title": "Tester", "mail": "suite@example.com"}
}

func groupProfile(text string) map[string]any { return map[string]any{"cn": text} }

func TestConnector(t *testing.T) {
	s := testserver.Slapd(t, testserver.SlapdOptions{})
	provisioningtest.TestConnector(t, provisioningtest.Target{
		New:  func(t *testing.T) provisioning.Connector { return open(t, config(s), Options{}) },
		User: userProfile, Group: groupProfile, Display: "displayName", Optional: "title",
	})
}
