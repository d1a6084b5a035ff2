package scim_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/provost-id/provost/directory/feed"
	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/httpapi"
)

// stream makes a stream that a client polls, and returns its path.
func (s *service) stream(c *client) string {
	s.t.Helper()
	st, err := s.feed.CreateStream(context.Background(), feed.Change{Actor: events.System}, feed.Input{
		Config: feed.Config{Label: "test", Method: feed.Poll, Client: c.id, Events: feed.URIs()},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return "/streams/" + st.ID + "/poll"
}

// TestRFC8936_PollOverHTTP: polls and acknowledges as RFC 8936, section 2, writes them.
func TestRFC8936_PollOverHTTP(t *testing.T) {
	eachSequenced(t, func(t *testing.T, s *service, c *client) {
		s.settled()
		path := s.stream(c)
		reader := s.client("", httpapi.ScopeSCIMRead)
		readerPath := s.stream(reader)
		id := c.create("/Users", `{"userName":"ada@example.com","externalId":"x-ada","password":"Canary-horse-9"}`)
		s.settled()
		var all []string
		for caller, at := range map[*client]string{c: path, reader: readerPath} {
			r := caller.must(http.StatusOK, "POST", at, `{"maxEvents":10,"returnImmediately":true}`, "Content-Type", "application/json")
			sets, _ := r.body["sets"].(map[string]any)
			if len(sets) != 1 || r.header.Get("Content-Type") != "application/json" || r.header.Get("Cache-Control") != "no-store" {
				t.Fatalf("%s: %v %s", at, r.header, r.raw)
			}
			for jti, raw := range sets {
				all = append(all, raw.(string))
				r = caller.must(200, "POST", at, `{"returnImmediately":true,"ack":["`+jti+`"]}`)
				if r.raw != `{"sets":{}}` {
					t.Errorf("after the acknowledgement: %s", r.raw)
				}
			}
		}
		if strings.Contains(s.log.String(), "Canary-horse-9") {
			t.Error("the password is in the log")
		}
		// Everybody may have the keys, and nobody a private part of them.
		nobody := *c
		nobody.token = ""
		keys := nobody.must(200, "GET", "/streams/jwks", "")
		if keys.header.Get("Content-Type") != "application/jwk-set+json" || len(at(keys.body, "keys").([]any)) != 2 || strings.Contains(keys.raw, `"d"`) {
			t.Errorf("keys: %v %s", keys.header, keys.raw)
		}
		if len(all) != 2 || id == "" {
			t.Errorf("%d SETs", len(all))
		}
	})
}

// A poll is refused to everybody but the client of the stream, and when it is malformed.
func TestPoll_RefusedOverHTTP(t *testing.T) {
	eachSequenced(t, func(t *testing.T, s *service, c *client) {
		s.settled()
		path := s.stream(c)
		nobody := *c
		nobody.token = ""
		nobody.refused(401, "", "POST", path, `{}`)
		s.client("", httpapi.ScopeManage).refused(403, "", "POST", path, `{}`)
		s.client("", httpapi.ScopeSCIM).refused(404, "", "POST", path, `{"returnImmediately":true}`, "no such stream for this client")
		c.refused(404, "", "POST", "/streams/evsnobody/poll", `{}`)
		// A stream tells of everything: one with a limit has no part in it, its own or not.
		limited := s.limited(httpapi.Limits{ResourceTypes: []string{"User"}})
		limited.refused(403, "", "POST", s.stream(limited), `{"returnImmediately":true}`, "limited")
		c.refused(405, "", "GET", path, "")
		for body, word := range map[string]string{
			`[]`: "object", `{"maxEvents":"1"}`: "maxEvents", `{"maxEvents":-1}`: "maxEvents", `{"ack":"x"}`: "ack", `{`: "", `{"ack":[1]}`: "ack",
			`{"maxEvents":1,"maxEvents":2}`: "maxEvents", `{"setErrs":[]}`: "setErrs", `{"returnImmediately":1}`: "returnImmediately",
			`{"ack":["` + strings.Repeat(`x","`, 1001) + `"]}`: "acknowledgements",
		} {
			r := c.do("POST", path, body)
			if detail, _ := r.body["detail"].(string); r.status != 400 || !strings.Contains(detail, word) {
				t.Errorf("%s: %d %s", clip(body), r.status, r.raw)
			}
		}
		c.refused(413, "", "POST", path, `{"ack":["`+strings.Repeat("x", 300<<10)+`"]}`)
	})
}

// TestRFC9967_4_SecurityEvents: as soon as there is a stream, and no sooner, the
// configuration says which events there are, and that there are no asynchronous requests.
func TestRFC9967_4_SecurityEvents(t *testing.T) {
	eachSequenced(t, func(t *testing.T, s *service, c *client) {
		if r := c.must(200, "GET", "/ServiceProviderConfig", ""); strings.Contains(r.raw, "securityEvents") {
			t.Errorf("without a stream: %s", r.raw)
		}
		s.stream(c)
		config := c.must(200, "GET", "/ServiceProviderConfig", "").body
		uris, _ := at(config, "securityEvents", "eventUris").([]any)
		if at(config, "securityEvents", "asyncRequest") != "none" || len(uris) != 9 || !slices.Contains(uris, any("urn:ietf:params:scim:event:prov:create:full")) {
			t.Errorf("securityEvents: %v", config["securityEvents"])
		}
		r := c.must(201, "POST", "/Users", `{"userName":"a@example.com"}`, "Prefer", "respond-async")
		if r.header.Get("Preference-Applied") != "" || r.header.Get("Set-Txn") != "" {
			t.Errorf("an asynchronous answer: %v", r.header)
		}
	})
}
