package scim_test

import (
	"net/http"
	"testing"
)

// TestRFC7644_3_5_2_ErrorsNameTheOperation: whoever finds the fault, the detail says in
// which operation it is, and of which attribute; and nothing has changed.
func TestRFC7644_3_5_2_ErrorsNameTheOperation(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		c.create("/Users", `{"userName":"taken@example.com"}`)
		id := c.create("/Users", `{"userName":"ana@example.com"}`)
		group := c.create("/Groups", `{"displayName":"Readers","members":[{"value":"`+id+`"}]}`)
		const title = `{"op":"add","path":"title","value":"x"},`
		for _, p := range []struct {
			path, ops, scimType string
			status              int
			words               []string
		}{
			{"/Users/" + id, title + `{"op":"replace","path":"userName","value":"Taken@example.com"}`, "uniqueness", http.StatusConflict, []string{"operation 2", "userName"}},
			{"/Users/" + id, title + `{"op":"replace","value":{"password":"x"}}`, "invalidValue", http.StatusBadRequest, []string{"operation 2", "password"}},
			{"/Users/" + id, title + `{"op":"remove","path":"userName"}`, "mutability", http.StatusBadRequest, []string{"operation 2", "userName", "required"}},
			{"/Users/" + id, title + `{"op":"remove"}`, "noTarget", http.StatusBadRequest, []string{"operation 2", "path"}},
			{"/Users/" + id, title + `{"op":"replace","path":"active","value":3}`, "invalidValue", http.StatusBadRequest, []string{"operation 2", "active", "boolean", "number"}},
			{"/Users/" + id, title + `{"op":"replace","path":"meta.created","value":"x"}`, "mutability", http.StatusBadRequest, []string{"operation 2", "meta.created"}},
			{"/Groups/" + group, `{"op":"replace","path":"displayName","value":"W"},{"op":"add","path":"members","value":[{"value":"nobody"}]}`, "invalidValue",
				http.StatusBadRequest, []string{"operation 2", "members.value", "nobody"}},
			{"/Groups/" + group, `{"op":"add","path":"members","value":[]},{"op":"replace","path":"displayName","value":"Everyone"}`, "uniqueness",
				http.StatusConflict, []string{"operation 2", "displayName"}},
		} {
			c.refused(p.status, p.scimType, "PATCH", p.path, patchBody(p.ops), p.words...)
		}
		if r := c.must(http.StatusOK, "GET", "/Users/"+id, ""); r.body["title"] != nil || r.header.Get("ETag") != `W/"1"` {
			t.Errorf("refused operations left %s", r.raw)
		}
	})
}
