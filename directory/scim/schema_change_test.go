package scim_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
	"github.com/provost-id/provost/schemas"
	wire "github.com/provost-id/provost/schemas/scim"
)

// behind runs fn with a service that does not hear of changes of the schema, and another
// node that makes them.
func behind(t *testing.T, fn func(t *testing.T, s *service, c *client, node *directory.Directory)) {
	t.Helper()
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		first := newService(t, db)
		node, err := directory.New(t.Context(), db, first.dir.Keys, nil)
		if err != nil {
			t.Fatal(err)
		}
		node.SchemaGrace = 0
		badge(t, node, schemas.Attribute{Unindexed: true})
		s := newService(t, db) // loads what is in force now
		s.dir.Schemas = s.stored
		fn(t, s, s.client("", "scim"), node)
	})
}

// badge makes one attribute all that the organisation has added to users.
func badge(t *testing.T, d *directory.Directory, a schemas.Attribute) {
	t.Helper()
	a.Name, a.Type = "badge", schemas.String
	err := d.ChangeSchema(t.Context(), directory.Change{Actor: events.System}, directory.SchemaEdit{Edit: func(defs *schemas.Definitions) error {
		s := defs.Schema(wire.OrgUser)
		if s == nil {
			defs.Schemas = append(defs.Schemas, schemas.Schema{ID: wire.OrgUser, Name: "User"})
			s = &defs.Schemas[len(defs.Schemas)-1]
		}
		s.Attributes = []schemas.Attribute{a}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
}

// workOff works off what changes of the schema have begun.
func workOff(t *testing.T, d *directory.Directory) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- d.RunSchemas(ctx) }()
	defer func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("RunSchemas: %v", err)
		}
	}()
	for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		running, err := d.RunningOperations(t.Context())
		if err != nil || time.Now().After(end) {
			t.Fatalf("operations do not end: %v %v", running, err)
		}
		if len(running) == 0 {
			return
		}
	}
}

func post(bulkID, user string) bulkOp {
	return bulkOp{Method: "POST", BulkID: bulkID, Path: "/Users", Data: raw("%s", user)}
}

func badged(login, badge string) string {
	return fmt.Sprintf(`{"schemas":[%q,%q],"userName":%q,%q:{"badge":%q}}`, wire.User, wire.OrgUser, login, wire.OrgUser, badge)
}

// A bulk request at a node that has not heard of a change of the schema is made by the
// schema in force, in each of the ways that operations go: nothing that it writes lacks
// the index rows and the unique values that the schema now wants.
func TestRFC7644_3_7_BulkBehindTheSchema(t *testing.T) {
	behind(t, func(t *testing.T, s *service, c *client, node *directory.Directory) {
		follow := c.must(http.StatusCreated, "POST", "/Users", badged("follow@example.com", "Follow")).body["id"]
		put := c.must(http.StatusCreated, "POST", "/Users", badged("put@example.com", "Old1")).body["id"]
		patched := c.must(http.StatusCreated, "POST", "/Users", badged("patched@example.com", "Old2")).body["id"]
		gone := c.must(http.StatusCreated, "POST", "/Users", badged("gone@example.com", "Gone")).body["id"]
		for name, ops := range map[string][]bulkOp{
			"crowd": {
				post("b0", badged("b0@example.com", "B0")), post("b1", badged("b1@example.com", "B1")), post("b2", badged("b2@example.com", "B2")), post("b3", badged("b3@example.com", "B3")),
				post("b4", badged("b4@example.com", "B4")), post("b5", badged("b5@example.com", "B5")), post("b6", badged("b6@example.com", "B6")), post("b7", badged("b7@example.com", "B7")),
			},
			"mixture": {
				{Method: "PUT", Path: fmt.Sprint("/Users/", put), Data: raw("%s", badged("put@example.com", "Put"))},
				{Method: "PATCH", Path: fmt.Sprint("/Users/", patched), Data: raw(`{"schemas":[%q],"Operations":[{"op":"replace","path":"%s:badge","value":"Patched"}]}`, wire.MessagePatch, wire.OrgUser)},
				{Method: "DELETE", Path: fmt.Sprint("/Users/", gone)}, post("m", badged("m@example.com", "Mixed")),
			},
			"circle": {
				post("c", strings.Replace(badged("c@example.com", "Circle"), `"userName"`, `"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"bulkId:d"}},"userName"`, 1)),
				post("d", strings.Replace(badged("d@example.com", "Circle2"), `"userName"`, `"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"bulkId:c"}},"userName"`, 1)),
			},
		} {
			badge(t, node, schemas.Attribute{Unindexed: true})
			workOff(t, node)
			c.must(http.StatusOK, "PUT", fmt.Sprint("/Users/", follow), badged("follow@example.com", "Follow "+name)) // has this node follow
			badge(t, node, schemas.Attribute{Uniqueness: schemas.UniqueServer})
			if s.dir.Schemas().Version == node.Schemas().Version {
				t.Fatalf("%s: the node has heard", name)
			}
			for i, r := range c.bulk(0, ops...) {
				if r.Status[0] != '2' {
					t.Errorf("%s: operation %d: %+v", name, i+1, r)
				}
			}
			workOff(t, node)
		}
		for _, taken := range []string{"b0", "B7", "put", "patched", "mixed", "circle", "circle2"} {
			c.refused(http.StatusConflict, "uniqueness", "POST", "/Users", badged("x@example.com", taken), "badge")
			r := c.must(http.StatusOK, "GET", "/Users?filter="+url.QueryEscape(wire.OrgUser+`:badge eq "`+taken+`"`), "")
			if r.body["totalResults"] != 1.0 {
				t.Errorf("filter by %s: %s", taken, r.raw)
			}
		}
		c.must(http.StatusCreated, "POST", "/Users", badged("y@example.com", "gone"))
	})
}

// What was taken under the schema of before, and is free under the one in force, is not
// refused by a node that has not heard: a refusal too is one of the schema in force.
func TestUnique_RefusedByTheSchemaInForce(t *testing.T) {
	behind(t, func(t *testing.T, s *service, c *client, node *directory.Directory) {
		badge(t, node, schemas.Attribute{Uniqueness: schemas.UniqueServer})
		workOff(t, node)
		id := c.must(http.StatusCreated, "POST", "/Users", badged("a@example.com", "One")).body["id"]
		other := c.must(http.StatusCreated, "POST", "/Users", badged("b@example.com", "Two")).body["id"]
		for name, try := range map[string]func(){
			"create": func() { c.must(http.StatusCreated, "POST", "/Users", badged("c@example.com", "One")) },
			"change": func() { c.must(http.StatusOK, "PUT", fmt.Sprint("/Users/", other), badged("b@example.com", "One")) },
			"bulk": func() {
				if r := c.bulk(0, post("x", badged("d@example.com", "One"))); r[0].Status != "201" {
					t.Errorf("bulk: %+v", r)
				}
			},
		} {
			t.Run(name, func(*testing.T) {
				badge(t, node, schemas.Attribute{})
				if s.dir.Schemas().Version == node.Schemas().Version {
					t.Fatal("the node has heard")
				}
				try()
			})
			workOff(t, node)
			for _, u := range c.must(http.StatusOK, "GET", "/Users?filter="+url.QueryEscape(`userName ne "a@example.com"`), "").body["Resources"].([]any) {
				if u := u.(map[string]any)["id"]; u != id && u != other {
					c.must(http.StatusNoContent, "DELETE", fmt.Sprint("/Users/", u), "")
				}
			}
			c.must(http.StatusOK, "PUT", fmt.Sprint("/Users/", other), badged("b@example.com", "Two"))
			badge(t, node, schemas.Attribute{Uniqueness: schemas.UniqueServer})
			workOff(t, node)
			c.must(http.StatusOK, "PUT", fmt.Sprint("/Users/", other), badged("b@example.com", "Three"))
			c.must(http.StatusOK, "PUT", fmt.Sprint("/Users/", other), badged("b@example.com", "Two"))
		}
	})
}
