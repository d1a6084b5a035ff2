package events_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
)

// The sequence has no gap and no number comes twice, whatever else happens: slow
// transactions commit after fast ones that began later, others are undone after they
// have drawn a number from the database, and the sequencers stop and take over from
// each other all the while.
func TestSequenceHasNoGaps(t *testing.T) {
	configs := map[string]sqldb.Config{"sqlite": {Path: t.TempDir() + "/a.db"}, "postgresql": {URL: sqldbtest.Schema(t)}}
	for name, c := range configs {
		t.Run(name, func(t *testing.T) {
			nodes := []*sqldb.DB{sqldbtest.Open(t, c), sqldbtest.Open(t, c)}
			const writers, each = 6, 15
			stop := make(chan struct{})
			var sequencing, working sync.WaitGroup
			for _, db := range nodes {
				sequencing.Go(func() { sequenceByTurns(db, stop) })
			}
			kept := make([][]string, writers)
			for w := range writers {
				working.Go(func() { kept[w] = writeOrUndo(t, nodes[w%2], w, each) })
			}
			want := 0
			working.Wait()
			for _, ids := range kept {
				want += len(ids)
			}
			seen := follow(t, nodes[0], want) // fails at a gap
			close(stop)
			sequencing.Wait()
			for _, ids := range kept {
				for _, id := range ids {
					if !seen[id] {
						t.Errorf("%s was committed and has no number", id)
					}
				}
			}
			if last, _, err := (events.Log{DB: nodes[1]}).Verify(t.Context()); err != nil || last != int64(want) {
				t.Errorf("the chain ends at %d with %v, want %d", last, err, want)
			}
		})
	}
}

// sequenceByTurns runs sequencers that live for a moment each.
func sequenceByTurns(db *sqldb.DB, stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond+rand.N(80*time.Millisecond))
		_ = (&events.Sequencer{DB: db}).Run(ctx) // nil at the end of ctx
		cancel()
	}
}

var errUndone = errors.New("undone")

// writeOrUndo writes n events, each in a transaction of its own that may be slow and may
// be undone, and returns the IDs of those that stay.
func writeOrUndo(t *testing.T, db *sqldb.DB, writer, n int) (kept []string) {
	for i := range n {
		id := fmt.Sprintf("evt%d-%d", writer, i)
		undo := rand.IntN(4) == 0
		pause := time.Duration(0)
		if i%3 == 0 {
			pause = rand.N(30 * time.Millisecond)
		}
		err := db.Write(context.Background(), func(tx *sqldb.Tx) error {
			if err := events.Append(tx, events.Event{ID: id, Type: "x"}); err != nil {
				return err
			}
			time.Sleep(pause)
			if undo {
				return errUndone
			}
			return nil
		})
		switch {
		case err == nil:
			kept = append(kept, id)
		case !errors.Is(err, errUndone):
			t.Errorf("write: %v", err)
		}
	}
	return kept
}
