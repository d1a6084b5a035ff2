package scim

import (
	"net/http"
	"testing"

	"github.com/provost-id/provost/internal/testserver"
	"github.com/provost-id/provost/provisioning"
	"github.com/provost-id/provost/provisioning/provisioningtest"
)

func open(t testing.TB, c provisioning.Config) *Connector {
	t.Helper()
	conn, err := New(c, http.DefaultClient)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func userProfile(text string) map[string]any {
	return map[string]any{
		"userName": text, "givenName": "Zoë", "familyName": "山田", "displayName": text, "title": "Tester", "email": "suite@example.com",
		"secondEmail": "other@example.com", "streetAddress": "Rue 1", "city": "Zürich", "department": "R&D", "employeeNumber": "7",
	}
}

func groupProfile(text string) map[string]any { return map[string]any{"displayName": text} }

func TestConnector(t *testing.T) {
	s := testserver.Scimmy(t, "letmein")
	for _, profile := range []string{"generic", "put-only"} {
		t.Run(profile, func(t *testing.T) {
			config := provisioning.Config{"baseUrl": s.URL, "token": s.Token, "profile": profile}
			provisioningtest.TestConnector(t, provisioningtest.Target{
				New:  func(t *testing.T) provisioning.Connector { return open(t, config) },
				Odd:  "é,=+(*) &#%山", // scimmy takes the quote in a\"b for the end of the string
				User: userProfile, Group: groupProfile, Display: "displayName", Optional: "title",
			})
		})
	}
}
