package events_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/id"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
)

// BenchmarkAppend is what the log adds to every change: one event with a document of
// usual size, a thousand in one transaction, so that the commit does not hide it.
func BenchmarkAppend(b *testing.B) {
	db := sqldbtest.SQLite(b)
	doc := json.RawMessage(`{"x":"` + strings.Repeat("x", 1200) + `"}`)
	for b.Loop() {
		err := db.Write(context.Background(), func(tx *sqldb.Tx) error {
			for range 1000 {
				user := id.New(id.User)
				err := events.Append(tx, events.Event{
					Type: "user.lifecycle.create", Actor: events.System, After: doc,
					Targets: []events.Target{{ID: user, Type: "User"}}, Resource: &events.Resource{Type: "User", ID: user, Op: events.Create, Version: 1},
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/1000, "µs/event")
}
