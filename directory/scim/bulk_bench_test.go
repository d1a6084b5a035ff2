package scim_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// benchPerson is a person of about a kilobyte, whose values are as scattered as those
// of real people.
func benchPerson(n int, more string) string {
	x := uint32(n) * 2654435761
	return fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","`+enterpriseURN+`"],"userName":"p%08[2]x@example.com","externalId":"x%[1]d",
"name":{"givenName":"Frédérique","familyName":"Okonkwo-%[2]d","formatted":"Frédérique Okonkwo-%[1]d"},"displayName":"Frédérique Okonkwo %[2]d","nickName":"Fred",
"title":"Senior Engineer","preferredLanguage":"fr-CA","locale":"fr_CA","timezone":"America/Toronto",
"emails":[{"value":"p%08[2]x@example.com","type":"work","primary":true},{"value":"fred%[2]d@home.example","type":"home"}],
"phoneNumbers":[{"value":"+1 555 0100 %[2]d","type":"work","primary":true},{"value":"+1 555 0199 %[2]d","type":"mobile"}],
"addresses":[{"type":"work","streetAddress":"100 Universal City Plaza","locality":"Toronto","region":"ON","postalCode":"M5V 2T6","country":"CA","primary":true}],
"`+enterpriseURN+`":{"employeeNumber":"%[1]d","costCenter":"4130","organization":"Universal Studios","division":"Theme Park","department":"Tour Operations"%[3]s}}`, n, x, more)
}

// BenchmarkBulk creates 1,000 people by one request: each by itself, and each but the
// first of ten managed by the one before. Its floor is BenchmarkCreateUsers/tables of
// package directory.
func BenchmarkBulk(b *testing.B) {
	engines(b, func(b *testing.B, s *service, c *client, h http.Handler) {
		n := 0
		for name, manager := range map[string]func(i int) string{
			"people": func(int) string { return "" },
			"managers": func(i int) string {
				if i%10 == 0 {
					return ""
				}
				return fmt.Sprintf(`,"manager":{"value":"bulkId:%d"}`, i-1)
			},
		} {
			b.Run(name, func(b *testing.B) {
				b.ReportAllocs()
				made, start, spent := 0, n, time.Duration(0)
				for b.Loop() {
					b.StopTimer()
					ops := make([]string, 1000)
					for i := range ops {
						ops[i] = fmt.Sprintf(`{"method":"POST","path":"/Users","bulkId":"%d","data":%s}`, i, benchPerson(n, manager(i)))
						n++
					}
					body := `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[` + strings.Join(ops, ",") + `]}`
					b.StartTimer()
					begun := time.Now()
					w := c.serve(h, "POST", "/Bulk", body)
					spent += time.Since(begun)
					if w.Code != http.StatusOK || strings.Count(w.Body.String(), `"status":"201"`) != len(ops) {
						b.Fatal(clip(w.Body.String()))
					}
				}
				made = n - start
				b.ReportMetric(float64(made)/spent.Seconds(), "users/s")
			})
		}
	})
}
