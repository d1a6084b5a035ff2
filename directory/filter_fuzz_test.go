package directory

import (
	"context"
	"errors"
	"testing"

	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
	"github.com/provost-id/provost/schemas"
)

// FuzzFilterSQL: whatever parses can be executed, and what is wrong with it is the
// client's mistake, never ours.
func FuzzFilterSQL(f *testing.F) {
	for _, seed := range []string{
		`userName eq "a"`, `emails[type eq "work" and not (value co "x")] or title pr`, `not (groups.display sw "s")`,
		`id gt "x" and (externalId pr or active eq false)`, `meta.created ge "2020-01-01T00:00:00Z"`, `title ew "\u0000"`, `members[value eq "x"]`,
	} {
		f.Add(seed)
	}
	d := openDirectory(f, sqldbtest.SQLite(f))
	people(f, d)
	f.Fuzz(func(t *testing.T, source string) {
		for _, typ := range []string{typeUser, typeGroup} {
			filter, err := d.typeNamed(typ).ParseFilter(source, schemas.Generic)
			if err != nil {
				continue
			}
			_, err = d.List(context.Background(), typ, ListQuery{Filter: filter, Count: 10, Client: tester.Client})
			var invalid *schemas.Error
			if err != nil && !errors.As(err, &invalid) {
				t.Fatalf("%s: %v", source, err)
			}
		}
	})
}
