package manage

import (
	"errors"
	"testing"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/schemas"
)

// FuzzSearch: an expression is rewritten or refused as a bad search, and a status term
// never reaches the SCIM parser.
func FuzzSearch(f *testing.F) {
	for _, seed := range []string{
		`status eq "ACTIVE" and (profile.login sw "a" or not (profile.email pr))`, `profile.firstName eq "a\"b)"`, `status eq "X"`,
		`profile.city eq "x" and status eq "ACTIVE"`, `((`, `"`, `not status eq "A"`, `status pr`, `status eq "A" or id pr`,
	} {
		f.Add(seed)
	}
	snapshot, err := schemas.Compile(1, schemas.Default())
	if err != nil {
		f.Fatal(err)
	}
	h := &handlers{dir: &directory.Directory{Schemas: func() *schemas.Snapshot { return snapshot }}}
	f.Fuzz(func(t *testing.T, source string) {
		_, err := h.rewrite("User", source, userPaths, "status")
		var refused *httpapi.Error
		if err != nil && (!errors.As(err, &refused) || refused.Code != httpapi.ESearch) {
			t.Fatalf("%q: %v", source, err)
		}
	})
}
