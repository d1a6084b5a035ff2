package manage_test

import (
	"strings"
	"testing"

	"github.com/provost-id/provost/internal/httpapi"
)

// An administrator makes, reads, changes, stops and deletes streams; a secret goes in
// and never comes out.
func TestEventStreams(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		made := s.must(200, "POST", "/scim/streams", `{"label":"HR","clientId":"00Tx","delivery":{"method":"push",
			"endpointUrl":"https://receiver.example/events","authorizationHeader":"Bearer canary"},"resourceTypes":["User"],
			"events":["urn:ietf:params:scim:event:prov:delete"],"attributes":["userName"],"aud":["https://receiver.example"],"alg":"RS256"}`)
		id, _ := at(made.body, "id").(string)
		path := "/scim/streams/" + id
		for name, want := range map[string]any{
			"status": "ENABLED", "iss": "https://id.example/scim/v2", "jwks_uri": "https://id.example/scim/v2/streams/jwks", "alg": "RS256", "label": "HR",
		} {
			if got := at(made.body, name); got != want {
				t.Errorf("%s is %v, want %v", name, got, want)
			}
		}
		if at(made.body, "delivery", "hasAuthorizationHeader") != true || at(made.body, "progress", "deadLetters") != 0.0 {
			t.Errorf("made: %s", made.raw)
		}
		poll := s.must(200, "POST", "/scim/streams", `{"label":"SIEM","clientId":"00Ty","delivery":{"method":"poll"}}`)
		pollID, _ := at(poll.body, "id").(string)
		if at(poll.body, "delivery", "endpointUrl") != "https://id.example/scim/v2/streams/"+pollID+"/poll" ||
			at(poll.body, "aud", 0) != "https://id.example/scim/v2/streams/"+pollID || strings.Contains(poll.raw, ":full") {
			t.Errorf("made: %s", poll.raw)
		}
		list := s.must(200, "GET", "/scim/streams", "")
		if all, _ := list.body.([]any); len(all) != 2 {
			t.Errorf("list: %s", list.raw)
		}
		replaced := s.must(200, "PUT", path, `{"label":"HR 2","delivery":{"method":"push","endpointUrl":"https://receiver.example/events"}}`)
		if at(replaced.body, "label") != "HR 2" || at(replaced.body, "delivery", "hasAuthorizationHeader") != true || at(replaced.body, "resourceTypes") != nil {
			t.Errorf("replaced: %s", replaced.raw)
		}
		if r := s.must(200, "POST", path+"/lifecycle/pause", ""); at(r.body, "status") != "PAUSED" {
			t.Errorf("paused: %s", r.raw)
		}
		if r := s.must(200, "POST", path+"/lifecycle/resume", ""); at(r.body, "status") != "ENABLED" {
			t.Errorf("resumed: %s", r.raw)
		}
		letters := s.must(200, "GET", path+"/deadLetters", "")
		keys := s.must(200, "POST", "/scim/streamKeys/lifecycle/rotate", "")
		if letters.raw != "[]\n" && letters.raw != "[]" || keys.status != 200 {
			t.Errorf("dead letters %q, keys %q", letters.raw, keys.raw)
		}
		logs := s.must(200, "GET", "/logs?filter="+`eventType+eq+"scim.stream.create"`, "")
		for what, r := range map[string]reply{"made": made, "list": list, "replaced": replaced, "logs": logs, "read": s.must(200, "GET", path, "")} {
			if strings.Contains(r.raw, "canary") {
				t.Errorf("%s: the secret is shown: %s", what, r.raw)
			}
		}
		s.must(204, "DELETE", path, "")
		for _, op := range [][3]string{{"GET", path, ""}, {"DELETE", path, ""}, {"POST", path + "/lifecycle/pause", ""}, {"POST", path + "/lifecycle/resume", ""},
			{"GET", path + "/deadLetters", ""}, {"PUT", path, `{"label":"x","delivery":{"method":"poll"}}`}} {
			s.refused(404, "E0000007", op[0], op[1], op[2])
		}
	})
}

func TestEventStreams_Refused(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		s.refused(400, "E0000001", "POST", "/scim/streams", `{"label":"x","delivery":{"method":"push","endpointUrl":"http://169.254.169.254/"}}`, "delivery.endpointUrl")
		s.refused(400, "E0000001", "POST", "/scim/streams", `{"label":"x","delivery":{"method":"poll"}}`, "clientId")
		s.refused(400, "E0000001", "POST", "/scim/streams", `{"label":"x","clientId":"c","delivery":{"method":"poll"},"events":["urn:x"]}`, "events")
		s.token = s.newToken(httpapi.ScopeManageRead)
		s.must(200, "GET", "/scim/streams", "")
		s.refused(403, "E0000006", "POST", "/scim/streams", `{"label":"x","clientId":"c","delivery":{"method":"poll"}}`)
		s.refused(403, "E0000006", "POST", "/scim/streamKeys/lifecycle/rotate", "")
		s.token = s.newToken(httpapi.ScopeSCIM)
		s.refused(403, "E0000006", "GET", "/scim/streams", "")
	})
}
