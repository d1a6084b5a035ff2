package schemas_test

import (
	"fmt"

	"github.com/provost-id/provost/schemas"
)

// A request body becomes a stored document, a PATCH changes it, and a response is
// spliced together from the stored bytes.
func Example() {
	snapshot, err := schemas.Compile(1, schemas.Default())
	if err != nil {
		panic(err)
	}
	user, _ := snapshot.Type("User")
	r, err := user.Parse([]byte(`{"userName":"babs@example.com","emails":[{"value":"babs@example.com","primary":true}]}`), schemas.Generic)
	if err != nil {
		panic(err)
	}
	ops, err := user.ParsePatch([]byte(`{"Operations":[{"op":"replace","path":"emails[primary eq true].value","value":"b@example.com"}]}`), schemas.Generic)
	if err != nil {
		panic(err)
	}
	r, err = user.Patch(r, ops, schemas.Generic)
	if err != nil {
		panic(err)
	}
	p, err := user.ParseProjection("emails.value", "")
	if err != nil {
		panic(err)
	}
	fmt.Println(r.Profile()["email"])
	fmt.Println(string(user.Render(nil, r.Doc(), schemas.Volatile{ID: "00u1"}, p)))
	// Output:
	// b@example.com
	// {"id":"00u1","emails":[{"value":"b@example.com"}],"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"]}
}

// An error names the attribute and what was expected of it.
func ExampleError() {
	snapshot, err := schemas.Compile(1, schemas.Default())
	if err != nil {
		panic(err)
	}
	user, _ := snapshot.Type("User")
	_, err = user.ParseFilter(`emails[nosuch eq "x"]`, schemas.Generic)
	fmt.Println(err)
	_, err = user.Parse([]byte(`{"userName":"a","active":"perhaps"}`), schemas.Generic)
	fmt.Println(err)
	// Output:
	// attribute "emails.nosuch": no schema of User has it
	// attribute "active": want boolean, got the string "perhaps"
}
