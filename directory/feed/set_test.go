package feed_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-id/provost/directory/feed"
	"github.com/provost-id/provost/schemas"
)

func compact(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestRFC9967_2_4_Events: each change of a resource becomes the events that the
// specification has for it, with data or with names.
func TestRFC9967_2_4_Events(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		full := n.stream(wants("create:full", "patch:full", "patch:notice", "put:full", "delete", "activate", "deactivate"))
		notice := n.stream(wants("create:notice", "patch:notice", "put:notice", "delete", "activate", "deactivate"))
		id := n.user(`{"userName":"ada@example.com","externalId":"x-ada","name":{"familyName":"L"},"emails":[{"value":"a@example.com","type":"work"}]}`)
		group := n.group(`{"displayName":"Team"}`)
		n.told(full)
		n.told(notice)
		for _, step := range []struct {
			name         string
			do           func()
			kinds        string // of the full stream, SETs separated by commas
			data         string // of the first event that has any
			noticeKinds  string
			attributes   string
			uri, version string
		}{
			{name: "attributes", do: func() {
				n.patch("User", id, `{"op":"replace","path":"name.familyName","value":"M"},{"op":"remove","path":"emails"},{"op":"add","path":"title","value":"T"}`)
			}, kinds: "patch:full", data: `[{"op":"remove","path":"emails"},{"op":"replace","path":"name.familyName","value":"M"},{"op":"replace","path":"title","value":"T"}]`,
				noticeKinds: "patch:notice", attributes: `["emails","name.familyName","title"]`, version: `W/"2"`},
			{name: "password", do: func() { n.patch("User", id, `{"op":"replace","path":"password","value":"Correct-horse-9"}`) },
				kinds: "patch:notice", noticeKinds: "patch:notice", attributes: `["password"]`, version: `W/"3"`},
			{name: "deactivation", do: func() { n.patch("User", id, `{"op":"replace","path":"active","value":false}`) },
				kinds: "deactivate patch:full", data: `[{"op":"replace","path":"active","value":false}]`,
				noticeKinds: "deactivate patch:notice", attributes: `["active"]`, version: `W/"4"`},
			{name: "activation", do: func() { n.patch("User", id, `{"op":"replace","path":"active","value":true}`) },
				kinds: "activate patch:full", data: `[{"op":"replace","path":"active","value":true}]`,
				noticeKinds: "activate patch:notice", attributes: `["active"]`, version: `W/"5"`},
			{name: "replacement", do: func() { n.put(id, `{"userName":"bea@example.com","externalId":"x-bea"}`) },
				kinds: "put:full", noticeKinds: "put:notice", attributes: `["name","title","userName","externalId"]`, version: `W/"6"`},
			{name: "member in", do: func() { n.check(n.dir.AddMember(context.Background(), writer, group, id)) },
				kinds: "patch:full", data: `[{"op":"add","path":"members","value":[{"value":"` + id + `","$ref":"` + issuer + `/Users/` + id + `","type":"User"}]}]`,
				noticeKinds: "patch:notice", attributes: `["members"]`, uri: "/Groups/" + group, version: `W/"2"`},
			{name: "member out", do: func() { n.check(n.dir.RemoveMember(context.Background(), writer, group, id)) },
				kinds: "patch:full", data: `[{"op":"remove","path":"members[value eq \"` + id + `\"]"}]`,
				noticeKinds: "patch:notice", attributes: `["members"]`, uri: "/Groups/" + group, version: `W/"3"`},
			{name: "deletion", do: func() { n.check(n.dir.DeleteUser(context.Background(), writer, id, nil)) },
				kinds: "delete", noticeKinds: "delete"},
		} {
			step.do()
			if step.uri == "" {
				step.uri = "/Users/" + id
			}
			for st, want := range map[*feed.Stream]string{full: step.kinds, notice: step.noticeKinds} {
				sets := n.told(st)
				if len(sets) != 1 || sets[0].kinds() != want || sets[0].subject("uri") != step.uri {
					t.Errorf("%s: told %v, want %s of %s", step.name, compactAll(t, sets), want, step.uri)
					continue
				}
				for kind, p := range sets[0].events() {
					data, _ := p["data"].(map[string]any)
					if ops := compact(t, data["Operations"]); strings.HasPrefix(kind, "patch:full") && ops != compactJSON(t, step.data) {
						t.Errorf("%s: operations %s, want %s", step.name, ops, step.data)
					}
					if names := compact(t, p["attributes"]); strings.HasSuffix(kind, ":notice") && names != step.attributes {
						t.Errorf("%s: attributes %s, want %s", step.name, names, step.attributes)
					}
					if strings.Contains(kind, ":") && p["version"] != step.version {
						t.Errorf("%s: version %v, want %s", step.name, p["version"], step.version)
					}
				}
				if step.uri == "/Users/"+id && sets[0].subject("externalId") == "" {
					t.Errorf("%s: no external ID in %s", step.name, compact(t, sets[0].claims))
				}
			}
		}
	})
}

func compactAll(t *testing.T, sets []received) []string {
	var all []string
	for _, r := range sets {
		all = append(all, compact(t, r.claims))
	}
	return all
}

// compactJSON is a JSON text as Marshal writes it, its members in order.
func compactJSON(t *testing.T, text string) string {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return compact(t, v)
}

// TestRFC9967_2_4_1_FullData: data is what a response would show at that version, also
// when the resource is another by the time it is told.
func TestRFC9967_2_4_1_FullData(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		st := n.stream(wants("create:full", "put:full"))
		id := n.user(`{"userName":"ada@example.com","externalId":"x-ada","title":"first"}`)
		shown := func() map[string]any {
			u, err := n.dir.ShownUser(context.Background(), id, writer.Client)
			n.check(err)
			active := true
			body := n.typ("User").Render(nil, u.Doc, schemas.Volatile{
				ID: u.ID, ExternalID: u.ExternalID, Created: u.Created, Modified: u.Modified, Version: u.Version, Active: &active,
				Location: issuer + "/Users/" + u.ID,
			}, nil)
			var v map[string]any
			n.check(json.Unmarshal(body, &v))
			return v
		}
		created := shown()
		n.put(id, `{"userName":"ada@example.com","externalId":"x-ada","title":"second"}`)
		replaced := shown()
		n.put(id, `{"userName":"ada@example.com","externalId":"x-ada","title":"third"}`)
		sets := n.told(st)
		if len(sets) != 3 {
			t.Fatalf("told %v", compactAll(t, sets))
		}
		for i, want := range []map[string]any{created, replaced, shown()} {
			for kind, p := range sets[i].events() {
				if diff := cmp.Diff(want, p["data"]); diff != "" {
					t.Errorf("%s: %s", kind, diff)
				}
			}
		}
	})
}

// A stream tells of what it is limited to: types, events, attributes, and the external
// IDs of its client.
func TestStream_Limits(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		groups := n.stream(func(in *feed.Input) { in.Types = []string{"Group"} })
		titles := n.stream(wants("create:full", "patch:full", "patch:notice", "put:full"), func(in *feed.Input) { in.Attributes = []string{"title"} })
		noMail := n.stream(wants("create:full", "patch:full"), func(in *feed.Input) { in.Excluded = []string{"emails", "members", "password"}; in.Client = "other" })
		id := n.user(`{"userName":"canary@example.com","externalId":"x-ada","title":"T","emails":[{"value":"canary2@example.com"}]}`)
		n.patch("User", id, `{"op":"replace","path":"emails","value":[{"value":"canary3@example.com"}]}`)
		n.patch("User", id, `{"op":"replace","path":"password","value":"Correct-horse-9"}`)
		n.patch("User", id, `{"op":"replace","path":"active","value":false}`)
		n.put(id, `{"userName":"canary@example.com","externalId":"x-2","title":"U"}`)
		group := n.group(`{"displayName":"Team"}`)
		n.check(n.dir.AddMember(context.Background(), writer, group, id))

		var kinds []string
		for _, r := range n.told(groups) {
			kinds = append(kinds, r.kinds()+" "+r.subject("uri"))
		}
		if diff := cmp.Diff([]string{"create:full /Groups/" + group, "patch:full /Groups/" + group}, kinds); diff != "" {
			t.Errorf("groups only: %s", diff)
		}
		sets := n.told(titles)
		if text := fmt.Sprint(compactAll(t, sets)); len(sets) != 3 || strings.Contains(text, "canary") || strings.Contains(text, "password") ||
			!strings.Contains(text, `"title":"T"`) || !strings.Contains(text, `"title":"U"`) {
			t.Errorf("titles only: %d SETs: %s", len(sets), text)
		}
		sets = n.told(noMail)
		text := fmt.Sprint(compactAll(t, sets))
		for _, secret := range []string{"canary2", "canary3", "x-ada", "x-2", "members", "assword"} {
			if strings.Contains(text, secret) {
				t.Errorf("without mail, members and external ID: %s in %s", secret, text)
			}
		}
		if len(sets) != 3 { // the user, its deactivation, the group
			t.Errorf("without mail: %d SETs: %s", len(sets), text)
		}
	})
}

// The resources that a change of hundreds of members tells of come in parts, each of a
// size that a receiver can take.
func TestStream_ManyMembers(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		st := n.stream(wants("patch:full"))
		var members []string
		for i := range 150 {
			members = append(members, fmt.Sprintf(`{"value":%q}`, n.user(fmt.Sprintf(`{"userName":"u%d@example.com"}`, i))))
		}
		n.group(`{"displayName":"Team","members":[` + strings.Join(members, ",") + `]}`)
		seen := map[any]bool{}
		for _, r := range n.told(st) {
			data, _ := r.events()["patch:full"]["data"].(map[string]any)
			ops, _ := data["Operations"].([]any)
			for _, op := range ops {
				value, _ := op.(map[string]any)["value"].([]any)
				if len(value) > 100 {
					t.Errorf("%d members at once", len(value))
				}
				for _, m := range value {
					seen[m.(map[string]any)["value"]] = true
				}
			}
		}
		if len(seen) != len(members) {
			t.Errorf("told of %d members, want %d", len(seen), len(members))
		}
	})
}

// TestADV67_NoPasswordIsTold: not in a SET, not in the log, in no form.
func TestADV67_NoPasswordIsTold(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		st := n.stream()
		const first, second, third = "Canary-one-9x", "Canary-two-9x", "Canary-three-9x"
		id := n.user(`{"userName":"ada@example.com","password":"` + first + `"}`)
		n.patch("User", id, `{"op":"replace","path":"password","value":"`+second+`"},{"op":"replace","path":"title","value":"T"}`)
		n.put(id, `{"userName":"ada@example.com","password":"`+third+`"}`)
		n.check(n.dir.DeleteUser(context.Background(), writer, id, nil))
		sets := n.told(st)
		if len(sets) < 5 {
			t.Errorf("only %d SETs: %v", len(sets), compactAll(t, sets))
		}
		var hash string
		_ = n.db.QueryRow(context.Background(), `SELECT hash FROM passwords LIMIT 1`).Scan(&hash) // gone with the user
		text := fmt.Sprint(compactAll(t, sets))
		rows, err := n.db.Query(context.Background(), `SELECT body FROM events`)
		n.check(err)
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var body string
			n.check(rows.Scan(&body))
			text += body
		}
		if strings.Contains(text, "Canary") || strings.Contains(text, "argon2") {
			t.Errorf("a password is told: %s", text)
		}
	})
}
