package events_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
)

func changeOf(typ, id string) events.Event {
	return events.Event{Type: "x", Resource: &events.Resource{Type: typ, ID: id, Op: events.Patch, Version: 2}}
}

func TestChanges(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		sequencer(t, db)
		appendTo(t, db, changeOf("User", "1"), events.Event{Type: "sign-in"}, changeOf("Group", "2"), changeOf("User", "1"), events.Event{Type: "sign-in"})
		stamped(t, db, 5)
		log := events.Log{DB: db}
		all := []events.Changed{{Seq: 1, Type: "User", ID: "1"}, {Seq: 3, Type: "Group", ID: "2"}, {Seq: 4, Type: "User", ID: "1"}}
		for _, c := range []struct {
			after, until int64
			limit        int
			want         []events.Changed
		}{{0, 9, 9, all}, {1, 9, 9, all[1:]}, {0, 3, 9, all[:2]}, {0, 9, 1, all[:1]}, {4, 9, 9, nil}} {
			got, err := log.Changes(t.Context(), c.after, c.until, c.limit)
			if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
				t.Errorf("Changes(%d, %d, %d): %v %s", c.after, c.until, c.limit, err, diff)
			}
		}
		evs, err := log.After(t.Context(), 3, 1)
		if err != nil || len(evs) != 1 || evs[0].Resource == nil || evs[0].Resource.Version != 2 {
			t.Errorf("the event does not say what it changed: %+v, %v", evs, err)
		}
	})
}

// A page of changes costs one range of the index that holds nothing else.
func TestChangesReadOneIndex(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		sequencer(t, db)
		for i := range 300 {
			appendTo(t, db, events.Event{Type: "sign-in"}, changeOf("User", fmt.Sprint(i)))
		}
		stamped(t, db, 600)
		explain, want := "EXPLAIN QUERY PLAN ", "USING COVERING INDEX events_resource (seq>? AND seq<?)"
		if db.Dialect() == sqldb.PostgreSQL {
			// Whether the range is read from the index alone depends on what autovacuum
			// has seen, which other databases of the server can hold up.
			explain, want = "EXPLAIN ", "Index Cond: ((seq > "
			if _, err := db.WriterDB().ExecContext(t.Context(), `VACUUM ANALYZE events`); err != nil {
				t.Fatal(err)
			}
		}
		rows, err := db.Query(t.Context(), explain+events.SelectChanges, 10, 400, 50)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = rows.Close() }()
		var plan []string
		for rows.Next() {
			var line string
			into := []any{&line}
			if db.Dialect() == sqldb.SQLite {
				var id, parent, unused int
				into = []any{&id, &parent, &unused, &line}
			}
			if err := rows.Scan(into...); err != nil {
				t.Fatal(err)
			}
			plan = append(plan, line)
		}
		if text := strings.Join(plan, "\n"); !strings.Contains(text, want) || strings.Contains(text, "Sort") || strings.Contains(text, "TEMP B-TREE") {
			t.Errorf("plan:\n%s\nwant %s", text, want)
		}
	})
}

// A position is refused when what follows it is gone, or when the log is another one.
func TestPosition(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		sequencer(t, db)
		log, ctx := events.Log{DB: db}, context.Background()
		empty, err := log.Head(ctx)
		if err != nil || empty != (events.Position{}) {
			t.Fatalf("head of an empty log: %+v, %v", empty, err)
		}
		check := func(name string, p events.Position, want error) {
			t.Helper()
			if err := log.CheckPosition(ctx, p); !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", name, err, want)
			}
		}
		check("empty", empty, nil)
		appendTo(t, db, events.Event{Type: "1"}, events.Event{Type: "2"}, events.Event{Type: "3"}, events.Event{Type: "4"})
		stamped(t, db, 4)
		var at [5]events.Position
		for seq := range at {
			if at[seq], err = log.Position(ctx, int64(seq)); err != nil || at[seq].Seq != int64(seq) {
				t.Fatalf("position %d: %+v, %v", seq, at[seq], err)
			}
			check(fmt.Sprint("whole log, ", seq), at[seq], nil)
		}
		if head, err := log.Head(ctx); head != at[4] || err != nil {
			t.Errorf("head is %+v, %v", head, err)
		}
		check("future", events.Position{Seq: 5}, events.ErrPosition)
		check("another history", events.Position{Seq: 3, Mark: at[2].Mark}, events.ErrPosition)
		if err := db.Write(ctx, func(tx *sqldb.Tx) error { _, err := tx.Exec(`DELETE FROM events WHERE seq <= 2`); return err }); err != nil {
			t.Fatal(err)
		}
		for seq, want := range []error{events.ErrPosition, events.ErrPosition, nil, nil, nil} {
			check(fmt.Sprint("without the first two, ", seq), at[seq], want)
		}
	})
}
