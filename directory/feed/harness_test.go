package feed_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/directory/feed"
	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/keyring"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
	"github.com/provost-id/provost/schemas"
)

const issuer = "https://id.example/scim/v2"

var (
	admin  = feed.Change{Actor: events.Actor{ID: "00Tadmin", Type: "Token"}, Request: "req1"}
	writer = directory.Change{
		Actor: events.Actor{ID: "00Twriter", Type: "Token"}, Client: "00Twriter",
		Source: directory.Source{Kind: directory.SourceSCIM},
	}
)

// node is one server on a database.
type node struct {
	t    *testing.T
	db   *sqldb.DB
	dir  *directory.Directory
	feed *feed.Service
	stop func() // ends what runs in the background
}

var master = func() []byte {
	key := make([]byte, keyring.KeySize)
	_, _ = rand.Read(key)
	return key
}()

// newNode starts a node; change adapts its options.
func newNode(t *testing.T, db *sqldb.DB, change ...func(*feed.Options)) *node {
	t.Helper()
	keys, err := keyring.New(master)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := directory.New(context.Background(), db, keys, nil)
	if err != nil {
		t.Fatal(err)
	}
	o := feed.Options{
		Dir: dir, Issuer: issuer, Client: &http.Client{Timeout: 5 * time.Second}, AllowHTTP: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		Retry: feed.Retry{First: 10 * time.Millisecond, Most: 50 * time.Millisecond, Refusals: 3}, LeaseTTL: time.Second, PollWait: 500 * time.Millisecond,
	}
	for _, fn := range change {
		fn(&o)
	}
	n := &node{t: t, db: db, dir: dir, feed: feed.New(o)}
	n.run()
	return n
}

func (n *node) run() {
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	for _, run := range []func(context.Context) error{(&events.Sequencer{DB: n.db}).Run, n.feed.Run} {
		group.Go(func() {
			if err := run(ctx); err != nil {
				n.t.Error(err)
			}
		})
	}
	n.stop = sync.OnceFunc(func() { cancel(); group.Wait() })
	n.t.Cleanup(n.stop)
}

// each runs fn with a node on both engines; change adapts its options.
func each(t *testing.T, fn func(t *testing.T, n *node), change ...func(*feed.Options)) {
	t.Helper()
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		n := newNode(t, db, change...)
		n.settled()
		fn(t, n)
	})
}

// settled waits until every event has its number.
func (n *node) settled() {
	n.t.Helper()
	n.until("events have no numbers", func() bool {
		var open int
		n.check(n.db.QueryRow(context.Background(), `SELECT count(*) FROM events WHERE seq IS NULL`).Scan(&open))
		return open == 0
	})
}

func (n *node) until(what string, done func() bool) {
	n.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !done(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			n.t.Fatal(what)
		}
	}
}

func (n *node) check(err error) {
	n.t.Helper()
	if err != nil {
		n.t.Fatal(err)
	}
}

func (n *node) typ(name string) *schemas.Type {
	t, ok := n.dir.Schemas().Type(name)
	if !ok {
		n.t.Fatalf("no type %s", name)
	}
	return t
}

func (n *node) parse(typ, body string) *schemas.Resource {
	n.t.Helper()
	r, err := n.typ(typ).Parse([]byte(body), schemas.Generic)
	n.check(err)
	return r
}

func (n *node) user(body string) string {
	n.t.Helper()
	u, err := n.dir.CreateUser(context.Background(), writer, n.parse("User", body), directory.CreateOptions{})
	n.check(err)
	return u.ID
}

func (n *node) group(body string) string {
	n.t.Helper()
	g, err := n.dir.CreateGroup(context.Background(), writer, n.parse("Group", body), directory.GroupOptions{})
	n.check(err)
	return g.ID
}

func (n *node) patch(typ, id, operations string) {
	n.t.Helper()
	n.check(n.tryPatch(typ, id, operations))
}

func (n *node) tryPatch(typ, id, operations string) error {
	body := `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[` + operations + `]}`
	ops, err := n.typ(typ).ParsePatch([]byte(body), schemas.Generic)
	if err != nil {
		return err
	}
	if typ == "Group" {
		_, err = n.dir.PatchGroup(context.Background(), writer, id, nil, ops, schemas.Generic)
	} else {
		_, err = n.dir.PatchUser(context.Background(), writer, id, nil, ops, schemas.Generic)
	}
	return err
}

func (n *node) put(id, body string) {
	n.t.Helper()
	_, err := n.dir.ReplaceUser(context.Background(), writer, id, nil, n.parse("User", body))
	n.check(err)
}

// stream makes a stream; change adapts its description.
func (n *node) stream(change ...func(*feed.Input)) *feed.Stream {
	n.t.Helper()
	in := feed.Input{Config: feed.Config{Label: "test", Method: feed.Poll, Client: writer.Client, Events: feed.URIs()}}
	for _, fn := range change {
		fn(&in)
	}
	st, err := n.feed.CreateStream(context.Background(), admin, in)
	n.check(err)
	return st
}

func wants(uris ...string) func(*feed.Input) {
	return func(in *feed.Input) {
		in.Events = nil
		for _, u := range uris {
			in.Events = append(in.Events, "urn:ietf:params:scim:event:prov:"+u)
		}
	}
}

func pushTo(url string) func(*feed.Input) {
	return func(in *feed.Input) { in.Method, in.Endpoint = feed.Push, url }
}

func number(n int) *int { return &n }

// poll asks once and does not wait.
func (n *node) poll(st *feed.Stream, r feed.PollRequest) *feed.PollResponse {
	n.t.Helper()
	r.ReturnImmediately = true
	out, err := n.feed.Poll(context.Background(), st.ID, st.Client, r)
	n.check(err)
	return out
}

// told polls everything there is, acknowledges it, and returns it in order.
func (n *node) told(st *feed.Stream) []received {
	n.t.Helper()
	n.settled()
	var all []received
	var r feed.PollRequest
	for {
		out := n.poll(st, r)
		if len(out.Sets) == 0 {
			return all
		}
		r = feed.PollRequest{}
		page := make([]received, 0, len(out.Sets))
		for jti, raw := range out.Sets {
			set := n.verify(raw)
			if set.jti() != jti {
				n.t.Errorf("the SET under %s is %s", jti, set.jti())
			}
			page = append(page, set)
			r.Ack = append(r.Ack, jti)
		}
		slices.SortFunc(page, func(a, b received) int { return strings.Compare(n.order(a), n.order(b)) })
		all = append(all, page...)
	}
}

// order is the number of the event that a SET tells of.
func (n *node) order(r received) string {
	var seq int64
	n.check(n.db.QueryRow(context.Background(), `SELECT seq FROM events WHERE id = $1`, r.txn()).Scan(&seq))
	return fmt.Sprintf("%012d", seq)
}

// withErrors reads a poll request as a receiver sends it.
func withErrors(t *testing.T, body string) (r feed.PollRequest) {
	t.Helper()
	if err := json.Unmarshal([]byte(body), &r); err != nil {
		t.Fatal(err)
	}
	return r
}
