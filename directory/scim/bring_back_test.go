package scim_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/apitoken"
	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/httpapi"
)

// TestADV57_ReactivationOnlyByPolicy: who is created again comes back if the token may do
// so, and if it is beyond doubt who is meant; in every other case the name is taken.
func TestADV57_ReactivationOnlyByPolicy(t *testing.T) {
	each(t, func(t *testing.T, s *service, plain *client) {
		reactivating := func() *client {
			secret, token, err := s.tokens.Create(t.Context(), events.System, apitoken.NewToken{
				Name: "okta", Scopes: []string{httpapi.ScopeSCIM}, TTL: time.Hour, Settings: apitoken.Settings{Reactivates: true},
			})
			if err != nil {
				t.Fatal(err)
			}
			return &client{t: t, s: s, token: secret, id: token.ID}
		}
		c, other := reactivating(), reactivating()
		const body = `{"userName":"ana@example.com","externalId":"e1","title":"Lead","password":"correct horse battery"}`
		refused := func(what string, c *client, body string) {
			t.Helper()
			if r := c.do("POST", "/Users", body); r.status != http.StatusConflict || r.body["scimType"] != "uniqueness" {
				t.Errorf("%s: %d %s", what, r.status, r.raw)
			}
		}
		off := patchBody(`{"op":"replace","path":"active","value":false}`)

		id := c.create("/Users", `{"userName":"ana@example.com","externalId":"e1","title":"Engineer","nickName":"An"}`)
		refused("who is active", c, body)
		c.must(http.StatusOK, "PATCH", "/Users/"+id, off)
		refused("another client", other, body)
		refused("another external ID", c, `{"userName":"ana@example.com","externalId":"e2"}`)
		refused("no external ID", c, `{"userName":"ana@example.com"}`)
		r := c.must(http.StatusCreated, "POST", "/Users", body)
		if r.body["id"] != id || r.body["active"] != true || r.body["title"] != "Lead" || r.body["nickName"] != nil {
			t.Errorf("came back as %s", r.raw)
		}
		if u, err := s.dir.User(t.Context(), id); err != nil || !u.HasPassword || u.Status != directory.Active {
			t.Errorf("%+v, %v", u, err)
		}
		refused("who came back", c, body)

		// Suspended by an administrator is another matter, and so is an administrator.
		if _, err := s.dir.SetStatus(t.Context(), admin, id, directory.Suspend); err != nil {
			t.Fatal(err)
		}
		refused("who is suspended", c, body)
		boss := c.create("/Users", `{"userName":"boss@example.com","externalId":"b1"}`)
		c.must(http.StatusOK, "PATCH", "/Users/"+boss, off)
		if err := s.dir.AddMember(t.Context(), admin, s.dir.AdministratorsID(), boss); err != nil {
			t.Fatal(err)
		}
		c.refused(http.StatusForbidden, "", "POST", "/Users", `{"userName":"boss@example.com","externalId":"b1"}`)

		mine := plain.create("/Users", `{"userName":"ben@example.com","externalId":"b2"}`)
		plain.must(http.StatusOK, "PATCH", "/Users/"+mine, off)
		refused("a token without the policy", plain, `{"userName":"ben@example.com","externalId":"b2"}`)
	})
}
