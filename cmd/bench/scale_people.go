package main

import (
	"fmt"
	"strings"
)

// perFamily is how many people share the beginning of a family name: what a search by it
// finds, however many people there are.
const perFamily = 100

func login(n int) string        { return fmt.Sprintf("person%d@example.com", n) }
func familyPrefix(n int) string { return fmt.Sprintf("Okonkwo%06d-", n/perFamily) }
func department(n int) string   { return fmt.Sprintf("Department %d", n%50) }

// personBody is a person of about a kilobyte, as a client of a company sends one.
func personBody(n int) string {
	body := fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
"externalId":"hr-%[1]d","userName":"%[2]s","name":{"givenName":"Frédérique","familyName":"%[3]s%[1]d"},
"displayName":"Frédérique Okonkwo %[1]d","nickName":"Fred","title":"Senior Engineer","preferredLanguage":"fr-CA","locale":"fr_CA","timezone":"America/Toronto",
"emails":[{"value":"%[2]s","type":"work","primary":true},{"value":"fred%[1]d@home.example","type":"home"}],
"phoneNumbers":[{"value":"+1 555 0100 %[1]d","type":"work","primary":true},{"value":"+1 555 0199 %[1]d","type":"mobile"}],
"addresses":[{"type":"work","streetAddress":"100 Universal City Plaza","locality":"Toronto","region":"ON","postalCode":"M5V 2T6","country":"CA","primary":true}],
"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"%[1]d","costCenter":"4130","organization":"Universal Studios","division":"Theme Park","department":"%[4]s"}}`,
		n, login(n), familyPrefix(n), department(n))
	return strings.ReplaceAll(body, "\n", "")
}
