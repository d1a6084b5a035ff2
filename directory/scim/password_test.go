package scim_test

import (
	"net/http"
	"testing"

	"github.com/provost-id/provost/directory"
)

// A password that the policy refuses is told with the rule, whichever verb sets it.
func TestPasswordPolicyBySCIM(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		p, err := s.dir.PasswordPolicy(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		p.Settings.Complexity.MinNumber = 1
		if _, err := s.dir.SetPasswordPolicy(t.Context(), directory.Change{Manage: true}, p.ID, p.Settings); err != nil {
			t.Fatal(err)
		}
		user := c.create("/Users", `{"userName":"ana@example.com"}`)
		patch := func(password string) string {
			return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"add","path":"password","value":"` + password + `"}]}`
		}
		body := func(password string) string { return `{"userName":"bob@example.com","password":"` + password + `"}` }
		for password, rule := range map[string]string{
			"correct horse": "minNumber", "1short": "minLength", "P@ssw0rd1": "dictionary.common", "the ana1 is bobs": "",
		} {
			if rule == "" {
				c.must(http.StatusCreated, "POST", "/Users", body(password))
				continue
			}
			c.refused(http.StatusBadRequest, "invalidValue", "POST", "/Users", body(password), "password", rule)
			c.refused(http.StatusBadRequest, "invalidValue", "PUT", "/Users/"+user, `{"userName":"ana@example.com","password":"`+password+`"}`, "password", rule)
			c.refused(http.StatusBadRequest, "invalidValue", "PATCH", "/Users/"+user, patch(password), "password", rule)
		}
		c.must(http.StatusOK, "PATCH", "/Users/"+user, patch("correct horse 7"))
	})
}
