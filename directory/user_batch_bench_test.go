package directory

import (
	"fmt"
	"testing"
	"time"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/id"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
	"github.com/provost-id/provost/schemas"
)

// benchUser is a person of about a kilobyte, whose values are as scattered as those of
// real people.
func benchUser(b *testing.B, d *Directory, n int) *schemas.Resource {
	x := uint32(n) * 2654435761
	return parseUser(b, d, fmt.Sprintf(`{"userName":"p%08[2]x@example.com","externalId":"x%[1]d","name":{"givenName":"Frédérique","familyName":"Okonkwo-%[2]d","formatted":"Frédérique Okonkwo-%[1]d"},
"displayName":"Frédérique Okonkwo %[2]d","nickName":"Fred","title":"Senior Engineer","preferredLanguage":"fr-CA","locale":"fr_CA","timezone":"America/Toronto",
"emails":[{"value":"p%08[2]x@example.com","type":"work","primary":true},{"value":"fred%[2]d@home.example","type":"home"}],
"phoneNumbers":[{"value":"+1 555 0100 %[2]d","type":"work","primary":true},{"value":"+1 555 0199 %[2]d","type":"mobile"}],
"addresses":[{"type":"work","streetAddress":"100 Universal City Plaza","locality":"Toronto","region":"ON","postalCode":"M5V 2T6","country":"CA","primary":true}],
"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"%[1]d","costCenter":"4130","organization":"Universal Studios","division":"Theme Park","department":"Tour Operations"}}`, n, x))
}

// BenchmarkCreateUsers measures batches of 1,000 beside the bare tables: the same rows
// of resource, document, index, unique value, external ID, total and event by prepared
// statements, 1,000 users in a transaction, everything derived beforehand.
func BenchmarkCreateUsers(b *testing.B) {
	for name, open := range map[string]func(testing.TB) *sqldb.DB{"sqlite": sqldbtest.SQLite, "postgresql": sqldbtest.PostgreSQL} {
		b.Run(name+"/batch", func(b *testing.B) {
			d := openDirectory(b, open(b))
			n := 0
			for b.Loop() {
				b.StopTimer()
				batch := make([]UserToCreate, MaxUserBatch)
				for i := range batch {
					batch[i].Resource = benchUser(b, d, n)
					n++
				}
				b.StartTimer()
				results, err := d.CreateUsers(b.Context(), tester, batch)
				if err != nil {
					b.Fatal(err)
				}
				for _, r := range results {
					if r.Err != nil {
						b.Fatal(r.Err)
					}
				}
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "users/s")
		})
		b.Run(name+"/tables", func(b *testing.B) {
			d := openDirectory(b, open(b))
			n := 0
			for b.Loop() {
				b.StopTimer()
				batch := make([]bareUser, MaxUserBatch)
				for i := range batch {
					batch[i] = newBareUser(benchUser(b, d, n))
					n++
				}
				b.StartTimer()
				err := d.DB.Write(b.Context(), func(tx *sqldb.Tx) error {
					for i := range batch {
						if err := batch[i].insert(tx); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "users/s")
		})
	}
}

// bareUser is one user, ready to be written.
type bareUser struct {
	id, doc, externalID string
	hot                 schemas.Hot
	index, unique       []schemas.Entry
	event               events.Event
}

func newBareUser(r *schemas.Resource) bareUser {
	u := bareUser{id: id.New(id.User), doc: string(r.Doc()), externalID: r.ExternalID, hot: r.Hot(), index: r.Index(), unique: r.Unique()}
	u.event = events.Event{Type: "user.lifecycle.create", Actor: events.System, After: []byte(u.doc),
		Targets: []events.Target{{ID: u.id, Type: "User", Name: r.DisplayName()}}}
	return u
}

func (u *bareUser) insert(tx *sqldb.Tx) error {
	now := time.Now().UnixMicro()
	var rid int64
	err := tx.QueryRow(`INSERT INTO resources (id, type, version, status, active, created, modified, status_changed,
		user_name, display_name, family_name, given_name) VALUES ($1, 'User', 1, 'ACTIVE', TRUE, $2, $2, $2, $3, $4, $5, $6) RETURNING rid`,
		u.id, now, u.hot.UserName, u.hot.DisplayName, u.hot.FamilyName, u.hot.GivenName).Scan(&rid)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(`INSERT INTO documents (rid, doc) VALUES ($1, $2)`, rid, u.doc); err != nil {
		return err
	}
	for _, e := range u.index {
		if _, err := tx.Exec(`INSERT INTO attribute_values (path, val, rid, elem) VALUES ($1, $2, $3, $4)`, e.Path, e.Value, rid, e.Elem); err != nil {
			return err
		}
	}
	for _, e := range u.unique {
		if _, err := tx.Exec(`INSERT INTO unique_values (path, val, rid) VALUES ($1, $2, $3)`, e.Path, e.Value, rid); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(`INSERT INTO external_ids (rid, client, value) VALUES ($1, 'bench', $2)`, rid, u.externalID); err != nil {
		return err
	}
	if _, err := tx.Exec(`INSERT INTO totals (type, delta) VALUES ('User', 1)`); err != nil {
		return err
	}
	return events.Append(tx, u.event)
}
