package scim_test

import (
	"encoding/json"
	"net/http"
	"strconv"
	"testing"

	"github.com/provost-id/provost/directory/scim"
	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
)

// FuzzBulk: whatever the body of a bulk request is, the answer is one of the protocol's,
// and no status in it is that of a fault of ours.
func FuzzBulk(f *testing.F) {
	s := newService(f, sqldbtest.SQLite(f))
	s.serve(deviceType())
	h := httpapi.Middleware(httpapi.Options{PublicURL: publicURL})((&scim.Server{Directory: s.dir, Auth: s.tokens}).Handler())
	c := s.client("", httpapi.ScopeSCIM)
	user := c.create("/Users", `{"userName":"seed@example.com"}`)
	group := c.create("/Groups", `{"displayName":"Seed"}`)
	for _, seed := range []string{
		bulkBody(f, 0, newUser("a", "a@example.com"), bulkOp{Method: "POST", Path: "/Groups", BulkID: "g", Data: raw(`{"displayName":"G","members":[{"value":"bulkId:a"}]}`)}),
		bulkBody(f, 2, bulkOp{Method: "PATCH", Path: "/Users/" + user, Version: `W/"1"`, Data: json.RawMessage(patchBody(`{"op":"add","path":"title","value":"bulkId:x"}`))},
			bulkOp{Method: "DELETE", Path: "/Groups/" + group}, bulkOp{Method: "PUT", Path: "/Devices/x", Data: raw(`{"serial":"1"}`)}),
		bulkBody(f, 0, bulkOp{Method: "POST", Path: "/Users", BulkID: "a", Data: raw(`{"userName":"c@example.com","%s":{"manager":{"value":"bulkId:b"}}}`, enterpriseURN)},
			bulkOp{Method: "POST", Path: "/Devices", BulkID: "b", Data: raw(`{"serial":"2","owner":{"value":"bulkId:a"}}`)}),
		bulkBody(f, 0, bulkOp{Method: "POST", Path: "/Bulk", BulkID: "b", Data: raw(`{}`)}, bulkOp{Method: "PATCH", Path: "/Groups/bulkId:%00", Data: raw(`"\u0000"`)}),
		`{"Operations":[{"method":"POST"},5,null,[],{"path":"/Users/%zz","method":"DELETE"}],"failOnErrors":1e2}`, `{"Operations":[{"data":{"a":[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]}}]}`,
		`[`, `{"operations":{}}`, "{\"Operations\":[{\"method\":\"\xff\"}]}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		w := c.serve(h, "POST", "/Bulk", body)
		var answer struct {
			Status     string
			Detail     string
			Operations []bulkResult
		}
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			t.Fatalf("%d %s: %v", w.Code, w.Body, err)
		}
		if w.Code >= http.StatusInternalServerError || w.Code >= 300 && (answer.Status != strconv.Itoa(w.Code) || answer.Detail == "") {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		for _, r := range answer.Operations {
			if r.check(t); r.Status[0] == '5' {
				t.Fatalf("%s", w.Body)
			}
		}
	})
}
