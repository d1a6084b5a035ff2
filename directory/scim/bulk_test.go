package scim_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-id/provost/internal/httpapi"
)

// bulkOp is an operation of a bulk request in a test.
type bulkOp struct {
	Method  string `json:"method,omitempty"`
	BulkID  string `json:"bulkId,omitempty"`
	Version string `json:"version,omitempty"`
	Path    string `json:"path,omitempty"`
	Data    any    `json:"data,omitempty"`
}

// raw is JSON as it stands.
func raw(format string, args ...any) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(format, args...))
}

func bulkBody(t testing.TB, failOnErrors int, ops ...bulkOp) string {
	t.Helper()
	m := map[string]any{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:BulkRequest"}, "Operations": ops}
	if failOnErrors > 0 {
		m["failOnErrors"] = failOnErrors
	}
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// bulkResult is an operation of a bulk response.
type bulkResult struct {
	Location, Method, BulkID, Version, Status string
	Response                                  *struct {
		Schemas                  []string
		Status, ScimType, Detail string
	}
}

// id is the last segment of the location.
func (r bulkResult) id() string { return r.Location[strings.LastIndexByte(r.Location, '/')+1:] }

// bulk sends operations and checks the form of the answer (RFC 7644, section 3.7.3).
func (c *client) bulk(failOnErrors int, ops ...bulkOp) []bulkResult {
	c.t.Helper()
	r := c.must(http.StatusOK, "POST", "/Bulk", bulkBody(c.t, failOnErrors, ops...))
	var body struct {
		Schemas    []string
		Operations []bulkResult
	}
	if err := json.Unmarshal([]byte(r.raw), &body); err != nil {
		c.t.Fatal(err)
	}
	if len(body.Schemas) != 1 || body.Schemas[0] != "urn:ietf:params:scim:api:messages:2.0:BulkResponse" || r.header.Get("Content-Type") != "application/scim+json" {
		c.t.Errorf("response: %v %s", r.header, clip(r.raw))
	}
	for _, o := range body.Operations {
		o.check(c.t)
	}
	return body.Operations
}

func (r bulkResult) check(t testing.TB) {
	t.Helper()
	failed := r.Status[0] != '2'
	switch {
	case failed && (r.Response == nil || r.Response.Status != r.Status || !strings.HasPrefix(r.Response.Detail, "bulk operation ") ||
		len(r.Response.Schemas) != 1 || r.Response.Schemas[0] != "urn:ietf:params:scim:api:messages:2.0:Error"):
		t.Errorf("an error without its body: %+v %+v", r, r.Response)
	case !failed && r.Response != nil:
		t.Errorf("a success with a body: %+v", r)
	case !failed && (r.Location == "" || r.Method != "DELETE" && r.Version == ""):
		t.Errorf("a success without location or version: %+v", r)
	case failed && r.Method == "POST" && r.Location != "":
		t.Errorf("what was not created has a location: %+v", r)
	}
}

// statuses are the statuses of all results, in short.
func statuses(results []bulkResult) string {
	all := make([]string, len(results))
	for i, r := range results {
		all[i] = r.Status
	}
	return strings.Join(all, " ")
}

func wantStatuses(t testing.TB, results []bulkResult, want string) {
	t.Helper()
	if got := statuses(results); got != want {
		t.Errorf("statuses %s, want %s", got, want)
		for i, r := range results {
			if r.Response != nil {
				t.Logf("%d: %s", i+1, r.Response.Detail)
			}
		}
	}
}

// wantDetail checks what is told of a failed operation.
func wantDetail(t testing.TB, r bulkResult, scimType string, words ...string) {
	t.Helper()
	if r.Response == nil || r.Response.ScimType != scimType {
		t.Errorf("got %+v %+v, want scimType %q", r, r.Response, scimType)
		return
	}
	for _, w := range words {
		if !strings.Contains(r.Response.Detail, w) {
			t.Errorf("detail %q does not name %q", r.Response.Detail, w)
		}
	}
}

const enterpriseURN = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

// TestRFC7644_3_7_Bulk: every method on every type, each answered as by itself.
func TestRFC7644_3_7_Bulk(t *testing.T) {
	eachDevice(t, func(t *testing.T, s *service, c *client) {
		put, patch, gone := c.create("/Users", `{"userName":"put@example.com"}`), c.create("/Users", `{"userName":"patch@example.com"}`), c.create("/Users", `{"userName":"gone@example.com"}`)
		group := c.create("/Groups", `{"displayName":"Staff"}`)
		results := c.bulk(0,
			bulkOp{Method: "POST", Path: "/Users", BulkID: "qwerty", Data: raw(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"alice@example.com","externalId":"a1"}`)},
			bulkOp{Method: "PUT", Path: "/Users/" + put, Version: `W/"1"`, BulkID: "echoed", Data: raw(`{"userName":"put@example.com","title":"Director"}`)},
			bulkOp{Method: "PATCH", Path: "/Users/" + patch, Version: `W/"1"`, Data: json.RawMessage(patchBody(`{"op":"replace","path":"title","value":"Clerk"}`))},
			bulkOp{Method: "DELETE", Path: "/Users/" + gone, Version: `W/"1"`},
			bulkOp{Method: "PATCH", Path: "/Groups/" + group, Data: json.RawMessage(patchBody(`{"op":"add","path":"members","value":[{"value":"` + put + `"}]}`))},
			bulkOp{Method: "POST", Path: "/Devices", BulkID: "dev", Data: raw(`{"serial":"A","owner":{"value":"%s"}}`, put)},
			bulkOp{Method: "POST", Path: "/Groups", BulkID: "grp", Data: raw(`{"displayName":"Tour Guides","members":[{"type":"User","value":"bulkId:qwerty"}]}`)},
		)
		wantStatuses(t, results, "201 200 200 204 204 201 201")
		for i, want := range []struct{ method, bulkID, version, location string }{
			{"POST", "qwerty", `W/"1"`, "/Users/00u"}, {"PUT", "echoed", `W/"2"`, "/Users/" + put}, {"PATCH", "", `W/"2"`, "/Users/" + patch},
			{"DELETE", "", "", "/Users/" + gone}, {"PATCH", "", `W/"2"`, "/Groups/" + group}, {"POST", "dev", `W/"1"`, "/Devices/00r"},
			{"POST", "grp", `W/"1"`, "/Groups/00g"},
		} {
			r := results[i]
			if r.Method != want.method || r.BulkID != want.bulkID || r.Version != want.version || !strings.HasPrefix(r.Location, publicURL+"/scim/v2"+want.location) {
				t.Errorf("operation %d: %+v, want %+v", i+1, r, want)
			}
		}
		alice := c.must(http.StatusOK, "GET", "/Users/"+results[0].id(), "")
		if alice.body["userName"] != "alice@example.com" || alice.body["externalId"] != "a1" || at(alice.body, "groups", 0, "display") != "Tour Guides" {
			t.Errorf("alice: %s", alice.raw)
		}
		for path, want := range map[string]string{"/Users/" + put: "Director", "/Users/" + patch: "Clerk"} {
			if r := c.must(http.StatusOK, "GET", path, ""); r.body["title"] != want || r.header.Get("ETag") != `W/"2"` {
				t.Errorf("%s: %s", path, r.raw)
			}
		}
		c.refused(http.StatusNotFound, "", "GET", "/Users/"+gone, "")
		if r := c.must(http.StatusOK, "GET", "/Groups/"+group, ""); at(r.body, "members", 0, "value") != put {
			t.Errorf("group: %s", r.raw)
		}
		if types := eventTypes(t, s, results[0].id()); types[0] != "user.lifecycle.create" {
			t.Errorf("events %v", types)
		}
	})
}

// TestRFC7644_3_7_Versions: version is the If-Match of one operation.
func TestRFC7644_3_7_Versions(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		id := c.create("/Users", fullUser)
		patch := json.RawMessage(patchBody(`{"op":"replace","path":"title","value":"x"}`))
		results := c.bulk(0,
			bulkOp{Method: "PATCH", Path: "/Users/" + id, Version: `W/"7"`, Data: patch},
			bulkOp{Method: "DELETE", Path: "/Users/" + id, Version: "nonsense"},
			bulkOp{Method: "PATCH", Path: "/Users/" + id, Version: `W/"1"`, Data: patch},
			bulkOp{Method: "PUT", Path: "/Users/" + id, Version: `W/"1"`, Data: raw(`{"userName":"bob@example.com"}`)},
			bulkOp{Method: "DELETE", Path: "/Users/" + id, Version: `W/"2"`},
		)
		wantStatuses(t, results, "412 412 200 412 204")
		if results[0].Location != publicURL+"/scim/v2/Users/"+id {
			t.Errorf("an operation that failed is at %q", results[0].Location)
		}
	})
}

// TestRFC7644_3_7_2_BulkIDs: a reference to what another operation creates is replaced
// wherever it stands, also when it comes first.
func TestRFC7644_3_7_2_BulkIDs(t *testing.T) {
	eachDevice(t, func(t *testing.T, s *service, c *client) {
		old := c.create("/Groups", `{"displayName":"Old"}`)
		results := c.bulk(0,
			bulkOp{Method: "PATCH", Path: "/Groups/bulkId:g", Data: json.RawMessage(patchBody(`{"op":"add","path":"members","value":[{"value":"bulkId:bob"}]}`))},
			bulkOp{Method: "POST", Path: "/Users", BulkID: "ana", Data: raw(`{"userName":"ana@example.com","displayName":"she says \"bulkId\"","%s":{"manager":{"value":"bulkId:bob","$ref":"../Users/bulkId:bob"}}}`, enterpriseURN)},
			bulkOp{Method: "POST", Path: "/Groups", BulkID: "g", Data: raw(`{"displayName":"G","members":[{"value":"bulk\u0049d:ana"}]}`)},
			bulkOp{Method: "POST", Path: "/Users", BulkID: "bob", Data: raw(`{"userName":"bob@example.com"}`)},
			bulkOp{Method: "POST", Path: "/Devices", BulkID: "d", Data: raw(`{"serial":"1","owner":{"value":"bulkId:bob","$ref":"https://id.example/scim/v2/Users/bulkId:bob"}}`)},
			bulkOp{Method: "PUT", Path: "/Groups/" + old, Data: raw(`{"displayName":"New","members":[{"value":"bulkId:ana"},{"value":"bulkId:bob"}]}`)},
			bulkOp{Method: "PATCH", Path: "/Groups/" + old, Data: json.RawMessage(patchBody(`{"op":"remove","path":"members[value eq \"bulkId:bob\"]"}`))},
		)
		wantStatuses(t, results, "204 201 201 201 201 200 204")
		ana, bob := results[1].id(), results[3].id()
		a := c.must(http.StatusOK, "GET", "/Users/"+ana, "")
		if at(a.body, enterpriseURN, "manager", "value") != bob || at(a.body, enterpriseURN, "manager", "$ref") != "../Users/"+bob || a.body["displayName"] != `she says "bulkId"` {
			t.Errorf("ana: %s", a.raw)
		}
		got, want := c.members(results[2].id()), []string{ana, bob}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("members of G are %s, want %s", got, want)
		}
		if got := strings.Join(c.members(old), " "); got != ana {
			t.Errorf("members of New are %s, want %s", got, ana)
		}
		d := c.must(http.StatusOK, "GET", "/Devices/"+results[4].id(), "")
		if at(d.body, "owner", "value") != bob || at(d.body, "owner", "$ref") != "https://id.example/scim/v2/Users/"+bob {
			t.Errorf("device: %s", d.raw)
		}
	})
}

// TestRFC7644_3_7_1_Circles: resources that refer to each other are created, or, when
// that cannot be, answered 409 and none of them is there.
func TestRFC7644_3_7_1_Circles(t *testing.T) {
	eachDevice(t, func(t *testing.T, s *service, c *client) {
		boss := func(name, of string) bulkOp {
			return bulkOp{Method: "POST", Path: "/Users", BulkID: name, Data: raw(`{"userName":"%s@example.com","%s":{"manager":{"value":"bulkId:%s"}}}`, name, enterpriseURN, of)}
		}
		results := c.bulk(0, boss("self", "self"), boss("ana", "bob"), boss("bob", "carl"), boss("carl", "ana"),
			bulkOp{Method: "POST", Path: "/Groups", BulkID: "g", Data: raw(`{"displayName":"G","members":[{"value":"bulkId:ana"},{"value":"bulkId:carl"}]}`)})
		wantStatuses(t, results, "201 201 201 201 201")
		for i, of := range map[int]int{0: 0, 1: 2, 2: 3, 3: 1} {
			u := c.must(http.StatusOK, "GET", "/Users/"+results[i].id(), "")
			if at(u.body, enterpriseURN, "manager", "value") != results[of].id() || u.header.Get("ETag") != results[i].Version {
				t.Errorf("%s, want the manager %s", u.raw, results[of].id())
			}
		}
		before := c.must(http.StatusOK, "GET", "?count=0", "").body["totalResults"]
		results = c.bulk(0, boss("dora", "emil"), boss("emil", "fritz"),
			bulkOp{Method: "POST", Path: "/Users", BulkID: "fritz", Data: raw(`{"userName":"ana@example.com","%s":{"manager":{"value":"bulkId:dora"}}}`, enterpriseURN)},
			boss("gustav", "dora"))
		wantStatuses(t, results, "409 409 409 409")
		wantDetail(t, results[0], "", "circular", "1, 2, 3", "operation 3 has failed")
		wantDetail(t, results[2], "uniqueness", "userName")
		wantDetail(t, results[3], "", "bulkId:dora", "operation 1")
		if after := c.must(http.StatusOK, "GET", "?count=0", "").body["totalResults"]; after != before {
			t.Errorf("%v resources after a circle that failed, %v before", after, before)
		}
	})
}

// TestRFC7644_3_7_1_CircleOfKinds: a circle over several types, in which a group cannot
// have its member before it is there.
func TestRFC7644_3_7_1_CircleOfKinds(t *testing.T) {
	eachDevice(t, func(t *testing.T, s *service, c *client) {
		results := c.bulk(0,
			bulkOp{Method: "POST", Path: "/Groups", BulkID: "g", Data: raw(`{"displayName":"G","members":[{"value":"bulkId:u"}]}`)},
			bulkOp{Method: "POST", Path: "/Users", BulkID: "u", Data: raw(`{"userName":"u@example.com","%s":{"manager":{"value":"bulkId:d"}}}`, enterpriseURN)},
			bulkOp{Method: "POST", Path: "/Devices", BulkID: "d", Data: raw(`{"serial":"1","owner":{"value":"bulkId:g"}}`)})
		wantStatuses(t, results, "201 201 201")
		if got := c.members(results[0].id()); !slices.Equal(got, []string{results[1].id()}) {
			t.Errorf("members %v", got)
		}
		if d := c.must(http.StatusOK, "GET", "/Devices/"+results[2].id(), ""); at(d.body, "owner", "value") != results[0].id() {
			t.Errorf("device: %s", d.raw)
		}
	})
}

// TestRFC7644_3_7_BadOperations: what is wrong with one operation is told in its place,
// and the others are made.
func TestRFC7644_3_7_BadOperations(t *testing.T) {
	eachDevice(t, func(t *testing.T, s *service, c *client) {
		user := c.create("/Users", `{"userName":"old@example.com"}`)
		post := func(path, bulkID, data string) string {
			return fmt.Sprintf(`{"method":"POST","path":%q,"bulkId":%q,"data":%s}`, path, bulkID, data)
		}
		bad := []struct {
			op, status, scimType string
			words                string
		}{
			{`5`, "400", "invalidSyntax", "object"},
			{`{"method":"POST","method":"POST"}`, "400", "invalidSyntax", "method"},
			{`{"path":"/Users"}`, "400", "invalidValue", "method"},
			{`{"method":7,"path":"/Users"}`, "400", "invalidValue", "method"},
			{`{"method":"GET","path":"/Users"}`, "400", "invalidValue", "GET"},
			{`{"method":"POST","bulkId":"x1","data":{}}`, "400", "invalidValue", "path"},
			{`{"method":"POST","path":"/Users","data":{"userName":"n@example.com"}}`, "400", "invalidValue", "bulkId"},
			{`{"method":"POST","path":"/Users","bulkId":"x2"}`, "400", "invalidValue", "data"},
			{`{"method":"PUT","path":"/Users/` + user + `","data":null}`, "400", "invalidValue", "data"},
			{post("Users", "x3", `{}`), "400", "invalidValue", "path"},
			{post("/Nowhere", "x4", `{}`), "404", "", "/Nowhere"},
			{post("/Schemas", "x5", `{}`), "404", "", "/Schemas"},
			{post("/Users/"+user, "x6", `{}`), "405", "", "POST"},
			{`{"method":"DELETE","path":"/Users"}`, "405", "", "DELETE"},
			{`{"method":"DELETE","path":"/Users/a/b"}`, "404", "", "path"},
			{`{"method":"DELETE","path":"/Users/%00"}`, "404", "", "path"},
			{`{"method":"DELETE","path":"/Users/nobody"}`, "404", "", "id"},
			{post("/Users", "x7", `7`), "400", "invalidSyntax", "object"},
			{post("/Users", "x8", `{"userName":5}`), "400", "invalidValue", "userName"},
			{post("/Users", "twice", `{"userName":"t1@example.com"}`), "400", "invalidValue", "twice"},
			{post("/Users", "twice", `{"userName":"t2@example.com"}`), "400", "invalidValue", "twice"},
			{post("/Groups", "x9", `{"displayName":"T","members":[{"value":"bulkId:twice"}]}`), "409", "", "bulkId:twice"},
			{post("/Groups", "x10", `{"displayName":"N","members":[{"value":"bulkId:nobody"}]}`), "409", "", "bulkId:nobody"},
			{`{"method":"PATCH","path":"/Users/bulkId:nobody","data":` + patchBody(`{"op":"replace","path":"title","value":"x"}`) + `}`, "409", "", "bulkId:nobody"},
			{`{"method":"PATCH","path":"/Users/` + user + `","data":` + patchBody(`{"op":"replace","path":"title","value":"x"},{"op":"replace","path":"active","value":3}`) + `}`, "400", "invalidValue", "operation 2"},
			{post("/Users", "x11", `{"userName":"OLD@example.com"}`), "409", "uniqueness", "userName"},
		}
		var ops []string
		for i, b := range bad {
			ops = append(ops, b.op, post("/Users", fmt.Sprint("good", i), fmt.Sprintf(`{"userName":"good%d@example.com"}`, i)))
		}
		r := c.must(http.StatusOK, "POST", "/Bulk", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[`+strings.Join(ops, ",")+`]}`)
		var body struct{ Operations []bulkResult }
		if err := json.Unmarshal([]byte(r.raw), &body); err != nil || len(body.Operations) != len(ops) {
			t.Fatalf("%d results, %v", len(body.Operations), err)
		}
		for i, b := range bad {
			got := body.Operations[2*i]
			if got.Status != b.status {
				t.Errorf("%s: %+v %+v", b.op, got, got.Response)
				continue
			}
			wantDetail(t, got, b.scimType, fmt.Sprintf("bulk operation %d: ", 2*i+1), b.words)
			if good := body.Operations[2*i+1]; good.Status != "201" {
				t.Errorf("after %s: %+v", b.op, good)
			}
		}
	})
}

// TestRFC7644_3_7_NoBulkRequest: a body that is no bulk request is refused as a whole,
// and nothing of it is made.
func TestRFC7644_3_7_NoBulkRequest(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		const urn = `"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"]`
		const op = `{"method":"POST","path":"/Users","bulkId":"a","data":{"userName":"a@example.com"}}`
		for body, want := range map[string]struct{ scimType, words string }{
			``:                                       {"invalidSyntax", "ends"},
			`[]`:                                     {"invalidSyntax", "object"},
			`{` + urn + `}`:                          {"invalidSyntax", "Operations"},
			`{` + urn + `,"Operations":[]}`:          {"invalidSyntax", "Operations"},
			`{` + urn + `,"Operations":` + op + `}`:  {"invalidSyntax", "Operations"},
			`{` + urn + `,"Operations":[` + op + `]`: {"invalidSyntax", "ends"},
			`{` + urn + `,"Operations":[` + op + `]}{}`:                                                {"invalidSyntax", "after"},
			`{` + urn + `,"Operations":[` + op + `,{"method":]}`:                                       {"invalidSyntax", "byte"},
			`{` + urn + `,"Operations":[` + op + `],"operations":[]}`:                                  {"invalidSyntax", "twice"},
			`{` + urn + `,"failOnErrors":"1","Operations":[` + op + `]}`:                               {"invalidValue", "failOnErrors"},
			`{` + urn + `,"failOnErrors":` + strings.Repeat("9", 5000) + `,"Operations":[` + op + `]}`: {"invalidValue", "failOnErrors: want integer, got number"},
			`{` + urn + `,"failOnErrors":1.5,"Operations":[` + op + `]}`:                               {"invalidValue", "failOnErrors"},
			`{` + urn + `,"failOnErrors":0,"Operations":[` + op + `]}`:                                 {"invalidValue", "failOnErrors"},
			`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[` + op + `]}`:  {"invalidSyntax", "BulkRequest"},
			`{"schemas":"x","Operations":[` + op + `]}`:                                                {"invalidValue", "schemas"},
		} {
			c.refused(http.StatusBadRequest, want.scimType, "POST", "/Bulk", body, want.words)
		}
		if r := c.must(http.StatusOK, "GET", "/Users?count=0", ""); r.body["totalResults"] != 0.0 {
			t.Errorf("%v users were created", r.body["totalResults"])
		}
		strict := s.client("strict", httpapi.ScopeSCIM)
		strict.refused(http.StatusBadRequest, "invalidSyntax", "POST", "/Bulk", `{"Operations":[`+op+`]}`, "BulkRequest")
		c.must(http.StatusOK, "POST", "/Bulk", `{"Operations":[`+op+`]}`)
		r := c.do("POST", "/Bulk", `{`+urn+`,"Operations":[`+op+`]}`, "Content-Type", "text/plain")
		checkError(t, "media type", r, http.StatusUnsupportedMediaType, "", "text/plain")
		for _, method := range []string{"GET", "PUT", "DELETE"} {
			if r := c.do(method, "/Bulk", ""); r.status != http.StatusMethodNotAllowed || r.header.Get("Allow") != "OPTIONS, POST" {
				t.Errorf("%s: %d, Allow %q", method, r.status, r.header.Get("Allow"))
			}
		}
	})
}

// TestRFC7644_3_7_4_Limits: both limits are told, and what is beyond them is 413 with
// the limit named, and nothing made.
func TestRFC7644_3_7_4_Limits(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		config := c.must(http.StatusOK, "GET", "/ServiceProviderConfig", "")
		want := map[string]any{"supported": true, "maxOperations": 1000.0, "maxPayloadSize": float64(8 << 20)}
		if diff := cmp.Diff(want, config.body["bulk"]); diff != "" {
			t.Errorf("ServiceProviderConfig:\n%s", diff)
		}
		op := bulkOp{Method: "DELETE", Path: "/Users/nobody"}
		many := make([]bulkOp, 1001)
		for i := range many {
			many[i] = op
		}
		c.refused(http.StatusRequestEntityTooLarge, "", "POST", "/Bulk", bulkBody(t, 0, many...), "maxOperations", "1000")
		if results := c.bulk(0, many[:1000]...); len(results) != 1000 || results[999].Status != "404" {
			t.Errorf("%d results", len(results))
		}
		large := bulkBody(t, 0, op, bulkOp{Method: "POST", Path: "/Users", BulkID: "a", Data: raw(`{"userName":"a@example.com","title":%q}`, strings.Repeat("x", 8<<20))})
		c.refused(http.StatusRequestEntityTooLarge, "", "POST", "/Bulk", large, "maxPayloadSize", "8388608")
		// The limit of one user holds inside of a bulk request too.
		results := c.bulk(0, bulkOp{Method: "POST", Path: "/Users", BulkID: "a", Data: raw(`{"userName":"a@example.com","title":%q}`, strings.Repeat("x", 1<<20))})
		wantStatuses(t, results, "413")
	})
}
