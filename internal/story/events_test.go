package story

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/provost-id/provost/internal/testserver"
)

const eventPrefix = "urn:ietf:params:scim:event:prov:"

// TestKillDuringEvents kills the server at random points while clients change people and
// groups. A receiver that nobody here wrote gets pushes and polls all the while: after
// repetitions are dropped it has every change of every resource, by either way, in order.
func TestKillDuringEvents(t *testing.T) {
	dir := t.TempDir()
	binary, err := goBuild(t.Context(), dir, "provost", "./cmd/provost")
	if err != nil {
		t.Fatal(err)
	}
	s := &eventStory{t: t, binary: binary, dir: filepath.Join(dir, "data"), port: freePort(t)}
	s.start()
	defer func() { _ = s.server.Stop() }() // a failed test has stopped caring
	s.listen()
	groups := []string{s.make("Groups", object{"displayName": "g0"}), s.make("Groups", object{"displayName": "g1"})}
	done := make(chan struct{})
	var working sync.WaitGroup
	for w := range 4 {
		working.Go(func() { s.churn(w, groups, done) })
	}
	for range 3 {
		time.Sleep(700*time.Millisecond + rand.N(500*time.Millisecond))
		s.kill()
	}
	time.Sleep(500 * time.Millisecond)
	close(done)
	working.Wait()
	want := s.versions()
	for _, by := range []string{"push", "poll"} {
		s.await(by, want)
	}
	if faults := s.receiver.Faults(t); len(faults) > 0 {
		t.Errorf("the receiver says: %v", faults)
	}
}

// eventStory is a server that is killed, and its receiver.
type eventStory struct {
	t           *testing.T
	binary, dir string
	port        string
	mu          sync.RWMutex // guards server while it is replaced
	server      *Server
	receiver    *testserver.Receiver
}

func freePort(t *testing.T) string {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }() // the server takes it over
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func (s *eventStory) start() {
	s.t.Helper()
	var err error
	if s.server, err = Start(s.t.Context(), s.binary, s.dir, "--listen", "127.0.0.1:"+s.port); err != nil {
		s.t.Fatal(err)
	}
}

// kill ends the server by SIGKILL and starts it again at the same address.
func (s *eventStory) kill() {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.server.Kill()
	s.start()
}

// listen starts the receiver and makes one stream of each kind.
func (s *eventStory) listen() {
	s.t.Helper()
	token := s.call("POST", "/api/v1/api-tokens", object{"name": "receiver", "scopes": []string{"scim.read"}})
	const audience = "https://receiver.example"
	uris := []string{eventPrefix + "create:full", eventPrefix + "patch:full", eventPrefix + "put:full", eventPrefix + "delete"}
	poll := s.call("POST", "/api/v1/scim/streams", object{"label": "poll", "clientId": token["id"], "aud": []string{audience}, "events": uris,
		"delivery": object{"method": "poll"}})
	s.receiver = testserver.StartReceiver(s.t, testserver.ReceiverOptions{
		Issuer: str(poll, "iss"), Audience: audience, JWKS: str(poll, "jwks_uri"), PollURL: str(poll, "delivery", "endpointUrl"), PollToken: str(token, "token"),
	})
	s.call("POST", "/api/v1/scim/streams", object{"label": "push", "aud": []string{audience}, "events": uris, "alg": "RS256",
		"delivery": object{"method": "push", "endpointUrl": s.receiver.URL}})
}

func (s *eventStory) call(method, path string, body any) object {
	s.t.Helper()
	out, err := s.server.call(s.t.Context(), method, path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	return out
}

func (s *eventStory) make(typ string, body object) string {
	s.t.Helper()
	return str(s.call("POST", "/scim/v2/"+typ, body), "id")
}

// try makes a change that fails when the server is killed in the middle of it.
func (s *eventStory) try(method, path string, body any) object {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out, _ := s.server.call(context.Background(), method, path, body)
	return out
}

func patchOf(ops ...object) object {
	return object{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"}, "Operations": ops}
}

// churn makes changes of all kinds until done.
func (s *eventStory) churn(w int, groups []string, done <-chan struct{}) {
	for i := 0; ; i++ {
		select {
		case <-done:
			return
		default:
		}
		id := str(s.try("POST", "/scim/v2/Users", object{"userName": fmt.Sprintf("u%d-%d@example.com", w, i)}), "id")
		if id == "" {
			continue
		}
		user, group := "/scim/v2/Users/"+id, "/scim/v2/Groups/"+groups[(w+i)%len(groups)]
		s.try("PATCH", user, patchOf(object{"op": "replace", "path": "title", "value": "t"}, object{"op": "replace", "path": "active", "value": false}))
		s.try("PATCH", group, patchOf(object{"op": "add", "path": "members", "value": []object{{"value": id}}}))
		s.try("PUT", user, object{"userName": fmt.Sprintf("v%d-%d@example.com", w, i)})
		if i%3 == 0 {
			s.try("DELETE", user, nil)
		}
	}
}

// versions are the resources as they are in the end.
func (s *eventStory) versions() map[string]int {
	s.t.Helper()
	all := map[string]int{}
	w := &World{Main: s.server}
	for _, typ := range []string{"Users", "Groups"} {
		err := w.walk(s.t.Context(), typ, func(o object) {
			if name := str(o, "displayName"); name != "Everyone" && name != "Administrators" { // there before the streams
				all["/"+typ+"/"+str(o, "id")] = versionOf(s.t, str(o, "meta", "version"))
			}
		})
		if err != nil {
			s.t.Fatal(err)
		}
	}
	return all
}

func versionOf(t *testing.T, tag string) int {
	t.Helper()
	n, err := strconv.Atoi(strings.Trim(tag, `W/"`))
	if err != nil {
		t.Fatalf("version %q", tag)
	}
	return n
}

// await waits until one way of delivery has told of every version of every resource.
func (s *eventStory) await(by string, want map[string]int) {
	s.t.Helper()
	for deadline := time.Now().Add(60 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		told, repeated := s.told(by)
		missing := 0
		for uri, version := range want {
			if told[uri] != version {
				missing++
			}
		}
		if missing == 0 && len(told) == len(want) {
			s.t.Logf("%s: %d resources, %d repetitions", by, len(told), repeated)
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("%s: of %d resources %d are not told to their last version; %d are told of", by, len(want), missing, len(told))
		}
	}
}

// told are the versions that one way of delivery has told of; those of a resource must
// come one after the other, and nothing after its deletion.
func (s *eventStory) told(by string) (last map[string]int, repeated int) {
	s.t.Helper()
	last, seen, gone := map[string]int{}, map[string]bool{}, map[string]bool{}
	for _, set := range s.receiver.Taken(s.t) {
		if set.By != by {
			continue
		}
		if seen[set.JTI] {
			repeated++
			continue
		}
		seen[set.JTI] = true
		uri := set.Subject["uri"]
		if gone[uri] {
			s.t.Fatalf("%s: %s is told of after its deletion", by, uri)
		}
		for event, raw := range set.Events {
			if event == eventPrefix+"delete" {
				gone[uri] = true
				delete(last, uri)
				continue
			}
			var p struct{ Version string }
			if err := json.Unmarshal(raw, &p); err != nil {
				s.t.Fatal(err)
			}
			if v := versionOf(s.t, p.Version); v != last[uri] && v != last[uri]+1 {
				s.t.Fatalf("%s: version %d of %s follows %d", by, v, uri, last[uri])
			} else {
				last[uri] = v
			}
		}
	}
	return last, repeated
}
