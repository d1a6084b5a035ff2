package scim_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/schemas"
)

const (
	deviceURN = "urn:example:params:scim:schemas:core:2.0:Device"
	leaseURN  = "urn:example:params:scim:schemas:extension:lease:2.0:Device"
)

// deviceType is a resource type that nobody knew when the program was written.
func deviceType() schemas.ResourceType {
	return schemas.ResourceType{
		Name: "Device", Endpoint: "/Devices", Description: "What people carry",
		Core: schemas.Schema{ID: deviceURN, Name: "Device", Attributes: []schemas.Attribute{
			{Name: "serial", Type: schemas.String, Required: true, CaseExact: true, Uniqueness: schemas.UniqueServer},
			{Name: "model", Type: schemas.String, Mutability: schemas.Immutable},
			{Name: "slots", Type: schemas.Integer},
			{Name: "firmware", Type: schemas.String, Mutability: schemas.ReadOnly},
			{Name: "owner", Type: schemas.Complex, SubAttributes: []schemas.Attribute{
				{Name: "value", Type: schemas.String, CaseExact: true},
				{Name: "$ref", Type: schemas.Reference, ReferenceTypes: []string{"User"}},
			}},
			{Name: "ports", Type: schemas.Complex, MultiValued: true, SubAttributes: []schemas.Attribute{
				{Name: "value", Type: schemas.String}, {Name: "type", Type: schemas.String}, {Name: "primary", Type: schemas.Boolean},
			}},
		}},
		Extensions: []schemas.Extension{{Schema: schemas.Schema{ID: leaseURN, Name: "Lease", Attributes: []schemas.Attribute{
			{Name: "ends", Type: schemas.DateTime},
		}}}},
	}
}

// serve makes these types the schema in force.
func (s *service) serve(types ...schemas.ResourceType) {
	s.t.Helper()
	snapshot, err := schemas.Compile(s.dir.Schemas().Version, append(schemas.Default(), types...))
	if err != nil {
		s.t.Fatal(err)
	}
	s.schema.Store(snapshot)
}

// eachDevice is each with the type Device in force.
func eachDevice(t *testing.T, fn func(t *testing.T, s *service, c *client)) {
	t.Helper()
	each(t, func(t *testing.T, s *service, c *client) {
		s.serve(deviceType())
		fn(t, s, c)
	})
}

const fullDevice = `{"schemas":["` + deviceURN + `","` + leaseURN + `"],"externalId":"inv-7","serial":"A-1","model":"X200","slots":4,
	"owner":{"value":"00uowner"},"ports":[{"value":"eth0","type":"lan","primary":true},{"value":"usb1","type":"bus"}],
	"` + leaseURN + `":{"ends":"2027-01-01T00:00:00Z"}}`

// TestResourceType_CRUD: a type beside User and Group has the whole protocol.
func TestResourceType_CRUD(t *testing.T) {
	eachDevice(t, func(t *testing.T, s *service, c *client) {
		made := c.must(http.StatusCreated, "POST", "/Devices", fullDevice)
		id, _ := made.body["id"].(string)
		location := publicURL + "/scim/v2/Devices/" + id
		if !strings.HasPrefix(id, "00r") || made.header.Get("Location") != location || made.header.Get("ETag") != `W/"1"` {
			t.Errorf("created: %v %s", made.header, made.raw)
		}
		for path, want := range map[string]any{
			"meta.resourceType": "Device", "meta.location": location, "meta.version": `W/"1"`, "externalId": "inv-7", "slots": 4.0, "owner.value": "00uowner",
		} {
			var steps []any
			for _, p := range strings.Split(path, ".") {
				steps = append(steps, p)
			}
			if got := at(made.body, steps...); got != want {
				t.Errorf("%s is %v, want %v", path, got, want)
			}
		}
		if got := c.must(http.StatusOK, "GET", "/Devices/"+id, ""); got.raw != made.raw {
			t.Errorf("read %s, created %s", got.raw, made.raw)
		}
		if r := c.must(http.StatusOK, "HEAD", "/Devices/"+id, ""); r.raw != "" || r.header.Get("ETag") != `W/"1"` {
			t.Errorf("HEAD: %v %q", r.header, r.raw)
		}
		r := c.must(http.StatusOK, "PATCH", "/Devices/"+id, patchBody(`{"op":"remove","path":"ports[type eq \"bus\"]"},{"op":"replace","path":"`+leaseURN+`:ends","value":"2028-01-01T00:00:00Z"}`))
		if ports, _ := r.body["ports"].([]any); len(ports) != 1 || at(r.body, leaseURN, "ends") != "2028-01-01T00:00:00Z" || r.header.Get("ETag") != `W/"2"` {
			t.Errorf("patched: %s", r.raw)
		}
		r = c.must(http.StatusOK, "PUT", "/Devices/"+id, `{"schemas":["`+deviceURN+`"],"serial":"A-2","model":"X200","firmware":"9"}`)
		if r.body["slots"] != nil || r.body["serial"] != "A-2" || r.body["firmware"] != nil || r.body["externalId"] != nil || r.header.Get("ETag") != `W/"3"` {
			t.Errorf("replaced: %s", r.raw)
		}
		if got, want := fmt.Sprint(r.body["schemas"]), "["+deviceURN+"]"; got != want {
			t.Errorf("schemas %s, want %s", got, want)
		}
		c.must(http.StatusOK, "PUT", "/Devices/"+id, `{"serial":"A-2","model":"X200"}`) // changes nothing
		if r := c.must(http.StatusOK, "GET", "/Devices/"+id, ""); r.header.Get("ETag") != `W/"3"` {
			t.Errorf("a PUT that changes nothing made %s", r.header.Get("ETag"))
		}
		c.must(http.StatusNoContent, "DELETE", "/Devices/"+id, "")
		c.refused(http.StatusNotFound, "", "GET", "/Devices/"+id, "")
		c.refused(http.StatusNotFound, "", "DELETE", "/Devices/"+id, "")
		types := eventTypes(t, s, id)
		want := []string{"resource.lifecycle.create", "resource.profile.update", "resource.profile.update", "resource.lifecycle.delete"}
		if diff := cmp.Diff(want, types); diff != "" {
			t.Errorf("events:\n%s", diff)
		}
	})
}

func eventTypes(t *testing.T, s *service, subject string) []string {
	t.Helper()
	rows, err := s.dir.DB.Query(t.Context(), `SELECT type FROM events WHERE subject = $1 ORDER BY n`, subject)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var types []string
	for rows.Next() {
		var typ string
		if err := rows.Scan(&typ); err != nil {
			t.Fatal(err)
		}
		types = append(types, typ)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return types
}

func TestResourceType_Refusals(t *testing.T) {
	eachDevice(t, func(t *testing.T, s *service, c *client) {
		id := c.create("/Devices", fullDevice)
		user := c.create("/Users", fullUser)
		group := c.create("/Groups", `{"displayName":"Staff"}`)
		for _, r := range []struct {
			status                       int
			scimType, method, path, body string
			words                        string
		}{
			{http.StatusConflict, "uniqueness", "POST", "/Devices", `{"serial":"A-1"}`, "serial"},
			{http.StatusBadRequest, "invalidValue", "POST", "/Devices", `{"model":"X"}`, "serial"},
			{http.StatusBadRequest, "invalidValue", "POST", "/Devices", `{"serial":"B","slots":"four"}`, "slots"},
			{http.StatusBadRequest, "invalidSyntax", "POST", "/Devices", `{"serial":"B","serial":"C"}`, "serial"},
			{http.StatusBadRequest, "mutability", "PATCH", "/Devices/" + id, patchBody(`{"op":"replace","path":"model","value":"Y"}`), "model"},
			{http.StatusBadRequest, "mutability", "PATCH", "/Devices/" + id, patchBody(`{"op":"replace","path":"firmware","value":"9"}`), "firmware"},
			{http.StatusBadRequest, "mutability", "PATCH", "/Devices/" + id, patchBody(`{"op":"remove","path":"serial"}`), "operation 1"},
			{http.StatusBadRequest, "mutability", "PUT", "/Devices/" + id, `{"serial":"A-1","model":"Y"}`, "model"},
			{http.StatusBadRequest, "invalidFilter", "GET", "/Devices?filter=" + url.QueryEscape(`userName eq "x"`), "", "userName"},
			{http.StatusNotFound, "", "GET", "/Devices/" + user, "", ""},
			{http.StatusNotFound, "", "DELETE", "/Devices/" + user, "", ""},
			{http.StatusNotFound, "", "PATCH", "/Devices/" + group, patchBody(`{"op":"replace","path":"slots","value":1}`), ""},
			{http.StatusNotFound, "", "DELETE", "/Users/" + id, "", ""},
			{http.StatusNotFound, "", "DELETE", "/Groups/" + id, "", ""},
			{http.StatusNotFound, "", "GET", "/devices", "", "/devices"},
			{http.StatusMethodNotAllowed, "", "PUT", "/Devices", `{}`, "PUT"},
			{http.StatusMethodNotAllowed, "", "GET", "/Devices/.search", "", "POST"},
		} {
			c.refused(r.status, r.scimType, r.method, r.path, r.body, r.words)
		}
		reader := s.client("", httpapi.ScopeSCIMRead)
		reader.must(http.StatusOK, "GET", "/Devices/"+id, "")
		reader.refused(http.StatusForbidden, "", "POST", "/Devices", `{"serial":"C"}`)
		reader.refused(http.StatusForbidden, "", "DELETE", "/Devices/"+id, "")
		if r := c.must(http.StatusNoContent, "OPTIONS", "/Devices", ""); r.header.Get("Allow") != "GET, HEAD, OPTIONS, POST" {
			t.Errorf("Allow %q", r.header.Get("Allow"))
		}
	})
}

// TestResourceType_ETags: the conditions of section 3.14 hold on every type.
func TestResourceType_ETags(t *testing.T) {
	eachDevice(t, func(t *testing.T, s *service, c *client) {
		path := "/Devices/" + c.create("/Devices", fullDevice)
		if r := c.do("GET", path, "", "If-None-Match", `W/"1"`); r.status != http.StatusNotModified || r.raw != "" {
			t.Errorf("If-None-Match: %d", r.status)
		}
		patch := patchBody(`{"op":"replace","path":"slots","value":5}`)
		for _, tc := range []struct{ method, body string }{{"PUT", `{"serial":"A-1","model":"X200"}`}, {"PATCH", patch}, {"DELETE", ""}} {
			checkError(t, tc.method, c.do(tc.method, path, tc.body, "If-Match", `W/"2"`), http.StatusPreconditionFailed, "", "If-Match")
			checkError(t, tc.method, c.do(tc.method, path, tc.body, "If-None-Match", `*`), http.StatusPreconditionFailed, "", "If-None-Match")
		}
		c.must(http.StatusOK, "PATCH", path, patch, "If-Match", `W/"1"`)
		c.must(http.StatusNoContent, "DELETE", path, "", "If-Match", `W/"2"`)
	})
}

// TestResourceType_ADV55_ExternalIDs: the external IDs of a client are its own.
func TestResourceType_ADV55_ExternalIDs(t *testing.T) {
	eachDevice(t, func(t *testing.T, s *service, c *client) {
		id := c.create("/Devices", fullDevice)
		other := s.client("", httpapi.ScopeSCIM)
		find := "/Devices?filter=" + url.QueryEscape(`externalId eq "inv-7"`)
		if r := other.must(http.StatusOK, "GET", "/Devices/"+id, ""); r.body["externalId"] != nil {
			t.Errorf("another client reads %v", r.body["externalId"])
		}
		if r := other.must(http.StatusOK, "GET", find, ""); r.body["totalResults"] != 0.0 {
			t.Errorf("another client finds %s", r.raw)
		}
		other.must(http.StatusOK, "PATCH", "/Devices/"+id, patchBody(`{"op":"add","path":"externalId","value":"other"}`))
		if r := c.must(http.StatusOK, "GET", find, ""); len(r.resources()) != 1 || r.resources()[0]["id"] != id {
			t.Errorf("the client itself finds %s", r.raw)
		}
	})
}

func TestResourceType_Lists(t *testing.T) {
	eachDevice(t, func(t *testing.T, s *service, c *client) {
		for i := range 5 {
			c.create("/Devices", fmt.Sprintf(`{"serial":"S%d","slots":%d,"ports":[{"value":"eth%d","type":"lan"},{"value":"usb","type":"bus"}],"%s":{"ends":"203%d-01-01T00:00:00Z"}}`, i, i, i, leaseURN, i))
		}
		c.create("/Users", `{"userName":"ana@example.com"}`)
		for filter, want := range map[string]string{
			`serial eq "S1"`: "S1", `serial eq "s1"`: "", `slots ge 3`: "S3 S4", `ports[type eq "lan" and value eq "ETH2"]`: "S2", `ports[type eq "bus" and value eq "eth2"]`: "",
			`ports.value sw "eth" and not (slots gt 0)`: "S0", leaseURN + `:ends lt "2031-06-01T00:00:00Z"`: "S0 S1", `meta.resourceType eq "Device" and slots lt 1`: "S0",
			`model pr`: "", `slots eq 1 or slots eq 4`: "S1 S4",
		} {
			r := c.must(http.StatusOK, "GET", "/Devices?attributes=serial&filter="+url.QueryEscape(filter), "")
			if got := serials(r); got != want {
				t.Errorf("%s: %q, want %q", filter, got, want)
			}
		}
		r := c.must(http.StatusOK, "GET", "/Devices?startIndex=2&count=2&excludedAttributes=ports", "")
		if serials(r) != "S1 S2" || r.body["totalResults"] != 5.0 || r.resources()[0]["ports"] != nil || r.resources()[0]["slots"] != 1.0 {
			t.Errorf("page: %s", r.raw)
		}
		r = c.must(http.StatusOK, "POST", "/Devices/.search", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"cursor":"","count":3}`)
		next, _ := r.body["nextCursor"].(string)
		if r := c.must(http.StatusOK, "GET", "/Devices?count=3&cursor="+next, ""); serials(r) != "S3 S4" {
			t.Errorf("second page: %s", r.raw)
		}
		// RFC 7644, section 3.4.2.1: the root has them all.
		if r := c.must(http.StatusOK, "GET", "", ""); r.body["totalResults"] != 8.0 { // and the two built-in groups
			t.Errorf("root: %s", r.raw)
		}
		r = c.must(http.StatusOK, "POST", "/.search", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"filter":"serial sw \"S\" and slots le 1"}`)
		if serials(r) != "S0 S1" {
			t.Errorf("root search: %s", r.raw)
		}
	})
}

func serials(r reply) string {
	var all []string
	for _, x := range r.resources() {
		s, _ := x["serial"].(string)
		all = append(all, s)
	}
	return strings.Join(all, " ")
}

// TestResourceType_ComesAndGoes: the routes and discovery follow the schema in force,
// and what was stored under a type waits for it.
func TestResourceType_ComesAndGoes(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		gone := func() {
			t.Helper()
			c.refused(http.StatusNotFound, "", "GET", "/Devices", "", "/Devices")
			c.refused(http.StatusNotFound, "", "POST", "/Devices", fullDevice)
			c.refused(http.StatusNotFound, "", "GET", "/ResourceTypes/Device", "")
			c.refused(http.StatusNotFound, "", "GET", "/Schemas/"+deviceURN, "")
			c.refused(http.StatusBadRequest, "invalidFilter", "GET", "?filter="+url.QueryEscape(`serial pr`), "")
		}
		gone()
		s.serve(deviceType())
		id := c.create("/Devices", fullDevice)
		if r := c.must(http.StatusOK, "GET", "/ResourceTypes/Device", ""); r.body["endpoint"] != "/Devices" || r.body["schema"] != deviceURN {
			t.Errorf("resource type: %s", r.raw)
		}
		c.must(http.StatusOK, "GET", "/Schemas/"+leaseURN, "")
		if r := c.must(http.StatusOK, "GET", "/ResourceTypes", ""); r.body["totalResults"] != 3.0 {
			t.Errorf("resource types: %s", r.raw)
		}
		s.serve()
		gone()
		if r := c.must(http.StatusOK, "GET", "", ""); r.body["totalResults"] != 2.0 {
			t.Errorf("root without the type: %s", r.raw)
		}
		s.serve(deviceType())
		c.must(http.StatusOK, "GET", "/Devices/"+id, "")
	})
}
