package scim_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/provost-id/provost/internal/httpapi"
)

func newUser(bulkID, userName string) bulkOp {
	return bulkOp{Method: "POST", Path: "/Users", BulkID: bulkID, Data: raw(`{"userName":%q}`, userName)}
}

// TestADV63_ThousandOperations: the largest request there is, each operation with its
// own answer, and a user for each.
func TestADV63_ThousandOperations(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		ops := make([]bulkOp, 1000)
		for i := range ops {
			ops[i] = newUser(fmt.Sprint("u", i), fmt.Sprintf("u%d@example.com", i))
			if i%100 == 99 { // some are managed by others of the request, later ones too
				ops[i].Data = raw(`{"userName":"u%d@example.com","%s":{"manager":{"value":"bulkId:u%d"}}}`, i, enterpriseURN, (i+50)%1000)
			}
		}
		ops[500] = newUser("u500", "u0@example.com")
		results := c.bulk(0, ops...)
		if len(results) != 1000 {
			t.Fatalf("%d results", len(results))
		}
		for i, r := range results {
			if want := map[bool]string{true: "409", false: "201"}[i == 500]; r.Status != want || r.BulkID != fmt.Sprint("u", i) {
				t.Errorf("operation %d: %+v %+v", i+1, r, r.Response)
			}
		}
		if r := c.must(http.StatusOK, "GET", "/Users?count=0", ""); r.body["totalResults"] != 999.0 {
			t.Errorf("%v users", r.body["totalResults"])
		}
		u := c.must(http.StatusOK, "GET", "/Users/"+results[99].id(), "")
		if at(u.body, enterpriseURN, "manager", "value") != results[149].id() {
			t.Errorf("user 100: %s", u.raw)
		}
	})
}

// TestADV63_CircularBulkID: a thousand operations in one circle, and circles of groups
// that nothing can resolve, end.
func TestADV63_CircularBulkID(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		ops := make([]bulkOp, 300)
		for i := range ops {
			ops[i] = bulkOp{Method: "POST", Path: "/Users", BulkID: fmt.Sprint(i), Data: raw(`{"userName":"c%d@example.com","%s":{"manager":{"value":"bulkId:%d"}}}`, i, enterpriseURN, (i+1)%len(ops))}
		}
		results := c.bulk(0, ops...)
		u := c.must(http.StatusOK, "GET", "/Users/"+results[299].id(), "")
		if results[0].Status != "201" || at(u.body, enterpriseURN, "manager", "value") != results[0].id() {
			t.Errorf("%+v; %s", results[0], u.raw)
		}
		group := func(name, member string) bulkOp {
			return bulkOp{Method: "POST", Path: "/Groups", BulkID: name, Data: raw(`{"displayName":"Group %s","members":[{"value":"bulkId:%s","type":"Group"}]}`, name, member)}
		}
		results = c.bulk(0, group("A", "B"), group("B", "A"), group("S", "S"))
		wantStatuses(t, results, "409 409 409")
		wantDetail(t, results[0], "", "circular", "1, 2")
		if r := c.must(http.StatusOK, "GET", "/Groups?count=0", ""); r.body["totalResults"] != 2.0 { // the built-in ones
			t.Errorf("%v groups", r.body["totalResults"])
		}
	})
}

// TestADV63_FailOnErrors: processing stops after as many errors as the client accepts,
// and not one operation later, whatever is made together; what was done is told.
func TestADV63_FailOnErrors(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		taken := c.create("/Users", `{"userName":"taken@example.com"}`)
		run := func(first int, kinds string) (ops []bulkOp, names []string) {
			for i, k := range kinds {
				name := fmt.Sprintf("r%d-%d@example.com", first, i)
				switch k {
				case 'u':
					ops = append(ops, newUser(name, name))
				case 'f':
					ops = append(ops, newUser(name, "taken@example.com"))
				case 'b':
					ops = append(ops, bulkOp{Method: "POST", Path: "/Users", BulkID: name, Data: raw(`{"userName":5}`)})
				case 'd':
					ops = append(ops, bulkOp{Method: "DELETE", Path: "/Users/nobody"})
				case 'p':
					ops = append(ops, bulkOp{Method: "PATCH", Path: "/Users/" + taken, Data: json.RawMessage(patchBody(`{"op":"replace","path":"title","value":"` + name + `"}`))})
				case 'r': // of one that fails
					ops = append(ops, bulkOp{Method: "POST", Path: "/Groups", BulkID: name, Data: raw(`{"displayName":"%s","members":[{"value":"bulkId:%s"}]}`, name, names[len(names)-1])})
				}
				names = append(names, name)
			}
			return ops, names
		}
		for n, tc := range []struct {
			kinds string
			fail  int
			want  string
		}{
			{"uuufuu", 1, "201 201 201 409"},
			{"uuuuuuuuuuuufuuuuuuuuuuu", 1, strings.Repeat("201 ", 12) + "409"},
			{"uuuuuuuuuuuufuuuuufuuuuu", 2, strings.Repeat("201 ", 12) + "409 201 201 201 201 201 409"},
			{"uuuuuuuuubuuuuuufuuuuuuf", 2, strings.Repeat("201 ", 9) + "400 201 201 201 201 201 201 409"},
			{"uuuuuuuuuuuuf", 1, strings.Repeat("201 ", 12) + "409"},
			{"fuuuuuuuuuuuu", 1, "409"},
			{"pdpdpdp", 2, "200 404 200 404"},
			{"pdfbp", 3, "200 404 409 400"},
			{"pdp", 3, "200 404 200"},
			{"uufrru", 3, "201 201 409 409 409"},
			{"uufrru", 2, "201 201 409 409"},
			{"ddd", 1, "404"},
		} {
			ops, names := run(n, tc.kinds)
			results := c.bulk(tc.fail, ops...)
			wantStatuses(t, results, strings.TrimSpace(tc.want))
			for i, name := range names {
				if tc.kinds[i] != 'u' {
					continue
				}
				done := i < len(results)
				r := c.must(http.StatusOK, "GET", "/Users?filter="+strings.ReplaceAll(`userName eq "`+name+`"`, " ", "%20"), "")
				if there := r.body["totalResults"] == 1.0; there != done {
					t.Errorf("%s of %d: user %d is there: %v", tc.kinds, tc.fail, i, there)
				}
			}
		}
	})
}

// TestADV63_AuthorisedPerOperation: a bulk request can do nothing that its operations
// could not do by themselves.
func TestADV63_AuthorisedPerOperation(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		admins, everyone := s.dir.AdministratorsID(), s.dir.EveryoneID()
		boss := c.create("/Users", `{"userName":"boss@example.com"}`)
		if err := s.dir.AddMember(t.Context(), admin, admins, boss); err != nil {
			t.Fatal(err)
		}
		addTo := func(group, member string) bulkOp {
			return bulkOp{Method: "PATCH", Path: "/Groups/" + group, Data: json.RawMessage(patchBody(`{"op":"add","path":"members","value":[{"value":"` + member + `"}]}`))}
		}
		ops := []bulkOp{
			newUser("mallory", "mallory@example.com"),
			addTo(admins, "bulkId:mallory"),
			addTo("bulkId:mallory", boss),
			{Method: "PUT", Path: "/Groups/" + admins, Data: raw(`{"displayName":"Administrators","members":[{"value":"bulkId:mallory"}]}`)},
			{Method: "DELETE", Path: "/Groups/" + admins},
			{Method: "DELETE", Path: "/Groups/" + everyone},
			{Method: "PATCH", Path: "/Users/" + boss, Data: json.RawMessage(patchBody(`{"op":"replace","path":"password","value":"aNewOne-4-somebody"}`))},
			{Method: "DELETE", Path: "/Users/" + boss},
		}
		results := c.bulk(0, ops...)
		wantStatuses(t, results, "201 403 404 403 403 403 403 403")
		if got := c.members(admins); !slices.Equal(got, []string{boss}) {
			t.Errorf("administrators are %v", got)
		}
		for _, scopes := range [][]string{{httpapi.ScopeSCIMRead}, {httpapi.ScopeManage}, {httpapi.ScopeSCIMRead, httpapi.ScopeManage}} {
			r := s.client("", scopes...).do("POST", "/Bulk", bulkBody(t, 0, newUser("x", "x@example.com")))
			checkError(t, fmt.Sprint(scopes), r, http.StatusForbidden, "", "scope")
		}
		nobody := &client{t: t, s: s}
		checkError(t, "no token", nobody.do("POST", "/Bulk", bulkBody(t, 0, newUser("x", "x@example.com"))), http.StatusUnauthorized, "")
	})
}

// TestADV63_ForeignOperation: an operation at another host, tenant or place is no
// operation here, and an external ID of another client is none of this one.
func TestADV63_ForeignOperation(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		id := c.create("/Users", `{"userName":"ana@example.com","externalId":"ext"}`)
		var ops []bulkOp
		for _, path := range []string{
			"https://evil.example/scim/v2/Users/" + id, "//evil.example/Users/" + id, "/../other/Users/" + id, "/Users/../Users/" + id, "/scim/v2/Users/" + id,
			"/Users/" + id + "/", "/users/" + id, "/Users/%2e%2e%2fGroups%2f" + id, "/oauth2/v1/clients/" + id, "/api/v1/users/" + id, "/Users/ext", "/Groups/" + id,
		} {
			ops = append(ops, bulkOp{Method: "DELETE", Path: path})
		}
		for i, r := range c.bulk(0, ops...) {
			if r.Status != "404" && r.Status != "400" {
				t.Errorf("%s: %+v", ops[i].Path, r)
			}
		}
		other := s.client("", httpapi.ScopeSCIM)
		results := other.bulk(0,
			bulkOp{Method: "DELETE", Path: "/Users/ext"},
			bulkOp{Method: "PUT", Path: "/Users/" + id, Data: raw(`{"userName":"ana@example.com","externalId":"mine"}`)})
		wantStatuses(t, results, "404 200")
		if u := c.must(http.StatusOK, "GET", "/Users/"+id, ""); u.body["externalId"] != "ext" {
			t.Errorf("the external ID is %v", u.body["externalId"])
		}
	})
}

// TestADV63_BulkInsideBulk: a bulk request holds no other, in no spelling.
func TestADV63_BulkInsideBulk(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		inner := bulkBody(t, 0, newUser("in", "inner@example.com"))
		var ops []bulkOp
		for i, path := range []string{"/Bulk", "/bulk", "/BULK", "/Bulk/", "/Bulk/x", "/%42ulk", "/./Bulk", "//Bulk", "Bulk"} {
			ops = append(ops, bulkOp{Method: "POST", BulkID: fmt.Sprint(i), Path: path, Data: json.RawMessage(inner)})
		}
		for i, r := range c.bulk(0, ops...) {
			if r.Status[0] != '4' {
				t.Errorf("%s: %+v", ops[i].Path, r)
			}
		}
		if r := c.must(http.StatusOK, "GET", "/Users?count=0", ""); r.body["totalResults"] != 0.0 {
			t.Errorf("%v users", r.body["totalResults"])
		}
	})
}

// TestADV67_BulkPassword: a password in a bulk request works, and is shown nowhere.
func TestADV67_BulkPassword(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		const secret, second = "correct-Horse-battery-7", "another-Staple-8"
		results := c.bulk(0,
			bulkOp{Method: "POST", Path: "/Users", BulkID: "u", Data: raw(`{"userName":"ana@example.com","password":%q}`, secret)},
			bulkOp{Method: "PATCH", Path: "/Users/bulkId:u", Data: json.RawMessage(patchBody(`{"op":"replace","path":"password","value":"` + second + `"}`))},
			bulkOp{Method: "POST", Path: "/Users", BulkID: "v", Data: raw(`{"userName":"bob@example.com","password":"bob@example.com"}`)},
		)
		wantStatuses(t, results, "201 200 400")
		wantDetail(t, results[2], "invalidValue", "password")
		if _, err := s.dir.CheckPassword(t.Context(), "ana@example.com", second); err != nil {
			t.Errorf("the password of the PATCH: %v", err)
		}
		var leaks int
		err := s.dir.DB.QueryRow(t.Context(), `SELECT count(*) FROM events WHERE body LIKE $1 OR body LIKE $2`, "%"+secret+"%", "%"+second+"%").Scan(&leaks)
		if err != nil || leaks > 0 || strings.Contains(s.log.String(), secret) || strings.Contains(s.log.String(), second) {
			t.Errorf("%d events with the password, %v", leaks, err)
		}
	})
}

// TestRFC7644_3_7_4_Stream: a body without a length is cut at the limit as well.
func TestRFC7644_3_7_4_Stream(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		body := io.MultiReader(strings.NewReader(`{"Operations":[`), strings.NewReader(strings.Repeat(`{"method":"DELETE","path":"/Users/nobody","data":"`+strings.Repeat("x", 100_000)+`"},`, 90)))
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/Bulk", body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+c.token)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		b, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != http.StatusRequestEntityTooLarge || !strings.Contains(string(b), "maxPayloadSize") {
			t.Errorf("%d %s", resp.StatusCode, b)
		}
	})
}
