package feed_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-id/provost/directory/feed"
	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
)

// receiver takes pushes, as answer says: nil answers 202.
type receiver struct {
	t      *testing.T
	url    string
	mu     sync.Mutex // guards what follows
	taken  []received // those that were answered with 202
	calls  []*http.Request
	answer func(call int, w http.ResponseWriter) bool // true when it has answered
	jwks   func() []byte
}

func newReceiver(t *testing.T, jwks func() []byte) *receiver {
	t.Helper()
	r := &receiver{t: t, jwks: jwks}
	srv := httptest.NewServer(r)
	t.Cleanup(srv.Close)
	r.url = srv.URL + "/events"
	return r
}

func (n *node) jwks() []byte {
	jwks, err := n.feed.JWKS(context.Background())
	n.check(err)
	return jwks
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return // the sender died
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, req)
	if r.answer != nil && r.answer(len(r.calls), w) {
		return
	}
	set, err := verify(string(body), r.jwks())
	if err != nil {
		r.t.Errorf("push of %s: %v", body, err)
		return
	}
	checkSET(r.t, set, issuer)
	r.taken = append(r.taken, set)
	w.WriteHeader(http.StatusAccepted)
}

func (r *receiver) answers(fn func(call int, w http.ResponseWriter) bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer, r.calls = fn, nil
}

func (r *receiver) seen() (all []received, calls int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append(all, r.taken...), len(r.calls)
}

// until waits until n SETs were taken.
func (r *receiver) until(n int) []received {
	r.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		all, calls := r.seen()
		if len(all) >= n {
			return all
		}
		if time.Now().After(deadline) {
			r.t.Fatalf("%d SETs were taken in %d calls, want %d", len(all), calls, n)
		}
	}
}

func secret(header string) func(*feed.Input) {
	return func(in *feed.Input) { in.Authorization = &header }
}

// TestRFC8935_2_Push: each SET comes by a request of its own, in order, with the header
// that the receiver wants.
func TestRFC8935_2_Push(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		r := newReceiver(t, n.jwks)
		st := n.stream(pushTo(r.url), secret("Bearer canary-of-the-receiver"), func(in *feed.Input) { in.Audience = []string{"https://receiver.example"} })
		id := n.user(`{"userName":"ada@example.com","externalId":"x-ada"}`)
		n.patch("User", id, `{"op":"replace","path":"title","value":"T"}`)
		n.check(n.dir.DeleteUser(context.Background(), writer, id, nil))
		var kinds []string
		for _, set := range r.until(3) {
			kinds = append(kinds, set.kinds())
			if aud, _ := set.claims["aud"].([]any); len(aud) != 1 || aud[0] != "https://receiver.example" {
				t.Errorf("aud is %v", aud)
			}
			if set.subject("externalId") != "x-ada" && set.kinds() == "delete" {
				t.Errorf("sub_id of the deleted: %v", set.claims["sub_id"])
			}
		}
		if diff := cmp.Diff([]string{"create:full", "patch:full", "delete"}, kinds); diff != "" {
			t.Error(diff)
		}
		for _, req := range r.calls {
			if req.Method != "POST" || req.Header.Get("Content-Type") != "application/secevent+jwt" || req.Header.Get("Accept") != "application/json" ||
				req.Header.Get("Authorization") != "Bearer canary-of-the-receiver" {
				t.Errorf("%s with %v", req.Method, req.Header)
			}
		}
		n.until("the stream does not say that it has delivered", func() bool {
			got, err := n.feed.Stream(t.Context(), st.ID)
			n.check(err)
			return !got.Delivered.IsZero() && got.Error == ""
		})
		n.secretIsNowhere("canary-of-the-receiver")
	})
}

// secretIsNowhere looks for a text in everything that is stored of streams and events.
func (n *node) secretIsNowhere(secret string) {
	n.t.Helper()
	for _, query := range []string{`SELECT body FROM events`, `SELECT config || error FROM event_streams`, `SELECT COALESCE(secret, hash) FROM event_streams, events`} {
		rows, err := n.db.Query(context.Background(), query)
		n.check(err)
		for rows.Next() {
			var text []byte
			n.check(rows.Scan(&text))
			if strings.Contains(string(text), secret) {
				n.t.Errorf("%s holds the secret: %s", query, text)
			}
		}
		n.check(rows.Close())
	}
}

// TestRFC8935_2_Failures: what is not 202 is tried again with a pause, and the order
// stays; only a SET that the receiver cannot read is given up in the end, visibly.
func TestRFC8935_2_Failures(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		elsewhere := newReceiver(t, n.jwks)
		r := newReceiver(t, n.jwks)
		st := n.stream(pushTo(r.url+"?key=canary-of-the-url"), secret("Bearer x"), wants("create:notice"))
		object := func(status int, body string) func(int, http.ResponseWriter) bool {
			return func(call int, w http.ResponseWriter) bool {
				if call > 4 { // the receiver has come to itself
					return false
				}
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(status)
				_, _ = io.WriteString(w, body)
				return true
			}
		}
		total := 0
		for name, c := range map[string]struct {
			answer func(int, http.ResponseWriter) bool
			says   string
		}{
			"500":       {object(500, `boom`), "status 500, want 202"},
			"200":       {object(200, `<html>sign in</html>`), "status 200, want 202"},
			"wrong key": {object(400, `{"err":"invalid_key","description":"whose key?"}`), "status 400, invalid_key: whose key?"},
			"no right":  {object(403, `{"err":"access_denied","description":""}`), "access_denied"},
			"redirect": {func(call int, w http.ResponseWriter) bool {
				w.Header().Set("Location", elsewhere.url)
				return object(307, "")(call, w)
			}, "redirects are not followed"},
			"cut off": {func(call int, w http.ResponseWriter) bool {
				if call > 4 {
					return false
				}
				panic(http.ErrAbortHandler)
			}, "EOF"},
		} {
			r.answers(c.answer)
			n.users(st, 2)
			told := false
			n.until(name+": the failure is not told", func() bool {
				got, err := n.feed.Stream(t.Context(), st.ID)
				n.check(err)
				if strings.Contains(got.Error, "canary-of-the-url") {
					t.Errorf("%s: the failure tells the URL: %s", name, got.Error)
				}
				told = told || strings.Contains(got.Error, c.says) && got.Attempts > 0 && !got.NextTry.IsZero()
				_, calls := r.seen()
				return told || calls > 4
			})
			if !told {
				t.Errorf("%s: nobody is told %q", name, c.says)
			}
			total += 2
			all := r.until(total)
			if a, b := n.order(all[total-2]), n.order(all[total-1]); a >= b {
				t.Errorf("%s: out of order", name)
			}
		}
		if all, _ := elsewhere.seen(); len(all) > 0 {
			t.Error("a redirect was followed")
		}
		n.until("the failure is not made good", func() bool {
			got, err := n.feed.Stream(t.Context(), st.ID)
			n.check(err)
			return got.Error == "" && got.Attempts == 0 && got.Letters == 0
		})
	}, noRedirects)
}

// noRedirects is as the outbound client of the program.
func noRedirects(o *feed.Options) {
	o.Client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func TestRFC8935_2_DeadLetter(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		r := newReceiver(t, n.jwks)
		st := n.stream(pushTo(r.url), wants("create:notice"))
		r.answers(func(call int, w http.ResponseWriter) bool {
			if call > 3 {
				return false
			}
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(400)
			_ = json.NewEncoder(w).Encode(map[string]string{"err": "invalid_request", "description": strings.Repeat("€", 2000)})
			return true
		})
		ids := n.users(st, 2)
		if all := r.until(1); len(all) != 1 || all[0].jti() != ids[1] {
			t.Errorf("taken are %v, want the second only", compactAll(t, all))
		}
		letters, err := n.feed.Letters(t.Context(), st.ID)
		if err != nil || len(letters) != 1 || letters[0].JTI != ids[0] || letters[0].Err != "invalid_request" || len([]rune(letters[0].Description)) != 1000 {
			t.Errorf("dead letters: %+v, %v", letters, err)
		}
		var logged int
		n.check(n.db.QueryRow(t.Context(), `SELECT count(*) FROM events WHERE type = 'scim.stream.dead_letter' AND subject = $1`, st.ID).Scan(&logged))
		if logged != 1 {
			t.Errorf("the system log tells of %d dead letters", logged)
		}
	})
}

// A receiver that says when to come again is left alone until then.
func TestRFC8935_RetryAfter(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		r := newReceiver(t, n.jwks)
		st := n.stream(pushTo(r.url), wants("create:notice"))
		r.answers(func(_ int, w http.ResponseWriter) bool {
			w.Header().Set("Retry-After", "7200")
			w.WriteHeader(503)
			return true
		})
		n.users(st, 1)
		n.until("the failure is not told", func() bool {
			got, err := n.feed.Stream(t.Context(), st.ID)
			n.check(err)
			wait := time.Until(got.NextTry)
			return wait > 59*time.Minute && wait < 61*time.Minute // no longer than an hour
		})
		r.answers(nil)
		time.Sleep(100 * time.Millisecond)
		if _, calls := r.seen(); calls != 0 {
			t.Errorf("%d calls within the pause", calls)
		}
		_, err := n.feed.ResumeStream(t.Context(), admin, st.ID) // an administrator knows better
		n.check(err)
		r.until(1)
	})
}

// A node that has died while it held a stream is replaced, and the next goes on where it
// had come; nodes that live do not push twice.
func TestPush_TakeOver(t *testing.T) {
	for name, c := range map[string]sqldb.Config{"sqlite": {Path: t.TempDir() + "/a.db"}, "postgresql": {URL: sqldbtest.Schema(t)}} {
		t.Run(name, func(t *testing.T) {
			a, b := newNode(t, sqldbtest.Open(t, c)), newNode(t, sqldbtest.Open(t, c))
			a.settled()
			r := newReceiver(t, a.jwks)
			st := a.stream(pushTo(r.url), wants("create:notice"))
			a.users(st, 20)
			r.until(20)
			a.stop()
			b.users(st, 20)
			r.until(40)
			// Another has taken the lease from b, and is dead: b writes nothing under its old
			// epoch, and has the lease again when it has run out.
			b.check(b.db.Write(context.Background(), func(tx *sqldb.Tx) error {
				_, err := tx.Exec(`UPDATE leases SET owner = 'dead', epoch = epoch + 1, expires = $1 WHERE name = $2`,
					time.Now().Add(time.Second).UnixMicro(), "event-stream/"+st.ID)
				return err
			}))
			b.users(st, 20)
			b.until("the stream does not come to its end", func() bool {
				got, err := b.feed.Stream(context.Background(), st.ID)
				b.check(err)
				head, err := events.Log{DB: b.db}.LastChange(context.Background())
				b.check(err)
				return got.Position == head
			})
			seen := map[string]bool{}
			all, _ := r.seen()
			last := ""
			for _, set := range all {
				if seen[set.jti()] {
					continue // b had sent it and could not write that down
				}
				seen[set.jti()] = true
				if at := b.order(set); at < last {
					t.Errorf("%s is out of order", set.jti())
				} else {
					last = at
				}
			}
			if len(seen) != 60 {
				t.Errorf("%d SETs came, want 60", len(seen))
			}
		})
	}
}

// replica is a receiver's own directory, made of full events alone.
type replica struct {
	n    *node
	docs map[string]map[string]any
}

// Property: a receiver that applies full events, and nothing else, ends with what the
// directory holds, while several clients change it and pushes fail again and again.
func TestPush_ReplicaOfEventsIsTheDirectory(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		r := newReceiver(t, n.jwks)
		calls := 0
		r.answers(func(_ int, w http.ResponseWriter) bool {
			if calls++; calls%7 == 0 {
				w.WriteHeader(500)
				return true
			}
			return false
		})
		n.stream(pushTo(r.url), wants("create:full", "patch:full", "put:full", "delete"))
		groups := []string{n.group(`{"displayName":"g0"}`), n.group(`{"displayName":"g1"}`)}
		var working sync.WaitGroup
		for w := range 4 {
			working.Go(func() { n.churn(w, groups) })
		}
		working.Wait()
		n.settled()
		var count int // since the stream was made
		n.check(n.db.QueryRow(t.Context(), `SELECT count(*) FROM events WHERE resource IS NOT NULL AND type <> 'user.account.update_password'
			AND seq > (SELECT seq FROM events WHERE type = 'scim.stream.create')`).Scan(&count))
		copied := replica{n: n, docs: map[string]map[string]any{}}
		seen := map[string]bool{}
		n.until("the stream does not come to its end", func() bool {
			all, _ := r.seen()
			for _, set := range all[len(seen):] {
				if seen[set.jti()] {
					t.Errorf("%s came twice", set.jti())
				}
				seen[set.jti()] = true
				copied.apply(set)
			}
			return len(seen) >= count
		})
		copied.sortMembers()
		want := replica{n: n, docs: n.directory()}
		want.sortMembers()
		if diff := cmp.Diff(want.docs, copied.docs); diff != "" {
			t.Errorf("directory and replica: %s", diff)
		}
	})
}

// churn makes changes of all kinds.
func (n *node) churn(w int, groups []string) {
	for i := range 8 {
		id := n.user(fmt.Sprintf(`{"userName":"u%d-%d@example.com","title":"t"}`, w, i))
		group := groups[(w+i)%len(groups)]
		for _, err := range []error{
			n.tryPatch("User", id, fmt.Sprintf(`{"op":"replace","path":"name.familyName","value":"f%d"},{"op":"add","path":"emails","value":[{"value":"e%d@example.com","type":"work"}]}`, i, i)),
			n.dir.AddMember(context.Background(), writer, group, id),
			n.tryPatch("Group", group, fmt.Sprintf(`{"op":"replace","path":"displayName","value":"g%d-%d"}`, w, i)),
			n.tryPatch("User", id, `{"op":"remove","path":"title"},{"op":"replace","path":"active","value":false}`),
		} {
			if err != nil {
				n.t.Error(err)
			}
		}
		switch i % 4 {
		case 0:
			n.check(n.dir.DeleteUser(context.Background(), writer, id, nil))
		case 1:
			n.put(id, fmt.Sprintf(`{"userName":"v%d-%d@example.com","externalId":"x%d-%d"}`, w, i, w, i))
			n.patch("User", id, `{"op":"replace","path":"active","value":true}`)
		case 2:
			n.check(n.dir.RemoveMember(context.Background(), writer, group, id))
			n.patch("User", id, `{"op":"replace","path":"password","value":"Correct-horse-9"}`)
		}
	}
}
