package feed_test

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/provost-id/provost/directory/feed"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
)

// kids are the published keys.
func (n *node) kids() map[string]bool {
	var set struct {
		Keys []map[string]string `json:"keys"`
	}
	n.check(json.Unmarshal(n.jwks(), &set))
	all := map[string]bool{}
	for _, k := range set.Keys {
		all[k["kid"]] = true
		for _, private := range []string{"d", "p", "q", "k"} {
			if k[private] != "" {
				n.t.Errorf("a private part is published: %v", k)
			}
		}
	}
	return all
}

// A stream is signed by the algorithm that it asks for; what was signed before a rotation
// is verified after it, and the key that signs next was published before.
func TestKeys_Rotate(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		es := n.stream(wants("create:notice"))
		rs := n.stream(wants("create:notice"), func(in *feed.Input) { in.Algorithm = "RS256" })
		n.users(es, 1)
		var before []string
		for _, st := range []*feed.Stream{es, rs} {
			for _, raw := range n.poll(st, feed.PollRequest{}).Sets {
				if set := n.verify(raw); set.header["alg"] != st.Algorithm {
					t.Errorf("signed with %v, want %s", set.header["alg"], st.Algorithm)
				}
				before = append(before, raw)
			}
		}
		published := n.kids()
		if len(published) != 4 {
			t.Errorf("%d keys are published, want one that signs and one that comes next of each algorithm", len(published))
		}
		n.check(n.feed.RotateKeys(t.Context(), admin))
		for _, raw := range n.poll(es, feed.PollRequest{}).Sets {
			set := n.verify(raw)
			if kid, _ := set.header["kid"].(string); !published[kid] {
				t.Errorf("%s signs and was not published before", kid)
			}
			if strings.HasPrefix(before[0], raw[:strings.Index(raw, ".")]) {
				t.Error("the key is the same as before")
			}
		}
		for _, raw := range before {
			n.verify(raw)
		}
		n.secretIsNowhere("PRIVATE")
	})
}

// Housekeeping rotates a key that has signed long enough, and forgets one when nothing
// that it signed can be on its way.
func TestKeys_Age(t *testing.T) {
	now := time.Now()
	var mu sync.Mutex // guards now
	clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	pass := func(d time.Duration) { mu.Lock(); defer mu.Unlock(); now = now.Add(d) }
	each(t, func(t *testing.T, n *node) {
		n.poll(n.stream(), feed.PollRequest{})
		st := n.stream()
		n.users(st, 1)
		n.poll(st, feed.PollRequest{})
		first := n.kids()
		n.check(n.feed.Sweep(t.Context()))
		if got := n.kids(); len(got) != 2 {
			t.Errorf("%d keys after a sweep, want 2", len(got))
		}
		pass(91 * 24 * time.Hour)
		n.check(n.feed.Sweep(t.Context()))
		n.check(n.feed.Sweep(t.Context()))
		second := n.kids()
		if len(second) != 3 {
			t.Errorf("%d keys after the rotation, want 3", len(second))
		}
		for kid := range first {
			if !second[kid] {
				t.Errorf("%s is forgotten at once", kid)
			}
		}
		pass(36 * 24 * time.Hour)
		n.check(n.feed.Sweep(t.Context()))
		if got := n.kids(); len(got) != 2 {
			t.Errorf("%d keys after the old one has rested, want 2", len(got))
		}
	}, func(o *feed.Options) { o.Now = clock })
}

// Nodes that need the first key at once end with the same.
func TestKeys_MadeOnce(t *testing.T) {
	for name, c := range map[string]sqldb.Config{"sqlite": {Path: t.TempDir() + "/a.db"}, "postgresql": {URL: sqldbtest.Schema(t)}} {
		t.Run(name, func(t *testing.T) {
			nodes := []*node{newNode(t, sqldbtest.Open(t, c)), newNode(t, sqldbtest.Open(t, c))}
			nodes[0].settled()
			st := nodes[0].stream()
			nodes[0].users(st, 1)
			var wg sync.WaitGroup
			var mu sync.Mutex // guards raws
			var raws []string
			for i := range 8 {
				wg.Go(func() {
					for _, raw := range nodes[i%2].poll(st, feed.PollRequest{}).Sets {
						mu.Lock()
						raws = append(raws, raw)
						mu.Unlock()
					}
				})
			}
			wg.Wait()
			for _, raw := range raws {
				nodes[0].verify(raw)
			}
			if got := nodes[0].kids(); len(got) != 2 || len(raws) != 8 {
				t.Errorf("%d keys for %d answers", len(got), len(raws))
			}
		})
	}
}
