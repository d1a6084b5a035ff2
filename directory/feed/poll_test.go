package feed_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-id/provost/directory/feed"
)

// users makes n users and returns the jtis under which a stream tells of them.
func (n *node) users(st *feed.Stream, count int) []string {
	n.t.Helper()
	for i := range count {
		n.user(fmt.Sprintf(`{"userName":"u%d-%d@example.com"}`, i, time.Now().UnixNano()))
	}
	n.settled()
	evs, err := n.feed.Options.Dir.DB.Query(context.Background(), `SELECT id FROM events WHERE type = 'user.lifecycle.create' ORDER BY seq DESC LIMIT $1`, count)
	n.check(err)
	defer func() { _ = evs.Close() }()
	var jtis []string
	for evs.Next() {
		var id string
		n.check(evs.Scan(&id))
		jtis = append(jtis, id+"."+st.ID)
	}
	slices.Reverse(jtis)
	return jtis
}

func jtis(out *feed.PollResponse) []string { return slices.Sorted(maps.Keys(out.Sets)) }

// TestRFC8936_2_Acknowledge: a SET is returned until it is acknowledged, in whatever
// order, and then no more.
func TestRFC8936_2_Acknowledge(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		st := n.stream()
		sorted := func(ids ...string) []string { return slices.Sorted(slices.Values(ids)) }
		if out := n.poll(st, feed.PollRequest{}); len(out.Sets) != 0 || out.Sets == nil || out.MoreAvailable {
			t.Errorf("nothing happened, and the poll returned %v", out)
		}
		ids := n.users(st, 5)
		want := func(name string, out *feed.PollResponse, more bool, ids ...string) {
			t.Helper()
			if diff := cmp.Diff(sorted(ids...), jtis(out)); diff != "" || out.MoreAvailable != more {
				t.Errorf("%s: more %v %s", name, out.MoreAvailable, diff)
			}
		}
		if body, err := json.Marshal(n.poll(st, feed.PollRequest{})); err != nil || !regexp.MustCompile(strings.Join(ids, ".*")).Match(body) {
			t.Errorf("not in the order of the events: %s, %v", body, err)
		}
		want("first two", n.poll(st, feed.PollRequest{MaxEvents: number(2)}), true, ids[:2]...)
		want("again", n.poll(st, feed.PollRequest{MaxEvents: number(2)}), true, ids[:2]...)
		want("acknowledgement alone", n.poll(st, feed.PollRequest{MaxEvents: number(0), Ack: ids[1:2]}), true)
		want("the one left and the next", n.poll(st, feed.PollRequest{MaxEvents: number(3)}), true, ids[0], ids[2], ids[3])
		want("all", n.poll(st, feed.PollRequest{}), false, ids[0], ids[2], ids[3], ids[4])
		want("exactly all", n.poll(st, feed.PollRequest{MaxEvents: number(4)}), false, ids[0], ids[2], ids[3], ids[4])
		out := n.poll(st, feed.PollRequest{Ack: []string{ids[3], ids[3], ids[1], "nonsense", "evt1." + st.ID, ids[2] + "x"}})
		want("out of order, twice, and nonsense", out, false, ids[0], ids[2], ids[4])
		want("the rest", n.poll(st, feed.PollRequest{Ack: ids}), false)
		want("acknowledgement alone at the end", n.poll(st, feed.PollRequest{MaxEvents: number(0)}), false)
		st, err := n.feed.Stream(t.Context(), st.ID)
		if err != nil || st.Waiting != 0 || st.Letters != 0 || st.Delivered.IsZero() {
			t.Errorf("%+v, %v", st, err)
		}
	})
}

// TestRFC8936_2_SetErrs: a SET that the receiver could not use is not sent again, and an
// administrator sees it.
func TestRFC8936_2_SetErrs(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		st := n.stream()
		ids := n.users(st, 3)
		n.poll(st, feed.PollRequest{})
		n.poll(st, withErrors(t, `{"ack":["`+ids[0]+`"],"setErrs":{"`+ids[1]+`":{"err":"invalid_key","description":"what\u0000 key?"},"`+ids[2]+`":{}}}`))
		if out := n.poll(st, feed.PollRequest{}); len(out.Sets) != 0 {
			t.Errorf("sent again: %v", jtis(out))
		}
		letters, err := n.feed.Letters(t.Context(), st.ID)
		if err != nil || len(letters) != 2 || letters[1].JTI != ids[1] || letters[1].Err != "invalid_key" || letters[1].Description != "what  key?" ||
			letters[0].JTI != ids[2] || letters[0].Err != "invalid_request" {
			t.Errorf("dead letters: %+v, %v", letters, err)
		}
	})
}

// A stream belongs to one client: to others it does not exist.
func TestPoll_OfSomebodyElse(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		st := n.stream()
		push := n.stream(pushTo("https://receiver.example/"))
		for _, c := range []struct{ id, client string }{{st.ID, "other"}, {st.ID, ""}, {"evs0", st.Client}, {push.ID, ""}, {push.ID, push.Client}} {
			if out, err := n.feed.Poll(t.Context(), c.id, c.client, feed.PollRequest{ReturnImmediately: true}); !errors.Is(err, feed.ErrNotFound) {
				t.Errorf("%+v: %v, %v", c, out, err)
			}
		}
		many := feed.PollRequest{Ack: slices.Repeat([]string{"x"}, 1001)}
		if _, err := n.feed.Poll(t.Context(), st.ID, st.Client, many); err == nil {
			t.Error("a poll may acknowledge without end")
		}
	})
}

// A poll waits for what happens, is woken by it at once, and waits no longer than it may.
func TestRFC8936_2_LongPoll(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		st := n.stream()
		got := make(chan *feed.PollResponse)
		go func() {
			out, err := n.feed.Poll(context.Background(), st.ID, st.Client, feed.PollRequest{})
			if err != nil {
				t.Error(err)
			}
			got <- out
		}()
		time.Sleep(50 * time.Millisecond) // it waits by now
		ids := n.users(st, 1)
		if out := <-got; len(out.Sets) != 1 || out.Sets[ids[0]] == "" {
			t.Errorf("woken with %v", jtis(out))
		}
		n.poll(st, feed.PollRequest{Ack: ids})
		out, err := n.feed.Poll(t.Context(), st.ID, st.Client, feed.PollRequest{}) // until PollWait
		if err != nil || len(out.Sets) != 0 {
			t.Errorf("%v, %v", out, err)
		}
		// Who waits is let go when the server stops, and at once when too many wait.
		var waiting sync.WaitGroup
		for range 6 {
			waiting.Go(func() {
				if _, err := n.feed.Poll(context.Background(), st.ID, st.Client, feed.PollRequest{}); err != nil {
					t.Error(err)
				}
			})
		}
		time.Sleep(50 * time.Millisecond)
		n.stop()
		waiting.Wait()
	})
}

// Polls at once and acknowledgements at once lose nothing, while changes go on.
func TestPoll_AtOnce(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		st := n.stream(wants("create:notice"))
		const people = 60
		var mu sync.Mutex // guards seen
		seen := map[string]bool{}
		done := make(chan struct{})
		var polling, writing sync.WaitGroup
		for range 4 {
			polling.Go(func() {
				for ack := []string(nil); ; {
					out := n.poll(st, feed.PollRequest{MaxEvents: number(7), Ack: ack})
					mu.Lock()
					ack = nil
					for id := range out.Sets {
						seen[id] = true
						if len(ack) < 4 { // some are left for others
							ack = append(ack, id)
						}
					}
					mu.Unlock()
					select {
					case <-done:
						if len(out.Sets) == 0 {
							return
						}
					default:
					}
				}
			})
		}
		for w := range 3 {
			writing.Go(func() {
				for i := range people / 3 {
					n.user(fmt.Sprintf(`{"userName":"u%d-%d@example.com"}`, w, i))
				}
			})
		}
		writing.Wait()
		n.settled()
		close(done)
		polling.Wait()
		if len(seen) != people {
			t.Errorf("told of %d users, want %d", len(seen), people)
		}
	})
}

// A stream that is paused tells nothing until it is resumed, and then everything; one
// that was behind for too long has lost its place.
func TestStream_PauseAndExpire(t *testing.T) {
	now := time.Now()
	var mu sync.Mutex // guards now
	clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	each(t, func(t *testing.T, n *node) {
		st := n.stream()
		ids := n.users(st, 1)
		_, err := n.feed.PauseStream(t.Context(), admin, st.ID)
		n.check(err)
		if _, err := n.feed.Poll(t.Context(), st.ID, st.Client, feed.PollRequest{}); !errors.Is(err, feed.ErrStopped) || !strings.Contains(err.Error(), "PAUSED") {
			t.Errorf("a paused stream: %v", err)
		}
		_, err = n.feed.ResumeStream(t.Context(), admin, st.ID)
		n.check(err)
		if out := n.poll(st, feed.PollRequest{}); out.Sets[ids[0]] == "" {
			t.Errorf("after the pause: %v", jtis(out))
		}
		caughtUp := n.stream(wants("delete"))
		n.poll(caughtUp, feed.PollRequest{})

		mu.Lock()
		now = now.Add(feed.Retention + time.Minute)
		mu.Unlock()
		n.check(n.feed.Sweep(t.Context()))
		if st, err = n.feed.Stream(t.Context(), st.ID); err != nil || st.Status != feed.Expired || !strings.Contains(st.Error, "read everything again") {
			t.Errorf("what was not acknowledged for 30 days: %+v, %v", st, err)
		}
		if _, err := n.feed.Poll(t.Context(), st.ID, st.Client, feed.PollRequest{}); !errors.Is(err, feed.ErrStopped) {
			t.Errorf("an expired stream: %v", err)
		}
		if caughtUp, err = n.feed.Stream(t.Context(), caughtUp.ID); err != nil || caughtUp.Status != feed.Enabled {
			t.Errorf("a stream with nothing to tell: %+v, %v", caughtUp, err)
		}
		_, err = n.feed.ResumeStream(t.Context(), admin, st.ID)
		n.check(err)
		if out := n.poll(st, feed.PollRequest{}); len(out.Sets) != 0 {
			t.Errorf("resumed with the past: %v", jtis(out))
		}
		ids = n.users(st, 1)
		if out := n.poll(st, feed.PollRequest{}); out.Sets[ids[0]] == "" {
			t.Errorf("resumed: %v", jtis(out))
		}
		n.check(n.feed.DeleteStream(t.Context(), admin, st.ID))
		if _, err := n.feed.Stream(t.Context(), st.ID); !errors.Is(err, feed.ErrNotFound) {
			t.Errorf("deleted: %v", err)
		}
	}, func(o *feed.Options) { o.Now = clock })
}
