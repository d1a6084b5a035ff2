package events_test

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
)

func appendTo(t *testing.T, db *sqldb.DB, evs ...events.Event) {
	t.Helper()
	err := db.Write(t.Context(), func(tx *sqldb.Tx) error {
		for _, ev := range evs {
			if err := events.Append(tx, ev); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// stamped waits until n events have their number.
func stamped(t *testing.T, db *sqldb.DB, n int64) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; {
		var got int64
		if err := db.QueryRow(t.Context(), `SELECT count(seq) FROM events`).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if got >= n {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d events are numbered, want %d", got, n)
		}
		time.Sleep(time.Millisecond)
	}
}

var noon = time.Date(2026, 11, 24, 12, 0, 0, 123456000, time.UTC)

func TestAppendKeepsEverything(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		sequencer(t, db)
		want := events.Event{
			ID: "evt1", Time: noon, Type: "user.lifecycle.create", Actor: events.Actor{ID: "00T1", Type: "Token", Name: "Zoë"},
			Targets: []events.Target{{ID: "00u1", Type: "User"}, {ID: "00g1", Type: "Group", Name: "g"}}, Outcome: events.Denied,
			Reason: "because", Request: "req1", Before: json.RawMessage(`{"a":1}`), After: json.RawMessage(`{"a":2}`),
			Detail: map[string]any{"x": "y"},
		}
		appendTo(t, db, want, events.Event{Type: "empty", Actor: events.System})
		stamped(t, db, 2)
		got, err := events.Log{DB: db}.After(t.Context(), 0, 10)
		if err != nil || len(got) != 2 {
			t.Fatalf("got %d events, %v", len(got), err)
		}
		want.Seq = 1
		if diff := cmp.Diff(want, got[0]); diff != "" {
			t.Error(diff)
		}
		if ev := got[1]; ev.Seq != 2 || ev.ID == "" || ev.Outcome != events.Success || time.Since(ev.Time) > time.Minute {
			t.Errorf("filled in: %+v", ev)
		}
	})
}

func TestUndoneChangeLeavesNoEvent(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		sequencer(t, db)
		err := db.Write(t.Context(), func(tx *sqldb.Tx) error {
			if err := events.Append(tx, events.Event{Type: "undone"}); err != nil {
				return err
			}
			return errors.New("no")
		})
		if err == nil {
			t.Fatal("no error")
		}
		appendTo(t, db, events.Event{Type: "done"})
		stamped(t, db, 1)
		got, err := events.Log{DB: db}.After(t.Context(), 0, 10)
		if err != nil || len(got) != 1 || got[0].Type != "done" || got[0].Seq != 1 {
			t.Errorf("got %+v, %v", got, err)
		}
	})
}

// The events of one transaction are numbered in the order in which they were appended.
func TestOrderWithinATransaction(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		var evs []events.Event
		for i := range 20 {
			evs = append(evs, events.Event{Type: strconv.Itoa(i)})
		}
		appendTo(t, db, evs...)
		sequencer(t, db)
		stamped(t, db, 20)
		got, err := events.Log{DB: db}.After(t.Context(), 0, 20)
		if err != nil || len(got) != 20 {
			t.Fatalf("got %d events, %v", len(got), err)
		}
		for i, ev := range got {
			if ev.Type != strconv.Itoa(i) || ev.Seq != int64(i+1) {
				t.Errorf("event %d is %s with number %d", i, ev.Type, ev.Seq)
			}
		}
	})
}

func TestQuery(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		sequencer(t, db)
		for i := range 10 { // events 1 to 10, an hour apart, types and subjects in turn
			appendTo(t, db, events.Event{Time: noon.Add(time.Duration(i) * time.Hour), Type: "type" + strconv.Itoa(i%2),
				Targets: []events.Target{{ID: "00u" + strconv.Itoa(i%3)}}})
			stamped(t, db, int64(i+1))
		}
		log := events.Log{DB: db}
		for name, c := range map[string]struct {
			q    events.Query
			want []int64
		}{
			"all":        {events.Query{}, []int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}},
			"limit":      {events.Query{Limit: 2}, []int64{1, 2}},
			"after":      {events.Query{After: 8, Limit: 5}, []int64{9, 10}},
			"end":        {events.Query{After: 10}, nil},
			"since":      {events.Query{Since: noon.Add(7 * time.Hour)}, []int64{8, 9, 10}},
			"until":      {events.Query{Until: noon.Add(2 * time.Hour)}, []int64{1, 2}},
			"range":      {events.Query{Since: noon.Add(2 * time.Hour), Until: noon.Add(4 * time.Hour)}, []int64{3, 4}},
			"too late":   {events.Query{Since: noon.Add(100 * time.Hour)}, nil},
			"type":       {events.Query{Type: "type1"}, []int64{2, 4, 6, 8, 10}},
			"subject":    {events.Query{Subject: "00u0"}, []int64{1, 4, 7, 10}},
			"both":       {events.Query{Type: "type0", Subject: "00u0"}, []int64{1, 7}},
			"descending": {events.Query{Descending: true, Limit: 3}, []int64{10, 9, 8}},
			"next page":  {events.Query{Descending: true, Limit: 3, After: 8}, []int64{7, 6, 5}},
			"all at once": {events.Query{Since: noon, Until: noon.Add(20 * time.Hour), Type: "type0", Subject: "00u2", After: 1, Limit: 9, Descending: false},
				[]int64{3, 9}},
			"injection": {events.Query{Type: "type1' OR '1'='1"}, nil},
		} {
			evs, err := log.Query(t.Context(), c.q)
			var got []int64
			for _, ev := range evs {
				got = append(got, ev.Seq)
			}
			if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
				t.Errorf("%s: %v %s", name, err, diff)
			}
		}
	})
}

// ADV-86: an event that is changed, removed or put in between is noticed.
func TestADV86_Chain(t *testing.T) {
	faults := map[string]string{
		"changed":    `UPDATE events SET body = '{}' WHERE seq = 3`,
		"removed":    `DELETE FROM events WHERE seq = 3`,
		"first":      `DELETE FROM events WHERE seq = 1`,
		"inserted":   `INSERT INTO events (seq, id, time, type, subject, body, hash) SELECT 6, 'forged', time, type, subject, body, hash FROM events WHERE seq = 3`,
		"renumbered": `UPDATE events SET seq = CASE seq WHEN 4 THEN -4 ELSE -5 END WHERE seq IN (4, 5)`,
	}
	for name, fault := range faults {
		sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
			sequencer(t, db)
			for range 5 {
				appendTo(t, db, events.Event{Type: "x"})
			}
			stamped(t, db, 5)
			log := events.Log{DB: db}
			if last, hash, err := log.Verify(t.Context()); last != 5 || len(hash) != 32 || err != nil {
				t.Fatalf("whole chain: %d, %x, %v", last, hash, err)
			}
			if err := db.Write(t.Context(), func(tx *sqldb.Tx) error { _, err := tx.Exec(fault); return err }); err != nil {
				t.Fatal(err)
			}
			if _, _, err := log.Verify(t.Context()); !errors.Is(err, events.ErrChain) {
				t.Errorf("%s: got %v, want ErrChain", name, err)
			}
		})
	}
}

func TestCursor(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		log := events.Log{DB: db}
		for _, step := range []struct{ to, want int64 }{{0, 0}, {5, 5}, {3, 5}, {9, 9}} {
			if err := db.Write(t.Context(), func(tx *sqldb.Tx) error { return events.Advance(tx, "feed", step.to) }); err != nil {
				t.Fatal(err)
			}
			if got, err := log.Cursor(t.Context(), "feed"); got != step.want || err != nil {
				t.Errorf("after %d: %d, %v; want %d", step.to, got, err, step.want)
			}
		}
		if got, err := log.Cursor(t.Context(), "other"); got != 0 || err != nil {
			t.Errorf("another consumer: %d, %v", got, err)
		}
	})
}

// ADV-67, ADV-86: canaries in every place where a secret may stand.
func TestADV86_Redact(t *testing.T) {
	secret := map[string]any{
		"password": "canary", "credentials": map[string]any{"password": map[string]any{"value": "canary"}},
		"bindPassword": "canary", "client_secret": "canary", "clientSecrets": []any{"canary"}, "access_token": "canary",
		"refresh-token": "canary", "Authorization": "Bearer canary", "list": []any{map[string]any{"apiKey": "canary"}},
		"jwk": map[string]any{"kty": "EC", "d": "canary", "x": "public"}, "oct": map[string]any{"kty": "oct", "k": "canary"},
		"code_verifier": "canary", "special": "canary", "private_key": "canary",
	}
	got := string(events.Redact(secret, "Special"))
	if strings.Contains(got, "canary") {
		t.Errorf("a secret came through: %s", got)
	}
	plain := `{"d":"kept","k":"kept","large":9007199254740993,"passwordChanged":"2026-11-24","token_endpoint_auth_method":"none","userName":"canary"}`
	if got := string(events.Redact(json.RawMessage(plain))); got != plain {
		t.Errorf("got %s, want %s", got, plain)
	}
	if got := string(events.Redact(func() {})); got != `"***"` {
		t.Errorf("what cannot be encoded became %s", got)
	}
}

func FuzzRedact(f *testing.F) {
	f.Add(`{"a":{"password":["x"]}}`)
	f.Fuzz(func(t *testing.T, doc string) {
		if !json.Valid([]byte(doc)) {
			return
		}
		once := events.Redact(json.RawMessage(doc))
		if !json.Valid(once) {
			t.Fatalf("%q became %q", doc, once)
		}
		if twice := events.Redact(once); string(twice) != string(once) {
			t.Fatalf("%q, then %q", once, twice)
		}
	})
}
