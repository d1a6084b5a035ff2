package events_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
)

// sequencer runs one until the end of the test, or until the function it returns is called.
func sequencer(t *testing.T, db *sqldb.DB) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := (&events.Sequencer{DB: db}).Run(ctx); err != nil {
			t.Errorf("Run: %v", err)
		}
	}()
	stop = sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(stop)
	return stop
}

// follow reads the log in small pages until it has n events, and returns their IDs.
// It fails at a gap.
func follow(t *testing.T, db *sqldb.DB, n int) map[string]bool {
	seen := map[string]bool{}
	var at int64
	for deadline := time.Now().Add(60 * time.Second); len(seen) < n; {
		page, err := events.Log{DB: db}.After(context.Background(), at, 7)
		if err != nil {
			t.Errorf("After: %v", err)
			return seen
		}
		for _, ev := range page {
			if ev.Seq != at+1 {
				t.Errorf("event %d follows %d", ev.Seq, at)
				return seen
			}
			at = ev.Seq
			seen[ev.ID] = true
		}
		if time.Now().After(deadline) {
			t.Errorf("saw %d of %d events", len(seen), n)
			return seen
		}
	}
	return seen
}

// Consumers that follow the sequence while slow and fast transactions commit out of
// the order in which they began miss nothing and see no number twice, with two nodes
// that sequence and write.
func TestFollowersMissNothing(t *testing.T) {
	configs := map[string]sqldb.Config{"sqlite": {Path: t.TempDir() + "/a.db"}, "postgresql": {URL: sqldbtest.Schema(t)}}
	for name, c := range configs {
		t.Run(name, func(t *testing.T) {
			nodes := []*sqldb.DB{sqldbtest.Open(t, c), sqldbtest.Open(t, c)}
			for _, db := range nodes {
				sequencer(t, db)
			}
			const writers, each = 6, 20
			var total atomic.Int64
			var wg sync.WaitGroup
			seen := make([]map[string]bool, 3)
			for i := range seen {
				wg.Go(func() { seen[i] = follow(t, nodes[i%2], writers*each) })
			}
			for w := range writers {
				wg.Go(func() { writeEvents(t, nodes[w%2], w, each, &total) })
			}
			wg.Wait()
			for i, ids := range seen {
				for n := range writers * each {
					if id := fmt.Sprintf("evt%d-%d", n/each, n%each); !ids[id] {
						t.Errorf("consumer %d missed %s", i, id)
					}
				}
			}
			if _, _, err := (events.Log{DB: nodes[0]}).Verify(t.Context()); err != nil {
				t.Error(err)
			}
			if total.Load() != writers*each {
				t.Errorf("%d events were written", total.Load())
			}
		})
	}
}

// writeEvents writes n events; every third transaction stays open for a while after
// its event is inserted.
func writeEvents(t *testing.T, db *sqldb.DB, writer, n int, total *atomic.Int64) {
	for i := range n {
		slow := time.Duration(0)
		if i%3 == 0 {
			slow = rand.N(20 * time.Millisecond)
		}
		err := db.Write(context.Background(), func(tx *sqldb.Tx) error {
			if err := events.Append(tx, events.Event{ID: fmt.Sprintf("evt%d-%d", writer, i), Type: "x"}); err != nil {
				return err
			}
			time.Sleep(slow)
			return nil
		})
		if err != nil {
			t.Errorf("write: %v", err)
			return
		}
		total.Add(1)
	}
}

// A node that stops cleanly gives the work to another at once; one that dies keeps
// nobody out for longer than its lease.
func TestSequencerIsTakenOver(t *testing.T) {
	c := sqldb.Config{URL: sqldbtest.Schema(t)}
	here, there := sqldbtest.Open(t, c), sqldbtest.Open(t, c)
	stop := sequencer(t, here)
	appendTo(t, here, events.Event{Type: "one"})
	stamped(t, here, 1)
	sequencer(t, there)
	stop()
	appendTo(t, there, events.Event{Type: "two"})
	stamped(t, there, 2)
	if err := there.Write(t.Context(), func(tx *sqldb.Tx) error { // somebody dead holds the lease, and it has run out
		_, err := tx.Exec(`UPDATE leases SET owner = 'dead', epoch = epoch + 1, expires = 1 WHERE name = 'events.sequencer'`)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	appendTo(t, there, events.Event{Type: "three"})
	stamped(t, there, 3)
}

// A sequencer that was asleep past its lease writes nothing with its old epoch.
func TestSequencerIsFenced(t *testing.T) {
	db := sqldbtest.PostgreSQL(t)
	sequencer(t, db)
	appendTo(t, db, events.Event{Type: "one"})
	stamped(t, db, 1)
	if err := db.Write(t.Context(), func(tx *sqldb.Tx) error { // another took over, for an hour
		_, err := tx.Exec(`UPDATE leases SET owner = 'other', epoch = epoch + 1, expires = $1`, time.Now().Add(time.Hour).UnixMicro())
		return err
	}); err != nil {
		t.Fatal(err)
	}
	appendTo(t, db, events.Event{Type: "two"})
	time.Sleep(1500 * time.Millisecond) // longer than its poll
	var n int
	if err := db.QueryRow(t.Context(), `SELECT count(seq) FROM events`).Scan(&n); err != nil || n != 1 {
		t.Errorf("%d events are numbered (%v): the stale epoch wrote", n, err)
	}
}

// A consumer is woken when events become visible, on every node.
func TestConsumersAreWoken(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		sequencer(t, db)
		ctx, cancel := context.WithCancel(context.Background())
		woken, done := make(chan struct{}, 1), make(chan struct{})
		go func() {
			defer close(done)
			err := db.Listen(ctx, events.Channel, func(string) {
				select {
				case woken <- struct{}{}:
				default: // once is enough
				}
			})
			if err != nil {
				t.Errorf("Listen: %v", err)
			}
		}()
		defer func() { cancel(); <-done }()
		for deadline := time.After(20 * time.Second); ; {
			appendTo(t, db, events.Event{Type: "x"})
			select {
			case <-woken:
				return
			case <-deadline:
				t.Fatal("nobody was woken")
			case <-time.After(50 * time.Millisecond): // the listener may not have been there yet
			}
		}
	})
}
