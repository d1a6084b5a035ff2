package scim_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-id/provost/schemas"
)

const orgUser = "urn:provost:params:scim:schemas:extension:org:2.0:User"

// TestRFC7643_2_3_4_Integers: an integer has no fraction and no exponent.
func TestRFC7643_2_3_4_Integers(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		s.useTypes()
		for _, number := range []string{"1.0", "1.5", "1e2", "1E0", "-1e0", "1e-1"} {
			body := `{"userName":"a@example.com","` + orgUser + `":{"level":` + number + `}}`
			c.refused(http.StatusBadRequest, "invalidValue", "POST", "/Users", body, "level", "integer")
		}
		r := c.must(http.StatusCreated, "POST", "/Users", `{"userName":"a@example.com","`+orgUser+`":{"level":-7}}`)
		if got := at(r.body, orgUser, "level"); got != -7.0 {
			t.Errorf("level is %v: %s", got, r.raw)
		}
	})
}

// TestRFC7643_3_SchemasInAnyOrder: neither the order of schemas nor that of the other
// members of a request means anything.
func TestRFC7643_3_SchemasInAnyOrder(t *testing.T) {
	each(t, func(t *testing.T, s *service, _ *client) {
		c := s.client("strict", "scim")
		const extension = `"` + enterpriseUser + `":{"division":"D","department":"E"}`
		for name, body := range map[string]string{
			"core first":      `{"schemas":["` + coreUser + `","` + enterpriseUser + `"],"userName":"%s@example.com","title":"T",` + extension + `}`,
			"extension first": `{"schemas":["` + enterpriseUser + `","` + coreUser + `"],"userName":"%s@example.com","title":"T",` + extension + `}`,
			"schemas last":    `{` + extension + `,"title":"T","userName":"%s@example.com","schemas":["` + enterpriseUser + `","` + coreUser + `"]}`,
		} {
			login := fmt.Sprintf("user%d", len(name))
			r := c.must(http.StatusCreated, "POST", "/Users", fmt.Sprintf(body, login))
			want := map[string]any{
				"schemas": []any{coreUser, enterpriseUser}, "userName": login + "@example.com", "title": "T",
				enterpriseUser: map[string]any{"division": "D", "department": "E"},
			}
			got := map[string]any{}
			for member := range want {
				got[member] = r.body[member]
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
	})
}

// TestRFC7643_5_RequiredAttributes: what the configuration of every provider has.
func TestRFC7643_5_RequiredAttributes(t *testing.T) {
	each(t, func(t *testing.T, s *service, _ *client) {
		anybody := &client{t: t, s: s}
		r := anybody.must(http.StatusOK, "GET", "/ServiceProviderConfig", "")
		if got, want := fmt.Sprint(r.body["schemas"]), "[urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig]"; got != want {
			t.Errorf("schemas %s, want %s", got, want)
		}
		for _, name := range []string{"patch", "bulk", "filter", "changePassword", "sort", "etag"} {
			if _, ok := at(r.body, name, "supported").(bool); !ok {
				t.Errorf("%s.supported is %v", name, at(r.body, name, "supported"))
			}
		}
		for _, path := range [][]any{{"bulk", "maxOperations"}, {"bulk", "maxPayloadSize"}, {"filter", "maxResults"}} {
			if n, ok := at(r.body, path...).(float64); !ok || n < 1 {
				t.Errorf("%v is %v", path, at(r.body, path...))
			}
		}
		schemes, _ := r.body["authenticationSchemes"].([]any)
		if len(schemes) == 0 {
			t.Errorf("no authentication schemes: %s", r.raw)
		}
		for _, scheme := range schemes {
			for _, name := range []string{"type", "name", "description"} {
				if text, _ := at(scheme, name).(string); text == "" {
					t.Errorf("a scheme without %s: %v", name, scheme)
				}
			}
		}
	})
}

// TestRFC7643_6_DiscoveryHangsTogether: a resource type names schemas that are there, under
// their ids, and an endpoint whose resources say that they are of the type.
func TestRFC7643_6_DiscoveryHangsTogether(t *testing.T) {
	eachDevice(t, func(t *testing.T, s *service, c *client) {
		c.create("/Users", `{"userName":"a@example.com"}`)
		c.create("/Groups", `{"displayName":"Team"}`)
		c.create("/Devices", `{"serial":"A-1"}`)
		types := c.must(http.StatusOK, "GET", "/ResourceTypes", "").resources()
		if len(types) != 3 {
			t.Fatalf("%d resource types: %v", len(types), types)
		}
		for _, typ := range types {
			urns := []any{typ["schema"]}
			extensions, _ := typ["schemaExtensions"].([]any)
			for _, x := range extensions {
				if _, ok := at(x, "required").(bool); !ok {
					t.Errorf("%v: the extension %v is required or not", typ["name"], x)
				}
				urns = append(urns, at(x, "schema"))
			}
			for _, urn := range urns {
				id, _ := urn.(string)
				if r := c.must(http.StatusOK, "GET", "/Schemas/"+id, ""); id == "" || r.body["id"] != id {
					t.Errorf("%v: the schema %v has the id %v", typ["name"], urn, r.body["id"])
				}
			}
			endpoint, _ := typ["endpoint"].(string)
			found := c.must(http.StatusOK, "GET", endpoint, "").resources()
			if len(found) == 0 {
				t.Errorf("%v: nothing at %s", typ["name"], endpoint)
			}
			for _, r := range found {
				if got := at(r, "meta", "resourceType"); got == nil || got != typ["name"] {
					t.Errorf("%s has a resource of type %v, want %v", endpoint, got, typ["name"])
				}
			}
		}
	})
}

// TestRFC7643_6_RequiredExtension: of a type with a required extension no resource is
// without it, nor without what the extension requires.
func TestRFC7643_6_RequiredExtension(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		device := deviceType()
		lease := &device.Extensions[0]
		lease.Required = true
		lease.Schema.Attributes = append(lease.Schema.Attributes, schemas.Attribute{Name: "lessor", Type: schemas.String, Required: true})
		s.serve(device)
		with := func(members string) string { return `{"serial":"A-1","` + leaseURN + `":` + members + `}` }
		lacking := map[string]string{ // body -> what is missing
			`{"serial":"A-1"}`: leaseURN, with(`null`): leaseURN, with(`{}`): leaseURN, with(`{"ends":"2027-01-01T00:00:00Z"}`): "lessor",
		}
		for body, missing := range lacking {
			c.refused(http.StatusBadRequest, "invalidValue", "POST", "/Devices", body, missing, "required")
		}
		path := "/Devices/" + c.create("/Devices", with(`{"ends":"2027-01-01T00:00:00Z","lessor":"L"}`))
		for body, missing := range lacking {
			c.refused(http.StatusBadRequest, "invalidValue", "PUT", path, body, missing, "required")
		}
		for removed, missing := range map[string]string{leaseURN: leaseURN, leaseURN + ":lessor": "lessor"} {
			c.refused(http.StatusBadRequest, "mutability", "PATCH", path, patchBody(`{"op":"remove","path":"`+removed+`"}`), missing)
		}
		if r := c.must(http.StatusOK, "GET", path, ""); at(r.body, leaseURN, "lessor") != "L" || r.header.Get("ETag") != `W/"1"` {
			t.Errorf("after all: %s", r.raw)
		}
		if r := c.must(http.StatusOK, "GET", "/ResourceTypes/Device", ""); at(r.body, "schemaExtensions", 0, "required") != true {
			t.Errorf("the resource type does not say so: %s", r.raw)
		}
	})
}

// TestRFC7643_7_EveryAttribute: each attribute of each schema, and each part of it, has the
// characteristics that it must have, and none that its type cannot have.
func TestRFC7643_7_EveryAttribute(t *testing.T) {
	eachDevice(t, func(t *testing.T, s *service, c *client) {
		for _, schema := range c.must(http.StatusOK, "GET", "/Schemas", "").resources() {
			id, _ := schema["id"].(string)
			list, _ := schema["attributes"].([]any)
			if name, _ := schema["name"].(string); id == "" || name == "" || len(list) == 0 {
				t.Errorf("a schema of id %q and name %q with %d attributes", id, name, len(list))
			}
			for _, a := range list {
				checkDefinition(t, id, a, true)
			}
		}
	})
}

// attributeName is ATTRNAME of RFC 7643, section 2.1, and $ref.
var attributeName = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9$_-]*|\$ref)$`)

func checkDefinition(t *testing.T, schema string, a any, top bool) {
	t.Helper()
	def, _ := a.(map[string]any)
	name, _ := def["name"].(string)
	path := schema + ":" + name
	if !attributeName.MatchString(name) {
		t.Errorf("%s is no name of an attribute", path)
	}
	for key, words := range map[string][]string{
		"type":       {"string", "boolean", "decimal", "integer", "dateTime", "binary", "reference", "complex"},
		"mutability": {"readOnly", "readWrite", "immutable", "writeOnly"},
		"returned":   {"always", "never", "default", "request"},
	} {
		if text, _ := def[key].(string); !slices.Contains(words, text) {
			t.Errorf("%s: %s is %v", path, key, def[key])
		}
	}
	for _, key := range []string{"multiValued", "required"} {
		if _, ok := def[key].(bool); !ok {
			t.Errorf("%s: %s is %v", path, key, def[key])
		}
	}
	subs, _ := def["subAttributes"].([]any)
	isComplex := def["type"] == "complex"
	if isComplex != (len(subs) > 0) || isComplex && !top {
		t.Errorf("%s is %v and has %d sub-attributes", path, def["type"], len(subs))
	}
	for key, has := range map[string]bool{"uniqueness": !isComplex, "caseExact": !isComplex, "referenceTypes": def["type"] == "reference"} {
		if _, there := def[key]; there && !has {
			t.Errorf("%s is %v and has %s", path, def["type"], key)
		}
	}
	if def["mutability"] == "writeOnly" && def["returned"] != "never" {
		t.Errorf("%s is writeOnly and returned", path)
	}
	for _, sub := range subs {
		checkDefinition(t, path, sub, false)
	}
}

// TestRFC7643_7_CaseExact: an attribute that heeds case keeps it, and is compared by it.
func TestRFC7643_7_CaseExact(t *testing.T) {
	eachDevice(t, func(t *testing.T, s *service, c *client) {
		id := c.create("/Devices", `{"serial":"Ab-1","model":"Xy"}`)
		if r := c.must(http.StatusOK, "GET", "/Devices/"+id, ""); r.body["serial"] != "Ab-1" {
			t.Errorf("kept as %s", r.raw)
		}
		for filter, hits := range map[string]float64{
			`serial eq "Ab-1"`: 1, `serial eq "ab-1"`: 0, `serial sw "AB"`: 0, `serial co "b-"`: 1, `serial ne "AB-1"`: 1,
			`model eq "xY"`: 1, `model sw "XY"`: 1, `model ne "XY"`: 0,
		} {
			if r := c.must(http.StatusOK, "GET", "/Devices?filter="+url.QueryEscape(filter), ""); r.body["totalResults"] != hits {
				t.Errorf("%s finds %v, want %v", filter, r.body["totalResults"], hits)
			}
		}
		c.create("/Devices", `{"serial":"AB-1"}`) // another, since case makes a difference
		c.refused(http.StatusConflict, "uniqueness", "POST", "/Devices", `{"serial":"Ab-1"}`, "serial")
	})
}

// TestRFC7643_2_3_5_ValidDateTimes: a dateTime is one of XML Schema. What time.Parse forgives,
// an hour of one digit and a comma before the fraction, would be shown to every client.
func TestRFC7643_2_3_5_ValidDateTimes(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		s.useTypes()
		body := func(hired string) string {
			return `{"userName":"a@example.com","` + orgUser + `":{"hired":"` + hired + `"}}`
		}
		for _, hired := range []string{
			"2026-01-02", "2026-01-02T03:04Z", "2026-01-02T3:04:05Z", "2026-01-02T03:04:05,5Z", "2026-01-02T3:04:05", "2026-01-02T03:04:05,5",
			"2026-01-02 03:04:05Z", "2026-01-02T03:04:05+0100",
		} {
			c.refused(http.StatusBadRequest, "invalidValue", "POST", "/Users", body(hired), "hired", "dateTime")
		}
		for _, hired := range []string{"2026-01-02T03:04:05Z", "2026-01-02T03:04:05.5Z", "2026-01-02T03:04:05+01:00", "2026-01-02T03:04:05", "9999-12-31T23:59:59Z"} {
			id := c.create("/Users", body(hired))
			c.must(http.StatusNoContent, "DELETE", "/Users/"+id, "")
		}
	})
}

// TestRFC7643_2_4_PrimaryIsFalseUnlessSaid: an element that does not say whether it is primary
// is not.
func TestRFC7643_2_4_PrimaryIsFalseUnlessSaid(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		ana := c.create("/Users", `{"userName":"ana","emails":[{"value":"a@x.example","primary":true},{"value":"b@x.example"}]}`)
		c.create("/Users", `{"userName":"bob","emails":[{"value":"c@x.example","primary":true}]}`)
		c.create("/Users", `{"userName":"cy"}`)
		for filter, want := range map[string]string{
			`emails[primary eq false]`: "ana", `emails.primary eq false`: "ana", `emails[value sw "b" and primary eq false]`: "ana",
			`emails[value sw "b" and primary ne false]`: "", `emails[value sw "a" and primary ne false]`: "ana",
			`emails[value sw "a" and primary eq false]`: "", `emails[value sw "c" and primary eq true]`: "bob",
		} {
			if got := c.find(filter); got != want {
				t.Errorf("%s finds %q, want %q", filter, got, want)
			}
		}
		r := c.must(http.StatusOK, "PATCH", "/Users/"+ana, patchBody(`{"op":"remove","path":"emails[primary eq false]"}`))
		if mails, _ := r.body["emails"].([]any); len(mails) != 1 || at(mails, 0, "value") != "a@x.example" {
			t.Errorf("after the removal of what is not primary: %s", r.raw)
		}
	})
}

// TestRFC7643_2_4_ReferencesOfAnyVersion: the URI of a resource is the same with another
// version of the protocol in it, and with none.
func TestRFC7643_2_4_ReferencesOfAnyVersion(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		id := c.create("/Users", `{"userName":"ana"}`)
		group := c.create("/Groups", `{"displayName":"Team","members":[{"value":"`+id+`"}]}`)
		for base, found := range map[string]string{"/scim/v2": "ana", "/scim": "ana", "/scim/v1": "ana", "/other": ""} {
			if got := c.find(`groups.$ref eq "` + publicURL + base + `/Groups/` + group + `"`); got != found {
				t.Errorf("a group below %s: found %q, want %q", base, got, found)
			}
			hits := 0.0
			if found != "" {
				hits = 1
			}
			filter := `members.$ref eq "` + publicURL + base + `/Users/` + id + `"`
			if r := c.must(http.StatusOK, "GET", "/Groups?filter="+url.QueryEscape(filter), ""); r.body["totalResults"] != hits {
				t.Errorf("%s finds %v, want %v", filter, r.body["totalResults"], hits)
			}
		}
	})
}

// TestRFC7644_3_5_2_2_RemoveByReference: a value filter of a PATCH finds members by the URI
// under which they are shown, whatever else it says.
func TestRFC7644_3_5_2_2_RemoveByReference(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		ana, bob := c.create("/Users", `{"userName":"ana"}`), c.create("/Users", `{"userName":"bob"}`)
		inner := c.create("/Groups", `{"displayName":"Inner"}`)
		all := `{"op":"replace","path":"members","value":[{"value":"` + ana + `"},{"value":"` + bob + `"},{"value":"` + inner + `"}]}`
		group := c.create("/Groups", `{"displayName":"Team"}`)
		for filter, left := range map[string]int{
			`$ref eq \"` + publicURL + `/scim/v2/Users/` + ana + `\"`:                          2,
			`$ref eq \"` + publicURL + `/scim/v2/Users/` + ana + `\" and type eq \"User\"`:     2,
			`$ref eq \"` + publicURL + `/scim/v2/Groups/` + inner + `\" and type eq \"Group\"`: 2,
			`$ref eq \"../Users/` + ana + `\"`:                                                 2,
			`$ref eq \"https://elsewhere.example/scim/v2/Users/` + ana + `\"`:                  3,
			`$ref eq \"` + publicURL + `/scim/v2/Groups/` + ana + `\"`:                         3,
			`$ref sw \"` + publicURL + `/scim/v2/Users/\"`:                                     1,
			`$ref eq \"` + publicURL + `/scim/v2/Users/` + ana + `\" and type eq \"Group\"`:    3,
		} {
			c.do("PATCH", "/Groups/"+group, patchBody(all))
			c.do("PATCH", "/Groups/"+group, patchBody(`{"op":"remove","path":"members[`+filter+`]"}`))
			if got := c.members(group); len(got) != left {
				t.Errorf("%s leaves %d members, want %d: %v", filter, len(got), left, got)
			}
		}
	})
}
